//! `login`: the first frame of a client. It makes sure that the slot is still the caller's, and says
//! what a client needs to start.

use hongyan_shared::{
    Error, Result,
    model::{MAX_MESSAGE_BYTES, UserId},
    protocol::{LoginReply, NoData, PAGE_SIZE},
};
use tracing::warn;

use super::{register, slot};
use crate::{
    app::App,
    event::Event,
    runtime::Reply,
    store::{Consistency, Names},
};

/// How often a client should say `ping`: API Gateway closes what is silent for ten minutes.
const HEARTBEAT_S: u64 = 240;

/// How long API Gateway keeps a connection at the most.
const CONNECTION_S: u64 = 2 * 60 * 60;

/// Answers with what the deployment is like.
///
/// # Errors
/// [`Error::Replaced`] when another connection has taken the slot,
/// [`hongyan_shared::sig::Refusal::Revoked`] when the user was put out.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let NoData {} = event.request.data()?;
    let caller = &event.caller;
    let slot = slot(app, &event);
    let presence = app.connections.of(&caller.user, Consistency::Strong, app.now()).await?;
    match presence.connections.iter().find(|connection| connection.slot == slot) {
        Some(holder) if holder.id == event.connection_id => {}
        // Two handshakes crossed, and the other one was later. API Gateway could not deliver the
        // kick, because this connection was not open yet.
        Some(_) => return Err(Error::Replaced),
        None => register(app, &event).await?,
    }
    if !presence.names.are_complete()
        && let Err(error) = fill_in_names(app, &caller.user).await
    {
        warn!(%error, "pushes have no names until the next login");
    }
    Ok(Reply::data(&LoginReply {
        user_id: &caller.user,
        platform: caller.device.platform.as_str(),
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

/// So that whatever the user sends can be pushed with a name and a picture, and nobody has to look
/// them up: `updateMyProfile` keeps them up to date from here on.
async fn fill_in_names(app: &App, user: &UserId) -> Result<()> {
    let profiles = app.users.profiles(std::slice::from_ref(user)).await?;
    let (nick, avatar) = profiles
        .into_values()
        .next()
        .map(|(profile, _)| (profile.nick, profile.avatar))
        .unwrap_or_default();
    let names = Names {
        nick: Some(nick.unwrap_or_default()),
        avatar: Some(avatar.unwrap_or_default()),
    };
    app.connections.fill_in(user, &names, app.now()).await
}
