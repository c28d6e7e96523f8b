//! `getUserStatus`: who is online.

use hongyan_shared::{
    Error, Result,
    model::UserId,
    protocol::{FailedUser, MAX_STATUSES, StatusReply, UserIdList, UserStatus},
};

use crate::{
    app::App,
    event::Event,
    runtime::Reply,
    store::{Consistency, Presence},
};

/// Answers with who has a connection at this moment, as far as the last second is known.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let users = event.request.data::<UserIdList>()?.parse(MAX_STATUSES)?;
    let (users, failure_user_list) = visible(app, &event.caller.user, users).await?;
    let success_user_list = statuses(app, users, Consistency::Eventual).await?;
    Ok(Reply::data(&StatusReply { success_user_list, failure_user_list }))
}

/// Those of these users whose status a user may see, and why not the others: it is for those who have a
/// conversation with them, and are not blocked. One read unit for each of them.
pub(super) async fn visible(
    app: &App,
    me: &UserId,
    users: Vec<UserId>,
) -> Result<(Vec<UserId>, Vec<FailedUser>)> {
    let others: Vec<UserId> = users.iter().filter(|user| *user != me).cloned().collect();
    let (known, blocking) =
        tokio::try_join!(app.conversations.among(me, &others), app.blacklists.with(me, &others))?;
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
    app: &App,
    users: Vec<UserId>,
    consistency: Consistency,
) -> Result<Vec<UserStatus>> {
    let presences = app.connections.of_all(&users, consistency, app.now()).await?;
    let status = |user: UserId| {
        let is_online = presences.get(&user).is_some_and(Presence::is_online);
        UserStatus::new(user, is_online)
    };
    Ok(users.into_iter().map(status).collect())
}
