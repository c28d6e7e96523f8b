//! What the functions of groups are built from.

use hongyan_shared::Result;

use super::log::GroupLog;
use crate::{
    caller::Actor,
    config::{Config, Configured},
    limits::ConversationLimit,
    store::GroupChanges,
};

/// What it takes to change groups.
pub struct ManageWorld {
    pub(super) log: GroupLog,
    pub(super) changes: GroupChanges,
    limit: ConversationLimit,
}

impl ManageWorld {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            log: GroupLog::new(config)?,
            changes: GroupChanges::new(config)?,
            limit: ConversationLimit::new(config)?,
        })
    }

    /// Counts that somebody gets into a group, for who has asked for it; for a business server nobody counts.
    ///
    /// # Errors
    /// [`hongyan_shared::Error::TooManyConversations`].
    pub(super) async fn count(&self, actor: Actor<'_>) -> Result<()> {
        if actor.is_administrator { Ok(()) } else { self.limit.count_group(actor.user).await }
    }

    /// What it takes to speak in them.
    pub fn log(&self) -> &GroupLog {
        &self.log
    }
}
