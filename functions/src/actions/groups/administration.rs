//! What business servers want of groups and users do not: many members at once, all of a group's log, and all groups.

use std::{collections::BTreeSet, sync::Arc};

use hongyan_shared::{
    Error, Result,
    model::{ClientId, Group, GroupId, GroupType, InfoChange, Message, Roster, Seq, UserId},
    protocol::{ChangeName, MAX_MEMBERS_CHANGED, MemberChange, NewGroup, NoticeKind, WireNotice},
    rest::MemberWish,
};

use super::{
    super::{deadline::Deadline, each},
    changes::{AT_ONCE, change_group_owner, complete_group, create_group, update_group_profile},
    listed::{ListedGroup, Listing, list_groups},
    members::{add_group_member, delete_group_member, mute_group_member, set_group_member},
    profiles::get_group_roster,
    world::ManageWorld,
};
use crate::{
    caller::Actor,
    store::{Consistency, Messages},
};

/// No list of groups of a business server is as large, in bytes.
const ROOM: usize = 4 * 1024 * 1024;

/// In how many parts the table of groups is looked through.
const PARTS: u32 = 1024;

/// How many of them at once, at most.
const PARTS_AT_ONCE: usize = 16;

/// The name of a change that nobody has asked for before.
pub(super) fn new_name(world: &ManageWorld) -> ChangeName {
    let client_id = ClientId::of(rand::random(), world.log.clock.now() / 1000, rand::random());
    ChangeName { client_id, base: None }
}

/// Where a business server is told who has come or gone, the row of the group keeps that: it is not to be much.
fn part_size(world: &ManageWorld, is_silent: bool) -> usize {
    if is_silent && world.log.business_server.is_none() { AT_ONCE } else { MAX_MEMBERS_CHANGED }
}

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
    world: &ManageWorld,
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
    world: &ManageWorld,
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
    world: &ManageWorld,
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
    world: &ManageWorld,
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

/// Makes a group with as many members as may come at once, and brings the others. The same group once more is the same group, and
/// goes on where it was cut off.
///
/// # Errors
/// Those of [`create_group`], also while it brings the others; [`Error::Throttled`] when there is no more time.
pub async fn create(world: &ManageWorld, actor: Actor<'_>, new: NewGroup) -> Result<GroupId> {
    let deadline = Deadline::new(&world.log.clock);
    let others = new.members.get(AT_ONCE..).unwrap_or_default().to_vec();
    let (mut group, _) = Box::pin(create_group(world, actor, new)).await?;
    while group.awaited > 0 {
        deadline.check()?;
        let at_once = part_size(world, true);
        group = Box::pin(complete_group(world, actor, &group.id, &others, at_once)).await?;
    }
    Ok(group.id)
}

/// Lets a group say something else about itself.
///
/// # Errors
/// Those of [`update_group_profile`].
pub async fn modify_group(
    world: &ManageWorld,
    actor: Actor<'_>,
    id: &GroupId,
    change: &InfoChange,
) -> Result<()> {
    Box::pin(update_group_profile(world, actor, id, &new_name(world), change)).await.map(|_| ())
}

/// Makes a member the owner.
///
/// # Errors
/// Those of [`change_group_owner`].
pub async fn hand_over(world: &ManageWorld, actor: Actor<'_>, id: &GroupId, new: &UserId) -> Result<()> {
    Box::pin(change_group_owner(world, actor, id, &new_name(world), new)).await.map(|_| ())
}

/// Who is in a group that was just read.
pub async fn roster_of(world: &ManageWorld, group: &Group) -> Result<Arc<Roster>> {
    world.log.rosters.of(&group.id, group.version).await
}

/// Which of a group's members have a connection.
///
/// # Errors
/// [`Error::NoSuchGroup`].
pub async fn online_members(world: &ManageWorld, actor: Actor<'_>, id: &GroupId) -> Result<usize> {
    let roster = get_group_roster(world, actor, id).await?;
    Ok(world.log.audience.look_up(roster.members.keys()).await.online())
}

/// Tells members who have a connection something that is kept nowhere: these, or all of them if nobody is named.
///
/// # Errors
/// [`Error::NoSuchGroup`].
pub async fn notify(
    world: &ManageWorld,
    actor: Actor<'_>,
    id: &GroupId,
    content: &str,
    to: &[UserId],
) -> Result<()> {
    let now = world.log.clock.now();
    let group = world.log.messages.live_group(id).await?;
    let roster = roster_of(world, &group).await?;
    let mut notice = WireNotice::new(NoticeKind::Custom, &group, actor.user, now);
    notice.user_defined_field = Some(content);
    let members = roster.members.keys().filter(|user| to.is_empty() || to.contains(user));
    world.log.audience.notice(members, None, notice).await;
    Ok(())
}

/// The messages of a group before that number, newest first, as many as are wanted or may be read; and whether that is all that
/// was wanted.
///
/// # Errors
/// [`Error::NoSuchGroup`], and [`Error::NotAllowedInGroup`] for anybody else than a business server.
pub async fn history(
    world: &ManageWorld,
    actor: Actor<'_>,
    id: &GroupId,
    before: Seq,
    wanted: usize,
) -> Result<(Vec<Message>, bool)> {
    let access = actor.access(id).ok_or(Error::NotAllowedInGroup("a business server alone may do this"))?;
    world.log.messages.live_group(id).await?;
    let count = wanted.min(Messages::affordable(Consistency::Strong)).max(1);
    let key = access.log_key();
    let mut messages = world.log.messages.before(&key, before, count, Consistency::Strong).await?;
    let now = world.log.clock.now();
    messages.retain(|message| message.is_live(now));
    Ok((messages, count == wanted))
}

/// All groups that a user is in, by their IDs.
///
/// # Errors
/// [`Error::Throttled`] when they are more than may be read.
pub async fn joined_groups(world: &ManageWorld, user: &UserId) -> Result<Vec<ListedGroup>> {
    let log = &world.log;
    let listing = Listing { messages: &log.messages, mine: &log.mine, clock: &log.clock };
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let part = list_groups(&listing, user, after.as_ref(), ROOM).await?;
        all.extend(part.groups);
        match (part.go_on, part.end) {
            (false, _) => return Ok(all),
            (true, None) => return Err(Error::Throttled),
            (true, end) => after = end,
        }
    }
}

/// Groups that somebody is in, of a type if one is wanted, from a part of their table on: until there are as many as are enough.
/// Returns where it goes on, 0 if it does not.
///
/// There is no list of all groups that each of them would be written into: it is looked for where their members are, in one
/// part of the table after the other. A part is looked through as a whole, so that a number is all that one has to know to
/// go on.
///
/// # Errors
/// [`Error::Throttled`] when a part has more than may be read.
pub async fn all_groups(
    world: &ManageWorld,
    (enough, from): (usize, u32),
    kind: Option<GroupType>,
) -> Result<(Vec<GroupId>, u32)> {
    let (mut groups, mut next, mut densest) = (Vec::new(), from, 0);
    let mut wave = 1;
    while next < PARTS && groups.len() < enough {
        let end = next.saturating_add(u32::try_from(wave).unwrap_or(1)).min(PARTS);
        for found in each((next..end).map(|part| world.log.rosters.groups_in(part, PARTS))).await {
            let found = found?;
            densest = densest.max(found.len());
            let looked_at = each(found.iter().map(|id| world.log.messages.group(id))).await;
            for group in looked_at {
                let lives = |group: &Group| group.dismissed_at.is_none();
                let group = group?.filter(lives);
                groups.extend(
                    group.filter(|group| kind.is_none_or(|kind| kind == group.kind)).map(|group| group.id),
                );
            }
        }
        next = end;
        // As many at once as are likely to be enough.
        let missing = enough.saturating_sub(groups.len());
        wave = missing.checked_div(densest).unwrap_or(PARTS_AT_ONCE).clamp(1, PARTS_AT_ONCE);
    }
    groups.sort();
    Ok((groups, if next < PARTS { next } else { 0 }))
}
