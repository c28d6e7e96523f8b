//! `pinConversation`: a user wants a conversation on top of his list, or no longer.

use hongyan_shared::{
    Error, Result,
    protocol::{ConversationUpdate, PinConversation, PinnedReply, Push},
};

use crate::{app::App, event::Event, runtime::Reply};

/// Pins or unpins, and tells the caller's other devices.
///
/// # Errors
/// [`Error::NoSuchConversation`], a bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: PinConversation = event.request.data()?;
    let (pair, is_pinned) = request.parse(&event.caller.user)?;
    let (exists, others) = tokio::join!(
        app.conversations.pin(&pair, is_pinned),
        app.other_connections(&event)
    );
    if !exists? {
        return Err(Error::NoSuchConversation);
    }
    let conversation_id = pair.conversation_id(pair.mine());
    let push = Push::ConversationListUpdated([ConversationUpdate {
        conversation_id: conversation_id.clone(),
        is_pinned: Some(is_pinned),
        ..ConversationUpdate::default()
    }]);
    app.deliver(&others, &push.frame()).await;
    Ok(Reply::data(&PinnedReply { conversation_id, is_pinned }))
}
