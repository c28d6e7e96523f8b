//! `changeGroupOwner`: a group is somebody else's from then on.

use hongyan_shared::{
    Error, Result,
    model::{GroupId, Member, Op, Role, Tip, TipKind, UserId, may},
    protocol::ChangeName,
};

use super::{
    World,
    change::{Asked, Changed, Plan, Read, Told, What, change},
};
use crate::{caller::Actor, store::MemberStep};

/// Makes a member the owner. Who was it is a member then.
///
/// # Errors
/// Those of every change.
pub async fn change_group_owner(
    world: &World,
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
        let becomes = |user: &UserId, member: &Member, role| MemberStep::Update {
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
