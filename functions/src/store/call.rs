//! Calls of a table that several files make, and what becomes of their errors.

use std::{error::Error as StdError, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        put_item::PutItemError, transact_write_items::TransactWriteItemsError,
        update_item::builders::UpdateItemFluentBuilder,
    },
    types::{
        KeysAndAttributes, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure,
        error::ConditionalCheckFailedException,
    },
};
use hongyan_shared::{Error, Result};

use super::{
    allowance::{self, Consistency},
    item::Item,
};
use crate::aws::reason;

/// How a write is refused whose item is part of a transaction at this moment.
pub(super) const CONFLICT: &str = "TransactionConflictException";

/// How often what a batch has left over is asked for again.
const ATTEMPTS: u32 = 4;

/// The items of these keys, at most 100, in any order, none larger than that. What is not there is left out.
pub(super) async fn batch_get(
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
pub(super) async fn put_if_absent(
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

/// Makes a conditional change that costs so many units at the worst, and so many when its condition does not hold. Says whether
/// it took place.
pub(super) async fn update_if(update: UpdateItemFluentBuilder, worst: u64, refused: u64) -> Result<bool> {
    let writing = allowance::write(worst)?;
    let output = output_of(update.send().await)?;
    match &output {
        Some(output) => writing.cost(output.consumed_capacity()),
        None => writing.cost_units(refused),
    }
    Ok(output.is_some())
}

/// Whether a conditional write took place. That its condition did not hold is an answer, not an error.
pub(super) fn took_place<T, E>(answer: std::result::Result<T, SdkError<E>>) -> Result<bool>
where
    E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
{
    Ok(output_of(answer)?.is_some())
}

/// The output of a conditional write, if it took place.
pub(super) fn output_of<T, E>(answer: std::result::Result<T, SdkError<E>>) -> Result<Option<T>>
where
    E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
{
    match answer {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// Why a transaction was not made.
#[derive(Debug)]
pub(super) enum NotMade {
    /// A condition did not hold, of these writes by their places; it helps to look.
    Conditions(Vec<usize>),
    /// Another write was at one of the rows at the same moment, a read mark say, or DynamoDB has much to do: it helps to try again.
    Busy,
    /// It does not help.
    Failed(Error),
}

/// Why a transaction was not made.
pub(super) fn not_made(error: SdkError<TransactWriteItemsError>) -> NotMade {
    let reasons: Vec<&str> = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or_default()).collect()
        }
        _ => Vec::new(),
    };
    let is_busy = |reason: &&str| {
        matches!(*reason, "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
    };
    let refused = reasons.iter().enumerate().filter(|(_, reason)| **reason == "ConditionalCheckFailed");
    let refused: Vec<usize> = refused.map(|(place, _)| place).collect();
    if !refused.is_empty() {
        return NotMade::Conditions(refused);
    }
    if reasons.iter().any(is_busy) {
        return NotMade::Busy;
    }
    match failed(error) {
        Error::Throttled => NotMade::Busy,
        error => NotMade::Failed(error),
    }
}

pub(super) fn failed<E>(error: SdkError<E>) -> Error
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
