use std::collections::BTreeMap;

use super::{GroupId, GroupType, InviteOption, JoinOption};
use crate::model::{ClientId, Seq, UserId};

/// How many members a group may have.
pub const MAX_MEMBERS: u64 = 200;

/// How old a promised tip is, in milliseconds, when others publish it: its maker has been cut off.
const STALE_MS: u64 = 3_000;

/// How many tips may be promised at once, so that the row stays small.
const MAX_PROMISES: usize = 4;

/// What is kept of a group as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Which it is.
    pub id: GroupId,
    /// What kind of group.
    pub kind: GroupType,
    /// What it says about itself.
    pub info: GroupInfo,
    /// Whose it is. A Work group may be nobody's.
    pub owner: Option<UserId>,
    /// Who has made it.
    pub creator: UserId,
    /// When, in milliseconds.
    pub created_at: u64,
    /// When it last changed what it says, in milliseconds.
    pub changed_at: u64,
    /// How often it has done so, counted from 1.
    pub info_version: u64,
    /// How many members it has.
    pub members: u64,
    /// One more with every change of who is in it and of what they are.
    pub version: u64,
    /// When it was dismissed, in milliseconds.
    pub dismissed_at: Option<u64>,
    /// How many of those whom it was made with have not come yet.
    pub awaited: u64,
    /// The last message that concerns all of them, and its sender.
    pub mentioned_all: Option<(Seq, UserId)>,
    /// Tips of changes that have been made, which are not known to be in the log yet.
    pub outbox: BTreeMap<ClientId, Promised>,
}

/// What a group says about itself. What is not set is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupInfo {
    /// Its name.
    pub name: String,
    /// The URL of its picture.
    pub avatar: String,
    /// What it is about.
    pub introduction: String,
    /// What its members should know.
    pub notification: String,
    /// How others come into it.
    pub join: JoinOption,
    /// Who may bring them.
    pub invite: InviteOption,
    /// How many members it may have.
    pub limit: u64,
    /// Only the owner and the admins may speak.
    pub mutes_all: bool,
}

/// What is to change of that.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InfoChange {
    /// Its name.
    pub name: Option<String>,
    /// The URL of its picture.
    pub avatar: Option<String>,
    /// What it is about.
    pub introduction: Option<String>,
    /// What its members should know.
    pub notification: Option<String>,
    /// How others come into it.
    pub join: Option<JoinOption>,
    /// Who may bring them.
    pub invite: Option<InviteOption>,
    /// How many members it may have.
    pub limit: Option<u64>,
    /// Only the owner and the admins may speak.
    pub mutes_all: Option<bool>,
}

/// A tip that was promised with the change that it tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promised {
    /// Who has made the change.
    pub from: UserId,
    /// The last message that they had seen then: the tip lies behind it, or nowhere.
    pub base: Seq,
    /// When, in milliseconds.
    pub at: u64,
    /// What it says, as JSON.
    pub payload: String,
}

impl Group {
    /// The promised tips that others should publish by now, oldest first. If there are too many, those are all.
    pub fn stale_promises(&self, now_ms: u64) -> Vec<(ClientId, Promised)> {
        let is_stale = |promised: &Promised| {
            self.outbox.len() >= MAX_PROMISES || promised.at.saturating_add(STALE_MS) <= now_ms
        };
        let stale = self.outbox.iter().filter(|(_, promised)| is_stale(promised));
        let mut stale: Vec<_> = stale.map(|(id, promised)| (id.clone(), promised.clone())).collect();
        stale.sort_by_key(|(_, promised)| promised.at);
        stale
    }

    /// Whether one more may be promised.
    pub fn may_promise(&self) -> bool {
        self.outbox.len() < MAX_PROMISES
    }
}

impl InfoChange {
    /// What of it may change in a group of this type.
    #[must_use]
    pub fn allowed_in(self, kind: GroupType) -> Self {
        Self {
            join: self.join.filter(|_| kind == GroupType::Public),
            invite: self.invite.filter(|_| kind != GroupType::Work),
            ..self
        }
    }
}

impl GroupInfo {
    /// What is set for a new group of a type before anybody has said anything.
    pub fn new(kind: GroupType, name: String) -> Self {
        let (join, invite) = match kind {
            GroupType::Work => (JoinOption::DisableApply, InviteOption::FreeAccess),
            GroupType::Public => (JoinOption::NeedPermission, InviteOption::DisableInvite),
            GroupType::Meeting => (JoinOption::FreeAccess, InviteOption::DisableInvite),
        };
        Self {
            name,
            avatar: String::new(),
            introduction: String::new(),
            notification: String::new(),
            join,
            invite,
            limit: MAX_MEMBERS,
            mutes_all: false,
        }
    }

    /// The same with what changes. What is fixed in a group of this type stays.
    #[must_use]
    pub fn with(self, change: &InfoChange, kind: GroupType) -> Self {
        let InfoChange { name, avatar, introduction, notification, join, invite, limit, mutes_all } =
            change.clone().allowed_in(kind);
        let said = |new: Option<String>, old: String| new.unwrap_or(old);
        Self {
            name: said(name, self.name),
            avatar: said(avatar, self.avatar),
            introduction: said(introduction, self.introduction),
            notification: said(notification, self.notification),
            join: join.unwrap_or(self.join),
            invite: invite.unwrap_or(self.invite),
            limit: limit.unwrap_or(self.limit),
            mutes_all: mutes_all.unwrap_or(self.mutes_all),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn group(promises: &[(&str, u64)]) -> Group {
        let alice = UserId::parse("test", "alice").unwrap();
        let promised = |at| Promised { from: alice.clone(), base: Seq(0), at, payload: String::new() };
        Group {
            id: GroupId::parse("g").unwrap(),
            kind: GroupType::Public,
            info: GroupInfo::new(GroupType::Public, "g".to_owned()),
            owner: None,
            creator: alice.clone(),
            created_at: 0,
            changed_at: 0,
            info_version: 1,
            members: 1,
            version: 1,
            dismissed_at: None,
            awaited: 0,
            mentioned_all: None,
            outbox: promises.iter().map(|(id, at)| (ClientId::parse(id).unwrap(), promised(*at))).collect(),
        }
    }

    #[test]
    fn a_promise_is_kept_by_others_after_three_seconds_or_when_there_are_four() {
        let stale = |promises: &[(&str, u64)], now| {
            let stale = group(promises).stale_promises(now);
            stale.into_iter().map(|(id, _)| id.as_str().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(stale(&[("a", 2_000), ("b", 1_000), ("c", 2_001)], 5_000), ["b", "a"]);
        let four = ["1", "2", "3", "4"].map(|id| (id, 5_000));
        assert_eq!(stale(&four, 5_000).len(), 4);
        assert!(!group(&four).may_promise());
        assert!(stale(&four[1..], 5_000).is_empty() && group(&four[1..]).may_promise());
    }

    #[test]
    fn what_a_type_fixes_nobody_changes() {
        let wish = InfoChange {
            join: Some(JoinOption::FreeAccess),
            invite: Some(InviteOption::DisableInvite),
            name: Some("new".to_owned()),
            ..InfoChange::default()
        };
        let becomes = |kind| {
            let info = GroupInfo::new(kind, "old".to_owned()).with(&wish, kind);
            (info.name.clone(), info.join, info.invite)
        };
        let new = || "new".to_owned();
        let (free, few) = (InviteOption::FreeAccess, InviteOption::DisableInvite);
        assert_eq!(becomes(GroupType::Work), (new(), JoinOption::DisableApply, free));
        assert_eq!(becomes(GroupType::Public), (new(), JoinOption::FreeAccess, few));
        assert_eq!(becomes(GroupType::Meeting), (new(), JoinOption::FreeAccess, few));
    }
}
