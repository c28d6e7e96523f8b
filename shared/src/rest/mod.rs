//! What a business server asks for and is answered: Tencent's server API, as its libraries speak it. `docs/rest.md` shows
//! each command, and a test holds the two together.
//!
//! These libraries differ in nearly everything that the documents leave open: the case and the order of the names in the
//! query, content types, old and new names of members, numbers as texts. Whatever one of them sends is read here.
//!
//! # Layout
//!
//! `commands.rs` has the list of all commands, `request.rs` the URL and the body, `said.rs` and `number.rs` what
//! may be missing in it and its numbers, `error.rs` what is refused, and with which code. The rest is by service, and `groups/` by
//! what is done with them.

mod accounts;
mod blacklist;
mod commands;
mod contacts;
mod error;
mod groups;
mod messages;
mod msg_body;
mod msg_key;
mod number;
mod profile;
mod request;
mod said;
mod speech;
mod status;

pub use accounts::*;
pub use blacklist::*;
pub use commands::{Command, Service};
pub use contacts::*;
pub use error::{Error, Result};
pub use groups::*;
pub use messages::*;
pub use msg_body::MsgElement;
pub use msg_key::MsgKey;
pub use number::Number;
pub use profile::*;
pub use request::{Body, MAX_BODY_BYTES, Query, parse_path};
pub use said::Said;
pub use speech::*;
pub use status::*;

use serde::Serialize;

/// What every answer has.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope<'a, T> {
    action_status: &'static str,
    error_info: &'a str,
    error_code: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_display: Option<&'static str>,
    #[serde(flatten)]
    data: &'a T,
}

/// An answer without data.
#[derive(Debug, Serialize)]
pub struct Done {}

/// The answer to a command that was done, as JSON.
pub fn done<T: Serialize>(command: Command, data: &T) -> String {
    to_text(&Envelope {
        action_status: "OK",
        error_info: "",
        error_code: 0,
        error_display: error_display(Some(command)),
        data,
    })
}

/// The answer to one that was refused or failed, as JSON. Nobody knows the command if there is none of its name.
pub fn refused(command: Option<Command>, error: &Error) -> String {
    to_text(&Envelope {
        action_status: "FAIL",
        error_info: &error.to_string(),
        error_code: error.code(command),
        error_display: error_display(command),
        data: &Done {},
    })
}

/// Some services have one member more, which is always empty.
fn error_display(command: Option<Command>) -> Option<&'static str> {
    command?.service().has_error_display().then_some("")
}

/// Structs of texts and numbers always serialize.
fn to_text<T: Serialize>(answer: &T) -> String {
    serde_json::to_string(answer).unwrap_or_default()
}
