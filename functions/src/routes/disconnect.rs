//! `$disconnect`: best effort by API Gateway, so it may come late, twice or never.

use hongyan_shared::Result;

use super::connect::slot;
use crate::{app::App, event::Event, runtime::Reply};

/// Frees the slot, if it is still this connection's.
///
/// # Errors
/// When the store fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    app.free(&event.caller.user, &slot(app, &event), &event.connection_id).await?;
    Ok(Reply::Silence)
}
