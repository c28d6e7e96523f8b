//! `getConversationList`: every conversation with its last message, unread count and marks.

use futures_util::future::{join_all, try_join_all};
use hongyan_shared::{
    Error, Result,
    model::{Head, Message, Pair, Seq, UserId},
    protocol::{ConversationPage, GetConversationList, MAX_REPLY_BYTES, PAGE_SIZE, WireConversation, WireMessage},
};

use crate::{
    app::App,
    event::Event,
    runtime::Reply,
    store::{Consistency, Listed, Messages},
};

/// How many conversations one reply holds.
const AT_MOST: i32 = 100;

/// How many of them are looked at at once.
const IN_FLIGHT: usize = 32;

/// How many messages are looked at when the last one is not to be shown: few at first.
const LOOKS: [usize; 2] = [2, PAGE_SIZE - 2];

/// How many are left to be read until the first conversation is complete, so that every reply has one: all
/// of those, and ten more to find what has expired unread.
const KEPT_FOR_THE_FIRST: usize = PAGE_SIZE + 10;

/// A conversation of the list, and what there is to say about it.
struct Entry {
    pair: Pair,
    head: Head,
    unread: u64,
    /// The newest message that the user sees.
    shown: Option<Message>,
    is_pinned: bool,
}

/// Answers with conversations, newest first: as many as fit the frame, and as it may read.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: GetConversationList = event.request.data()?;
    let me = &event.caller.user;
    let after = request.parse(me)?;
    let (listed, goes_on) = app.conversations.list(me, after.as_ref(), AT_MOST).await?;
    let entries = look_up(app, me, &listed).await?;

    let mut more = goes_on || entries.len() < listed.len();
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

/// The first of these conversations, at least one: in waves, each as large as the frame may read if all
/// messages in it are of the largest.
async fn look_up(app: &App, me: &UserId, listed: &[Listed]) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut room = MAX_REPLY_BYTES;
    while room > 0 && entries.len() < listed.len() {
        let kept = if entries.is_empty() { KEPT_FOR_THE_FIRST } else { 0 };
        let wave = Messages::affordable_heads(Consistency::Eventual, kept).min(IN_FLIGHT);
        let heads = listed.iter().skip(entries.len()).take(wave).map(async |listed| {
            let pair = Pair::of(me, &listed.peer)?;
            let head = app.messages.head(&pair, 1, Consistency::Eventual, app.now()).await?;
            Ok::<_, Error>((pair, head, listed))
        });
        let mut wave = try_join_all(heads).await?.into_iter();
        if entries.is_empty()
            && let Some((pair, head, listed)) = wave.next()
        {
            let shown = newest_shown(app, &pair, &head).await?.flatten();
            let unread = app.messages.unread(&pair, &head, pair.mine(), app.now()).await?;
            // So much has expired unread, and has not been swept, that one frame cannot find where it ends.
            let unread = unread.unwrap_or_else(|| head.unread(pair.mine()));
            entries.push(Entry { pair, head, unread, shown, is_pinned: listed.is_pinned });
        }
        let wave: Vec<_> = wave.collect();
        let complete_all = wave.iter().map(|(pair, head, _)| complete(app, pair, head));
        let completed = join_all(complete_all).await;
        let before = entries.len();
        for ((pair, head, listed), completed) in wave.into_iter().zip(completed) {
            // What the others have left may be enough.
            let completed = match completed? {
                None => complete(app, &pair, &head).await?,
                completed => completed,
            };
            let Some((unread, shown)) = completed else { return Ok(entries) };
            room = room.saturating_sub(shown.as_ref().map_or(0, |shown| WireMessage::new(&pair, shown).size()));
            entries.push(Entry { pair, head, unread, shown, is_pinned: listed.is_pinned });
        }
        if entries.len() == before {
            break;
        }
    }
    Ok(entries)
}

/// What is unread in a conversation, and what it shows; nothing when the frame may not read so much at
/// this moment.
async fn complete(
    app: &App,
    pair: &Pair,
    head: &Head,
) -> Result<Option<(u64, Option<Message>)>> {
    let Some(shown) = newest_shown(app, pair, head).await? else { return Ok(None) };
    let unread = app.messages.unread(pair, head, pair.mine(), app.now()).await?;
    Ok(unread.map(|unread| (unread, shown)))
}

/// The newest message that the user has neither deleted nor cleared, and its sender not excluded. Who
/// has deleted a whole page of them sees no preview. Nothing when that is too much to read.
async fn newest_shown(app: &App, pair: &Pair, head: &Head) -> Result<Option<Option<Message>>> {
    let cleared = head.standing(pair.mine()).cleared.seq;
    let is_shown = |message: &Message| {
        message.seq > cleared
            && message.listed == message.seq
            && message.is_live(app.now())
            && !message.is_hidden_from(pair.mine())
    };
    // However many are excluded in a row, the last one says what is before them.
    let Some(last) = head.last().filter(|last| last.listed > cleared) else { return Ok(Some(None)) };
    if is_shown(last) {
        return Ok(Some(Some(last.clone())));
    }
    let mut before = last.listed.next().min(last.seq);
    for look in LOOKS {
        if Messages::affordable(Consistency::Eventual) < look {
            return Ok(None);
        }
        let earlier = app.messages.before(pair, before, look, Consistency::Eventual).await?;
        before = earlier.last().map_or(Seq(0), |oldest| oldest.seq);
        if let Some(shown) = earlier.into_iter().find(is_shown) {
            return Ok(Some(Some(shown)));
        }
    }
    Ok(Some(None))
}

fn conversation(entry: &Entry) -> WireConversation<'_> {
    let Entry { pair, head, .. } = entry;
    let (mine, peer) = (head.standing(pair.mine()), head.told(pair.mine().other()));
    WireConversation {
        conversation_id: pair.conversation_id(pair.mine()),
        kind: "C2C",
        unread_count: entry.unread,
        last_message: entry.shown.as_ref().map(|message| WireMessage::new(pair, message)),
        last_sequence: head.last_seq(),
        read_sequence: mine.read.seq,
        peer_read_sequence: peer.seq,
        peer_read_time: peer.time / 1000,
        cleared_sequence: mine.cleared.seq,
        unlisted_sequence: mine.unlisted.seq.named(),
        is_pinned: entry.is_pinned,
    }
}
