//! `getConversationList`: every conversation with its last message, unread count and marks.

use futures_util::{StreamExt, TryStreamExt, stream};
use hongyan_shared::{
    Result,
    model::{Head, Message, Pair, UserId},
    protocol::{ConversationPage, GetConversationList, MAX_REPLY_BYTES, PAGE_SIZE, WireConversation, WireMessage},
};

use crate::{
    app::App,
    event::Event,
    runtime::Reply,
    store::{Consistency, Listed},
};

/// How many conversations one reply holds.
const AT_MOST: i32 = 100;

/// How many of them are looked at at once.
const IN_FLIGHT: usize = 32;

/// A conversation of the list, and what there is to say about it.
struct Entry {
    pair: Pair,
    head: Head,
    unread: u64,
    /// The newest message that the user sees.
    shown: Option<Message>,
    is_pinned: bool,
}

/// Answers with conversations, newest first.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: GetConversationList = event.request.data()?;
    let me = &event.caller.user;
    let after = request.parse(me)?;
    let (listed, mut more) = app.conversations.list(me, after.as_ref(), AT_MOST).await?;
    let entries: Vec<Entry> = stream::iter(listed)
        .map(|listed| look_up(app, me, listed))
        .buffered(IN_FLIGHT)
        .try_collect()
        .await?;

    let mut room = MAX_REPLY_BYTES;
    let mut next = String::new();
    let mut list: Vec<(u64, WireConversation<'_>)> = Vec::new();
    for entry in &entries {
        // A conversation without a message was opened and never used, or retention has emptied it.
        if let Some(last) = entry.head.last() {
            let conversation = conversation(entry);
            match room.checked_sub(conversation.size()) {
                Some(left) => room = left,
                None => {
                    more = true;
                    break;
                }
            }
            list.push((entry.shown.as_ref().unwrap_or(last).time, conversation));
        }
        next = entry.pair.conversation_id(entry.pair.mine());
    }
    if !more {
        next.clear();
    }
    list.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    Ok(Reply::data(&ConversationPage {
        conversation_list: list.into_iter().map(|(_, conversation)| conversation).collect(),
        next_req_conversation_id: next,
        is_completed: !more,
    }))
}

async fn look_up(app: &App, me: &UserId, listed: Listed) -> Result<Entry> {
    let pair = Pair::of(me, &listed.peer)?;
    let head = app.messages.head(&pair, 1, Consistency::Eventual, app.now()).await?;
    let unread = app.messages.unread(&pair, &head, pair.mine(), listed.first_expiry, app.now()).await?;
    let shown = newest_shown(app, &pair, &head).await?;
    Ok(Entry { pair, head, unread, shown, is_pinned: listed.is_pinned })
}

/// The newest message that the user has neither deleted nor cleared, and its sender not excluded. Who
/// has deleted a whole page of them sees no preview.
async fn newest_shown(app: &App, pair: &Pair, head: &Head) -> Result<Option<Message>> {
    let cleared = head.standing(pair.mine()).cleared.seq;
    let is_shown = |message: &Message| {
        message.seq > cleared && message.listed == message.seq && !message.is_hidden_from(pair.mine())
    };
    // However many are excluded in a row, the last one says what is before them.
    let Some(last) = head.last().filter(|last| last.listed > cleared) else { return Ok(None) };
    if is_shown(last) {
        return Ok(Some(last.clone()));
    }
    let end = last.listed.next().min(last.seq);
    let earlier = app.messages.before(pair, end, PAGE_SIZE, Consistency::Eventual).await?;
    Ok(earlier.into_iter().find(|message| message.is_live(app.now()) && is_shown(message)))
}

fn conversation(entry: &Entry) -> WireConversation<'_> {
    let Entry { pair, head, .. } = entry;
    let (mine, peer) = (head.standing(pair.mine()), head.standing(pair.mine().other()));
    WireConversation {
        conversation_id: pair.conversation_id(pair.mine()),
        kind: "C2C",
        unread_count: entry.unread,
        last_message: entry.shown.as_ref().map(|message| WireMessage::new(pair, message)),
        last_sequence: head.last_seq(),
        read_sequence: mine.read.seq,
        peer_read_sequence: peer.read.seq,
        peer_read_time: peer.read.time / 1000,
        cleared_sequence: mine.cleared.seq,
        unlisted_sequence: mine.unlisted.seq.named(),
        is_pinned: entry.is_pinned,
    }
}
