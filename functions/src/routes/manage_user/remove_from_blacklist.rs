//! `removeFromBlacklist`: a user wants to hear some others again.

use hongyan_shared::Result;

use super::add_to_blacklist::change;
use crate::{app::App, event::Event, runtime::Reply, store::Change};

/// Removes users, and tells the caller's other devices.
///
/// # Errors
/// [`hongyan_shared::Error::BlacklistSelf`], a bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    change(app, &event, Change::Remove).await
}
