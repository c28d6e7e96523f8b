use std::collections::BTreeSet;

use aws_sdk_dynamodb::{Client, types::ReturnConsumedCapacity};
use hongyan_shared::{Result, model::UserId};

use super::{Consistency, Item, allowance, batch_get, failed, number, text, user_in};
use crate::config::{Config, Configured};

/// Who there is: in Users, under the sort key `A`. A business server writes it when it imports a user, and the first login
/// of somebody whom nobody has imported.
#[derive(Clone)]
pub struct Accounts {
    client: Client,
    table: String,
}

const ACCOUNT: &str = "A";

/// The largest row.
const ROW_BYTES: u64 = 72;

impl Accounts {
    /// The table of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self { client: config.dynamodb.clone(), table: config.users_table()? })
    }

    /// Enters a user, if nobody has done so yet.
    pub async fn enter(&self, user: &UserId, now_ms: u64) -> Result<()> {
        let writing = allowance::write(1)?;
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(user)))
            .update_expression("SET t = if_not_exists(t, :t)")
            .expression_attribute_values(":t", number(now_ms))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(failed)?;
        writing.cost(answer.consumed_capacity());
        Ok(())
    }

    /// Takes an account away.
    pub async fn remove(&self, user: &UserId) -> Result<()> {
        let writing = allowance::write(1)?;
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key(user)));
        let delete = delete.return_consumed_capacity(ReturnConsumedCapacity::Total);
        writing.cost(delete.send().await.map_err(failed)?.consumed_capacity());
        Ok(())
    }

    /// Whether there is an account.
    pub async fn is_there(&self, user: &UserId) -> Result<bool> {
        let _one_block = allowance::read(ROW_BYTES, Consistency::Strong)?;
        let get =
            self.client.get_item().table_name(&self.table).set_key(Some(key(user))).consistent_read(true);
        Ok(get.send().await.map_err(failed)?.item.is_some())
    }

    /// Which of these users, at most 100, there are, as far as the last second is known.
    ///
    /// # Errors
    /// [`hongyan_shared::Error::Throttled`] when the store does not give all of them.
    pub async fn among(&self, users: &[UserId]) -> Result<BTreeSet<UserId>> {
        let keys = users.iter().map(key).collect();
        let items = batch_get(&self.client, &self.table, keys, ROW_BYTES, Consistency::Eventual).await?;
        items.iter().map(|item| user_in(item, "u")).collect()
    }
}

fn key(user: &UserId) -> Item {
    Item::from([("u".to_owned(), text(user.as_str())), ("s".to_owned(), text(ACCOUNT))])
}
