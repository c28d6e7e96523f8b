//! `addToBlacklist`: a user does not want to hear some others any more.

use hongyan_shared::{
    Error, Result,
    model::Pair,
    protocol::{BlacklistReply, MAX_BLACKLIST_CHANGE, Push, UserIdList},
};

use crate::{app::App, event::Event, runtime::Reply, store::Change};

/// Adds users, and tells the caller's other devices.
///
/// # Errors
/// [`Error::BlacklistSelf`], a list that would become too long, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    change(app, &event, Change::Add).await
}

/// Changes the caller's list, replies with what it is then, and pushes that to their other devices, also
/// when it is the same: a request whose answer was lost may not have come to the push.
pub(super) async fn change(app: &App, event: &Event, change: Change) -> Result<Reply> {
    let request: UserIdList = event.request.data()?;
    let me = &event.caller.user;
    let pairs = request
        .parse(MAX_BLACKLIST_CHANGE)?
        .iter()
        .map(|user| Pair::of(me, user).map_err(|_| Error::BlacklistSelf))
        .collect::<Result<Vec<_>>>()?;
    let (changed, others) =
        tokio::join!(app.blacklists.change(me, &pairs, change, app.now()), app.other_connections(event));
    let blacklist = changed?;
    app.deliver(&others, &Push::BlacklistUpdated(&blacklist).frame()).await;
    Ok(Reply::data(&BlacklistReply { blacklist }))
}
