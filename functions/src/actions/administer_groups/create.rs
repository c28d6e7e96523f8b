//! `create_group`, with as many members as a group may have.

use hongyan_shared::{Result, model::GroupId, protocol::NewGroup};

use super::{
    super::{
        deadline::Deadline,
        manage_group::{MEMBERS_PER_TRANSACTION, World, complete_group, create_group},
    },
    part_size,
};
use crate::caller::Actor;

/// Makes a group with as many members as may come at once, and brings the others. The same group once more is the same group, and
/// goes on where it was cut off.
///
/// # Errors
/// Those of [`create_group`], also while it brings the others; [`hongyan_shared::Error::Throttled`] when there is no more time.
pub async fn create(world: &World, actor: Actor<'_>, new: NewGroup) -> Result<GroupId> {
    let deadline = Deadline::new(&world.log.clock);
    let others = new.members.get(MEMBERS_PER_TRANSACTION..).unwrap_or_default().to_vec();
    let (mut group, _) = Box::pin(create_group(world, actor, new)).await?;
    while group.awaited > 0 {
        deadline.check()?;
        let at_once = part_size(world, true);
        group = Box::pin(complete_group(world, actor, &group.id, &others, at_once)).await?;
    }
    Ok(group.id)
}
