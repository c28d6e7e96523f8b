//! `getConversationList`.

use hongyan_shared::{
    Result,
    model::OneToOne,
    protocol::{ConversationPage, GetConversationList, MAX_REPLY_BYTES, WireConversation, WireMessage},
};

use super::{Event, Reply};
pub use crate::actions::get_conversation_list::World;
use crate::actions::get_conversation_list::{Listed, get_conversation_list};

/// Answers with conversations, newest first: as many as fit the frame, and as it may read.
///
/// # Errors
/// [`hongyan_shared::Error::BadRequest`].
pub async fn handle(world: &World, event: Event) -> Result<Reply> {
    let request: GetConversationList = event.request.data()?;
    let me = &event.caller.user;
    let after = request.parse(me)?;
    let (entries, mut more) = get_conversation_list(world, me, after.as_ref(), MAX_REPLY_BYTES).await?;

    let mut room = MAX_REPLY_BYTES;
    let mut next = String::new();
    let mut list: Vec<(u64, WireConversation<'_>)> = Vec::new();
    for entry in &entries {
        // A conversation without a message was opened and never used, or retention has emptied it.
        if let Some(last) = entry.conversation.tail.last() {
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
        next = entry.conversation.pair.conversation_id();
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

fn conversation(entry: &Listed) -> WireConversation<'_> {
    let OneToOne { pair, tail } = &entry.conversation;
    let (mine, peer) = (entry.conversation.me(), entry.conversation.told(pair.peer()));
    WireConversation {
        conversation_id: pair.conversation_id(),
        kind: "C2C",
        unread_count: entry.unread,
        last_message: entry.shown.as_ref().map(|message| WireMessage::new(pair, message)),
        last_sequence: tail.last_seq(),
        read_sequence: mine.read.seq,
        peer_read_sequence: peer.seq,
        peer_read_time: peer.time / 1000,
        cleared_sequence: mine.cleared.seq,
        unlisted_sequence: mine.unlisted.seq.named(),
        is_pinned: entry.is_pinned,
    }
}
