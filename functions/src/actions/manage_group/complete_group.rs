//! A group that a business server has made awaits those who could not come into it at once.

use hongyan_shared::{
    Result,
    model::{Group, GroupId, Role, UserId},
    protocol::{NoticeKind, WireNotice},
};

use super::{
    World,
    change::{Plan, Read, What, change, has_room, join_as},
};
use crate::caller::Actor;

/// Brings some more of those with whom a group was made and whom it still awaits: so many, of all who could not come at once.
/// They come in the order in which they were named, so that nobody is brought back who has left since.
///
/// # Errors
/// Those of every change; [`hongyan_shared::Error::GroupFull`].
pub async fn complete_group(
    world: &World,
    actor: Actor<'_>,
    id: &GroupId,
    others: &[(UserId, Role)],
    at_once: usize,
) -> Result<Group> {
    let completed = change(world, actor, id, None, |read| {
        let Read { group, roster, .. } = read;
        if group.awaited == 0 {
            return Ok(None);
        }
        let awaited = usize::try_from(group.awaited).unwrap_or(usize::MAX).min(others.len());
        let left = others.get(others.len().saturating_sub(awaited)..).unwrap_or_default();
        let part = left.get(..at_once).unwrap_or(left);
        let new: Vec<&(UserId, Role)> = part.iter().filter(|(user, _)| roster.role(user).is_none()).collect();
        has_room(group, new.len())?;
        let steps = new.iter().map(|(user, role)| join_as(read, user, *role)).collect();
        let awaited = awaited.saturating_sub(part.len()) as u64;
        let users = new.into_iter().map(|(user, _)| user.clone()).collect();
        Ok(Some(Plan { tip: None, what: What::Complete { steps, awaited }, users }))
    })
    .await?;
    if completed.is_new {
        let now = world.log.clock.now();
        let notice = WireNotice::new(NoticeKind::Added, &completed.group, actor.user, now);
        world.log.audience.notice(&completed.users, None, notice).await;
    }
    Ok(completed.group)
}
