//! What a user does to a conversation now and then. The routes share a function, so that none of
//! them is cold for itself alone.

mod delete_conversation;
mod delete_message;
mod pin_conversation;
mod revoke_message;

use hongyan_shared::{Error, Result};

use crate::{app::App, event::Event, runtime::Reply};

/// Hands the event to the file of its route.
///
/// # Errors
/// As the route has them.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    match event.route.as_str() {
        "revokeMessage" => revoke_message::handle(app, event).await,
        "deleteMessage" => delete_message::handle(app, event).await,
        "deleteConversation" => delete_conversation::handle(app, event).await,
        "pinConversation" => pin_conversation::handle(app, event).await,
        _ => Err(Error::UnknownAction),
    }
}
