//! `getUserProfile`: what users say about themselves.

use hongyan_shared::{
    Result,
    protocol::{MAX_REPLY_BYTES, MAX_USERS, ProfileList, UserIdList, WireProfile},
};

use crate::{app::App, event::Event, runtime::Reply, store::Users};

/// Answers with profiles, in the order asked for. There is no register of users, so whoever has said
/// nothing has an empty one. What does not fit the frame, or is more than it may read, is left out and
/// can be asked for again: one always fits.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: UserIdList = event.request.data()?;
    let users = request.parse(MAX_USERS)?;
    let mut room = MAX_REPLY_BYTES;
    let mut profile_list = Vec::new();
    let mut rest = users.as_slice();
    while let (wave @ [_, ..], left) = rest.split_at(Users::affordable_profiles().min(rest.len())) {
        rest = left;
        let mut found = app.users.profiles(wave).await?;
        for user in wave {
            let (profile, changed_at) = found.remove(user).unwrap_or_default();
            let profile = WireProfile::new(user, profile, changed_at);
            if let Some(left) = room.checked_sub(profile.size()) {
                room = left;
                profile_list.push(profile);
            }
        }
    }
    Ok(Reply::data(&ProfileList { profile_list }))
}
