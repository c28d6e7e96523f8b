//! What a user does to a conversation now and then. The routes share a function, so that none of
//! them is cold for itself alone.

use hongyan_shared::{
    Error, Result,
    model::ConversationId,
    protocol::{
        ClearedReply, DeleteConversation, DeleteMessage, Deletion, MessageReply, PinConversation,
        PinnedReply, RevokeMessage, WireMessage, manage_conversation::Served,
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
    let (conversation, seq) = request.parse(&event.caller.user)?;
    let actor = event.caller.actor();
    match conversation {
        ConversationId::C2c(pair) => {
            let left = actions::revoke_message(world, actor, &pair, seq.into()).await?;
            Ok(Reply::data(&MessageReply { message: WireMessage::new(&pair, &left) }))
        }
        ConversationId::Group(group) => {
            let left = actions::revoke_group_message(world, actor, &group, seq).await?;
            Ok(Reply::data(&MessageReply { message: WireMessage::in_group(&group, &left) }))
        }
    }
}

async fn delete_message(world: &World, event: &Event) -> Result<Reply> {
    let request: DeleteMessage = event.request.data()?;
    let (pair, messages) = request.parse(&event.caller.user)?;
    let deleted = actions::delete_message(world, event.caller.actor(), &pair, &messages).await?;
    Ok(Reply::data(&deleted))
}

async fn delete_conversation(world: &World, event: &Event) -> Result<Reply> {
    let request: DeleteConversation = event.request.data()?;
    let (conversation, up_to, keeps_history) = request.parse(&event.caller.user)?;
    let actor = event.caller.actor();
    Ok(Reply::data(&match conversation {
        ConversationId::C2c(pair) => {
            let deletion = Deletion { pair, up_to, keeps_history };
            let state = actions::delete_conversation(world, actor, &deletion).await?;
            ClearedReply {
                conversation_id: deletion.pair.conversation_id(),
                cleared_sequence: state.cleared.seq,
                unlisted_sequence: state.unlisted.seq.named(),
            }
        }
        ConversationId::Group(group) => {
            let marked =
                actions::delete_group_conversation(world, actor, &group, up_to, keeps_history).await?;
            ClearedReply {
                conversation_id: group.conversation_id(),
                cleared_sequence: marked.cleared,
                unlisted_sequence: marked.unlisted.named(),
            }
        }
    }))
}

async fn pin_conversation(world: &World, event: &Event) -> Result<Reply> {
    let request: PinConversation = event.request.data()?;
    let (conversation, is_pinned) = request.parse(&event.caller.user)?;
    let actor = event.caller.actor();
    let conversation_id = match conversation {
        ConversationId::C2c(pair) => {
            actions::pin_conversation(world, actor, &pair, is_pinned).await?;
            pair.conversation_id()
        }
        ConversationId::Group(group) => {
            actions::pin_group(world, actor, &group, is_pinned).await?;
            group.conversation_id()
        }
    };
    Ok(Reply::data(&PinnedReply { conversation_id, is_pinned }))
}
