//! `deleteConversation`: a user wants a conversation out of his list. The other one keeps it, and it
//! comes back with its next message, without what was before.

use hongyan_shared::{
    Result,
    model::Position,
    protocol::{ClearedReply, ConversationUpdate, DeleteConversation, Push},
};

use crate::{app::App, event::Event, runtime::Reply, store::Consistency};

/// Clears the conversation for the caller, up to its last message, and tells his other devices.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: DeleteConversation = event.request.data()?;
    let pair = request.parse(&event.caller.user)?;
    let mine = pair.mine();
    let (head, others) = tokio::join!(
        app.messages.head(&pair, 1, Consistency::Strong, app.now()),
        app.other_connections(pair.me(), &event.connection_id)
    );
    let head = head?;
    let mut cleared = head.standing(mine).cleared.seq;
    if let Some(last) = head.last().filter(|last| last.seq > cleared) {
        cleared = last.seq;
        // Should another device have been faster, it has cleared as much or more, and has told so.
        if app.messages.clear(&pair, mine, Position::at(last, mine)).await? {
            let push = Push::ConversationListUpdated([ConversationUpdate {
                conversation_id: pair.conversation_id(mine),
                cleared_sequence: Some(cleared),
                unread_count: Some(0),
                ..ConversationUpdate::default()
            }]);
            app.deliver(&others, &push.frame()).await;
        }
    }
    Ok(Reply::data(&ClearedReply { conversation_id: pair.conversation_id(mine), cleared_sequence: cleared }))
}
