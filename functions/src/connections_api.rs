//! API Gateway's management API: frames to connections, and their end.

use std::time::Duration;

use aws_sdk_apigatewaymanagement::{
    Client, error::SdkError, operation::post_to_connection::PostToConnectionError, primitives::Blob,
};
use futures_util::{StreamExt, stream};
use tokio::time::timeout;
use tracing::warn;

use crate::{
    aws::reason,
    config::{Config, Configured},
    record::{Metric, count},
};

/// How many pushes are under way at once.
const MAX_CONCURRENCY: usize = 16;

/// API Gateway answers 410 for a connection whose `$connect` is still running, so one this young
/// is not taken for dead.
pub(crate) const HANDSHAKE_MS: u64 = 30_000;

/// The connections of this deployment.
#[derive(Clone)]
pub struct ConnectionsApi {
    client: Client,
    /// [`Config::push_timeout`].
    pub(crate) timeout: Duration,
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

impl ConnectionsApi {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self { client: Client::from_conf(config.connections_api()?), timeout: config.push_timeout })
    }

    /// Sends one frame to one connection.
    pub async fn send(&self, connection_id: &str, frame: &str) -> Delivery {
        let post =
            self.client.post_to_connection().connection_id(connection_id).data(Blob::new(frame)).send();
        match timeout(self.timeout, post).await {
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
        match timeout(self.timeout, delete).await {
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

    /// Sends one frame to many connections, each with what the caller knows it by, and says which of
    /// them are gone.
    pub(crate) async fn post_to_all<'a, T>(&self, addressed: Vec<(T, &'a str)>, frame: &str) -> Vec<T> {
        let post = |(who, id): (T, &'a str)| async move { (who, self.send(id, frame).await) };
        let posts: Vec<_> = addressed.into_iter().map(post).collect();
        let mut under_way = posts.len();
        let mut gone = Vec::new();
        let mut posts = stream::iter(posts).buffer_unordered(MAX_CONCURRENCY);
        let all = async {
            while let Some((who, delivery)) = posts.next().await {
                under_way -= 1;
                count(match delivery {
                    Delivery::Delivered => Metric::Pushes,
                    Delivery::Gone => Metric::GoneConnections,
                    Delivery::Failed => Metric::FailedPushes,
                });
                if delivery == Delivery::Gone {
                    gone.push(who);
                }
            }
        };
        if timeout(self.timeout, all).await.is_err() {
            warn!("pushes took too long: a client that missed one will pull it");
            (0..under_way).for_each(|_| count(Metric::FailedPushes));
        }
        gone
    }
}
