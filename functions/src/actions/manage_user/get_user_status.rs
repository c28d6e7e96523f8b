//! `getUserStatus`: who is online.

use hongyan_shared::{
    Error, Result,
    model::UserId,
    protocol::{FailedUser, UserStatus},
};

use super::World;
use crate::store::{Consistency, Presence};

/// Returns who has a connection at this moment, as far as the last second is known, and whose status the user
/// may not see.
pub async fn get_user_status(
    world: &World,
    me: &UserId,
    users: Vec<UserId>,
) -> Result<(Vec<UserStatus>, Vec<FailedUser>)> {
    let (users, hidden) = visible(world, me, users).await?;
    Ok((statuses(world, users, Consistency::Eventual).await?, hidden))
}

/// Those of these users whose status a user may see, and why not the others: it is for those who have a
/// conversation with them, and are not blocked. One read unit for each of them.
pub(super) async fn visible(
    world: &World,
    me: &UserId,
    users: Vec<UserId>,
) -> Result<(Vec<UserId>, Vec<FailedUser>)> {
    let others: Vec<UserId> = users.iter().filter(|user| *user != me).cloned().collect();
    let (known, blocking) = tokio::try_join!(
        world.conversations.among(me, &others),
        world.notifier.blacklists.with(me, &others)
    )?;
    let (mut visible, mut hidden) = (Vec::new(), Vec::new());
    for user in users {
        if blocking.contains(&user) {
            hidden.push(FailedUser::new(user, &Error::Blacklisted));
        } else if known.contains(&user) || user == *me {
            visible.push(user);
        } else {
            hidden.push(FailedUser::new(user, &Error::NoSuchConversation));
        }
    }
    Ok((visible, hidden))
}

/// The status of each of these users.
pub(super) async fn statuses(
    world: &World,
    users: Vec<UserId>,
    consistency: Consistency,
) -> Result<Vec<UserStatus>> {
    let presences = world.notifier.connections.of_all(&users, consistency, world.clock.now()).await?;
    let status = |user: UserId| {
        let is_online = presences.get(&user).is_some_and(Presence::is_online);
        UserStatus::new(user, is_online)
    };
    Ok(users.into_iter().map(status).collect())
}
