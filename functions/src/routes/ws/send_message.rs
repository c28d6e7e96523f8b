//! `sendMessage`.

use hongyan_shared::{
    Result,
    model::ConversationId,
    protocol::{MessageReply, SendMessage, WireMessage},
};

use super::{Event, Reply};
use crate::{
    actions::{
        groups::{GroupLog, send_to_group},
        send_message::{self, send_message},
    },
    config::{Config, Configured},
};

/// What it takes to send to a user or to a group.
pub struct World {
    pairs: send_message::World,
    groups: GroupLog,
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self { pairs: send_message::World::new(config)?, groups: GroupLog::new(config)? })
    }
}

/// Acknowledges a message with its number and its time.
///
/// # Errors
/// A bad message, and those of [`fn@send_message`] and [`send_to_group`].
pub async fn handle(world: &World, event: Event) -> Result<Reply> {
    let request: SendMessage = event.request.data()?;
    let (conversation, draft, sending) = request.parse(&event.caller.user)?;
    let actor = event.caller.actor();
    match conversation {
        ConversationId::C2c(pair) => {
            let sent = send_message(&world.pairs, actor, &pair, &draft, sending).await?;
            Ok(Reply::data(&MessageReply { message: WireMessage::new(&pair, &sent) }))
        }
        ConversationId::Group(group) => {
            let sent = send_to_group(&world.groups, actor, &group, &draft, sending).await?;
            Ok(Reply::data(&MessageReply { message: WireMessage::in_group(&group, &sent) }))
        }
    }
}
