//! `deleteGroupMember`: members are put out.

use hongyan_shared::{
    Result,
    model::{GroupId, Op, Tip, TipKind, UserId, may},
    protocol::{ChangeName, NoticeKind, WireNotice},
};

use super::{
    World,
    change::{Asked, Changed, Plan, Read, Told, What, change, tip},
};
use crate::{caller::Actor, store::MemberStep};

/// Puts members out. Returns whom. There is no tip of it if that is to be silent.
///
/// # Errors
/// Those of every change.
pub async fn delete_group_member(
    world: &World,
    actor: Actor<'_>,
    id: &GroupId,
    name: &ChangeName,
    users: &[UserId],
    (reason, is_silent): (&str, bool),
) -> Result<Changed> {
    let asked = Asked { name, told: Told::Members(TipKind::Kicked, users) };
    let gone = change(world, actor, id, Some(asked), |Read { group, roster, .. }| {
        let mine = actor.who(roster);
        may(group.kind, mine, Op::Speak)?;
        let (mut steps, mut out) = (Vec::new(), Vec::new());
        for user in users {
            let Some(role) = roster.role(user) else { continue };
            may(group.kind, mine, Op::Kick(role))?;
            steps.push(MemberStep::Leave { user: user.clone(), role });
            out.push(user.clone());
        }
        if out.is_empty() {
            return Ok(None);
        }
        let members = group.members.saturating_sub(out.len() as u64);
        let told = Tip {
            reason: Some(reason).filter(|reason| !reason.is_empty()),
            ..tip(TipKind::Kicked, actor.user, group, &out, Some(members))
        };
        Ok(Some(Plan {
            tip: (!is_silent && !group.kind.is_meeting()).then(|| told.payload()),
            what: What::Members { steps, owner: None, is_free: false },
            users: out,
        }))
    })
    .await?;
    if gone.is_new {
        let now = world.log.clock.now();
        let notice = WireNotice::new(NoticeKind::Kicked, &gone.group, actor.user, now).saying(reason);
        world.log.audience.notice(&gone.users, None, notice).await;
    }
    Ok(gone)
}
