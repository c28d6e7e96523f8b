//! A user is kicked: no signature counts any more that was issued before now.

use std::time::Duration;

use futures_util::future::join_all;
use hongyan_shared::{
    Error, Result,
    model::UserId,
    protocol::{KickedOut, Push},
};

use crate::{
    connections_api::{Delivery, HANDSHAKE_MS},
    notify::Notifier,
    store::Connection,
};

/// For how long a connection is waited for that had registered and was not open yet: the function that
/// was under way has ten seconds (template.yaml), and API Gateway opens the connection then or never.
const TIMEOUT_MS: u64 = 12_000;

/// How soon it is looked for again.
const AGAIN: Duration = Duration::from_millis(100);

/// Kicks a user. Their connections are told so and end, those who watch are told that they have
/// gone, and who connects with a signature from before this second is answered with 70052. A
/// new signature is good at once.
///
/// # Errors
/// [`Error::Internal`] when a connection could not be ended: nothing is pushed to it any more, and
/// to kick the user again tries again.
pub async fn kick(notifier: &Notifier, user: &UserId) -> Result<()> {
    let connections =
        notifier.connections.revoke(user, notifier.clock.now() / 1000, notifier.clock.now()).await?;
    end_all(notifier, user, &connections).await
}

/// The second half of it: ends the connections that [`Connections::revoke`] has found.
///
/// [`Connections::revoke`]: crate::store::Connections::revoke
///
/// # Errors
/// When one could not be ended.
pub async fn end_all(notifier: &Notifier, user: &UserId, connections: &[Connection]) -> Result<()> {
    let frame = Push::KickedOut { kind: KickedOut::RestApiKick }.frame();
    let ends = close_all(notifier, connections, Some(&frame));
    let watched = async {
        if !connections.is_empty() {
            notifier.tell_watchers(user, false).await;
        }
    };
    let (ended, ()) = tokio::join!(ends, watched);
    ended
}

/// Ends connections that a write has found, behind a frame if there is one.
///
/// # Errors
/// When one could not be ended.
pub(super) async fn close_all(
    notifier: &Notifier,
    connections: &[Connection],
    frame: Option<&str>,
) -> Result<()> {
    let until_ms = notifier.clock.now().saturating_add(TIMEOUT_MS);
    let ends = connections.iter().map(|connection| close(notifier, connection, frame, until_ms));
    join_all(ends).await.into_iter().collect()
}

/// Ends a connection. While its handshake is under way, API Gateway has none of that name, and will
/// have one a moment later.
async fn close(
    notifier: &Notifier,
    connection: &Connection,
    frame: Option<&str>,
    until_ms: u64,
) -> Result<()> {
    loop {
        if let Some(frame) = frame {
            notifier.api.send(&connection.id, frame).await;
        }
        let ended = notifier.api.close(&connection.id).await;
        let now = notifier.clock.now();
        let is_young = now.saturating_sub(connection.connected_at) < HANDSHAKE_MS;
        match ended {
            Delivery::Delivered => return Ok(()),
            Delivery::Gone if !is_young || now >= until_ms => return Ok(()),
            Delivery::Failed if now >= until_ms => {
                return Err(Error::Internal(format!("the connection {} does not end", connection.id)));
            }
            Delivery::Gone | Delivery::Failed => tokio::time::sleep(AGAIN).await,
        }
    }
}
