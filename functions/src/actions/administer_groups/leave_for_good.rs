//! What becomes of a group when the account of one of its members is deleted.

use std::cmp::Reverse;

use hongyan_shared::{
    Error, Result,
    model::{GroupId, LogKey, Member, UserId},
};

use super::{
    super::manage_group::{World, change_group_owner, dismiss_group, quit_group},
    new_name,
};
use crate::caller::Actor;

/// How many groups are looked up at once.
const PAGE: usize = 32;

/// Some of the groups that a user is in, with the keys of their logs.
pub async fn some_groups(world: &World, user: &UserId) -> Result<Vec<(GroupId, LogKey)>> {
    let (groups, _) = world.log.mine.all(user, None, PAGE, world.log.clock.now()).await?;
    Ok(groups.into_iter().map(|(member, _)| (member.group().clone(), member.log_key())).collect())
}

/// Takes a user out of a group. One that was theirs goes to the admin, or else the member, who has been in it the longest; without
/// anybody else it is dismissed.
///
/// # Errors
/// Those of every change.
pub async fn leave_for_good(world: &World, actor: Actor<'_>, id: &GroupId) -> Result<()> {
    let quit = async || Box::pin(quit_group(world, actor, id, &new_name(world))).await.map(|_| ());
    match quit().await {
        Err(Error::OwnerMayNotQuit) => match next_owner(world, actor.user, id).await? {
            Some(next) => {
                Box::pin(change_group_owner(world, actor, id, &new_name(world), &next)).await?;
                quit().await?;
            }
            None => dismiss_group(world, actor, id).await?,
        },
        // It was dismissed before.
        Err(Error::NoSuchGroup) => {}
        quit => quit?,
    }
    // Of a group that was dismissed it is still there.
    world.log.mine.forget(actor.user, id).await
}

/// Nothing says any more that a user has groups, who has left them all.
pub async fn clear_has_groups(world: &World, user: &UserId) -> Result<()> {
    world.log.mine.clear_has_groups(user).await
}

/// To whom a group goes without its owner.
async fn next_owner(world: &World, owner: &UserId, id: &GroupId) -> Result<Option<UserId>> {
    let group = world.log.messages.group(id).await?.ok_or(Error::NoSuchGroup)?;
    let roster = world.log.rosters.of(id, group.version).await?;
    let others = roster.members.iter().filter(|(user, _)| *user != owner);
    let by_rank = |(_, member): &(&UserId, &Member)| (member.role, Reverse(member.joined_at));
    Ok(others.max_by_key(by_rank).map(|(user, _)| user.clone()))
}
