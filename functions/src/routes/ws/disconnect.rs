//! `$disconnect`: best effort by API Gateway, so it may come late, twice or never.

use hongyan_shared::Result;

use super::{Event, Reply};
pub use crate::actions::leave::World;
use crate::actions::leave::leave;

/// Frees the slot.
pub async fn handle(world: &World, event: Event) -> Result<Reply> {
    leave(world, &event.caller).await?;
    Ok(Reply::Silence)
}
