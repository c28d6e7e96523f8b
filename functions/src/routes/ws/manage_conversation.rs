//! What a user does to a conversation now and then. The routes share a function, so that none of
//! them is cold for itself alone.

use hongyan_shared::{
    Error, Result,
    protocol::{
        ClearedReply, DeleteConversation, DeleteMessage, MessageReply, PinConversation, PinnedReply,
        RevokeMessage, WireMessage, manage_conversation::Served,
    },
};

use super::{Event, Reply};
use crate::actions::manage_conversation as actions;
pub use crate::actions::manage_conversation::World;

/// Does what the event's route says.
///
/// # Errors
/// A bad request, and those of the action.
pub async fn handle(world: &World, event: Event) -> Result<Reply> {
    match Served::behind(&event.route).ok_or(Error::UnknownAction)? {
        Served::RevokeMessage => revoke_message(world, &event).await,
        Served::DeleteMessage => delete_message(world, &event).await,
        Served::DeleteConversation => delete_conversation(world, &event).await,
        Served::PinConversation => pin_conversation(world, &event).await,
    }
}

async fn revoke_message(world: &World, event: &Event) -> Result<Reply> {
    let request: RevokeMessage = event.request.data()?;
    let (pair, seq) = request.parse(&event.caller.user)?;
    let left = actions::revoke_message(world, event.caller.actor(), &pair, seq.into()).await?;
    Ok(Reply::data(&MessageReply { message: WireMessage::new(&pair, &left) }))
}

async fn delete_message(world: &World, event: &Event) -> Result<Reply> {
    let request: DeleteMessage = event.request.data()?;
    let (pair, sequences) = request.parse(&event.caller.user)?;
    let deleted = actions::delete_message(world, event.caller.actor(), &pair, &sequences).await?;
    Ok(Reply::data(&deleted))
}

async fn delete_conversation(world: &World, event: &Event) -> Result<Reply> {
    let request: DeleteConversation = event.request.data()?;
    let deletion = request.parse(&event.caller.user)?;
    let state = actions::delete_conversation(world, event.caller.actor(), &deletion).await?;
    Ok(Reply::data(&ClearedReply {
        conversation_id: deletion.pair.conversation_id(),
        cleared_sequence: state.cleared.seq,
        unlisted_sequence: state.unlisted.seq.named(),
    }))
}

async fn pin_conversation(world: &World, event: &Event) -> Result<Reply> {
    let request: PinConversation = event.request.data()?;
    let (pair, is_pinned) = request.parse(&event.caller.user)?;
    actions::pin_conversation(world, event.caller.actor(), &pair, is_pinned).await?;
    Ok(Reply::data(&PinnedReply { conversation_id: pair.conversation_id(), is_pinned }))
}
