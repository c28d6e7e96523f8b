//! What a group says about itself, and whose it is.

use hongyan_shared::{
    Result,
    model::{GroupId, InfoChange, UserId},
};

use super::{
    super::manage_group::{World, change_group_owner, update_group_profile},
    new_name,
};
use crate::caller::Actor;

/// Lets a group say something else about itself.
///
/// # Errors
/// Those of [`update_group_profile`].
pub async fn modify_group(world: &World, actor: Actor<'_>, id: &GroupId, change: &InfoChange) -> Result<()> {
    Box::pin(update_group_profile(world, actor, id, &new_name(world), change)).await.map(|_| ())
}

/// Makes a member the owner.
///
/// # Errors
/// Those of [`change_group_owner`].
pub async fn hand_over(world: &World, actor: Actor<'_>, id: &GroupId, new: &UserId) -> Result<()> {
    Box::pin(change_group_owner(world, actor, id, &new_name(world), new)).await.map(|_| ())
}
