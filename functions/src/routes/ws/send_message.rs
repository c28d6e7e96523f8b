//! `sendMessage`.

use hongyan_shared::{
    Result,
    protocol::{MessageReply, SendMessage, WireMessage},
};

use super::{Event, Reply};
pub use crate::actions::send_message::World;
use crate::actions::send_message::send_message;

/// Acknowledges a message with its number and its time.
///
/// # Errors
/// A bad message, and those of [`send_message`].
pub async fn handle(world: &World, event: Event) -> Result<Reply> {
    let request: SendMessage = event.request.data()?;
    let (pair, draft, sending) = request.parse(&event.caller.user)?;
    let sent = send_message(world, event.caller.actor(), &pair, &draft, sending).await?;
    Ok(Reply::data(&MessageReply { message: WireMessage::new(&pair, &sent) }))
}
