//! `setMessageRead`.

use hongyan_shared::{
    Result,
    model::ConversationId,
    protocol::{ReadReply, SetMessageRead},
};

use super::{Event, Reply};
pub use crate::actions::set_message_read::World;
use crate::actions::set_message_read::{set_group_read, set_message_read, unread};

/// A request without a `requestID` gets no answer: the client that marks what it shows has nothing
/// to do with one, and the frame would cost as much as the mark.
///
/// # Errors
/// [`hongyan_shared::Error::BadRequest`].
pub async fn handle(world: &World, event: Event) -> Result<Reply> {
    let request: SetMessageRead = event.request.data()?;
    let (conversation, named) = request.parse(&event.caller.user)?;
    let (actor, is_answered) = (event.caller.actor(), event.request.envelope.request_id.is_some());
    let reply = match conversation {
        ConversationId::C2c(pair) => {
            let conversation = set_message_read(world, actor, &pair, named).await?;
            let unread_count = if is_answered { unread(world, &conversation).await? } else { 0 };
            let read_sequence = conversation.me().read.seq;
            ReadReply { conversation_id: pair.conversation_id(), read_sequence, unread_count }
        }
        ConversationId::Group(group) => {
            let marked = set_group_read(world, actor, &group, named).await?;
            ReadReply {
                conversation_id: group.conversation_id(),
                read_sequence: marked.read,
                unread_count: marked.unread,
            }
        }
    };
    Ok(if is_answered { Reply::data(&reply) } else { Reply::Silence })
}
