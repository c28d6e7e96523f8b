//! Frames to connections other than the caller's.
//!
//! A push is a hint: what it says is in the tables, and a client that misses it finds out
//! from the next sequence number. So a push may fail, and never makes anything else fail.

use std::time::Duration;

use aws_sdk_apigatewaymanagement::{
    Client, error::SdkError, operation::post_to_connection::PostToConnectionError, primitives::Blob,
};
use futures_util::{StreamExt, stream};
use hongyan_shared::model::{Pair, UserId};
use tokio::time::timeout;
use tracing::warn;

use crate::{
    app::App,
    store::Connection,
    telemetry::{Count, count, reason},
};

/// How long pushes may keep an acknowledgement waiting, all of them together.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// How many pushes are under way at once.
const AT_ONCE: usize = 16;

/// API Gateway answers 410 for a connection whose `$connect` is still running, so a row this young
/// is not taken for dead.
const HANDSHAKE_MS: u64 = 30_000;

/// The management API of the WebSocket API.
pub struct Push {
    client: Client,
}

/// What became of a frame.
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
    pub async fn close(&self, connection_id: &str) {
        let delete = self.client.delete_connection().connection_id(connection_id).send();
        match timeout(PATIENCE, delete).await {
            Ok(Ok(_)) => {}
            Ok(Err(SdkError::ServiceError(error))) if error.err().is_gone_exception() => {}
            Ok(Err(error)) => {
                warn!(connection = connection_id, error = reason(&error), "close failed");
            }
            Err(_) => warn!(connection = connection_id, "close took too long"),
        }
    }
}

/// The connections that a change in a conversation concerns.
pub struct Audience {
    /// The peer's.
    pub peer: Vec<Connection>,
    /// The caller's, but for the one that he calls from.
    pub others: Vec<Connection>,
}

impl App {
    /// Looks up whom to tell. Should that fail, nobody is told, and all is found in the tables.
    pub async fn audience(&self, pair: &Pair, caller_connection_id: &str) -> Audience {
        let (peer, others) = tokio::join!(
            self.connections_of(pair.peer()),
            self.other_connections(pair.me(), caller_connection_id)
        );
        Audience { peer, others }
    }

    /// The user's connections but for the one that he calls from: whom to tell what concerns him
    /// alone.
    pub async fn other_connections(&self, user: &UserId, caller_connection_id: &str) -> Vec<Connection> {
        let mut others = self.connections_of(user).await;
        others.retain(|connection| connection.id != caller_connection_id);
        others
    }

    async fn connections_of(&self, user: &UserId) -> Vec<Connection> {
        match timeout(PATIENCE, self.connections.of(user, self.now())).await {
            Ok(Ok(connections)) => connections,
            Ok(Err(error)) => {
                warn!(%error, "nobody can be told");
                Vec::new()
            }
            Err(_) => {
                warn!("looking up whom to tell took too long");
                Vec::new()
            }
        }
    }

    /// Sends one frame to many connections, and forgets those that are gone.
    pub async fn deliver<'a>(&self, connections: impl IntoIterator<Item = &'a Connection>, frame: &str) {
        let deliveries: Vec<_> =
            connections.into_iter().map(|connection| self.deliver_to(connection, frame)).collect();
        let mut under_way = deliveries.len();
        let mut deliveries = stream::iter(deliveries).buffer_unordered(AT_ONCE);
        let all = async {
            while let Some(delivery) = deliveries.next().await {
                under_way -= 1;
                count(match delivery {
                    Delivery::Delivered => Count::Pushes,
                    Delivery::Gone => Count::GoneConnections,
                    Delivery::Failed => Count::FailedPushes,
                });
            }
        };
        if timeout(PATIENCE, all).await.is_err() {
            warn!("pushes took too long: whoever missed one will pull it");
            (0..under_way).for_each(|_| count(Count::FailedPushes));
        }
    }

    async fn deliver_to(&self, connection: &Connection, frame: &str) -> Delivery {
        let delivery = self.push.send(&connection.id, frame).await;
        let is_new = self.now().saturating_sub(connection.connected_at) < HANDSHAKE_MS;
        if delivery == Delivery::Gone && !is_new {
            let removed = self.connections.remove(&connection.user, &connection.slot, &connection.id).await;
            if let Err(error) = removed {
                warn!(connection = connection.id, %error, "a dead connection stays until it expires");
            }
        }
        delivery
    }
}
