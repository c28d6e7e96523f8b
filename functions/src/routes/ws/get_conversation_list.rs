//! `getConversationList`.

use hongyan_shared::{
    Result,
    protocol::{GetConversationList, ListRequest, MAX_REPLY_BYTES},
};

use super::{super::conversation_page::conversation_page, Event, Reply};
pub use crate::actions::get_conversation_list::World;
use crate::actions::get_conversation_list::{Wanted, get_conversation_list};

/// Answers with conversations, newest first: as many as fit the frame, and as it may read.
///
/// # Errors
/// [`hongyan_shared::Error::BadRequest`].
pub async fn handle(world: &World, event: Event) -> Result<Reply> {
    let request: GetConversationList = event.request.data()?;
    let me = &event.caller.user;
    let request = request.parse(me)?;
    let wanted = match &request {
        ListRequest::Page(after, count) => Wanted::Page(after.as_ref(), *count),
        ListRequest::Named(users, groups) => Wanted::Named(users, groups),
    };
    let part = get_conversation_list(world, me, wanted, MAX_REPLY_BYTES).await?;
    Ok(Reply::data(&conversation_page(&part, MAX_REPLY_BYTES)))
}
