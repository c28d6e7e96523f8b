use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, ReturnConsumedCapacity},
};
use hongyan_shared::{Error, Result, model::UserId};

use super::{Consistency, allowance, connections::last_second, failed, number, text, took_place};
use crate::config::{Config, Configured};

/// What a sort key begins with.
const WATCHER: &str = "W#";

/// Between the watcher and the slot. No user ID can hold it, so a key has one reading only.
const SEPARATOR: char = '·';

/// How many watchers of one user are told.
pub const MAX_WATCHERS: usize = 200;

/// How many rows one query looks at.
const PAGE: i32 = 1000;

/// What the largest of so many have together, and what that costs.
const PAGE_BYTES: u64 = 150 * 1024;
const PAGE_UNITS: u64 = 19;

/// How many queries are made to find those who live among those who are dead and not swept yet.
const PAGES: usize = 2;

/// Who watches whose status: in the table of connections, in the partition of the user who is
/// watched, with a row for each device that watches.
pub struct Watchers {
    client: Client,
    table: String,
}

/// A device that watches a user's status.
#[derive(Debug, Clone, Copy)]
pub struct Subscription<'a> {
    /// Who is watched.
    pub user: &'a UserId,
    /// Who watches.
    pub watcher: &'a UserId,
    /// The slot of the watcher's device.
    pub slot: &'a str,
    /// Its connection.
    pub id: &'a str,
    /// When that was made, in milliseconds.
    pub connected_at: u64,
    /// The last second in which its signature is good.
    pub expires_at: u64,
}

/// A connection that is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watcher {
    /// Who watches.
    pub user: UserId,
    /// The connection.
    pub id: String,
    key: String,
}

impl Watchers {
    /// The table of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self { client: config.dynamodb.clone(), table: config.connections_table()? })
    }

    /// Begins to watch. It ends with the connection, or with its signature.
    pub async fn add(&self, new: &Subscription<'_>) -> Result<()> {
        let _one_unit = allowance::write(1)?;
        self.client
            .put_item()
            .table_name(&self.table)
            .item("u", text(new.user.as_str()))
            .item("s", text(new.key()))
            .item("c", text(new.id))
            .item("x", number(last_second(new.connected_at).min(new.expires_at.saturating_add(1))))
            .send()
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Ends it, if this connection has begun it.
    pub async fn remove(&self, old: &Subscription<'_>) -> Result<()> {
        self.delete(old.user, old.key(), old.id).await
    }

    /// Forgets a watcher whose connection is gone.
    pub async fn forget(&self, user: &UserId, watcher: &Watcher) -> Result<()> {
        self.delete(user, watcher.key.clone(), &watcher.id).await
    }

    /// Who watches a user: the first 200, and perhaps more. Not strongly consistent: a push is a hint.
    pub async fn of(&self, user: &UserId, now_ms: u64) -> Result<Vec<Watcher>> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("u = :u AND begins_with(s, :w)")
            .filter_expression("x > :now")
            .expression_attribute_values(":u", text(user.as_str()))
            .expression_attribute_values(":w", text(WATCHER))
            .expression_attribute_values(":now", number(now_ms / 1000))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .into_paginator()
            .page_size(PAGE)
            .send();
        let mut watchers = Vec::new();
        for _ in 0..PAGES {
            let reading = allowance::read(PAGE_BYTES, Consistency::Eventual)?;
            let Some(page) = pages.next().await else {
                reading.cost_nothing();
                break;
            };
            let page = page.map_err(failed)?;
            reading.cost(page.consumed_capacity());
            for mut item in page.items.unwrap_or_default() {
                match (item.remove("s"), item.remove("c")) {
                    (Some(AttributeValue::S(key)), Some(AttributeValue::S(id))) => {
                        watchers.push(Watcher::parse(key, id)?);
                    }
                    _ => return Err(Error::Internal("a watcher has no connection".to_owned())),
                }
            }
            // The rest is for the blacklist, and for looking at the user once more.
            let is_too_much = allowance::read_units_left() < 2 * PAGE_UNITS + 2;
            if watchers.len() >= MAX_WATCHERS || is_too_much {
                break;
            }
        }
        Ok(watchers)
    }

    async fn delete(&self, user: &UserId, key: String, id: &str) -> Result<()> {
        let _one_unit = allowance::write(1)?;
        let answer = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("u", text(user.as_str()))
            .key("s", text(key))
            .condition_expression("c = :c")
            .expression_attribute_values(":c", text(id))
            .send()
            .await;
        took_place(answer).map(|_| ())
    }
}

impl Watcher {
    fn parse(key: String, id: String) -> Result<Self> {
        let user = key.strip_prefix(WATCHER).and_then(|names| names.split_once(SEPARATOR));
        let user = user.and_then(|(user, _)| UserId::parse("s", user).ok());
        let user = user.ok_or_else(|| Error::Internal("a watcher is no user".to_owned()))?;
        Ok(Self { user, id, key })
    }
}

impl Subscription<'_> {
    fn key(&self) -> String {
        format!("{WATCHER}{}{SEPARATOR}{}", self.watcher, self.slot)
    }
}
