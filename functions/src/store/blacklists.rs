use std::{collections::BTreeSet, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    types::{Delete, Put, ReturnConsumedCapacity, TransactWriteItem, Update},
};
use hongyan_shared::{
    Error, Result,
    model::{Pair, UserId},
};
use serde::Deserialize;

use super::{
    Consistency, Item, allowance, batch_get,
    call::{NotMade, not_made},
    failed, from_item, messages, number, sort_key, text, user_in,
};
use crate::config::{Config, Configured};

/// Who does not want to hear whom. What makes the list is in Users, where the partition is the user:
///
/// | sort key | what |
/// |---|---|
/// | `B` | the version, one higher with every change |
/// | `B#` + user | somebody who is on it |
///
/// and what a send reads is in the row of Messages that it reads anyway. A change writes all of it in
/// one transaction, or nothing.
#[derive(Clone)]
pub struct Blacklists {
    client: Client,
    table: String,
}

/// The way to change them.
pub struct Blocks {
    blacklists: Blacklists,
    messages: String,
}

/// What a change does with the users that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// They are on the list then.
    Add,
    /// They are not.
    Remove,
}

/// A list as it was read.
struct Snapshot {
    version: Option<u64>,
    users: BTreeSet<UserId>,
}

#[derive(Deserialize)]
struct VersionRow {
    /// Version.
    n: u64,
}

const VERSION: &str = "B";
const ENTRY: &str = "B#";

/// How many users a blacklist holds.
const AT_MOST: usize = 1000;

/// The largest row of one. So the longest list is 18 read units.
const ROW_BYTES: u64 = 72;

/// How often a change is tried while others get in between. They can only be of the same user.
const ATTEMPTS: u64 = 10;

impl Blacklists {
    /// The table of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self { client: config.dynamodb.clone(), table: config.users_table()? })
    }

    /// Whom a user has on their blacklist.
    pub async fn of(&self, user: &UserId) -> Result<BTreeSet<UserId>> {
        Ok(self.read(user).await?.users)
    }

    /// Which of these users, at most 100, have a user on their blacklist, as far as the last second is known.
    ///
    /// # Errors
    /// [`Error::Throttled`] when the store does not give all of them.
    pub async fn with(&self, user: &UserId, owners: &[UserId]) -> Result<BTreeSet<UserId>> {
        let keys = owners.iter().map(|owner| entry_key(owner, user)).collect();
        let items = batch_get(&self.client, &self.table, keys, ROW_BYTES, Consistency::Eventual).await?;
        items.iter().map(|item| user_in(item, "u")).collect()
    }

    async fn read(&self, user: &UserId) -> Result<Snapshot> {
        let longest = ROW_BYTES.saturating_mul(AT_MOST as u64 + 1);
        let reading = allowance::read(longest, Consistency::Strong)?;
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("u = :u AND begins_with(s, :b)")
            .expression_attribute_values(":u", text(user.as_str()))
            .expression_attribute_values(":b", text(VERSION))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .into_paginator()
            .send();
        let mut snapshot = Snapshot { version: None, users: BTreeSet::new() };
        let mut consumed = Vec::new();
        let mut items = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(failed)?;
            consumed.extend(page.consumed_capacity);
            items.extend(page.items.unwrap_or_default());
        }
        reading.cost(&consumed);
        for item in items {
            let key = sort_key(&item)?;
            match key.strip_prefix(ENTRY) {
                Some(blocked) => {
                    let blocked = UserId::parse("s", blocked)
                        .map_err(|_| Error::Internal("a blacklist row has no user".to_owned()))?;
                    snapshot.users.insert(blocked);
                }
                None => snapshot.version = Some(from_item::<VersionRow>(item)?.n),
            }
        }
        Ok(snapshot)
    }
}

impl Blocks {
    /// The tables of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self { blacklists: Blacklists::new(config)?, messages: config.messages_table()? })
    }

    /// Changes a user's blacklist, and returns it as it is then. The pairs are the user's with those
    /// whom the change names.
    ///
    /// # Errors
    /// A list that would become too long; [`Error::Throttled`] when other changes get in between all
    /// the time.
    pub async fn change(
        &self,
        user: &UserId,
        pairs: &[Pair],
        change: Change,
        now_ms: u64,
    ) -> Result<BTreeSet<UserId>> {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                let ms = rand::random_range(5..40_u64).saturating_mul(attempt);
                tokio::time::sleep(Duration::from_millis(ms)).await;
            }
            let Snapshot { version, mut users } = self.blacklists.read(user).await?;
            let changed = pairs.iter().filter(|pair| users.contains(pair.peer()) != (change == Change::Add));
            let changed: Vec<&Pair> = changed.collect();
            for pair in &changed {
                match change {
                    Change::Add => users.insert(pair.peer().clone()),
                    Change::Remove => users.remove(pair.peer()),
                };
            }
            if users.len() > AT_MOST {
                return Err(Error::BadRequest(format!(
                    "a blacklist holds {AT_MOST} users: take others off with removeFromBlacklist first"
                )));
            }
            if changed.is_empty() || self.write(user, version, &changed, change, now_ms).await? {
                return Ok(users);
            }
        }
        Err(Error::Throttled)
    }

    /// Says whether it took place: it does not when the list has changed since that version.
    async fn write(
        &self,
        user: &UserId,
        version: Option<u64>,
        pairs: &[&Pair],
        change: Change,
        now_ms: u64,
    ) -> Result<bool> {
        // A transaction prepares each of its writes, and then makes it.
        let _units_of_all = allowance::write(2 * (1 + 2 * pairs.len() as u64))?;
        let mut writes = vec![TransactWriteItem::builder().update(self.next_version(user, version)?).build()];
        for pair in pairs {
            let entry = TransactWriteItem::builder();
            let entry = match change {
                Change::Add => entry.put(self.put_entry(pair)?),
                Change::Remove => entry.delete(self.delete_entry(pair)?),
            };
            let mark =
                messages::mark(&self.messages, &pair.log_key(), pair.me(), change == Change::Add, now_ms)?;
            writes.push(entry.build());
            writes.push(TransactWriteItem::builder().update(mark).build());
        }
        match self.blacklists.client.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(true),
            Err(error) => match not_made(error) {
                NotMade::Conditions(_) | NotMade::Busy => Ok(false),
                NotMade::Failed(error) => Err(error),
            },
        }
    }

    fn next_version(&self, user: &UserId, version: Option<u64>) -> Result<Update> {
        let update = Update::builder()
            .table_name(&self.blacklists.table)
            .key("u", text(user.as_str()))
            .key("s", text(VERSION))
            .update_expression("SET n = :next")
            .expression_attribute_values(":next", number(version.unwrap_or_default().saturating_add(1)));
        let update = match version {
            None => update.condition_expression("attribute_not_exists(u)"),
            Some(version) => update
                .condition_expression("n = :version")
                .expression_attribute_values(":version", number(version)),
        };
        update.build().map_err(|_| incomplete())
    }

    // A query is no snapshot of a transaction that is under way. The conditions of these two see to it
    // that what was read of the rows that change was true.

    fn put_entry(&self, pair: &Pair) -> Result<Put> {
        let put = Put::builder()
            .table_name(&self.blacklists.table)
            .set_item(Some(entry_key(pair.me(), pair.peer())))
            .condition_expression("attribute_not_exists(u)");
        put.build().map_err(|_| incomplete())
    }

    fn delete_entry(&self, pair: &Pair) -> Result<Delete> {
        let delete = Delete::builder()
            .table_name(&self.blacklists.table)
            .set_key(Some(entry_key(pair.me(), pair.peer())))
            .condition_expression("attribute_exists(u)");
        delete.build().map_err(|_| incomplete())
    }
}

fn entry_key(owner: &UserId, blocked: &UserId) -> Item {
    Item::from([("u".to_owned(), text(owner.as_str())), ("s".to_owned(), text(format!("{ENTRY}{blocked}")))])
}

fn incomplete() -> Error {
    Error::Internal("a write of a transaction is incomplete".to_owned())
}
