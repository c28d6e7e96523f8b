//! What a user does to a conversation now and then.

mod delete_conversation;
mod delete_message;
mod in_group;
mod pin_conversation;
mod revoke_message;
mod withdraw_message;

pub use delete_conversation::delete_conversation;
pub use delete_message::delete_message;
pub use in_group::{delete_group_conversation, pin_group, revoke_group_message};
pub use pin_conversation::pin_conversation;
pub use revoke_message::revoke_message;
pub use withdraw_message::{Withdrawal, withdraw_message};

use crate::{
    audience::Audience,
    clock::Clock,
    config::{Config, Configured},
    notify::Notifier,
    store::{Conversations, Messages, MyGroups, Rosters},
};

/// What it takes to do that.
pub struct World {
    messages: Messages,
    conversations: Conversations,
    groups: MyGroups,
    rosters: Rosters,
    audience: Audience,
    notifier: Notifier,
    recall_seconds: u64,
    clock: Clock,
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            messages: Messages::new(config)?,
            conversations: Conversations::new(config)?,
            groups: MyGroups::new(config)?,
            rosters: Rosters::new(config)?,
            audience: Audience::new(config)?,
            notifier: Notifier::new(config)?,
            recall_seconds: config.recall_seconds()?,
            clock: config.clock.clone(),
        })
    }
}
