//! `getConversationList`: every conversation with its last message, unread count and marks.

use futures_util::future::{join_all, try_join_all};
use hongyan_shared::{
    Error, Result,
    model::{Message, OneToOne, Pair, Seq, UserId},
    protocol::{PAGE_SIZE, WireMessage},
};

use crate::{
    clock::Clock,
    config::{Config, Configured},
    store::{Consistency, ConversationEntry, Conversations, Messages},
};

/// How many conversations one reply holds.
const MAX_CONVERSATIONS: i32 = 100;

/// How many of them are looked at at once.
const MAX_CONCURRENCY: usize = 32;

/// How many messages are looked at when the last one is not to be shown: few at first.
const LOOKS: [usize; 2] = [2, PAGE_SIZE - 2];

/// How many are left to be read until the first conversation is complete, so that every reply has one: all
/// of those, and ten more to find what has expired unread.
const KEPT_FOR_THE_FIRST: usize = PAGE_SIZE + 10;

/// A conversation of the list, and what there is to say about it.
pub struct Listed {
    /// Its users, and its end. A conversation without a message was opened and never used, or retention has
    /// emptied it.
    pub conversation: OneToOne,
    /// How many messages are unread.
    pub unread: u64,
    /// The newest message that the user sees.
    pub shown: Option<Message>,
    /// The user keeps it on top.
    pub is_pinned: bool,
}

/// What it takes to list conversations.
pub struct World {
    messages: Messages,
    conversations: Conversations,
    clock: Clock,
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            messages: Messages::new(config)?,
            conversations: Conversations::new(config)?,
            clock: config.clock.clone(),
        })
    }
}

/// Returns the conversations behind that one, in the order of the table, and whether there are more: as many
/// as may be read, and not much more than have room in so many bytes.
pub async fn get_conversation_list(
    world: &World,
    me: &UserId,
    after: Option<&UserId>,
    room: usize,
) -> Result<(Vec<Listed>, bool)> {
    let (listed, goes_on) = world.conversations.list(me, after, MAX_CONVERSATIONS).await?;
    let entries = look_up(world, me, &listed, room).await?;
    let more = goes_on || entries.len() < listed.len();
    Ok((entries, more))
}

/// The first of these conversations, at least one: in waves, each as large as the frame may read if all
/// messages in it are of the largest.
async fn look_up(
    world: &World,
    me: &UserId,
    listed: &[ConversationEntry],
    mut room: usize,
) -> Result<Vec<Listed>> {
    let mut entries = Vec::new();
    while room > 0 && entries.len() < listed.len() {
        let kept = if entries.is_empty() { KEPT_FOR_THE_FIRST } else { 0 };
        let wave = Messages::affordable_tails(Consistency::Eventual, kept).min(MAX_CONCURRENCY);
        let tails = listed.iter().skip(entries.len()).take(wave).map(async |listed| {
            let pair = Pair::of(me, &listed.peer)?;
            let (key, now) = (pair.log_key(), world.clock.now());
            let tail = world.messages.tail(&key, 1, Consistency::Eventual, now).await?;
            Ok::<_, Error>((OneToOne { pair, tail }, listed.is_pinned))
        });
        let mut wave = try_join_all(tails).await?.into_iter();
        if entries.is_empty()
            && let Some((conversation, is_pinned)) = wave.next()
        {
            let shown = newest_shown(world, &conversation).await?.flatten();
            let unread = world.messages.unread(&conversation, world.clock.now()).await?;
            // So much has expired unread, and has not been swept, that one request cannot find where it ends.
            let unread = unread.unwrap_or_else(|| conversation.unread());
            entries.push(Listed { conversation, unread, shown, is_pinned });
        }
        let wave: Vec<_> = wave.collect();
        let complete_all = wave.iter().map(|(conversation, _)| complete(world, conversation));
        let completed = join_all(complete_all).await;
        let before = entries.len();
        for ((conversation, is_pinned), completed) in wave.into_iter().zip(completed) {
            // What the others have left may be enough.
            let completed = match completed? {
                None => complete(world, &conversation).await?,
                completed => completed,
            };
            let Some((unread, shown)) = completed else { return Ok(entries) };
            let size = |shown| WireMessage::new(&conversation.pair, shown).size();
            room = room.saturating_sub(shown.as_ref().map_or(0, size));
            entries.push(Listed { conversation, unread, shown, is_pinned });
        }
        if entries.len() == before {
            break;
        }
    }
    Ok(entries)
}

/// What is unread in a conversation, and what it shows; nothing when the request may not read so much at
/// this moment.
async fn complete(world: &World, conversation: &OneToOne) -> Result<Option<(u64, Option<Message>)>> {
    let Some(shown) = newest_shown(world, conversation).await? else { return Ok(None) };
    let unread = world.messages.unread(conversation, world.clock.now()).await?;
    Ok(unread.map(|unread| (unread, shown)))
}

/// The newest message that the user has neither deleted nor cleared, and its sender not excluded. Who
/// has deleted a whole page of them sees no preview. Nothing when that is too much to read.
async fn newest_shown(world: &World, conversation: &OneToOne) -> Result<Option<Option<Message>>> {
    let OneToOne { pair, tail } = conversation;
    let cleared = conversation.me().cleared.seq;
    let is_shown = |message: &Message| {
        message.seq > cleared
            && message.listed == message.seq
            && message.is_live(world.clock.now())
            && !pair.hides(message)
    };
    // However many are excluded in a row, the last one says what is before them.
    let Some(last) = tail.last().filter(|last| last.listed > cleared) else { return Ok(Some(None)) };
    if is_shown(last) {
        return Ok(Some(Some(last.clone())));
    }
    let mut before = last.listed.next().min(last.seq);
    for look in LOOKS {
        if Messages::affordable(Consistency::Eventual) < look {
            return Ok(None);
        }
        let earlier = world.messages.before(&pair.log_key(), before, look, Consistency::Eventual).await?;
        before = earlier.last().map_or(Seq(0), |oldest| oldest.seq);
        if let Some(shown) = earlier.into_iter().find(is_shown) {
            return Ok(Some(Some(shown)));
        }
    }
    Ok(Some(None))
}
