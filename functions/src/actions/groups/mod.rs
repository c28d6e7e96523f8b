//! What there is to do in a group. `log` has what all need who write to its log, `change` how it is changed, and `changes`, `members` and
//! `applications` each change, and `administration` and
//! `leave_for_good` what business servers alone want; the others are what verbs of conversations do in a group.

mod administration;
mod applications;
mod change;
mod changes;
mod conversation;
mod history;
mod leave_for_good;
mod listed;
mod log;
mod members;
mod profiles;
mod send;
mod world;

pub use administration::{
    add_members, all_groups, create, delete_members, hand_over, history, joined_groups, modify_group,
    modify_member, mute_members, notify, online_members, roster_of,
};
pub use applications::{get_group_application_list, handle_group_application};
pub use change::Changed;
pub use changes::{change_group_owner, create_group, dismiss_group, update_group_profile};
pub use conversation::{Cleared, Marking, Recalling, mark, pin, pinned_groups, revoke};
pub use history::{before, newest, range, ranges};
pub use leave_for_good::{have_no_groups, leave_for_good, some_groups};
pub use listed::{ListedGroup, ListedGroups, Listing, list_groups, named_groups};
pub use log::GroupLog;
pub use members::{
    MemberChanged, add_group_member, delete_group_member, join_group, quit_group, set_group_member,
};
pub use profiles::{
    Members, get_group_member_list, get_group_member_profile, get_group_profile, get_group_roster,
};
pub use send::send_to_group;
pub use world::ManageWorld;
