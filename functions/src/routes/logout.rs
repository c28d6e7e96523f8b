//! `logout`: this device wants no more messages, and its connection is good for nothing else.

use hongyan_shared::{Result, protocol::NoData};

use super::connect::slot;
use crate::{app::App, event::Event, runtime::Reply};

/// Frees the slot, if it is still this connection's, answers, and ends the connection.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let NoData {} = event.request.data()?;
    app.free(&event.caller.user, &slot(app, &event), &event.connection_id).await?;
    Ok(Reply::last(&NoData {}))
}
