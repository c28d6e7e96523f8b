//! `$connect` and `login`, because a client comes through one and then the other: what is warm for the
//! first is warm for the second.

use hongyan_shared::{
    Result,
    protocol::{NoData, connect::Served},
};

use super::{Event, Reply};
use crate::actions;
pub use crate::actions::connect::World;

/// Takes the slot of the caller's device; `login` makes sure of it.
///
/// # Errors
/// Those of [`actions::connect::connect`] and [`actions::login::login`].
pub async fn handle(world: &World, event: Event) -> Result<Reply> {
    match Served::behind(&event.route) {
        Some(Served::Login) => login(world, &event).await,
        None => connect(world, &event).await,
    }
}

async fn connect(world: &World, event: &Event) -> Result<Reply> {
    actions::connect::connect(world, &event.caller).await?;
    Ok(Reply::Silence)
}

async fn login(world: &World, event: &Event) -> Result<Reply> {
    let NoData {} = event.request.data()?;
    Ok(Reply::data(&actions::login::login(world, &event.caller).await?))
}
