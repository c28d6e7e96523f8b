//! `addToBlacklist`: a user does not want to hear some others any more.

use std::collections::BTreeSet;

use hongyan_shared::{
    Error, Result,
    model::{Pair, UserId},
    protocol::{BlacklistReply, Push, UserIdList},
};

use crate::{app::App, event::Event, routes::all, runtime::Reply};

/// How many users a blacklist holds.
const AT_MOST: usize = 1000;

/// Adds users, and tells the caller's other devices.
///
/// # Errors
/// [`Error::BlacklistSelf`], a list that would become too long, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: UserIdList = event.request.data()?;
    let named = request.parse()?;
    let me = &event.caller.user;
    let pairs = pairs(me, &named)?;
    let mut blacklist: BTreeSet<UserId> = app.users.blacklist(me).await?.into_iter().collect();
    blacklist.extend(named);
    if blacklist.len() > AT_MOST {
        return Err(Error::BadRequest(format!(
            "a blacklist holds {AT_MOST} users: take others off with removeFromBlacklist first"
        )));
    }
    write_and_tell(app, &event, all(pairs.iter().map(|pair| add(app, pair))), blacklist).await
}

/// The list is written last: a user who is cut off sees there what is not done yet, and his retry
/// does both again.
async fn add(app: &App, pair: &Pair) -> Result<()> {
    app.messages.block(pair, pair.mine(), true).await?;
    app.users.list_blocked(pair.me(), pair.peer(), app.now()).await
}

/// The conversations with these users.
pub(super) fn pairs(me: &UserId, users: &[UserId]) -> Result<Vec<Pair>> {
    users.iter().map(|user| Pair::of(me, user).map_err(|_| Error::BlacklistSelf)).collect()
}

/// Does the work, then pushes the list as it is now, and replies with it.
pub(super) async fn write_and_tell(
    app: &App,
    event: &Event,
    work: impl Future<Output = Result<()>>,
    blacklist: BTreeSet<UserId>,
) -> Result<Reply> {
    let blacklist: Vec<UserId> = blacklist.into_iter().collect();
    let (written, others) =
        tokio::join!(work, app.other_connections(&event.caller.user, &event.connection_id));
    written?;
    app.deliver(&others, &Push::BlacklistUpdated(&blacklist).frame()).await;
    Ok(Reply::data(&BlacklistReply { blacklist }))
}
