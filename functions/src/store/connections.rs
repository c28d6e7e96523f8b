use aws_sdk_dynamodb::{Client, types::ReturnValue};
use hongyan_shared::{Error, Result, model::UserId};
use serde::{Deserialize, Serialize};

use super::{Item, failed, from_item, number, output_of, text, to_item, took_place};

/// API Gateway cuts a connection after two hours; a row that is older by five minutes is dead.
const LIFETIME_S: u64 = 2 * 60 * 60 + 5 * 60;

/// More devices of one user than this do not get a push.
const MAX_DEVICES: usize = 64;

/// Who is connected: partition is the user, sort key the slot that his device takes.
pub struct Connections {
    client: Client,
    table: String,
}

/// A connection that wants to take a slot.
#[derive(Debug, Clone)]
pub struct Registration<'a> {
    /// The user.
    pub user: &'a UserId,
    /// The slot.
    pub slot: &'a str,
    /// The connection.
    pub id: &'a str,
    /// When it was made, in milliseconds.
    pub connected_at: u64,
    /// The kind of device.
    pub platform: &'a str,
    /// The installation of the client.
    pub instance: Option<&'a str>,
}

/// A connection that holds a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The user.
    pub user: UserId,
    /// The slot.
    pub slot: String,
    /// The connection.
    pub id: String,
    /// When it was made, in milliseconds.
    pub connected_at: u64,
    /// The kind of device.
    pub platform: String,
    /// The installation of the client.
    pub instance: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    /// User.
    u: String,
    /// Slot.
    d: String,
    /// Connection ID.
    c: String,
    /// Connected at, milliseconds.
    t: u64,
    /// Platform.
    y: String,
    /// Instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    i: Option<String>,
    /// Expires at, seconds: the TTL attribute.
    x: u64,
}

impl Connections {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Takes the slot, and says from whom: one write does both. A handshake that was overtaken by a
    /// later one does not take the slot back.
    ///
    /// Should the answer of the write be lost, the SDK makes it once more and finds itself; whoever
    /// was there before then keeps a connection that gets no pushes, until he logs in again.
    ///
    /// # Errors
    /// [`Error::Replaced`] when a later connection has it; when the store fails.
    pub async fn register(&self, new: &Registration<'_>) -> Result<Option<Connection>> {
        let answer = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(to_item(&Row::from(new))?))
            .condition_expression("attribute_not_exists(u) OR t <= :t")
            .expression_attribute_values(":t", number(new.connected_at))
            .return_values(ReturnValue::AllOld)
            .send()
            .await;
        let output = output_of(answer)?.ok_or(Error::Replaced)?;
        let previous = output.attributes.map(parse).transpose()?;
        Ok(previous.filter(|previous| previous.id != new.id && new.connected_at / 1000 < expiry(previous)))
    }

    /// Who holds the slot at this moment.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn holder(&self, user: &UserId, slot: &str) -> Result<Option<Connection>> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("u", text(user.as_str()))
            .key("d", text(slot))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed)?;
        answer.item.map(parse).transpose()
    }

    /// All connections of a user. Not strongly consistent: a push is a hint.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(&self, user: &UserId, now_ms: u64) -> Result<Vec<Connection>> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("u = :u")
            .expression_attribute_values(":u", text(user.as_str()))
            .filter_expression("x > :now")
            .expression_attribute_values(":now", number(now_ms / 1000))
            .send()
            .await
            .map_err(failed)?;
        answer.items.unwrap_or_default().into_iter().take(MAX_DEVICES).map(parse).collect()
    }

    /// Frees the slot if this connection holds it. A late call finds another one there and leaves
    /// it alone.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove(&self, user: &UserId, slot: &str, id: &str) -> Result<()> {
        let answer = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("u", text(user.as_str()))
            .key("d", text(slot))
            .condition_expression("c = :c")
            .expression_attribute_values(":c", text(id))
            .send()
            .await;
        took_place(answer).map(|_| ())
    }
}

fn expiry(connection: &Connection) -> u64 {
    (connection.connected_at / 1000).saturating_add(LIFETIME_S)
}

impl From<&Registration<'_>> for Row {
    fn from(new: &Registration<'_>) -> Self {
        Self {
            u: new.user.to_string(),
            d: new.slot.to_owned(),
            c: new.id.to_owned(),
            t: new.connected_at,
            y: new.platform.to_owned(),
            i: new.instance.map(str::to_owned),
            x: (new.connected_at / 1000).saturating_add(LIFETIME_S),
        }
    }
}

fn parse(item: Item) -> Result<Connection> {
    let row: Row = from_item(item)?;
    Ok(Connection {
        user: UserId::parse("u", &row.u)
            .map_err(|_| Error::Internal("a connection row has no user".to_owned()))?,
        slot: row.d,
        id: row.c,
        connected_at: row.t,
        platform: row.y,
        instance: row.i,
    })
}
