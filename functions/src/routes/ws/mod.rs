//! The routes of the WebSocket API: one file for each function, all of one shape.
//!
//! ```ignore
//! pub async fn handle(world: &World, event: Event) -> Result<Reply>
//! ```
//!
//! What a function serves is in [the list of actions](macro@hongyan_shared::actions). One that serves several hands
//! each event to the one that it names. CONTRIBUTING.md shows how to add one.

pub mod connect;
pub mod default;
pub mod disconnect;
pub mod get_conversation_list;
pub mod get_message_list;
pub mod get_upload_form;
pub mod logout;
pub mod manage_conversation;
pub mod manage_group;
pub mod manage_user;
pub mod send_message;
pub mod set_message_read;

use hongyan_shared::protocol::{Request, to_raw};
use serde_json::value::RawValue;

use crate::caller::Caller;

/// What a route is told.
#[derive(Debug, Clone)]
pub struct Event {
    /// The route key: `$connect`, `sendMessage` and so on.
    pub route: String,
    /// Who asks.
    pub caller: Caller,
    /// What they ask for.
    pub request: Request,
}

/// What a route answers.
#[derive(Debug, Clone)]
pub enum Reply {
    /// The data of the reply.
    Data(Box<RawValue>),
    /// The data of a reply behind which the connection ends.
    Last(Box<RawValue>),
    /// Nothing: the caller did not ask for an answer, and a frame costs money. On a route that is not
    /// one-way, API Gateway would make an empty frame of it.
    Silence,
}

impl Reply {
    /// Replies with a type of the protocol.
    pub fn data<T: serde::Serialize>(data: &T) -> Self {
        Self::Data(to_raw(data))
    }

    /// As [`Reply::data`], and ends the connection.
    pub fn last<T: serde::Serialize>(data: &T) -> Self {
        Self::Last(to_raw(data))
    }
}
