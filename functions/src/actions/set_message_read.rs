//! `setMessageRead`: the reader names the last message that they have seen.

use hongyan_shared::{
    Result,
    model::{GroupId, LogTail, Mark, MemberState, Message, OneToOne, Pair, Seq},
    protocol::{ConversationUpdate, Push, read_by_peer},
};

use super::{
    groups::{Cleared, Marking, mark},
    look_up_to,
};
use crate::{
    caller::Actor,
    clock::Clock,
    config::{Config, Configured},
    notify::{Notifier, Recipients},
    store::{Consistency, Messages, MyGroups},
};

/// How many messages the first query returns.
const TAIL: usize = 8;

/// What it takes to mark messages as read.
pub struct World {
    messages: Messages,
    groups: MyGroups,
    notifier: Notifier,
    clock: Clock,
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            messages: Messages::new(config)?,
            groups: MyGroups::new(config)?,
            notifier: Notifier::new(config)?,
            clock: config.clock.clone(),
        })
    }
}

/// Moves the read position forward, to the last message at the most, and tells the peer and the
/// reader's other devices. Returns the conversation as it is then.
pub async fn set_message_read(
    world: &World,
    actor: Actor<'_>,
    pair: &Pair,
    named: Option<Seq>,
) -> Result<OneToOne> {
    let (looked_up, recipients) = tokio::join!(
        look_up(world, pair, named),
        world.notifier.recipients(pair, actor, Consistency::Eventual)
    );
    let (mut conversation, reached) = looked_up?;

    let before = conversation.me();
    if let Some(reached) = reached.filter(|message| message.seq > before.read.seq) {
        let (key, marker) = (pair.log_key(), pair.marker_at(&reached));
        let told = conversation.is_blocked().then(|| conversation.told(pair.me()));
        conversation.set_me(before.with(Mark::Read, marker));
        // They have read it, whatever becomes of the write: a mark that is lost is made again by the
        // client, and never goes back. So the peer need not wait for it.
        let (stored, ()) = tokio::join!(
            world.messages.advance(
                &key,
                pair.me(),
                Mark::Read,
                marker,
                MemberState { told, ..before },
                world.clock.now()
            ),
            tell(world, &conversation, &recipients)
        );
        if stored?.read.seq > marker.seq {
            // Another device was faster, and has read further.
            conversation.tail = world.messages.tail(&key, 1, Consistency::Strong, world.clock.now()).await?;
        }
    }
    Ok(conversation)
}

/// The same up to the end of a second, for who does not know numbers.
pub async fn set_message_read_until(
    world: &World,
    actor: Actor<'_>,
    pair: &Pair,
    second: u64,
) -> Result<OneToOne> {
    let (key, now) = (pair.log_key(), world.clock.now());
    let tail = world.messages.tail(&key, 1, Consistency::Strong, now).await?;
    let reached = match tail.last() {
        Some(last) => world.messages.number_at(&key, last, second).await?,
        None => Seq(0),
    };
    match reached.named() {
        Some(_) => set_message_read(world, actor, pair, Some(reached)).await,
        // Nothing is as old as that.
        None => Ok(OneToOne { pair: pair.clone(), tail }),
    }
}

/// The same in a group, where nobody but the reader's other devices is told.
///
/// # Errors
/// A group that the reader is not in.
pub async fn set_group_read(
    world: &World,
    actor: Actor<'_>,
    group: &GroupId,
    named: Option<Seq>,
) -> Result<Cleared> {
    let World { messages, groups, notifier, clock } = world;
    let marking = Marking { messages, mine: groups, notifier, clock };
    mark(marking, actor, group, Mark::Read, named).await
}

/// How many messages are unread then.
pub async fn unread(world: &World, conversation: &OneToOne) -> Result<u64> {
    world.messages.unread_at_most(conversation, world.clock.now()).await
}

/// The end of the conversation, and the last message up to the named one.
async fn look_up(world: &World, pair: &Pair, named: Option<Seq>) -> Result<(OneToOne, Option<Message>)> {
    let key = pair.log_key();
    let look = |consistency| world.messages.tail(&key, TAIL, consistency, world.clock.now());
    let (tail, named) = look_up_to(named, look, LogTail::last_seq).await?;
    let reached = match tail.messages.iter().find(|message| message.seq <= named) {
        Some(message) => Some(message.clone()),
        None if named <= tail.member(pair.me()).read.seq => None,
        None => world
            .messages
            .before(&key, named.next(), 1, Consistency::Strong)
            .await?
            .into_iter()
            .find(|message| message.is_live(world.clock.now())),
    };
    Ok((OneToOne { pair: pair.clone(), tail }, reached))
}

async fn tell(world: &World, conversation: &OneToOne, recipients: &Recipients) {
    let (pair, marker) = (&conversation.pair, conversation.me().read);
    let to_peer = read_by_peer(pair, marker.seq, marker.time).frame();
    let unread = Some(conversation.unread());
    let read = ConversationUpdate::marked(pair.conversation_id(), Mark::Read, marker.seq, unread);
    let to_others = Push::ConversationListUpdated([read]).frame();
    let peer = if conversation.is_blocked() { &[] } else { recipients.peer.as_slice() };
    tokio::join!(
        world.notifier.deliver(peer, &to_peer),
        world.notifier.deliver(&recipients.others, &to_others)
    );
}
