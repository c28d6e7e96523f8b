//! A client on a real socket.

use std::{collections::VecDeque, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, protocol::CloseFrame},
};

/// Long enough that only something broken takes longer.
const TIMEOUT: Duration = Duration::from_secs(10);

pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pushes: VecDeque<Value>,
    requests: u64,
}

impl Socket {
    /// Connects, or says with which status the handshake was refused.
    pub async fn connect(url: &str) -> Result<Self, u16> {
        match connect_async(url).await {
            Ok((stream, _)) => Ok(Self { stream, pushes: VecDeque::new(), requests: 0 }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends a frame as it is.
    pub async fn say(&mut self, frame: impl Into<Message>) {
        self.stream.send(frame.into()).await.unwrap();
    }

    /// Sends a request and waits for its reply; pushes that come in meanwhile are kept.
    pub async fn request(&mut self, action: &str, data: Value) -> Value {
        self.requests += 1;
        let id = self.requests.to_string();
        self.say(json!({ "action": action, "requestID": id, "data": data }).to_string()).await;
        loop {
            let frame = self.frame().await;
            if frame["requestID"] == id {
                return frame;
            }
            self.pushes.push_back(frame);
        }
    }

    /// As [`Socket::request`], for one that must succeed.
    pub async fn ask(&mut self, action: &str, data: Value) -> Value {
        let reply = self.request(action, data).await;
        assert_eq!(reply["code"], 0, "{reply}");
        reply["data"].clone()
    }

    /// The next push, in the order in which they came in.
    pub async fn push(&mut self) -> Value {
        match self.pushes.pop_front() {
            Some(push) => push,
            None => self.frame().await,
        }
    }

    /// A push that came in while a reply was being waited for.
    pub fn pushed(&mut self) -> Option<Value> {
        self.pushes.pop_front()
    }

    /// Whether no push has come in that was not looked at.
    pub async fn is_quiet(&mut self) -> bool {
        // The reply comes behind whatever was pushed before.
        self.request("nothing", json!({})).await;
        self.pushes.is_empty()
    }

    /// The next frame.
    pub async fn frame(&mut self) -> Value {
        serde_json::from_str(&self.text().await).unwrap()
    }

    /// The next frame as it is.
    pub async fn text(&mut self) -> String {
        match tokio::time::timeout(TIMEOUT, self.stream.next()).await.expect("a frame") {
            Some(Ok(Message::Text(text))) => text.to_string(),
            other => panic!("instead of a frame: {other:?}"),
        }
    }

    /// Waits for the end, and how it was put.
    pub async fn closed(mut self) -> Option<CloseFrame> {
        loop {
            match tokio::time::timeout(TIMEOUT, self.stream.next()).await.expect("an end") {
                Some(Ok(Message::Close(frame))) => return frame,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// Whatever comes in until the connection ends.
    pub async fn rest(mut self) -> Vec<Value> {
        let mut frames: Vec<Value> = self.pushes.drain(..).collect();
        loop {
            match tokio::time::timeout(TIMEOUT, self.stream.next()).await.expect("an end") {
                Some(Ok(Message::Text(text))) => frames.push(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return frames,
                Some(Ok(_)) => {}
            }
        }
    }

    pub async fn close(mut self) {
        self.stream.close(None).await.unwrap();
        while self.stream.next().await.is_some() {}
    }

    /// Goes away without a word.
    pub fn vanish(self) {
        drop(self);
    }
}
