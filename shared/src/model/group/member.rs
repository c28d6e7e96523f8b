use std::collections::BTreeMap;

use super::{GroupId, Role};
use crate::model::UserId;

/// How many of a group's members may be admins.
pub const MAX_ADMINS: usize = 10;

/// What a group knows of one of its members.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Member {
    /// What they are.
    pub role: Role,
    /// When they came, in seconds.
    pub joined_at: u64,
    /// By which name they go in the group, empty when it is their own.
    pub card: String,
    /// Until which second they may not speak, 0 if they may.
    pub muted_until: u64,
    /// They want nothing pushed.
    pub discards: bool,
}

/// Who is in a group, as of a version of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    /// Which group.
    pub group: GroupId,
    /// As of which version.
    pub version: u64,
    /// All of them.
    pub members: BTreeMap<UserId, Member>,
}

impl Roster {
    /// What a user is in it, if they are in it.
    pub fn role(&self, user: &UserId) -> Option<Role> {
        self.members.get(user).map(|member| member.role)
    }

    /// Who looks after it: the owner and the admins.
    pub fn admins(&self) -> impl Iterator<Item = &UserId> {
        self.members.iter().filter(|(_, member)| member.role >= Role::Admin).map(|(user, _)| user)
    }

    /// Whether one member more may be an admin.
    pub fn may_have_another_admin(&self) -> bool {
        self.members.values().filter(|member| member.role == Role::Admin).count() < MAX_ADMINS
    }
}

impl Member {
    /// Whether they may not speak at that time.
    pub fn is_muted(&self, now_ms: u64) -> bool {
        self.muted_until.saturating_mul(1000) > now_ms
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_roster_says_who_is_what_and_ten_are_admins() {
        let user = |name: &str| UserId::parse("test", name).unwrap();
        let member = |role| Member { role, ..Member::default() };
        let mut roster =
            Roster { group: GroupId::parse("g").unwrap(), version: 1, members: BTreeMap::default() };
        roster.members.insert(user("owner"), member(Role::Owner));
        roster.members.insert(user("member"), member(Role::Member));
        for number in 0..9 {
            roster.members.insert(user(&format!("admin-{number}")), member(Role::Admin));
        }
        assert!(roster.may_have_another_admin());
        roster.members.insert(user("admin-9"), member(Role::Admin));
        assert!(!roster.may_have_another_admin());
        assert_eq!(roster.admins().count(), 11);
        assert_eq!(roster.role(&user("owner")), Some(Role::Owner));
        assert_eq!(roster.role(&user("stranger")), None);
    }

    #[test]
    fn a_mute_ends_with_its_second() {
        let member = Member { muted_until: 60, ..Member::default() };
        assert!(member.is_muted(59_999) && !member.is_muted(60_000));
        assert!(!Member::default().is_muted(0));
    }
}
