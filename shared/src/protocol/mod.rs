//! The frames on the socket: requests in, replies and pushes out. `docs/protocol.md` shows each of
//! them, and a test holds the two together. The client has the same types in TypeScript, generated
//! from these.
//!
//! **Architecture invariant:** the wire type, the model and the table row are three types. What
//! the client sees changes here and nowhere else.
//!
//! # Layout
//!
//! The envelope is here, the list of all actions in `actions.rs`, and the rest by topic: messages,
//! conversations, users, the login, media, pushes.

mod actions;
mod conversation;
mod group;
mod login;
mod media;
mod message;
mod push;
#[cfg(test)]
mod typescript;
mod unreadable;
mod user;

pub use actions::*;
pub use conversation::*;
pub use group::*;
pub use login::*;
pub use media::*;
pub use message::*;
pub use push::*;
pub use user::*;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{
    Map, Value,
    value::{RawValue, to_raw_value},
};

use crate::{Error, Result, decode::decode, gateway};
use unreadable::MAX_NAME_BYTES;

/// How much of a reply may be messages, in bytes: the rest of a payload is room for the envelope.
pub const MAX_REPLY_BYTES: usize = gateway::MAX_PAYLOAD_BYTES - 8 * 1024;

/// The size of a history page, the default and the maximum.
pub const PAGE_SIZE: usize = 15;

/// The most messages of a range. A range fills a gap, and a long gap is filled with few frames.
pub const RANGE_SIZE: usize = 100;

/// A request as far as it could be read. Even the worst frame gets an answer that names what it
/// named.
#[derive(Debug, Clone)]
pub struct Request {
    /// What it is called.
    pub envelope: Envelope,
    data: Result<Box<RawValue>>,
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
    /// Reads a frame, which should be text in UTF-8.
    pub fn parse(frame: &[u8]) -> Self {
        if frame.len() > gateway::MAX_PAYLOAD_BYTES {
            let why = format!("it is larger than {} KB", gateway::MAX_PAYLOAD_BYTES / 1024);
            return Self::unreadable(frame, &why);
        }
        match serde_json::from_slice(frame) {
            Ok(Value::Object(members)) => Self::read(members, data_of(frame)),
            Ok(_) => Self::unreadable(frame, "it is not a JSON object"),
            Err(error) => Self::unreadable(frame, &unreadable::why(&error)),
        }
    }

    /// What cannot be read is answered by its name all the same, if that can be: a client that waits
    /// for the answer holds back what comes behind.
    fn unreadable(frame: &[u8], why: &str) -> Self {
        let (action, request_id) = unreadable::names(frame);
        let envelope = Envelope { action: action.unwrap_or_default(), request_id };
        Self { envelope, data: Err(Error::MalformedRequest(why.to_owned())) }
    }

    fn read(mut members: Map<String, Value>, data: Box<RawValue>) -> Self {
        let mut data = Ok(data);
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
        let data = self.data.as_ref().map_err(Clone::clone)?.get();
        if !data.starts_with('{') {
            return Err(Error::BadRequest("`data` must be an object".to_owned()));
        }
        decode(data, "`data`", &self.envelope.action).map_err(Error::BadRequest)
    }
}

/// The data of a frame that has been read once, as it was written: no number in it has changed yet.
fn data_of(frame: &[u8]) -> Box<RawValue> {
    let members: HashMap<String, &RawValue> = serde_json::from_slice(frame).unwrap_or_default();
    members.get("data").map_or_else(|| to_raw(&NoData {}), |data| (*data).to_owned())
}

impl Envelope {
    /// The reply to a request of this name, as the text of a frame.
    pub fn reply(&self, outcome: Result<Box<RawValue>>) -> String {
        let (code, message, data) = match outcome {
            Ok(data) => (0, String::new(), data),
            Err(error) => (error.code(), error.to_string(), to_raw(&error.data())),
        };
        let request_id = self.request_id.as_deref().unwrap_or_default();
        to_text(&Reply { action: &self.action, request_id, code, message, data })
    }
}

/// The frame of a reply.
#[derive(Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
struct Reply<'a> {
    action: &'a str,
    #[serde(rename = "requestID")]
    request_id: &'a str,
    /// 0, or what was refused.
    code: i32,
    /// What to do about it, empty when the code is 0.
    message: String,
    #[cfg_attr(test, ts(type = "object"))]
    data: Box<RawValue>,
}

/// The data of an action or of a reply that has none.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(type = "Record<string, never>"))]
pub struct NoData {}

/// The data of a reply as JSON. Structs of texts and numbers always serialize.
pub fn to_raw<T: Serialize>(data: &T) -> Box<RawValue> {
    to_raw_value(data).unwrap_or_else(|_| RawValue::NULL.to_owned())
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

    #[test]
    fn a_frame_that_is_no_request_still_gets_a_reply() {
        for (frame, expected) in [
            ("", 60003),
            ("hello", 60003),
            ("[]", 60003),
            (r#"{"action":"x","data":"\ud800"}"#, 60003),
            (&"[".repeat(10_000), 60003),
            (&" ".repeat(gateway::MAX_PAYLOAD_BYTES + 1), 60003),
            (r#"{"action":5}"#, 70402),
            (r#"{"action":"x","requestID":5}"#, 70402),
            (r#"{"action":"x","data":[]}"#, 70402),
        ] {
            let request = Request::parse(frame.as_bytes());
            let error = request.data::<Value>().unwrap_err();
            assert_eq!(error.code(), expected, "{frame:.40}");
            let reply: Value = serde_json::from_str(&request.envelope.reply(Err(error))).unwrap();
            assert_eq!(reply.get("code"), Some(&json!(expected)));
        }
    }

    #[test]
    fn a_reply_repeats_what_the_request_was_called() {
        let request = Request::parse(br#"{"action":"login","requestID":"7"}"#);
        assert_eq!(
            request.envelope.reply(Ok(to_raw(&json!({ "userID": "alice" })))),
            r#"{"action":"login","requestID":"7","code":0,"message":"","data":{"userID":"alice"}}"#
        );
    }

    #[test]
    fn an_unreadable_frame_is_answered_by_its_name_with_a_text_that_says_what_is_wrong() {
        let deep = format!(r#"{{"requestID":"7","data":{}"#, "[".repeat(20_000));
        for (frame, name, why) in [
            (&br#"{"action":"sendMessage","requestID":"7","data":{"text":"\ud83d"}}"#[..], "7", "half"),
            (br#"{"data":{"text":"\ude00 \ud83d\ude00"},"requestID":"7"}"#, "7", "half"),
            (br#"{"\ud83d":1,"requestID":"7"}"#, "7", "half"),
            (br#"{"requestID":"\ud83d"}"#, "", "half"),
            (br#"{"action":"\ud83d","requestID":"7"}"#, "7", "half"),
            (b"{\"requestID\":\"7\",\"data\":{\"text\":\"\xff\xfe\"}}", "7", "UTF-8"),
            (b"{\"requestID\":\"\xff\"}", "", "UTF-8"),
            (deep.as_bytes(), "7", "deep"),
            (br#"{"data":{"base":1e999},"requestID":"7"}"#, "7", "number"),
            (br#"{"requestID":"6","data":{"base":1e999},"requestID":"7"}"#, "7", "number"),
            (br#"{"requestID":"7","data":{"text":"cut off"#, "7", "column"),
            (br#"{"requestID":"7"} {"requestID":"8"}"#, "7", "column"),
            (br#"{"data":{"requestID":"8"},x"#, "", "column"),
            (br#"{"requestID":7,"data":{"base":1e999}}"#, "", "number"),
            (br#"["requestID","7"]"#, "", "object"),
        ] {
            let frame_text = String::from_utf8_lossy(frame);
            let request = Request::parse(frame);
            let error = request.data::<Value>().unwrap_err();
            assert_eq!(error.code(), 60003, "{frame_text:.80}");
            assert!(error.to_string().contains(why), "{frame_text:.80}: {error}");
            let reply: Value = serde_json::from_str(&request.envelope.reply(Err(error))).unwrap();
            assert_eq!(reply.get("requestID"), Some(&json!(name)), "{frame_text:.80}");
        }
    }

    #[test]
    fn of_two_fields_of_a_name_the_last_one_counts() {
        let request = Request::parse(
            br#"{"action":"x","requestID":"6","data":{"nick":"a","nick":"b"},"requestID":"7"}"#,
        );
        assert_eq!(request.envelope.request_id.as_deref(), Some("7"));
        assert_eq!(request.data::<Value>(), Ok(json!({ "nick": "b" })));
    }

    proptest! {
        #[test]
        fn no_frame_panics(frame in ".{0,200}", data in "\\PC{0,80}") {
            let _ = Request::parse(frame.as_bytes()).data::<SendMessage>();
            let cut = r#"{"action":"x","requestID":"7","data":"#.to_owned() + &frame;
            let _ = Request::parse(cut.as_bytes()).data::<SendMessage>();
            let wrapped = json!({ "action": data, "requestID": data, "data": { "to": data, "payload": data } });
            let _ = Request::parse(wrapped.to_string().as_bytes()).data::<SendMessage>();
        }
    }

    #[test]
    fn a_frame_of_128_kb_is_read_and_one_byte_more_is_not() {
        let around = r#"{"action":"x","data":{"text":""}}"#.len();
        let read = |bytes: usize| {
            let frame = format!(r#"{{"action":"x","data":{{"text":"{}"}}}}"#, "x".repeat(bytes - around));
            assert_eq!(frame.len(), bytes);
            Request::parse(frame.as_bytes()).data::<Value>()
        };
        assert!(read(131_072).is_ok());
        assert_eq!(read(131_073), Err(Error::MalformedRequest("it is larger than 128 KB".to_owned())));
    }

    #[test]
    fn what_a_reply_may_hold_and_the_longest_envelope_fit_into_a_frame() {
        // Each byte of a name may be written as six: \u0001.
        let name = "\u{1}".repeat(MAX_NAME_BYTES);
        let envelope = Envelope { action: name.clone(), request_id: Some(name) };
        let data = json!({ "messageList": "x".repeat(MAX_REPLY_BYTES), "nextReqMessageID": "9".repeat(32) });
        let reply = envelope.reply(Ok(to_raw(&data)));
        assert!((122_880..131_072).contains(&reply.len()), "{}", reply.len());
    }

    #[test]
    fn a_name_of_64_bytes_is_taken_and_one_byte_more_is_not() {
        let (longest, too_long) = ("x".repeat(64), "x".repeat(65));
        let named = |action: &str, id: &str| {
            let request = Request::parse(format!(r#"{{"action":"{action}","requestID":"{id}"}}"#).as_bytes());
            let why = request.data::<Value>().err().map(|error| error.to_string()).unwrap_or_default();
            let field = ["`action`", "`requestID`"].into_iter().find(|field| why.contains(field));
            (request.envelope.action, request.envelope.request_id.unwrap_or_default(), field)
        };
        assert_eq!(named(&longest, &longest), (longest.clone(), longest.clone(), None));
        assert_eq!(named(&too_long, "7"), (String::new(), "7".to_owned(), Some("`action`")));
        assert_eq!(named("x", &too_long), ("x".to_owned(), String::new(), Some("`requestID`")));

        // The same goes for a frame that cannot be read.
        let unreadable = |id: &str| {
            Request::parse(format!(r#"{{"action":"{id}","requestID":"{id}",x"#).as_bytes()).envelope
        };
        assert_eq!(unreadable(&longest), Envelope { action: longest.clone(), request_id: Some(longest) });
        assert_eq!(unreadable(&too_long), Envelope::default());
    }

    #[test]
    fn what_does_not_fit_is_named_and_nothing_is_said_of_a_place_that_nobody_can_look_at() {
        let why = |data: &str| {
            let frame = format!(r#"{{"action":"setMessageRead","data":{data}}}"#);
            Request::parse(frame.as_bytes()).data::<SetMessageRead>().unwrap_err().to_string()
        };
        assert_eq!(
            why(r#"{"conversationID":7}"#),
            "`conversationID` does not fit setMessageRead: invalid type: integer `7`, expected a string"
        );
        assert_eq!(why("{}"), "`data` does not fit setMessageRead: missing field `conversationID`");
        assert_eq!(why("[]"), "`data` must be an object");
    }
}
