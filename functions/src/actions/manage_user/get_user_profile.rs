//! `getUserProfile`: what users say about themselves.

use hongyan_shared::{Result, model::UserId, protocol::WireProfile};

use super::World;
use crate::store::Users;

/// Returns profiles, in the order asked for. There is no register of users, so a user who has said
/// nothing has an empty one. What has no room in so many bytes, or is more than may be read, is left out and
/// can be asked for again: one always fits.
pub async fn get_user_profile<'a>(
    world: &World,
    users: &'a [UserId],
    mut room: usize,
) -> Result<Vec<WireProfile<'a>>> {
    let mut profile_list = Vec::new();
    let mut rest = users;
    while let (wave @ [_, ..], left) = rest.split_at(Users::affordable_profiles().min(rest.len())) {
        rest = left;
        let mut found = world.users.profiles(wave).await?;
        for user in wave {
            let (profile, changed_at) = found.remove(user).unwrap_or_default();
            let profile = WireProfile::new(user, profile, changed_at);
            if let Some(left) = room.checked_sub(profile.size()) {
                room = left;
                profile_list.push(profile);
            }
        }
    }
    Ok(profile_list)
}
