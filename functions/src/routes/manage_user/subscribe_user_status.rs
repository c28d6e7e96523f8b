//! `subscribeUserStatus`: a device wants to be told when users come and go.

use hongyan_shared::{
    Result,
    model::UserId,
    protocol::{MAX_WATCHED, Push, SubscriptionReply, UserIdList},
};

use super::get_user_status::{statuses, visible};
use crate::{
    app::App,
    event::Event,
    routes::{all, connect::slot},
    runtime::Reply,
    store::{Consistency, Subscription},
};

/// Begins to watch, then pushes the status of each user as it is: who came before that is seen in
/// this look, and who comes after it finds the watcher.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let (users, failure_user_list) = visible(app, &event.caller.user, users(&event)?).await?;
    let slot = slot(app, &event);
    all(users.iter().map(async |user| app.watchers.add(&subscription(&event, &slot, user)).await)).await?;
    let statuses = statuses(app, users, Consistency::Strong).await?;
    if !statuses.is_empty() {
        let frame = Push::UserStatusUpdated(&statuses).frame();
        app.post_to_all(vec![((), event.connection_id.as_str())], &frame).await;
    }
    Ok(Reply::data(&SubscriptionReply { failure_user_list }))
}

/// Whom a request names.
pub(super) fn users(event: &Event) -> Result<Vec<UserId>> {
    event.request.data::<UserIdList>()?.parse(MAX_WATCHED)
}

/// The caller's device, as one that watches a user.
pub(super) fn subscription<'a>(event: &'a Event, slot: &'a str, user: &'a UserId) -> Subscription<'a> {
    Subscription {
        user,
        watcher: &event.caller.user,
        slot,
        id: &event.connection_id,
        connected_at: event.connected_at,
        expires_at: event.caller.expires_at,
    }
}
