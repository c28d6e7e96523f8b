use std::collections::BTreeMap;

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::update_item::{UpdateItemError, UpdateItemOutput, builders::UpdateItemFluentBuilder},
    types::{AttributeValue, ReturnConsumedCapacity, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use hongyan_shared::{
    Error, Result, gateway,
    model::{Mute, MuteChange, Platform, UserId},
    sig::UserSigError,
};
use serde::{Deserialize, Serialize};

use super::{
    Consistency, Item, RowChange, allowance, batch_get, failed, number, output_of, text, update_if, user_in,
};
use crate::config::{Config, Configured};

/// How old a connection is that API Gateway has cut, whatever clocks differ by, in seconds.
const LIFETIME_S: u64 = gateway::LIFETIME_S + 5 * 60;

/// How long after the last connection the item stays, for the sake of the names.
const ITEM_LIFETIME_S: u64 = 30 * 24 * 60 * 60;

/// Until when an item stays whose user was kicked: the last second of the year 9999. A signature of
/// before then may be valid for as long as who made it liked.
const KEPT_UNTIL: u64 = 253_402_300_799;

/// How many connections a user may have. The oldest makes room.
const MAX_SLOTS: usize = 16;

/// The largest item: with all slots, and the longest names.
const ITEM_BYTES: u64 = 4096;

/// The sort key of the item.
const KEY: &str = "C";

/// What an attribute with a slot begins with, and no other does.
const SLOT: &str = "@";

/// Who is connected: one item per user, so that its key is known and many users can be read at once.
/// It has an attribute for each slot that a device has taken, the names that others see, and the time
/// before which no signature counts.
#[derive(Clone)]
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
    pub platform: Platform,
    /// The installation of the client.
    pub instance: Option<&'a str>,
    /// When its signature was issued, in seconds.
    pub issued_at: u64,
    /// The last second in which that is good.
    pub expires_at: u64,
    /// Until when the user may not speak, as the connection goes by.
    pub mute: Mute,
}

/// What is held against a user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restrictions {
    /// The second before which no signature counts.
    pub not_before: u64,
    /// Until when they may not speak.
    pub mute: Mute,
}

/// What a registration has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The connections that have lost their slots.
    pub replaced: Vec<Connection>,
    /// Those of them whose signature does not count any more: they are told nothing.
    pub lapsed: Vec<Connection>,
    /// The user had no other connection.
    pub is_first: bool,
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
    pub platform: Platform,
    /// The installation of the client.
    pub instance: Option<String>,
    /// When its signature was issued, in seconds.
    pub issued_at: u64,
    /// The last second in which that is good.
    pub expires_at: u64,
}

/// What one read tells of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presence {
    /// The connections that are not older than one can be, and whose signature counts.
    pub connections: Vec<Connection>,
    /// What others see as the user's name and picture.
    pub names: Names,
    /// What is held against the user.
    pub restrictions: Restrictions,
}

/// What has changed of who is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenceChange {
    /// The user.
    pub user: UserId,
    /// Their slots that have another connection than before.
    pub slots: Vec<SlotChange>,
    /// When, in milliseconds.
    pub at_ms: u64,
}

/// A slot that has another connection than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotChange {
    /// The one that has lost it.
    pub before: Option<Connection>,
    /// The one that has it now.
    pub after: Option<Connection>,
    /// The one that has lost it has given it up itself.
    pub has_logged_out: bool,
}

/// All that an item says.
#[derive(Default)]
struct Parsed {
    /// All slots, dead or not.
    connections: Vec<Connection>,
    names: Names,
    restrictions: Restrictions,
    /// Until when, in milliseconds, the user may not connect.
    out_until: u64,
}

/// A user's name and picture, copied from the profile so that a push can carry them. What was never
/// copied is missing; what the profile does not have is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// The name.
    pub nick: Option<String>,
    /// The URL of the picture.
    pub avatar: Option<String>,
}

/// What an attribute with a slot holds.
#[derive(Serialize, Deserialize)]
struct Slot {
    /// Connection ID.
    c: String,
    /// Connected at, milliseconds.
    t: u64,
    /// Platform.
    y: String,
    /// Instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    i: Option<String>,
    /// Signature issued at, seconds.
    g: u64,
    /// Signature expires at, seconds.
    e: u64,
}

impl Presence {
    /// Whether the user has a connection.
    pub fn is_online(&self) -> bool {
        !self.connections.is_empty()
    }
}

impl Names {
    /// Whether there is nothing left to copy.
    pub fn are_complete(&self) -> bool {
        self.nick.is_some() && self.avatar.is_some()
    }
}

impl Connections {
    /// The table of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self { client: config.dynamodb.clone(), table: config.connections_table()? })
    }

    /// Takes the slot, and says from whom: one write does both. A handshake that was overtaken by a
    /// later one does not take the slot back, nobody takes one who was kicked since the signature
    /// was issued, and no connection that goes by another mute than there is. A user who has too many connections loses the oldest, by a second write.
    ///
    /// Should the answer of the write be lost, the SDK makes it once more and finds itself; a
    /// connection that was there before then gets no pushes until it logs in again.
    ///
    /// # Errors
    /// [`Error::Replaced`] when a later connection has it; [`UserSigError::Revoked`]; [`Error::Suspended`];
    /// [`Error::Outdated`].
    pub async fn register(&self, new: &Registration<'_>) -> Result<Registered> {
        let made_at = new.connected_at / 1000;
        let writing = allowance::write(allowance::write_units_of(ITEM_BYTES))?;
        let answer = self
            .update(new.user)
            .update_expression("SET #slot = :slot, x = if_not_exists(k, :x)")
            .condition_expression(
                "(attribute_not_exists(#slot) OR #slot.t <= :t) AND (attribute_not_exists(o) OR o <= :t) \
                 AND (attribute_not_exists(b) OR b <= :g) AND (attribute_not_exists(m) OR m = :m) \
                 AND (attribute_not_exists(mg) OR mg = :mg)",
            )
            .expression_attribute_names("#slot", attribute(new.slot))
            .expression_attribute_values(":slot", to_attribute(&Slot::from(new))?)
            .expression_attribute_values(":t", number(new.connected_at))
            .expression_attribute_values(":g", number(new.issued_at))
            .expression_attribute_values(":m", number(new.mute.c2c))
            .expression_attribute_values(":mg", number(new.mute.group))
            .expression_attribute_values(":x", number(made_at.saturating_add(ITEM_LIFETIME_S)))
            .return_values(ReturnValue::AllOld)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        if let Ok(output) = &answer {
            writing.cost(output.consumed_capacity());
        }
        let Parsed { connections: mut others, restrictions, .. } = match before(new.user, answer)? {
            Before::Written(before) => before,
            Before::Refused(found) => return Err(found.refusal(new)),
        };
        others.retain(|other| other.id != new.id);
        let counts = |other: &Connection| other.counts(restrictions.not_before, new.connected_at);
        let is_first = !others.iter().any(counts);

        let (mut replaced, mut others): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|other| other.slot == new.slot);
        // What does not count makes room before what does. Those that are dead are the oldest.
        others.sort_by_key(|other| (counts(other), other.connected_at));
        others.truncate((others.len() + 1).saturating_sub(MAX_SLOTS));
        if !others.is_empty() {
            self.remove_all(new.user, &others).await?;
        }
        replaced.extend(others);
        replaced.retain(|other| other.may_be_open(new.connected_at));
        let (replaced, lapsed) = replaced.into_iter().partition(counts);
        Ok(Registered { replaced, lapsed, is_first })
    }

    /// From now on, no signature of this user counts that was issued before that second. Returns the
    /// connections that may be open. One write does both, so a handshake has either registered before
    /// it, and is among them, or is refused.
    pub async fn revoke(&self, user: &UserId, before_s: u64, now_ms: u64) -> Result<Vec<Connection>> {
        let _item = allowance::write(allowance::write_units_of(ITEM_BYTES))?;
        let answer = self
            .update(user)
            .update_expression("SET b = :b, k = :k, x = :k")
            .condition_expression("attribute_not_exists(b) OR b < :b")
            .expression_attribute_values(":b", number(before_s))
            .expression_attribute_values(":k", number(KEPT_UNTIL))
            .return_values(ReturnValue::AllOld)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let (Before::Written(Parsed { mut connections, .. })
        | Before::Refused(Parsed { mut connections, .. })) = before(user, answer)?;
        connections.retain(|connection| connection.may_be_open(now_ms));
        Ok(connections)
    }

    /// Lets a user not speak until then, and returns the connections that may be open and go by something else. One write does
    /// both, as with [`Connections::revoke`].
    pub async fn mute(&self, change: &MuteChange, now_ms: u64) -> Result<Vec<Connection>> {
        let writing = allowance::write(allowance::write_units_of(ITEM_BYTES))?;
        // A mute is to outlive the connections.
        let (mut set, mut update) = ("SET k = :k, x = :k".to_owned(), self.update(&change.user));
        for (name, until) in [("m", change.c2c), ("mg", change.group)] {
            if let Some(until) = until {
                set = format!("{set}, {name} = :{name}");
                update = update.expression_attribute_values(format!(":{name}"), number(until));
            }
        }
        let output = update
            .update_expression(set)
            .expression_attribute_values(":k", number(KEPT_UNTIL))
            .return_values(ReturnValue::AllOld)
            .send()
            .await
            .map_err(failed)?;
        writing.cost(output.consumed_capacity());
        let Parsed { mut connections, .. } = parse(&change.user, output.attributes.unwrap_or_default())?;
        connections.retain(|connection| connection.may_be_open(now_ms));
        Ok(connections)
    }

    /// What is held against a user, as far as the last second is known.
    pub async fn restrictions(&self, user: &UserId) -> Result<Restrictions> {
        restrictions(&self.project(user, "b, m, mg", Consistency::Eventual).await?)
    }

    /// Whether the user has ever connected, or been kicked or muted, as long as that is kept.
    pub async fn is_known(&self, user: &UserId) -> Result<bool> {
        Ok(!self.project(user, "u", Consistency::Strong).await?.is_empty())
    }

    /// Some attributes of a user's item, or none if there is no item.
    async fn project(&self, user: &UserId, attributes: &str, consistency: Consistency) -> Result<Item> {
        let _one_block = allowance::read(ITEM_BYTES, consistency)?;
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(user)))
            .consistent_read(consistency == Consistency::Strong)
            .projection_expression(attributes)
            .send()
            .await
            .map_err(failed)?;
        Ok(answer.item.unwrap_or_default())
    }

    /// A user's connections and names.
    pub async fn of(&self, user: &UserId, consistency: Consistency, now_ms: u64) -> Result<Presence> {
        let _one_block = allowance::read(ITEM_BYTES, consistency)?;
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(user)))
            .consistent_read(consistency == Consistency::Strong)
            .send()
            .await
            .map_err(failed)?;
        answer.item.map_or(Ok(Presence::default()), |item| Presence::parse(user, item, now_ms))
    }

    /// The same of up to 100 users, each named once. Who was never connected is not among them.
    ///
    /// # Errors
    /// [`Error::Throttled`] when the store does not give all of them.
    pub async fn of_all(
        &self,
        users: &[UserId],
        consistency: Consistency,
        now_ms: u64,
    ) -> Result<BTreeMap<UserId, Presence>> {
        let keys = users.iter().map(key).collect();
        let items = batch_get(&self.client, &self.table, keys, ITEM_BYTES, consistency).await?;
        let presences = items.into_iter().map(|item| {
            let user = user_in(&item, "u")?;
            let presence = Presence::parse(&user, item, now_ms)?;
            Ok((user, presence))
        });
        presences.collect()
    }

    /// Frees the slot if this connection holds it, and says whether it was the user's last. A late
    /// call finds another one there and leaves it alone. That it has logged out is noted for who is told of changes.
    pub async fn remove(
        &self,
        user: &UserId,
        slot: &str,
        id: &str,
        has_logged_out: bool,
        now_ms: u64,
    ) -> Result<bool> {
        let writing = allowance::write(allowance::write_units_of(ITEM_BYTES))?;
        let noted = if has_logged_out { " SET lo = :c" } else { "" };
        let answer = self
            .update(user)
            .update_expression(format!("REMOVE #slot{noted}"))
            .condition_expression("#slot.c = :c")
            .expression_attribute_names("#slot", attribute(slot))
            .expression_attribute_values(":c", text(id))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        let Some(output) = output_of(answer)? else { return Ok(false) };
        writing.cost(output.consumed_capacity());
        let left = Presence::parse(user, output.attributes.unwrap_or_default(), now_ms)?;
        Ok(!left.is_online())
    }

    /// Frees the slots of all of these, if all of them still hold theirs. If not, the next
    /// registration sees to it.
    async fn remove_all(&self, user: &UserId, connections: &[Connection]) -> Result<()> {
        let mut update = self.update(user);
        let (mut slots, mut conditions) = (Vec::new(), Vec::new());
        for (index, connection) in connections.iter().enumerate() {
            slots.push(format!("#{index}"));
            conditions.push(format!("#{index}.c = :{index}"));
            update = update
                .expression_attribute_names(format!("#{index}"), attribute(&connection.slot))
                .expression_attribute_values(format!(":{index}"), text(&connection.id));
        }
        let update = update
            .update_expression(format!("REMOVE {}", slots.join(", ")))
            .condition_expression(conditions.join(" AND "));
        let worst = allowance::write_units_of(ITEM_BYTES);
        update_if(update, worst, worst).await.map(|_| ())
    }

    /// Lets the user make no connection until then, and returns those that there are.
    pub async fn suspend(&self, user: &UserId, until_ms: u64, now_ms: u64) -> Result<Vec<Connection>> {
        let writing = allowance::write(allowance::write_units_of(ITEM_BYTES))?;
        let output = self
            .update(user)
            .update_expression("SET o = :o, x = if_not_exists(x, :x)")
            .expression_attribute_values(":o", number(until_ms))
            .expression_attribute_values(":x", number((now_ms / 1000).saturating_add(ITEM_LIFETIME_S)))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(failed)?;
        writing.cost(output.consumed_capacity());
        Ok(Presence::parse(user, output.attributes.unwrap_or_default(), now_ms)?.connections)
    }

    /// Notes that the user goes by another name or has another picture.
    pub async fn rename(&self, user: &UserId, changed: &Names, now_ms: u64) -> Result<()> {
        self.set_names(user, changed, now_ms, |name, value| format!("{name} = {value}")).await
    }

    /// Copies the names of the profile where they are missing. A change that comes in meanwhile wins.
    pub async fn fill_in(&self, user: &UserId, names: &Names, now_ms: u64) -> Result<()> {
        self.set_names(user, names, now_ms, |name, value| format!("{name} = if_not_exists({name}, {value})"))
            .await
    }

    async fn set_names(
        &self,
        user: &UserId,
        names: &Names,
        now_ms: u64,
        assignment: impl Fn(&str, &str) -> String,
    ) -> Result<()> {
        // Who has no item yet gets one, and it has to end as well.
        let end = (now_ms / 1000).saturating_add(ITEM_LIFETIME_S);
        let mut update = self.update(user).expression_attribute_values(":x", number(end));
        let mut set = "SET x = if_not_exists(x, :x)".to_owned();
        for (name, value) in [("n", &names.nick), ("a", &names.avatar)] {
            if let Some(value) = value {
                let placeholder = format!(":{name}");
                set = format!("{set}, {}", assignment(name, &placeholder));
                update = update.expression_attribute_values(placeholder, text(value));
            }
        }
        let writing = allowance::write(allowance::write_units_of(ITEM_BYTES))?;
        let output = update.update_expression(set).send().await.map_err(failed)?;
        writing.cost(output.consumed_capacity());
        Ok(())
    }

    /// Forgets what is kept of a user besides their connections, but not before which second no signature counts.
    pub async fn forget(&self, user: &UserId) -> Result<()> {
        let update = self
            .update(user)
            .update_expression("SET m = :none, mg = :none REMOVE n, a")
            .condition_expression("attribute_exists(u)")
            .expression_attribute_values(":none", number(0));
        let worst = allowance::write_units_of(ITEM_BYTES);
        update_if(update, worst, worst).await.map(|_| ())
    }

    fn update(&self, user: &UserId) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(user)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }
}

impl RowChange {
    /// What has changed of who is connected, if this is the row that says it.
    ///
    /// # Errors
    /// [`Error::Internal`] when the row is none of ours.
    pub fn of_presence(&self) -> Result<Option<PresenceChange>> {
        let (Some(user), Some(KEY)) = (self.text("u"), self.text("s")) else { return Ok(None) };
        let user = UserId::parse("u", user)
            .map_err(|_| Error::Internal("a row of the stream is of no user".to_owned()))?;
        let logged_out = self.new.get("lo").and_then(|id| id.as_s().ok());
        let slots = |item: &Item| {
            let connections = parse(&user, item.clone())?.connections;
            Ok::<_, Error>(
                connections.into_iter().map(|one| (one.slot.clone(), one)).collect::<BTreeMap<_, _>>(),
            )
        };
        let (mut before, after) = (slots(&self.old)?, slots(&self.new)?);
        let mut changes: Vec<SlotChange> = Vec::new();
        for (slot, after) in after {
            let before = before.remove(&slot);
            if before.as_ref().is_none_or(|before| before.id != after.id) {
                changes.push(SlotChange { before, after: Some(after), has_logged_out: false });
            }
        }
        changes.extend(before.into_values().map(|before| SlotChange {
            has_logged_out: logged_out.is_some_and(|id| *id == before.id),
            before: Some(before),
            after: None,
        }));
        Ok(Some(PresenceChange { user, slots: changes, at_ms: self.at_ms }))
    }
}

impl Connection {
    /// Whether it has ended by then, whether anybody has noticed or not.
    pub fn is_over(&self, now_ms: u64) -> bool {
        !self.counts(0, now_ms)
    }

    /// Whether API Gateway may still have it.
    fn may_be_open(&self, now_ms: u64) -> bool {
        now_ms / 1000 < last_second(self.connected_at)
    }

    /// Whether anything may be pushed to it.
    fn counts(&self, not_before: u64, now_ms: u64) -> bool {
        self.may_be_open(now_ms) && now_ms / 1000 <= self.expires_at && not_before <= self.issued_at
    }
}

impl Parsed {
    /// Why a registration is refused that has found this.
    fn refusal(&self, new: &Registration<'_>) -> Error {
        if self.restrictions.not_before > new.issued_at {
            return UserSigError::Revoked.into();
        }
        if self.restrictions.mute != new.mute {
            return Error::Outdated;
        }
        match self.out_until.saturating_sub(new.connected_at) {
            0 => Error::Replaced,
            ms => Error::Suspended { seconds: ms.div_ceil(1_000) },
        }
    }
}

/// What an item was like before a conditional write, or when its condition did not hold.
enum Before {
    Written(Parsed),
    Refused(Parsed),
}

impl Presence {
    fn parse(user: &UserId, item: Item, now_ms: u64) -> Result<Self> {
        let Parsed { mut connections, names, restrictions, .. } = parse(user, item)?;
        connections.retain(|connection| connection.counts(restrictions.not_before, now_ms));
        Ok(Self { connections, names, restrictions })
    }
}

impl From<&Registration<'_>> for Slot {
    fn from(new: &Registration<'_>) -> Self {
        Self {
            c: new.id.to_owned(),
            t: new.connected_at,
            y: new.platform.as_str().to_owned(),
            i: new.instance.map(str::to_owned),
            g: new.issued_at,
            e: new.expires_at,
        }
    }
}

/// The second from which on a connection that was made at a time in milliseconds is dead.
pub(super) fn last_second(connected_at: u64) -> u64 {
    (connected_at / 1000).saturating_add(LIFETIME_S)
}

fn key(user: &UserId) -> Item {
    Item::from([("u".to_owned(), text(user.as_str())), ("s".to_owned(), text(KEY))])
}

fn attribute(slot: &str) -> String {
    format!("{SLOT}{slot}")
}

fn to_attribute(slot: &Slot) -> Result<AttributeValue> {
    serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(slot)
        .map_err(|_| Error::Internal("a slot does not fit an attribute".to_owned()))
}

fn before(
    user: &UserId,
    answer: std::result::Result<UpdateItemOutput, SdkError<UpdateItemError>>,
) -> Result<Before> {
    match answer {
        Ok(output) => Ok(Before::Written(parse(user, output.attributes.unwrap_or_default())?)),
        Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
            match error.into_err() {
                UpdateItemError::ConditionalCheckFailedException(found) if found.item.is_some() => {
                    Ok(Before::Refused(parse(user, found.item.unwrap_or_default())?))
                }
                _ => Err(Error::Internal("DynamoDB refused a write and did not say why".to_owned())),
            }
        }
        Err(error) => Err(failed(error)),
    }
}

/// What an item holds against its user: 0, where it is nothing.
fn restrictions(item: &Item) -> Result<Restrictions> {
    let number = |name: &str| match item.get(name) {
        None => Ok(0),
        // What cannot be read must not let anybody in.
        Some(value) => value
            .as_n()
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| Error::Internal("a user was kicked or muted at no time".to_owned())),
    };
    Ok(Restrictions { not_before: number("b")?, mute: Mute { c2c: number("m")?, group: number("mg")? } })
}

fn parse(user: &UserId, mut item: Item) -> Result<Parsed> {
    let restrictions = restrictions(&item)?;
    let out_until = item.get("o").and_then(|out| out.as_n().ok()?.parse().ok()).unwrap_or_default();
    let mut name = |attribute: &str| match item.remove(attribute) {
        Some(AttributeValue::S(name)) => Some(name),
        _ => None,
    };
    let names = Names { nick: name("n"), avatar: name("a") };
    let slots = item.into_iter().filter_map(|(name, value)| {
        let slot = name.strip_prefix(SLOT)?.to_owned();
        Some((slot, value))
    });
    let connections = slots.map(|(slot, value)| {
        let Slot { c, t, y, i, g, e } = serde_dynamo::aws_sdk_dynamodb_1::from_attribute_value(value)
            .map_err(|_| Error::Internal(format!("the slot {slot} of {user} is none")))?;
        Ok(Connection {
            user: user.clone(),
            slot,
            id: c,
            connected_at: t,
            platform: Platform::named(&y),
            instance: i,
            issued_at: g,
            expires_at: e,
        })
    });
    Ok(Parsed { connections: connections.collect::<Result<_>>()?, names, restrictions, out_until })
}
