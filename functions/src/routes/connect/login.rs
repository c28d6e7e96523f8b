//! `login`: the first frame of a client. It makes sure that the slot is still his, and says what he
//! needs to start.

use hongyan_shared::{
    Error, Result,
    model::MAX_MESSAGE_BYTES,
    protocol::{LoginReply, NoData, PAGE_SIZE},
};

use super::{register, slot};
use crate::{app::App, event::Event, runtime::Reply};

/// How often a client should say `ping`: API Gateway closes what is silent for ten minutes.
const HEARTBEAT_S: u64 = 240;

/// How long API Gateway keeps a connection at the most.
const CONNECTION_S: u64 = 2 * 60 * 60;

/// Answers with what the deployment is like.
///
/// # Errors
/// [`Error::Replaced`] when another connection has taken the slot.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let NoData {} = event.request.data()?;
    let caller = &event.caller;
    match app.connections.holder(&caller.user, &slot(app, &event)).await? {
        Some(holder) if holder.id == event.connection_id => {}
        // Two handshakes crossed, and the other one was later. API Gateway could not deliver the
        // kick, because this connection was not open yet.
        Some(_) => return Err(Error::Replaced),
        None => {
            register(app, &event).await?;
        }
    }
    Ok(Reply::data(&LoginReply {
        user_id: &caller.user,
        platform: &caller.device.platform,
        server_time: app.now() / 1000,
        user_sig_expire_time: caller.expires_at,
        connected_time: event.connected_at / 1000,
        connection_seconds: CONNECTION_S,
        heartbeat_seconds: HEARTBEAT_S,
        page_size: PAGE_SIZE,
        max_message_bytes: MAX_MESSAGE_BYTES,
        recall_seconds: app.settings.recall_seconds,
    }))
}
