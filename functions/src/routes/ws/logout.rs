//! `logout`: this device wants no more messages, and its connection is good for nothing else.

use hongyan_shared::{Result, protocol::NoData};

use super::{Event, Reply};
pub use crate::actions::leave::World;
use crate::actions::leave::log_out;

/// Frees the slot, answers, and ends the connection.
///
/// # Errors
/// [`hongyan_shared::Error::BadRequest`].
pub async fn handle(world: &World, event: Event) -> Result<Reply> {
    let NoData {} = event.request.data()?;
    log_out(world, &event.caller).await?;
    Ok(Reply::last(&NoData {}))
}
