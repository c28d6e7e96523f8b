use std::collections::BTreeSet;

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, ReturnConsumedCapacity},
};
use futures_util::future::try_join;
use hongyan_shared::{
    Result,
    model::{Pair, Side, UserId},
};
use serde::{Deserialize, Serialize};

use super::{
    Consistency, Item, allowance, batch_get, failed, from_item, put_if_absent, text, to_item, took_place,
    user_in,
};

/// Each user's list of conversations: partition is the user, sort key the peer. A row is written
/// before the first message, once per side, and a send never touches it again.
pub struct Conversations {
    client: Client,
    table: String,
}

/// An entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The peer.
    pub peer: UserId,
    /// The second before which no message of it can have expired.
    pub first_expiry: Option<u64>,
    /// The user keeps it on top.
    pub is_pinned: bool,
}

/// How opening a conversation went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// It is new.
    Now,
    /// It had been opened before, with messages that cannot have expired before this second, if
    /// they can at all. No message may ever have followed: its sender may have been cut off.
    Before {
        /// The second.
        first_expiry: Option<u64>,
    },
}

#[derive(Serialize, Deserialize)]
struct Row {
    /// User.
    u: String,
    /// Peer.
    v: String,
    /// Opened at, milliseconds.
    t: u64,
    /// The second before which no message of it can expire.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    e: Option<u64>,
    /// Kept on top.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    k: bool,
}

/// The largest row.
const ROW_BYTES: u64 = 128;

impl Conversations {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Makes sure that both users have the conversation in their lists.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open(&self, pair: &Pair, now_ms: u64, retention: Option<u64>) -> Result<Opened> {
        let first_expiry = retention.map(|seconds| (now_ms / 1000).saturating_add(seconds));
        let row = |side: Side| Row {
            u: pair.user(side).to_string(),
            v: pair.user(side.other()).to_string(),
            t: now_ms,
            e: first_expiry,
            k: false,
        };
        let (low, high) = try_join(self.create(row(Side::Low)), self.create(row(Side::High))).await?;
        Ok(match (low, high) {
            (None, None) => Opened::Now,
            (a, b) => Opened::Before { first_expiry: a.into_iter().chain(b).filter_map(|row| row.e).min() },
        })
    }

    /// The row that was there already, if there was one.
    async fn create(&self, row: Row) -> Result<Option<Row>> {
        let found = put_if_absent(&self.client, &self.table, "u", to_item(&row)?, 1).await?;
        found.map(from_item).transpose()
    }

    /// Pins a conversation in the list of the pair's user, or unpins it. Says whether there is one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn pin(&self, pair: &Pair, is_pinned: bool) -> Result<bool> {
        let _one_unit = allowance::write(1)?;
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("u", text(pair.me().as_str()))
            .key("v", text(pair.peer().as_str()))
            .condition_expression("attribute_exists(u)");
        let update = if is_pinned {
            update
                .update_expression("SET k = :k")
                .expression_attribute_values(":k", AttributeValue::Bool(true))
        } else {
            update.update_expression("REMOVE k")
        };
        took_place(update.send().await)
    }

    /// With which of these users, at most 100, a user has a conversation.
    ///
    /// # Errors
    /// [`hongyan_shared::Error::Throttled`] when the store does not give all of them; when it fails.
    pub async fn among(&self, user: &UserId, peers: &[UserId]) -> Result<BTreeSet<UserId>> {
        let keys = peers.iter().map(|peer| {
            Item::from([("u".to_owned(), text(user.as_str())), ("v".to_owned(), text(peer.as_str()))])
        });
        let items =
            batch_get(&self.client, &self.table, keys.collect(), ROW_BYTES, Consistency::Eventual).await?;
        items.iter().map(|item| user_in(item, "v")).collect()
    }

    /// A part of a user's list, by peer, and whether more follows.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(
        &self,
        user: &UserId,
        after: Option<&UserId>,
        limit: i32,
    ) -> Result<(Vec<Listed>, bool)> {
        let bytes = ROW_BYTES.saturating_mul(u64::from(limit.unsigned_abs()));
        let reading = allowance::read(bytes, Consistency::Eventual)?;
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("u = :u")
            .expression_attribute_values(":u", text(user.as_str()))
            .limit(limit)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        if let Some(after) = after {
            query = query
                .exclusive_start_key("u", text(user.as_str()))
                .exclusive_start_key("v", text(after.as_str()));
        }
        let answer = query.send().await.map_err(failed)?;
        reading.cost(answer.consumed_capacity());
        let more = answer.last_evaluated_key.is_some();
        let rows = answer.items.unwrap_or_default().into_iter().map(|item| {
            let row: Row = from_item(item)?;
            Ok(Listed { peer: UserId::parse("v", &row.v)?, first_expiry: row.e, is_pinned: row.k })
        });
        Ok((rows.collect::<Result<_>>()?, more))
    }
}
