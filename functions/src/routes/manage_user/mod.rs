//! What concerns users and no conversation: profiles, blacklists, who is online. The routes share a
//! function, so that none of them is cold for itself alone.

mod add_to_blacklist;
mod get_blacklist;
mod get_user_profile;
mod get_user_status;
mod remove_from_blacklist;
mod subscribe_user_status;
mod unsubscribe_user_status;
mod update_my_profile;

use hongyan_shared::{Error, Result};

use crate::{app::App, event::Event, runtime::Reply};

/// Hands the event to the file of its route.
///
/// # Errors
/// As the route has them.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    match event.route.as_str() {
        "getUserProfile" => get_user_profile::handle(app, event).await,
        "updateMyProfile" => update_my_profile::handle(app, event).await,
        "getBlacklist" => get_blacklist::handle(app, event).await,
        "addToBlacklist" => add_to_blacklist::handle(app, event).await,
        "removeFromBlacklist" => remove_from_blacklist::handle(app, event).await,
        "getUserStatus" => get_user_status::handle(app, event).await,
        "subscribeUserStatus" => subscribe_user_status::handle(app, event).await,
        "unsubscribeUserStatus" => unsubscribe_user_status::handle(app, event).await,
        _ => Err(Error::UnknownAction),
    }
}
