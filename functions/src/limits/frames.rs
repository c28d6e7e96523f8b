use std::time::Duration;

use futures_util::future::join_all;
use hongyan_shared::{Error, Result, model::UserId};
use tokio::time::timeout;
use tracing::warn;

use super::{Counters, seconds};
use crate::{
    config::{Config, Configured},
    connections_api::ConnectionsApi,
    meter::{Fate, Rate, Verdict},
    record::{Metric, count},
    store::{Connections, Counted, Reading, Step},
};

/// How long a sample may keep an answer waiting.
const TIMEOUT: Duration = Duration::from_millis(500);

/// Whose refused frames alone are more than twice what is allowed, for so long, is persistent.
const PERSISTENT_MS: u64 = 5_000;

/// So long after the last refusal all are forgiven, however many there were.
const FORGIVEN_MS: u64 = 2 * PERSISTENT_MS;

/// For how long who is persistent is suspended.
const SUSPENDED_MS: u64 = 60_000;

/// How many frames a user may send per second.
pub struct FrameLimit {
    counters: Counters,
    connections: Connections,
    api: ConnectionsApi,
}

impl FrameLimit {
    /// What the operator decided.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            counters: Counters::new(config)?,
            connections: Connections::new(config)?,
            api: ConnectionsApi::new(config)?,
        })
    }

    /// Does what a frame asks for, if its user may do more at this moment.
    ///
    /// # Errors
    /// [`Error::TooManyFrames`], [`Error::Suspended`], and those of the work.
    pub(crate) async fn limit<T>(
        &self,
        user: &UserId,
        connection_id: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let meter = &self.counters.meter;
        let Verdict { fate, is_sample } = meter.admit(user, self.counters.clock.now());
        let early = match fate {
            // Boxed, because it is seldom there and not small.
            Fate::Passes if is_sample => return tokio::join!(work, Box::pin(self.count_frames(user))).0,
            Fate::Passes => return work.await,
            Fate::TooEarly(ms) => ms,
            Fate::Suspended(ms) => {
                count(Metric::Limited);
                return Err(Error::Suspended { seconds: seconds(ms) });
            }
        };
        count(Metric::Limited);
        if is_sample && Box::pin(self.is_persistent(user)).await {
            Box::pin(self.suspend(user, connection_id)).await;
            return Err(Error::Suspended { seconds: seconds(SUSPENDED_MS) });
        }
        let per_second = meter.per_second().map_or(0, std::num::NonZero::get);
        Err(Error::TooManyFrames { per_second, seconds: seconds(early) })
    }

    /// Counts the frames that a sample stands for. Should it fail, they are not counted.
    async fn count_frames(&self, user: &UserId) {
        self.sample(user, Rate::Frames, self.counters.meter.sample_ms(), None).await;
    }

    /// Counts the refusals that a sample stands for, and says whether there have been more than twice as many of
    /// them as frames are allowed, all the time since the first, for long enough.
    async fn is_persistent(&self, user: &UserId) -> bool {
        let by_ms = self.counters.meter.sample_ms() / 2;
        let counted = self.sample(user, Rate::Refusals, by_ms, Some(FORGIVEN_MS)).await;
        counted
            .is_some_and(|counted| self.counters.clock.now().saturating_sub(counted.since) >= PERSISTENT_MS)
    }

    async fn sample(
        &self,
        user: &UserId,
        rate: Rate,
        by_ms: u64,
        at_most_ms: Option<u64>,
    ) -> Option<Reading> {
        let step = Step { by_ms, at_most_ms, subject: None };
        match timeout(TIMEOUT, self.counters.advance(user, rate, &step)).await {
            Ok(Ok(Counted::Now(reading) | Counted::Not(reading))) => return Some(reading),
            Ok(Err(error)) => warn!(%error, "frames are not counted"),
            Err(_) => warn!("counting frames took too long"),
        }
        None
    }

    /// Ends all connections of a user but the one that the frame came over, which is still to be told.
    async fn suspend(&self, user: &UserId, connection_id: &str) {
        let now = self.counters.clock.now();
        let until = now.saturating_add(SUSPENDED_MS);
        self.counters.meter.suspend(user, until);
        count(Metric::Suspended);
        match self.connections.suspend(user, until, now).await {
            Ok(connections) => {
                let others = connections.iter().filter(|connection| connection.id != connection_id);
                join_all(others.map(|other| self.api.close(&other.id))).await;
            }
            Err(error) => warn!(%error, "a user who is too fast keeps their other connections"),
        }
    }
}
