use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, Delete, Put, ReturnConsumedCapacity, Update},
};
use hongyan_shared::{
    Error, Result,
    model::{GroupId, MAX_MEMBERS, Member, Membership, RemindType, Role, Roster, UserId},
};
use serde::{Deserialize, Serialize};

use super::{Consistency, Item, allowance, failed, from_item, number, sort_key, text, to_item};
use crate::config::{Config, Configured};

/// Who is in a group, and who wants to be: partition is the group, and the sort key says
///
/// | sort key | what |
/// |---|---|
/// | `J#` + user | somebody has applied |
/// | `U#` + user | a member |
pub struct Rosters {
    client: Client,
    table: String,
    remembered: Mutex<Remembered>,
}

/// Rosters that a sandbox has in its memory, each as of a version of its group: who sends reads the group, and with it the
/// version, in any case.
#[derive(Default)]
struct Remembered {
    by_group: HashMap<GroupId, Arc<Roster>>,
    oldest_first: VecDeque<GroupId>,
}

/// Somebody who wants to join a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Who.
    pub user: UserId,
    /// What they say.
    pub words: String,
    /// Which of theirs it is.
    pub token: String,
    /// When, in milliseconds.
    pub at: u64,
}

/// How many rosters are remembered.
const REMEMBERED: usize = 64;

const MEMBER: &str = "U#";
const APPLICATION: &str = "J#";

/// The largest row of a member.
const MEMBER_BYTES: u64 = 180;

/// The largest application.
const APPLICATION_BYTES: u64 = 512;

/// How much of a table one call looks through.
const SCANNED_BYTES: u64 = 1024 * 1024;

/// How many applications are listed, of one group.
const APPLICATIONS: usize = 100;

/// How long an application waits, in seconds.
const APPLICATION_LIFETIME_S: u64 = 30 * 24 * 60 * 60;

/// A member.
#[derive(Serialize, Deserialize)]
struct MemberRow {
    /// Group.
    g: String,
    /// `U#` and the user.
    s: String,
    /// Role: 0, 1, 2.
    r: u8,
    /// Joined at, seconds.
    t: u64,
    /// Name in the group.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    c: String,
    /// Muted until, seconds.
    #[serde(skip_serializing_if = "is_zero", default)]
    m: u64,
    /// Wants nothing pushed.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    d: bool,
}

/// An application.
#[derive(Serialize, Deserialize)]
struct ApplicationRow {
    /// Group.
    g: String,
    /// `J#` and the user.
    s: String,
    /// What they say.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    a: String,
    /// Its token.
    k: String,
    /// When, milliseconds.
    t: u64,
    /// Swept at, seconds: the TTL attribute.
    x: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A role as a number.
pub(super) fn rank(role: Role) -> u8 {
    match role {
        Role::Member => 0,
        Role::Admin => 1,
        Role::Owner => 2,
    }
}

/// A number as a role.
pub(super) fn role(rank: u8) -> Role {
    match rank {
        2 => Role::Owner,
        1 => Role::Admin,
        _ => Role::Member,
    }
}

impl Rosters {
    /// The table of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        let (client, table) = (config.dynamodb.clone(), config.groups_table()?);
        Ok(Self { client, table, remembered: Mutex::default() })
    }

    /// Who is in a group, as of the version that was just read of it. It is read when the sandbox does not know it.
    pub async fn of(&self, group: &GroupId, version: u64) -> Result<Arc<Roster>> {
        if let Some(roster) = self.remembered().by_group.get(group).filter(|roster| roster.version == version)
        {
            return Ok(Arc::clone(roster));
        }
        let roster = Arc::new(self.read(group, version).await?);
        let mut remembered = self.remembered();
        if remembered.by_group.insert(group.clone(), Arc::clone(&roster)).is_none() {
            remembered.oldest_first.push_back(group.clone());
            if remembered.oldest_first.len() > REMEMBERED
                && let Some(oldest) = remembered.oldest_first.pop_front()
            {
                remembered.by_group.remove(&oldest);
            }
        }
        Ok(roster)
    }

    async fn read(&self, group: &GroupId, version: u64) -> Result<Roster> {
        let reading = allowance::read(MEMBER_BYTES.saturating_mul(MAX_MEMBERS), Consistency::Strong)?;
        let (items, consumed) = self.rows(group, MEMBER, None).await?;
        reading.cost(&consumed);
        let members = items.into_iter().map(|item| {
            let key = sort_key(&item)?;
            let user = key.strip_prefix(MEMBER).and_then(|user| UserId::parse("user", user).ok());
            let user = user.ok_or_else(|| Error::Internal("a member has no user".to_owned()))?;
            let row: MemberRow = from_item(item)?;
            let member = Member {
                role: role(row.r),
                joined_at: row.t,
                card: row.c,
                muted_until: row.m,
                discards: row.d,
            };
            Ok((user, member))
        });
        Ok(Roster { group: group.clone(), version, members: members.collect::<Result<_>>()? })
    }

    async fn rows(
        &self,
        group: &GroupId,
        beginning: &str,
        limit: Option<usize>,
    ) -> Result<(Vec<Item>, Vec<aws_sdk_dynamodb::types::ConsumedCapacity>)> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("g = :g AND begins_with(s, :s)")
            .expression_attribute_values(":g", text(group.as_str()))
            .expression_attribute_values(":s", text(beginning))
            .set_limit(limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = query.send().await.map_err(failed)?;
        let consumed = answer.consumed_capacity.into_iter().collect();
        Ok((answer.items.unwrap_or_default(), consumed))
    }

    /// The groups that somebody is or was in, of one part of the table out of so many.
    pub async fn groups_in(&self, part: u32, parts: u32) -> Result<BTreeSet<GroupId>> {
        let number = |number: u32| i32::try_from(number).ok();
        let (mut groups, mut next) = (BTreeSet::new(), None);
        loop {
            let reading = allowance::read(SCANNED_BYTES, Consistency::Eventual)?;
            let answer = self
                .client
                .scan()
                .table_name(&self.table)
                .set_segment(number(part))
                .set_total_segments(number(parts))
                .projection_expression("g")
                .set_exclusive_start_key(next.take())
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(failed)?;
            reading.cost(answer.consumed_capacity());
            for item in answer.items.unwrap_or_default() {
                let group = item.get("g").and_then(|group| group.as_s().ok());
                groups.extend(group.and_then(|group| GroupId::parse(group).ok()));
            }
            next = answer.last_evaluated_key;
            if next.is_none() {
                return Ok(groups);
            }
        }
    }

    /// Who has applied to a group, as many as are listed.
    pub async fn applications(&self, group: &GroupId, now_ms: u64) -> Result<Vec<Application>> {
        let reading =
            allowance::read(APPLICATION_BYTES.saturating_mul(APPLICATIONS as u64), Consistency::Strong)?;
        let (items, consumed) = self.rows(group, APPLICATION, Some(APPLICATIONS)).await?;
        reading.cost(&consumed);
        let mut applications = Vec::new();
        for item in items {
            applications.extend(application(item, now_ms)?);
        }
        Ok(applications)
    }

    /// What a user has applied with to a group, if they have.
    pub async fn application(
        &self,
        group: &GroupId,
        user: &UserId,
        now_ms: u64,
    ) -> Result<Option<Application>> {
        let _one_unit = allowance::read(APPLICATION_BYTES, Consistency::Strong)?;
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(application_key(group, user)))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed)?;
        answer.item.map_or(Ok(None), |item| application(item, now_ms))
    }

    /// Notes an application. One that the same user has made before is no more.
    pub async fn apply(&self, group: &GroupId, application: &Application) -> Result<()> {
        let _one_unit = allowance::write(1)?;
        let end = (application.at / 1000).saturating_add(APPLICATION_LIFETIME_S);
        let row = ApplicationRow {
            g: group.to_string(),
            s: format!("{APPLICATION}{}", application.user),
            a: application.words.clone(),
            k: application.token.clone(),
            t: application.at,
            x: end,
        };
        let put = self.client.put_item().table_name(&self.table).set_item(Some(to_item(&row)?));
        put.send().await.map_err(failed)?;
        Ok(())
    }

    /// Takes an application away, if it is that one. Says whether it took place.
    pub async fn delete_application(&self, group: &GroupId, user: &UserId, token: &str) -> Result<bool> {
        let _one_unit = allowance::write(1)?;
        let answer = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(application_key(group, user)))
            .condition_expression("k = :k")
            .expression_attribute_values(":k", text(token))
            .send()
            .await;
        super::took_place(answer)
    }

    // A panic while it was held leaves maps that are still maps.
    fn remembered(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A user's place in a group by its roster, if they are in it.
pub fn membership(roster: &Roster, user: &UserId) -> Option<Membership> {
    roster.role(user).map(|role| Membership::found(&roster.group, user, role))
}

/// What others have in the group who come, go or become something else, as parts of a transaction.
pub(super) struct MemberRows<'a> {
    pub table: &'a str,
    pub group: &'a GroupId,
}

impl MemberRows<'_> {
    /// A user comes, who was not there.
    pub fn put(&self, user: &UserId, member: &Member) -> Result<Put> {
        let row = MemberRow {
            g: self.group.to_string(),
            s: format!("{MEMBER}{user}"),
            r: rank(member.role),
            t: member.joined_at,
            c: member.card.clone(),
            m: member.muted_until,
            d: member.discards,
        };
        let put = Put::builder()
            .table_name(self.table)
            .set_item(Some(to_item(&row)?))
            .condition_expression("attribute_not_exists(g)");
        put.build().map_err(|_| incomplete())
    }

    /// A user goes, who was there and what they were.
    pub fn delete(&self, user: &UserId, role: Role) -> Result<Delete> {
        let delete = Delete::builder()
            .table_name(self.table)
            .set_key(Some(member_key(self.group, user)))
            .condition_expression("r = :r")
            .expression_attribute_values(":r", number(rank(role).into()));
        delete.build().map_err(|_| incomplete())
    }

    /// A member becomes something else, or goes by another name, or may not speak.
    pub fn update(&self, user: &UserId, member: &Member) -> Result<Update> {
        let update = Update::builder()
            .table_name(self.table)
            .set_key(Some(member_key(self.group, user)))
            .update_expression("SET r = :r, c = :c, m = :m")
            .condition_expression("attribute_exists(g)")
            .expression_attribute_values(":r", number(rank(member.role).into()))
            .expression_attribute_values(":c", text(&member.card))
            .expression_attribute_values(":m", number(member.muted_until));
        update.build().map_err(|_| incomplete())
    }

    /// A member wants to hear this.
    pub fn set_remind(&self, user: &UserId, remind: RemindType) -> Result<Update> {
        let update = Update::builder()
            .table_name(self.table)
            .set_key(Some(member_key(self.group, user)))
            .condition_expression("attribute_exists(g)");
        let update = if remind == RemindType::Discard {
            update
                .update_expression("SET d = :d")
                .expression_attribute_values(":d", AttributeValue::Bool(true))
        } else {
            update.update_expression("REMOVE d")
        };
        update.build().map_err(|_| incomplete())
    }

    /// An application is over, if it is still that one.
    pub fn delete_application(&self, user: &UserId, token: &str) -> Result<Delete> {
        let delete = Delete::builder()
            .table_name(self.table)
            .set_key(Some(application_key(self.group, user)))
            .condition_expression("k = :k")
            .expression_attribute_values(":k", text(token));
        delete.build().map_err(|_| incomplete())
    }
}

fn application(item: Item, now_ms: u64) -> Result<Option<Application>> {
    let row: ApplicationRow = from_item(item)?;
    let user = row.s.strip_prefix(APPLICATION).and_then(|user| UserId::parse("user", user).ok());
    let user = user.ok_or_else(|| Error::Internal("an application has no user".to_owned()))?;
    let lives = row.x.saturating_mul(1000) > now_ms;
    Ok(lives.then_some(Application { user, words: row.a, token: row.k, at: row.t }))
}

fn member_key(group: &GroupId, user: &UserId) -> Item {
    Item::from([("g".to_owned(), text(group.as_str())), ("s".to_owned(), text(format!("{MEMBER}{user}")))])
}

fn application_key(group: &GroupId, user: &UserId) -> Item {
    Item::from([
        ("g".to_owned(), text(group.as_str())),
        ("s".to_owned(), text(format!("{APPLICATION}{user}"))),
    ])
}

fn incomplete() -> Error {
    Error::Internal("a write of a group is incomplete".to_owned())
}
