//! `unsubscribeUserStatus`: a device does not want to be told any more.

use hongyan_shared::{Result, protocol::SubscriptionReply};

use super::subscribe_user_status::{subscription, users};
use crate::{
    app::App,
    event::Event,
    routes::{all, connect::slot},
    runtime::Reply,
};

/// Ends what this connection has begun. Users whom it does not watch are passed over.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let users = users(&event)?;
    let slot = slot(app, &event);
    all(users.iter().map(async |user| app.watchers.remove(&subscription(&event, &slot, user)).await)).await?;
    Ok(Reply::data(&SubscriptionReply::default()))
}
