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
pub use messages::{Appended, Consistency, Messages};

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

/// What went wrong, without the raw response: it may hold what somebody wrote.
fn failed<E>(error: SdkError<E>) -> Error
where
    E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
{
    const THROTTLES: [&str; 4] = [
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "ReplicatedWriteConflictException",
    ];
    if error.code().is_some_and(|code| THROTTLES.contains(&code)) {
        return Error::Throttled;
    }
    let mut text = error.to_string();
    if let (Some(code), message) = (error.code(), error.message().unwrap_or_default()) {
        text = format!("{code}: {message}");
    } else {
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
    }
    Error::Internal(format!("DynamoDB: {text}"))
}
