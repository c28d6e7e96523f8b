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
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self { notifier: Notifier::new(config)?, multi_device: config.multi_device()? })
    }
}

/// Frees the slot, if it is still this connection's.
pub async fn leave(world: &World, caller: &Caller) -> Result<()> {
    world.notifier.free(&caller.user, &caller.slot(world.multi_device), &caller.connection_id).await
}
