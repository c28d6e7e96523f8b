//! What concerns users and no conversation: profiles, blacklists, who is online. The routes share a
//! function, so that none of them is cold for itself alone.

use hongyan_shared::{
    Error, Result,
    protocol::{
        BlacklistReply, MAX_BLACKLIST_CHANGE, MAX_REPLY_BYTES, MAX_STATUSES, MAX_USERS, MAX_WATCHED, NoData,
        ProfileFields, ProfileList, ProfileReply, StatusReply, SubscriptionReply, UserIdList, WireProfile,
        manage_user::Served,
    },
};

use super::{Event, Reply};
use crate::actions::manage_user as actions;
pub use crate::actions::manage_user::World;

/// Does what the event's route says.
///
/// # Errors
/// A bad request, and those of the action.
pub async fn handle(world: &World, event: Event) -> Result<Reply> {
    match Served::behind(&event.route).ok_or(Error::UnknownAction)? {
        Served::GetUserProfile => get_user_profile(world, &event).await,
        Served::UpdateMyProfile => update_my_profile(world, &event).await,
        Served::GetBlacklist => get_blacklist(world, &event).await,
        Served::AddToBlacklist => add_to_blacklist(world, &event).await,
        Served::RemoveFromBlacklist => remove_from_blacklist(world, &event).await,
        Served::GetUserStatus => get_user_status(world, &event).await,
        Served::SubscribeUserStatus => subscribe_user_status(world, &event).await,
        Served::UnsubscribeUserStatus => unsubscribe_user_status(world, &event).await,
    }
}

async fn get_user_profile(world: &World, event: &Event) -> Result<Reply> {
    let request: UserIdList = event.request.data()?;
    let users = request.parse(MAX_USERS)?;
    let profile_list = actions::get_user_profile(world, &users, MAX_REPLY_BYTES).await?;
    Ok(Reply::data(&ProfileList { profile_list }))
}

async fn update_my_profile(world: &World, event: &Event) -> Result<Reply> {
    let request: ProfileFields = event.request.data()?;
    let changes = request.parse()?;
    let (profile, now) = actions::update_my_profile(world, event.caller.actor(), &changes).await?;
    Ok(Reply::data(&ProfileReply { profile: WireProfile::new(&event.caller.user, profile, now) }))
}

async fn get_blacklist(world: &World, event: &Event) -> Result<Reply> {
    let NoData {} = event.request.data()?;
    Ok(Reply::data(&BlacklistReply { blacklist: actions::get_blacklist(world, &event.caller.user).await? }))
}

async fn add_to_blacklist(world: &World, event: &Event) -> Result<Reply> {
    let request: UserIdList = event.request.data()?;
    let users = request.parse(MAX_BLACKLIST_CHANGE)?;
    let blacklist = actions::add_to_blacklist(world, event.caller.actor(), &users).await?;
    Ok(Reply::data(&BlacklistReply { blacklist }))
}

async fn remove_from_blacklist(world: &World, event: &Event) -> Result<Reply> {
    let request: UserIdList = event.request.data()?;
    let users = request.parse(MAX_BLACKLIST_CHANGE)?;
    let blacklist = actions::remove_from_blacklist(world, event.caller.actor(), &users).await?;
    Ok(Reply::data(&BlacklistReply { blacklist }))
}

async fn get_user_status(world: &World, event: &Event) -> Result<Reply> {
    let request: UserIdList = event.request.data()?;
    let users = request.parse(MAX_STATUSES)?;
    let (success_user_list, failure_user_list) =
        actions::get_user_status(world, &event.caller.user, users).await?;
    Ok(Reply::data(&StatusReply { success_user_list, failure_user_list }))
}

async fn subscribe_user_status(world: &World, event: &Event) -> Result<Reply> {
    let request: UserIdList = event.request.data()?;
    let users = request.parse(MAX_WATCHED)?;
    let failure_user_list = actions::subscribe_user_status(world, &event.caller, users).await?;
    Ok(Reply::data(&SubscriptionReply { failure_user_list }))
}

async fn unsubscribe_user_status(world: &World, event: &Event) -> Result<Reply> {
    let request: UserIdList = event.request.data()?;
    let users = request.parse(MAX_WATCHED)?;
    actions::unsubscribe_user_status(world, &event.caller, &users).await?;
    Ok(Reply::data(&SubscriptionReply::default()))
}
