//! What groups say about themselves and of their members.

use std::sync::Arc;

use futures_util::future::try_join_all;
use hongyan_shared::{
    Error, Result,
    model::{Group, GroupId, GroupType, Member, MyGroup, Op, ReadMarker, Roster, UserId, may},
    protocol::MemberPage,
};

use super::world::ManageWorld;
use crate::{
    caller::Actor,
    store::{Consistency, Messages, allowance},
};

/// A group, where its log ends, and what a user has of it if they are in it.
pub type Seen = (Group, ReadMarker, Option<MyGroup>);

/// What groups are like, each with what the user has of it. A Private group shows nothing to strangers.
pub async fn get_group_profile(
    world: &ManageWorld,
    actor: Actor<'_>,
    groups: &[GroupId],
) -> Result<Vec<std::result::Result<Seen, Error>>> {
    let look = async |group: &GroupId| {
        let now = world.log.clock.now();
        let mine = async {
            match actor.is_administrator {
                true => Ok(None),
                false => world.log.mine.of(actor.user, group, Consistency::Strong, now).await,
            }
        };
        let (found, mine) =
            tokio::try_join!(world.log.messages.group_tail(group, 1, Consistency::Strong, now), mine)?;
        let Some(found) = found.filter(|found| found.group.dismissed_at.is_none()) else {
            return Ok(Err(Error::NoSuchGroup));
        };
        if mine.is_none() && found.group.kind == GroupType::Work && !actor.is_administrator {
            return Ok(Err(Error::NotAllowedInGroup("a Private group shows itself to its members alone")));
        }
        let end = found.end();
        Ok::<_, Error>(Ok((found.group, end, mine.map(|(_, mine)| mine))))
    };
    let mut seen = Vec::new();
    while let Some(left) = groups.get(seen.len()..).filter(|left| !left.is_empty()) {
        // As many at once as may be read at the worst: most cost less, and leave room for the others.
        let at_once =
            allowance::read_units_left() / Messages::group_tail_units(Consistency::Strong).saturating_add(1);
        let at_once = usize::try_from(at_once).unwrap_or_default().max(1);
        seen.extend(try_join_all(left.iter().take(at_once).map(&look)).await?);
    }
    Ok(seen)
}

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
/// [`Error::NoSuchGroup`], [`Error::NotAllowedInGroup`].
pub async fn get_group_member_list(
    world: &ManageWorld,
    actor: Actor<'_>,
    page: &MemberPage,
) -> Result<Members> {
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
/// [`Error::NoSuchGroup`], [`Error::NotAllowedInGroup`].
pub async fn get_group_member_profile(
    world: &ManageWorld,
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
/// [`Error::NoSuchGroup`], [`Error::NotAllowedInGroup`].
pub async fn get_group_roster(world: &ManageWorld, actor: Actor<'_>, group: &GroupId) -> Result<Arc<Roster>> {
    let found = world.log.messages.live_group(group).await?;
    let roster = world.log.rosters.of(group, found.version).await?;
    may(found.kind, actor.who(&roster), Op::Speak)?;
    Ok(roster)
}
