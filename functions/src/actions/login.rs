//! `login`: the first frame of a client. It makes sure that the slot is still the caller's, and says
//! what a client needs to start.

use hongyan_shared::{
    Error, Result, gateway,
    model::{MAX_MESSAGE_BYTES, UserId},
    protocol::{LoginReply, PAGE_SIZE},
};
use tracing::warn;

use super::connect::{World, register};
use crate::{
    caller::Caller,
    store::{Consistency, Names},
};

/// How often a client should say `ping`, in seconds: one may get lost, and the connection is still not idle.
const HEARTBEAT_S: u64 = 240;
const _: () = assert!(2 * HEARTBEAT_S < gateway::IDLE_S);

/// Answers with what the deployment is like.
///
/// # Errors
/// [`Error::Replaced`] when another connection has taken the slot,
/// [`hongyan_shared::sig::UserSigError::Revoked`] when the user was kicked.
pub async fn login<'a>(world: &World, caller: &'a Caller) -> Result<LoginReply<'a>> {
    let slot = caller.slot(world.multi_device);
    let (connections, now) = (&world.notifier.connections, world.notifier.clock.now());
    let presence = connections.of(&caller.user, Consistency::Strong, now).await?;
    match presence.connections.iter().find(|connection| connection.slot == slot) {
        Some(holder) if holder.id == caller.connection_id => {}
        // Two handshakes crossed, and the other one was later. API Gateway could not deliver the
        // kick, because this connection was not open yet.
        Some(_) => return Err(Error::Replaced),
        None => register(world, caller).await?,
    }
    if !presence.names.are_complete()
        && let Err(error) = fill_in_names(world, &caller.user).await
    {
        warn!(%error, "pushes have no names until the next login");
    }
    Ok(LoginReply {
        user_id: &caller.user,
        platform: caller.device.platform.as_str(),
        server_time: world.notifier.clock.now() / 1000,
        user_sig_expire_time: caller.expires_at,
        connected_time: caller.connected_at / 1000,
        connection_seconds: gateway::LIFETIME_S,
        heartbeat_seconds: HEARTBEAT_S,
        page_size: PAGE_SIZE,
        max_message_bytes: MAX_MESSAGE_BYTES,
        recall_seconds: world.recall_seconds,
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// So that whatever the user sends can be pushed with a name and a picture, and nobody has to look
/// them up: `updateMyProfile` keeps them up to date from here on.
async fn fill_in_names(world: &World, user: &UserId) -> Result<()> {
    let profiles = world.users.profiles(std::slice::from_ref(user)).await?;
    let (nick, avatar) =
        profiles.into_values().next().map(|(profile, _)| (profile.nick, profile.avatar)).unwrap_or_default();
    let names = Names { nick: Some(nick.unwrap_or_default()), avatar: Some(avatar.unwrap_or_default()) };
    world.notifier.connections.fill_in(user, &names, world.notifier.clock.now()).await
}
