//! Groups: what they are, who is in them, and what a member has left to read.

mod log;
mod member;
mod mine;
mod moved;
mod state;
mod tip;

use super::{
    group_id::GroupId,
    group_rules::{GroupType, InviteOption, JoinOption, Role},
};
pub use log::{group_marker, next_in_group};
pub use member::{MAX_ADMINS, Member, Roster};
pub use mine::{Mention, MyGroup, OWN_AT_MOST, RemindType};
pub use moved::{Moved, Movement};
pub use state::{Group, GroupInfo, InfoChange, MAX_MEMBERS, Promised};
pub use tip::{Tip, TipKind};
