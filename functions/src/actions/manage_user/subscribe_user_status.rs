//! `subscribeUserStatus` and `unsubscribeUserStatus`: a device wants to be told when users come and go, or
//! no longer.

use hongyan_shared::{
    Result,
    model::UserId,
    protocol::{FailedUser, Push},
};

use super::{
    super::all,
    World,
    get_user_status::{statuses, visible},
};
use crate::{
    caller::Caller,
    store::{Consistency, Subscription},
};

/// Begins to watch, then pushes the status of each user as it is: who came before that is seen in
/// this look, and who comes after it finds the watcher. Returns whom the user may not watch.
pub async fn subscribe_user_status(
    world: &World,
    caller: &Caller,
    users: Vec<UserId>,
) -> Result<Vec<FailedUser>> {
    let (users, hidden) = visible(world, &caller.user, users).await?;
    let (slot, watchers) = (caller.slot(world.multi_device), &world.notifier.watchers);
    all(users.iter().map(async |user| watchers.add(&subscription(caller, &slot, user)).await)).await?;
    let statuses = statuses(world, users, Consistency::Strong).await?;
    if !statuses.is_empty() {
        let frame = Push::UserStatusUpdated(&statuses).frame();
        world.notifier.api.post_to_all(vec![((), caller.connection_id.as_str())], &frame).await;
    }
    Ok(hidden)
}

/// Ends what this connection has begun. Users whom it does not watch are passed over.
pub async fn unsubscribe_user_status(world: &World, caller: &Caller, users: &[UserId]) -> Result<()> {
    let (slot, watchers) = (caller.slot(world.multi_device), &world.notifier.watchers);
    all(users.iter().map(async |user| watchers.remove(&subscription(caller, &slot, user)).await)).await
}

/// The caller's device, as one that watches a user.
fn subscription<'a>(caller: &'a Caller, slot: &'a str, user: &'a UserId) -> Subscription<'a> {
    Subscription {
        user,
        watcher: &caller.user,
        slot,
        id: &caller.connection_id,
        connected_at: caller.connected_at,
        expires_at: caller.expires_at,
    }
}
