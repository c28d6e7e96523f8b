//! What is to be done, made of what was read.

use std::collections::BTreeSet;

use hongyan_shared::{
    Error,
    model::{Group, InfoChange, ReadMarker, Roster, Seq, Tip, TipKind, UserId},
};

use crate::store::MemberStep;

/// What a change has come to.
pub struct Changed {
    /// The group as it is then.
    pub group: Group,
    /// The number of its last message.
    pub last: Seq,
    /// Who is in it then.
    pub roster: Roster,
    /// Whom it has concerned.
    pub users: Vec<UserId>,
    /// Whether this request has made it. If not, an earlier attempt has, or there was nothing to do.
    pub is_new: bool,
}

/// What a plan is made of.
pub struct Read<'a> {
    /// The group.
    pub group: &'a Group,
    /// Who is in it.
    pub roster: &'a Roster,
    /// Where its log ends: who comes now has read up to there.
    pub end: ReadMarker,
    /// Whom the business server wants left out.
    pub refused: &'a BTreeSet<UserId>,
    /// The time, in milliseconds.
    pub now_ms: u64,
}

/// What is to be done.
pub struct Plan {
    /// What it does.
    pub what: What,
    /// Whom it concerns.
    pub users: Vec<UserId>,
    /// What the tip says, if there is one.
    pub tip: Option<String>,
}

/// What a change does.
pub enum What {
    /// Something becomes of members, and perhaps of whose the group is.
    Members {
        /// What becomes of them.
        steps: Vec<MemberStep>,
        /// Whose the group is then.
        owner: Option<Option<UserId>>,
        /// It does not matter who else comes or goes.
        is_free: bool,
    },
    /// Some of those come with whom the group was made. Nobody is asked about them: that was done when it was made.
    Complete {
        /// They come.
        steps: Vec<MemberStep>,
        /// How many have not come yet then.
        awaited: u64,
    },
    /// The group says something else about itself.
    Info(InfoChange),
}

/// A tip of a change of members.
pub fn tip<'a>(
    kind: TipKind,
    operator: &'a UserId,
    group: &'a Group,
    users: &'a [UserId],
    members: Option<u64>,
) -> Tip<'a> {
    Tip { users, members, ..Tip::new(kind, operator, &group.id, &group.info.name) }
}

pub fn no_member() -> Error {
    Error::BadRequest("the user must be a member of the group".to_owned())
}
