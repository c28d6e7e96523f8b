//! `recentcontact`: a user's list of conversations.

use serde::{Deserialize, Serialize};

use super::{Error, Number, Result};
use crate::{
    model::{Pair, UserId},
    protocol::Deletion,
};

/// How many conversations one answer has, besides those that are pinned.
pub const CONTACTS: usize = 100;

/// A conversation of two users; Tencent's 2 is a group.
const C2C: u8 = 1;

/// `get_list`.
#[derive(Debug, Deserialize)]
pub struct ContactsGetList {
    #[serde(rename = "From_Account")]
    from_account: String,
    #[serde(rename = "TimeStamp")]
    time_stamp: Option<Number<u32>>,
    #[serde(rename = "StartIndex")]
    start_index: Option<Number<u16>>,
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
        let second = self.time_stamp.map_or(0, |Number(second)| second);
        let shown = self.start_index.map_or(0, |Number(shown)| shown);
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
    #[serde(rename = "To_Account")]
    to_account: UserId,
    msg_time: u64,
    top_flag: u8,
}

impl Contact {
    /// With whom, when its last message was sent, in seconds, and whether it is pinned.
    pub fn new(to_account: UserId, msg_time: u64, is_pinned: bool) -> Self {
        Self { kind: C2C, to_account, msg_time, top_flag: u8::from(is_pinned) }
    }
}

impl Contacts {
    /// A part of a list, and where it goes on.
    pub fn new(session_item: Vec<Contact>, next: Option<ContactsCursor>) -> Self {
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
    #[serde(rename = "Type", alias = "type")]
    kind: Number<u8>,
    #[serde(rename = "To_Account")]
    to_account: Option<String>,
    #[serde(rename = "ClearRamble")]
    clear_ramble: Option<Number<i64>>,
}

impl ContactsDelete {
    /// Whose list it is, and what is to go.
    ///
    /// # Errors
    /// What can be no user, and a conversation of another kind.
    pub fn parse(self) -> Result<(UserId, Deletion)> {
        if self.kind != Number(C2C) {
            return Err(Error::Parameter("Type must be 1, a conversation with To_Account".to_owned()));
        }
        let user = UserId::parse("From_Account", &self.from_account)?;
        let peer = UserId::parse("To_Account", &self.to_account.unwrap_or_default())?;
        let pair = Pair::of(&user, &peer)
            .map_err(|_| Error::Parameter("From_Account and To_Account must be two users".to_owned()))?;
        let clears = self.clear_ramble.is_some_and(|Number(clears)| clears != 0);
        Ok((user, Deletion { pair, up_to: None, keeps_history: !clears }))
    }
}
