//! `getUserStatus`: who is online.

use futures_util::{StreamExt, TryStreamExt, stream};
use hongyan_shared::{
    Result,
    model::UserId,
    protocol::{MAX_USERS, StatusReply, UserIdList, UserStatus},
};

use crate::{app::App, event::Event, runtime::Reply};

/// How many users are looked up at once.
const IN_FLIGHT: usize = 32;

/// Answers with who has a connection at this moment, as far as the last second is known.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: UserIdList = event.request.data()?;
    let success_user_list = stream::iter(request.parse(MAX_USERS)?)
        .map(|user| status(app, user))
        .buffered(IN_FLIGHT)
        .try_collect()
        .await?;
    Ok(Reply::data(&StatusReply { success_user_list, failure_user_list: Vec::new() }))
}

async fn status(app: &App, user: UserId) -> Result<UserStatus> {
    let is_online = !app.connections.of(&user, app.now()).await?.is_empty();
    Ok(UserStatus::new(user, is_online))
}
