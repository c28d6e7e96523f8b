//! `getGroupMemberList` and `getGroupMemberProfile`: who is in a group, and what is known of them there.

use std::sync::Arc;

use hongyan_shared::{
    Result,
    model::{GroupId, Member, Op, Roster, UserId, may},
    protocol::MemberPage,
};

use super::World;
use crate::caller::Actor;

/// Some members of a group.
pub struct Members {
    /// All of them.
    pub roster: Arc<Roster>,
    /// Those that were wanted.
    pub wanted: Vec<UserId>,
    /// Behind whom there are more.
    pub next: Option<UserId>,
    /// The time, in milliseconds.
    pub now_ms: u64,
}

impl Members {
    /// Those that were wanted, with what is known of them.
    pub fn iter(&self) -> impl Iterator<Item = (&UserId, &Member)> {
        self.wanted.iter().filter_map(|user| self.roster.members.get_key_value(user))
    }
}

/// A page of a group's members, by their IDs.
///
/// # Errors
/// [`hongyan_shared::Error::NoSuchGroup`], [`hongyan_shared::Error::NotAllowedInGroup`].
pub async fn get_group_member_list(world: &World, actor: Actor<'_>, page: &MemberPage) -> Result<Members> {
    let roster = get_group_roster(world, actor, &page.group).await?;
    let is_wanted = |(user, member): &(&UserId, &Member)| {
        page.after.as_ref().is_none_or(|after| *user > after)
            && page.role.is_none_or(|role| role == member.role)
    };
    let mut wanted: Vec<UserId> = roster
        .members
        .iter()
        .filter(is_wanted)
        .take(page.count.saturating_add(1))
        .map(|(user, _)| user.clone())
        .collect();
    let goes_on = wanted.len() > page.count;
    wanted.truncate(page.count);
    let next = wanted.last().filter(|_| goes_on).cloned();
    Ok(Members { roster, wanted, next, now_ms: world.log.clock.now() })
}

/// What is known of some users in a group. Who is not in it is left out.
///
/// # Errors
/// [`hongyan_shared::Error::NoSuchGroup`], [`hongyan_shared::Error::NotAllowedInGroup`].
pub async fn get_group_member_profile(
    world: &World,
    actor: Actor<'_>,
    group: &GroupId,
    users: Vec<UserId>,
) -> Result<Members> {
    let roster = get_group_roster(world, actor, group).await?;
    Ok(Members { roster, wanted: users, next: None, now_ms: world.log.clock.now() })
}

/// All members of a group.
///
/// # Errors
/// [`hongyan_shared::Error::NoSuchGroup`], [`hongyan_shared::Error::NotAllowedInGroup`].
pub async fn get_group_roster(world: &World, actor: Actor<'_>, group: &GroupId) -> Result<Arc<Roster>> {
    let found = world.log.messages.live_group(group).await?;
    let roster = world.log.rosters.of(group, found.version).await?;
    may(found.kind, actor.who(&roster), Op::Speak)?;
    Ok(roster)
}
