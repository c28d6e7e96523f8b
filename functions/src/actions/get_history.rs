//! What two users have said to each other between two times, as one of them sees it: newest first, with and without numbers.

use hongyan_shared::{
    Result,
    model::{Address, Imported, LogKey, Message, OneToOne, Pair, Seq},
    rest::HistoryOf,
};

use super::message_keys::find_by_key;
use crate::{
    clock::Clock,
    config::{Config, Configured},
    store::{Consistency, Messages},
};

/// How many messages are looked at, of those that have a number and of those that were imported.
const LOOK: usize = 24;

/// What it takes to read a history.
pub struct World {
    messages: Messages,
    clock: Clock,
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self { messages: Messages::new(config)?, clock: config.clock.clone() })
    }
}

/// A part of a history.
pub struct Part {
    /// The conversation, and how its users stand.
    pub conversation: OneToOne,
    /// The messages, newest first. Those that the user does not see are among them.
    pub messages: Vec<Message>,
    /// Nothing is left between the two times.
    pub is_complete: bool,
}

impl Part {
    /// Whether the pair's user sees a message.
    pub fn shows(&self, message: &Message) -> bool {
        message.position() > self.conversation.me().cleared.position()
            && !self.conversation.pair.hides(message)
    }

    /// Whether its recipient has read a message, as far as its sender may know.
    pub fn is_read(&self, message: &Message) -> bool {
        let pair = &self.conversation.pair;
        let recipient = pair.user(pair.side_of(&message.from).other());
        message.imported.is_none() && self.conversation.told(recipient).seq >= message.seq
    }
}

/// The newest messages of what is wanted, as many as are looked at, or nothing if there is no message of the key to go on from.
pub async fn get_history(world: &World, pair: &Pair, wanted: &HistoryOf) -> Result<Option<Part>> {
    let (log, now) = (pair.log_key(), world.clock.now());
    let tail = world.messages.tail(&log, 1, Consistency::Strong, now).await?;
    let Some((number, place)) = begin(world, pair, &tail.messages, wanted, now).await? else {
        return Ok(None);
    };
    let count = wanted.count.min(LOOK).min(Messages::affordable(Consistency::Strong)).max(1);
    let mut numbered = world.messages.before(&log, number, count, Consistency::Strong).await?;
    let more_numbered = numbered.len() == count;
    // What is left may be less.
    let looked_at = count.min(Messages::affordable(Consistency::Eventual)).max(1);
    let before = Address::Imported(place);
    let mut imported = world.messages.stretch(&log, before, looked_at, Consistency::Eventual, now).await?;
    let in_time = |message: &Message| message.time / 1000 >= wanted.from;
    let goes_on = |messages: &[Message], more: bool| more && messages.last().is_none_or(in_time);
    let (more_numbered, more_imported) =
        (goes_on(&numbered, more_numbered), goes_on(&imported.messages, imported.goes_on_before.is_some()));
    for messages in [&mut numbered, &mut imported.messages] {
        messages.retain(|message| in_time(message) && message.is_live(now));
    }
    let at_most = if more_imported { count.min(looked_at) } else { count };
    let found = numbered.len() + imported.messages.len();
    let messages = merged(numbered, imported.messages, at_most);
    let is_complete = !more_numbered && !more_imported && messages.len() == found;
    Ok(Some(Part { conversation: OneToOne { pair: pair.clone(), tail }, messages, is_complete }))
}

/// Before which number and before which place to begin: at the second wanted, or behind the message wanted.
async fn begin(
    world: &World,
    pair: &Pair,
    newest: &[Message],
    wanted: &HistoryOf,
    now: u64,
) -> Result<Option<(Seq, Imported)>> {
    let log = pair.log_key();
    let end_of = |second: u64| Imported { second: second.saturating_add(1), seq: 0, random: 0 };
    let Some(key) = &wanted.before else {
        let number = number_at(world, &log, newest, wanted.to).await?;
        return Ok(Some((number.next(), end_of(wanted.to))));
    };
    let Some(last) = find_by_key(&world.messages, pair, key, now).await? else { return Ok(None) };
    // Of one second, those with a number come first.
    Ok(Some(match last.imported {
        None => (last.seq, end_of(last.time / 1000)),
        Some(place) => match place.second.checked_sub(1) {
            Some(second) => (number_at(world, &log, newest, second).await?.next(), place),
            None => (Seq(1), place),
        },
    }))
}

/// The number of the last message up to the end of a second, 0 if there is none.
async fn number_at(world: &World, log: &LogKey, newest: &[Message], second: u64) -> Result<Seq> {
    match newest.first() {
        Some(last) => world.messages.number_at(log, last, second).await,
        None => Ok(Seq(0)),
    }
}

/// Both in the order of their times, newest first, so many at most.
fn merged(numbered: Vec<Message>, imported: Vec<Message>, at_most: usize) -> Vec<Message> {
    let mut all: Vec<Message> = numbered.into_iter().chain(imported).collect();
    all.sort_by_key(|message| std::cmp::Reverse((message.time / 1000, message.address())));
    all.truncate(at_most);
    all
}
