//! `setMessageRead`.

use hongyan_shared::{
    Result,
    protocol::{ReadReply, SetMessageRead},
};

use super::{Event, Reply};
pub use crate::actions::set_message_read::World;
use crate::actions::set_message_read::{set_message_read, unread};

/// A request without a `requestID` gets no answer: the client that marks what it shows has nothing
/// to do with one, and the frame would cost as much as the mark.
///
/// # Errors
/// [`hongyan_shared::Error::BadRequest`].
pub async fn handle(world: &World, event: Event) -> Result<Reply> {
    let request: SetMessageRead = event.request.data()?;
    let (pair, named) = request.parse(&event.caller.user)?;
    let conversation = set_message_read(world, event.caller.actor(), &pair, named).await?;
    if event.request.envelope.request_id.is_none() {
        return Ok(Reply::Silence);
    }
    Ok(Reply::data(&ReadReply {
        conversation_id: pair.conversation_id(),
        read_sequence: conversation.me().read.seq,
        unread_count: unread(world, &conversation).await?,
    }))
}
