//! What is done in a group, and in one conversation of two as well: what is said there and read, and what a member does to their
//! conversation with it. [`GroupLog`] is what all need who write to its log. Groups are changed in
//! [`manage_group`](super::manage_group).

mod history;
mod list;
mod log;
mod mark;
mod pin;
mod revoke;
mod send;

pub use history::{before, newest, range, ranges};
pub use list::{ListedGroup, ListedGroups, Listing, list_groups, named_groups};
pub use log::GroupLog;
pub(super) use log::{SHORT_TAIL, Snapshot};
pub use mark::{Cleared, Marking, mark};
pub use pin::{pin, pinned_groups};
pub use revoke::{Recalling, revoke};
pub use send::send_to_group;

use hongyan_shared::{Error, Result};

/// What somebody has of a group who is in it.
pub(super) fn not_in_it<T>(found: Option<T>) -> Result<T> {
    found.ok_or(Error::NotAllowedInGroup("you are not a member of it: join it first"))
}
