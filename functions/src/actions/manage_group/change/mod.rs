//! How a group is changed: what may be done is decided by what was read, and written on condition that it is still so. The tip
//! that tells of it is promised with it, and is the record of it as well: a change whose tip is there is not made again.

mod apply;
mod newcomers;
mod plan;
mod told;

pub(super) use newcomers::{Coming, ask, has_room, join, join_as, join_now};
pub use plan::Changed;
pub(super) use plan::{Plan, Read, What, no_member, tip};
pub(super) use told::{Asked, Told};

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use hongyan_shared::{
    Error, Result,
    model::{Draft, Group, GroupId, Op, Promised, Roster, Seq, Tip, may},
};

use super::{super::groups::SHORT_TAIL, World};
use crate::{
    caller::Actor,
    store::{Consistency, GroupTail},
};
use apply::{apply, finish, somebody};
use newcomers::coming;
use told::users_of;

/// How often a change is tried while others get in between.
pub(super) const ATTEMPTS: u64 = 8;

/// Makes a change, unless it was made before.
///
/// # Errors
/// [`Error::NoSuchGroup`], [`Error::BaseUnknown`], [`Error::ClientIdTaken`], [`Error::GroupBusy`], and why there is no plan.
/// [`Error::Throttled`] when the request may not take what another attempt would.
pub(super) async fn change(
    world: &World,
    actor: Actor<'_>,
    id: &GroupId,
    asked: Option<Asked<'_>>,
    plan: impl Fn(&Read<'_>) -> Result<Option<Plan>>,
) -> Result<Changed> {
    let name = asked.map(|asked| asked.name);
    let record = name.and_then(|name| Tip::draft(actor.user, &name.client_id, "{}"));
    let (mut named, mut refused, mut is_handled) = (name.cloned(), None, false);
    for attempt in 0..ATTEMPTS {
        back_off(attempt).await;
        let now = world.log.clock.now();
        let group = world.log.messages.live_group(id).await?;
        let roster = world.log.rosters.of(id, group.version).await?;
        // The log is looked at after the group, because a promise is forgotten only when its tip is there.
        let tail = world.log.messages.group_tail(id, SHORT_TAIL, Consistency::Strong, now).await?;
        let tail = tail.ok_or(Error::NoSuchGroup)?;
        // What a business server wants done has no name of its own: this one is new, so it is nowhere yet.
        if let Some(name) = named.as_mut().filter(|_| actor.is_administrator && attempt == 0) {
            name.base = Some(tail.last_seq());
        }
        // What was changed in between may be this very change, whose tip is nowhere to be seen yet. Members of a meeting
        // come and go without one.
        let versions = |group: &Group| (group.version, group.info_version);
        if versions(&tail.group) != versions(&group) && !group.kind.is_meeting() {
            continue;
        }
        if let Some((name, record)) = named.as_ref().zip(record.as_ref())
            && let Some(Asked { told, .. }) = asked
            && let Some(made) =
                made_before(world, (&group, &roster), &tail, record, (actor, Asked { name, told })).await?
        {
            return Ok(made);
        }
        if is_handled {
            return Err(Error::ApplicationHandled);
        }
        let read = |refused| Read { group: &group, roster: &roster, end: tail.end(), refused, now_ms: now };
        let nobody = BTreeSet::new();
        let mut planned = plan(&read(refused.as_ref().unwrap_or(&nobody)))?;
        // It is counted and asked about once, when there is something to be done that may be.
        if let Some(Plan { what: What::Members { steps, .. }, users, .. }) = &planned
            && let (None, Some(coming)) = (&refused, coming(actor, steps))
        {
            world.count(actor).await?;
            let left_out = ask(world, actor, &group, coming, users).await?;
            if !left_out.is_empty() {
                planned = plan(&read(&left_out))?;
            }
            refused = Some(left_out);
        }
        let Some(plan) = planned else {
            let last = tail.last_seq();
            return Ok(Changed { roster: (*roster).clone(), last, group, users: Vec::new(), is_new: false });
        };
        let promised = match (name, &plan.tip) {
            (Some(name), Some(payload)) => {
                let base = tail.last_seq();
                let promised = Promised { from: actor.user.clone(), base, at: now, payload: payload.clone() };
                Some((name.client_id.clone(), promised))
            }
            _ => None,
        };
        if promised.is_some() && !group.may_promise() {
            // So that there is room for one promise more.
            if let Some(member) = somebody(&roster) {
                for promise in &group.outbox {
                    world.log.publish((&group, &roster, &member), promise).await?;
                }
            }
            continue;
        }
        match apply(world, actor, &group, &plan, promised.as_ref(), now).await {
            Ok(true) => {
                let tip = promised.filter(|_| !matches!(&plan.what, What::Members { is_free: true, .. }));
                return finish(world, group, roster, tail, plan, tip, now).await;
            }
            // Somebody else was faster, or is at one of the rows at this moment.
            Ok(false) => {}
            // That may have been this very change, whose answer was lost.
            Err(Error::ApplicationHandled) => is_handled = true,
            Err(error) => return Err(error),
        }
    }
    Err(Error::GroupBusy)
}

/// Waits before another attempt, the longer the more often others have got in between.
pub(super) async fn back_off(attempt: u64) {
    if attempt > 0 {
        let ms = rand::random_range(5..40_u64).saturating_mul(attempt);
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// What this very change has come to, if it was made before.
async fn made_before(
    world: &World,
    (group, roster): (&Group, &Arc<Roster>),
    tail: &GroupTail,
    record: &Draft,
    (actor, Asked { name, told }): (Actor<'_>, Asked<'_>),
) -> Result<Option<Changed>> {
    // Who has gone since learns nothing by an old name of what is in the group by now.
    let may_know = |group: &Group, roster: &Roster| match told {
        Told::Themselves(_) => Ok(()),
        _ => may(group.kind, actor.who(roster), Op::Speak),
    };
    if let Some(promised) = group.outbox.get(&name.client_id) {
        if promised.from != record.from || !told.is_in(&promised.payload, actor, group) {
            return Err(Error::ClientIdTaken);
        }
        may_know(group, roster)?;
        let mut last = tail.last_seq();
        if let Some(member) = somebody(roster) {
            let kept = world.log.publish((group, roster, &member), (&name.client_id, promised)).await?;
            last = kept.seq.max(last);
        }
        return Ok(Some(made((group.clone(), roster), &promised.payload, last)));
    }
    let found =
        world.log.messages.find_own(&group.id, tail, record, name.base, world.log.clock.now()).await?;
    let Some(tip) = found else { return Ok(None) };
    if !told.is_in(tip.elem.payload().as_str(), actor, group) {
        return Err(Error::ClientIdTaken);
    }
    // It may have been made between the two reads: then the first one does not show what has come of it.
    let roster = world.log.rosters.of(&group.id, tail.group.version).await?;
    may_know(&tail.group, &roster)?;
    Ok(Some(made((tail.group.clone(), &roster), tip.elem.payload().as_str(), tail.last_seq())))
}

fn made((group, roster): (Group, &Roster), payload: &str, last: Seq) -> Changed {
    Changed { group, last, roster: roster.clone(), users: users_of(payload), is_new: false }
}
