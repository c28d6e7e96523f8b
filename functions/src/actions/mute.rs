//! A user may not speak until then, or may again.

use hongyan_shared::{
    Result,
    model::{MuteChange, UserId},
};

use super::kick::close_all;
use crate::{
    notify::Notifier,
    store::{Connection, Restrictions},
};

/// Mutes a user, or lifts a mute. What a connection may do comes with it from its handshake, so those that there are end, and their
/// clients connect again by themselves; a handshake that is under way meanwhile has either registered before, and is
/// ended as well, or is refused, as with a [kick](super::kick).
///
/// # Errors
/// [`hongyan_shared::Error::Internal`] when a connection could not be ended: it goes by what was before, and to do the same
/// again tries again.
pub async fn mute(notifier: &Notifier, change: &MuteChange) -> Result<()> {
    let connections = notifier.connections.mute(change, notifier.clock.now()).await?;
    end_all(notifier, &connections).await
}

/// The second half of it: ends the connections that [`Connections::mute`] has found.
///
/// [`Connections::mute`]: crate::store::Connections::mute
///
/// # Errors
/// When one could not be ended.
pub async fn end_all(notifier: &Notifier, connections: &[Connection]) -> Result<()> {
    close_all(notifier, connections, None).await
}

/// Returns what is held against a user.
pub async fn restrictions(notifier: &Notifier, user: &UserId) -> Result<Restrictions> {
    notifier.connections.restrictions(user).await
}
