//! `$connect` takes the device's slot, and kicks out who had it.

mod login;

use hongyan_shared::{
    Result,
    protocol::{KickedOut, Push},
};

use crate::{
    app::App,
    event::Event,
    runtime::Reply,
    store::{Connection, Registration},
};

/// `login` as well, because a client comes through one and then the other: what is warm for the first
/// is warm for the second.
///
/// # Errors
/// [`hongyan_shared::Error::Replaced`] when another connection has taken the slot.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    if event.route == "login" { login::handle(app, event).await } else { connect(app, &event).await }
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
