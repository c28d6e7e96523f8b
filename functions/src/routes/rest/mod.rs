//! The commands of business servers: a file for each service, and in it a function for each command, of one shape.
//!
//! ```ignore
//! pub async fn account_check(world: &World, event: &Event) -> Result<Reply>
//! ```
//!
//! All are served by one function, because a business server asks now and then, and one that has to start each time is slow.

mod accounts;
mod dispatch;

pub use dispatch::handle;

use hongyan_shared::rest::{Body, Command, Result, done};
use serde::{Deserialize, Serialize};

use crate::{
    actions,
    caller::Administrator,
    config::{Config, Configured},
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
}

/// The text of an answer.
#[derive(Debug)]
pub struct Reply(pub String);

impl Event {
    /// The body as the type of the command.
    fn data<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        self.body.data(self.command)
    }

    /// Replies with a type of the API.
    fn reply<T: Serialize>(&self, data: &T) -> Reply {
        Reply(done(self.command, data))
    }
}

/// What it takes to do any of them.
pub struct World {
    accounts: actions::accounts::World,
    users: actions::manage_user::World,
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            accounts: actions::accounts::World::new(config)?,
            users: actions::manage_user::World::new(config)?,
        })
    }
}
