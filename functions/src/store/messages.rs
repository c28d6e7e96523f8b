use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    error::ProvideErrorMetadata,
    operation::{
        query::builders::QueryFluentBuilder,
        update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    },
    types::{
        AttributeValue, ReturnConsumedCapacity, ReturnValue, ReturnValuesOnConditionCheckFailure, Update,
    },
};
use hongyan_shared::{
    Error, Result,
    model::{
        ClientId, Counts, Draft, Elem, FOREVER_S, Floor, Head, Hidden, Message, Options, Pair, Payload,
        Position, Priority, Seq, Side, Standing,
    },
    protocol::MAX_REPLY_BYTES,
};
use serde::{Deserialize, Serialize};

use super::{
    CONFLICT, Item, allowance, failed, from_item, number, output_of, put_if_absent, sort_key, text, to_item,
    took_place,
};

/// The log of every conversation: partition is the pair of users, and the sort key orders
///
/// | sort key | what |
/// |---|---|
/// | `F` | the floor: no number up to it is given out again |
/// | `M` + 12 digits | a message |
/// | `R#` + user | how he stands: what he has read and cleared, and whether he blocks the other one |
///
/// so that one descending query returns how both stand and then the newest messages.
///
/// This type is the only way to a log. Groups, which have many writers, will number their messages
/// by a counter instead, behind the same calls.
pub struct Messages {
    client: Client,
    table: String,
}

/// What a read may miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// What was written in the last second, for half the price.
    Eventual,
    /// Nothing.
    Strong,
}

/// How an append went.
#[derive(Debug, Clone, PartialEq)]
pub enum Appended {
    /// The message has its number.
    Written,
    /// This message has it.
    Taken(Message),
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

/// How a search went.
#[derive(Debug, Clone, PartialEq)]
pub enum Search {
    /// Here it is.
    Found(Message),
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

/// One of the positions of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Read,
    Cleared,
    Unlisted,
}

impl Which {
    const ALL: [Self; 3] = [Self::Read, Self::Cleared, Self::Unlisted];

    /// What its attributes begin with.
    fn prefix(self) -> &'static str {
        match self {
            Self::Read => "",
            Self::Cleared => "c",
            Self::Unlisted => "l",
        }
    }

    fn of(self, standing: &mut Standing) -> &mut Position {
        match self {
            Self::Read => &mut standing.read,
            Self::Cleared => &mut standing.cleared,
            Self::Unlisted => &mut standing.unlisted,
        }
    }
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
enum Oldest {
    /// This one.
    Is(Message),
    /// All have expired.
    None,
    /// Nobody knows: it is not before this number.
    NotBefore(Seq),
}

/// A message. Attribute names are one letter long, so that fifteen texts fit one read unit.
#[derive(Serialize, Deserialize)]
struct MessageRow {
    /// Conversation.
    p: String,
    /// `M` + sequence number.
    s: String,
    /// From.
    f: String,
    /// Client ID.
    c: String,
    /// Time, milliseconds.
    t: u64,
    /// Type.
    y: String,
    /// Payload, as JSON.
    d: String,
    /// Cloud custom data.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    k: String,
    /// How many that can be unread the low side has sent.
    a: u64,
    /// How many the high side has.
    z: u64,
    /// Priority, unless it is the usual one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    o: Option<Priority>,
    /// Wants a read receipt.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    q: bool,
    /// Takes extensions.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    e: bool,
    /// Is never unread.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    u: bool,
    /// Is no last message in a list: this one before it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    l: Option<u64>,
    /// Recalled at, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    r: Option<u64>,
    /// Hidden from the low side.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    ha: bool,
    /// Hidden from the high side.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    hz: bool,
    /// Until when what stands beside it is kept, seconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    v: Option<u64>,
    /// Swept at, seconds: the TTL attribute.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    x: Option<u64>,
}

/// How a user stands. Each part is written by itself, so any of them may be missing.
#[derive(Default, Deserialize)]
#[serde(default)]
struct StandingRow {
    /// The last message read.
    n: u64,
    /// The peer's count at that message.
    q: u64,
    /// That message's time, milliseconds.
    t: u64,
    /// The second in which that message expires.
    e: Option<u64>,
    /// The last message cleared, and the same of that one.
    cn: u64,
    cq: u64,
    ct: u64,
    ce: Option<u64>,
    /// The last message that is not in the list any more, and the same of that one.
    ln: u64,
    lq: u64,
    lt: u64,
    le: Option<u64>,
    /// They block the other one.
    b: bool,
    /// The last message that they had read when they read on behind a block, its time and its end.
    vn: Option<u64>,
    vt: u64,
    ve: Option<u64>,
}

/// A floor.
#[derive(Deserialize)]
struct FloorRow {
    /// The last number that is reserved.
    n: u64,
    /// The one behind which the conversation began, the last time that there was no message.
    l: u64,
    /// The second before which no message that came then can have expired.
    e: u64,
    /// Swept at, seconds: the TTL attribute.
    x: u64,
}

impl From<FloorRow> for Floor {
    fn from(row: FloorRow) -> Self {
        Self {
            reserved: Seq(row.n),
            begun_behind: Seq(row.l),
            first_expiry: row.e,
            kept_until: row.x.saturating_sub(FLOOR_KEPT_LONGER_S),
        }
    }
}

/// How much longer than anything else a floor is kept. A client that still has messages of the conversation
/// in its memory after that would take new ones, whose numbers begin at 1 again, for old ones.
const FLOOR_KEPT_LONGER_S: u64 = 30 * 24 * 60 * 60;

/// By how much later a row is swept while its user blocks the other one.
const BLOCKED_S: u64 = 5_000_000_000;

/// How much later than its end a message may be swept. Clocks differ: a function whose clock is slow
/// must not find a message alive when newer ones have been swept already.
pub(super) const SWEPT_LATER_S: u64 = 3600;

/// The largest row of a message: what one may weigh, with names and numbers.
const MESSAGE_BYTES: u64 = 12_800;

/// What all the other rows of a conversation have together, at most.
const OTHER_ROWS_BYTES: u64 = 512;

/// How many rows say how the users stand.
const STANDINGS: usize = 2;

/// How many messages one query looks at, at most. As many of the largest are 50 read units.
const PAGE: usize = 16;

/// How many queries one request makes for one part of the log, each for as many messages as the frame
/// may still read: of the usual size more than a hundred, all together.
const PAGES: usize = 8;

/// How many read units a search for a duplicate leaves: for the floor, for two users' connections, and
/// for a first look at who else is writing.
const KEPT_BY_A_SEARCH: u64 = 8;

/// How often a position is written while a transaction has its row.
const ATTEMPTS: usize = 5;

const FLOOR: &str = "F";
const STANDING: &str = "R#";
const LAST_NUMBER: u64 = 999_999_999_999;

fn message_key(seq: Seq) -> String {
    format!("M{:012}", seq.0.min(LAST_NUMBER))
}

impl Messages {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// How both users stand, and the newest messages.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn head(
        &self,
        pair: &Pair,
        messages: usize,
        consistency: Consistency,
        now_ms: u64,
    ) -> Result<Head> {
        // Two rows for how the users stand come first. Where they are not there yet, messages come instead.
        let rows = messages.saturating_add(STANDINGS);
        let reading = allowance::read(bytes_of(rows), consistency)?;
        let answer = self
            .query(consistency)
            .key_condition_expression("p = :p")
            .expression_attribute_values(":p", text(pair.key()))
            .scan_index_forward(false)
            .limit(i32::try_from(rows).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(failed)?;
        reading.cost(answer.consumed_capacity());
        let mut head = Head::default();
        for item in answer.items.unwrap_or_default() {
            let key = sort_key(&item)?;
            if key.starts_with(STANDING) {
                stand(pair, &mut head, item, now_ms)?;
            } else if key == FLOOR {
                head.floor = Some(from_item::<FloorRow>(item)?.into());
            } else {
                let message = parse(pair, item)?;
                if head.stored.is_none() {
                    head.stored = Some(message.seq);
                    head.stored_until = message.expires_at;
                }
                if message.is_live(now_ms) {
                    head.messages.push(message);
                }
            }
        }
        Ok(head)
    }

    /// The floor alone, for a conversation whose messages have all expired and not all been swept.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn floor(&self, pair: &Pair) -> Result<Option<Floor>> {
        let _one_unit = allowance::read(OTHER_ROWS_BYTES, Consistency::Strong)?;
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("p", text(pair.key()))
            .key("s", text(FLOOR))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed)?;
        answer.item.map(|item| Ok(from_item::<FloorRow>(item)?.into())).transpose()
    }

    /// Lays the floor for the first message of a conversation in which none lives, if it is still as it was
    /// read. Of all who begin at the same time, some with a floor and some after it has been swept, one does.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lay_floor(&self, pair: &Pair, before: Option<Floor>, floor: Floor) -> Result<bool> {
        let _one_unit = allowance::write(1)?;
        let update = self
            .update(pair, FLOOR.to_owned())
            .update_expression("SET n = :n, l = :l, e = :e, x = :x")
            .expression_attribute_values(":n", number(floor.reserved.0))
            .expression_attribute_values(":l", number(floor.begun_behind.0))
            .expression_attribute_values(":e", number(floor.first_expiry))
            .expression_attribute_values(":x", number(floor_swept_at(floor.kept_until)));
        let update = match before {
            None => update.condition_expression("attribute_not_exists(n)"),
            Some(before) => update
                .condition_expression("n = :before AND e = :expiry AND x <= :x")
                .expression_attribute_values(":before", number(before.reserved.0))
                .expression_attribute_values(":expiry", number(before.first_expiry)),
        };
        took_place(update.send().await)
    }

    /// Keeps the floor for longer.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keep_floor(&self, pair: &Pair, kept_until: Option<u64>) -> Result<()> {
        let _one_unit = allowance::write(1)?;
        let answer = self
            .update(pair, FLOOR.to_owned())
            .update_expression("SET x = :x")
            .condition_expression("x < :x")
            .expression_attribute_values(":x", number(floor_swept_at(kept_until.unwrap_or(FOREVER_S))))
            .send()
            .await;
        took_place(answer).map(|_| ())
    }

    /// Raises the floor. It never sinks.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn raise_floor(&self, pair: &Pair, floor: Seq) -> Result<()> {
        let _one_unit = allowance::write(1)?;
        let answer = self
            .update(pair, FLOOR.to_owned())
            .update_expression("SET n = :n")
            .condition_expression("n < :n")
            .expression_attribute_values(":n", number(floor.0))
            .send()
            .await;
        took_place(answer).map(|_| ())
    }

    /// How many messages the frame may read at once.
    pub fn affordable(consistency: Consistency) -> usize {
        affordable(consistency, 0)
    }

    /// How many heads with one message the frame may read, if it is to read so many messages more.
    pub fn affordable_heads(consistency: Consistency, messages_kept: usize) -> usize {
        allowance::times(bytes_of(1 + STANDINGS), consistency, bytes_of(messages_kept))
    }

    /// Whether the frame may still try to give a message its number, and raise the floor for it.
    pub fn can_append() -> bool {
        allowance::write_units_left() > allowance::write_units_of(MESSAGE_BYTES)
    }

    /// Gives the message its number, unless that is taken. The key is the counter: no other item
    /// has to agree.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn append(&self, pair: &Pair, message: &Message) -> Result<Appended> {
        let item = to_item(&MessageRow::new(pair, message))?;
        let worst = allowance::write_units_of(MESSAGE_BYTES);
        Ok(match put_if_absent(&self.client, &self.table, "p", item, worst).await? {
            None => Appended::Written,
            Some(taken) => Appended::Taken(parse(pair, taken)?),
        })
    }

    /// The newest messages before a number, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn before(
        &self,
        pair: &Pair,
        before: Seq,
        count: usize,
        consistency: Consistency,
    ) -> Result<Vec<Message>> {
        if before <= Seq(1) {
            return Ok(Vec::new());
        }
        let page = self.page(pair, (Seq(1), before.prev()), count, consistency, Order::NewestFirst).await?;
        Ok(page.messages)
    }

    /// All messages behind a number, newest first, live or not.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn behind(&self, pair: &Pair, seq: Seq) -> Result<Behind> {
        let (mut all, mut to) = (Vec::new(), Seq(u64::MAX));
        for _ in 0..PAGES {
            let count = PAGE.min(affordable(Consistency::Strong, 0));
            if count == 0 {
                break;
            }
            let page =
                self.page(pair, (seq.next(), to), count, Consistency::Strong, Order::NewestFirst).await?;
            let oldest = page.messages.last().map(|oldest| oldest.seq);
            all.extend(page.messages);
            match oldest.filter(|oldest| page.goes_on && *oldest > seq.next()) {
                Some(oldest) => to = oldest.prev(),
                None => return Ok(Behind::All(all)),
            }
        }
        Ok(Behind::TooMuch)
    }

    /// The live messages from one number to another, oldest first: `count` of them, or as many as a
    /// frame holds or may read. Nothing is missing in between: this is what a client fills its gaps from.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn range(&self, pair: &Pair, from: Seq, to: Seq, count: usize, now_ms: u64) -> Result<Part> {
        let mut part = Part { messages: Vec::new(), next: Some(from) };
        let mut room = MAX_REPLY_BYTES as u64;
        for _ in 0..PAGES {
            let wanted = count.saturating_sub(part.messages.len());
            let looked_at = PAGE.min(wanted).min(affordable(Consistency::Strong, 0));
            let Some(from) = part.next.filter(|_| looked_at > 0 && room > 0) else { break };
            let page =
                self.page(pair, (from, to), looked_at, Consistency::Strong, Order::OldestFirst).await?;
            let next = page.messages.last().map(|last| last.seq.next());
            part.next = next.filter(|next| page.goes_on && *next <= to);
            room = room.saturating_sub(page.bytes);
            part.messages.extend(page.messages.into_iter().filter(|message| message.is_live(now_ms)));
            // What has expired is passed over at once, because it may be much.
            if let Some(next) = part.next.filter(|_| part.messages.is_empty()) {
                let oldest = self.oldest_live(pair, (next, to), None, Consistency::Strong, now_ms).await?;
                part.next = match oldest {
                    Oldest::Is(message) => Some(message.seq),
                    Oldest::NotBefore(seq) => Some(seq),
                    Oldest::None => None,
                };
            }
        }
        Ok(part)
    }

    /// The oldest live message from one number to another, or else `newest`, which is behind them. Expiry never decreases along the log, so it
    /// is found by halving what is in between.
    async fn oldest_live(
        &self,
        pair: &Pair,
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
            let found = self.page(pair, span, 1, consistency, order).await?.messages.into_iter().next();
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
        Ok(oldest.map_or(Oldest::None, Oldest::Is))
    }

    /// What the draft became, if it became a message with a number in this range that lives. One that has
    /// expired is not there, whether it has been swept or not: when that happens must not matter. It is
    /// looked for from the old end, because what is sent again was mostly sent at once the first time.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(&self, pair: &Pair, draft: &Draft, from: Seq, to: Seq, now_ms: u64) -> Result<Search> {
        let mut from = from;
        for _ in 0..PAGES {
            let count = PAGE.min(affordable(Consistency::Strong, KEPT_BY_A_SEARCH));
            if count == 0 {
                break;
            }
            let page = self.page(pair, (from, to), count, Consistency::Strong, Order::OldestFirst).await?;
            let last = page.messages.last().map(|last| last.seq);
            let mut live = page.messages.into_iter().filter(|message| message.is_live(now_ms));
            if let Some(sent) = live.find(|message| message.is(draft)) {
                return Ok(Search::Found(sent));
            }
            match last.filter(|last| page.goes_on && *last < to) {
                Some(last) => from = last.next(),
                None => return Ok(Search::Absent),
            }
        }
        Ok(Search::TooMuch)
    }

    /// How many messages of the peer a side has neither read nor cleared, not counting what has expired unread.
    ///
    /// Only when something behind the position may have expired is there a second look; nothing is returned when that would be more than the frame may read.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unread(&self, pair: &Pair, head: &Head, side: Side, now_ms: u64) -> Result<Option<u64>> {
        let unread = head.unread(side);
        let position = head.standing(side).done();
        let Some(last) = head.last().filter(|_| unread > 0) else { return Ok(Some(0)) };
        // Expiry never decreases along the log, so what is behind a message that lives outlives it.
        let nothing_expires = last.expires_at.is_none() && last.kept_until.is_none();
        let all_live = position.seq > Seq(0) || nothing_expires;
        if all_live {
            return Ok(Some(unread));
        }
        // What a read that may be a second old misses is new, and lives.
        let span = (position.seq.next(), last.seq.prev());
        let oldest = self.oldest_live(pair, span, Some(last), Consistency::Eventual, now_ms).await?;
        Ok(match oldest {
            Oldest::Is(oldest) => {
                let peer = side.other();
                let before = oldest.counts.of(peer).saturating_sub(oldest.adds_to(peer));
                Some(last.counts.of(peer).saturating_sub(before).min(unread))
            }
            Oldest::None => Some(unread),
            Oldest::NotBefore(_) => None,
        })
    }

    /// Moves a read position forward, unless it is farther already: it never goes back. Behind a block the
    /// peer is `told` less. Returns how the side stands then.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn advance(
        &self,
        pair: &Pair,
        head: &Head,
        side: Side,
        position: Position,
        told: Option<Position>,
        now_ms: u64,
    ) -> Result<Standing> {
        let standing = Standing { told, ..*head.standing(side) };
        self.move_forward(pair, side, Which::Read, position, standing, now_ms).await
    }

    /// Clears the conversation for one side, up to a position, unless more is cleared already: what is
    /// cleared does not come back. Returns how the side stands then.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn clear(
        &self,
        pair: &Pair,
        head: &Head,
        side: Side,
        position: Position,
        now_ms: u64,
    ) -> Result<Standing> {
        self.move_forward(pair, side, Which::Cleared, position, *head.standing(side), now_ms).await
    }

    /// Takes the conversation out of one side's list, up to a position, unless it is farther already. Its
    /// history stays. Returns how the side stands then.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unlist(
        &self,
        pair: &Pair,
        head: &Head,
        side: Side,
        position: Position,
        now_ms: u64,
    ) -> Result<Standing> {
        self.move_forward(pair, side, Which::Unlisted, position, *head.standing(side), now_ms).await
    }

    /// The positions of a user have the same four attributes, each its own prefix.
    ///
    /// The row lives as long as the last message that one of them points to. For that the others have to be
    /// known, and the write is conditional on them.
    async fn move_forward(
        &self,
        pair: &Pair,
        side: Side,
        which: Which,
        position: Position,
        mut standing: Standing,
        now_ms: u64,
    ) -> Result<Standing> {
        for _ in 0..ATTEMPTS {
            let mut next = standing;
            *which.of(&mut next) = position;
            let _one_unit = allowance::write(1)?;
            let stored = match self.write_position(pair, side, which, &next, now_ms).send().await {
                Ok(output) => output.attributes,
                // The blacklist is changing in a transaction, and it has this row as well.
                Err(error) if error.code() == Some(CONFLICT) => {
                    tokio::time::sleep(Duration::from_millis(rand::random_range(5..40))).await;
                    continue;
                }
                Err(error) => match error.as_service_error() {
                    Some(UpdateItemError::ConditionalCheckFailedException(found)) => {
                        let found = from_item::<StandingRow>(found.item.clone().unwrap_or_default())?;
                        let mut found = Standing::from(found).without_expired(now_ms);
                        if which.of(&mut found).seq < position.seq {
                            // Something else has changed.
                            standing = Standing { told: standing.told, ..found };
                            continue;
                        }
                        return Ok(found);
                    }
                    _ => return Err(failed(error)),
                },
            };
            let stored =
                stored.ok_or_else(|| Error::Internal("DynamoDB did not say what it has".to_owned()))?;
            return Ok(Standing::from(from_item::<StandingRow>(stored)?).without_expired(now_ms));
        }
        Err(Error::Throttled)
    }

    fn write_position(
        &self,
        pair: &Pair,
        side: Side,
        which: Which,
        next: &Standing,
        now_ms: u64,
    ) -> UpdateItemFluentBuilder {
        let mut next = *next;
        let position = *which.of(&mut next);
        let prefix = which.prefix();
        let end = next.ends_at().map_or(FOREVER_S, |second| second.saturating_add(SWEPT_LATER_S));
        let swept_at = if next.blocks { end.saturating_add(BLOCKED_S) } else { end };
        let mut set = format!("SET {prefix}n = :n, {prefix}q = :q, {prefix}t = :t, x = :x");
        let mut removed = Vec::new();
        let mut condition =
            format!("(attribute_not_exists({prefix}n) OR {prefix}n < :n OR {prefix}e <= :now)");
        let mut update = self
            .update(pair, standing_key(pair, side))
            .expression_attribute_values(":n", number(position.seq.0))
            .expression_attribute_values(":q", number(position.peer_count))
            .expression_attribute_values(":t", number(position.time))
            .expression_attribute_values(":x", number(swept_at))
            .expression_attribute_values(":now", number(now_ms / 1000))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match next.told.filter(|_| which == Which::Read) {
            Some(told) => {
                set.push_str(", vn = :vn, vt = :vt");
                update = update
                    .expression_attribute_values(":vn", number(told.seq.0))
                    .expression_attribute_values(":vt", number(told.time));
                match told.expires_at {
                    None => removed.push("ve".to_owned()),
                    Some(second) => {
                        set.push_str(", ve = :ve");
                        update = update.expression_attribute_values(":ve", number(second));
                    }
                }
            }
            None if which == Which::Read => removed.extend(["vn", "vt", "ve"].map(str::to_owned)),
            None => {}
        }
        match position.expires_at {
            None => removed.push(format!("{prefix}e")),
            Some(second) => {
                set.push_str(&format!(", {prefix}e = :e"));
                update = update.expression_attribute_values(":e", number(second));
                condition.push_str(if next.blocks {
                    " AND attribute_exists(b)"
                } else {
                    " AND attribute_not_exists(b)"
                });
                for other in Which::ALL.into_iter().filter(|other| *other != which) {
                    let prefix = other.prefix();
                    match other.of(&mut next).seq {
                        Seq(0) => condition.push_str(&format!(
                            " AND (attribute_not_exists({prefix}n) OR {prefix}e <= :now)"
                        )),
                        Seq(seq) => {
                            condition.push_str(&format!(" AND {prefix}n = :other{prefix}"));
                            update =
                                update.expression_attribute_values(format!(":other{prefix}"), number(seq));
                        }
                    }
                }
            }
        }
        if !removed.is_empty() {
            set.push_str(&format!(" REMOVE {}", removed.join(", ")));
        }
        update.update_expression(set).condition_expression(condition)
    }

    /// How both users stand, as far as the last second is known, and no message. A send that is stored
    /// learns it from [`Messages::head`], which misses nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn standings(&self, pair: &Pair) -> Result<Head> {
        let _half_a_unit = allowance::read(OTHER_ROWS_BYTES, Consistency::Eventual)?;
        let answer = self
            .query(Consistency::Eventual)
            .key_condition_expression("p = :p AND begins_with(s, :r)")
            .expression_attribute_values(":p", text(pair.key()))
            .expression_attribute_values(":r", text(STANDING))
            .send()
            .await
            .map_err(failed)?;
        let mut head = Head::default();
        for item in answer.items.unwrap_or_default() {
            // Who blocks whom does not expire.
            stand(pair, &mut head, item, 0)?;
        }
        Ok(head)
    }

    /// Recalls a message of a side, if it is not older than `oldest_ms`. One conditional write
    /// decides, and says what there is when it does not take place.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn revoke(
        &self,
        pair: &Pair,
        side: Side,
        seq: Seq,
        oldest_ms: u64,
        now_ms: u64,
    ) -> Result<Recalled> {
        let writing = allowance::write(allowance::write_units_of(MESSAGE_BYTES))?;
        let answer = self
            .update(pair, message_key(seq))
            .update_expression("SET r = :now")
            .condition_expression(
                "f = :f AND t >= :oldest AND attribute_not_exists(r) AND (attribute_not_exists(x) OR x > :x)",
            )
            .expression_attribute_values(":now", number(now_ms))
            .expression_attribute_values(":f", text(pair.user(side).as_str()))
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
                    Some(item) => Ok(Recalled::Now(parse(pair, item)?)),
                    None => Err(Error::Internal("DynamoDB did not say what it has updated".to_owned())),
                }
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(found)) => {
                    let found = found.item.clone().map(|item| parse(pair, item)).transpose()?;
                    // An answer was lost, and the SDK has asked again: this is that very recall.
                    Ok(match found.filter(|message| message.is_live(now_ms)) {
                        Some(message) if message.revoked_at == Some(now_ms) && message.from == side => {
                            Recalled::Now(message)
                        }
                        found => Recalled::Refused(found),
                    })
                }
                _ => Err(failed(error)),
            },
        }
    }

    /// How many messages can be hidden at once: the largest are as many write units as the frame may
    /// still take.
    pub fn affordable_deletions() -> usize {
        let worst = allowance::write_units_of(MESSAGE_BYTES);
        usize::try_from(allowance::write_units_left() / worst).unwrap_or(usize::MAX)
    }

    /// Hides a message from a side, if it is there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn hide(&self, pair: &Pair, side: Side, seq: Seq) -> Result<()> {
        let attribute = match side {
            Side::Low => "ha",
            Side::High => "hz",
        };
        let writing = allowance::write(allowance::write_units_of(MESSAGE_BYTES))?;
        let answer = self
            .update(pair, message_key(seq))
            .update_expression(format!("SET {attribute} = :h"))
            .condition_expression("attribute_exists(p)")
            .expression_attribute_values(":h", AttributeValue::Bool(true))
            .send()
            .await;
        match output_of(answer)? {
            Some(output) => writing.cost(output.consumed_capacity()),
            // Nothing is there.
            None => writing.cost_units(1),
        }
        Ok(())
    }

    fn update(&self, pair: &Pair, sort_key: String) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("p", text(pair.key()))
            .key("s", text(sort_key))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }

    /// Some messages of a part of the log.
    async fn page(
        &self,
        pair: &Pair,
        (from, to): (Seq, Seq),
        count: usize,
        consistency: Consistency,
        order: Order,
    ) -> Result<Page> {
        let reading = allowance::read(bytes_of(count), consistency)?;
        let answer = self
            .query(consistency)
            .key_condition_expression("p = :p AND s BETWEEN :from AND :to")
            .expression_attribute_values(":p", text(pair.key()))
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
            messages: items.into_iter().map(|item| parse(pair, item)).collect::<Result<_>>()?,
        })
    }

    fn query(&self, consistency: Consistency) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .consistent_read(consistency == Consistency::Strong)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }
}

/// What so many messages and the rows beside them have at most.
fn bytes_of(messages: usize) -> u64 {
    MESSAGE_BYTES.saturating_mul(messages as u64).saturating_add(OTHER_ROWS_BYTES)
}

/// How many messages the frame may still read at once, if so many units are to be left.
fn affordable(consistency: Consistency, units_kept: u64) -> usize {
    allowance::rows(MESSAGE_BYTES, consistency, units_kept.saturating_add(1))
}

impl MessageRow {
    fn new(pair: &Pair, message: &Message) -> Self {
        Self {
            p: pair.key(),
            s: message_key(message.seq),
            f: pair.user(message.from).to_string(),
            c: message.client_id.as_str().to_owned(),
            t: message.time,
            y: message.elem.kind().to_owned(),
            d: message.elem.payload().as_str().to_owned(),
            k: message.elem.custom_data().to_owned(),
            a: message.counts.low,
            z: message.counts.high,
            o: Some(message.options.priority).filter(|priority| *priority != Priority::default()),
            q: message.options.needs_read_receipt,
            e: message.options.supports_extension,
            u: message.options.excluded_from_unread_count,
            l: message.options.excluded_from_last_message.then_some(message.listed.0),
            r: message.revoked_at,
            ha: message.hidden.from_low,
            hz: message.hidden.from_high,
            v: message.kept_until,
            x: message.expires_at.map(|second| second.saturating_add(SWEPT_LATER_S)),
        }
    }
}

impl From<StandingRow> for Standing {
    fn from(row: StandingRow) -> Self {
        Self {
            read: Position { seq: Seq(row.n), peer_count: row.q, time: row.t, expires_at: row.e },
            cleared: Position { seq: Seq(row.cn), peer_count: row.cq, time: row.ct, expires_at: row.ce },
            unlisted: Position { seq: Seq(row.ln), peer_count: row.lq, time: row.lt, expires_at: row.le },
            blocks: row.b,
            told: row.vn.map(|seq| Position {
                seq: Seq(seq),
                time: row.vt,
                expires_at: row.ve,
                ..Position::default()
            }),
        }
    }
}

fn floor_swept_at(kept_until: u64) -> u64 {
    kept_until.saturating_add(FLOOR_KEPT_LONGER_S)
}

/// Takes over how a user stands.
fn stand(pair: &Pair, head: &mut Head, item: Item, now_ms: u64) -> Result<()> {
    let key = sort_key(&item)?;
    let Some(side) = key.strip_prefix(STANDING).and_then(|user| pair.side_of(user)) else {
        return Err(Error::Internal(format!("{key} is not of this conversation")));
    };
    *head.standing_mut(side) = Standing::from(from_item::<StandingRow>(item)?).without_expired(now_ms);
    Ok(())
}

fn standing_key(pair: &Pair, side: Side) -> String {
    format!("{STANDING}{}", pair.user(side))
}

/// Notes whether the pair's user takes messages from the other one. Here it is seen by every send, which
/// reads this row anyway.
pub(super) fn mark(table: &str, pair: &Pair, blocks: bool, now_ms: u64) -> Result<Update> {
    let update = Update::builder()
        .table_name(table)
        .key("p", text(pair.key()))
        .key("s", text(standing_key(pair, pair.mine())));
    // A row is not swept while there is a block in it, and one in which nothing else is goes with it.
    let now_s = now_ms / 1000;
    let update = if blocks {
        update
            .update_expression("SET b = :b, x = if_not_exists(x, :x) + :blocked")
            .expression_attribute_values(":b", AttributeValue::Bool(true))
            .expression_attribute_values(":x", number(now_s))
    } else {
        update
            .update_expression("SET x = if_not_exists(x, :x) - :blocked REMOVE b")
            .expression_attribute_values(":x", number(now_s.saturating_add(BLOCKED_S)))
    };
    let update = update.expression_attribute_values(":blocked", number(BLOCKED_S));
    update.build().map_err(|_| Error::Internal("a mark is incomplete".to_owned()))
}

fn parse(pair: &Pair, item: Item) -> Result<Message> {
    let row: MessageRow = from_item(item)?;
    let wrong = |what: &str| Error::Internal(format!("{what} of message {} is wrong", row.s));
    let payload =
        Payload::restore(row.d).ok_or_else(|| Error::Internal("a payload is no JSON".to_owned()))?;
    let elem = Elem::restore(row.y, payload, row.k);
    // Here, so that no route can tell by mistake what a recalled message said.
    let elem = if row.r.is_some() { elem.recall() } else { elem };
    let seq = row.s.strip_prefix('M').and_then(|digits| digits.parse().ok()).map(Seq);
    let seq = seq.ok_or_else(|| wrong("the key"))?;
    Ok(Message {
        seq,
        client_id: ClientId::parse(&row.c).map_err(|_| wrong("the client ID"))?,
        from: pair.side_of(&row.f).ok_or_else(|| wrong("the sender"))?,
        time: row.t,
        elem,
        options: Options {
            priority: row.o.unwrap_or_default(),
            needs_read_receipt: row.q,
            supports_extension: row.e,
            excluded_from_unread_count: row.u,
            excluded_from_last_message: row.l.is_some(),
        },
        counts: Counts { low: row.a, high: row.z },
        listed: row.l.map_or(seq, Seq),
        expires_at: row.x.map(|second| second.saturating_sub(SWEPT_LATER_S)),
        kept_until: row.v,
        revoked_at: row.r,
        hidden: Hidden { from_low: row.ha, from_high: row.hz },
    })
}
