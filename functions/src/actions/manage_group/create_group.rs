//! `createGroup`: a group is made, with those who are in it from the beginning.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use hongyan_shared::{
    Error, Result,
    callback::before_create,
    model::{Group, GroupType, ReadMarker, Role, Seq, UserId},
    protocol::{NewGroup, NoticeKind, WireNotice},
};

use super::{
    super::ask_before_sending::ask_before_changing,
    World,
    change::{ATTEMPTS, back_off, join},
};
use crate::{
    caller::Actor,
    store::{Consistency, MemberStep},
};

/// How many members change at once where no tip names them: a transaction has room for 49.
pub const MEMBERS_PER_TRANSACTION: usize = 40;

/// Makes a group, with as many of its members as may come at once: it awaits the others. The same group of the same creator, made
/// once more, is answered as it is.
///
/// # Errors
/// [`Error::GroupIdTaken`], [`Error::GroupBusy`], [`Error::TooManyConversations`]; a business server that does not want it.
/// [`Error::Throttled`] when the request may not take what another attempt would.
pub async fn create_group(world: &World, actor: Actor<'_>, new: NewGroup) -> Result<(Group, Seq)> {
    if let Err(too_many) = world.count(actor).await {
        // It may be there, and the answer was lost.
        let found =
            world.log.messages.group_tail(&new.id, 1, Consistency::Strong, world.log.clock.now()).await?;
        let found = found.filter(|found| is_made_by(actor, new.kind, &found.group)).ok_or(too_many)?;
        return Ok((found.group.clone(), found.last_seq()));
    }
    // One that is there was asked about when it was made.
    if let Some(server) = &world.log.business_server
        && world.log.messages.group(&new.id).await?.is_none()
    {
        ask_before_changing(server, &before_create(actor.user, &new, actor.platform())).await?;
    }
    let now = world.log.clock.now();
    let owner = new.owner.clone().map(|owner| (owner, Role::Owner));
    let awaited = new.members.len().saturating_sub(MEMBERS_PER_TRANSACTION) as u64;
    let members: Vec<(UserId, Role)> =
        owner.into_iter().chain(new.members.into_iter().take(MEMBERS_PER_TRANSACTION)).collect();
    let group = Group {
        id: new.id,
        kind: new.kind,
        info: new.info,
        owner: new.owner,
        creator: actor.user.clone(),
        created_at: now,
        changed_at: now,
        info_version: 1,
        members: members.len() as u64,
        version: 1,
        dismissed_at: None,
        awaited,
        mentioned_all: None,
        outbox: BTreeMap::new(),
    };
    try_join_all(members.iter().map(|(user, _)| world.log.mine.set_has_groups(user))).await?;
    let steps: Vec<MemberStep> =
        members.iter().map(|(user, role)| join(user, *role, Seq(0), ReadMarker::default(), now)).collect();
    for attempt in 0..ATTEMPTS {
        back_off(attempt).await;
        match world.changes.create(&group, &steps, now).await {
            Ok(true) => {
                let others = members.iter().map(|(user, _)| user).filter(|user| *user != actor.user);
                let added = WireNotice::new(NoticeKind::Added, &group, actor.user, now);
                tokio::join!(
                    world.log.audience.notice(others, None, added),
                    world.log.audience.notice_others(actor, NoticeKind::Created, &group)
                );
                return Ok((group, Seq(0)));
            }
            // There is one of this ID, or somebody else is at one of the rows at this moment.
            Ok(false) => {}
            Err(error) => return Err(error),
        }
        let found = world.log.messages.group_tail(&group.id, 1, Consistency::Strong, now).await?;
        let Some(found) = found else { continue };
        return if is_made_by(actor, group.kind, &found.group) {
            Ok((found.group.clone(), found.last_seq()))
        } else {
            Err(Error::GroupIdTaken)
        };
    }
    Err(Error::GroupBusy)
}

/// Whether a group that is there is the one that they have made. What else it says may have changed since; its type has not.
fn is_made_by(actor: Actor<'_>, kind: GroupType, group: &Group) -> bool {
    group.creator == *actor.user && group.kind == kind && group.dismissed_at.is_none()
}
