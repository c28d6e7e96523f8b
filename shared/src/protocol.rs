//! The frames on the socket: requests in, replies and pushes out. `docs/protocol.md` shows each of
//! them, and a test holds the two together.
//!
//! **Architecture invariant:** the wire type, the model and the table row are three types. What
//! the client sees changes here and nowhere else.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Error, Result,
    model::{ClientId, Draft, Elem, Message, Pair, Seq, Side, UserId},
};

/// The largest request that is parsed: what API Gateway lets through.
pub const MAX_FRAME_BYTES: usize = 128 * 1024;

/// How much of a reply may be messages, which leaves room for the envelope in a frame that API
/// Gateway carries.
pub const MAX_REPLY_BYTES: usize = 120 * 1024;

/// The size of a history page, the default and the maximum.
pub const PAGE_SIZE: usize = 15;

/// The most messages of a range. A range fills a gap, and a long gap is filled with few frames.
pub const RANGE_SIZE: usize = 100;

const MAX_NAME_BYTES: usize = 64;

/// A request as far as it could be read. Even the worst frame gets an answer that names what it
/// named.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What it is called.
    pub envelope: Envelope,
    data: Result<Value>,
}

/// What a request and its reply are called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Envelope {
    /// The action, empty when there was none.
    pub action: String,
    /// The client's name for this request, to be repeated in the reply.
    pub request_id: Option<String>,
}

impl Request {
    /// Reads a frame.
    pub fn parse(frame: &str) -> Self {
        if frame.len() > MAX_FRAME_BYTES {
            return Self::unreadable("it is larger than 128 KB");
        }
        // Of serde's error only the place is told: it may quote what somebody wrote.
        match serde_json::from_str(frame) {
            Ok(Value::Object(members)) => Self::read(members),
            Ok(_) => Self::unreadable("it is not a JSON object"),
            Err(error) => Self::unreadable(&format!(
                "it is not valid JSON at line {}, column {}",
                error.line(),
                error.column()
            )),
        }
    }

    fn unreadable(why: &str) -> Self {
        Self { envelope: Envelope::default(), data: Err(Error::MalformedRequest(why.to_owned())) }
    }

    fn read(mut members: Map<String, Value>) -> Self {
        let mut data = Ok(members.remove("data").unwrap_or_else(|| Value::Object(Map::new())));
        let request_id = match members.remove("requestID") {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) if id.len() <= MAX_NAME_BYTES => Some(id),
            Some(_) => {
                data = Err(Error::BadRequest("`requestID` must be a text of at most 64 bytes".to_owned()));
                None
            }
        };
        let action = match members.remove("action") {
            Some(Value::String(action)) if action.len() <= MAX_NAME_BYTES => action,
            _ => {
                data =
                    Err(Error::BadRequest("`action` must be a text, `sendMessage` for example".to_owned()));
                String::new()
            }
        };
        Self { envelope: Envelope { action, request_id }, data }
    }

    /// The data of the request as the action's type.
    ///
    /// # Errors
    /// What was wrong with the frame, or with a field.
    pub fn data<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        let data = self.data.as_ref().map_err(Clone::clone)?;
        if !data.is_object() {
            return Err(Error::BadRequest("`data` must be an object".to_owned()));
        }
        T::deserialize(data).map_err(|error| {
            let mut text = format!("`data` does not fit {}: {error}", self.envelope.action);
            if let Some((end, _)) = text.char_indices().nth(200) {
                text.truncate(end);
            }
            Error::BadRequest(text)
        })
    }
}

impl Envelope {
    /// The reply to a request of this name, as the text of a frame.
    pub fn reply(&self, outcome: Result<Value>) -> String {
        let (code, message, data) = match outcome {
            Ok(data) => (0, String::new(), data),
            Err(error) => (error.code(), error.to_string(), error.data()),
        };
        let request_id = self.request_id.as_deref().unwrap_or_default();
        to_text(&Reply { action: &self.action, request_id, code, message, data })
    }
}

#[derive(Serialize)]
struct Reply<'a> {
    action: &'a str,
    #[serde(rename = "requestID")]
    request_id: &'a str,
    code: i32,
    message: String,
    data: Value,
}

/// The data of an action that takes none.
#[derive(Debug, Deserialize)]
pub struct NoData {}

/// `sendMessage`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendMessage {
    to: String,
    conversation_type: String,
    #[serde(rename = "clientID")]
    client_id: String,
    base: Option<u64>,
    #[serde(rename = "type")]
    kind: String,
    payload: Value,
    cloud_custom_data: Option<String>,
}

impl SendMessage {
    /// The conversation, the message, and the last message that the sender had seen when he first
    /// composed it.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, me: &UserId) -> Result<(Pair, Draft, Option<Seq>)> {
        only_c2c(&self.conversation_type)?;
        let pair = Pair::of(me, &UserId::parse("to", &self.to)?)?;
        let draft = Draft {
            client_id: ClientId::parse(&self.client_id)?,
            from: pair.mine(),
            elem: Elem::parse(&self.kind, self.payload, self.cloud_custom_data)?,
        };
        Ok((pair, draft, self.base.map(Seq)))
    }
}

fn only_c2c(conversation_type: &str) -> Result<()> {
    if conversation_type == "C2C" {
        Ok(())
    } else {
        Err(Error::BadRequest("`conversationType` must be C2C: groups are not served yet".to_owned()))
    }
}

/// `getMessageList`: either a page of history going back, or a range to fill a gap.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetMessageList {
    #[serde(rename = "conversationID")]
    conversation_id: String,
    #[serde(rename = "nextReqMessageID")]
    next_req_message_id: Option<String>,
    count: Option<i64>,
    from_sequence: Option<u64>,
    to_sequence: Option<u64>,
}

/// Which part of the history is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// The newest messages before this one.
    Before(Seq),
    /// All from this one to that one, oldest first.
    Range(Seq, Seq),
}

impl GetMessageList {
    /// The conversation, the span, and the most messages that the reply may hold.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, me: &UserId) -> Result<(Pair, Span, usize)> {
        let pair = Pair::parse(me, &self.conversation_id)?;
        let (span, at_most) = match (self.next_req_message_id.as_deref(), self.from_sequence) {
            (None | Some(""), None) => (Span::Before(Seq(u64::MAX)), PAGE_SIZE),
            (Some(next), None) => {
                let next = next.parse().map_err(|_| {
                    Error::BadRequest("`nextReqMessageID` must be the one of the previous page".to_owned())
                })?;
                (Span::Before(Seq(next)), PAGE_SIZE)
            }
            (None | Some(""), Some(from)) => {
                let to = self.to_sequence.unwrap_or(u64::MAX);
                if from > to {
                    return Err(Error::BadRequest(
                        "`fromSequence` must not be behind `toSequence`".to_owned(),
                    ));
                }
                (Span::Range(Seq(from.max(1)), Seq(to)), RANGE_SIZE)
            }
            (Some(_), Some(_)) => {
                return Err(Error::BadRequest(
                    "ask either for a page (`nextReqMessageID`) or for a range (`fromSequence`)".to_owned(),
                ));
            }
        };
        // Anything that is not a number from 1 to 15 means 15, as in the official SDK.
        let count = self
            .count
            .and_then(|count| usize::try_from(count).ok())
            .filter(|count| (1..=at_most).contains(count))
            .unwrap_or(at_most);
        Ok((pair, span, count))
    }
}

/// `setMessageRead`.
#[derive(Debug, Deserialize)]
pub struct SetMessageRead {
    #[serde(rename = "conversationID")]
    conversation_id: String,
    sequence: Option<u64>,
}

impl SetMessageRead {
    /// The conversation, and how far it has been read: to its end when nothing is said.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, me: &UserId) -> Result<(Pair, Option<Seq>)> {
        Ok((Pair::parse(me, &self.conversation_id)?, self.sequence.map(Seq)))
    }
}

/// `getConversationList`.
#[derive(Debug, Deserialize)]
pub struct GetConversationList {
    /// Where the previous part ended, if that was not the end.
    #[serde(rename = "nextReqConversationID")]
    next_req_conversation_id: Option<String>,
}

impl GetConversationList {
    /// The peer after whom to go on.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, me: &UserId) -> Result<Option<UserId>> {
        match self.next_req_conversation_id.as_deref() {
            None | Some("") => Ok(None),
            Some(id) => Ok(Some(Pair::parse(me, id)?.peer().clone())),
        }
    }
}

/// A message on the wire, the same for both users.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WireMessage<'a> {
    from: &'a UserId,
    to: &'a UserId,
    conversation_type: &'static str,
    #[serde(rename = "clientID")]
    client_id: &'a ClientId,
    sequence: Seq,
    /// Seconds, as everywhere in Tencent's API.
    time: u64,
    #[serde(rename = "type")]
    kind: &'a str,
    payload: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "str::is_empty")]
    cloud_custom_data: &'a str,
}

impl<'a> WireMessage<'a> {
    /// The message as clients see it.
    pub fn new(pair: &'a Pair, message: &'a Message) -> Self {
        Self {
            from: pair.user(message.from),
            to: pair.user(message.from.other()),
            conversation_type: "C2C",
            client_id: &message.client_id,
            sequence: message.seq,
            time: message.time / 1000,
            kind: message.elem.kind(),
            payload: message.elem.payload(),
            cloud_custom_data: message.elem.custom_data(),
        }
    }

    /// How many bytes of a frame it takes.
    pub fn size(&self) -> usize {
        to_text(self).len()
    }
}

/// A conversation in the list.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WireConversation<'a> {
    /// `C2C` and the peer.
    #[serde(rename = "conversationID")]
    pub conversation_id: String,
    /// Always `C2C` for now.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The peer's messages behind the user's read position.
    pub unread_count: u64,
    /// The newest message.
    pub last_message: WireMessage<'a>,
    /// How far the user has read.
    pub read_sequence: Seq,
    /// How far the peer has read.
    pub peer_read_sequence: Seq,
    /// The time of the message up to which the peer has read, in seconds.
    pub peer_read_time: u64,
}

/// A frame that nobody asked for. The names are the official SDK's event values.
#[derive(Debug, Serialize)]
#[serde(tag = "event", content = "data")]
pub enum Push<'a> {
    /// Messages have come in, from the peer or from another device of the user.
    #[serde(rename = "onMessageReceived")]
    MessageReceived([WireMessage<'a>; 1]),
    /// The peer has read.
    #[serde(rename = "onMessageReadByPeer")]
    MessageReadByPeer(ReadByPeer),
    /// Another device of the user has changed a conversation.
    #[serde(rename = "onConversationListUpdated")]
    ConversationListUpdated([ConversationUpdate; 1]),
    /// This connection ends because another one has taken its place.
    #[serde(rename = "kickedOut")]
    KickedOut {
        /// Why.
        #[serde(rename = "type")]
        kind: KickedOut,
    },
}

/// How far the peer has read.
#[derive(Debug, Serialize)]
pub struct ReadByPeer {
    /// The conversation in the eyes of the one who is told.
    #[serde(rename = "conversationID")]
    pub conversation_id: String,
    /// The last message that the peer has read.
    pub sequence: Seq,
    /// That message's time, in seconds.
    pub time: u64,
}

/// What another device has changed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConversationUpdate {
    /// The conversation.
    #[serde(rename = "conversationID")]
    pub conversation_id: String,
    /// How far the user has read.
    pub read_sequence: Seq,
    /// What is left unread.
    pub unread_count: u64,
}

/// Why a connection is kicked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum KickedOut {
    /// The same account on the same kind of device, elsewhere.
    #[serde(rename = "multipleAccount")]
    MultipleAccount,
    /// The same account on another kind of device.
    #[serde(rename = "multipleDevice")]
    MultipleDevice,
}

impl Push<'_> {
    /// The text of the frame.
    pub fn frame(&self) -> String {
        to_text(self)
    }
}

/// What the peer of a reader is told.
pub fn read_by_peer(pair: &Pair, reader: Side, sequence: Seq, time_ms: u64) -> Push<'static> {
    Push::MessageReadByPeer(ReadByPeer {
        conversation_id: pair.conversation_id(reader.other()),
        sequence,
        time: time_ms / 1000,
    })
}

/// Structs of texts and numbers always serialize.
fn to_text<T: Serialize>(frame: &T) -> String {
    serde_json::to_string(frame).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn code<T: std::fmt::Debug>(result: Result<T>) -> i32 {
        result.unwrap_err().code()
    }

    #[test]
    fn a_frame_that_is_no_request_still_gets_a_reply() {
        for (frame, expected) in [
            ("", 60003),
            ("hello", 60003),
            ("[]", 60003),
            (r#"{"action":"x","data":"\ud800"}"#, 60003),
            (&"[".repeat(10_000), 60003),
            (&" ".repeat(MAX_FRAME_BYTES + 1), 60003),
            (r#"{"action":5}"#, 70402),
            (r#"{"action":"x","requestID":5}"#, 70402),
            (r#"{"action":"x","data":[]}"#, 70402),
        ] {
            let request = Request::parse(frame);
            let error = request.data::<Value>().unwrap_err();
            assert_eq!(error.code(), expected, "{frame:.40}");
            let reply: Value = serde_json::from_str(&request.envelope.reply(Err(error))).unwrap();
            assert_eq!(reply.get("code"), Some(&json!(expected)));
        }
    }

    #[test]
    fn a_reply_repeats_what_the_request_was_called() {
        let request = Request::parse(r#"{"action":"login","requestID":"7"}"#);
        assert_eq!(
            request.envelope.reply(Ok(json!({ "userID": "alice" }))),
            r#"{"action":"login","requestID":"7","code":0,"message":"","data":{"userID":"alice"}}"#
        );
    }

    #[test]
    fn a_count_that_is_none_means_15() {
        let me = UserId::parse("me", "alice").unwrap();
        for (count, expected) in
            [(json!(null), 15), (json!(0), 15), (json!(-3), 15), (json!(16), 15), (json!(7), 7)]
        {
            let data = json!({ "conversationID": "C2Cbob", "nextReqMessageID": "", "count": count });
            let list: GetMessageList = serde_json::from_value(data).unwrap();
            let (_, span, count) = list.parse(&me).unwrap();
            assert_eq!((span, count), (Span::Before(Seq(u64::MAX)), expected));
        }
    }

    #[test]
    fn a_page_and_a_range_exclude_each_other() {
        let me = UserId::parse("me", "alice").unwrap();
        let parse = |data: Value| serde_json::from_value::<GetMessageList>(data).unwrap().parse(&me);
        let range = parse(json!({ "conversationID": "C2Cbob", "fromSequence": 3, "toSequence": 9 })).unwrap();
        assert_eq!(range.1, Span::Range(Seq(3), Seq(9)));
        for bad in [
            json!({ "conversationID": "C2Cbob", "fromSequence": 9, "toSequence": 3 }),
            json!({ "conversationID": "C2Cbob", "fromSequence": 1, "nextReqMessageID": "5" }),
            json!({ "conversationID": "C2Cbob", "nextReqMessageID": "x" }),
            json!({ "conversationID": "GROUPbob" }),
        ] {
            assert_eq!(code(parse(bad)), 70402);
        }
    }

    proptest! {
        #[test]
        fn no_frame_panics(frame in ".{0,200}", data in "\\PC{0,80}") {
            let _ = Request::parse(&frame).data::<SendMessage>();
            let wrapped = json!({ "action": data, "requestID": data, "data": { "to": data, "payload": data } });
            let _ = Request::parse(&wrapped.to_string()).data::<SendMessage>();
        }
    }
}
