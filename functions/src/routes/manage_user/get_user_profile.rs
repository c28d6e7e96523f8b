//! `getUserProfile`: what users say about themselves.

use hongyan_shared::{
    Result,
    protocol::{MAX_REPLY_BYTES, MAX_USERS, ProfileList, UserIdList, WireProfile},
};

use crate::{app::App, event::Event, runtime::Reply};

/// Answers with profiles, in the order asked for. There is no register of users, so whoever has said
/// nothing has an empty one.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: UserIdList = event.request.data()?;
    let users = request.parse(MAX_USERS)?;
    let mut found = app.users.profiles(&users).await?;
    let mut room = MAX_REPLY_BYTES;
    let mut profile_list = Vec::new();
    for user in &users {
        let (profile, changed_at) = found.remove(user).unwrap_or_default();
        let profile = WireProfile::new(user, profile, changed_at);
        // What does not fit the frame is left out, and can be asked for again: one always fits.
        if let Some(left) = room.checked_sub(profile.size()) {
            room = left;
            profile_list.push(profile);
        }
    }
    Ok(Reply::data(&ProfileList { profile_list }))
}
