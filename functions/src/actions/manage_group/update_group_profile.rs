//! `updateGroupProfile`: what a group says about itself.

use hongyan_shared::{
    Error, Result,
    model::{GroupId, InfoChange, Op, Tip, TipKind, may},
    protocol::ChangeName,
};

use super::{
    World,
    change::{Asked, Changed, Plan, Read, Told, What, change},
};
use crate::caller::Actor;

/// Lets a group say something else about itself.
///
/// # Errors
/// Those of every change.
pub async fn update_group_profile(
    world: &World,
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
