//! What is told of messages when it has happened.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Call, Command, REST_API, UNKNOWN, to_text};
use crate::{
    model::{Message, Pair, UserId},
    rest::{MsgElement, MsgKey},
};

/// What both callbacks about a send say of the message.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Said<'a> {
    #[serde(rename = "From_Account")]
    from: &'a UserId,
    #[serde(rename = "To_Account")]
    to: &'a UserId,
    msg_seq: u64,
    msg_random: u32,
    msg_time: u64,
    msg_key: MsgKey,
    online_only_flag: u8,
    msg_body: [MsgElement; 1],
    cloud_custom_data: &'a str,
}

impl<'a> Said<'a> {
    pub fn of(pair: &'a Pair, message: &'a Message) -> Self {
        let key = MsgKey::of(message);
        Self {
            from: &message.from,
            to: pair.user(pair.side_of(&message.from).other()),
            msg_seq: key.seq,
            msg_random: key.random,
            msg_time: key.second,
            msg_key: key,
            online_only_flag: u8::from(message.is_online_only()),
            msg_body: MsgElement::of(&message.elem),
            cloud_custom_data: message.elem.custom_data(),
        }
    }
}

/// What is known of the other user when a message has been sent to them.
#[derive(Debug, Clone, Copy)]
pub struct Receiver {
    /// How many messages of this conversation they have not read.
    pub unread: u64,
    /// They have a connection.
    pub is_online: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Sent<'a> {
    callback_command: &'static str,
    #[serde(flatten)]
    said: Said<'a>,
    send_msg_result: u8,
    error_info: &'static str,
    unread_msg_num: u64,
    event_time: u64,
    #[serde(rename = "To_Online")]
    to_online: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    offline_push_info: Option<Box<RawValue>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Read<'a> {
    callback_command: &'static str,
    #[serde(rename = "Report_Account")]
    reader: &'a UserId,
    #[serde(rename = "Peer_Account")]
    peer: &'a UserId,
    last_read_time: u64,
    unread_msg_num: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Recalled<'a> {
    callback_command: &'static str,
    #[serde(rename = "From_Account")]
    from: &'a UserId,
    #[serde(rename = "To_Account")]
    to: &'a UserId,
    msg_key: MsgKey,
    unread_msg_num: u64,
}

/// This message was sent.
pub fn after_send(pair: &Pair, message: &Message, receiver: Receiver) -> Call {
    let command = Command::AfterSend;
    let push_info = message.callbacks.push_info.as_ref();
    let body = to_text(&Sent {
        callback_command: command.name(),
        said: Said::of(pair, message),
        send_msg_result: 0,
        error_info: "send msg succeed",
        unread_msg_num: receiver.unread,
        event_time: message.time,
        to_online: u8::from(receiver.is_online),
        offline_push_info: push_info.and_then(|info| RawValue::from_string(info.as_str().to_owned()).ok()),
    });
    Call { command, platform: platform_of(message), body }
}

/// The pair's user has read up to a message of that time, in milliseconds, and has not read so many.
pub fn after_read(pair: &Pair, time: u64, unread: u64) -> Call {
    let command = Command::AfterRead;
    let body = to_text(&Read {
        callback_command: command.name(),
        reader: pair.me(),
        peer: pair.peer(),
        last_read_time: time / 1000,
        unread_msg_num: unread,
    });
    Call { command, platform: UNKNOWN, body }
}

/// This message was recalled, and the other user has not read so many.
pub fn after_recall(pair: &Pair, message: &Message, unread: u64) -> Call {
    let command = Command::AfterRecall;
    let body = to_text(&Recalled {
        callback_command: command.name(),
        from: &message.from,
        to: pair.user(pair.side_of(&message.from).other()),
        msg_key: MsgKey::of(message),
        unread_msg_num: unread,
    });
    Call { command, platform: UNKNOWN, body }
}

/// The kind of device that a message came from. A business server has none.
pub(super) fn platform_of(message: &Message) -> &'static str {
    message.callbacks.platform.map_or(REST_API, |platform| platform.as_str())
}
