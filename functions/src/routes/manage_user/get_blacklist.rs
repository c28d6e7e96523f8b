//! `getBlacklist`: whom a user does not want to hear.

use hongyan_shared::{
    Result,
    protocol::{BlacklistReply, NoData},
};

use crate::{app::App, event::Event, runtime::Reply};

/// Answers with the whole list.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let NoData {} = event.request.data()?;
    Ok(Reply::data(&BlacklistReply { blacklist: app.blacklists.of(&event.caller.user).await? }))
}
