//! What is kept of a group as a whole, as an item.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use hongyan_shared::{
    Error, Result,
    model::{
        ClientId, Group, GroupId, GroupInfo, GroupType, InfoChange, InviteOption, JoinOption, Moved,
        Movement, Promised, Seq, UserId,
    },
};
use serde::{Deserialize, Serialize};

use super::{
    super::{Item, from_item, to_item},
    GROUP,
};

/// A group.
#[derive(Serialize, Deserialize)]
struct GroupRow {
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
    /// How many of those whom it was made with have not come yet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    yc: Option<u64>,
    /// The last message that concerns all, and its sender.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    b: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    bf: Option<String>,
    /// Tips that are promised, by their client IDs.
    ob: BTreeMap<String, PromisedRow>,
    /// Who has come or gone last, for the business server.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    lc: Option<MovedRow>,
}

/// Members who have come or gone.
#[derive(Serialize, Deserialize)]
struct MovedRow {
    /// How: 0 of their own accord, 1 brought, 2 put out, 3 gone.
    h: u8,
    /// By whom.
    f: String,
    /// Who.
    u: Vec<String>,
    /// When, milliseconds.
    t: u64,
}

impl From<&Moved> for MovedRow {
    fn from(moved: &Moved) -> Self {
        let h = match moved.how {
            Movement::Applied => 0,
            Movement::Invited => 1,
            Movement::Kicked => 2,
            Movement::Quit => 3,
        };
        let u = moved.users.iter().map(UserId::to_string).collect();
        Self { h, f: moved.by.to_string(), u, t: moved.at }
    }
}

impl MovedRow {
    fn moved(self) -> Option<Moved> {
        let how = match self.h {
            0 => Movement::Applied,
            1 => Movement::Invited,
            2 => Movement::Kicked,
            3 => Movement::Quit,
            _ => return None,
        };
        let users = self.u.iter().map(|user| UserId::parse("u", user)).collect::<Result<_>>().ok()?;
        Some(Moved { how, by: UserId::parse("f", &self.f).ok()?, users, at: self.t })
    }
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
            yc: Some(group.awaited).filter(|awaited| *awaited > 0),
            b: None,
            bf: None,
            ob: BTreeMap::new(),
            lc: None,
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
            awaited: self.yc.unwrap_or_default(),
            mentioned_all,
        })
    }
}

/// The row of a group, as an item.
pub(super) fn item_of(group: &Group) -> Result<Item> {
    to_item(&GroupRow::of(group))
}

/// The group of a row.
pub(super) fn group_of(item: Item) -> Result<Group> {
    from_item::<GroupRow>(item)?.group()
}

/// A group as an item has it, and who has come or gone last.
pub(super) fn moved_group_of(item: Item) -> Result<(Group, Option<Moved>)> {
    let mut row: GroupRow = from_item(item)?;
    let moved = row.lc.take().and_then(MovedRow::moved);
    Ok((row.group()?, moved))
}

/// Who has come or gone, as an attribute.
pub(super) fn moved_value(moved: &Moved) -> Result<AttributeValue> {
    serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(MovedRow::from(moved))
        .map_err(|_| Error::Internal("what was done does not fit an attribute".to_owned()))
}

/// A tip that is promised, as an attribute.
pub(super) fn promise(promised: &Promised) -> Result<AttributeValue> {
    serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(PromisedRow::from(promised))
        .map_err(|_| Error::Internal("a promise does not fit an attribute".to_owned()))
}

/// The attributes of what is set.
pub(super) fn described(change: &InfoChange) -> Result<Item> {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use hongyan_shared::model::{Tip, TipKind};

    use super::{
        super::{super::allowance, GROUP_BYTES},
        *,
    };

    /// JSON has to escape each of these.
    fn text(bytes: usize) -> String {
        "\"".repeat(bytes)
    }

    #[test]
    fn the_largest_row_is_no_larger_than_what_is_taken_for_it() {
        let user = UserId::parse("user", &"u".repeat(32)).unwrap();
        let id = GroupId::parse(&"g".repeat(48)).unwrap();
        let info = GroupInfo {
            name: text(30),
            avatar: format!("https://{}", text(92)),
            introduction: text(240),
            notification: text(300),
            mutes_all: true,
            ..GroupInfo::new(GroupType::Public, String::new())
        };
        let change = InfoChange {
            name: Some(info.name.clone()),
            avatar: Some(info.avatar.clone()),
            introduction: Some(info.introduction.clone()),
            notification: Some(info.notification.clone()),
            join: Some(JoinOption::NeedPermission),
            invite: Some(InviteOption::DisableInvite),
            limit: Some(200),
            mutes_all: Some(true),
        };
        let described = Tip { change: Some(&change), ..Tip::new(TipKind::Described, &user, &id, &info.name) };
        let promised = Promised { from: user.clone(), base: Seq(1), at: 1, payload: described.payload() };
        let last = u64::MAX;
        let group = Group {
            id: id.clone(),
            kind: GroupType::Public,
            info: info.clone(),
            owner: Some(user.clone()),
            creator: user.clone(),
            created_at: last,
            changed_at: last,
            info_version: last,
            members: 200,
            version: last,
            dismissed_at: Some(last),
            awaited: 60,
            mentioned_all: None,
            outbox: BTreeMap::new(),
        };
        let mut item = item_of(&group).unwrap();
        let promises = (0..4).map(|number| (format!("{number:0>64}"), promise(&promised).unwrap()));
        item.insert("ob".to_owned(), AttributeValue::M(promises.collect()));
        item.insert("b".to_owned(), AttributeValue::N(last.to_string()));
        item.insert("bf".to_owned(), AttributeValue::S(user.to_string()));
        // Six who have come, and who has brought them.
        let moved: u64 = 7 * 40;
        let size = allowance::size(&item) + moved;
        assert!((GROUP_BYTES / 2..=GROUP_BYTES).contains(&size), "{size}");
    }
}
