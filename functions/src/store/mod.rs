//! The three tables, one file each. `docs/tables.md` says what is in them and why.
//!
//! **Architecture invariant:** nothing outside this module knows DynamoDB, and row types do not
//! leave their file. There is one implementation: on a laptop the same calls go to another
//! endpoint.

mod connections;
mod conversations;
mod messages;

pub use connections::{Connection, Connections, Registration};
pub use conversations::{Conversations, Listed, Opened};
pub use messages::{Appended, Consistency, Messages, Part, Search};

use std::{collections::HashMap, error::Error as StdError};

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    types::AttributeValue,
};
use hongyan_shared::{Error, Result};
use serde::{Serialize, de::DeserializeOwned};

type Item = HashMap<String, AttributeValue>;

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
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

/// Whether a conditional write took place. That its condition did not hold is an answer, not an error.
fn took_place<T, E>(answer: std::result::Result<T, SdkError<E>>) -> Result<bool>
where
    E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
{
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

/// What went wrong, without the raw response: it may hold what somebody wrote.
fn failed<E>(error: SdkError<E>) -> Error
where
    E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
{
    match error.code() {
        Some("ProvisionedThroughputExceededException" | "RequestLimitExceeded" | "ThrottlingException") => {
            Error::Throttled
        }
        Some(code) => Error::Internal(format!("DynamoDB: {code}: {}", error.message().unwrap_or_default())),
        None => {
            let causes = std::iter::successors(error.source(), |cause| (*cause).source());
            let text = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
            Error::Internal(format!("DynamoDB: {text}"))
        }
    }
}
