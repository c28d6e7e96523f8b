//! `addGroupMember`: members bring others.

use hongyan_shared::{
    Error, Result,
    model::{GroupId, Op, TipKind, UserId, may},
    protocol::{ChangeName, NoticeKind, WireNotice},
};

use super::{
    World,
    change::{Asked, Changed, Plan, Read, Told, What, change, has_room, join_now, tip},
};
use crate::caller::Actor;

/// Brings others. Returns whom it has brought; the others were there, or a business server wants them left out, or it has asked
/// for more than there is room for. There is no tip of it if that is to be silent.
///
/// # Errors
/// Those of every change; [`Error::GroupFull`], [`Error::TooManyConversations`]; a business server that wants nobody of them.
pub async fn add_group_member(
    world: &World,
    actor: Actor<'_>,
    id: &GroupId,
    name: &ChangeName,
    users: &[UserId],
    is_silent: bool,
) -> Result<Changed> {
    let asked = Asked { name, told: Told::Members(TipKind::Joined, users) };
    let added = change(world, actor, id, Some(asked), |read| {
        let Read { group, roster, .. } = read;
        may(group.kind, actor.who(roster), Op::Invite(group.info.invite))?;
        let new = users.iter().filter(|user| roster.role(user).is_none());
        let (refused, mut new): (Vec<UserId>, Vec<UserId>) =
            new.cloned().partition(|user| read.refused.contains(user));
        if new.is_empty() {
            return if refused.is_empty() { Ok(None) } else { Err(Error::RefusedInGroup) };
        }
        // A business server brings as many as there is room for.
        if actor.is_administrator {
            let room = usize::try_from(group.info.limit.saturating_sub(group.members)).unwrap_or_default();
            let is_somebody_there = users.iter().any(|user| roster.role(user).is_some());
            if room == 0 && is_somebody_there {
                return Ok(None);
            }
            new.truncate(room.max(1));
        }
        has_room(group, new.len())?;
        let members = group.members.saturating_add(new.len() as u64);
        let told = tip(TipKind::Joined, actor.user, group, &new, Some(members));
        Ok(Some(Plan {
            tip: (!is_silent && !group.kind.is_meeting()).then(|| told.payload()),
            what: What::Members {
                steps: new.iter().map(|user| join_now(read, user)).collect(),
                owner: None,
                is_free: false,
            },
            users: new,
        }))
    })
    .await?;
    if added.is_new {
        let notice = WireNotice::new(NoticeKind::Added, &added.group, actor.user, world.log.clock.now());
        world.log.audience.notice(&added.users, None, notice).await;
    }
    Ok(added)
}
