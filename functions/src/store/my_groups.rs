use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::{
    Client,
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{
        AttributeValue, Delete, Put, ReturnConsumedCapacity, ReturnValue,
        ReturnValuesOnConditionCheckFailure, Update,
    },
};
use hongyan_shared::{
    Error, Result,
    model::{GroupId, Mark, Member, MemberState, Membership, MyGroup, ReadMarker, RemindType, Seq, UserId},
};
use serde::{Deserialize, Serialize};

use super::{
    Consistency, Item, allowance, failed, from_item, number, rosters::rank, rosters::role, text, to_item,
    update_if,
};
use crate::config::{Config, Configured};

/// What members have of their groups, each in the table of their conversations: the sort key is `·` and the group, behind
/// all users. One row has no group, and a place before all others in the list: it says that there are groups.
pub struct MyGroups {
    client: Client,
    table: String,
}

/// What all their sort keys begin with, and no user ID does.
pub(super) const PREFIX: &str = "·";

/// The place in a list of the row that says that there are groups: before what is pinned.
const PLACE: u64 = 90_000_000_000_000;

/// The largest row: with a hundred and fifty numbers of one's own, and sixteen mentions.
const ROW_BYTES: u64 = 3072;

/// How many messages are noted that concern a member by name.
const MENTIONS: usize = 16;

/// How many of a member's own numbers may lie behind what they have read before they are dropped.
const STALE: usize = 50;

#[derive(Serialize, Deserialize)]
struct Row {
    /// User.
    u: String,
    /// `·` and the group.
    v: String,
    /// Came at, milliseconds.
    t: u64,
    /// Role.
    ro: u8,
    /// Up to this number nothing is shown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    j: Option<u64>,
    /// Name in the group.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    ca: String,
    /// What they want to hear, unless it is everything.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    rm: Option<RemindType>,
    /// Pinned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    k: Option<u64>,
    /// The last message read, the count at it, its time and its end.
    #[serde(default)]
    rn: u64,
    #[serde(default)]
    rq: u64,
    #[serde(default)]
    rt: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    re: Option<u64>,
    /// The same of the last one cleared.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    cn: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    cq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    ct: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    ce: Option<u64>,
    /// And of the last one that is not in the list any more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    ln: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    lq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    lt: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    le: Option<u64>,
}

/// What the attributes of a mark begin with.
fn attributes(mark: Mark) -> &'static str {
    match mark {
        Mark::Read => "r",
        Mark::Cleared => "c",
        Mark::Unlisted => "l",
    }
}

impl MyGroups {
    /// The table of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self { client: config.dynamodb.clone(), table: config.conversations_table()? })
    }

    /// What a user has of a group, and that they are in it; nothing if they are not.
    pub async fn of(
        &self,
        user: &UserId,
        group: &GroupId,
        consistency: Consistency,
        now_ms: u64,
    ) -> Result<Option<(Membership, MyGroup)>> {
        let _one_row = allowance::read(ROW_BYTES, consistency)?;
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(user, group)))
            .consistent_read(consistency == Consistency::Strong)
            .send()
            .await
            .map_err(failed)?;
        answer.item.map(|item| found(user, item, now_ms)).transpose()
    }

    /// What a user has of all their groups behind that one, by their IDs, as many as so many read units hold; and whether
    /// there are more.
    pub async fn all(
        &self,
        user: &UserId,
        after: Option<&GroupId>,
        at_most: usize,
        now_ms: u64,
    ) -> Result<(Vec<(Membership, MyGroup)>, bool)> {
        let after = after.map(GroupId::as_str).unwrap_or_default();
        let first = (":first", format!("{PREFIX}{after}"));
        self.rows(user, "u = :u AND v > :first", [first], at_most, now_ms).await
    }

    /// What a user has of those of these groups that they are in, which are given in the order of their IDs: of as many as may be read
    /// if so many units are to be left. Whether those are not all.
    ///
    /// Rows that lie side by side cost a fraction of what each would cost by itself. What lies in between and is not wanted costs as
    /// well, so no query looks at more than twice as many rows as are wanted.
    pub async fn among(
        &self,
        user: &UserId,
        groups: &[GroupId],
        units_kept: u64,
        now_ms: u64,
    ) -> Result<(Vec<(Membership, MyGroup)>, bool)> {
        let (mut rows, mut left) = (Vec::new(), groups);
        while let (Some(first), Some(last)) = (left.first(), left.last()) {
            let at_most = left.len().saturating_mul(2).min(Self::affordable(units_kept));
            if at_most == 0 {
                return Ok((rows, true));
            }
            let bounds = [(":first", format!("{PREFIX}{first}")), (":last", format!("{PREFIX}{last}"))];
            let (found, goes_on) =
                self.rows(user, "u = :u AND v BETWEEN :first AND :last", bounds, at_most, now_ms).await?;
            let end = found.last().map(|(member, _)| member.group().clone());
            rows.extend(found.into_iter().filter(|(member, _)| left.binary_search(member.group()).is_ok()));
            left = match end.filter(|_| goes_on) {
                Some(end) => left.get(left.partition_point(|group| *group <= end)..).unwrap_or_default(),
                None => &[],
            };
        }
        Ok((rows, false))
    }

    /// The rows of a user for which a condition on their keys holds, so many at the most, and whether there are more.
    async fn rows<const BOUNDS: usize>(
        &self,
        user: &UserId,
        condition: &str,
        bounds: [(&str, String); BOUNDS],
        at_most: usize,
        now_ms: u64,
    ) -> Result<(Vec<(Membership, MyGroup)>, bool)> {
        let reading = allowance::read(ROW_BYTES.saturating_mul(at_most as u64), Consistency::Strong)?;
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query.key_condition_expression(condition);
        let query = query.expression_attribute_values(":u", text(user.as_str()));
        let query = bounds
            .into_iter()
            .fold(query, |query, (name, bound)| query.expression_attribute_values(name, text(bound)))
            .limit(i32::try_from(at_most).unwrap_or(i32::MAX))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = query.send().await.map_err(failed)?;
        reading.cost(answer.consumed_capacity());
        let goes_on = answer.last_evaluated_key.is_some();
        let items = answer.items.unwrap_or_default().into_iter();
        Ok((items.map(|item| found(user, item, now_ms)).collect::<Result<_>>()?, goes_on))
    }

    /// How many rows of this kind may be read at once, if so many units are to be left.
    pub fn affordable(units_kept: u64) -> usize {
        allowance::rows(ROW_BYTES, Consistency::Strong, units_kept)
    }

    /// Says in a user's list that they have groups. It comes before the first one, and stays.
    pub async fn set_has_groups(&self, user: &UserId) -> Result<()> {
        let _half_a_unit = allowance::read(ROW_BYTES, Consistency::Eventual)?;
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(has_groups_key(user)))
            .send()
            .await
            .map_err(failed)?;
        if answer.item.is_some() {
            return Ok(());
        }
        // The row, and its place in the index.
        let _two_units = allowance::write(2)?;
        let mut item = has_groups_key(user);
        item.insert("s".to_owned(), number(PLACE));
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await.map_err(failed)?;
        Ok(())
    }

    /// Moves a mark of a member forward, unless it is farther already. Returns what they have then; nothing if they are not
    /// in the group.
    pub async fn advance(
        &self,
        user: &UserId,
        group: &GroupId,
        mark: Mark,
        marker: ReadMarker,
        now_ms: u64,
    ) -> Result<Option<(Membership, MyGroup)>> {
        let prefix = attributes(mark);
        let mut set = format!("SET {prefix}n = :n, {prefix}q = :q, {prefix}t = :t");
        let mut update = self
            .update(user, group)
            .condition_expression(format!(
                "attribute_exists(u) AND (attribute_not_exists({prefix}n) OR {prefix}n < :n OR {prefix}e <= :now)"
            ))
            .expression_attribute_values(":n", number(marker.seq.0))
            .expression_attribute_values(":q", number(marker.count))
            .expression_attribute_values(":t", number(marker.time))
            .expression_attribute_values(":now", number(now_ms / 1000))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match marker.expires_at {
            None => set.push_str(&format!(" REMOVE {prefix}e")),
            Some(second) => {
                set.push_str(&format!(", {prefix}e = :e"));
                update = update.expression_attribute_values(":e", number(second));
            }
        }
        let after = self.returned(user, update.update_expression(set), now_ms).await?;
        if let Some((member, mine)) = &after {
            self.drop_stale(member, mine).await?;
        }
        Ok(after)
    }

    /// Notes that a message is the member's own: it is never unread to them. Returns what they have then; nothing if they are
    /// not in the group any more.
    pub async fn note_own(&self, member: &Membership, seq: Seq, now_ms: u64) -> Result<Option<MyGroup>> {
        let update = self
            .update(member.user(), member.group())
            .update_expression("ADD o :o")
            .condition_expression("attribute_exists(u)")
            .expression_attribute_values(":o", AttributeValue::Ns(vec![seq.to_string()]))
            .return_values(ReturnValue::AllNew);
        let after = self.returned(member.user(), update, now_ms).await?;
        Ok(after.map(|(_, mine)| mine))
    }

    /// Notes that a message concerns another member by name, unless there are sixteen such messages that they have not read.
    pub async fn mention(&self, member: &Membership, mentioned: &UserId, seq: Seq) -> Result<()> {
        let update = self
            .update(mentioned, member.group())
            .update_expression("ADD m :m")
            .condition_expression("attribute_exists(u) AND (attribute_not_exists(m) OR size(m) < :most)")
            .expression_attribute_values(":m", AttributeValue::Ss(vec![mention(seq, Some(member.user()))]))
            .expression_attribute_values(":most", number(MENTIONS as u64));
        write(update).await.map(|_| ())
    }

    /// Puts a group on top of the list, or no longer. Says whether the user is in it.
    pub async fn pin(&self, user: &UserId, group: &GroupId, is_pinned: bool) -> Result<bool> {
        let update = self.update(user, group).condition_expression("attribute_exists(u)");
        let update = if is_pinned {
            update.update_expression("SET k = :k").expression_attribute_values(":k", number(1))
        } else {
            update.update_expression("REMOVE k")
        };
        write(update).await
    }

    /// Lets go of a group that was dismissed.
    pub async fn forget(&self, user: &UserId, group: &GroupId) -> Result<()> {
        self.delete(key(user, group)).await
    }

    /// A user's list says no more that they have groups.
    pub async fn clear_has_groups(&self, user: &UserId) -> Result<()> {
        self.delete(has_groups_key(user)).await
    }

    async fn delete(&self, key: Item) -> Result<()> {
        let _row = allowance::write(allowance::write_units_of(ROW_BYTES))?;
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key));
        delete.send().await.map_err(failed)?;
        Ok(())
    }

    /// Drops what a mark has passed, once it is much: it is not looked at any more.
    async fn drop_stale(&self, member: &Membership, mine: &MyGroup) -> Result<()> {
        let read = mine.state.done().seq;
        let own: Vec<String> = mine.own.range(..=read).map(Seq::to_string).collect();
        let mentions = mine.mentions.range(..=read);
        let mentions: Vec<String> = mentions.map(|(seq, from)| mention(*seq, from.as_ref())).collect();
        // There is room for few mentions, and for more of one's own.
        if own.len() < STALE && mentions.is_empty() {
            return Ok(());
        }
        let mut update =
            self.update(member.user(), member.group()).condition_expression("attribute_exists(u)");
        let mut deleted = Vec::new();
        if !own.is_empty() {
            deleted.push("o :o");
            update = update.expression_attribute_values(":o", AttributeValue::Ns(own));
        }
        if !mentions.is_empty() {
            deleted.push("m :m");
            update = update.expression_attribute_values(":m", AttributeValue::Ss(mentions));
        }
        write(update.update_expression(format!("DELETE {}", deleted.join(", ")))).await.map(|_| ())
    }

    /// Makes a conditional write, and returns the row as it is then, whether it took place or not; nothing if there is none.
    async fn returned(
        &self,
        user: &UserId,
        update: UpdateItemFluentBuilder,
        now_ms: u64,
    ) -> Result<Option<(Membership, MyGroup)>> {
        let writing = allowance::write(allowance::write_units_of(ROW_BYTES))?;
        let item = match update.send().await {
            Ok(output) => {
                writing.cost(output.consumed_capacity());
                output.attributes
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => refused.item.clone(),
                _ => return Err(failed(error)),
            },
        };
        item.map(|item| found(user, item, now_ms)).transpose()
    }

    fn update(&self, user: &UserId, group: &GroupId) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(user, group)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }
}

async fn write(update: UpdateItemFluentBuilder) -> Result<bool> {
    update_if(update, allowance::write_units_of(ROW_BYTES), 1).await
}

/// The rows of those who come, go or become something else, as parts of a transaction.
pub(super) struct MyRows<'a> {
    pub table: &'a str,
    pub group: &'a GroupId,
}

impl MyRows<'_> {
    /// A user comes, who was not there. They have read up to the marker, and see what is behind `joined`.
    pub fn put(
        &self,
        user: &UserId,
        member: &Member,
        joined: Seq,
        marker: &ReadMarker,
        now_ms: u64,
    ) -> Result<Put> {
        let row = Row {
            u: user.to_string(),
            v: format!("{PREFIX}{}", self.group),
            t: now_ms,
            ro: rank(member.role),
            j: joined.named().map(|seq| seq.0),
            ca: member.card.clone(),
            rm: None,
            k: None,
            rn: marker.seq.0,
            rq: marker.count,
            rt: marker.time,
            re: marker.expires_at,
            cn: None,
            cq: None,
            ct: None,
            ce: None,
            ln: None,
            lq: None,
            lt: None,
            le: None,
        };
        let put = Put::builder()
            .table_name(self.table)
            .set_item(Some(to_item(&row)?))
            .condition_expression("attribute_not_exists(u)");
        put.build().map_err(|_| incomplete())
    }

    /// A user goes, who was there.
    pub fn delete(&self, user: &UserId) -> Result<Delete> {
        let delete = Delete::builder()
            .table_name(self.table)
            .set_key(Some(key(user, self.group)))
            .condition_expression("attribute_exists(u)");
        delete.build().map_err(|_| incomplete())
    }

    /// A member becomes something else, or goes by another name.
    pub fn update(&self, user: &UserId, member: &Member) -> Result<Update> {
        let update = Update::builder()
            .table_name(self.table)
            .set_key(Some(key(user, self.group)))
            .update_expression("SET ro = :ro, ca = :ca")
            .condition_expression("attribute_exists(u)")
            .expression_attribute_values(":ro", number(rank(member.role).into()))
            .expression_attribute_values(":ca", text(&member.card));
        update.build().map_err(|_| incomplete())
    }

    /// A member wants to hear this.
    pub fn set_remind(&self, user: &UserId, remind: RemindType) -> Result<Update> {
        let update = Update::builder()
            .table_name(self.table)
            .set_key(Some(key(user, self.group)))
            .update_expression("SET rm = :rm")
            .condition_expression("attribute_exists(u)")
            .expression_attribute_values(":rm", text(remind_text(remind)));
        update.build().map_err(|_| incomplete())
    }
}

fn found(user: &UserId, mut item: Item, now_ms: u64) -> Result<(Membership, MyGroup)> {
    let wrong = || Error::Internal("a row of a group cannot be read".to_owned());
    let own = match item.remove("o") {
        Some(AttributeValue::Ns(numbers)) => numbers,
        _ => Vec::new(),
    };
    let own = own.iter().map(|number| number.parse().map(Seq).map_err(|_| wrong()));
    let mentions = match item.remove("m") {
        Some(AttributeValue::Ss(texts)) => texts,
        _ => Vec::new(),
    };
    let mentions = mentions.iter().map(|text| {
        let (seq, from) = text.split_once('.').ok_or_else(wrong)?;
        Ok::<_, Error>((seq.parse().map(Seq).map_err(|_| wrong())?, UserId::parse("from", from).ok()))
    });
    let (own, mentions) =
        (own.collect::<Result<BTreeSet<_>>>()?, mentions.collect::<Result<BTreeMap<_, _>>>()?);
    let row: Row = from_item(item)?;
    let group = row.v.strip_prefix(PREFIX).and_then(|group| GroupId::parse(group).ok()).ok_or_else(wrong)?;
    let marker = |seq: Option<u64>, count: Option<u64>, time: Option<u64>, expires_at| ReadMarker {
        seq: Seq(seq.unwrap_or_default()),
        count: count.unwrap_or_default(),
        time: time.unwrap_or_default(),
        expires_at,
    };
    let state = MemberState {
        read: marker(Some(row.rn), Some(row.rq), Some(row.rt), row.re),
        cleared: marker(row.cn, row.cq, row.ct, row.ce),
        unlisted: marker(row.ln, row.lq, row.lt, row.le),
        ..MemberState::default()
    };
    let mine = MyGroup {
        role: role(row.ro),
        joined_at: row.t / 1000,
        joined: Seq(row.j.unwrap_or_default()),
        card: row.ca,
        remind: row.rm.unwrap_or_default(),
        is_pinned: row.k.is_some(),
        state: state.without_expired(now_ms),
        own,
        mentions,
    };
    Ok((Membership::found(&group, user, mine.role), mine))
}

fn mention(seq: Seq, from: Option<&UserId>) -> String {
    format!("{seq}.{}", from.map(UserId::as_str).unwrap_or_default())
}

fn remind_text(remind: RemindType) -> &'static str {
    match remind {
        RemindType::AcceptAndNotify => "AcceptAndNotify",
        RemindType::AcceptNotNotify => "AcceptNotNotify",
        RemindType::Discard => "Discard",
    }
}

/// The row that says that a user has groups.
fn has_groups_key(user: &UserId) -> Item {
    Item::from([("u".to_owned(), text(user.as_str())), ("v".to_owned(), text(PREFIX))])
}

fn key(user: &UserId, group: &GroupId) -> Item {
    Item::from([("u".to_owned(), text(user.as_str())), ("v".to_owned(), text(format!("{PREFIX}{group}")))])
}

fn incomplete() -> Error {
    Error::Internal("a write of a group is incomplete".to_owned())
}
