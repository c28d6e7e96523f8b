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
    store::{Consistency, Earlier, Messages},
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
/// Where the user sees none of them, those before are looked at as well, for as long as the request may read: programs take a part
/// without messages for the end.
pub async fn get_history(world: &World, pair: &Pair, wanted: &HistoryOf) -> Result<Option<Part>> {
    let (log, now) = (pair.log_key(), world.clock.now());
    let tail = world.messages.tail(&log, 1, Consistency::Strong, now).await?;
    let Some(mut before) = begin(world, pair, &tail.messages, wanted, now).await? else {
        return Ok(None);
    };
    let conversation = OneToOne { pair: pair.clone(), tail };
    let mut part = Part { conversation, messages: Vec::new(), is_complete: false };
    loop {
        let (found, goes_on) = look(world, &part.conversation, before, wanted, now).await?;
        let is_seen = found.iter().any(|message| part.shows(message));
        part.messages.extend(found);
        match goes_on {
            Some(end) if !is_seen && Messages::affordable(Consistency::Strong) > 1 => before = end,
            goes_on => {
                part.is_complete = goes_on.is_none();
                return Ok(Some(part));
            }
        }
    }
}

/// The newest messages before a number and before a place, and before which there are more, if there are any that are wanted and
/// not cleared.
async fn look(
    world: &World,
    conversation: &OneToOne,
    (mut number, mut place): (Seq, Imported),
    wanted: &HistoryOf,
    now: u64,
) -> Result<(Vec<Message>, Option<(Seq, Imported)>)> {
    let (log, cleared) = (conversation.pair.log_key(), conversation.me().cleared.position());
    // One less than may be read at the worst, because a look at what was imported follows.
    let affordable = Messages::affordable(Consistency::Strong).saturating_sub(1);
    let count = wanted.count.min(LOOK).min(affordable).max(1);
    let mut numbered = match cleared.is_before(Address::Number(number)) {
        true => world.messages.before(&log, number, count, Consistency::Strong).await?,
        false => Vec::new(),
    };
    // What is left may be less.
    let looked_at = count.min(Messages::affordable(Consistency::Eventual)).max(1);
    let mut imported = match cleared.is_before(Address::Imported(place)) {
        true => {
            let before = Address::Imported(place);
            world.messages.earlier(&log, before, looked_at, Consistency::Eventual, now).await?
        }
        false => Earlier::default(),
    };
    let is_wanted = |message: &Message| message.time / 1000 >= wanted.from && message.is_live(now);
    let more_numbered = numbered.len() == count
        && numbered.last().is_some_and(|last| is_wanted(last) && cleared.is_before(last.address()));
    let more_imported = imported
        .goes_on_before
        .filter(|end| imported.messages.last().is_none_or(is_wanted) && cleared.is_before(*end));
    numbered.retain(is_wanted);
    imported.messages.retain(is_wanted);
    let at_most = if more_imported.is_some() { count.min(looked_at) } else { count };
    let found = numbered.len() + imported.messages.len();
    let messages = merged(numbered, imported.messages, at_most);
    let is_cut = messages.len() < found;
    for message in &messages {
        match message.address() {
            Address::Number(seq) => number = seq,
            Address::Imported(last) => place = last,
        }
    }
    // All that was looked at may have expired.
    if let Some(Address::Imported(end)) = more_imported.filter(|_| !is_cut) {
        place = end;
    }
    let goes_on = more_numbered || more_imported.is_some() || is_cut;
    Ok((messages, goes_on.then_some((number, place))))
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
