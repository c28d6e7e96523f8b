//! What concerns users and no conversation: profiles, blacklists, who is online.

mod change_blacklist;
mod get_user_profile;
mod get_user_status;
mod subscribe_user_status;
mod update_my_profile;

pub use change_blacklist::{add_to_blacklist, blocked_by, get_blacklist, remove_from_blacklist};
pub use get_user_profile::get_user_profile;
pub use get_user_status::get_user_status;
pub use subscribe_user_status::{subscribe_user_status, unsubscribe_user_status};
pub use update_my_profile::update_my_profile;

use hongyan_shared::model::MultiDevice;

use crate::{
    clock::Clock,
    config::{Config, Configured},
    notify::Notifier,
    store::{Blocks, Conversations, Users},
};

/// What it takes.
pub struct World {
    users: Users,
    conversations: Conversations,
    blocks: Blocks,
    notifier: Notifier,
    multi_device: MultiDevice,
    clock: Clock,
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            users: Users::new(config)?,
            conversations: Conversations::new(config)?,
            blocks: Blocks::new(config)?,
            notifier: Notifier::new(config)?,
            multi_device: config.multi_device()?,
            clock: config.clock.clone(),
        })
    }
}
