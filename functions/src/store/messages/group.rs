//! What is kept of a group as a whole: a row behind its messages, so that the query that every send makes returns it with the
//! newest of them.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, Put, Update};
use hongyan_shared::{
    Error, Result,
    model::{
        Address, ClientId, Draft, Group, GroupId, GroupInfo, GroupType, InfoChange, InviteOption, JoinOption,
        LogKey, LogTail, Membership, Message, MyGroup, Promised, ReadMarker, Seq, UserId, group_marker,
    },
};
use serde::{Deserialize, Serialize};

use super::{
    super::{Consistency, Item, allowance, failed, from_item, number, output_of, text, to_item},
    Messages,
    log::{Oldest, Recalled, Search, bytes_of, tail_of},
};

/// The sort key of the row. It is behind those of all messages.
pub(in crate::store) const GROUP: &str = "P";

/// The largest row of a group: with full texts, and as many promised tips as there may be.
pub(in crate::store) const GROUP_BYTES: u64 = 4096;

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

/// A group.
#[derive(Serialize, Deserialize)]
pub(in crate::store) struct GroupRow {
    /// The group.
    p: String,
    /// Always the same.
    s: String,
    /// Type.
    ty: GroupType,
    /// Name.
    n: String,
    /// The URL of its picture.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    av: String,
    /// What it is about.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    it: String,
    /// What its members should know.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    nt: String,
    /// How others come into it.
    jo: JoinOption,
    /// Who may bring them.
    io: InviteOption,
    /// How many members it may have.
    mx: u64,
    /// Only the owner and the admins may speak.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    mu: bool,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    ow: Option<String>,
    /// Who has made it.
    cr: String,
    /// When, milliseconds.
    ct: u64,
    /// When it last changed what it says, milliseconds.
    ic: u64,
    /// How often.
    iv: u64,
    /// How many members it has.
    mn: u64,
    /// One more with every change of who is in it.
    v: u64,
    /// Dismissed at, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    xd: Option<u64>,
    /// The last message that concerns all, and its sender.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    b: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    bf: Option<String>,
    /// Tips that are promised, by their client IDs.
    ob: BTreeMap<String, PromisedRow>,
}

/// A tip that is promised.
#[derive(Serialize, Deserialize)]
struct PromisedRow {
    /// From.
    f: String,
    /// The last message that was seen.
    b: u64,
    /// When, milliseconds.
    t: u64,
    /// What it says.
    d: String,
}

impl From<&Promised> for PromisedRow {
    fn from(promised: &Promised) -> Self {
        Self { f: promised.from.to_string(), b: promised.base.0, t: promised.at, d: promised.payload.clone() }
    }
}

impl GroupRow {
    fn of(group: &Group) -> Self {
        let GroupInfo { name, avatar, introduction, notification, join, invite, limit, mutes_all } =
            group.info.clone();
        Self {
            p: group.id.to_string(),
            s: GROUP.to_owned(),
            ty: group.kind,
            n: name,
            av: avatar,
            it: introduction,
            nt: notification,
            jo: join,
            io: invite,
            mx: limit,
            mu: mutes_all,
            ow: group.owner.as_ref().map(UserId::to_string),
            cr: group.creator.to_string(),
            ct: group.created_at,
            ic: group.changed_at,
            iv: group.info_version,
            mn: group.members,
            v: group.version,
            xd: group.dismissed_at,
            b: None,
            bf: None,
            ob: BTreeMap::new(),
        }
    }

    fn group(self) -> Result<Group> {
        let wrong = |what: &str| Error::Internal(format!("{what} of a group is wrong"));
        let user = |text: &str| UserId::parse("user", text).map_err(|_| wrong("a user"));
        let promised = self.ob.into_iter().map(|(id, row)| {
            let id = ClientId::parse(&id).map_err(|_| wrong("a promise"))?;
            Ok((id, Promised { from: user(&row.f)?, base: Seq(row.b), at: row.t, payload: row.d }))
        });
        let mentioned_all = match (self.b, &self.bf) {
            (Some(seq), Some(from)) => Some((Seq(seq), user(from)?)),
            _ => None,
        };
        Ok(Group {
            outbox: promised.collect::<Result<_>>()?,
            id: GroupId::parse(&self.p).map_err(|_| wrong("the ID"))?,
            kind: self.ty,
            info: GroupInfo {
                name: self.n,
                avatar: self.av,
                introduction: self.it,
                notification: self.nt,
                join: self.jo,
                invite: self.io,
                limit: self.mx,
                mutes_all: self.mu,
            },
            owner: self.ow.as_deref().map(user).transpose()?,
            creator: user(&self.cr)?,
            created_at: self.ct,
            changed_at: self.ic,
            info_version: self.iv,
            members: self.mn,
            version: self.v,
            dismissed_at: self.xd,
            mentioned_all,
        })
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
        let reading = allowance::read(bytes_of(messages).saturating_add(GROUP_BYTES), consistency)?;
        let answer = self
            .query(consistency)
            .key_condition_expression("p = :p")
            .expression_attribute_values(":p", text(group.as_str()))
            .scan_index_forward(false)
            .limit(i32::try_from(rows).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(failed)?;
        reading.cost(answer.consumed_capacity());
        let items = answer.items.unwrap_or_default();
        let is_whole = items.len() < rows;
        let mut items = items.into_iter();
        let Some(row) = items.next() else { return Ok(None) };
        let group = from_item::<GroupRow>(row)?.group()?;
        Ok(Some(GroupTail { group, tail: tail_of(items, is_whole, now_ms)? }))
    }

    /// What a draft of its sender's became, if that has a number behind `base` and lives. It is their own, so they may know of
    /// it whether they are in the group or not.
    ///
    /// # Errors
    /// [`Error::BaseUnknown`] when there is too much to look through.
    pub async fn find_own(
        &self,
        group: &GroupId,
        tail: &GroupTail,
        draft: &Draft,
        base: Option<Seq>,
        now_ms: u64,
    ) -> Result<Option<Message>> {
        let last = tail.last_seq();
        if let Some(sent) = tail.tail.messages.iter().find(|message| message.is(draft)) {
            return Ok(Some(sent.clone()));
        }
        if base.is_some_and(|base| base > last) && last > Seq(0) {
            return Err(Error::BaseUnknown { last });
        }
        let unseen = tail.tail.messages.last().map_or(last, |oldest| oldest.seq.prev());
        let from = base.unwrap_or_default().next();
        if from > unseen {
            return Ok(None);
        }
        match self.search(group.as_str(), draft, (from, unseen), FAR_PAGES, now_ms).await? {
            Search::Found(sent) => Ok(Some(*sent)),
            Search::Absent => Ok(None),
            Search::TooMuch => Err(Error::BaseUnknown { last }),
        }
    }

    /// [`Messages::find`], of a group: 512 messages back.
    pub async fn find_far(
        &self,
        key: &LogKey,
        draft: &Draft,
        from: Seq,
        to: Seq,
        now_ms: u64,
    ) -> Result<Search> {
        self.search(key.as_str(), draft, (from, to), FAR_PAGES, now_ms).await
    }

    /// The oldest message of a group that lives, when it is not known where a member had come to: what was there then may have
    /// expired, and it is not unread.
    pub async fn oldest_unread(
        &self,
        member: &Membership,
        mine: &MyGroup,
        tail: &LogTail,
        now_ms: u64,
    ) -> Result<Option<Message>> {
        let Some(last) = tail.last() else { return Ok(None) };
        let nothing_expires = last.expires_at.is_none() && last.kept_until.is_none();
        if nothing_expires || mine.knows_where_it_was() {
            return Ok(None);
        }
        let span = (Seq(1), last.seq.prev());
        let found =
            self.oldest_live(&member.log_key(), span, Some(last), Consistency::Strong, now_ms).await?;
        Ok(match found {
            Oldest::Is(oldest) => Some(*oldest),
            Oldest::None | Oldest::NotBefore(_) => None,
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

    /// A group alone, as it is.
    pub async fn group(&self, group: &GroupId) -> Result<Option<Group>> {
        let _one_unit = allowance::read(GROUP_BYTES, Consistency::Strong)?;
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("p", text(group.as_str()))
            .key("s", text(GROUP))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed)?;
        answer.item.map(|item| from_item::<GroupRow>(item)?.group()).transpose()
    }

    /// Changes what a group says about itself, and promises the tip, if it says what it said when it was read. Says whether
    /// it took place.
    pub async fn describe(
        &self,
        group: &Group,
        change: &InfoChange,
        (token, promised): (&ClientId, &Promised),
        now_ms: u64,
    ) -> Result<bool> {
        let mut set = "SET ic = :now, iv = :next, ob.#token = :tip".to_owned();
        let writing = allowance::write(allowance::write_units_of(GROUP_BYTES))?;
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
        let output = output_of(update.update_expression(set).send().await)?;
        match &output {
            Some(output) => writing.cost(output.consumed_capacity()),
            None => writing.cost_units(allowance::write_units_of(GROUP_BYTES)),
        }
        Ok(output.is_some())
    }

    /// Ends a group, if those are in it who were when it was read. Says whether it took place.
    pub async fn dismiss(&self, group: &Group, now_ms: u64) -> Result<bool> {
        let writing = allowance::write(allowance::write_units_of(GROUP_BYTES))?;
        let answer = self
            .update_row(group.id.as_str(), GROUP.to_owned())
            .update_expression("SET xd = :now, v = :next")
            .condition_expression("v = :v AND attribute_not_exists(xd)")
            .expression_attribute_values(":now", number(now_ms))
            .expression_attribute_values(":v", number(group.version))
            .expression_attribute_values(":next", number(group.version.saturating_add(1)))
            .send()
            .await;
        let output = output_of(answer)?;
        if let Some(output) = &output {
            writing.cost(output.consumed_capacity());
        }
        Ok(output.is_some())
    }

    /// Forgets a promise that was kept.
    pub async fn kept(&self, group: &GroupId, token: &ClientId) -> Result<()> {
        let writing = allowance::write(allowance::write_units_of(GROUP_BYTES))?;
        let answer = self
            .update_row(group.as_str(), GROUP.to_owned())
            .update_expression("REMOVE ob.#token")
            .condition_expression("attribute_exists(ob.#token)")
            .expression_attribute_names("#token", token.as_str())
            .send()
            .await;
        match output_of(answer)? {
            Some(output) => writing.cost(output.consumed_capacity()),
            None => writing.cost_units(1),
        }
        Ok(())
    }

    /// Notes that a message concerns all members of its group. The last one that does is what a list shows.
    pub async fn mention_all(&self, member: &Membership, seq: Seq) -> Result<()> {
        let writing = allowance::write(allowance::write_units_of(GROUP_BYTES))?;
        let answer = self
            .update_row(member.group().as_str(), GROUP.to_owned())
            .update_expression("SET b = :b, bf = :f")
            .condition_expression("attribute_exists(p) AND (attribute_not_exists(b) OR b < :b)")
            .expression_attribute_values(":b", number(seq.0))
            .expression_attribute_values(":f", text(member.user().as_str()))
            .send()
            .await;
        match output_of(answer)? {
            Some(output) => writing.cost(output.consumed_capacity()),
            None => writing.cost_units(1),
        }
        Ok(())
    }
}

/// The row of a group that is to be, if there never was one of its ID.
pub(in crate::store) fn creation(table: &str, group: &Group) -> Result<Put> {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(to_item(&GroupRow::of(group))?))
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
    owner: Option<Option<&UserId>>,
    promised: Option<(&ClientId, &Promised)>,
) -> Result<Update> {
    let mut set = "SET v = v + :one".to_owned();
    let mut removed = "";
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
        condition.push_str(" AND mn <= :room");
        let room = group.info.limit.saturating_sub(come);
        update = update.expression_attribute_values(":room", number(room));
    }
    match owner {
        None => {}
        Some(Some(owner)) => {
            set.push_str(", ow = :owner");
            update = update.expression_attribute_values(":owner", text(owner.as_str()));
        }
        Some(None) => removed = " REMOVE ow",
    }
    if let Some((token, promised)) = promised {
        set.push_str(", ob.#token = :tip");
        update = update
            .expression_attribute_names("#token", token.as_str())
            .expression_attribute_values(":tip", promise(promised)?);
    }
    let update = update.update_expression(set + removed).condition_expression(condition);
    update.build().map_err(|_| incomplete())
}

fn promise(promised: &Promised) -> Result<AttributeValue> {
    serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(PromisedRow::from(promised))
        .map_err(|_| Error::Internal("a promise does not fit an attribute".to_owned()))
}

/// The attributes of what is set.
fn described(change: &InfoChange) -> Result<Item> {
    #[derive(Serialize)]
    struct Described<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        n: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        av: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        it: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        nt: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        jo: Option<JoinOption>,
        #[serde(skip_serializing_if = "Option::is_none")]
        io: Option<InviteOption>,
        #[serde(skip_serializing_if = "Option::is_none")]
        mx: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        mu: Option<bool>,
    }

    to_item(&Described {
        n: change.name.as_deref(),
        av: change.avatar.as_deref(),
        it: change.introduction.as_deref(),
        nt: change.notification.as_deref(),
        jo: change.join,
        io: change.invite,
        mx: change.limit,
        mu: change.mutes_all,
    })
}

fn incomplete() -> Error {
    Error::Internal("a write of a group is incomplete".to_owned())
}
