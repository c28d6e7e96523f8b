use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    error::ProvideErrorMetadata,
    operation::{
        query::builders::QueryFluentBuilder,
        update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    },
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure, Update},
};
use hongyan_shared::{
    Error, Result,
    model::{
        ClientId, Counts, Draft, Elem, Head, Hidden, Message, Options, Pair, Payload, Position, Priority,
        Seq, Side, Standing,
    },
};
use serde::{Deserialize, Serialize};

use super::{CONFLICT, Item, failed, from_item, number, put_if_absent, sort_key, text, to_item, took_place};

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
    /// He blocks the other one.
    b: bool,
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

/// How often a position is written while a transaction has its row.
const ATTEMPTS: usize = 5;

/// How many messages one query looks at.
const PAGE: i32 = 100;

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
        let answer = self
            .query(consistency)
            .key_condition_expression("p = :p")
            .expression_attribute_values(":p", text(pair.key()))
            .scan_index_forward(false)
            // Two rows for how the users stand come first.
            .limit(i32::try_from(messages.saturating_add(2)).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(failed)?;
        let mut head = Head::default();
        for item in answer.items.unwrap_or_default() {
            let key = sort_key(&item)?;
            if let Some(user) = key.strip_prefix(STANDING) {
                let Some(side) = pair.side_of(user) else {
                    return Err(Error::Internal(format!("{key} is not of this conversation")));
                };
                *head.standing_mut(side) = from_item::<StandingRow>(item)?.into();
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
            .update(pair, FLOOR.to_owned())
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

    /// What the draft became, if it became a message with a number in this range that lives. One that has
    /// expired is not there, whether it has been swept or not: when that happens must not matter.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(&self, pair: &Pair, draft: &Draft, from: Seq, to: Seq, now_ms: u64) -> Result<Search> {
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
                let found = parse(pair, item)?;
                return Ok(if found.is_live(now_ms) { Search::Found(found) } else { Search::Absent });
            }
        }
        Ok(Search::TooMuch)
    }

    /// How many messages of the peer a side has neither read nor cleared, not counting what has expired unread.
    ///
    /// `first_expiry` is the second before which no message of the conversation can have expired, if
    /// the caller knows. Only when something behind the position may have expired is there a second
    /// look.
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
        let position = head.standing(side).done();
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
            let before = oldest.counts.of(peer).saturating_sub(oldest.adds_to(peer));
            last.counts.of(peer).saturating_sub(before).min(unread)
        }))
    }

    /// Moves a read position forward, unless it is farther already: it never goes back. Returns how the
    /// side stands then.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn advance(&self, pair: &Pair, side: Side, position: Position) -> Result<Standing> {
        self.move_forward(pair, side, "", position).await
    }

    /// Clears the conversation for one side, up to a position, unless more is cleared already: what is
    /// cleared does not come back. Returns how the side stands then.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn clear(&self, pair: &Pair, side: Side, position: Position) -> Result<Standing> {
        self.move_forward(pair, side, "c", position).await
    }

    /// Takes the conversation out of one side's list, up to a position, unless it is farther already. Its
    /// history stays. Returns how the side stands then.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unlist(&self, pair: &Pair, side: Side, position: Position) -> Result<Standing> {
        self.move_forward(pair, side, "l", position).await
    }

    /// The positions of a user have the same four attributes, each its own prefix.
    async fn move_forward(
        &self,
        pair: &Pair,
        side: Side,
        prefix: &str,
        position: Position,
    ) -> Result<Standing> {
        let name = |letter: &str| format!("{prefix}{letter}");
        let (n, q, t, e) = (name("n"), name("q"), name("t"), name("e"));
        let set = format!("SET {n} = :n, {q} = :q, {t} = :t");
        let update = self
            .update(pair, standing_key(pair, side))
            .condition_expression(format!("attribute_not_exists({n}) OR {n} < :n"))
            .expression_attribute_values(":n", number(position.seq.0))
            .expression_attribute_values(":q", number(position.peer_count))
            .expression_attribute_values(":t", number(position.time))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let update = match position.expires_at {
            None => update.update_expression(format!("{set} REMOVE {e}")),
            Some(second) => update
                .update_expression(format!("{set}, {e} = :e"))
                .expression_attribute_values(":e", number(second)),
        };
        for _ in 0..ATTEMPTS {
            let stored = match update.clone().send().await {
                Ok(output) => output.attributes,
                // The blacklist is changing in a transaction, and it has this row as well.
                Err(error) if error.code() == Some(CONFLICT) => {
                    tokio::time::sleep(Duration::from_millis(rand::random_range(5..40))).await;
                    continue;
                }
                Err(error) => match error.as_service_error() {
                    Some(UpdateItemError::ConditionalCheckFailedException(found)) => found.item.clone(),
                    _ => return Err(failed(error)),
                },
            };
            let stored =
                stored.ok_or_else(|| Error::Internal("DynamoDB did not say what it has".to_owned()))?;
            return Ok(from_item::<StandingRow>(stored)?.into());
        }
        Err(Error::Throttled)
    }

    /// Whether a side blocks the other one, as far as the last second is known. A send that is stored
    /// learns it from [`Messages::head`], which misses nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_blocked_by(&self, pair: &Pair, side: Side) -> Result<bool> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("p", text(pair.key()))
            .key("s", text(standing_key(pair, side)))
            .send()
            .await
            .map_err(failed)?;
        Ok(answer.item.map(from_item::<StandingRow>).transpose()?.is_some_and(|row| row.b))
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
            Ok(output) => match output.attributes {
                Some(item) => Ok(Recalled::Now(parse(pair, item)?)),
                None => Err(Error::Internal("DynamoDB did not say what it has updated".to_owned())),
            },
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

    /// Hides a message from a side, if it is there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn hide(&self, pair: &Pair, side: Side, seq: Seq) -> Result<()> {
        let attribute = match side {
            Side::Low => "ha",
            Side::High => "hz",
        };
        let answer = self
            .update(pair, message_key(seq))
            .update_expression(format!("SET {attribute} = :h"))
            .condition_expression("attribute_exists(p)")
            .expression_attribute_values(":h", AttributeValue::Bool(true))
            .send()
            .await;
        took_place(answer).map(|_| ())
    }

    fn update(&self, pair: &Pair, sort_key: String) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.table).key("p", text(pair.key())).key("s", text(sort_key))
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
        }
    }
}

fn standing_key(pair: &Pair, side: Side) -> String {
    format!("{STANDING}{}", pair.user(side))
}

/// Notes whether the pair's user takes messages from the other one. Here it is seen by every send, which
/// reads this row anyway.
pub(super) fn mark(table: &str, pair: &Pair, blocks: bool) -> Result<Update> {
    let update = Update::builder()
        .table_name(table)
        .key("p", text(pair.key()))
        .key("s", text(standing_key(pair, pair.mine())));
    let update = if blocks {
        update.update_expression("SET b = :b").expression_attribute_values(":b", AttributeValue::Bool(true))
    } else {
        update.update_expression("REMOVE b")
    };
    update.build().map_err(|_| Error::Internal("a mark is incomplete".to_owned()))
}

fn parse_all(pair: &Pair, items: Option<Vec<Item>>) -> Result<Vec<Message>> {
    items.unwrap_or_default().into_iter().map(|item| parse(pair, item)).collect()
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
        revoked_at: row.r,
        hidden: Hidden { from_low: row.ha, from_high: row.hz },
    })
}
