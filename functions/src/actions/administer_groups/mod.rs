//! What business servers want of groups and users do not: many members at once, all of a group's log, all groups, and what becomes
//! of the groups of an account that is deleted. Each change is a verb of [`manage_group`](super::manage_group), or several.

mod create;
mod leave_for_good;
mod lists;
mod members;
mod messages;
mod profile;

pub use create::create;
pub use leave_for_good::{clear_has_groups, leave_for_good, some_groups};
pub use lists::{all_groups, joined_groups};
pub use members::{add_members, delete_members, modify_member, mute_members, online_members, roster_of};
pub use messages::{history, notify};
pub use profile::{hand_over, modify_group};

use hongyan_shared::{
    model::ClientId,
    protocol::{ChangeName, MAX_MEMBERS_CHANGED},
};

use super::manage_group::{MEMBERS_PER_TRANSACTION, World};

/// The name of a change that nobody has asked for before.
fn new_name(world: &World) -> ChangeName {
    let client_id = ClientId::of(rand::random(), world.log.clock.now() / 1000, rand::random());
    ChangeName { client_id, base: None }
}

/// Where a business server is told who has come or gone, the row of the group keeps that: it is not to be much.
fn part_size(world: &World, is_silent: bool) -> usize {
    if is_silent && world.log.business_server.is_none() {
        MEMBERS_PER_TRANSACTION
    } else {
        MAX_MEMBERS_CHANGED
    }
}
