//! What a business server is asked and told: Tencent's callbacks. `docs/callbacks.md` shows each, and a test holds the two
//! together.
//!
//! # Layout
//!
//! `target.rs`: where it is, and how a call is signed. `before.rs`: what is asked before a message is sent, and what the answer
//! means. `after.rs`: what is told of messages. `group.rs`: what is asked and told of groups. `state.rs`: what is told of users who come and
//! go.

mod after;
mod before;
mod group;
mod state;
mod target;

use serde::Serialize;

pub use after::{Receiver, after_read, after_recall, after_send};
pub use before::{Answer, Asked, answer, before_send, permission};
pub use group::{
    after_create, after_describe, after_dismiss, after_full, after_move, after_recall_in_group,
    after_send_in_group, before_apply, before_create, before_invite, before_send_in_group,
};
pub use state::{End, StateChange};
pub use target::{CallbackUrl, Token};

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// A message is to be sent. The answers to those that begin so count, and to no others.
    BeforeSend,
    /// The same in a group.
    BeforeSendInGroup,
    /// A group is to be made.
    BeforeCreate,
    /// A user wants to come into a group.
    BeforeApply,
    /// Users are to be brought into a group.
    BeforeInvite,
    /// A message was sent.
    AfterSend,
    /// A user has read.
    AfterRead,
    /// A message was recalled.
    AfterRecall,
    /// A message was sent in a group.
    AfterSendInGroup,
    /// One of a group was recalled.
    AfterRecallInGroup,
    /// A group was made.
    AfterCreate,
    /// Members have come.
    AfterJoin,
    /// Members have gone.
    AfterExit,
    /// A group is full.
    AfterFull,
    /// A group says something else about itself.
    AfterDescribe,
    /// A group was dismissed.
    AfterDismiss,
    /// A user has come or gone.
    Presence,
}

impl Command {
    /// `CallbackCommand`.
    pub fn name(self) -> &'static str {
        match self {
            Self::BeforeSend => "C2C.CallbackBeforeSendMsg",
            Self::BeforeSendInGroup => "Group.CallbackBeforeSendMsg",
            Self::BeforeCreate => "Group.CallbackBeforeCreateGroup",
            Self::BeforeApply => "Group.CallbackBeforeApplyJoinGroup",
            Self::BeforeInvite => "Group.CallbackBeforeInviteJoinGroup",
            Self::AfterSendInGroup => "Group.CallbackAfterSendMsg",
            Self::AfterRecallInGroup => "Group.CallbackAfterRecallMsg",
            Self::AfterCreate => "Group.CallbackAfterCreateGroup",
            Self::AfterJoin => "Group.CallbackAfterNewMemberJoin",
            Self::AfterExit => "Group.CallbackAfterMemberExit",
            Self::AfterFull => "Group.CallbackAfterGroupFull",
            Self::AfterDescribe => "Group.CallbackAfterGroupInfoChanged",
            Self::AfterDismiss => "Group.CallbackAfterGroupDestroyed",
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
