//! `$connect` takes the device's slot, and kicks out who had it. `login` is the first frame of a
//! client: it makes sure that the slot is still his and says what he needs to start.

use hongyan_shared::{
    Error, Result,
    model::MAX_MESSAGE_BYTES,
    protocol::{KickedOut, NoData, PAGE_SIZE, Push},
};
use serde_json::json;

use crate::{
    app::App,
    event::Event,
    runtime::Reply,
    store::{Connection, Registration},
};

/// How often a client should say `ping`: API Gateway closes what is silent for ten minutes.
const HEARTBEAT_S: u64 = 240;

/// How long API Gateway keeps a connection at the most.
const CONNECTION_S: u64 = 2 * 60 * 60;

/// Both routes, because a client comes through one and then the other: what is warm for the first
/// is warm for the second.
///
/// # Errors
/// [`Error::Replaced`] when another connection has taken the slot.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    if event.route == "login" { login(app, &event).await } else { connect(app, &event).await }
}

async fn connect(app: &App, event: &Event) -> Result<Reply> {
    // Who only comes to be told that his UserSig has expired kicks nobody out.
    if event.caller.check(app.now()).is_err() {
        return Ok(Reply::Silence);
    }
    if let Some(previous) = register(app, event).await? {
        kick(app, event, &previous).await;
    }
    Ok(Reply::Silence)
}

async fn register(app: &App, event: &Event) -> Result<Option<Connection>> {
    let device = &event.caller.device;
    app.connections
        .register(&Registration {
            user: &event.caller.user,
            slot: &slot(app, event),
            id: &event.connection_id,
            connected_at: event.connected_at,
            platform: &device.platform,
            instance: device.instance.as_deref(),
        })
        .await
}

/// The place of the caller's device.
pub(super) fn slot(app: &App, event: &Event) -> String {
    event.caller.device.slot(app.settings.multi_device, &event.connection_id)
}

async fn kick(app: &App, event: &Event, previous: &Connection) {
    let device = &event.caller.device;
    // The same installation has come back, after a change of networks say. Its old connection is
    // nobody's any more, and to tell it that it was kicked out would make the client log out.
    let came_back = previous.instance.is_some() && previous.instance == device.instance;
    if !came_back {
        let kind = if previous.platform == device.platform {
            KickedOut::MultipleAccount
        } else {
            KickedOut::MultipleDevice
        };
        app.push.send(&previous.id, &Push::KickedOut { kind }.frame()).await;
    }
    app.push.close(&previous.id).await;
}

async fn login(app: &App, event: &Event) -> Result<Reply> {
    let NoData {} = event.request.data()?;
    let caller = &event.caller;
    match app.connections.holder(&caller.user, &slot(app, event)).await? {
        Some(holder) if holder.id == event.connection_id => {}
        // Two handshakes crossed, and the other one was later. API Gateway could not deliver the
        // kick, because this connection was not open yet.
        Some(_) => return Err(Error::Replaced),
        None => {
            register(app, event).await?;
        }
    }
    Ok(Reply::Data(json!({
        "userID": caller.user,
        "platform": caller.device.platform,
        "serverTime": app.now() / 1000,
        "userSigExpireTime": caller.expires_at,
        "connectedTime": event.connected_at / 1000,
        "connectionSeconds": CONNECTION_S,
        "heartbeatSeconds": HEARTBEAT_S,
        "pageSize": PAGE_SIZE,
        "maxMessageBytes": MAX_MESSAGE_BYTES,
    })))
}
