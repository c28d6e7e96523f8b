//! What becomes of a group itself, verb by verb.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use hongyan_shared::{
    Error, Result,
    callback::before_create,
    model::{Group, GroupId, InfoChange, Member, Op, ReadMarker, Role, Seq, Tip, TipKind, UserId, may},
    protocol::{ChangeName, NewGroup, NoticeKind, WireNotice},
};

use super::{
    super::ask_before_sending::ask_before_changing,
    change::{ATTEMPTS, Asked, Changed, Plan, Read, Told, What, change, let_others_go_first},
    members::{come, come_as, has_room},
    world::ManageWorld,
};
use crate::{
    caller::Actor,
    store::{Consistency, MemberStep},
};

/// How many members change at once where no tip names them: a transaction has room for 49.
pub(super) const AT_ONCE: usize = 40;

/// Makes a group, with as many of its members as may come at once: it awaits the others. The same group of the same creator, made
/// once more, is answered as it is.
///
/// # Errors
/// [`Error::GroupIdTaken`], [`Error::GroupBusy`], [`Error::TooManyConversations`]; a business server that does not want it.
/// [`Error::Throttled`] when the request may not take what another attempt would.
pub async fn create_group(world: &ManageWorld, actor: Actor<'_>, new: NewGroup) -> Result<(Group, Seq)> {
    if let Err(too_many) = world.count(actor).await {
        // It may be there, and the answer was lost.
        let found =
            world.log.messages.group_tail(&new.id, 1, Consistency::Strong, world.log.clock.now()).await?;
        let found = found.filter(|found| is_made_by(actor, &found.group)).ok_or(too_many)?;
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
    let awaited = new.members.len().saturating_sub(AT_ONCE) as u64;
    let members: Vec<(UserId, Role)> =
        owner.into_iter().chain(new.members.into_iter().take(AT_ONCE)).collect();
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
    try_join_all(members.iter().map(|(user, _)| world.log.mine.announce(user))).await?;
    let steps: Vec<MemberStep> =
        members.iter().map(|(user, role)| come(user, *role, Seq(0), ReadMarker::default(), now)).collect();
    for attempt in 0..ATTEMPTS {
        let_others_go_first(attempt).await;
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
        return if is_made_by(actor, &found.group) {
            Ok((found.group.clone(), found.last_seq()))
        } else {
            Err(Error::GroupIdTaken)
        };
    }
    Err(Error::GroupBusy)
}

/// Whether a group that is there is the one that they have made.
fn is_made_by(actor: Actor<'_>, group: &Group) -> bool {
    group.creator == *actor.user && group.dismissed_at.is_none()
}

/// Brings some more of those with whom a group was made and whom it still awaits: so many, of all who could not come at once.
/// They come in the order in which they were named, so that nobody is brought back who has left since.
///
/// # Errors
/// Those of every change; [`Error::GroupFull`].
pub async fn complete_group(
    world: &ManageWorld,
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
        let steps = new.iter().map(|(user, role)| come_as(read, user, *role)).collect();
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

/// Ends a group. Its owner, and a business server, may say so again.
///
/// # Errors
/// [`Error::NoSuchGroup`], [`Error::NotAllowedInGroup`], [`Error::GroupBusy`].
pub async fn dismiss_group(world: &ManageWorld, actor: Actor<'_>, id: &GroupId) -> Result<()> {
    for attempt in 0..ATTEMPTS {
        let_others_go_first(attempt).await;
        let now = world.log.clock.now();
        let group = world.log.messages.group(id).await?.ok_or(Error::NoSuchGroup)?;
        if group.dismissed_at.is_some() {
            let may_know = actor.is_administrator || group.owner.as_ref() == Some(actor.user);
            return if may_know { Ok(()) } else { Err(Error::NoSuchGroup) };
        }
        let roster = world.log.rosters.of(id, group.version).await?;
        may(group.kind, actor.who(&roster), Op::Dismiss)?;
        match world.log.messages.dismiss(&group, now).await {
            Ok(true) => {
                let notice = WireNotice::new(NoticeKind::Dismissed, &group, actor.user, now);
                world.log.audience.notice(roster.members.keys(), Some(actor), notice).await;
                return Ok(());
            }
            Ok(false) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::GroupBusy)
}

/// Lets a group say something else about itself.
///
/// # Errors
/// Those of every change.
pub async fn update_group_profile(
    world: &ManageWorld,
    actor: Actor<'_>,
    id: &GroupId,
    name: &ChangeName,
    wanted: &InfoChange,
) -> Result<Changed> {
    let asked = Asked { name, told: Told::Info(wanted) };
    change(world, actor, id, Some(asked), |Read { group, roster, .. }| {
        let mine = actor.who(roster);
        may(group.kind, mine, Op::Describe)?;
        let wanted = wanted.clone().allowed_in(group.kind);
        if wanted == InfoChange::default() {
            return Ok(None);
        }
        if wanted.mutes_all.is_some() {
            may(group.kind, mine, Op::MuteAll)?;
        }
        // What a business server repeats has no name by which it would be known.
        if actor.is_administrator && group.info.clone().with(&wanted, group.kind) == group.info {
            return Ok(None);
        }
        if wanted.limit.is_some_and(|limit| limit < group.members) {
            return Err(Error::BadRequest("`maxMemberNum` is less than there are members".to_owned()));
        }
        let told = Tip {
            change: Some(&wanted),
            ..Tip::new(
                TipKind::Described,
                actor.user,
                &group.id,
                wanted.name.as_ref().unwrap_or(&group.info.name),
            )
        };
        Ok(Some(Plan { tip: Some(told.payload()), what: What::Info(wanted), users: Vec::new() }))
    })
    .await
}

/// Makes a member the owner. Who was it is a member then.
///
/// # Errors
/// Those of every change.
pub async fn change_group_owner(
    world: &ManageWorld,
    actor: Actor<'_>,
    id: &GroupId,
    name: &ChangeName,
    new: &UserId,
) -> Result<Changed> {
    let asked = Asked { name, told: Told::Owner(new) };
    change(world, actor, id, Some(asked), |Read { group, roster, .. }| {
        let mine = actor.who(roster);
        may(group.kind, mine, Op::Speak)?;
        let Some(next) = roster.members.get(new) else {
            return Err(Error::BadRequest("the new owner must be a member of the group".to_owned()));
        };
        if actor.is_administrator && next.role == Role::Owner {
            return Ok(None);
        }
        may(group.kind, mine, Op::HandOver(next.role))?;
        let becomes = |user: &UserId, member: &Member, role| MemberStep::Become {
            user: user.clone(),
            member: Member { role, muted_until: 0, ..member.clone() },
            shows: true,
        };
        let old = group.owner.as_ref().and_then(|owner| Some((owner, roster.members.get(owner)?)));
        let old = old.map(|(owner, old)| becomes(owner, old, Role::Member));
        let steps = old.into_iter().chain([becomes(new, next, Role::Owner)]).collect();
        let told = Tip {
            owner: Some(Some(new)),
            ..Tip::new(TipKind::Described, actor.user, &group.id, &group.info.name)
        };
        Ok(Some(Plan {
            tip: Some(told.payload()),
            what: What::Members { steps, owner: Some(Some(new.clone())), is_free: false },
            users: vec![new.clone()],
        }))
    })
    .await
}
