//! `logout`: this device wants no more messages. The client closes the connection when it has the
//! reply.

use hongyan_shared::Result;
use serde_json::json;

use super::connect::slot;
use crate::{app::App, event::Event, runtime::Reply};

/// Frees the slot, if it is still this connection's.
///
/// # Errors
/// When the store fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    app.connections.remove(&event.caller.user, &slot(app, &event), &event.connection_id).await?;
    Ok(Reply::Data(json!({})))
}
