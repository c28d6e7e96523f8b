//! Members are kept from speaking: one by `setGroupMember`, several by a business server.

use hongyan_shared::{
    Result,
    model::{GroupId, Member, Op, Tip, TipKind, UserId, may},
    protocol::ChangeName,
};

use super::{
    World,
    change::{Asked, Changed, Plan, Read, Told, What, change, no_member, tip},
};
use crate::{caller::Actor, store::MemberStep};

/// By how many seconds the end of a mute may differ that a business server asks for again.
const SAME_MUTE_S: u64 = 30;

/// Keeps members from speaking for so many seconds, or lets them; who is not in the group is passed over.
///
/// # Errors
/// Those of every change.
pub async fn mute_group_member(
    world: &World,
    actor: Actor<'_>,
    id: &GroupId,
    name: &ChangeName,
    users: &[UserId],
    seconds: u64,
) -> Result<Changed> {
    let asked = Asked { name, told: Told::Muted(users, seconds) };
    change(world, actor, id, Some(asked), |Read { group, roster, now_ms, .. }| {
        let mine = actor.who(roster);
        may(group.kind, mine, Op::Speak)?;
        let until = if seconds == 0 { 0 } else { (now_ms / 1000).saturating_add(seconds) };
        let is_so = |member: &Member| {
            let difference = member.muted_until.abs_diff(until);
            difference <= if actor.is_administrator { SAME_MUTE_S } else { 0 }
        };
        let (mut steps, mut muted) = (Vec::new(), Vec::new());
        let members = users.iter().filter_map(|user| roster.members.get_key_value(user));
        let members: Vec<_> = members.collect();
        if members.is_empty() {
            return Err(no_member());
        }
        for (user, member) in members {
            may(group.kind, mine, Op::Mute(member.role))?;
            if is_so(member) {
                continue;
            }
            let member = Member { muted_until: until, ..member.clone() };
            steps.push(MemberStep::Update { user: user.clone(), member, shows: false });
            muted.push(user.clone());
        }
        if muted.is_empty() {
            return Ok(None);
        }
        let told =
            Tip { mute_seconds: Some(seconds), ..tip(TipKind::Muted, actor.user, group, &muted, None) };
        Ok(Some(Plan {
            tip: Some(told.payload()),
            what: What::Members { steps, owner: None, is_free: false },
            users: muted,
        }))
    })
    .await
}
