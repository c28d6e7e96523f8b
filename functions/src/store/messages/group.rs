//! What is kept of a group as a whole: a row behind its messages, so that the query that every send makes returns it with the
//! newest of them.

use aws_sdk_dynamodb::{
    operation::update_item::builders::UpdateItemFluentBuilder,
    types::{Put, ReturnConsumedCapacity, Update},
};
use hongyan_shared::{
    Error, Result,
    model::{
        Address, ClientId, Draft, Group, GroupId, InfoChange, LogKey, LogTail, Membership, Message, Moved,
        MyGroup, Promised, ReadMarker, Seq, UserId, group_marker,
    },
};

use super::{
    super::{Consistency, allowance, failed, number, output_of, text, update_if},
    GROUP, Messages,
    group_row::{described, group_of, item_of, moved_value, promise},
    log::tail_of,
    pages::{Order, Rows, bytes_of},
    recall::Recalled,
    search::Oldest,
};

/// The largest row of a group: with full texts, who has come or gone last, and as many promised tips as there may be, each of which
/// says the texts once more, as JSON.
pub(in crate::store) const GROUP_BYTES: u64 = 10 * 1024;

/// How many queries a search in a group makes, each for 16 messages: 512 in all.
const FAR_PAGES: usize = 32;

/// A group, and the newest messages of its log, which nobody sees who is not in it.
pub struct GroupTail {
    /// The group.
    pub group: Group,
    tail: LogTail,
}

impl GroupTail {
    /// The end of the log, for somebody who is in it.
    pub fn open(self, _: &Membership) -> LogTail {
        self.tail
    }

    /// Where the log ends, of which it says nothing else: who comes now has read up to there.
    pub fn end(&self) -> ReadMarker {
        self.tail.last().map(group_marker).unwrap_or_default()
    }

    /// Where somebody is who has read up to that number, if it is among the newest. It says nothing of what they have read.
    pub fn marker_up_to(&self, named: Seq) -> Option<ReadMarker> {
        self.tail.messages.iter().find(|message| message.seq <= named).map(group_marker)
    }

    /// The number of the last message. A group that is open to others shows it to all.
    pub fn last_seq(&self) -> Seq {
        self.tail.last_seq()
    }
}

impl Messages {
    /// A group, and so many of its newest messages; nothing if there never was one of this ID.
    pub async fn group_tail(
        &self,
        group: &GroupId,
        messages: usize,
        consistency: Consistency,
        now_ms: u64,
    ) -> Result<Option<GroupTail>> {
        let rows = messages.saturating_add(1);
        let bytes = bytes_of(messages).saturating_add(GROUP_BYTES);
        let Rows { items, .. } =
            self.rows(group.as_str(), None, (rows, bytes), consistency, Order::NewestFirst).await?;
        let is_whole = items.len() < rows;
        let mut items = items.into_iter();
        let Some(row) = items.next() else { return Ok(None) };
        let group = group_of(row)?;
        Ok(Some(GroupTail { group, tail: tail_of(items, is_whole, now_ms)? }))
    }

    /// [`Messages::group_tail`] of a group that lives.
    ///
    /// # Errors
    /// [`Error::NoSuchGroup`] when there never was one of this ID, or it was dismissed.
    pub async fn live_group_tail(
        &self,
        group: &GroupId,
        messages: usize,
        consistency: Consistency,
        now_ms: u64,
    ) -> Result<GroupTail> {
        let found = self.group_tail(group, messages, consistency, now_ms).await?;
        found.filter(|found| found.group.dismissed_at.is_none()).ok_or(Error::NoSuchGroup)
    }

    /// [`Messages::find`], of a group: 512 messages back.
    pub async fn find_in_group(
        &self,
        member: &Membership,
        tail: &LogTail,
        draft: &Draft,
        base: Option<Seq>,
        now_ms: u64,
    ) -> Result<Option<Message>> {
        self.search(member.log_key().as_str(), tail, (draft, base), FAR_PAGES, now_ms).await
    }

    /// The same for the sender of the draft, whether they are in the group or not: it is their own, so they may know of it.
    pub async fn find_own(
        &self,
        group: &GroupId,
        tail: &GroupTail,
        draft: &Draft,
        base: Option<Seq>,
        now_ms: u64,
    ) -> Result<Option<Message>> {
        self.search(group.as_str(), &tail.tail, (draft, base), FAR_PAGES, now_ms).await
    }

    /// The oldest message of a group that lives, when it is not known where a member had come to: what was there then may have
    /// expired, and it is not unread. Nothing at all is returned when that is more than the request may read.
    pub async fn oldest_unread(
        &self,
        member: &Membership,
        mine: &MyGroup,
        tail: &LogTail,
        now_ms: u64,
    ) -> Result<Option<Option<Message>>> {
        let Some(last) = tail.last() else { return Ok(Some(None)) };
        let nothing_expires = last.expires_at.is_none() && last.kept_until.is_none();
        if nothing_expires || mine.knows_where_it_was() {
            return Ok(Some(None));
        }
        let span = (Seq(1), last.seq.prev());
        let found =
            self.oldest_live(&member.log_key(), span, Some(last), Consistency::Strong, now_ms).await?;
        Ok(match found {
            Oldest::Is(oldest) => Some(Some(*oldest)),
            Oldest::None => Some(None),
            Oldest::NotBefore(_) => None,
        })
    }

    /// Recalls a message of one user for another one, who may.
    pub async fn revoke_as(
        &self,
        key: &LogKey,
        (from, by): (&UserId, &UserId),
        seq: Seq,
        now_ms: u64,
    ) -> Result<Recalled> {
        self.recall(key, (from, Some(by)), Address::Number(seq), 0, now_ms).await
    }

    /// How many units a tail with one message costs at the worst.
    pub fn group_tail_units(consistency: Consistency) -> u64 {
        allowance::read_units_of(bytes_of(1).saturating_add(GROUP_BYTES), consistency)
    }

    /// A group that lives, alone.
    ///
    /// # Errors
    /// [`Error::NoSuchGroup`] when there never was one of this ID, or it was dismissed.
    pub async fn live_group(&self, group: &GroupId) -> Result<Group> {
        let found = self.group(group).await?;
        found.filter(|found| found.dismissed_at.is_none()).ok_or(Error::NoSuchGroup)
    }

    /// A group alone, as it is, dismissed or not.
    pub async fn group(&self, group: &GroupId) -> Result<Option<Group>> {
        let reading = allowance::read(GROUP_BYTES, Consistency::Strong)?;
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("p", text(group.as_str()))
            .key("s", text(GROUP))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(failed)?;
        reading.cost(answer.consumed_capacity());
        answer.item.map(group_of).transpose()
    }

    /// Changes what a group says about itself, and promises the tip, if it says what it said when it was read. Says whether
    /// it took place: not either if something else is written at this moment.
    pub async fn describe(
        &self,
        group: &Group,
        change: &InfoChange,
        (token, promised): (&ClientId, &Promised),
        now_ms: u64,
    ) -> Result<bool> {
        let mut set = "SET ic = :now, iv = :next, ob.#token = :tip".to_owned();
        let mut update = self
            .update_row(group.id.as_str(), GROUP.to_owned())
            .condition_expression("iv = :iv AND v = :v AND attribute_not_exists(xd)")
            .expression_attribute_names("#token", token.as_str())
            .expression_attribute_values(":tip", promise(promised)?)
            .expression_attribute_values(":now", number(now_ms))
            .expression_attribute_values(":iv", number(group.info_version))
            .expression_attribute_values(":next", number(group.info_version.saturating_add(1)))
            .expression_attribute_values(":v", number(group.version));
        for (name, value) in described(change)? {
            set.push_str(&format!(", {name} = :{name}"));
            update = update.expression_attribute_values(format!(":{name}"), value);
        }
        attempt(update.update_expression(set)).await
    }

    /// Ends a group, if those are in it who were when it was read. Says whether it took place: not either if something else is written
    /// at this moment.
    pub async fn dismiss(&self, group: &Group, now_ms: u64) -> Result<bool> {
        let update = self
            .update_row(group.id.as_str(), GROUP.to_owned())
            .update_expression("SET xd = :now, v = :next")
            .condition_expression("v = :v AND attribute_not_exists(xd)")
            .expression_attribute_values(":now", number(now_ms))
            .expression_attribute_values(":v", number(group.version))
            .expression_attribute_values(":next", number(group.version.saturating_add(1)));
        attempt(update).await
    }

    /// Forgets a promised tip that is in the log.
    pub async fn remove_from_outbox(&self, group: &GroupId, token: &ClientId) -> Result<()> {
        let update = self
            .update_row(group.as_str(), GROUP.to_owned())
            .update_expression("REMOVE ob.#token")
            .condition_expression("attribute_exists(ob.#token)")
            .expression_attribute_names("#token", token.as_str());
        update_if(update, allowance::write_units_of(GROUP_BYTES), 1).await.map(|_| ())
    }

    /// Notes that a message concerns all members of its group. The last one that does is what a list shows.
    pub async fn mention_all(&self, member: &Membership, seq: Seq) -> Result<()> {
        let update = self
            .update_row(member.group().as_str(), GROUP.to_owned())
            .update_expression("SET b = :b, bf = :f")
            .condition_expression("attribute_exists(p) AND (attribute_not_exists(b) OR b < :b)")
            .expression_attribute_values(":b", number(seq.0))
            .expression_attribute_values(":f", text(member.user().as_str()));
        update_if(update, allowance::write_units_of(GROUP_BYTES), 1).await.map(|_| ())
    }
}

/// Makes a change of a group's row. That its condition does not hold is an answer, and so is that DynamoDB has something else to do.
async fn attempt(update: UpdateItemFluentBuilder) -> Result<bool> {
    let worst = allowance::write_units_of(GROUP_BYTES);
    let writing = allowance::write(worst)?;
    match output_of(update.send().await) {
        Ok(Some(output)) => {
            writing.cost(output.consumed_capacity());
            Ok(true)
        }
        // A refused write costs as much as the row that it has looked at.
        Ok(None) => Ok(false),
        Err(Error::Throttled) => {
            writing.cost_units(1);
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// The row of a group that is to be, if there never was one of its ID.
pub(in crate::store) fn creation(table: &str, group: &Group) -> Result<Put> {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item_of(group)?))
        .condition_expression("attribute_not_exists(p)");
    put.build().map_err(|_| incomplete())
}

/// Who may have come or gone since a group was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Fence {
    /// Nobody.
    Closed,
    /// Others may have, as long as there is room.
    Open,
}

/// What a change of members does to the row of their group.
pub(in crate::store) fn change_of_members(
    table: &str,
    group: &Group,
    fence: Fence,
    (come, gone): (u64, u64),
    (owner, awaited): (Option<Option<&UserId>>, Option<u64>),
    (promised, moved): (Option<(&ClientId, &Promised)>, Option<&Moved>),
) -> Result<Update> {
    let mut set = "SET v = v + :one".to_owned();
    let mut removed = Vec::new();
    let mut condition = "attribute_not_exists(xd)".to_owned();
    let mut update = Update::builder()
        .table_name(table)
        .key("p", text(group.id.as_str()))
        .key("s", text(GROUP))
        .expression_attribute_values(":one", number(1));
    // An expression has room for one of the two, and no change has both.
    for (sign, sum) in [("+", come), ("-", gone)] {
        if sum > 0 {
            set.push_str(&format!(", mn = mn {sign} :sum"));
            update = update.expression_attribute_values(":sum", number(sum));
        }
    }
    if fence == Fence::Closed {
        condition.push_str(" AND v = :v");
        update = update.expression_attribute_values(":v", number(group.version));
    }
    if come > 0 {
        // How many there may be, and who may come, is what the group said of itself.
        condition.push_str(" AND iv = :iv AND mn <= :room");
        let room = group.info.limit.saturating_sub(come);
        update = update
            .expression_attribute_values(":room", number(room))
            .expression_attribute_values(":iv", number(group.info_version));
    }
    match owner {
        None => {}
        Some(Some(owner)) => {
            set.push_str(", ow = :owner");
            update = update.expression_attribute_values(":owner", text(owner.as_str()));
        }
        Some(None) => removed.push("ow"),
    }
    match awaited {
        None => {}
        Some(0) => removed.push("yc"),
        Some(awaited) => {
            set.push_str(", yc = :awaited");
            update = update.expression_attribute_values(":awaited", number(awaited));
        }
    }
    if let Some((token, promised)) = promised {
        set.push_str(", ob.#token = :tip");
        update = update
            .expression_attribute_names("#token", token.as_str())
            .expression_attribute_values(":tip", promise(promised)?);
    }
    if let Some(moved) = moved {
        set.push_str(", lc = :moved");
        update = update.expression_attribute_values(":moved", moved_value(moved)?);
    }
    if !removed.is_empty() {
        set.push_str(&format!(" REMOVE {}", removed.join(", ")));
    }
    let update = update.update_expression(set).condition_expression(condition);
    update.build().map_err(|_| incomplete())
}

fn incomplete() -> Error {
    Error::Internal("a write of a group is incomplete".to_owned())
}
