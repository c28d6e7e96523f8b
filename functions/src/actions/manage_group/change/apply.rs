//! A plan is written, and what there is to do then.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::future::try_join_all;
use hongyan_shared::{
    Error, Result,
    model::{ClientId, Group, Member, Membership, Moved, Movement, Promised, RemindType, Roster, UserId},
};

use super::{
    super::{super::groups::Snapshot, World},
    plan::{Changed, Plan, What},
};
use crate::{
    caller::Actor,
    store::{GroupTail, MemberStep, MembersChange, membership},
};

/// Writes what is planned, on condition that the group is still that one. Whether it was.
pub(super) async fn apply(
    world: &World,
    actor: Actor<'_>,
    group: &Group,
    plan: &Plan,
    promised: Option<&(ClientId, Promised)>,
    now_ms: u64,
) -> Result<bool> {
    let promised = promised.map(|(token, promised)| (token, promised));
    let (steps, owner, is_free, awaited) = match &plan.what {
        What::Info(change) => {
            let no_tip = || Error::Internal("a description has no tip".to_owned());
            return world.log.messages.describe(group, change, promised.ok_or_else(no_tip)?, now_ms).await;
        }
        What::Members { steps, owner, is_free } => (steps, owner.as_ref(), *is_free, None),
        What::Complete { steps, awaited } => (steps, None, false, Some(*awaited)),
    };
    let newcomers = steps.iter().filter_map(|step| match step {
        MemberStep::Join { user, .. } => Some(world.log.mine.set_has_groups(user)),
        _ => None,
    });
    try_join_all(newcomers).await?;
    let change = MembersChange {
        group,
        is_free,
        owner: owner.map(Option::as_ref),
        awaited,
        promised,
        steps: steps.clone(),
        moved: moved(world, actor, plan, steps, now_ms),
    };
    world.changes.change(&change, now_ms).await
}

/// Who comes or goes by these steps, for the business server. Of what it is not told, nothing is kept.
fn moved(world: &World, actor: Actor<'_>, plan: &Plan, steps: &[MemberStep], now_ms: u64) -> Option<Moved> {
    world.log.business_server.as_ref()?;
    let is_accepted = steps.iter().any(|step| matches!(step, MemberStep::Accept { .. }));
    let themselves = |user: &UserId| user == actor.user;
    let how = steps.iter().find_map(|step| match step {
        MemberStep::Join { user, .. } if is_accepted || themselves(user) => Some(Movement::Applied),
        MemberStep::Join { .. } => Some(Movement::Invited),
        MemberStep::Leave { user, .. } if themselves(user) => Some(Movement::Quit),
        MemberStep::Leave { .. } => Some(Movement::Kicked),
        MemberStep::Update { .. } | MemberStep::SetRemind { .. } | MemberStep::Accept { .. } => None,
    })?;
    Some(Moved { how, by: actor.user.clone(), users: plan.users.clone(), at: now_ms })
}

/// What there is to do when a change is made: its tip gets its number, and so do those that others have promised and not published.
pub(super) async fn finish(
    world: &World,
    mut group: Group,
    roster: Arc<Roster>,
    tail: GroupTail,
    plan: Plan,
    tip: Option<(ClientId, Promised)>,
    now_ms: u64,
) -> Result<Changed> {
    let mut after = (*roster).clone();
    match &plan.what {
        What::Members { steps, .. } | What::Complete { steps, .. } => {
            after_steps(&mut after.members, steps);
            group.version = group.version.saturating_add(1);
            after.version = group.version;
            group.members = after.members.len() as u64;
        }
        What::Info(change) => {
            group.info = group.info.with(change, group.kind);
            group.changed_at = now_ms;
            group.info_version = group.info_version.saturating_add(1);
        }
    }
    match &plan.what {
        What::Members { owner: Some(owner), .. } => group.owner.clone_from(owner),
        What::Complete { awaited, .. } => group.awaited = *awaited,
        What::Members { .. } | What::Info(_) => {}
    }
    let mut last = tail.last_seq();
    // Who goes was in it until now, and who comes is from now on.
    if let Some(member) = [&*roster, &after].into_iter().find_map(somebody) {
        let tail = tail.open(&member);
        let snapshot = Snapshot { group: group.clone(), roster: Arc::new(after.clone()), member, tail };
        if let Some((token, promised)) = &tip {
            last = world.log.publish_behind(&snapshot, (token, promised)).await?.seq;
        }
        world.log.publish_stale(&snapshot).await?;
    }
    Ok(Changed { group, last, roster: after, users: plan.users, is_new: true })
}

fn after_steps(members: &mut BTreeMap<UserId, Member>, steps: &[MemberStep]) {
    for step in steps {
        match step {
            MemberStep::Join { user, member, .. } | MemberStep::Update { user, member, .. } => {
                members.insert(user.clone(), member.clone());
            }
            MemberStep::Leave { user, .. } => _ = members.remove(user),
            MemberStep::SetRemind { user, remind } => {
                if let Some(member) = members.get_mut(user) {
                    member.discards = *remind == RemindType::Discard;
                }
            }
            MemberStep::Accept { .. } => {}
        }
    }
}

/// One of the members of a group, if anybody is in it.
pub(super) fn somebody(roster: &Roster) -> Option<Membership> {
    roster.members.keys().next().and_then(|user| membership(roster, user))
}
