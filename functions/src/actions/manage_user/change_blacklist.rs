//! `addToBlacklist`, `removeFromBlacklist`, `getBlacklist`: a user does not want to hear some others.

use std::collections::BTreeSet;

use hongyan_shared::{
    Error, Result,
    model::{Pair, UserId},
    protocol::Push,
};

use super::World;
use crate::{caller::Actor, store::Change};

/// Adds users to the actor's list, and returns it as it is then.
///
/// # Errors
/// [`Error::BlacklistSelf`], a list that would become too long.
pub async fn add_to_blacklist(world: &World, actor: Actor<'_>, users: &[UserId]) -> Result<BTreeSet<UserId>> {
    change_blacklist(world, actor, users, Change::Add).await
}

/// Takes users off the actor's list, and returns it as it is then.
///
/// # Errors
/// [`Error::BlacklistSelf`].
pub async fn remove_from_blacklist(
    world: &World,
    actor: Actor<'_>,
    users: &[UserId],
) -> Result<BTreeSet<UserId>> {
    change_blacklist(world, actor, users, Change::Remove).await
}

/// Changes the actor's list, returns it as it is then, and pushes that to their other devices, also
/// when it is the same: a request whose answer was lost may not have come to the push.
///
/// # Errors
/// [`Error::BlacklistSelf`], a list that would become too long.
async fn change_blacklist(
    world: &World,
    actor: Actor<'_>,
    users: &[UserId],
    change: Change,
) -> Result<BTreeSet<UserId>> {
    let pairs = users
        .iter()
        .map(|user| Pair::of(actor.user, user).map_err(|_| Error::BlacklistSelf))
        .collect::<Result<Vec<_>>>()?;
    let (changed, others) = tokio::join!(
        world.blocks.change(actor.user, &pairs, change, world.clock.now()),
        world.notifier.other_connections(actor)
    );
    let blacklist = changed?;
    world.notifier.deliver(&others, &Push::BlacklistUpdated(&blacklist).frame()).await;
    Ok(blacklist)
}

/// Returns a user's whole list.
pub async fn get_blacklist(world: &World, user: &UserId) -> Result<BTreeSet<UserId>> {
    world.notifier.blacklists.of(user).await
}
