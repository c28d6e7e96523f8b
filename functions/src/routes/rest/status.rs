//! `openim/query_online_status`: who is online.

use hongyan_shared::{
    model::UserId,
    rest::{OnlineStatus, OnlineStatuses, QueryOnlineStatus, Result, StatusError},
};

use super::{Event, Reply, World, users};
use crate::actions::accounts as actions;

pub async fn query_online_status(world: &World, event: &Event) -> Result<Reply> {
    let request: QueryOnlineStatus = event.data()?;
    let (names, needs_detail) = request.parse()?;
    let platforms = actions::platforms(&world.accounts, &users(&names)).await?;
    let mut answer = OnlineStatuses::default();
    for name in names {
        let user = UserId::parse("To_Account", &name).ok();
        match user.and_then(|user| platforms.get_key_value(&user)) {
            Some((user, platforms)) => {
                let status = OnlineStatus::new(user.clone(), platforms.iter().copied(), needs_detail);
                answer.query_result.push(status);
            }
            None => answer.error_list.push(StatusError::no_such_user(name)),
        }
    }
    Ok(event.reply(&answer))
}
