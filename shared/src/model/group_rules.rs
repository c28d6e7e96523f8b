//! Who may do what in a group, as one table: by its type, the role of who acts, and the role of whom it concerns.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What kind of group it is, by the names of Tencent's wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum GroupType {
    /// Every member may invite others, and nobody applies.
    #[serde(rename = "Private")]
    Work,
    /// Others may apply, and owner and admins look after it.
    Public,
    /// Everybody comes and goes as they like.
    #[serde(rename = "ChatRoom")]
    Meeting,
}

impl GroupType {
    /// Takes a type from outside.
    ///
    /// # Errors
    /// [`Error::GroupType`].
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            "Private" => Ok(Self::Work),
            "Public" => Ok(Self::Public),
            "ChatRoom" => Ok(Self::Meeting),
            _ => Err(Error::GroupType),
        }
    }

    /// Whether members coming and going are told of, and messages count as unread.
    pub fn is_meeting(self) -> bool {
        self == Self::Meeting
    }
}

/// What a member is, the highest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Role {
    /// One of many.
    #[default]
    Member,
    /// Looks after the group.
    Admin,
    /// Has the group.
    Owner,
}

/// How somebody comes into a public group of their own accord.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum JoinOption {
    /// At once.
    FreeAccess,
    /// When the owner or an admin agrees.
    NeedPermission,
    /// Not at all.
    DisableApply,
}

/// Who may bring others into a public group or a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum InviteOption {
    /// Every member.
    FreeAccess,
    /// The owner and the admins.
    DisableInvite,
}

/// What somebody wants to do in a group. Where it concerns another member, their role is with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Says something, or reads what is said.
    Speak,
    /// Comes, or applies.
    Join(JoinOption),
    /// Goes.
    Quit,
    /// Brings others.
    Invite(InviteOption),
    /// Puts a member out.
    Kick(Role),
    /// Changes what the group says about itself.
    Describe,
    /// Keeps a member from speaking.
    Mute(Role),
    /// Keeps all members from speaking.
    MuteAll,
    /// Makes a member an admin, or no longer.
    Appoint(Role),
    /// Makes a member the owner.
    HandOver(Role),
    /// Ends the group.
    Dismiss,
    /// Lets somebody in who has applied, or does not.
    Decide,
    /// Takes back what a member has said.
    Recall(Role),
    /// Says by which name a member goes in the group.
    NameCard(Role),
}

/// Who wants to do something in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Somebody who is not in it.
    Stranger,
    /// A member who is this.
    Member(Role),
    /// A business server, which looks after all groups and is in none.
    Administrator,
}

impl From<Option<Role>> for Who {
    fn from(role: Option<Role>) -> Self {
        role.map_or(Self::Stranger, Self::Member)
    }
}

/// Whether somebody may do that in a group of this type.
///
/// # Errors
/// The code that Tencent has for it, mostly [`Error::NotAllowedInGroup`].
pub fn may(kind: GroupType, who: impl Into<Who>, op: Op) -> Result<()> {
    use GroupType::{Meeting, Public, Work};
    use Role::{Admin, Member, Owner};

    let nobody_mutes = "in a Private group nobody is muted: use a Public one";
    let role = match who.into() {
        Who::Member(role) => role,
        Who::Stranger => {
            return match (op, kind) {
                (Op::Join(_), Work) => Err(Error::WorkGroupIsJoinedByInvitation),
                (Op::Join(JoinOption::DisableApply), Public) => {
                    refused("nobody may apply to it: one of its admins can add you")
                }
                (Op::Join(_), Public | Meeting) => Ok(()),
                _ => refused("you are not a member of it: join it first"),
            };
        }
        // Everything but what there is not, or not for anybody.
        Who::Administrator => {
            return match (op, kind) {
                (Op::Appoint(_), Work) => Err(Error::NoAdminsInWorkGroup),
                (Op::Mute(_) | Op::MuteAll, Work) => refused(nobody_mutes),
                (Op::Kick(Owner) | Op::Mute(Owner) | Op::Appoint(Owner) | Op::HandOver(Owner), _) => {
                    refused("the owner is the owner: make somebody else that first")
                }
                _ => Ok(()),
            };
        }
    };
    // An admin looks after members, and the owner after both.
    let is_above = |other: Role| role > other && role >= Admin;
    let only_owner = "only its owner may do this";
    let only_admins = "only its owner and its admins may do this";
    let higher = "only somebody of a higher role than that member may do this";
    let allowed = |allowed: bool, why| if allowed { Ok(()) } else { refused(why) };
    match (op, kind) {
        (Op::Speak, _) | (Op::Quit, Work) | (Op::Invite(_) | Op::Describe, Work) => Ok(()),
        (Op::Join(_), _) => refused("you are a member of it already"),
        (Op::Quit, _) if role == Owner => Err(Error::OwnerMayNotQuit),
        (Op::Quit, _) => Ok(()),
        (Op::Invite(InviteOption::FreeAccess), _) => Ok(()),
        (Op::Invite(InviteOption::DisableInvite) | Op::Describe, _) => allowed(role >= Admin, only_admins),
        (Op::Kick(other), Work) => allowed(role == Owner && other < Owner, only_owner),
        (Op::Kick(other), _) => allowed(is_above(other), higher),
        (Op::Mute(_) | Op::MuteAll, Work) => refused(nobody_mutes),
        (Op::Mute(other), _) => allowed(is_above(other), higher),
        (Op::MuteAll, _) => allowed(role >= Admin, only_admins),
        (Op::Appoint(_), Work) => Err(Error::NoAdminsInWorkGroup),
        (Op::Appoint(other) | Op::HandOver(other), _) => allowed(role == Owner && other < Owner, only_owner),
        (Op::Dismiss, Work) => refused("nobody dismisses a Private group: quit it"),
        (Op::Dismiss, _) => allowed(role == Owner, only_owner),
        (Op::Decide, Public) => allowed(role >= Admin, only_admins),
        (Op::Decide, _) => refused("nobody applies to it"),
        (Op::Recall(Member | Admin | Owner), Work) if role < Owner => refused("only the sender may do this"),
        (Op::Recall(other), _) => allowed(is_above(other), higher),
        (Op::NameCard(other), _) => allowed(is_above(other), higher),
    }
}

fn refused(why: &'static str) -> Result<()> {
    Err(Error::NotAllowedInGroup(why))
}

#[cfg(test)]
mod tests {
    use GroupType::{Meeting, Public, Work};
    use Role::{Admin, Member, Owner};

    use super::*;

    /// For whom it is allowed in each type: S for a stranger, M, A, O, and B for a business server.
    fn allowed(kind: GroupType, op: Op) -> String {
        let [m, a, o] = [Member, Admin, Owner].map(Who::Member);
        [(Who::Stranger, 'S'), (m, 'M'), (a, 'A'), (o, 'O'), (Who::Administrator, 'B')]
            .into_iter()
            .filter(|(who, _)| may(kind, *who, op).is_ok())
            .map(|(_, letter)| letter)
            .collect()
    }

    #[test]
    fn who_may_do_what_by_type_and_role() {
        let (free, ask, never) =
            (JoinOption::FreeAccess, JoinOption::NeedPermission, JoinOption::DisableApply);
        let (all, few) = (InviteOption::FreeAccess, InviteOption::DisableInvite);
        // An owner of a Work group may hand it over or leave it without one; there are no admins in it.
        for (op, work, public, meeting) in [
            (Op::Speak, "MAOB", "MAOB", "MAOB"),
            (Op::Join(free), "B", "SB", "SB"),
            (Op::Join(ask), "B", "SB", "SB"),
            (Op::Join(never), "B", "B", "SB"),
            (Op::Quit, "MAOB", "MAB", "MAB"),
            (Op::Invite(all), "MAOB", "MAOB", "MAOB"),
            (Op::Invite(few), "MAOB", "AOB", "AOB"),
            (Op::Kick(Member), "OB", "AOB", "AOB"),
            (Op::Kick(Admin), "OB", "OB", "OB"),
            (Op::Kick(Owner), "", "", ""),
            (Op::Describe, "MAOB", "AOB", "AOB"),
            (Op::Mute(Member), "", "AOB", "AOB"),
            (Op::Mute(Admin), "", "OB", "OB"),
            (Op::Mute(Owner), "", "", ""),
            (Op::MuteAll, "", "AOB", "AOB"),
            (Op::Appoint(Member), "", "OB", "OB"),
            (Op::Appoint(Admin), "", "OB", "OB"),
            (Op::Appoint(Owner), "", "", ""),
            (Op::HandOver(Member), "OB", "OB", "OB"),
            (Op::HandOver(Admin), "OB", "OB", "OB"),
            (Op::HandOver(Owner), "", "", ""),
            (Op::Dismiss, "B", "OB", "OB"),
            (Op::Decide, "B", "AOB", "B"),
            (Op::Recall(Member), "OB", "AOB", "AOB"),
            (Op::Recall(Admin), "OB", "OB", "OB"),
            (Op::Recall(Owner), "B", "B", "B"),
            (Op::NameCard(Member), "AOB", "AOB", "AOB"),
            (Op::NameCard(Admin), "OB", "OB", "OB"),
            (Op::NameCard(Owner), "B", "B", "B"),
        ] {
            let found = [Work, Public, Meeting].map(|kind| allowed(kind, op));
            assert_eq!(found, [work, public, meeting], "{op:?}");
        }
    }

    #[test]
    fn what_is_refused_has_its_code() {
        let join = |kind, option| may(kind, None, Op::Join(option)).map_err(|error| error.code());
        assert_eq!(join(Work, JoinOption::FreeAccess), Err(2601));
        assert_eq!(join(Public, JoinOption::DisableApply), Err(10007));
        let owner = |kind, op| may(kind, Some(Owner), op).map_err(|error| error.code());
        assert_eq!(owner(Public, Op::Quit), Err(10009));
        assert_eq!(owner(Meeting, Op::Quit), Err(10009));
        assert_eq!(owner(Work, Op::Appoint(Member)), Err(2682));
        assert_eq!(owner(Work, Op::Dismiss), Err(10007));
        assert_eq!(may(Public, None, Op::Speak).map_err(|error| error.code()), Err(10007));
        let administrator = |kind, op| may(kind, Who::Administrator, op).map_err(|error| error.code());
        assert_eq!(administrator(Work, Op::Appoint(Member)), Err(2682));
        assert_eq!(administrator(Work, Op::Mute(Member)), Err(10007));
    }

    #[test]
    fn a_type_goes_by_tencents_name_and_those_that_are_no_log_are_refused() {
        for (name, kind) in [("Private", Work), ("Public", Public), ("ChatRoom", Meeting)] {
            assert_eq!(GroupType::parse(name), Ok(kind));
            assert_eq!(serde_json::json!(kind), name);
        }
        for other in ["AVChatRoom", "Community", "Live", "Work", "Meeting", ""] {
            assert_eq!(GroupType::parse(other), Err(Error::GroupType), "{other}");
        }
    }
}
