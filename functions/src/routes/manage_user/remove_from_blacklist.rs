//! `removeFromBlacklist`: a user wants to hear some others again.

use std::collections::BTreeSet;

use hongyan_shared::{
    Result,
    model::{Pair, UserId},
    protocol::UserIdList,
};

use super::add_to_blacklist::{pairs, write_and_tell};
use crate::{app::App, event::Event, routes::all, runtime::Reply};

/// Removes users, and tells the caller's other devices.
///
/// # Errors
/// [`hongyan_shared::Error::BlacklistSelf`], a bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: UserIdList = event.request.data()?;
    let named = request.parse()?;
    let me = &event.caller.user;
    let pairs = pairs(me, &named)?;
    let mut blacklist: BTreeSet<UserId> = app.users.blacklist(me).await?.into_iter().collect();
    blacklist.retain(|user| !named.contains(user));
    write_and_tell(app, &event, all(pairs.iter().map(|pair| remove(app, pair))), blacklist).await
}

/// The list is written last, as when somebody is added.
async fn remove(app: &App, pair: &Pair) -> Result<()> {
    app.messages.block(pair, pair.mine(), false).await?;
    app.users.unlist_blocked(pair.me(), pair.peer()).await
}
