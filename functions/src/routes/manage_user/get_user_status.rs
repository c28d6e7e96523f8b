//! `getUserStatus`: who is online.

use hongyan_shared::{
    Result,
    model::UserId,
    protocol::{MAX_USERS, StatusReply, UserIdList, UserStatus},
};

use crate::{app::App, event::Event, runtime::Reply, store::{Consistency, Presence}};

/// Answers with who has a connection at this moment, as far as the last second is known.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: UserIdList = event.request.data()?;
    let success_user_list = statuses(app, request.parse(MAX_USERS)?, Consistency::Eventual).await?;
    Ok(Reply::data(&StatusReply { success_user_list, failure_user_list: Vec::new() }))
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
