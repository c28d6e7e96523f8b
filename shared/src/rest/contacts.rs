//! `recentcontact`: a user's list of conversations.

use serde::{Deserialize, Serialize};

use super::{Error, Number, Result, Said};
use crate::{
    model::{GroupId, Pair, UserId},
    protocol::Deletion,
};

/// How many conversations one answer has, besides those that are pinned.
pub const CONTACTS: usize = 100;

/// A conversation of two users.
const C2C: u8 = 1;

/// That of a group.
const GROUP: u8 = 2;

/// `get_list`.
#[derive(Debug, Deserialize)]
pub struct ContactsGetList {
    #[serde(rename = "From_Account")]
    from_account: String,
    #[serde(rename = "TimeStamp")]
    time_stamp: Said<Number<u32>>,
    #[serde(rename = "StartIndex")]
    start_index: Said<Number<u16>>,
}

/// Where a page of the list ended: in which second, and how many conversations of that second were shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ContactsCursor {
    /// The second; 0 is the beginning of the list.
    pub second: u32,
    /// How many of it.
    pub shown: u16,
}

impl ContactsGetList {
    /// Whose list it is, and where the part that is wanted begins.
    ///
    /// # Errors
    /// What can be no user.
    pub fn parse(self) -> Result<(UserId, ContactsCursor)> {
        let user = UserId::parse("From_Account", &self.from_account)?;
        let second = self.time_stamp.0.map_or(0, |Number(second)| second);
        let shown = self.start_index.0.map_or(0, |Number(shown)| shown);
        Ok((user, ContactsCursor { second, shown }))
    }
}

/// The answer to it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Contacts {
    session_item: Vec<Contact>,
    complete_flag: u8,
    time_stamp: u32,
    start_index: u16,
    /// What is pinned comes with the first page, so there is never more of it.
    top_time_stamp: u32,
    top_start_index: u16,
}

/// A conversation of a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Contact {
    #[serde(rename = "Type")]
    kind: u8,
    #[serde(rename = "To_Account", skip_serializing_if = "Option::is_none")]
    to_account: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<GroupId>,
    msg_time: u64,
    top_flag: u8,
}

impl Contact {
    /// With which user, when its last message was sent, in seconds, and whether it is pinned.
    pub fn with(user: UserId, msg_time: u64, is_pinned: bool) -> Self {
        let top_flag = u8::from(is_pinned);
        Self { kind: C2C, to_account: Some(user), group_id: None, msg_time, top_flag }
    }

    /// The same of a group.
    pub fn of_group(group: GroupId, msg_time: u64, is_pinned: bool) -> Self {
        let top_flag = u8::from(is_pinned);
        Self { kind: GROUP, to_account: None, group_id: Some(group), msg_time, top_flag }
    }
}

impl Contacts {
    /// A part of a list in any order, and where it goes on: what is pinned is shown first, and then the newest.
    pub fn new(mut session_item: Vec<Contact>, next: Option<ContactsCursor>) -> Self {
        session_item.sort_by_key(|contact| std::cmp::Reverse((contact.top_flag, contact.msg_time)));
        let ContactsCursor { second, shown } = next.unwrap_or_default();
        Self {
            session_item,
            complete_flag: u8::from(next.is_none()),
            time_stamp: second,
            start_index: shown,
            top_time_stamp: 0,
            top_start_index: 0,
        }
    }
}

/// `delete`.
#[derive(Debug, Deserialize)]
pub struct ContactsDelete {
    #[serde(rename = "From_Account")]
    from_account: String,
    #[serde(rename = "Type")]
    kind: Said<Number<u8>>,
    #[serde(rename = "type")]
    older_kind: Said<Number<u8>>,
    #[serde(rename = "To_Account")]
    to_account: Said<String>,
    #[serde(rename = "ToGroupid")]
    to_group: Said<String>,
    #[serde(rename = "ToGroupId")]
    newer_to_group: Said<String>,
    #[serde(rename = "GroupId")]
    group: Said<String>,
    #[serde(rename = "ClearRamble")]
    clear_ramble: Said<Number<i64>>,
}

/// What is to go from a list.
#[derive(Debug)]
pub enum Going {
    /// A conversation of two.
    With(Deletion),
    /// That of a group, and whether its history is kept.
    Group(GroupId, bool),
}

impl ContactsDelete {
    /// Whose list it is, and what is to go.
    ///
    /// # Errors
    /// What can be no user or no group, and a conversation of another kind.
    pub fn parse(self) -> Result<(UserId, Going)> {
        let user = UserId::parse("From_Account", &self.from_account)?;
        let keeps_history = self.clear_ramble.0.is_none_or(|Number(clears)| clears == 0);
        let going = match self.kind.or(self.older_kind) {
            Said(Some(Number(C2C))) => {
                let peer = UserId::parse("To_Account", &self.to_account.0.unwrap_or_default())?;
                let pair = Pair::of(&user, &peer).map_err(|_| {
                    Error::Parameter("From_Account and To_Account must be two users".to_owned())
                })?;
                Going::With(Deletion { pair, up_to: None, keeps_history })
            }
            Said(Some(Number(GROUP))) => {
                let group = self.to_group.or(self.newer_to_group).or(self.group).0.unwrap_or_default();
                let group = GroupId::parse(&group).map_err(|refused| {
                    Error::Parameter(format!("`ToGroupid` must name a group: {refused}"))
                })?;
                Going::Group(group, keeps_history)
            }
            Said(_) => {
                let text = "Type must be 1, a conversation with To_Account, or 2, that of ToGroupid";
                return Err(Error::Parameter(text.to_owned()));
            }
        };
        Ok((user, going))
    }
}
