//! The messages of a log, and its end.

use hongyan_shared::{
    Result,
    model::{Address, LogKey, LogTail, Message, Seq},
};

use super::{
    super::{Consistency, Item, allowance, batch_get, from_item, put_if_absent, sort_key, text, to_item},
    FLOOR, IMPORTED, MEMBER, MESSAGE_BYTES, Messages,
    floor::FloorRow,
    key_before,
    member::member,
    message_key,
    pages::{Order, PAGE, PAGES, Page, affordable, bytes_of},
    row::{MessageRow, parse},
    search::Oldest,
};

/// How an append went.
#[derive(Debug, Clone, PartialEq)]
pub enum Appended {
    /// The message has its number.
    Written,
    /// This message has it.
    Taken(Box<Message>),
}

/// A part of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The messages.
    pub messages: Vec<Message>,
    /// Where the next part begins, if there is one.
    pub next: Option<Seq>,
}

/// A part of the log as it is read backwards, from its newest numbers into what was imported.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Earlier {
    /// The live messages, newest first.
    pub messages: Vec<Message>,
    /// Before which message the next part ends, unless the log begins here.
    pub goes_on_before: Option<Address>,
}

/// What there is behind a number.
#[derive(Debug, Clone, PartialEq)]
pub enum Newer {
    /// All of it, newest first. There may be nothing.
    All(Vec<Message>),
    /// More than one frame may look at.
    TooMuch,
}

/// How many users a log has rows of, at most, in front of its newest messages.
const MEMBERS: usize = 2;

impl Messages {
    /// What is kept of the users, and the newest messages.
    pub async fn tail(
        &self,
        key: &LogKey,
        messages: usize,
        consistency: Consistency,
        now_ms: u64,
    ) -> Result<LogTail> {
        // The rows of the users come first. Where they are not there yet, messages come instead.
        let rows = messages.saturating_add(MEMBERS);
        let found =
            self.rows(key.as_str(), None, (rows, bytes_of(rows)), consistency, Order::NewestFirst).await?;
        let is_whole = found.items.len() < rows;
        tail_of(found.items, is_whole, now_ms)
    }

    /// The newest messages before one, imported ones among them: so many are looked at, live or not.
    pub async fn earlier(
        &self,
        key: &LogKey,
        before: Address,
        count: usize,
        consistency: Consistency,
        now_ms: u64,
    ) -> Result<Earlier> {
        let keys = (IMPORTED.to_owned(), key_before(before));
        let Page { mut messages, goes_on, .. } =
            self.page_between(key.as_str(), keys, count, consistency, Order::NewestFirst).await?;
        let end = messages.last().map(|oldest| end_at(oldest, now_ms));
        messages.retain(|message| message.is_live(now_ms));
        Ok(Earlier { messages, goes_on_before: end.filter(|_| goes_on) })
    }

    /// Writes a message to the place at which it is imported, unless one is there. What that one says does not matter.
    pub async fn import(&self, key: &LogKey, message: &Message) -> Result<bool> {
        let item = to_item(&MessageRow::new(key, message))?;
        let worst = allowance::write_units_of(MESSAGE_BYTES);
        Ok(put_if_absent(&self.client, &self.table, "p", item, worst).await?.is_none())
    }

    /// How many messages the request may read at once.
    pub fn affordable(consistency: Consistency) -> usize {
        affordable(consistency, 0)
    }

    /// How many units a tail with one message costs at the worst.
    pub fn tail_units(consistency: Consistency) -> u64 {
        allowance::read_units_of(bytes_of(1 + MEMBERS), consistency)
    }

    /// How many units so many messages cost at the worst.
    pub fn message_units(messages: usize, consistency: Consistency) -> u64 {
        allowance::read_units_of(bytes_of(messages), consistency)
    }

    /// Whether the request may still try to give a message its number, and raise the floor for it.
    pub fn can_append() -> bool {
        allowance::write_units_left() > allowance::write_units_of(MESSAGE_BYTES)
    }

    /// Gives the message its number, unless that is taken. The key is the counter: no other item
    /// has to agree.
    pub async fn append(&self, key: &LogKey, message: &Message) -> Result<Appended> {
        let item = to_item(&MessageRow::new(key, message))?;
        let worst = allowance::write_units_of(MESSAGE_BYTES);
        Ok(match put_if_absent(&self.client, &self.table, "p", item, worst).await? {
            None => Appended::Written,
            Some(taken) => Appended::Taken(Box::new(parse(taken)?)),
        })
    }

    /// The newest messages before a number, newest first.
    pub async fn before(
        &self,
        key: &LogKey,
        before: Seq,
        count: usize,
        consistency: Consistency,
    ) -> Result<Vec<Message>> {
        if before <= Seq(1) {
            return Ok(Vec::new());
        }
        let page = self.page(key, (Seq(1), before.prev()), count, consistency, Order::NewestFirst).await?;
        Ok(page.messages)
    }

    /// The live messages at these places, of which there are few, in any order.
    pub async fn at(
        &self,
        key: &LogKey,
        places: impl IntoIterator<Item = Address>,
        now_ms: u64,
    ) -> Result<Vec<Message>> {
        let keys = places.into_iter().map(|place| {
            Item::from([("p".to_owned(), text(key.as_str())), ("s".to_owned(), text(message_key(place)))])
        });
        let items =
            batch_get(&self.client, &self.table, keys.collect(), MESSAGE_BYTES, Consistency::Strong).await?;
        let mut messages: Vec<Message> = items.into_iter().map(parse).collect::<Result<_>>()?;
        messages.retain(|message| message.is_live(now_ms));
        Ok(messages)
    }

    /// All messages behind a number, newest first, live or not.
    pub async fn newer_than(&self, key: &LogKey, seq: Seq) -> Result<Newer> {
        let (mut all, mut to) = (Vec::new(), Seq(u64::MAX));
        for _ in 0..PAGES {
            let count = PAGE.min(affordable(Consistency::Strong, 0));
            if count == 0 {
                break;
            }
            let page =
                self.page(key, (seq.next(), to), count, Consistency::Strong, Order::NewestFirst).await?;
            let oldest = page.messages.last().map(|oldest| oldest.seq);
            all.extend(page.messages);
            match oldest.filter(|oldest| page.goes_on && *oldest > seq.next()) {
                Some(oldest) => to = oldest.prev(),
                None => return Ok(Newer::All(all)),
            }
        }
        Ok(Newer::TooMuch)
    }

    /// The live messages from one number to another, oldest first: `count` of them, or as many as
    /// these bytes hold or a frame may read. Nothing is missing in between: this is what a client fills its gaps from.
    pub async fn range(
        &self,
        key: &LogKey,
        from: Seq,
        to: Seq,
        count: usize,
        bytes: usize,
        now_ms: u64,
    ) -> Result<Part> {
        let mut part = Part { messages: Vec::new(), next: Some(from) };
        let mut room = bytes as u64;
        for _ in 0..PAGES {
            let wanted = count.saturating_sub(part.messages.len());
            let looked_at = PAGE.min(wanted).min(affordable(Consistency::Strong, 0));
            let Some(from) = part.next.filter(|_| looked_at > 0 && room > 0) else { break };
            let page = self.page(key, (from, to), looked_at, Consistency::Strong, Order::OldestFirst).await?;
            let next = page.messages.last().map(|last| last.seq.next());
            part.next = next.filter(|next| page.goes_on && *next <= to);
            room = room.saturating_sub(page.bytes);
            part.messages.extend(page.messages.into_iter().filter(|message| message.is_live(now_ms)));
            // What has expired is passed over at once, because it may be much.
            if let Some(next) = part.next.filter(|_| part.messages.is_empty()) {
                let oldest = self.oldest_live(key, (next, to), None, Consistency::Strong, now_ms).await?;
                part.next = match oldest {
                    Oldest::Is(message) => Some(message.seq),
                    Oldest::NotBefore(seq) => Some(seq),
                    Oldest::None => None,
                };
            }
        }
        Ok(part)
    }

    /// How many ranges the request may read at once, so many messages of each.
    pub fn affordable_ranges(messages: usize) -> usize {
        allowance::times(bytes_of(messages), Consistency::Eventual, 0)
    }

    /// The live messages from one number to another of which is known that they were sent, oldest first, so many at the
    /// most. What a read that may be a second old misses of them is read again, or left for the next time.
    pub async fn known_range(
        &self,
        key: &LogKey,
        (from, to): (Seq, Seq),
        count: usize,
        now_ms: u64,
    ) -> Result<Part> {
        let mut part = Part { messages: Vec::new(), next: Some(from) };
        for consistency in [Consistency::Eventual, Consistency::Strong] {
            let Some(from) = part.next else { break };
            if consistency == Consistency::Strong && affordable(consistency, 0) < count {
                return Ok(part);
            }
            let page = self.page(key, (from, to), count, consistency, Order::OldestFirst).await?;
            let last = page.messages.last().map(|last| last.seq);
            part.next = last.map_or(Some(from), |last| Some(last.next())).filter(|next| *next <= to);
            part.messages.extend(page.messages.into_iter().filter(|message| message.is_live(now_ms)));
            if page.goes_on {
                return Ok(part);
            }
        }
        // They have expired, or there are none.
        part.next = None;
        Ok(part)
    }
}

/// Before which message to go on behind this one, which is the last that was looked at. No number lives before one that has
/// expired.
fn end_at(message: &Message, now_ms: u64) -> Address {
    match message.address() {
        Address::Number(_) if !message.is_live(now_ms) => Address::Number(Seq(1)),
        address => address,
    }
}

/// The end of a log, from the rows of a query that begins there, which may be the whole of it.
pub(super) fn tail_of(items: impl IntoIterator<Item = Item>, is_whole: bool, now_ms: u64) -> Result<LogTail> {
    let mut tail = LogTail::default();
    let mut end = None;
    for item in items {
        let sort_key = sort_key(&item)?;
        if sort_key.starts_with(MEMBER) {
            tail.members.extend([member(item, now_ms)?]);
        } else if sort_key == FLOOR {
            tail.floor = Some(from_item::<FloorRow>(item)?.into());
        } else {
            let message = parse(item)?;
            end = Some(end_at(&message, now_ms));
            if message.imported.is_none() && tail.stored.is_none() {
                tail.stored = Some(message.seq);
                tail.stored_until = message.expires_at;
            }
            if message.is_live(now_ms) {
                let those = if message.imported.is_some() { &mut tail.imported } else { &mut tail.messages };
                those.push(message);
            }
        }
    }
    tail.goes_on_before = end.filter(|_| !is_whole);
    Ok(tail)
}
