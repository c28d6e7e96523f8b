//! What is kept of each user in a log: how far they have read, cleared and unlisted it, and whether they block
//! the other one.

use std::{collections::BTreeMap, time::Duration};

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata,
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure, Update},
};
use hongyan_shared::{
    Error, Result,
    model::{FOREVER_S, LogKey, Mark, MemberState, ReadMarker, Seq, UserId},
};
use serde::Deserialize;

use super::{
    super::{CONFLICT, Consistency, Item, allowance, failed, from_item, number, sort_key, text},
    MEMBER, Messages, OTHER_ROWS_BYTES, SWEPT_LATER_S,
};

/// What the attributes of a mark begin with.
fn attributes(mark: Mark) -> &'static str {
    match mark {
        Mark::Read => "",
        Mark::Cleared => "c",
        Mark::Unlisted => "l",
    }
}

/// What is kept of a user. Each part is written by itself, so any of them may be missing.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct MemberRow {
    /// The last message read.
    n: u64,
    /// The peer's count at that message.
    q: u64,
    /// That message's time, milliseconds.
    t: u64,
    /// The second in which that message expires.
    e: Option<u64>,
    /// The last message cleared, and the same of that one.
    cn: u64,
    cq: u64,
    ct: u64,
    ce: Option<u64>,
    /// The last message that is not in the list any more, and the same of that one.
    ln: u64,
    lq: u64,
    lt: u64,
    le: Option<u64>,
    /// They block the other one.
    b: bool,
    /// The last message that they had read when they read on behind a block, its time and its end.
    vn: Option<u64>,
    vt: u64,
    ve: Option<u64>,
}

/// By how much later a row is swept while its user blocks the other one.
const BLOCKED_S: u64 = 5_000_000_000;

/// How often a mark is written while a transaction has its row.
const ATTEMPTS: usize = 5;

impl Messages {
    /// Moves a mark of a user forward, unless it is farther already: it never goes back. Behind a block the peer
    /// goes on being told what the state says. Returns the user's state then.
    ///
    /// The row lives as long as the last message that one of the marks points to. For that the others have to be
    /// known, and the write is conditional on them.
    pub async fn advance(
        &self,
        key: &LogKey,
        user: &UserId,
        mark: Mark,
        marker: ReadMarker,
        mut state: MemberState,
        now_ms: u64,
    ) -> Result<MemberState> {
        for _ in 0..ATTEMPTS {
            let _one_unit = allowance::write(1)?;
            let stored =
                match self.write_mark(key, user, mark, &state.with(mark, marker), now_ms).send().await {
                    Ok(output) => output.attributes,
                    // The blacklist is changing in a transaction, and it has this row as well.
                    Err(error) if error.code() == Some(CONFLICT) => {
                        tokio::time::sleep(Duration::from_millis(rand::random_range(5..40))).await;
                        continue;
                    }
                    Err(error) => match error.as_service_error() {
                        Some(UpdateItemError::ConditionalCheckFailedException(found)) => {
                            let found = from_item::<MemberRow>(found.item.clone().unwrap_or_default())?;
                            let found = MemberState::from(found).without_expired(now_ms);
                            if found.at(mark).position() < marker.position() {
                                // Something else has changed.
                                state = MemberState { told: state.told, ..found };
                                continue;
                            }
                            return Ok(found);
                        }
                        _ => return Err(failed(error)),
                    },
                };
            let stored =
                stored.ok_or_else(|| Error::Internal("DynamoDB did not say what it has".to_owned()))?;
            return Ok(MemberState::from(from_item::<MemberRow>(stored)?).without_expired(now_ms));
        }
        Err(Error::Throttled)
    }

    fn write_mark(
        &self,
        key: &LogKey,
        user: &UserId,
        mark: Mark,
        next: &MemberState,
        now_ms: u64,
    ) -> UpdateItemFluentBuilder {
        let (marker, prefix) = (next.at(mark), attributes(mark));
        let end = next.ends_at().map_or(FOREVER_S, |second| second.saturating_add(SWEPT_LATER_S));
        let swept_at = if next.blocks { end.saturating_add(BLOCKED_S) } else { end };
        let mut set = format!("SET {prefix}n = :n, {prefix}q = :q, {prefix}t = :t, x = :x");
        let mut removed = Vec::new();
        let mut condition = format!(
            "(attribute_not_exists({prefix}n) OR {prefix}n < :n OR ({prefix}n = :n AND {prefix}t < :t) OR {prefix}e <= :now)"
        );
        let mut update = self
            .update(key, member_key(user))
            .expression_attribute_values(":n", number(marker.seq.0))
            .expression_attribute_values(":q", number(marker.count))
            .expression_attribute_values(":t", number(marker.time))
            .expression_attribute_values(":x", number(swept_at))
            .expression_attribute_values(":now", number(now_ms / 1000))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match next.told.filter(|_| mark == Mark::Read) {
            Some(told) => {
                set.push_str(", vn = :vn, vt = :vt");
                update = update
                    .expression_attribute_values(":vn", number(told.seq.0))
                    .expression_attribute_values(":vt", number(told.time));
                match told.expires_at {
                    None => removed.push("ve".to_owned()),
                    Some(second) => {
                        set.push_str(", ve = :ve");
                        update = update.expression_attribute_values(":ve", number(second));
                    }
                }
            }
            None if mark == Mark::Read => removed.extend(["vn", "vt", "ve"].map(str::to_owned)),
            None => {}
        }
        match marker.expires_at {
            None => removed.push(format!("{prefix}e")),
            Some(second) => {
                set.push_str(&format!(", {prefix}e = :e"));
                update = update.expression_attribute_values(":e", number(second));
                condition.push_str(if next.blocks {
                    " AND attribute_exists(b)"
                } else {
                    " AND attribute_not_exists(b)"
                });
                for other in Mark::ALL.into_iter().filter(|other| *other != mark) {
                    let prefix = attributes(other);
                    let marker = next.at(other);
                    if marker.is_set() {
                        condition.push_str(&format!(
                            " AND {prefix}n = :other{prefix}n AND {prefix}t = :other{prefix}t"
                        ));
                        update = update
                            .expression_attribute_values(format!(":other{prefix}n"), number(marker.seq.0))
                            .expression_attribute_values(format!(":other{prefix}t"), number(marker.time));
                    } else {
                        condition.push_str(&format!(
                            " AND (attribute_not_exists({prefix}n) OR {prefix}e <= :now)"
                        ));
                    }
                }
            }
        }
        if !removed.is_empty() {
            set.push_str(&format!(" REMOVE {}", removed.join(", ")));
        }
        update.update_expression(set).condition_expression(condition)
    }

    /// What is kept of the users, as far as the last second is known, and no message. A send that is stored
    /// learns it from [`Messages::tail`], which misses nothing.
    pub async fn members(&self, key: &LogKey) -> Result<BTreeMap<UserId, MemberState>> {
        let _half_a_unit = allowance::read(OTHER_ROWS_BYTES, Consistency::Eventual)?;
        let answer = self
            .query(Consistency::Eventual)
            .key_condition_expression("p = :p AND begins_with(s, :r)")
            .expression_attribute_values(":p", text(key.as_str()))
            .expression_attribute_values(":r", text(MEMBER))
            .send()
            .await
            .map_err(failed)?;
        let mut members = BTreeMap::new();
        for item in answer.items.unwrap_or_default() {
            // Who blocks whom does not expire.
            members.extend([member(item, 0)?]);
        }
        Ok(members)
    }
}

impl MemberRow {
    /// How far they have read.
    pub(super) fn read(&self) -> ReadMarker {
        ReadMarker { seq: Seq(self.n), count: self.q, time: self.t, expires_at: self.e }
    }
}

impl From<MemberRow> for MemberState {
    fn from(row: MemberRow) -> Self {
        Self {
            read: row.read(),
            cleared: ReadMarker { seq: Seq(row.cn), count: row.cq, time: row.ct, expires_at: row.ce },
            unlisted: ReadMarker { seq: Seq(row.ln), count: row.lq, time: row.lt, expires_at: row.le },
            blocks: row.b,
            told: row.vn.map(|seq| ReadMarker {
                seq: Seq(seq),
                time: row.vt,
                expires_at: row.ve,
                ..ReadMarker::default()
            }),
        }
    }
}

/// The state of the user whom a row is about.
pub(super) fn member(item: Item, now_ms: u64) -> Result<(UserId, MemberState)> {
    let key = sort_key(&item)?;
    let user = key.strip_prefix(MEMBER).and_then(|user| UserId::parse("user", user).ok());
    let user = user.ok_or_else(|| Error::Internal(format!("{key} is of no user")))?;
    Ok((user, MemberState::from(from_item::<MemberRow>(item)?).without_expired(now_ms)))
}

fn member_key(user: &UserId) -> String {
    format!("{MEMBER}{user}")
}

/// Notes whether a user takes messages from the other one. Here it is seen by every send, which
/// reads this row anyway.
pub(in crate::store) fn mark(
    table: &str,
    key: &LogKey,
    user: &UserId,
    blocks: bool,
    now_ms: u64,
) -> Result<Update> {
    let update =
        Update::builder().table_name(table).key("p", text(key.as_str())).key("s", text(member_key(user)));
    // A row is not swept while there is a block in it, and one in which nothing else is goes with it.
    let now_s = now_ms / 1000;
    let update = if blocks {
        update
            .update_expression("SET b = :b, x = if_not_exists(x, :x) + :blocked")
            .expression_attribute_values(":b", AttributeValue::Bool(true))
            .expression_attribute_values(":x", number(now_s))
    } else {
        update
            .update_expression("SET x = if_not_exists(x, :x) - :blocked REMOVE b")
            .expression_attribute_values(":x", number(now_s.saturating_add(BLOCKED_S)))
    };
    let update = update.expression_attribute_values(":blocked", number(BLOCKED_S));
    update.build().map_err(|_| Error::Internal("a mark is incomplete".to_owned()))
}
