//! A connection frees its device's slot: with `logout`, or because it has ended.

use hongyan_shared::{Result, model::MultiDevice};

use crate::{
    caller::Caller,
    config::{Config, Configured},
    notify::Notifier,
};

/// What it takes to leave.
pub struct World {
    notifier: Notifier,
    multi_device: MultiDevice,
    /// The business server is told whether a user logs out or is cut off.
    has_callback: bool,
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            notifier: Notifier::new(config)?,
            multi_device: config.multi_device()?,
            has_callback: config.has_callback(),
        })
    }
}

/// Frees the slot of a connection that has ended, if it is still this connection's.
pub async fn leave(world: &World, caller: &Caller) -> Result<()> {
    free(world, caller, false).await
}

/// The same of one that is about to end because its user wants it to.
pub async fn log_out(world: &World, caller: &Caller) -> Result<()> {
    free(world, caller, world.has_callback).await
}

async fn free(world: &World, caller: &Caller, is_noted: bool) -> Result<()> {
    let slot = caller.slot(world.multi_device);
    world.notifier.free(&caller.user, &slot, &caller.connection_id, is_noted).await
}
