//! Frames to connections other than the caller's.
//!
//! A push is a hint: what it says is in the tables, and a client that misses it finds out
//! from the next sequence number. So a push may fail, and never makes anything else fail.

use std::time::Duration;

use aws_sdk_apigatewaymanagement::{
    Client, error::SdkError, operation::post_to_connection::PostToConnectionError, primitives::Blob,
};
use futures_util::{StreamExt, future::join_all, stream};
use hongyan_shared::model::{Pair, UserId};
use tokio::time::timeout;
use tracing::warn;

use crate::{
    app::App,
    event::Event,
    store::{Connection, Consistency, Names, Presence},
    telemetry::{Count, count, reason},
};

/// How long pushes may keep an acknowledgement waiting, all of them together.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// How many pushes are under way at once.
const AT_ONCE: usize = 16;

/// API Gateway answers 410 for a connection whose `$connect` is still running, so a row this young
/// is not taken for dead.
pub(crate) const HANDSHAKE_MS: u64 = 30_000;

/// The management API of the WebSocket API.
pub struct Push {
    client: Client,
}

/// What became of a frame, or of the end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// API Gateway has taken it.
    Delivered,
    /// There is no such connection.
    Gone,
    /// Nobody knows.
    Failed,
}

impl Push {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Sends one frame to one connection.
    pub async fn send(&self, connection_id: &str, frame: &str) -> Delivery {
        let post =
            self.client.post_to_connection().connection_id(connection_id).data(Blob::new(frame)).send();
        match timeout(PATIENCE, post).await {
            Ok(Ok(_)) => Delivery::Delivered,
            Ok(Err(SdkError::ServiceError(error)))
                if matches!(error.err(), PostToConnectionError::GoneException(_)) =>
            {
                Delivery::Gone
            }
            Ok(Err(error)) => {
                warn!(connection = connection_id, error = reason(&error), "push failed");
                Delivery::Failed
            }
            Err(_) => {
                warn!(connection = connection_id, "push took too long");
                Delivery::Failed
            }
        }
    }

    /// Ends a connection, if it is still there.
    pub async fn close(&self, connection_id: &str) -> Delivery {
        let delete = self.client.delete_connection().connection_id(connection_id).send();
        match timeout(PATIENCE, delete).await {
            Ok(Ok(_)) => Delivery::Delivered,
            Ok(Err(SdkError::ServiceError(error))) if error.err().is_gone_exception() => Delivery::Gone,
            Ok(Err(error)) => {
                warn!(connection = connection_id, error = reason(&error), "close failed");
                Delivery::Failed
            }
            Err(_) => {
                warn!(connection = connection_id, "close took too long");
                Delivery::Failed
            }
        }
    }
}

/// Whom a change in a conversation concerns, and whose it is.
#[derive(Default)]
pub struct Audience {
    /// The peer's connections.
    pub peer: Vec<Connection>,
    /// The caller's, but for the one that the request came over.
    pub others: Vec<Connection>,
    /// The caller, as others see them.
    pub names: Names,
}

impl App {
    /// Looks up whom to tell. Should that fail, nobody is told, and all is found in the tables.
    pub async fn audience(&self, pair: &Pair, event: &Event) -> Audience {
        let (peer, caller) = tokio::join!(self.presence_of(pair.peer()), self.presence_of_caller(event));
        Audience {
            peer: peer.connections,
            others: without(caller.connections, &event.connection_id),
            names: caller.names,
        }
    }

    /// The caller's connections but for the one that the request came over: whom to tell what concerns
    /// the caller alone.
    pub async fn other_connections(&self, event: &Event) -> Vec<Connection> {
        without(self.presence_of_caller(event).await.connections, &event.connection_id)
    }

    /// Ends the connection that the request came over if the caller was put out since. Who puts a user
    /// out does not find one that has no slot: the loser of two handshakes that have crossed.
    async fn presence_of_caller(&self, event: &Event) -> Presence {
        let presence = self.presence_of(&event.caller.user).await;
        if presence.not_before > event.caller.issued_at {
            self.push.close(&event.connection_id).await;
        }
        presence
    }

    async fn presence_of(&self, user: &UserId) -> Presence {
        let looked_up = self.connections.of(user, Consistency::Eventual, self.now());
        match timeout(PATIENCE, looked_up).await {
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
        let dead: Vec<&Connection> = self
            .post_to_all(addressed, frame)
            .await
            .into_iter()
            .filter(|gone| self.now().saturating_sub(gone.connected_at) >= HANDSHAKE_MS)
            .collect();
        if timeout(2 * PATIENCE, join_all(dead.iter().map(|dead| self.forget(dead)))).await.is_err() {
            warn!("forgetting dead connections took too long");
        }
    }

    async fn forget(&self, dead: &Connection) {
        if let Err(error) = self.free(&dead.user, &dead.slot, &dead.id).await {
            warn!(connection = dead.id, %error, "a dead connection stays until it expires");
        }
    }

    /// Sends one frame to many connections, each with what the caller knows it by, and says which of
    /// them are gone.
    pub(crate) async fn post_to_all<'a, T>(&self, addressed: Vec<(T, &'a str)>, frame: &str) -> Vec<T> {
        let post = |(who, id): (T, &'a str)| async move { (who, self.push.send(id, frame).await) };
        let posts: Vec<_> = addressed.into_iter().map(post).collect();
        let mut under_way = posts.len();
        let mut gone = Vec::new();
        let mut posts = stream::iter(posts).buffer_unordered(AT_ONCE);
        let all = async {
            while let Some((who, delivery)) = posts.next().await {
                under_way -= 1;
                count(match delivery {
                    Delivery::Delivered => Count::Pushes,
                    Delivery::Gone => Count::GoneConnections,
                    Delivery::Failed => Count::FailedPushes,
                });
                if delivery == Delivery::Gone {
                    gone.push(who);
                }
            }
        };
        if timeout(PATIENCE, all).await.is_err() {
            warn!("pushes took too long: whoever missed one will pull it");
            (0..under_way).for_each(|_| count(Count::FailedPushes));
        }
        gone
    }
}

fn without(mut connections: Vec<Connection>, id: &str) -> Vec<Connection> {
    connections.retain(|connection| connection.id != id);
    connections
}
