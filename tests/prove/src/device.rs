//! A device: a connection of a user that is there again when it has broken, and writes down all that it sees.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use hongyan_shared::sig::{Key, issue};
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::oneshot, task::JoinHandle, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::{
    history::{History, Push, Return, What},
    serve::{KEY, SDK_APP_ID},
};

/// After which there is no answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// The same when nothing breaks any more, and only the machine can be slow.
const LONG_PATIENCE: Duration = Duration::from_secs(30);

const WEEK_S: i64 = 7 * 24 * 60 * 60;

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Those who wait for an answer, by the number of their operation.
type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<(i64, Value)>>>>;

pub struct Device {
    pub user: String,
    pub history: Arc<History>,
    /// The highest number that it has seen, by conversation.
    pub seen: HashMap<String, u64>,
    platform: &'static str,
    port: u16,
    link: Option<Link>,
    patience: Duration,
}

struct Link {
    sink: SplitSink<Stream, Message>,
    waiting: Waiting,
    reader: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Device {
    pub fn new(user: &str, platform: &'static str, port: u16, history: Arc<History>) -> Self {
        let (user, seen) = (user.to_owned(), HashMap::new());
        Self { user, history, seen, platform, port, link: None, patience: PATIENCE }
    }

    /// One for a time in which nothing breaks.
    pub fn patient(user: &str, platform: &'static str, port: u16, history: Arc<History>) -> Self {
        Self { patience: LONG_PATIENCE, ..Self::new(user, platform, port, history) }
    }

    /// Asks for something. Nothing is returned when there is no answer.
    pub async fn ask(&mut self, action: &str, data: Value) -> Option<(i64, Value)> {
        self.connect().await?;
        let op = self.history.invoke(&self.user, action, &data);
        let link = self.link.as_mut()?;
        let (answer, heard) = oneshot::channel();
        link.waiting.lock().unwrap().insert(op, answer);
        let frame = json!({ "action": action, "requestID": op.to_string(), "data": data }).to_string();
        let asked = async {
            link.sink.send(Message::text(frame)).await.ok()?;
            heard.await.ok()
        };
        let answer = timeout(self.patience, asked).await.ok().flatten();
        if answer.is_none() {
            // Whether it is the server or the network, nobody knows.
            self.link = None;
        }
        answer
    }

    /// Says something that has no answer.
    pub async fn say(&mut self, action: &str, data: Value) {
        if self.connect().await.is_none() {
            return;
        }
        self.history.invoke(&self.user, action, &data);
        let frame = json!({ "action": action, "data": data }).to_string();
        if let Some(link) = &mut self.link
            && !matches!(timeout(self.patience, link.sink.send(Message::text(frame))).await, Ok(Ok(())))
        {
            self.link = None;
        }
    }

    pub fn hang_up(&mut self) {
        self.link = None;
    }

    async fn connect(&mut self) -> Option<()> {
        if self.link.as_ref().is_some_and(|link| !link.reader.is_finished()) {
            return Some(());
        }
        self.link = None;
        let (user, port, platform) = (&self.user, self.port, self.platform);
        let sig = issue(&Key::parse(KEY).unwrap(), SDK_APP_ID, user, self.history.clock_s(), WEEK_S);
        let url = format!(
            "ws://127.0.0.1:{port}/prod?SDKAppID={SDK_APP_ID}&userID={user}&userSig={sig}&platform={platform}&instance={user}"
        );
        let Ok(Ok((stream, _))) = timeout(self.patience, connect_async(url)).await else {
            tokio::time::sleep(Duration::from_millis(200)).await;
            return None;
        };
        let (sink, stream) = stream.split();
        let waiting = Waiting::default();
        let reader =
            tokio::spawn(read(stream, user.clone(), Arc::clone(&self.history), Arc::clone(&waiting)));
        self.link = Some(Link { sink, waiting, reader });
        Some(())
    }
}

/// Whatever comes in, until nothing does any more.
async fn read(mut stream: SplitStream<Stream>, user: String, history: Arc<History>, waiting: Waiting) {
    while let Some(Ok(message)) = stream.next().await {
        let Message::Text(text) = message else { continue };
        let mut frame: Value = serde_json::from_str(&text).unwrap_or_default();
        let (data, event) = (frame["data"].take(), frame["event"].as_str());
        let op = frame["requestID"].as_str().and_then(|id| id.parse::<u64>().ok());
        if let (Some(op), Some(code)) = (op, frame["code"].as_i64()) {
            history.note(What::Return(Return { op, code, data: data.clone() }));
            let heard = waiting.lock().unwrap().remove(&op);
            // Who asked may have given up.
            let _ = heard.map(|heard| heard.send((code, data)));
        } else if let Some(event) = event {
            history.note(What::Push(Push { user: user.clone(), event: event.to_owned(), data }));
        } else {
            // A sandbox was killed. Whose it was is not said.
            waiting.lock().unwrap().clear();
        }
    }
    waiting.lock().unwrap().clear();
}
