//! `getConversationList`: every conversation with its last message, unread count and read marks.

use futures_util::{StreamExt, TryStreamExt, stream};
use hongyan_shared::{
    Error, Result,
    model::{Head, Message, Pair},
    protocol::{GetConversationList, MAX_REPLY_BYTES, WireConversation, WireMessage},
};
use serde_json::{Value, json};

use crate::{
    app::App,
    event::Event,
    runtime::Reply,
    store::Consistency,
};

/// How many conversations one reply holds.
const AT_MOST: i32 = 100;

/// How many of them are looked at at once.
const IN_FLIGHT: usize = 32;

/// Answers with conversations, newest first.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: GetConversationList = event.request.data()?;
    let me = &event.caller.user;
    let after = request.parse(me)?;
    let (listed, mut more) = app.conversations.list(me, after.as_ref(), AT_MOST).await?;

    let looked_up: Vec<(Pair, Head, u64)> = stream::iter(listed)
        .map(|entry| async move {
            let pair = Pair::of(me, &entry.peer)?;
            let head = app.messages.head(&pair, 1, Consistency::Eventual, app.now()).await?;
            let unread = app.messages.unread(&pair, &head, pair.mine(), entry.first_expiry, app.now()).await?;
            Ok::<_, Error>((pair, head, unread))
        })
        .buffered(IN_FLIGHT)
        .try_collect()
        .await?;

    let mut room = MAX_REPLY_BYTES;
    let mut next = String::new();
    let mut list: Vec<(u64, Value)> = Vec::new();
    for (pair, head, unread) in &looked_up {
        // A conversation without a message was opened and never used, or retention has emptied it.
        if let Some(last) = head.last() {
            let conversation = json!(conversation(pair, head, last, *unread));
            match room.checked_sub(conversation.to_string().len()) {
                Some(left) => room = left,
                None => {
                    more = true;
                    break;
                }
            }
            list.push((last.time, conversation));
        }
        next = pair.conversation_id(pair.mine());
    }
    if !more {
        next.clear();
    }
    list.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    let list: Vec<Value> = list.into_iter().map(|(_, conversation)| conversation).collect();
    Ok(Reply::Data(json!({ "conversationList": list, "nextReqConversationID": next, "isCompleted": !more })))
}

fn conversation<'a>(
    pair: &'a Pair,
    head: &Head,
    last: &'a Message,
    unread_count: u64,
) -> WireConversation<'a> {
    let peer = head.position(pair.mine().other());
    WireConversation {
        conversation_id: pair.conversation_id(pair.mine()),
        kind: "C2C",
        unread_count,
        last_message: WireMessage::new(pair, last),
        read_sequence: head.position(pair.mine()).seq,
        peer_read_sequence: peer.seq,
        peer_read_time: peer.time / 1000,
    }
}
