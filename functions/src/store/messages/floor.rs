//! The floor of a log: no number up to it is given out again.

use hongyan_shared::{
    Result,
    model::{FOREVER_S, Floor, LogKey, Seq},
};
use serde::Deserialize;

use super::{
    super::{Consistency, allowance, failed, from_item, number, text, took_place},
    FLOOR, Messages, OTHER_ROWS_BYTES,
};

/// A floor.
#[derive(Deserialize)]
pub(super) struct FloorRow {
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

impl Messages {
    /// The floor alone, for a conversation whose messages have all expired and not all been swept.
    pub async fn floor(&self, key: &LogKey) -> Result<Option<Floor>> {
        let _one_unit = allowance::read(OTHER_ROWS_BYTES, Consistency::Strong)?;
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("p", text(key.as_str()))
            .key("s", text(FLOOR))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed)?;
        answer.item.map(|item| Ok(from_item::<FloorRow>(item)?.into())).transpose()
    }

    /// Lays the floor for the first message of a conversation in which none lives, if it is still as it was
    /// read. Of all who begin at the same time, some with a floor and some after it has been swept, one does.
    pub async fn lay_floor(&self, key: &LogKey, before: Option<Floor>, floor: Floor) -> Result<bool> {
        let _one_unit = allowance::write(1)?;
        let update = self
            .update(key, FLOOR.to_owned())
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
    pub async fn keep_floor(&self, key: &LogKey, kept_until: Option<u64>) -> Result<()> {
        let _one_unit = allowance::write(1)?;
        let answer = self
            .update(key, FLOOR.to_owned())
            .update_expression("SET x = :x")
            .condition_expression("x < :x")
            .expression_attribute_values(":x", number(floor_swept_at(kept_until.unwrap_or(FOREVER_S))))
            .send()
            .await;
        took_place(answer).map(|_| ())
    }

    /// Raises the floor. It never sinks.
    pub async fn raise_floor(&self, key: &LogKey, floor: Seq) -> Result<()> {
        let _one_unit = allowance::write(1)?;
        let answer = self
            .update(key, FLOOR.to_owned())
            .update_expression("SET n = :n")
            .condition_expression("n < :n")
            .expression_attribute_values(":n", number(floor.0))
            .send()
            .await;
        took_place(answer).map(|_| ())
    }
}

fn floor_swept_at(kept_until: u64) -> u64 {
    kept_until.saturating_add(FLOOR_KEPT_LONGER_S)
}
