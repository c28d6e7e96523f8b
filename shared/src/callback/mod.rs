//! What a business server is asked and told: Tencent's callbacks. `docs/callbacks.md` shows each, and a test holds the two
//! together.
//!
//! # Layout
//!
//! `target.rs`: where it is, and how a call is signed. `before.rs`: what is asked before a message is sent, and what the answer
//! means. `after.rs`: what is told of messages. `state.rs`: what is told of users who come and go.

mod after;
mod before;
mod state;
mod target;

use serde::Serialize;

pub use after::{Receiver, after_read, after_recall, after_send};
pub use before::{Answer, answer, before_send};
pub use state::{End, StateChange};
pub use target::{CallbackUrl, Token};

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// A message is to be sent: the only one whose answer counts.
    BeforeSend,
    /// A message was sent.
    AfterSend,
    /// A user has read.
    AfterRead,
    /// A message was recalled.
    AfterRecall,
    /// A user has come or gone.
    Presence,
}

impl Command {
    /// `CallbackCommand`.
    pub fn name(self) -> &'static str {
        match self {
            Self::BeforeSend => "C2C.CallbackBeforeSendMsg",
            Self::AfterSend => "C2C.CallbackAfterSendMsg",
            Self::AfterRead => "C2C.CallbackAfterMsgReport",
            Self::AfterRecall => "C2C.CallbackAfterMsgWithDraw",
            Self::Presence => "State.StateChange",
        }
    }
}

/// What is called, from which kind of device its cause came, and what is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What.
    pub command: Command,
    /// `OptPlatform`.
    pub platform: &'static str,
    /// The body, as JSON.
    pub body: String,
}

fn to_text<T: Serialize + ?Sized>(body: &T) -> String {
    // Structs of texts and numbers always serialize.
    serde_json::to_string(body).unwrap_or_default()
}

/// Whose kind of device is not known.
const UNKNOWN: &str = "Unknown";

/// What no device has done.
const REST_API: &str = "RESTAPI";
