//! `login`: the first frame of a client. It makes sure that the slot is still the caller's, and says
//! what a client needs to start.

use hongyan_shared::{Error, Result, model::UserId, protocol::MAX_REPLY_BYTES};
use tracing::warn;

use super::{
    connect::{World, register},
    get_conversation_list::{Part, Wanted, get_conversation_list},
};
use crate::{
    caller::Caller,
    store::{Consistency, Names},
};

/// What a login has found.
pub struct LoggedIn {
    /// From what is written behind it, in milliseconds, nothing may be known yet.
    pub at: u64,
    /// The part of the list that was wanted, as far as it may be read.
    pub part: Option<Part>,
}

/// Makes sure of the slot, and then looks at the list. A message that was written before that is in the list, and one that
/// comes later is pushed, because its sender finds the slot.
///
/// # Errors
/// [`Error::Replaced`] when another connection has taken the slot,
/// [`hongyan_shared::sig::UserSigError::Revoked`] when the user was kicked.
pub async fn login(world: &World, caller: &Caller, wanted: Option<Wanted<'_>>) -> Result<LoggedIn> {
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
    let at = world.notifier.clock.now();
    Ok(LoggedIn { at, part: first_part(world, &caller.user, wanted).await })
}

/// Who watches a user may have cost so much that nothing is left for the list. It can be asked for.
async fn first_part(world: &World, me: &UserId, wanted: Option<Wanted<'_>>) -> Option<Part> {
    match get_conversation_list(&world.list, me, wanted?, MAX_REPLY_BYTES).await {
        Ok(part) => Some(part)
            .filter(|part| !part.listed.is_empty() || !part.groups.groups.is_empty() || !part.goes_on),
        Err(error) => {
            warn!(%error, "a login has no list");
            None
        }
    }
}

/// Enters the account, if nobody has, and copies name and picture, so that whatever the user sends can be pushed with
/// them, and nobody has to look them up: `updateMyProfile` keeps them up to date from here on.
async fn fill_in_names(world: &World, user: &UserId) -> Result<()> {
    // Before the names, because a user who has them is not looked at again.
    let (entered, profiles) = tokio::join!(
        world.accounts.enter(user, world.notifier.clock.now()),
        world.users.profiles(std::slice::from_ref(user))
    );
    entered?;
    let profiles = profiles?;
    let (nick, avatar) =
        profiles.into_values().next().map(|(profile, _)| (profile.nick, profile.avatar)).unwrap_or_default();
    let names = Names { nick: Some(nick.unwrap_or_default()), avatar: Some(avatar.unwrap_or_default()) };
    world.notifier.connections.fill_in(user, &names, world.notifier.clock.now()).await
}
