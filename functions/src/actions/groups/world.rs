use super::log::GroupLog;
use crate::{
    config::{Config, Configured},
    store::GroupChanges,
};

/// What it takes to change groups.
pub struct ManageWorld {
    pub(super) log: GroupLog,
    pub(super) changes: GroupChanges,
}

impl ManageWorld {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self { log: GroupLog::new(config)?, changes: GroupChanges::new(config)? })
    }
}
