//! `$connect` takes the device's slot, and kicks out who had it.

mod login;

use futures_util::future::join_all;
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
/// [`hongyan_shared::Error::Replaced`] when another connection has taken the slot,
/// [`hongyan_shared::sig::Refusal::Revoked`] when the user was put out.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    if event.route == "login" { login::handle(app, event).await } else { connect(app, &event).await }
}

async fn connect(app: &App, event: &Event) -> Result<Reply> {
    // Who only comes to be told that the UserSig does not count any more kicks nobody out.
    if event.caller.check(app.now()).is_err() {
        return Ok(Reply::Silence);
    }
    register(app, event).await?;
    Ok(Reply::Silence)
}

/// Takes the slot, kicks out who loses theirs by it, and tells those who watch if the user has come.
async fn register(app: &App, event: &Event) -> Result<()> {
    let (user, device) = (&event.caller.user, &event.caller.device);
    let registration = Registration {
        user,
        slot: &slot(app, event),
        id: &event.connection_id,
        connected_at: event.connected_at,
        platform: device.platform,
        instance: device.instance.as_deref(),
        issued_at: event.caller.issued_at,
        expires_at: event.caller.expires_at,
    };
    let registered = app.connections.register(&registration).await?;
    tokio::join!(
        join_all(registered.replaced.iter().map(|replaced| kick(app, event, replaced))),
        join_all(registered.lapsed.iter().map(|lapsed| app.push.close(&lapsed.id))),
    );
    if registered.is_first {
        app.tell_watchers(user, true).await;
    }
    Ok(())
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
