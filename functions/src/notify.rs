//! Who is told of what an action has changed, and how.
//!
//! A push is a hint: what it says is in the tables, and a client that misses it finds out
//! from the next sequence number. So a push may fail, and never makes anything else fail.

use futures_util::future::join_all;
use hongyan_shared::{
    Result,
    model::{Pair, UserId},
};
use tokio::time::timeout;
use tracing::warn;

use crate::{
    caller::{Actor, Caller},
    clock::Clock,
    config::{Config, Configured},
    connections_api::{ConnectionsApi, HANDSHAKE_MS},
    store::{Blacklists, Connection, Connections, Consistency, Names, Presence, Restrictions, Watchers},
};

/// The way to the connections of users. Those that turn out to be gone are forgotten, and who watches a
/// user whose last one that was is told.
pub struct Notifier {
    pub(crate) connections: Connections,
    pub(crate) watchers: Watchers,
    pub(crate) blacklists: Blacklists,
    pub(crate) api: ConnectionsApi,
    pub(crate) clock: Clock,
}

/// Whom a change in a conversation concerns, and whose it is.
#[derive(Default)]
pub struct Recipients {
    /// The peer's connections.
    pub peer: Vec<Connection>,
    /// The actor's, but for the one that asks.
    pub others: Vec<Connection>,
    /// The actor, as others see them.
    pub names: Names,
}

impl Recipients {
    /// All of them, unless the peer is to learn nothing of it.
    pub fn all(&self, is_withheld: bool) -> impl Iterator<Item = &Connection> {
        let peer = if is_withheld { &[] } else { self.peer.as_slice() };
        peer.iter().chain(&self.others)
    }
}

impl Notifier {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            connections: Connections::new(config)?,
            watchers: Watchers::new(config)?,
            blacklists: Blacklists::new(config)?,
            api: ConnectionsApi::new(config)?,
            clock: config.clock.clone(),
        })
    }

    /// Looks up whom to tell. Should that fail, nobody is told, and all is found in the tables.
    pub async fn recipients(&self, pair: &Pair, actor: Actor<'_>, consistency: Consistency) -> Recipients {
        let (peer, own) = tokio::join!(
            self.presence_of(pair.peer(), consistency),
            self.presence_of_actor(actor, consistency)
        );
        Recipients {
            peer: peer.connections,
            others: without_asking(own.connections, actor),
            names: own.names,
        }
    }

    /// The actor's connections but for the one that asks: whom to tell what concerns the actor alone.
    pub async fn other_connections(&self, actor: Actor<'_>) -> Vec<Connection> {
        without_asking(self.presence_of_actor(actor, Consistency::Eventual).await.connections, actor)
    }

    /// Ends the connection that asks if it should not be there: who kicks or mutes a user does not find one that
    /// has no slot, the loser of two handshakes that have crossed.
    async fn presence_of_actor(&self, actor: Actor<'_>, consistency: Consistency) -> Presence {
        let presence = self.presence_of(actor.user, consistency).await;
        self.end_if_restricted(actor, &presence).await;
        presence
    }

    /// Ends the connection that asks if the user was kicked or muted since, as what is known of them says.
    pub(crate) async fn end_if_restricted(&self, actor: Actor<'_>, presence: &Presence) {
        let Restrictions { not_before, mute } = presence.restrictions;
        let goes_on = |caller: &Caller| caller.issued_at >= not_before && caller.mute == mute;
        if let Some(caller) = actor.connection.filter(|caller| !goes_on(caller)) {
            self.api.close(&caller.connection_id).await;
        }
    }

    /// Where a user is, and what they are called. Should the look-up fail, they are nowhere.
    pub async fn presence_of(&self, user: &UserId, consistency: Consistency) -> Presence {
        let looked_up = self.connections.of(user, consistency, self.clock.now());
        match timeout(self.api.timeout, looked_up).await {
            Ok(Ok(presence)) => presence,
            Ok(Err(error)) => {
                warn!(%error, "nobody can be told");
                Presence::default()
            }
            Err(_) => {
                warn!("looking up whom to tell took too long");
                Presence::default()
            }
        }
    }

    /// Sends one frame to many connections, and forgets those that are gone.
    pub async fn deliver<'a>(&self, connections: impl IntoIterator<Item = &'a Connection>, frame: &str) {
        let addressed: Vec<_> =
            connections.into_iter().map(|connection| (connection, connection.id.as_str())).collect();
        let now = self.clock.now();
        let dead: Vec<&Connection> = self
            .api
            .post_to_all(addressed, frame)
            .await
            .into_iter()
            .filter(|gone| now.saturating_sub(gone.connected_at) >= HANDSHAKE_MS)
            .collect();
        if timeout(2 * self.api.timeout, join_all(dead.iter().map(|dead| self.forget(dead)))).await.is_err() {
            warn!("forgetting dead connections took too long");
        }
    }

    async fn forget(&self, dead: &Connection) {
        if let Err(error) = self.free(&dead.user, &dead.slot, &dead.id, false).await {
            warn!(connection = dead.id, %error, "a dead connection stays until it expires");
        }
    }

    /// Frees the slot of a connection that has ended. Who watches the user is told if it was the last. That it has logged out is
    /// noted if anybody wants to know.
    ///
    /// # Errors
    /// [`hongyan_shared::Error::Throttled`] and [`hongyan_shared::Error::Internal`], from the store.
    pub async fn free(&self, user: &UserId, slot: &str, id: &str, has_logged_out: bool) -> Result<()> {
        if self.connections.remove(user, slot, id, has_logged_out, self.clock.now()).await? {
            self.tell_watchers(user, false).await;
        }
        Ok(())
    }
}

fn without_asking(mut connections: Vec<Connection>, actor: Actor<'_>) -> Vec<Connection> {
    connections.retain(|connection| !actor.is_at(&connection.id));
    connections
}
