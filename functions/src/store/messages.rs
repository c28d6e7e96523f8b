use aws_sdk_dynamodb::{Client, operation::query::builders::QueryFluentBuilder};
use hongyan_shared::{
    Error, Result,
    model::{ClientId, Counts, Draft, Elem, Head, Message, Pair, Position, Seq, Side},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Item, failed, from_item, number, put_if_absent, text, to_item, took_place};

/// The log of every conversation: partition is the pair of users, and the sort key orders
///
/// | sort key | what |
/// |---|---|
/// | `F` | the floor: no number up to it is given out again |
/// | `M` + 12 digits | a message |
/// | `R#` + user | how far he has read |
///
/// so that one descending query returns both read positions and then the newest messages.
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
    /// How many the low side has sent.
    a: u64,
    /// How many the high side has sent.
    z: u64,
    /// Swept at, seconds: the TTL attribute.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    x: Option<u64>,
}

/// A read position.
#[derive(Deserialize)]
struct PositionRow {
    /// Sequence number.
    n: u64,
    /// The peer's count at that message.
    q: u64,
    /// That message's time, milliseconds.
    t: u64,
    /// The second in which that message expires.
    #[serde(default)]
    e: Option<u64>,
}

/// A floor.
#[derive(Deserialize)]
struct FloorRow {
    /// Sequence number.
    n: u64,
}

/// How much later than its end a message may be swept. Clocks differ: a function whose clock is slow
/// must not find a message alive when newer ones have been swept already.
const SWEPT_LATER_S: u64 = 3600;

/// How many queries one request may make for one part of the log.
const PAGES: usize = 4;

/// How many messages one query looks at.
const PAGE: i32 = 100;

const FLOOR: &str = "F";
const POSITION: &str = "R#";
const LAST_NUMBER: u64 = 999_999_999_999;

fn message_key(seq: Seq) -> String {
    format!("M{:012}", seq.0.min(LAST_NUMBER))
}

impl Messages {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Both read positions and the newest messages.
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
        let answer = self
            .query(consistency)
            .key_condition_expression("p = :p")
            .expression_attribute_values(":p", text(pair.key()))
            .scan_index_forward(false)
            // Two rows for the read positions come first.
            .limit(i32::try_from(messages.saturating_add(2)).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(failed)?;
        let mut head = Head::default();
        for item in answer.items.unwrap_or_default() {
            let key = sort_key(&item)?;
            if let Some(user) = key.strip_prefix(POSITION) {
                let position = from_item::<PositionRow>(item)?.into();
                match pair.side_of(user) {
                    Some(Side::Low) => head.low = position,
                    Some(Side::High) => head.high = position,
                    None => return Err(Error::Internal(format!("{key} is not of this conversation"))),
                }
            } else if key == FLOOR {
                head.floor = Some(Seq(from_item::<FloorRow>(item)?.n));
            } else {
                let message = parse(pair, item)?;
                head.stored = head.stored.max(Some(message.seq));
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
    pub async fn floor(&self, pair: &Pair) -> Result<Option<Seq>> {
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
        answer.item.map(|item| Ok(Seq(from_item::<FloorRow>(item)?.n))).transpose()
    }

    /// Raises the floor. It never sinks.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn raise_floor(&self, pair: &Pair, floor: Seq) -> Result<()> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("p", text(pair.key()))
            .key("s", text(FLOOR))
            .update_expression("SET n = :n")
            .condition_expression("attribute_not_exists(n) OR n < :n")
            .expression_attribute_values(":n", number(floor.0))
            .send()
            .await;
        took_place(answer).map(|_| ())
    }

    /// Gives the message its number, unless that is taken. The key is the counter: no other item
    /// has to agree.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn append(&self, pair: &Pair, message: &Message) -> Result<Appended> {
        let item = to_item(&MessageRow::new(pair, message))?;
        Ok(match put_if_absent(&self.client, &self.table, "p", item).await? {
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
        let query = self
            .between(pair, Seq(1), before.prev(), consistency)
            .scan_index_forward(false)
            .limit(i32::try_from(count).unwrap_or(i32::MAX));
        parse_all(pair, query.send().await.map_err(failed)?.items)
    }

    /// The live messages from one number to another, oldest first. Nothing is missing in between:
    /// this is what a client fills its gaps from.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn range(&self, pair: &Pair, from: Seq, to: Seq, count: usize, now_ms: u64) -> Result<Part> {
        let mut part = Part { messages: Vec::new(), next: Some(from) };
        for _ in 0..PAGES {
            let Some(from) = part.next else { break };
            let answer =
                self.between(pair, from, to, Consistency::Strong).limit(PAGE).send().await.map_err(failed)?;
            let goes_on = answer.last_evaluated_key.is_some();
            let found = parse_all(pair, answer.items)?;
            part.next = found.last().map(|last| last.seq.next()).filter(|next| goes_on && *next <= to);
            part.messages = found.into_iter().filter(|message| message.is_live(now_ms)).collect();
            // What has expired is passed over, because it may be much.
            if !part.messages.is_empty() {
                break;
            }
        }
        if let Some(beyond) = part.messages.get(count) {
            part.next = Some(beyond.seq);
            part.messages.truncate(count);
        }
        Ok(part)
    }

    /// What the draft became, if it became a message with a number in this range.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(&self, pair: &Pair, draft: &Draft, from: Seq, to: Seq) -> Result<Search> {
        let mut pages = self
            .between(pair, from, to, Consistency::Strong)
            .scan_index_forward(false)
            .filter_expression("f = :f AND c = :c")
            .expression_attribute_values(":f", text(pair.user(draft.from).as_str()))
            .expression_attribute_values(":c", text(draft.client_id.as_str()))
            .into_paginator()
            .send();
        for _ in 0..PAGES {
            let Some(page) = pages.next().await else { return Ok(Search::Absent) };
            if let Some(item) = page.map_err(failed)?.items.unwrap_or_default().into_iter().next() {
                return Ok(Search::Found(parse(pair, item)?));
            }
        }
        Ok(Search::TooMuch)
    }

    /// How many messages of the peer a side has not read, not counting what has expired unread.
    ///
    /// `first_expiry` is the second before which no message of the conversation can have expired, if
    /// the caller knows. Only when something behind the read position may have expired is there a
    /// second look.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unread(
        &self,
        pair: &Pair,
        head: &Head,
        side: Side,
        first_expiry: Option<u64>,
        now_ms: u64,
    ) -> Result<u64> {
        let unread = head.unread(side);
        let position = head.position(side);
        let Some(last) = head.last().filter(|_| unread > 0) else { return Ok(0) };
        // Expiry never decreases along the log, so what is behind a message outlives it.
        let outlives = if position.seq == Seq(0) { first_expiry } else { position.expires_at };
        let all_live = match outlives {
            Some(second) => second.saturating_mul(1000) > now_ms,
            None => position.seq > Seq(0) || last.expires_at.is_none(),
        };
        if all_live {
            return Ok(unread);
        }
        let part = self.range(pair, position.seq.next(), last.seq, 1, now_ms).await?;
        Ok(part.messages.first().map_or(unread, |oldest| {
            let peer = side.other();
            let before = oldest.counts.of(peer).saturating_sub(u64::from(oldest.from == peer));
            last.counts.of(peer).saturating_sub(before).min(unread)
        }))
    }

    /// Moves a read position forward. Says whether it moved: it never goes back.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn advance(&self, pair: &Pair, side: Side, position: Position) -> Result<bool> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("p", text(pair.key()))
            .key("s", text(format!("{POSITION}{}", pair.user(side))))
            .condition_expression("attribute_not_exists(n) OR n < :n")
            .expression_attribute_values(":n", number(position.seq.0))
            .expression_attribute_values(":q", number(position.peer_count))
            .expression_attribute_values(":t", number(position.time));
        let update = match position.expires_at {
            None => update.update_expression("SET n = :n, q = :q, t = :t REMOVE e"),
            Some(second) => update
                .update_expression("SET n = :n, q = :q, t = :t, e = :e")
                .expression_attribute_values(":e", number(second)),
        };
        took_place(update.send().await)
    }

    fn query(&self, consistency: Consistency) -> QueryFluentBuilder {
        self.client.query().table_name(&self.table).consistent_read(consistency == Consistency::Strong)
    }

    fn between(&self, pair: &Pair, from: Seq, to: Seq, consistency: Consistency) -> QueryFluentBuilder {
        self.query(consistency)
            .key_condition_expression("p = :p AND s BETWEEN :from AND :to")
            .expression_attribute_values(":p", text(pair.key()))
            .expression_attribute_values(":from", text(message_key(from)))
            .expression_attribute_values(":to", text(message_key(to)))
    }
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
            d: Value::Object(message.elem.payload().clone()).to_string(),
            k: message.elem.custom_data().to_owned(),
            a: message.counts.low,
            z: message.counts.high,
            x: message.expires_at.map(|second| second.saturating_add(SWEPT_LATER_S)),
        }
    }
}

impl From<PositionRow> for Position {
    fn from(row: PositionRow) -> Self {
        Self { seq: Seq(row.n), peer_count: row.q, time: row.t, expires_at: row.e }
    }
}

fn sort_key(item: &Item) -> Result<String> {
    item.get("s")
        .and_then(|value| value.as_s().ok())
        .cloned()
        .ok_or_else(|| Error::Internal("an item has no sort key".to_owned()))
}

fn parse_all(pair: &Pair, items: Option<Vec<Item>>) -> Result<Vec<Message>> {
    items.unwrap_or_default().into_iter().map(|item| parse(pair, item)).collect()
}

fn parse(pair: &Pair, item: Item) -> Result<Message> {
    let row: MessageRow = from_item(item)?;
    let wrong = |what: &str| Error::Internal(format!("{what} of message {} is wrong", row.s));
    let payload: Map<String, Value> = serde_json::from_str(&row.d).map_err(|_| wrong("the payload"))?;
    Ok(Message {
        seq: row
            .s
            .strip_prefix('M')
            .and_then(|digits| digits.parse().ok())
            .map(Seq)
            .ok_or_else(|| wrong("the key"))?,
        client_id: ClientId::parse(&row.c).map_err(|_| wrong("the client ID"))?,
        from: pair.side_of(&row.f).ok_or_else(|| wrong("the sender"))?,
        time: row.t,
        elem: Elem::restore(row.y, payload, row.k),
        counts: Counts { low: row.a, high: row.z },
        expires_at: row.x.map(|second| second.saturating_sub(SWEPT_LATER_S)),
    })
}
