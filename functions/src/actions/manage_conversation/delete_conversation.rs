//! `deleteConversation`: a user wants a conversation out of their list. The other one keeps it, and it
//! comes back with its next message, without what was before or with it, as they wanted.

use hongyan_shared::{
    Result,
    model::{Mark, MemberState, Message, OneToOne, Seq, Stamp},
    protocol::{ConversationUpdate, Deletion, Push},
};

use super::World;
use crate::{caller::Actor, store::Consistency};

/// Clears the conversation for the caller, or takes it out of the list alone, up to the message that they
/// name or to its last one, and tells their other devices. Who repeats a request whose answer was lost
/// should name one, because another message may have come in between. Returns the
/// actor's state then.
pub async fn delete_conversation(
    world: &World,
    actor: Actor<'_>,
    Deletion { pair, up_to, keeps_history }: &Deletion,
) -> Result<MemberState> {
    let key = pair.log_key();
    let mark = if *keeps_history { Mark::Unlisted } else { Mark::Cleared };
    let (tail, others) = tokio::join!(
        world.messages.tail(&key, 1, Consistency::Strong, world.clock.now()),
        world.notifier.other_connections(actor)
    );
    let mut conversation = OneToOne { pair: pair.clone(), tail: tail? };
    let before = conversation.me();
    let last = last_to_go(world, &conversation, *up_to).await?;
    if let Some(last) = last.filter(|last| last.position() > before.at(mark).position()) {
        let (me, marker, now) = (pair.me(), pair.marker_at(&last), world.clock.now());
        // Other devices find it by that, and the list lets go of it some time later: a send that is under way and does
        // not see the mark counts on its being there.
        world.conversations.touch(pair, Stamp(now)).await?;
        conversation.set_me(world.messages.advance(&key, me, mark, marker, before, now).await?);
        // Should another device have gone farther in between, it has told so.
        if conversation.me().at(mark).position() == last.position() {
            let unread = world.messages.unread(&conversation, world.clock.now()).await?;
            let update = ConversationUpdate::marked(pair.conversation_id(), mark, last.seq, unread);
            let push = Push::ConversationListUpdated([update]);
            world.notifier.deliver(&others, &push.frame()).await;
        }
    }
    Ok(conversation.me())
}

async fn last_to_go(
    world: &World,
    OneToOne { pair, tail }: &OneToOne,
    up_to: Option<Seq>,
) -> Result<Option<Message>> {
    match up_to.filter(|named| *named < tail.last_seq()) {
        // With it goes what was imported before it; and if there is nothing else, all that was imported.
        None => Ok(tail.newest().cloned()),
        Some(named) => {
            let found = world.messages.before(&pair.log_key(), named.next(), 1, Consistency::Strong).await?;
            Ok(found.into_iter().find(|message| message.is_live(world.clock.now())))
        }
    }
}
