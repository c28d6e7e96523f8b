//! `deleteConversation`: a user wants a conversation out of their list. The other one keeps it, and it
//! comes back with its next message, without what was before or with it, as they wanted.

use hongyan_shared::{
    Result,
    model::{Head, Message, Pair, Position, Seq, Standing},
    protocol::{ClearedReply, ConversationUpdate, DeleteConversation, Deletion, Push},
};

use crate::{app::App, event::Event, runtime::Reply, store::Consistency};

/// Clears the conversation for the caller, or takes it out of the list alone, up to the message that they
/// name or to its last one, and tells their other devices. Who repeats a request whose answer was lost
/// should name one, because another message may have come in between.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: DeleteConversation = event.request.data()?;
    let Deletion { pair, up_to, keeps_history } = request.parse(&event.caller.user)?;
    let mine = pair.mine();
    let reached = |standing: &Standing| if keeps_history { standing.unlisted.seq } else { standing.cleared.seq };
    let (head, others) = tokio::join!(
        app.messages.head(&pair, 1, Consistency::Strong, app.now()),
        app.other_connections(&event)
    );
    let mut head = head?;
    let before = reached(head.standing(mine));
    if let Some(last) = last_to_go(app, &pair, &head, up_to).await?.filter(|last| last.seq > before) {
        let position = Position::at(&last, mine);
        *head.standing_mut(mine) = if keeps_history {
            app.messages.unlist(&pair, &head, mine, position, app.now()).await?
        } else {
            app.messages.clear(&pair, &head, mine, position, app.now()).await?
        };
        // Should another device have gone farther in between, it has told so.
        if reached(head.standing(mine)) == last.seq {
            let unread = app.messages.unread(&pair, &head, mine, app.now()).await?;
            let push = Push::ConversationListUpdated([ConversationUpdate {
                conversation_id: pair.conversation_id(mine),
                cleared_sequence: (!keeps_history).then_some(last.seq),
                unlisted_sequence: keeps_history.then_some(last.seq),
                unread_count: unread,
                ..ConversationUpdate::default()
            }]);
            app.deliver(&others, &push.frame()).await;
        }
    }
    let standing = head.standing(mine);
    Ok(Reply::data(&ClearedReply {
        conversation_id: pair.conversation_id(mine),
        cleared_sequence: standing.cleared.seq,
        unlisted_sequence: standing.unlisted.seq.named(),
    }))
}

async fn last_to_go(app: &App, pair: &Pair, head: &Head, up_to: Option<Seq>) -> Result<Option<Message>> {
    match up_to.filter(|named| *named < head.last_seq()) {
        None => Ok(head.last().cloned()),
        Some(named) => {
            let found = app.messages.before(pair, named.next(), 1, Consistency::Strong).await?;
            Ok(found.into_iter().find(|message| message.is_live(app.now())))
        }
    }
}
