//! Members of a group: many at once, one in several respects, and who of them is there.

use std::{collections::BTreeSet, sync::Arc};

use hongyan_shared::{
    Error, Result,
    model::{Group, GroupId, Roster, UserId},
    protocol::{MAX_MEMBERS_CHANGED, MemberChange},
    rest::MemberWish,
};

use super::{
    super::{
        deadline::Deadline,
        manage_group::{
            World, add_group_member, delete_group_member, get_group_roster, mute_group_member,
            set_group_member,
        },
    },
    new_name, part_size,
};
use crate::caller::Actor;

/// Who has come into a group, and who was in it.
#[derive(Debug, Default)]
pub struct Added {
    /// Who has come.
    pub came: BTreeSet<UserId>,
    /// Who was there.
    pub were_there: BTreeSet<UserId>,
}

/// Brings users into a group, some at a time, as far as there is room and time.
///
/// # Errors
/// Those of [`add_group_member`] where nobody has come.
pub async fn add_members(
    world: &World,
    actor: Actor<'_>,
    id: &GroupId,
    users: &[UserId],
    is_silent: bool,
) -> Result<Added> {
    let deadline = Deadline::new(&world.log.clock);
    let (mut added, mut refused) = (Added::default(), None);
    for part in users.chunks(part_size(world, is_silent)) {
        let come = async {
            deadline.check()?;
            // Boxed, because a change is large and this is one step of several.
            Box::pin(add_group_member(world, actor, id, &new_name(world), part, is_silent)).await
        };
        match come.await {
            Ok(changed) => {
                let (came, others): (Vec<_>, Vec<_>) =
                    part.iter().cloned().partition(|user| changed.users.contains(user));
                added.came.extend(came);
                // The business server may want some left out.
                let were_there = others.into_iter().filter(|user| changed.roster.role(user).is_some());
                added.were_there.extend(were_there);
            }
            // None of these come, and of the others some may have been there.
            Err(error @ (Error::GroupFull { .. } | Error::RefusedInGroup | Error::RefusedWith { .. })) => {
                refused = refused.or(Some(error));
            }
            Err(error) => {
                refused = refused.or(Some(error));
                break;
            }
        }
    }
    match refused {
        Some(error) if added.came.is_empty() && added.were_there.is_empty() => Err(error),
        // The answer names them.
        _ => Ok(added),
    }
}

/// Puts members out, some at a time. Who is not in it is passed over, so what is not all done can be asked for again.
///
/// # Errors
/// Those of [`delete_group_member`]; [`Error::Throttled`] when there is no more time.
pub async fn delete_members(
    world: &World,
    actor: Actor<'_>,
    id: &GroupId,
    users: &[UserId],
    (reason, is_silent): (&str, bool),
) -> Result<()> {
    let deadline = Deadline::new(&world.log.clock);
    for part in users.chunks(part_size(world, is_silent)) {
        deadline.check()?;
        Box::pin(delete_group_member(world, actor, id, &new_name(world), part, (reason, is_silent))).await?;
    }
    Ok(())
}

/// Mutes members, or lets them speak, some at a time. Who is so already is passed over.
///
/// # Errors
/// Those of every change; [`Error::Throttled`] when there is no more time.
pub async fn mute_members(
    world: &World,
    actor: Actor<'_>,
    id: &GroupId,
    users: &[UserId],
    seconds: u64,
) -> Result<()> {
    let deadline = Deadline::new(&world.log.clock);
    let roster = get_group_roster(world, actor, id).await?;
    let members: Vec<UserId> = users.iter().filter(|user| roster.role(user).is_some()).cloned().collect();
    for part in members.chunks(MAX_MEMBERS_CHANGED) {
        deadline.check()?;
        Box::pin(mute_group_member(world, actor, id, &new_name(world), part, seconds)).await?;
    }
    Ok(())
}

/// Makes of a member what is wished, one thing after the other.
///
/// # Errors
/// Those of [`set_group_member`].
pub async fn modify_member(
    world: &World,
    (administrator, themselves): (Actor<'_>, Actor<'_>),
    id: &GroupId,
    wish: MemberWish,
) -> Result<()> {
    let MemberWish { role, remind, card, mute_seconds } = wish;
    let theirs = [
        role.map(|role| MemberChange::Role(new_name(world), role)),
        mute_seconds.map(|seconds| MemberChange::Mute(new_name(world), seconds)),
        card.map(MemberChange::Card),
    ];
    for change in theirs.into_iter().flatten() {
        Box::pin(set_group_member(world, administrator, id, themselves.user, &change)).await?;
    }
    // What somebody wants to hear is their own.
    if let Some(remind) = remind {
        let change = MemberChange::Remind(remind);
        Box::pin(set_group_member(world, themselves, id, themselves.user, &change)).await?;
    }
    Ok(())
}

/// Who is in a group that was just read.
pub async fn roster_of(world: &World, group: &Group) -> Result<Arc<Roster>> {
    world.log.rosters.of(&group.id, group.version).await
}

/// Which of a group's members have a connection.
///
/// # Errors
/// [`Error::NoSuchGroup`].
pub async fn online_members(world: &World, actor: Actor<'_>, id: &GroupId) -> Result<usize> {
    let roster = get_group_roster(world, actor, id).await?;
    Ok(world.log.audience.look_up(roster.members.keys()).await.online())
}
