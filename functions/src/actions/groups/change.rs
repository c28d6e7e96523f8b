//! How a group is changed: what may be done is decided by what was read, and written on condition that it is still so. The tip
//! that tells of it is promised with it, and is the record of it as well: a change whose tip is there is not made again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures_util::future::try_join_all;
use hongyan_shared::{
    Error, Result,
    callback::{before_apply, before_invite},
    model::{
        ClientId, Draft, Group, GroupId, InfoChange, Member, Membership, Moved, Movement, Op, Promised,
        ReadMarker, RemindType, Roster, Seq, Tip, TipKind, UserId, may,
    },
    protocol::ChangeName,
};
use serde_json::{Value, json};

use super::{
    super::ask_before_sending::ask_before_changing,
    log::{Entered, SHORT_TAIL},
    world::ManageWorld,
};
use crate::{
    caller::Actor,
    store::{Consistency, GroupTail, MemberStep, MembersChange, membership},
};

/// How often a change is tried while others get in between.
pub(super) const ATTEMPTS: u64 = 8;

/// What a change has come to.
pub struct Changed {
    /// The group as it is then.
    pub group: Group,
    /// The number of its last message.
    pub last: Seq,
    /// Who is in it then.
    pub roster: Roster,
    /// Whom it has concerned.
    pub users: Vec<UserId>,
    /// Whether this request has made it. If not, an earlier attempt has, or there was nothing to do.
    pub is_new: bool,
}

/// What is to be done.
pub(super) struct Plan {
    /// What it does.
    pub what: What,
    /// Whom it concerns.
    pub users: Vec<UserId>,
    /// What the tip says, if there is one.
    pub tip: Option<String>,
}

/// How users come, which a business server is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coming {
    /// Of their own accord.
    Apply,
    /// They are brought.
    Invited,
}

/// What a change does.
pub(super) enum What {
    /// Something becomes of members, and perhaps of whose the group is.
    Members {
        /// What becomes of them.
        steps: Vec<MemberStep>,
        /// Whose the group is then.
        owner: Option<Option<UserId>>,
        /// It does not matter who else comes or goes.
        is_free: bool,
    },
    /// Some of those come with whom the group was made. Nobody is asked about them: that was done when it was made.
    Complete {
        /// They come.
        steps: Vec<MemberStep>,
        /// How many have not come yet then.
        awaited: u64,
    },
    /// The group says something else about itself.
    Info(InfoChange),
}

/// What somebody asks for by a name, as its tip tells of it: one and the same name may not stand for anything else.
#[derive(Debug, Clone, Copy)]
pub(super) enum Told<'a> {
    /// That they have come, or gone, themselves.
    Themselves(TipKind),
    /// That this has happened to these, or some of them.
    Members(TipKind, &'a [UserId]),
    /// That these, or some of them, may not speak for so many seconds.
    Muted(&'a [UserId], u64),
    /// That the group says this about itself.
    Info(&'a InfoChange),
    /// That the group is theirs.
    Owner(&'a UserId),
    /// Nothing: it has no tip.
    Nothing,
}

/// A change by its name.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The name.
    pub name: &'a ChangeName,
    /// What its tip tells of.
    pub told: Told<'a>,
}

/// What a plan is made of.
pub(super) struct Read<'a> {
    /// The group.
    pub group: &'a Group,
    /// Who is in it.
    pub roster: &'a Roster,
    /// Where its log ends: who comes now has read up to there.
    pub end: ReadMarker,
    /// Whom the business server wants left out.
    pub refused: &'a BTreeSet<UserId>,
    /// The time, in milliseconds.
    pub now_ms: u64,
}

/// Makes a change, unless it was made before.
///
/// # Errors
/// [`Error::NoSuchGroup`], [`Error::BaseUnknown`], [`Error::ClientIdTaken`], [`Error::GroupBusy`], and why there is no plan.
/// [`Error::Throttled`] when the request may not take what another attempt would.
pub(super) async fn change(
    world: &ManageWorld,
    actor: Actor<'_>,
    id: &GroupId,
    asked: Option<Asked<'_>>,
    plan: impl Fn(&Read<'_>) -> Result<Option<Plan>>,
) -> Result<Changed> {
    let name = asked.map(|asked| asked.name);
    let record = name.and_then(|name| Tip::draft(actor.user, &name.client_id, "{}"));
    let (mut named, mut refused, mut is_handled) = (name.cloned(), None, false);
    for attempt in 0..ATTEMPTS {
        let_others_go_first(attempt).await;
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
                    world.log.keep((&group, &roster, &member), promise).await?;
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
pub(super) async fn let_others_go_first(attempt: u64) {
    if attempt > 0 {
        let ms = rand::random_range(5..40_u64).saturating_mul(attempt);
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// What this very change has come to, if it was made before.
async fn made_before(
    world: &ManageWorld,
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
            let kept = world.log.keep((group, roster, &member), (&name.client_id, promised)).await?;
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

impl Told<'_> {
    /// Whether that is what the payload of a tip tells of.
    fn is_in(self, payload: &str, actor: Actor<'_>, group: &Group) -> bool {
        let said: Value = serde_json::from_str(payload).unwrap_or_default();
        let is_of = |kind: TipKind| said.get("operationType") == Some(&json!(kind as u8));
        let concerns = |kind: TipKind, users: &[UserId]| {
            let told = users_of(payload);
            is_of(kind) && !told.is_empty() && told.iter().all(|user| users.contains(user))
        };
        let says = |tip: Tip<'_>| {
            let tip: Value = serde_json::from_str(&tip.payload()).unwrap_or_default();
            is_of(TipKind::Described) && said.get("newGroupProfile") == tip.get("newGroupProfile")
        };
        let described = Tip::new(TipKind::Described, actor.user, &group.id, &group.info.name);
        match self {
            Self::Themselves(kind) => concerns(kind, std::slice::from_ref(actor.user)),
            Self::Members(kind, users) => concerns(kind, users),
            Self::Muted(users, seconds) => {
                concerns(TipKind::Muted, users)
                    && said.pointer("/memberList/0/muteTime") == Some(&json!(seconds))
            }
            Self::Info(change) => {
                let change = change.clone().allowed_in(group.kind);
                says(Tip { change: Some(&change), ..described })
            }
            Self::Owner(owner) => says(Tip { owner: Some(Some(owner)), ..described }),
            Self::Nothing => false,
        }
    }
}

fn users_of(payload: &str) -> Vec<UserId> {
    let payload: Value = serde_json::from_str(payload).unwrap_or_default();
    let users = payload.get("userIDList").and_then(Value::as_array).into_iter().flatten();
    users.filter_map(|user| UserId::parse("user", user.as_str()?).ok()).collect()
}

/// How users come by these steps, if any do.
fn coming(actor: Actor<'_>, steps: &[MemberStep]) -> Option<Coming> {
    let comes = |user: &UserId| if user == actor.user { Coming::Apply } else { Coming::Invited };
    // Who was let in has been asked about when they applied.
    let is_accepted = steps.iter().any(|step| matches!(step, MemberStep::Accept { .. }));
    let mut newcomers = steps.iter().filter_map(|step| match step {
        MemberStep::Come { user, .. } => Some(comes(user)),
        _ => None,
    });
    newcomers.next().filter(|_| !is_accepted)
}

/// Asks the business server, if there is one, and returns whom it wants left out.
///
/// # Errors
/// That it does not want any of it.
pub(super) async fn ask(
    world: &ManageWorld,
    actor: Actor<'_>,
    group: &Group,
    coming: Coming,
    users: &[UserId],
) -> Result<BTreeSet<UserId>> {
    let Some(server) = &world.log.business_server else { return Ok(BTreeSet::new()) };
    let call = match coming {
        Coming::Apply => before_apply(actor.user, group, actor.platform()),
        Coming::Invited => before_invite(actor.user, group, users, actor.platform()),
    };
    ask_before_changing(server, &call).await
}

/// Who comes or goes by these steps, for the business server. Of what it is not told, nothing is kept.
fn moved(
    world: &ManageWorld,
    actor: Actor<'_>,
    plan: &Plan,
    steps: &[MemberStep],
    now_ms: u64,
) -> Option<Moved> {
    world.log.business_server.as_ref()?;
    let is_accepted = steps.iter().any(|step| matches!(step, MemberStep::Accept { .. }));
    let themselves = |user: &UserId| user == actor.user;
    let how = steps.iter().find_map(|step| match step {
        MemberStep::Come { user, .. } if is_accepted || themselves(user) => Some(Movement::Applied),
        MemberStep::Come { .. } => Some(Movement::Invited),
        MemberStep::Go { user, .. } if themselves(user) => Some(Movement::Quit),
        MemberStep::Go { .. } => Some(Movement::Kicked),
        MemberStep::Become { .. } | MemberStep::Hear { .. } | MemberStep::Accept { .. } => None,
    })?;
    Some(Moved { how, by: actor.user.clone(), users: plan.users.clone(), at: now_ms })
}

async fn apply(
    world: &ManageWorld,
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
        MemberStep::Come { user, .. } => Some(world.log.mine.announce(user)),
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

/// What there is to do when a change is made: its tip gets its number, and what others have promised and not kept is kept.
async fn finish(
    world: &ManageWorld,
    mut group: Group,
    roster: Arc<Roster>,
    tail: GroupTail,
    plan: Plan,
    tip: Option<(ClientId, Promised)>,
    now_ms: u64,
) -> Result<Changed> {
    let mut after = (*roster).clone();
    match &plan.what {
        What::Members { steps, owner, .. } => {
            after_steps(&mut after.members, steps);
            group.version = group.version.saturating_add(1);
            after.version = group.version;
            group.members = after.members.len() as u64;
            if let Some(owner) = owner {
                group.owner.clone_from(owner);
            }
        }
        What::Complete { steps, awaited } => {
            after_steps(&mut after.members, steps);
            group.version = group.version.saturating_add(1);
            after.version = group.version;
            group.members = after.members.len() as u64;
            group.awaited = *awaited;
        }
        What::Info(change) => {
            group.info = group.info.with(change, group.kind);
            group.changed_at = now_ms;
            group.info_version = group.info_version.saturating_add(1);
        }
    }
    let mut last = tail.last_seq();
    // Who goes was in it until now, and who comes is from now on.
    if let Some(member) = [&*roster, &after].into_iter().find_map(somebody) {
        let tail = tail.open(&member);
        let entered = Entered { group: group.clone(), roster: Arc::new(after.clone()), member, tail };
        if let Some((token, promised)) = &tip {
            last = world.log.keep_behind(&entered, (token, promised)).await?.seq;
        }
        world.log.keep_broken(&entered).await?;
    }
    Ok(Changed { group, last, roster: after, users: plan.users, is_new: true })
}

fn after_steps(members: &mut BTreeMap<UserId, Member>, steps: &[MemberStep]) {
    for step in steps {
        match step {
            MemberStep::Come { user, member, .. } | MemberStep::Become { user, member, .. } => {
                members.insert(user.clone(), member.clone());
            }
            MemberStep::Go { user, .. } => _ = members.remove(user),
            MemberStep::Hear { user, remind } => {
                if let Some(member) = members.get_mut(user) {
                    member.discards = *remind == RemindType::Discard;
                }
            }
            MemberStep::Accept { .. } => {}
        }
    }
}

/// One of the members of a group, if anybody is in it.
fn somebody(roster: &Roster) -> Option<Membership> {
    roster.members.keys().next().and_then(|user| membership(roster, user))
}
