//! `getMessageList`: pages of history, going back, and ranges to fill a gap.

use futures_util::future::join_all;
use hongyan_shared::{
    Result,
    model::{Address, Message, Pair, Position, Seq},
    protocol::{PageCursor, WireMessage},
};

use crate::{
    clock::Clock,
    config::{Config, Configured},
    store::{Consistency, Messages, MyGroups},
};

/// How many ranges are read at once.
const MAX_CONCURRENCY: usize = 32;

/// The most messages that a reply may hold, and the bytes that they may have together.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Messages.
    pub messages: usize,
    /// Bytes, as they are in a frame.
    pub bytes: usize,
}

impl Room {
    /// How many of the first messages have room, each of so many bytes.
    pub(super) fn how_many(self, messages: &[Message], size: impl Fn(&Message) -> usize) -> usize {
        let mut left = Some(self.bytes);
        let fits = |message: &&Message| {
            left = left.and_then(|left| left.checked_sub(size(message)));
            left.is_some()
        };
        messages.iter().take_while(fits).count()
    }
}

/// A part of the history, oldest first, without what the user has deleted.
pub struct Page {
    /// The messages.
    pub messages: Vec<Message>,
    /// Before which message an earlier page ends, if there is one.
    pub next: Option<PageCursor>,
}

/// A range of it.
pub struct Range {
    /// The messages.
    pub messages: Vec<Message>,
    /// Where the rest of the range begins, if there is any.
    pub next: Option<Seq>,
}

/// What it takes to read the history.
pub struct World {
    pub(super) messages: Messages,
    pub(super) groups: MyGroups,
    pub(super) clock: Clock,
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            messages: Messages::new(config)?,
            groups: MyGroups::new(config)?,
            clock: config.clock.clone(),
        })
    }
}

/// The newest messages.
pub async fn newest(world: &World, pair: &Pair, room: Room) -> Result<Page> {
    // The query that a send makes as well: it says what the user has cleared on the way.
    let (key, now) = (pair.log_key(), world.clock.now());
    let tail = world.messages.tail(&key, room.messages, Consistency::Eventual, now).await?;
    let cleared = tail.member(pair.me()).cleared.position();
    // Those with a number come first, and are newer.
    let found = tail.messages.into_iter().chain(tail.imported).collect();
    Ok(page(pair, found, tail.goes_on_before, room, cleared))
}

/// The newest messages before those that an earlier page has shown.
pub async fn before(world: &World, pair: &Pair, at: PageCursor, room: Room) -> Result<Page> {
    let (key, now) = (pair.log_key(), world.clock.now());
    let found = world.messages.earlier(&key, at.before, room.messages, Consistency::Eventual, now).await?;
    Ok(page(pair, found.messages, found.goes_on_before, room, at.cleared))
}

/// All messages from one number to another, to fill a gap.
pub async fn range(world: &World, pair: &Pair, from: Seq, to: Seq, room: Room) -> Result<Range> {
    let part =
        world.messages.range(&pair.log_key(), from, to, room.messages, room.bytes, world.clock.now()).await?;
    let mut messages = part.messages;
    messages.retain(|message| !pair.hides(message));
    let next = match how_many_fit(pair, &messages, room) {
        fitting if fitting < messages.len() => messages.drain(fitting..).next().map(|message| message.seq),
        _ => part.next,
    };
    Ok(Range { messages, next })
}

/// How many messages of each of several ranges are looked at at once: few at first, because mostly there are few.
const LOOKS: [usize; 8] = [4, 16, 16, 16, 16, 16, 16, 16];

/// The messages of several ranges, each of its own conversation: as many as may be read, and as have room in so many
/// bytes. The rest begins where each of them says.
pub async fn ranges(world: &World, ranges: &[(Pair, Seq, Seq)], mut bytes: usize) -> Result<Vec<Range>> {
    let mut found: Vec<Range> =
        ranges.iter().map(|(_, from, _)| Range { messages: Vec::new(), next: Some(*from) }).collect();
    for look in LOOKS {
        let mut open: Vec<_> =
            ranges.iter().zip(&mut found).filter(|(_, found)| found.next.is_some()).collect();
        while !open.is_empty() {
            let wave = Messages::affordable_ranges(look).min(MAX_CONCURRENCY).min(open.len());
            if wave == 0 {
                return Ok(found);
            }
            let looked_at = open.drain(..wave).map(async |((pair, _, to), found)| {
                let from = found.next.unwrap_or(*to);
                let part =
                    world.messages.known_range(&pair.log_key(), (from, *to), look, world.clock.now()).await;
                (pair, found, part)
            });
            for (pair, found, part) in join_all(looked_at).await {
                let mut part = part?;
                part.messages.retain(|message| !pair.hides(message));
                let fitting = how_many_fit(pair, &part.messages, Room { messages: look, bytes });
                let cut = part.messages.get(fitting).map(|message| message.seq);
                part.messages.truncate(fitting);
                let size = |message| WireMessage::new(pair, message).size();
                bytes = bytes.saturating_sub(part.messages.iter().map(size).sum());
                found.messages.append(&mut part.messages);
                found.next = cut.or(part.next);
                if cut.is_some() {
                    bytes = 0;
                }
            }
            if bytes == 0 {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// What the user may see of the newest messages among those that were found, newest first, before which it goes on there.
fn page(
    pair: &Pair,
    mut found: Vec<Message>,
    mut goes_on_before: Option<Address>,
    room: Room,
    cleared: Position,
) -> Page {
    let mut cut = |found: &mut Vec<Message>, at: usize| {
        if at < found.len() {
            found.truncate(at);
            goes_on_before = found.last().map(Message::address);
        }
    };
    cut(&mut found, room.messages);
    found.retain(|message| message.position() > cleared && !pair.hides(message));
    // Newest first, so that what does not fit is the older part.
    let fitting = how_many_fit(pair, &found, room);
    cut(&mut found, fitting);
    found.reverse();
    // Behind what was looked at, even if the user sees none of it, the next page goes on.
    Page { messages: found, next: goes_on_before.and_then(|before| PageCursor::new(before, cleared)) }
}

fn how_many_fit(pair: &Pair, messages: &[Message], room: Room) -> usize {
    room.how_many(messages, |message| WireMessage::new(pair, message).size())
}
