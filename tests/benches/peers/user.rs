//! A user of any of the servers: frames of Hongyan to the twin, and to the others XMPP over a WebSocket (RFC 7395) with
//! stream management (XEP-0198) and archives (XEP-0313).

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::{SinkExt, StreamExt};
use hongyan_shared::sig::{Key, issue};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

pub const SDK_APP_ID: u64 = 1_400_000_000;
pub const KEY: &str = "key";

const TEXT: &str = "今天下班以后我们一起去吃那家新开的面馆吧";
const OPEN: &str = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>";

pub enum Address {
    Twin(String),
    Xmpp(String),
}

/// Makes accounts where there have to be some.
pub async fn register<Name: AsRef<str>>(address: &Address, names: &[Name]) {
    let Address::Xmpp(url) = address else { return };
    let mut stream = Frames::open(url, Some("xmpp")).await;
    stream.say(OPEN).await;
    stream.until("features").await;
    for name in names {
        let name = name.as_ref();
        stream
            .say(&format!(
                "<iq xmlns='jabber:client' type='set' id='{name}'><query xmlns='jabber:iq:register'>\
                 <username>{name}</username><password>{KEY}</password></query></iq>"
            ))
            .await;
        let answer = stream.until("<iq").await;
        assert!(answer.contains("type='result'"), "{answer}");
    }
}

pub struct User {
    pub name: String,
    frames: Frames,
    is_xmpp: bool,
    /// How many stanzas were sent.
    sent: usize,
}

impl User {
    /// Connects, and returns when the server takes and delivers messages.
    pub async fn come(address: &Address, name: &str) -> Self {
        let (frames, is_xmpp) = match address {
            Address::Twin(url) => (log_in(url, name).await, false),
            Address::Xmpp(url) => (authenticate(url, name).await, true),
        };
        // The presence is a stanza.
        Self { name: name.to_owned(), frames, is_xmpp, sent: 1 }
    }

    /// Sends a message, and with XMPP the question whether it was taken.
    pub async fn write(&mut self, to: &str, number: usize) {
        if !self.is_xmpp {
            let frame = json!({
                "action": "sendMessage", "requestID": "1",
                "data": {
                    "to": to, "conversationType": "C2C", "clientID": number.to_string(), "base": number,
                    "type": "TIMTextElem", "payload": { "text": TEXT },
                },
            });
            return self.frames.say(&frame.to_string()).await;
        }
        let message = format!(
            "<message xmlns='jabber:client' type='chat' to='{to}@localhost' id='m{number}'><body>{TEXT}</body></message>"
        );
        self.frames.say(&message).await;
        self.sent += 1;
        self.frames.say("<r xmlns='urn:xmpp:sm:3'/>").await;
    }

    /// Waits until all that was sent is acknowledged.
    pub async fn acknowledged(&mut self) {
        if !self.is_xmpp {
            let reply = self.frames.json().await;
            assert_eq!(reply["code"], 0, "{reply}");
            return;
        }
        let all = format!("h='{}'", self.sent);
        while !self.frames.until("<a ").await.contains(&all) {}
    }

    /// Waits for the message with this number, which is the next one.
    pub async fn reads(&mut self, number: usize) {
        if !self.is_xmpp {
            let pushed = self.frames.json().await;
            assert_eq!(pushed["data"][0]["clientID"], number.to_string(), "{pushed}");
            return;
        }
        let message = self.frames.until("<message").await;
        assert!(message.contains(&format!("id='m{number}'")), "{message}");
    }

    /// Whether the newest message that is kept is the one with this number.
    pub async fn finds_in_history(&mut self, with: &str, number: usize) -> bool {
        if !self.is_xmpp {
            let data = json!({ "conversationID": format!("C2C{with}"), "count": 1 });
            let frame = json!({ "action": "getMessageList", "requestID": "2", "data": data });
            self.frames.say(&frame.to_string()).await;
            let page = self.frames.json().await;
            // The first message has the number 1.
            return page["data"]["messageList"][0]["sequence"] == number + 1;
        }
        let newest = format!(
            "<iq xmlns='jabber:client' type='set' id='newest'><query xmlns='urn:xmpp:mam:2'>\
             <x xmlns='jabber:x:data' type='submit'>\
             <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>\
             <field var='with'><value>{with}@localhost</value></field></x>\
             <set xmlns='http://jabber.org/protocol/rsm'><max>1</max><before/></set></query></iq>"
        );
        self.frames.say(&newest).await;
        let mut found = false;
        loop {
            let stanza = self.frames.until("id=").await;
            found |= stanza.contains("<result ") && stanza.contains(&format!("id='m{number}'"));
            if stanza.contains("<fin ") {
                return found;
            }
        }
    }
}

async fn log_in(url: &str, name: &str) -> Frames {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let sig = issue(&Key::parse(KEY).unwrap(), SDK_APP_ID, name, now, 3600);
    let url = format!("{url}?SDKAppID={SDK_APP_ID}&userID={name}&userSig={sig}&platform=Web");
    let mut frames = Frames::open(&url, None).await;
    frames.say(r#"{"action":"login","requestID":"0","data":{}}"#).await;
    let reply = frames.json().await;
    assert_eq!(reply["code"], 0, "{reply}");
    frames
}

async fn authenticate(url: &str, name: &str) -> Frames {
    let mut frames = Frames::open(url, Some("xmpp")).await;
    frames.say(OPEN).await;
    frames.until("features").await;
    let plain = STANDARD.encode(format!("\0{name}\0{KEY}"));
    frames
        .say(&format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>"))
        .await;
    frames.until("<success").await;
    frames.say(OPEN).await;
    frames.until("features").await;
    frames
        .say("<iq xmlns='jabber:client' type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
        .await;
    frames.until("id='bind'").await;
    frames.say("<enable xmlns='urn:xmpp:sm:3'/>").await;
    frames.until("<enabled").await;
    frames.received = 0;
    frames.say("<presence xmlns='jabber:client'/>").await;
    frames.until("<presence").await;
    frames
}

/// A WebSocket, and how many stanzas came over it.
struct Frames {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    received: usize,
}

impl Frames {
    async fn open(url: &str, protocol: Option<&'static str>) -> Self {
        let mut request = url.into_client_request().unwrap();
        if let Some(protocol) = protocol {
            request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(protocol));
        }
        // What is written goes out at once: a message, and behind it the question whether it was taken.
        let socket = connect_async_with_config(request, None, true).await.unwrap().0;
        Self { socket, received: 0 }
    }

    async fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    async fn hear(&mut self) -> String {
        loop {
            if let Message::Text(text) = self.socket.next().await.unwrap().unwrap() {
                return text.to_string();
            }
        }
    }

    async fn json(&mut self) -> Value {
        serde_json::from_str(&self.hear().await).unwrap()
    }

    /// The next stanza that contains this. Those before it are only counted, and a server that asks how many is told.
    async fn until(&mut self, part: &str) -> String {
        loop {
            let stanza = self.hear().await;
            if stanza.starts_with("<r ") {
                let count = format!("<a xmlns='urn:xmpp:sm:3' h='{}'/>", self.received);
                self.say(&count).await;
                continue;
            }
            self.received +=
                usize::from(["<message", "<iq", "<presence"].iter().any(|name| stanza.starts_with(name)));
            assert!(!stanza.contains("stream:error") && !stanza.contains("<failure"), "{stanza}");
            if stanza.contains(part) {
                return stanza;
            }
        }
    }
}
