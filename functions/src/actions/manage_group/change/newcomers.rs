//! How somebody comes into a group.

use std::collections::BTreeSet;

use hongyan_shared::{
    Error, Result,
    callback::{before_apply, before_invite},
    model::{Group, Member, ReadMarker, Role, Seq, UserId},
};

use super::{
    super::{super::ask_before_sending::ask_before_changing, World},
    plan::Read,
};
use crate::{caller::Actor, store::MemberStep};

pub fn join(user: &UserId, role: Role, joined: Seq, marker: ReadMarker, now_ms: u64) -> MemberStep {
    let member = Member { role, joined_at: now_ms / 1000, ..Member::default() };
    MemberStep::Join { user: user.clone(), member, joined, marker }
}

/// Who comes sees what is said from then on; in a meeting all that was said before as well.
pub fn join_now(read: &Read<'_>, user: &UserId) -> MemberStep {
    join_as(read, user, Role::Member)
}

/// The same of somebody who is to be this.
pub fn join_as(read: &Read<'_>, user: &UserId, role: Role) -> MemberStep {
    let joined = if read.group.kind.is_meeting() { Seq(0) } else { read.end.seq };
    join(user, role, joined, read.end, read.now_ms)
}

pub fn has_room(group: &Group, more: usize) -> Result<()> {
    if group.members.saturating_add(more as u64) > group.info.limit {
        return Err(Error::GroupFull { at_most: group.info.limit });
    }
    Ok(())
}

/// How users join, which a business server is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coming {
    /// Of their own accord.
    Apply,
    /// They are brought.
    Invited,
}

/// How users come by these steps, if any do.
pub(super) fn coming(actor: Actor<'_>, steps: &[MemberStep]) -> Option<Coming> {
    let comes = |user: &UserId| if user == actor.user { Coming::Apply } else { Coming::Invited };
    // Who was let in has been asked about when they applied.
    let is_accepted = steps.iter().any(|step| matches!(step, MemberStep::Accept { .. }));
    let mut newcomers = steps.iter().filter_map(|step| match step {
        MemberStep::Join { user, .. } => Some(comes(user)),
        _ => None,
    });
    newcomers.next().filter(|_| !is_accepted)
}

/// Asks the business server, if there is one, and returns whom it wants left out.
///
/// # Errors
/// That it does not want any of it.
pub async fn ask(
    world: &World,
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
