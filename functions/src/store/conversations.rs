use std::collections::BTreeSet;

use aws_sdk_dynamodb::{
    Client,
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure},
};
use futures_util::future::try_join;
use hongyan_shared::{
    Error, Result,
    model::{Pair, Side, Stamp, UserId},
};
use serde::Deserialize;

use super::{
    Consistency, Item, allowance, batch_get, failed, from_item, messages::SWEPT_LATER_S, my_groups, number,
    text, update_if, user_in,
};
use crate::config::{Config, Configured};

/// Each user's list of conversations: partition is the user, sort key the peer. A row is written before the first
/// message, and when the conversation moves up in the list, which it does once in an hour. An index has the rows that are
/// in the list, in its order.
pub struct Conversations {
    client: Client,
    table: String,
}

/// An entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationEntry {
    /// The peer.
    pub peer: UserId,
    /// Where it is.
    pub place: Place,
    /// When the conversation was opened, in milliseconds.
    pub opened_at: u64,
}

/// A part of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPart {
    /// Conversations with other users.
    pub entries: Vec<ConversationEntry>,
    /// There may be more of them.
    pub goes_on: bool,
    /// The user is in groups, or was. The beginning of a list says so.
    pub has_groups: bool,
}

/// Where a conversation is in a list, highest first: by its stamp, and what is pinned before all the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub u64);

/// A conversation has been pinned or unpinned, or why it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pinned {
    /// It is as the user wants it.
    Done,
    /// There is none.
    Absent,
}

/// How many conversations a user may pin.
pub const MAX_PINS: usize = 50;

/// By how much higher what is pinned is than any time in milliseconds.
const PINNED: u64 = 10_000_000_000_000;

/// The index of the rows that are in a list.
const INDEX: &str = "ByPlace";

/// How often a row that is changed by others at the same time is pinned.
const ATTEMPTS: usize = 3;

/// The largest row.
const ROW_BYTES: u64 = 160;

/// What a write costs that moves a row in the index: the row, its old place and its new one.
const MOVE_UNITS: u64 = 3;

#[derive(Deserialize)]
struct Row {
    /// Peer.
    v: String,
    /// Place.
    s: u64,
    /// Opened at, milliseconds.
    #[serde(default)]
    t: u64,
}

/// What of a row says how it is kept.
#[derive(Deserialize)]
struct Kept {
    /// Place, if it is in the list.
    s: Option<u64>,
    /// Swept at, seconds.
    x: Option<u64>,
}

impl Place {
    /// The user keeps it on top.
    pub fn is_pinned(self) -> bool {
        self.0 >= PINNED
    }

    /// When the conversation was last moved up.
    pub fn stamp(self) -> Stamp {
        Stamp(if self.is_pinned() { self.0.saturating_sub(PINNED) } else { self.0 })
    }
}

/// The row goes to the place of `:s`, above all that are not pinned if it is (`k`), unless it is higher already.
const TO_PLACE: &str = "s = if_not_exists(k, :unpinned) + :s";
const IS_LOWER: &str = "(s < :s OR (attribute_exists(k) AND s < :pinned))";
const IS_LOWER_OR_OUT: &str = "(attribute_not_exists(s) OR s < :s OR (attribute_exists(k) AND s < :pinned))";
const OPENED: &str = "t = if_not_exists(t, :t)";

impl Conversations {
    /// The table of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self { client: config.dynamodb.clone(), table: config.conversations_table()? })
    }

    /// Puts a conversation into the lists of both users, and keeps it there until then, or for ever.
    pub async fn open(&self, pair: &Pair, stamp: Stamp, until: Option<u64>) -> Result<()> {
        let open = async |side| self.open_one(pair, side, stamp, until).await;
        try_join(open(Side::Low), open(Side::High)).await.map(|_| ())
    }

    /// Puts a conversation into the lists of both users for a message of that time that is imported, if it is not as high in
    /// them already, and keeps it there until then, or for ever.
    pub async fn enter(
        &self,
        pair: &Pair,
        time_ms: u64,
        stamp: Stamp,
        expires_at: Option<u64>,
        until: Option<u64>,
    ) -> Result<()> {
        let key = |side: Side| {
            let (user, peer) = (pair.user(side), pair.user(side.other()));
            Item::from([("u".to_owned(), text(user.as_str())), ("v".to_owned(), text(peer.as_str()))])
        };
        let keys = [Side::Low, Side::High].map(key);
        let rows =
            batch_get(&self.client, &self.table, keys.into(), ROW_BYTES, Consistency::Eventual).await?;
        let mut there = Vec::new();
        for item in rows {
            let side = pair.side_of(&user_in(&item, "u")?);
            let row: Kept = from_item(item)?;
            let is_as_high = row.s.is_some_and(|place| Place(place).stamp().covers(time_ms));
            let is_kept = match (row.x, expires_at) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(kept), Some(end)) => swept_at(end) <= kept,
            };
            if is_as_high && is_kept {
                there.push(side);
            }
        }
        let open = async |side| {
            if !there.contains(&side) {
                self.open_one(pair, side, stamp, until).await?;
            }
            Ok::<_, Error>(())
        };
        try_join(open(Side::Low), open(Side::High)).await.map(|_| ())
    }

    async fn open_one(&self, pair: &Pair, side: Side, stamp: Stamp, until: Option<u64>) -> Result<()> {
        let update = self.to_place(pair, side, stamp);
        let update = match until {
            None => update
                .update_expression(format!("SET {OPENED}, {TO_PLACE} REMOVE x"))
                .condition_expression(IS_LOWER_OR_OUT),
            Some(second) => update
                .update_expression(format!("SET {OPENED}, {TO_PLACE}, x = :x"))
                .condition_expression(format!("{IS_LOWER_OR_OUT} AND (attribute_not_exists(x) OR x < :x)"))
                .expression_attribute_values(":x", number(swept_at(second))),
        };
        // What is higher already or kept for longer stays so, each for itself.
        if !update_if(update, MOVE_UNITS, 1).await? {
            self.move_one(pair, side, stamp, until).await?;
            self.keep_one(pair, side, stamp, until).await?;
        }
        Ok(())
    }

    /// Moves a conversation up in the lists of both users, and back into them. A row never goes down by it, so what comes
    /// late changes nothing. Should there be no row any more, one is written that is kept until then, or for ever.
    pub async fn move_up(&self, pair: &Pair, stamp: Stamp, until: Option<u64>) -> Result<()> {
        let move_up = async |side| self.move_one(pair, side, stamp, until).await;
        try_join(move_up(Side::Low), move_up(Side::High)).await.map(|_| ())
    }

    /// Keeps the rows of both users until then, or for ever, wherever they are.
    pub async fn keep(&self, pair: &Pair, now: Stamp, until: Option<u64>) -> Result<()> {
        let keep = async |side| self.keep_one(pair, side, now, until).await;
        try_join(keep(Side::Low), keep(Side::High)).await.map(|_| ())
    }

    /// Moves a conversation up in the list of the pair's user alone, if it is in there: so their other devices see that
    /// something has changed that is no message.
    pub async fn touch(&self, pair: &Pair, stamp: Stamp) -> Result<()> {
        let update = self
            .to_place(pair, pair.mine(), stamp)
            .update_expression(format!("SET {OPENED}, {TO_PLACE}"))
            .condition_expression(IS_LOWER);
        update_if(update, MOVE_UNITS, 1).await.map(|_| ())
    }

    /// Takes a row out of the list of a user, unless it has been moved since it was read.
    pub async fn take_out(&self, user: &UserId, entry: &ConversationEntry) -> Result<()> {
        let update = self
            .update(user, &entry.peer)
            .update_expression("REMOVE s")
            .condition_expression("s = :s")
            .expression_attribute_values(":s", number(entry.place.0));
        update_if(update, MOVE_UNITS, 1).await.map(|_| ())
    }

    async fn move_one(&self, pair: &Pair, side: Side, stamp: Stamp, until: Option<u64>) -> Result<bool> {
        let update = self.to_place(pair, side, stamp).condition_expression(IS_LOWER_OR_OUT);
        let update = match until {
            None => update.update_expression(format!("SET {OPENED}, {TO_PLACE}")),
            Some(second) => update
                .update_expression(format!("SET {OPENED}, {TO_PLACE}, x = if_not_exists(x, :x)"))
                .expression_attribute_values(":x", number(swept_at(second))),
        };
        update_if(update, MOVE_UNITS, 1).await
    }

    async fn keep_one(&self, pair: &Pair, side: Side, now: Stamp, until: Option<u64>) -> Result<bool> {
        let update = self
            .update(pair.user(side), pair.user(side.other()))
            .expression_attribute_values(":t", number(now.0));
        let update = match until {
            None => update.update_expression(format!("SET {OPENED} REMOVE x")),
            Some(second) => update
                .update_expression(format!("SET {OPENED}, x = :x"))
                .condition_expression("attribute_not_exists(x) OR x < :x")
                .expression_attribute_values(":x", number(swept_at(second))),
        };
        update_if(update, 1, 1).await
    }

    /// Pins a conversation in the list of the pair's user, or unpins it, and moves it up.
    pub async fn pin(&self, pair: &Pair, is_pinned: bool, now: Stamp) -> Result<Pinned> {
        for _ in 0..ATTEMPTS {
            for is_in_list in [true, false] {
                let update = self.update(pair.me(), pair.peer());
                let update = if is_in_list {
                    let place = if is_pinned { now.0.saturating_add(PINNED) } else { now.0 };
                    update
                        .condition_expression("attribute_exists(s)")
                        .expression_attribute_values(":s", number(place))
                } else {
                    update.condition_expression("attribute_exists(u) AND attribute_not_exists(s)")
                };
                let update = match (is_pinned, is_in_list) {
                    (true, true) => update.update_expression("SET k = :k, s = :s"),
                    (true, false) => update.update_expression("SET k = :k"),
                    (false, true) => update.update_expression("SET s = :s REMOVE k"),
                    (false, false) => update.update_expression("REMOVE k"),
                };
                let update =
                    if is_pinned { update.expression_attribute_values(":k", number(PINNED)) } else { update };
                let writing = allowance::write(MOVE_UNITS)?;
                match update
                    .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                    .send()
                    .await
                {
                    Ok(output) => {
                        writing.cost(output.consumed_capacity());
                        return Ok(Pinned::Done);
                    }
                    Err(error) => match error.as_service_error() {
                        Some(UpdateItemError::ConditionalCheckFailedException(found)) => {
                            writing.cost_units(1);
                            if found.item.is_none() {
                                return Ok(Pinned::Absent);
                            }
                        }
                        _ => return Err(failed(error)),
                    },
                }
            }
        }
        // It comes and goes all the time.
        Err(Error::Throttled)
    }

    /// Whom a user has pinned who is in the list, one more than there may be at most; and whether they have groups.
    pub async fn pinned(&self, user: &UserId) -> Result<(Vec<UserId>, bool)> {
        let part = self.list(user, None, Some(Stamp(PINNED)), MAX_PINS + 2, Consistency::Eventual).await?;
        Ok((part.entries.into_iter().map(|entry| entry.peer).collect(), part.has_groups))
    }

    /// With whom a user has a conversation, in their list or not: so many of them.
    pub async fn some_of(&self, user: &UserId, count: usize) -> Result<Vec<UserId>> {
        let reading = allowance::read(ROW_BYTES.saturating_mul(count as u64), Consistency::Strong)?;
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("u = :u")
            .expression_attribute_values(":u", text(user.as_str()))
            .limit(i32::try_from(count).unwrap_or(i32::MAX))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = query.send().await.map_err(failed)?;
        reading.cost(answer.consumed_capacity());
        answer.items.unwrap_or_default().iter().map(|item| user_in(item, "v")).collect()
    }

    /// Takes a user's row away, and with it what it says.
    pub async fn remove(&self, user: &UserId, peer: &UserId) -> Result<()> {
        let writing = allowance::write(MOVE_UNITS)?;
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("u", text(user.as_str()))
            .key("v", text(peer.as_str()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        writing.cost(delete.send().await.map_err(failed)?.consumed_capacity());
        Ok(())
    }

    /// With which of these users, at most 100, a user has a conversation.
    ///
    /// # Errors
    /// [`hongyan_shared::Error::Throttled`] when the store does not give all of them.
    pub async fn among(&self, user: &UserId, peers: &[UserId]) -> Result<BTreeSet<UserId>> {
        let keys = peers.iter().map(|peer| {
            Item::from([("u".to_owned(), text(user.as_str())), ("v".to_owned(), text(peer.as_str()))])
        });
        let items =
            batch_get(&self.client, &self.table, keys.collect(), ROW_BYTES, Consistency::Eventual).await?;
        items.iter().map(|item| user_in(item, "v")).collect()
    }

    /// A part of a user's list in its order: what is pinned, and what has a higher stamp
    /// than that, behind that place, if they are said.
    pub async fn list(
        &self,
        user: &UserId,
        after: Option<(Place, &UserId)>,
        above: Option<Stamp>,
        limit: usize,
        consistency: Consistency,
    ) -> Result<ListPart> {
        let reading = allowance::read(ROW_BYTES.saturating_mul(limit as u64), consistency)?;
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(INDEX)
            .key_condition_expression("u = :u AND s > :above")
            .expression_attribute_values(":u", text(user.as_str()))
            .expression_attribute_values(":above", number(above.unwrap_or_default().0))
            .scan_index_forward(false)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .consistent_read(consistency == Consistency::Strong)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        if let Some((place, peer)) = after {
            query = query
                .exclusive_start_key("u", text(user.as_str()))
                .exclusive_start_key("v", text(peer.as_str()))
                .exclusive_start_key("s", number(place.0));
        }
        let answer = query.send().await.map_err(failed)?;
        reading.cost(answer.consumed_capacity());
        let goes_on = answer.last_evaluated_key.is_some();
        let mut part = ListPart { entries: Vec::new(), goes_on, has_groups: false };
        for item in answer.items.unwrap_or_default() {
            let row: Row = from_item(item)?;
            if row.v == my_groups::PREFIX {
                part.has_groups = true;
                continue;
            }
            let peer = UserId::parse("v", &row.v)?;
            part.entries.push(ConversationEntry { peer, place: Place(row.s), opened_at: row.t });
        }
        Ok(part)
    }

    fn to_place(&self, pair: &Pair, side: Side, stamp: Stamp) -> UpdateItemFluentBuilder {
        self.update(pair.user(side), pair.user(side.other()))
            .expression_attribute_values(":t", number(stamp.0))
            .expression_attribute_values(":s", number(stamp.0))
            .expression_attribute_values(":pinned", number(stamp.0.saturating_add(PINNED)))
            .expression_attribute_values(":unpinned", number(0))
    }

    fn update(&self, user: &UserId, peer: &UserId) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("u", text(user.as_str()))
            .key("v", text(peer.as_str()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }
}

fn swept_at(second: u64) -> u64 {
    second.saturating_add(SWEPT_LATER_S)
}
