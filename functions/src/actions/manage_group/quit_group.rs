//! `quitGroup`: a member goes.

use hongyan_shared::{
    Result,
    model::{GroupId, Op, Role, Tip, TipKind, may},
    protocol::{ChangeName, NoticeKind},
};

use super::{
    World,
    change::{Asked, Changed, Plan, Read, Told, What, change, tip},
};
use crate::{caller::Actor, store::MemberStep};

/// Goes. Who is not in it has gone.
///
/// # Errors
/// Those of every change; [`hongyan_shared::Error::OwnerMayNotQuit`].
pub async fn quit_group(world: &World, actor: Actor<'_>, id: &GroupId, name: &ChangeName) -> Result<Changed> {
    let asked = Asked { name, told: Told::Themselves(TipKind::Quit) };
    let quit = change(world, actor, id, Some(asked), |Read { group, roster, .. }| {
        let Some(role) = roster.role(actor.user) else { return Ok(None) };
        may(group.kind, Some(role), Op::Quit)?;
        let users = vec![actor.user.clone()];
        let is_owner = role == Role::Owner;
        let members = Some(group.members.saturating_sub(1));
        let told =
            Tip { owner: is_owner.then_some(None), ..tip(TipKind::Quit, actor.user, group, &users, members) };
        let is_free = group.kind.is_meeting();
        // What they are is a condition of the row that goes: nobody becomes the owner of a group that they leave.
        let steps = vec![MemberStep::Leave { user: actor.user.clone(), role }];
        Ok(Some(Plan {
            tip: (!is_free).then(|| told.payload()),
            what: What::Members { steps, owner: is_owner.then_some(None), is_free },
            users,
        }))
    })
    .await?;
    if quit.is_new {
        world.log.audience.notice_others(actor, NoticeKind::Quit, &quit.group).await;
    }
    Ok(quit)
}
