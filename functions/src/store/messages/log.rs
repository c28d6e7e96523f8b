//! The messages of a log, and its end.

use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError,
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use hongyan_shared::{
    Error, Result,
    model::{Address, Draft, LogKey, LogTail, Message, Seq, UserId},
};

use super::{
    super::{
        Consistency, Item, allowance, batch_get, failed, from_item, number, output_of, put_if_absent,
        sort_key, text, to_item,
    },
    FLOOR, IMPORTED, MEMBER, MESSAGE_BYTES, Messages, OTHER_ROWS_BYTES, SWEPT_LATER_S,
    floor::FloorRow,
    key_before,
    member::member,
    message_key,
    row::{MessageRow, parse},
};

/// How an append went.
#[derive(Debug, Clone, PartialEq)]
pub enum Appended {
    /// The message has its number.
    Written,
    /// This message has it.
    Taken(Box<Message>),
}

/// How a recall went.
#[derive(Debug, Clone, PartialEq)]
pub enum Recalled {
    /// The message is recalled, and this is what is left of it.
    Now(Message),
    /// It is not, because it is like this; or there is none.
    Refused(Option<Message>),
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
pub struct Stretch {
    /// The live messages, newest first.
    pub messages: Vec<Message>,
    /// Before which message the next part ends, unless the log begins here.
    pub goes_on_before: Option<Address>,
}

/// How a search went.
#[derive(Debug, Clone, PartialEq)]
pub enum Search {
    /// Here it is.
    Found(Box<Message>),
    /// It is not there.
    Absent,
    /// Nobody knows: there is too much to look through.
    TooMuch,
}

/// What there is behind a number.
#[derive(Debug, Clone, PartialEq)]
pub enum Behind {
    /// All of it, newest first. There may be nothing.
    All(Vec<Message>),
    /// More than one frame may look at.
    TooMuch,
}

/// In which order a query returns messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    OldestFirst,
    NewestFirst,
}

/// What a query has returned.
struct Page {
    /// The messages, live or not.
    messages: Vec<Message>,
    /// There may be more.
    goes_on: bool,
    /// What they have together.
    bytes: u64,
}

/// The oldest live message of a part of the log.
pub(super) enum Oldest {
    /// This one.
    Is(Box<Message>),
    /// All have expired.
    None,
    /// Nobody knows: it is not before this number.
    NotBefore(Seq),
}

/// How many users a log has rows of, at most, in front of its newest messages.
const MEMBERS: usize = 2;

/// How many messages one query looks at, at most. As many of the largest are 50 read units.
const PAGE: usize = 16;

/// How many queries one request makes for one part of the log, each for as many messages as the frame
/// may still read: of the usual size more than a hundred, all together.
const PAGES: usize = 8;

/// Among how many messages one is looked for that a business server may be repeating, besides those that a send looks at anyway.
const REPEATED_AMONG: usize = 96;

/// How many read units a search for a duplicate leaves: for the floor, for two users' connections, and
/// for a first look at who else is writing.
const KEPT_BY_A_SEARCH: u64 = 8;

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
        let reading = allowance::read(bytes_of(rows), consistency)?;
        let answer = self
            .query(consistency)
            .key_condition_expression("p = :p")
            .expression_attribute_values(":p", text(key.as_str()))
            .scan_index_forward(false)
            .limit(i32::try_from(rows).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(failed)?;
        reading.cost(answer.consumed_capacity());
        let items = answer.items.unwrap_or_default();
        let is_whole = items.len() < rows;
        tail_of(items, is_whole, now_ms)
    }

    /// The newest messages before one, imported ones among them: so many are looked at, live or not.
    pub async fn stretch(
        &self,
        key: &LogKey,
        before: Address,
        count: usize,
        consistency: Consistency,
        now_ms: u64,
    ) -> Result<Stretch> {
        let reading = allowance::read(bytes_of(count), consistency)?;
        let answer = self
            .query(consistency)
            .key_condition_expression("p = :p AND s BETWEEN :from AND :to")
            .expression_attribute_values(":p", text(key.as_str()))
            .expression_attribute_values(":from", text(IMPORTED))
            .expression_attribute_values(":to", text(key_before(before)))
            .scan_index_forward(false)
            .limit(i32::try_from(count).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(failed)?;
        reading.cost(answer.consumed_capacity());
        let goes_on = answer.last_evaluated_key.is_some();
        let mut messages: Vec<Message> =
            answer.items.unwrap_or_default().into_iter().map(parse).collect::<Result<_>>()?;
        let end = messages.last().map(|oldest| end_at(oldest, now_ms));
        messages.retain(|message| message.is_live(now_ms));
        Ok(Stretch { messages, goes_on_before: end.filter(|_| goes_on) })
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

    /// The number behind which there is no message of this second or before, as far as messages are still there: 0 if all are younger.
    /// `last` is the last message. Time never decreases along the numbers, so what is in between is halved.
    pub async fn number_at(&self, key: &LogKey, last: &Message, second: u64) -> Result<Seq> {
        if last.time / 1000 <= second {
            return Ok(last.seq);
        }
        let (mut low, mut high) = (Seq(0), last.seq.prev());
        while low < high {
            let middle = Seq(low.0.saturating_add((high.0 - low.0).div_ceil(2)));
            let span = (low.next(), middle);
            let page = self.page(key, span, 1, Consistency::Eventual, Order::NewestFirst).await?;
            match page.messages.first() {
                Some(message) if message.time / 1000 > second => high = message.seq.prev(),
                // There is none in between, or it is not younger.
                _ => low = middle,
            }
        }
        Ok(low)
    }

    /// All messages behind a number, newest first, live or not.
    pub async fn behind(&self, key: &LogKey, seq: Seq) -> Result<Behind> {
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
                None => return Ok(Behind::All(all)),
            }
        }
        Ok(Behind::TooMuch)
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

    /// The oldest live message from one number to another, or else `newest`, which is behind them. Expiry never decreases along the log, so it
    /// is found by halving what is in between.
    pub(super) async fn oldest_live(
        &self,
        key: &LogKey,
        (from, to): (Seq, Seq),
        newest: Option<&Message>,
        consistency: Consistency,
        now_ms: u64,
    ) -> Result<Oldest> {
        let mut oldest = newest.cloned();
        let (mut low, mut high) = (from, to);
        // Mostly what has expired has been swept, and the first one is it. After that the newest, if it is
        // not known, tells where the halves end.
        let mut next = (low <= high).then_some((low, Order::OldestFirst));
        while let Some((at, order)) = next {
            if affordable(consistency, 0) == 0 {
                return Ok(Oldest::NotBefore(low));
            }
            let span = if order == Order::OldestFirst { (at, high) } else { (low, at) };
            let found = self.page(key, span, 1, consistency, order).await?.messages.into_iter().next();
            match (found, order) {
                (Some(message), _) if message.is_live(now_ms) => {
                    high = if order == Order::OldestFirst { at.prev() } else { message.seq.prev() };
                    oldest = Some(message);
                }
                (_, Order::NewestFirst) => break,
                (Some(expired), Order::OldestFirst) => low = expired.seq.next(),
                (None, Order::OldestFirst) => high = at.prev(),
            }
            next = if low > high {
                None
            } else if oldest.is_none() && high == to {
                Some((high, Order::NewestFirst))
            } else {
                Some((Seq(low.0.midpoint(high.0)), Order::OldestFirst))
            };
        }
        Ok(oldest.map_or(Oldest::None, |oldest| Oldest::Is(Box::new(oldest))))
    }

    /// What the draft became, if it became a message with a number in this range that lives. One that has
    /// expired is not there, whether it has been swept or not: when that happens must not matter. It is
    /// looked for from the old end, because what is sent again was mostly sent at once the first time.
    pub async fn find(&self, key: &LogKey, draft: &Draft, from: Seq, to: Seq, now_ms: u64) -> Result<Search> {
        self.search(key.as_str(), draft, (from, to), PAGES, now_ms).await
    }

    /// The same, by so many queries at the most.
    pub(super) async fn search(
        &self,
        partition_key: &str,
        draft: &Draft,
        (from, to): (Seq, Seq),
        pages: usize,
        now_ms: u64,
    ) -> Result<Search> {
        let mut from = from;
        for _ in 0..pages {
            let count = PAGE.min(affordable(Consistency::Strong, KEPT_BY_A_SEARCH));
            if count == 0 {
                break;
            }
            let page = self
                .page_of(partition_key, (from, to), count, Consistency::Strong, Order::OldestFirst)
                .await?;
            let last = page.messages.last().map(|last| last.seq);
            let mut live = page.messages.into_iter().filter(|message| message.is_live(now_ms));
            if let Some(sent) = live.find(|message| message.is(draft)) {
                return Ok(Search::Found(Box::new(sent)));
            }
            match last.filter(|last| page.goes_on && *last < to) {
                Some(last) => from = last.next(),
                None => return Ok(Search::Absent),
            }
        }
        Ok(Search::TooMuch)
    }

    /// The newest of the live messages before a number that is this draft, sent since some time before: the last hundred are looked
    /// at, or as many as may be read.
    pub async fn find_repeated(
        &self,
        key: &LogKey,
        draft: &Draft,
        before: Seq,
        since_ms: u64,
    ) -> Result<Option<Message>> {
        let mut before = before;
        for _ in 0..REPEATED_AMONG / PAGE {
            let count = PAGE.min(affordable(Consistency::Strong, KEPT_BY_A_SEARCH));
            if count == 0 {
                break;
            }
            let found = self.before(key, before, count, Consistency::Strong).await?;
            let Some(oldest) = found.last().map(|oldest| (oldest.seq, oldest.time)) else { break };
            if let Some(sent) = found.into_iter().find(|message| message.is(draft)) {
                return Ok(Some(sent));
            }
            // Time never decreases along the numbers.
            if oldest.1 < since_ms {
                break;
            }
            before = oldest.0;
        }
        Ok(None)
    }

    /// Recalls a message of a user, if it is not older than `oldest_ms`. One conditional write
    /// decides, and says what there is when it does not take place.
    pub async fn revoke(
        &self,
        key: &LogKey,
        user: &UserId,
        at: Address,
        oldest_ms: u64,
        now_ms: u64,
    ) -> Result<Recalled> {
        self.recall(key, (user, None), at, oldest_ms, now_ms).await
    }

    /// The same, by somebody else if one is named.
    pub(super) async fn recall(
        &self,
        key: &LogKey,
        (user, by): (&UserId, Option<&UserId>),
        at: Address,
        oldest_ms: u64,
        now_ms: u64,
    ) -> Result<Recalled> {
        let writing = allowance::write(allowance::write_units_of(MESSAGE_BYTES))?;
        let update = self.update(key, message_key(at));
        let update = match by {
            None => update.update_expression("SET r = :now"),
            Some(by) => update
                .update_expression("SET r = :now, rb = :by")
                .expression_attribute_values(":by", text(by.as_str())),
        };
        let answer = update
            .condition_expression(
                "f = :f AND t >= :oldest AND attribute_not_exists(r) AND (attribute_not_exists(x) OR x > :x)",
            )
            .expression_attribute_values(":now", number(now_ms))
            .expression_attribute_values(":f", text(user.as_str()))
            .expression_attribute_values(":oldest", number(oldest_ms))
            .expression_attribute_values(":x", number((now_ms / 1000).saturating_add(SWEPT_LATER_S)))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(output) => {
                writing.cost(output.consumed_capacity());
                match output.attributes {
                    Some(item) => Ok(Recalled::Now(parse(item)?)),
                    None => Err(Error::Internal("DynamoDB did not say what it has updated".to_owned())),
                }
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(found)) => {
                    let found = found.item.clone().map(parse).transpose()?;
                    // An answer was lost, and the SDK has asked again: this is that very recall.
                    Ok(match found.filter(|message| message.is_live(now_ms)) {
                        Some(message) if message.revoked_at == Some(now_ms) && message.from == *user => {
                            Recalled::Now(message)
                        }
                        found => Recalled::Refused(found),
                    })
                }
                _ => Err(failed(error)),
            },
        }
    }

    /// Takes the content of a message away for good. What is left is as if it had been recalled at that time.
    pub async fn blank(&self, key: &LogKey, message: &Message, now_ms: u64) -> Result<()> {
        let writing = allowance::write(allowance::write_units_of(MESSAGE_BYTES))?;
        let nothing = message.elem.clone().recall();
        let answer = self
            .update(key, message_key(message.address()))
            .update_expression("SET r = if_not_exists(r, :now), d = :d REMOVE k, pi")
            .condition_expression("attribute_exists(p)")
            .expression_attribute_values(":now", number(now_ms))
            .expression_attribute_values(":d", text(nothing.payload().as_str()))
            .send()
            .await;
        if let Some(output) = output_of(answer)? {
            writing.cost(output.consumed_capacity());
        }
        Ok(())
    }

    /// Some messages of a part of the log.
    async fn page(
        &self,
        key: &LogKey,
        span: (Seq, Seq),
        count: usize,
        consistency: Consistency,
        order: Order,
    ) -> Result<Page> {
        self.page_of(key.as_str(), span, count, consistency, order).await
    }

    async fn page_of(
        &self,
        partition_key: &str,
        (from, to): (Seq, Seq),
        count: usize,
        consistency: Consistency,
        order: Order,
    ) -> Result<Page> {
        let reading = allowance::read(bytes_of(count), consistency)?;
        let answer = self
            .query(consistency)
            .key_condition_expression("p = :p AND s BETWEEN :from AND :to")
            .expression_attribute_values(":p", text(partition_key))
            .expression_attribute_values(":from", text(message_key(from)))
            .expression_attribute_values(":to", text(message_key(to)))
            .scan_index_forward(order == Order::OldestFirst)
            .limit(i32::try_from(count).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(failed)?;
        reading.cost(answer.consumed_capacity());
        let items = answer.items.unwrap_or_default();
        Ok(Page {
            goes_on: answer.last_evaluated_key.is_some(),
            bytes: items.iter().map(allowance::size).sum(),
            messages: items.into_iter().map(parse).collect::<Result<_>>()?,
        })
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

/// What so many messages and the rows beside them have at most.
pub(super) fn bytes_of(messages: usize) -> u64 {
    MESSAGE_BYTES.saturating_mul(messages as u64).saturating_add(OTHER_ROWS_BYTES)
}

/// How many messages the frame may still read at once, if so many units are to be left.
fn affordable(consistency: Consistency, units_kept: u64) -> usize {
    allowance::rows(MESSAGE_BYTES, consistency, units_kept.saturating_add(1))
}
