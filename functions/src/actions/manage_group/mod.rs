//! What is done with groups now and then, a file per verb. `change` is how a group is changed: each verb that does so has a plan
//! for it.

mod add_group_member;
mod change;
mod change_group_owner;
mod complete_group;
mod create_group;
mod delete_group_member;
mod dismiss_group;
mod get_group_application_list;
mod get_group_member;
mod get_group_profile;
mod handle_group_application;
mod join_group;
mod mute_group_member;
mod quit_group;
mod set_group_member;
mod update_group_profile;

pub use add_group_member::add_group_member;
pub use change::Changed;
pub use change_group_owner::change_group_owner;
pub(super) use complete_group::complete_group;
pub(super) use create_group::MEMBERS_PER_TRANSACTION;
pub use create_group::create_group;
pub use delete_group_member::delete_group_member;
pub use dismiss_group::dismiss_group;
pub use get_group_application_list::get_group_application_list;
pub use get_group_member::{Members, get_group_member_list, get_group_member_profile, get_group_roster};
pub use get_group_profile::get_group_profile;
pub use handle_group_application::handle_group_application;
pub use join_group::join_group;
pub(super) use mute_group_member::mute_group_member;
pub use quit_group::quit_group;
pub use set_group_member::{MemberChanged, set_group_member};
pub use update_group_profile::update_group_profile;

use hongyan_shared::Result;

use super::groups::GroupLog;
use crate::{
    caller::Actor,
    config::{Config, Configured},
    limits::ConversationLimit,
    store::GroupChanges,
};

/// What it takes to do that.
pub struct World {
    pub(super) log: GroupLog,
    changes: GroupChanges,
    limit: ConversationLimit,
}

impl World {
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
    async fn count(&self, actor: Actor<'_>) -> Result<()> {
        if actor.is_administrator { Ok(()) } else { self.limit.count_group(actor.user).await }
    }

    /// What it takes to speak in them.
    pub fn log(&self) -> &GroupLog {
        &self.log
    }
}
