//! `deleteConversation`: a user wants a conversation out of his list. The other one keeps it, and it
//! comes back with its next message, without what was before.

use hongyan_shared::{
    Result,
    model::{Head, Message, Pair, Position, Seq},
    protocol::{ClearedReply, ConversationUpdate, DeleteConversation, Push},
};

use crate::{app::App, event::Event, runtime::Reply, store::Consistency};

/// Clears the conversation for the caller, up to the message that he names or to its last one, and
/// tells his other devices. Who repeats a request whose answer was lost should name one, because
/// another message may have come in between.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: DeleteConversation = event.request.data()?;
    let (pair, named) = request.parse(&event.caller.user)?;
    let mine = pair.mine();
    let (head, others) = tokio::join!(
        app.messages.head(&pair, 1, Consistency::Strong, app.now()),
        app.other_connections(pair.me(), &event.connection_id)
    );
    let mut head = head?;
    let mut cleared = head.standing(mine).cleared.seq;
    if let Some(last) = reached(app, &pair, &head, named).await?.filter(|last| last.seq > cleared) {
        *head.standing_mut(mine) = app.messages.clear(&pair, mine, Position::at(&last, mine)).await?;
        cleared = head.standing(mine).cleared.seq;
        // Should another device have cleared more in between, it has told so.
        if cleared == last.seq {
            let unread = app.messages.unread(&pair, &head, mine, None, app.now()).await?;
            let push = Push::ConversationListUpdated([ConversationUpdate {
                conversation_id: pair.conversation_id(mine),
                cleared_sequence: Some(cleared),
                unread_count: Some(unread),
                ..ConversationUpdate::default()
            }]);
            app.deliver(&others, &push.frame()).await;
        }
    }
    Ok(Reply::data(&ClearedReply { conversation_id: pair.conversation_id(mine), cleared_sequence: cleared }))
}

/// The last message that goes.
async fn reached(app: &App, pair: &Pair, head: &Head, named: Option<Seq>) -> Result<Option<Message>> {
    match named.filter(|named| *named < head.last_seq()) {
        None => Ok(head.last().cloned()),
        Some(named) => {
            let found = app.messages.before(pair, named.next(), 1, Consistency::Strong).await?;
            Ok(found.into_iter().next())
        }
    }
}
