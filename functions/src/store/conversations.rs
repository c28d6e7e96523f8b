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
use serde::Deserialize;

use super::{
    Consistency, Item, allowance, batch_get, failed, from_item, messages::SWEPT_LATER_S, number, text,
    took_place, user_in,
};
use crate::config::{Config, Configured};

/// Each user's list of conversations: partition is the user, sort key the peer. A row is written
/// before the first message, once per side, and a send never touches it again.
pub struct Conversations {
    client: Client,
    table: String,
}

/// An entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationEntry {
    /// The peer.
    pub peer: UserId,
    /// The user keeps it on top.
    pub is_pinned: bool,
}

#[derive(Deserialize)]
struct Row {
    /// Peer.
    v: String,
    /// Kept on top.
    #[serde(default)]
    k: bool,
}

/// The largest row.
const ROW_BYTES: u64 = 128;

impl Conversations {
    /// The table of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self { client: config.dynamodb.clone(), table: config.conversations_table()? })
    }

    /// Makes sure that both users have the conversation in their lists until then, or for ever.
    pub async fn keep(&self, pair: &Pair, now_ms: u64, until: Option<u64>) -> Result<()> {
        try_join(
            self.keep_one(pair, Side::Low, now_ms, until),
            self.keep_one(pair, Side::High, now_ms, until),
        )
        .await
        .map(|_| ())
    }

    async fn keep_one(&self, pair: &Pair, side: Side, now_ms: u64, until: Option<u64>) -> Result<()> {
        let _one_unit = allowance::write(1)?;
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("u", text(pair.user(side).as_str()))
            .key("v", text(pair.user(side.other()).as_str()))
            .expression_attribute_values(":t", number(now_ms));
        let answer = match until {
            None => update.update_expression("SET t = if_not_exists(t, :t) REMOVE x").send().await,
            Some(second) => {
                update
                    .update_expression("SET t = if_not_exists(t, :t), x = :x")
                    .condition_expression("attribute_not_exists(x) OR x < :x")
                    .expression_attribute_values(":x", number(second.saturating_add(SWEPT_LATER_S)))
                    .send()
                    .await
            }
        };
        took_place(answer).map(|_| ())
    }

    /// Pins a conversation in the list of the pair's user, or unpins it. Says whether there is one.
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
    /// [`hongyan_shared::Error::Throttled`] when the store does not give all of them.
    pub async fn among(&self, user: &UserId, peers: &[UserId]) -> Result<BTreeSet<UserId>> {
        let keys = peers.iter().map(|peer| {
            Item::from([("u".to_owned(), text(user.as_str())), ("v".to_owned(), text(peer.as_str()))])
        });
        let items =
            batch_get(&self.client, &self.table, keys.collect(), ROW_BYTES, Consistency::Eventual).await?;
        items.iter().map(|item| user_in(item, "v")).collect()
    }

    /// A part of a user's list, by peer, and whether more follows.
    pub async fn list(
        &self,
        user: &UserId,
        after: Option<&UserId>,
        limit: i32,
    ) -> Result<(Vec<ConversationEntry>, bool)> {
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
            Ok(ConversationEntry { peer: UserId::parse("v", &row.v)?, is_pinned: row.k })
        });
        Ok((rows.collect::<Result<_>>()?, more))
    }
}
