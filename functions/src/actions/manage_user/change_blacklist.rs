//! `addToBlacklist`, `removeFromBlacklist`, `getBlacklist`: a user does not want to hear some others.

use std::collections::BTreeSet;

use hongyan_shared::{
    Error, Result,
    model::{Pair, UserId},
    protocol::{MAX_BLACKLIST_CHANGE, Push},
};

use super::{super::MAX_BATCH, World};
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
    let (changed, others) =
        tokio::join!(change_all(world, actor.user, &pairs, change), world.notifier.other_connections(actor));
    let blacklist = changed?;
    world.notifier.deliver(&others, &Push::BlacklistUpdated(&blacklist).frame()).await;
    Ok(blacklist)
}

/// As many at once as one transaction takes. What fails is as far as it came, and may be asked for again.
async fn change_all(
    world: &World,
    user: &UserId,
    pairs: &[Pair],
    change: Change,
) -> Result<BTreeSet<UserId>> {
    let mut blacklist = BTreeSet::new();
    for pairs in pairs.chunks(MAX_BLACKLIST_CHANGE) {
        blacklist = world.blocks.change(user, pairs, change, world.clock.now()).await?;
    }
    Ok(blacklist)
}

/// Returns which of these users, at most some hundred, have a user on their list.
pub async fn blocked_by(world: &World, user: &UserId, owners: &[UserId]) -> Result<BTreeSet<UserId>> {
    let mut blocking = BTreeSet::new();
    for owners in owners.chunks(MAX_BATCH) {
        blocking.append(&mut world.notifier.blacklists.with(user, owners).await?);
    }
    Ok(blocking)
}

/// Returns a user's whole list.
pub async fn get_blacklist(world: &World, user: &UserId) -> Result<BTreeSet<UserId>> {
    world.notifier.blacklists.of(user).await
}
