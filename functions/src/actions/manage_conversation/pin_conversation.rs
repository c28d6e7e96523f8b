//! `pinConversation`: a user wants a conversation on top of their list, or no longer.

use hongyan_shared::{
    Error, Result,
    model::Pair,
    protocol::{ConversationUpdate, Push},
};

use super::World;
use crate::caller::Actor;

/// Pins or unpins, and tells the actor's other devices.
///
/// # Errors
/// [`Error::NoSuchConversation`].
pub async fn pin_conversation(world: &World, actor: Actor<'_>, pair: &Pair, is_pinned: bool) -> Result<()> {
    let (exists, others) =
        tokio::join!(world.conversations.pin(pair, is_pinned), world.notifier.other_connections(actor));
    if !exists? {
        return Err(Error::NoSuchConversation);
    }
    let push = Push::ConversationListUpdated([ConversationUpdate {
        conversation_id: pair.conversation_id(),
        is_pinned: Some(is_pinned),
        ..ConversationUpdate::default()
    }]);
    world.notifier.deliver(&others, &push.frame()).await;
    Ok(())
}
