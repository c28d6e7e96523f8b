//! Queries of a log, and what they may read.

use hongyan_shared::{
    Result,
    model::{LogKey, Message, Seq},
};

use super::{
    super::{Consistency, Item, allowance, failed, text},
    MESSAGE_BYTES, Messages, OTHER_ROWS_BYTES, message_key,
    row::parse,
};

/// In which order a query returns messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As they were sent.
    OldestFirst,
    /// The other way.
    NewestFirst,
}

/// Some messages of a log.
pub(super) struct Page {
    /// The messages, live or not.
    pub messages: Vec<Message>,
    /// There may be more.
    pub goes_on: bool,
    /// What they have together.
    pub bytes: u64,
}

/// What a query has returned.
pub(super) struct Rows {
    /// The rows.
    pub items: Vec<Item>,
    /// There may be more.
    pub goes_on: bool,
}

/// How many messages one query looks at, at most. As many of the largest are 50 read units.
pub(super) const PAGE: usize = 16;

/// How many queries one request makes for one part of the log, each for as many messages as the frame
/// may still read: of the usual size more than a hundred, all together.
pub(super) const PAGES: usize = 8;

impl Messages {
    /// Some messages of a part of the log.
    pub(super) async fn page(
        &self,
        key: &LogKey,
        span: (Seq, Seq),
        count: usize,
        consistency: Consistency,
        order: Order,
    ) -> Result<Page> {
        self.page_of(key.as_str(), span, count, consistency, order).await
    }

    /// The same of a log of which nobody has a key.
    pub(super) async fn page_of(
        &self,
        partition_key: &str,
        (from, to): (Seq, Seq),
        count: usize,
        consistency: Consistency,
        order: Order,
    ) -> Result<Page> {
        let keys = (message_key(from), message_key(to));
        self.page_between(partition_key, keys, count, consistency, order).await
    }

    /// The same between two sort keys.
    pub(super) async fn page_between(
        &self,
        partition_key: &str,
        keys: (String, String),
        count: usize,
        consistency: Consistency,
        order: Order,
    ) -> Result<Page> {
        let size = (count, bytes_of(count));
        let Rows { items, goes_on } = self.rows(partition_key, Some(keys), size, consistency, order).await?;
        Ok(Page {
            goes_on,
            bytes: items.iter().map(allowance::size).sum(),
            messages: items.into_iter().map(parse).collect::<Result<_>>()?,
        })
    }

    /// So many rows of a partition, which have so many bytes at most: those between two sort keys, or all.
    pub(super) async fn rows(
        &self,
        partition_key: &str,
        between: Option<(String, String)>,
        (count, bytes): (usize, u64),
        consistency: Consistency,
        order: Order,
    ) -> Result<Rows> {
        let reading = allowance::read(bytes, consistency)?;
        let query = self
            .query(consistency)
            .expression_attribute_values(":p", text(partition_key))
            .scan_index_forward(order == Order::OldestFirst)
            .limit(i32::try_from(count).unwrap_or(i32::MAX));
        let query = match between {
            None => query.key_condition_expression("p = :p"),
            Some((from, to)) => query
                .key_condition_expression("p = :p AND s BETWEEN :from AND :to")
                .expression_attribute_values(":from", text(from))
                .expression_attribute_values(":to", text(to)),
        };
        let answer = query.send().await.map_err(failed)?;
        reading.cost(answer.consumed_capacity());
        let goes_on = answer.last_evaluated_key.is_some();
        Ok(Rows { items: answer.items.unwrap_or_default(), goes_on })
    }
}

/// What so many messages and the rows beside them have at most.
pub(super) fn bytes_of(messages: usize) -> u64 {
    MESSAGE_BYTES.saturating_mul(messages as u64).saturating_add(OTHER_ROWS_BYTES)
}

/// How many messages the frame may still read at once, if so many units are to be left.
pub(super) fn affordable(consistency: Consistency, units_kept: u64) -> usize {
    allowance::rows(MESSAGE_BYTES, consistency, units_kept.saturating_add(1))
}
