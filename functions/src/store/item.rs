//! Attributes and items, written and read.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use hongyan_shared::{Error, Result, model::UserId};
use serde::{Serialize, de::DeserializeOwned};

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn sort_key(item: &Item) -> Result<String> {
    item.get("s")
        .and_then(|value| value.as_s().ok())
        .cloned()
        .ok_or_else(|| Error::Internal("an item has no sort key".to_owned()))
}

/// The user whom an attribute of an item names.
pub(super) fn user_in(item: &Item, attribute: &str) -> Result<UserId> {
    let user =
        item.get(attribute).and_then(|value| value.as_s().ok()).map(String::as_str).unwrap_or_default();
    UserId::parse("user", user).map_err(|_| Error::Internal(format!("an item has no user in {attribute}")))
}

pub(super) fn to_item<Row: Serialize>(row: &Row) -> Result<Item> {
    serde_dynamo::aws_sdk_dynamodb_1::to_item(row)
        .map_err(|_| Error::Internal(format!("{} does not fit an item", std::any::type_name::<Row>())))
}

/// The error of serde_dynamo may quote the item, which must not reach a log.
pub(super) fn from_item<Row: DeserializeOwned>(item: Item) -> Result<Row> {
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item)
        .map_err(|_| Error::Internal(format!("an item is no {}", std::any::type_name::<Row>())))
}
