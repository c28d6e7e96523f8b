//! The four tables, one file each, and one each for those who watch and for what is counted. `docs/tables.md` says what is in
//! them and why.
//!
//! **Architecture invariant:** nothing outside this module knows DynamoDB, and row types do not
//! leave their file. There is one implementation: on a laptop the same calls go to another
//! endpoint.
//!
//! Every call may fail with [`Error::Throttled`], after which it may be repeated, and with
//! [`Error::Internal`]. `# Errors` names what else there is.

pub mod allowance;
mod blacklists;
mod connections;
mod conversations;
mod messages;
mod rates;
mod users;
mod watchers;

pub use blacklists::{Blacklists, Blocks, Change};
pub use connections::{Connection, Connections, Names, Presence, Registered, Registration};
pub use conversations::{ConversationEntry, Conversations};
pub use messages::{Appended, Behind, Messages, Part, Recalled, Search};
pub use rates::{Counted, Rate, Rates, Reading, Step};
pub use users::Users;
pub use watchers::{MAX_WATCHERS, Subscription, Watcher, Watchers};

use std::{collections::HashMap, error::Error as StdError, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::put_item::PutItemError,
    types::{
        AttributeValue, KeysAndAttributes, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure,
        error::ConditionalCheckFailedException,
    },
};
use hongyan_shared::{Error, Result, model::UserId};
use serde::{Serialize, de::DeserializeOwned};

use crate::aws::reason;

/// What a read may miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// What was written in the last second, for half the price.
    Eventual,
    /// Nothing.
    Strong,
}

/// How a write is refused whose item is part of a transaction at this moment.
const CONFLICT: &str = "TransactionConflictException";

type Item = HashMap<String, AttributeValue>;

/// How often what a batch has left over is asked for again.
const ATTEMPTS: u32 = 4;

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn sort_key(item: &Item) -> Result<String> {
    item.get("s")
        .and_then(|value| value.as_s().ok())
        .cloned()
        .ok_or_else(|| Error::Internal("an item has no sort key".to_owned()))
}

/// The user whom an attribute of an item names.
fn user_in(item: &Item, attribute: &str) -> Result<UserId> {
    let user =
        item.get(attribute).and_then(|value| value.as_s().ok()).map(String::as_str).unwrap_or_default();
    UserId::parse("user", user).map_err(|_| Error::Internal(format!("an item has no user in {attribute}")))
}

fn to_item<Row: Serialize>(row: &Row) -> Result<Item> {
    serde_dynamo::aws_sdk_dynamodb_1::to_item(row)
        .map_err(|_| Error::Internal(format!("{} does not fit an item", std::any::type_name::<Row>())))
}

/// The error of serde_dynamo may quote the item, which must not reach a log.
fn from_item<Row: DeserializeOwned>(item: Item) -> Result<Row> {
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item)
        .map_err(|_| Error::Internal(format!("an item is no {}", std::any::type_name::<Row>())))
}

/// The items of these keys, at most 100, in any order, none larger than that. What is not there is left out.
async fn batch_get(
    client: &Client,
    table: &str,
    keys: Vec<Item>,
    item_bytes: u64,
    consistency: Consistency,
) -> Result<Vec<Item>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let reading = allowance::read_each(keys.len(), item_bytes, consistency)?;
    let keys = KeysAndAttributes::builder()
        .set_keys(Some(keys))
        .consistent_read(consistency == Consistency::Strong)
        .build()
        .map_err(|_| Error::Internal("a batch has no keys".to_owned()))?;
    let (mut items, mut consumed, mut wanted) = (Vec::new(), Vec::new(), Some(keys));
    for attempt in 0..ATTEMPTS {
        let Some(keys) = wanted.take() else { break };
        if attempt > 0 {
            tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
        }
        let answer = client
            .batch_get_item()
            .request_items(table, keys)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(failed)?;
        consumed.extend(answer.consumed_capacity.unwrap_or_default());
        items.extend(answer.responses.unwrap_or_default().into_values().flatten());
        wanted = answer.unprocessed_keys.unwrap_or_default().remove(table);
    }
    reading.cost(&consumed);
    if wanted.is_some() { Err(Error::Throttled) } else { Ok(items) }
}

/// Writes an item if nothing has its key, and returns what has it otherwise: at most so many write units.
async fn put_if_absent(
    client: &Client,
    table: &str,
    partition_key: &str,
    item: Item,
    worst: u64,
) -> Result<Option<Item>> {
    let writing = allowance::write(worst)?;
    let size = allowance::size(&item);
    let answer = client
        .put_item()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression(format!("attribute_not_exists({partition_key})"))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .return_consumed_capacity(ReturnConsumedCapacity::Total)
        .send()
        .await;
    match answer {
        Ok(output) => {
            writing.cost(output.consumed_capacity());
            Ok(None)
        }
        Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
            match error.into_err() {
                PutItemError::ConditionalCheckFailedException(ConditionalCheckFailedException {
                    item: Some(found),
                    ..
                }) => {
                    // The larger of the two is what a refused write costs.
                    writing.cost_units(allowance::write_units_of(size.max(allowance::size(&found))));
                    Ok(Some(found))
                }
                _ => Err(Error::Internal("DynamoDB refused a key and did not say what has it".to_owned())),
            }
        }
        Err(error) => Err(failed(error)),
    }
}

/// Whether a conditional write took place. That its condition did not hold is an answer, not an error.
fn took_place<T, E>(answer: std::result::Result<T, SdkError<E>>) -> Result<bool>
where
    E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
{
    Ok(output_of(answer)?.is_some())
}

/// The output of a conditional write, if it took place.
fn output_of<T, E>(answer: std::result::Result<T, SdkError<E>>) -> Result<Option<T>>
where
    E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
{
    match answer {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

fn failed<E>(error: SdkError<E>) -> Error
where
    E: StdError + ProvideErrorMetadata + 'static,
{
    match error.code() {
        Some(
            "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "ThrottlingException"
            | CONFLICT,
        ) => Error::Throttled,
        _ => Error::Internal(format!("DynamoDB: {}", reason(&error))),
    }
}
