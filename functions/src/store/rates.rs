use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::update_item::UpdateItemError,
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use hongyan_shared::{Error, Result, model::UserId};

use super::{
    Item,
    allowance::{self, COUNTING_UNITS},
    failed, from_item, number, text,
};
use crate::{
    config::{Config, Configured},
    meter::Rate,
};

const HOUR_S: u64 = 60 * 60;

/// How often a write is made: once more when it was made in the wrong form. An item has much less than 1 KB, so
/// this is what a step costs at the most.
const ATTEMPTS: u64 = COUNTING_UNITS;

/// What users have done of late: an item per user and counter, in the partition of their connections.
///
/// A counter is a time that runs ahead of the clock: see [`crate::limits`].
pub struct Rates {
    client: Client,
    table: String,
}

/// The sort key of a counter.
fn key(rate: Rate) -> &'static str {
    match rate {
        Rate::Frames => "L#F",
        Rate::Refusals => "L#R",
        Rate::Conversations => "L#C",
        Rate::Media => "L#M",
    }
}

/// How long a counter stays after it was last used: an hour longer than it may run ahead of the time.
fn lifetime_s(rate: Rate) -> u64 {
    match rate {
        Rate::Frames | Rate::Refusals | Rate::Conversations => 2 * HOUR_S,
        Rate::Media => 25 * HOUR_S,
    }
}

/// What is to be counted.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// By how much the counter advances.
    pub by_ms: u64,
    /// How far ahead of the clock it may then be.
    pub at_most_ms: Option<u64>,
    /// Whom it is about, if the same one is not to be counted twice in a row.
    pub subject: Option<&'a UserId>,
}

/// A counter, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Since when it has been ahead of the clock without a break.
    pub since: u64,
    /// The time that it has come to.
    pub until: u64,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// It is counted, or had been.
    Now(Reading),
    /// It would be too much.
    Not(Reading),
}

#[derive(serde::Deserialize)]
struct Row {
    /// Since when.
    b: u64,
    /// Until when.
    t: u64,
    /// The subject of the last step.
    p: Option<String>,
}

impl Rates {
    /// The table of this deployment.
    pub(crate) fn new(config: &Config) -> Configured<Self> {
        Ok(Self { client: config.dynamodb.clone(), table: config.connections_table()? })
    }

    /// Advances a counter by one write, if `known_until` says rightly whether it is ahead of the clock, and
    /// by two otherwise: from the clock on if it was behind, from where it was if not.
    ///
    /// Should the answer of the write be lost, the SDK makes it once more, and it may count twice.
    pub async fn advance(
        &self,
        user: &UserId,
        rate: Rate,
        step: &Step<'_>,
        known_until: u64,
        now_ms: u64,
    ) -> Result<Counted> {
        let most = step.at_most_ms.map(|ahead| now_ms.saturating_add(ahead).saturating_sub(step.by_ms));
        let mut is_ahead = known_until > now_ms;
        for _ in 0..ATTEMPTS {
            let found = match self.write(user, rate, step, is_ahead, most, now_ms).await? {
                Ok(row) => return Ok(Counted::Now(row.reading())),
                Err(found) => found,
            };
            is_ahead = found.as_ref().is_some_and(|row| row.t > now_ms);
            if let Some(row) = found.filter(|_| is_ahead) {
                if step.subject.is_some_and(|subject| row.p.as_deref() == Some(subject.as_str())) {
                    return Ok(Counted::Now(row.reading()));
                }
                if most.is_some_and(|most| row.t > most) {
                    return Ok(Counted::Not(row.reading()));
                }
            }
        }
        Err(Error::Throttled)
    }

    /// The row that was written, or the one for which it was not.
    async fn write(
        &self,
        user: &UserId,
        rate: Rate,
        step: &Step<'_>,
        is_ahead: bool,
        most: Option<u64>,
        now_ms: u64,
    ) -> Result<std::result::Result<Row, Option<Row>>> {
        let mut set = if is_ahead { "t = t + :by" } else { "t = :t, b = :now" }.to_owned();
        let mut condition =
            if is_ahead { "t > :now" } else { "attribute_not_exists(t) OR t <= :now" }.to_owned();
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("u", text(user.as_str()))
            .key("s", text(key(rate)))
            .expression_attribute_values(":now", number(now_ms))
            .expression_attribute_values(":x", number((now_ms / 1000).saturating_add(lifetime_s(rate))));
        update = if is_ahead {
            update.expression_attribute_values(":by", number(step.by_ms))
        } else {
            update.expression_attribute_values(":t", number(now_ms.saturating_add(step.by_ms)))
        };
        if let Some(most) = most.filter(|_| is_ahead) {
            condition.push_str(" AND t <= :most");
            update = update.expression_attribute_values(":most", number(most));
        }
        if let Some(subject) = step.subject {
            set.push_str(", p = :p");
            update = update.expression_attribute_values(":p", text(subject.as_str()));
            if is_ahead {
                condition.push_str(" AND p <> :p");
            }
        }
        let _spent = allowance::write(1)?;
        let answer = update
            .update_expression(format!("SET {set}, x = :x"))
            .condition_expression(condition)
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(output) => Ok(Ok(row(output.attributes.unwrap_or_default())?)),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                match error.into_err() {
                    UpdateItemError::ConditionalCheckFailedException(found) => {
                        Ok(Err(found.item.map(row).transpose()?))
                    }
                    _ => Ok(Err(None)),
                }
            }
            Err(error) => Err(failed(error)),
        }
    }
}

impl Row {
    fn reading(&self) -> Reading {
        Reading { since: self.b, until: self.t }
    }
}

fn row(item: Item) -> Result<Row> {
    from_item(item)
}
