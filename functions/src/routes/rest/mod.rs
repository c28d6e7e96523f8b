//! The commands of business servers: a file for each service, and in it a function for each command, of one shape.
//!
//! ```ignore
//! pub async fn account_check(world: &World, event: &Event) -> Result<Reply>
//! ```
//!
//! All are served by one function, because a business server asks now and then, and one that has to start each time is slow.

mod accounts;
mod blacklists;
mod contacts;
mod dispatch;
mod groups;
mod messages;
mod profiles;
mod speech;
mod status;

pub use dispatch::handle;

use std::collections::BTreeSet;

use hongyan_shared::{
    model::UserId,
    rest::{Body, Command, Done, Error, Result, done},
};
use serde::{Deserialize, Serialize};

use crate::{
    actions::{self, accounts::Progress},
    caller::Administrator,
    clock::Clock,
    config::{Config, Configured},
    random::Random,
};

/// What a command is told.
#[derive(Debug, Clone)]
pub struct Event {
    /// Which one it is.
    pub command: Command,
    /// Who asks.
    pub administrator: Administrator,
    /// What they ask for.
    pub body: Body,
    /// In which app.
    pub sdk_app_id: u64,
}

/// The text of an answer.
#[derive(Debug)]
pub struct Reply(pub String);

impl Event {
    /// The body as the type of the command.
    fn data<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        self.body.data(self.command)
    }

    /// Replies that something is done, if it is.
    fn progress(&self, user: &UserId, progress: Progress) -> Result<Reply> {
        done_with(user, progress).map(|()| self.reply(&Done {}))
    }

    /// Replies with a type of the API.
    fn reply<T: Serialize>(&self, data: &T) -> Reply {
        Reply(done(self.command, data))
    }
}

/// Whether something is done with a user.
fn done_with(user: &UserId, progress: Progress) -> Result<()> {
    match progress {
        Progress::Done => Ok(()),
        Progress::Unfinished => Err(Error::Unfinished),
        Progress::NoSuchUser => Err(Error::NoSuchUser(user.to_string())),
    }
}

/// Those of these names that can be users.
fn users(names: &[String]) -> BTreeSet<UserId> {
    names.iter().filter_map(|name| UserId::parse("To_Account", name).ok()).collect()
}

/// What it takes to do any of them.
pub struct World {
    accounts: actions::accounts::World,
    users: actions::manage_user::World,
    delete_account: actions::delete_account::World,
    list: actions::get_conversation_list::World,
    conversations: actions::manage_conversation::World,
    send: actions::send_message::World,
    import: actions::import_message::World,
    history: actions::get_history::World,
    reading: actions::set_message_read::World,
    unread: actions::count_unread::World,
    groups: actions::manage_group::World,
    random: Random,
    clock: Clock,
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            accounts: actions::accounts::World::new(config)?,
            users: actions::manage_user::World::new(config)?,
            delete_account: actions::delete_account::World::new(config)?,
            list: actions::get_conversation_list::World::new(config)?,
            conversations: actions::manage_conversation::World::new(config)?,
            send: actions::send_message::World::new(config)?,
            import: actions::import_message::World::new(config)?,
            history: actions::get_history::World::new(config)?,
            reading: actions::set_message_read::World::new(config)?,
            unread: actions::count_unread::World::new(config)?,
            groups: actions::manage_group::World::new(config)?,
            random: config.random.clone(),
            clock: config.clock.clone(),
        })
    }
}
