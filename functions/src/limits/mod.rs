//! How much one user may do: frames per second, and conversations that are opened per hour.
//!
//! Each sandbox knows what it has seen itself ([`Meter`]). One frame in sixteen is counted in a table as well,
//! from which the sandbox learns what the others have seen. So a quiet user costs a sixteenth of a write unit
//! per frame and no read, and one who is spread over a hundred sandboxes is found out as well.

mod meter;

use std::time::Duration;

use futures_util::future::join_all;
use hongyan_shared::{
    Error, Result,
    model::{Pair, UserId},
};
use tokio::time::timeout;
use tracing::warn;

pub use meter::{Fate, Meter, Random, Verdict};

use crate::{
    app::App,
    store::{Counted, Counter, Reading, Step},
    telemetry::{Count, count},
};

/// How long a sample may keep an answer waiting.
const PATIENCE: Duration = Duration::from_millis(500);

/// Whose refused frames alone are more than twice what is allowed, for so long, is persistent.
const PERSISTENT_MS: u64 = 5_000;

/// So long after the last refusal all are forgiven, however many there were.
const FORGIVEN_MS: u64 = 2 * PERSISTENT_MS;

/// For how long who is persistent is put out.
const OUT_MS: u64 = 60_000;

const HOUR_MS: u64 = 60 * 60 * 1000;

impl App {
    /// Does what a frame asks for, if its user may do more at this moment.
    ///
    /// # Errors
    /// [`Error::TooManyFrames`], [`Error::PutOut`], and those of the work.
    pub(crate) async fn limit<T>(
        &self,
        user: &UserId,
        connection_id: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let Verdict { fate, is_sample } = self.meter.admit(user, self.now());
        let early = match fate {
            // Boxed, because it is seldom there and not small.
            Fate::Passes if is_sample => return tokio::join!(work, Box::pin(self.count_frames(user))).0,
            Fate::Passes => return work.await,
            Fate::TooEarly(ms) => ms,
            Fate::Out(ms) => {
                count(Count::Limited);
                return Err(Error::PutOut { seconds: seconds(ms) });
            }
        };
        count(Count::Limited);
        if is_sample && Box::pin(self.is_persistent(user)).await {
            Box::pin(self.put_out(user, connection_id)).await;
            return Err(Error::PutOut { seconds: seconds(OUT_MS) });
        }
        let per_second = self.meter.per_second().map_or(0, std::num::NonZero::get);
        Err(Error::TooManyFrames { per_second, seconds: seconds(early) })
    }

    /// Counts the frames that a sample stands for. Should it fail, they are not counted.
    async fn count_frames(&self, user: &UserId) {
        self.sample(user, Counter::Frames, self.meter.sample_ms(), None).await;
    }

    /// Counts the refusals that a sample stands for, and says whether there have been more than twice as many of
    /// them as frames are allowed, all the time since the first, for long enough.
    async fn is_persistent(&self, user: &UserId) -> bool {
        let counted =
            self.sample(user, Counter::Refusals, self.meter.sample_ms() / 2, Some(FORGIVEN_MS)).await;
        counted.is_some_and(|counted| self.now().saturating_sub(counted.since) >= PERSISTENT_MS)
    }

    async fn sample(
        &self,
        user: &UserId,
        counter: Counter,
        by_ms: u64,
        at_most_ms: Option<u64>,
    ) -> Option<Reading> {
        let step = Step { by_ms, at_most_ms, subject: None };
        match timeout(PATIENCE, self.advance(user, counter, &step)).await {
            Ok(Ok(Counted::Now(reading) | Counted::Not(reading))) => return Some(reading),
            Ok(Err(error)) => warn!(%error, "frames are not counted"),
            Err(_) => warn!("counting frames took too long"),
        }
        None
    }

    async fn advance(&self, user: &UserId, counter: Counter, step: &Step<'_>) -> Result<Counted> {
        let heard = self.meter.heard(user, counter);
        let counted = self.counters.advance(user, counter, step, heard, self.now()).await?;
        let (Counted::Now(reading) | Counted::Not(reading)) = counted;
        self.meter.hear(user, counter, reading.until);
        Ok(counted)
    }

    /// Ends all connections of a user but the one that the frame came over, which is still to be told.
    async fn put_out(&self, user: &UserId, connection_id: &str) {
        let now = self.now();
        let until = now.saturating_add(OUT_MS);
        self.meter.is_out(user, until);
        count(Count::PutOut);
        match self.connections.put_out(user, until, now).await {
            Ok(connections) => {
                let others = connections.iter().filter(|connection| connection.id != connection_id);
                join_all(others.map(|other| self.push.close(&other.id))).await;
            }
            Err(error) => warn!(%error, "a user who is too fast keeps their other connections"),
        }
    }

    /// Counts a conversation that the pair's user opens. The same one again, at once, is not counted.
    ///
    /// # Errors
    /// [`Error::TooManyConversations`]. Should it fail, nobody is refused.
    pub(crate) async fn count_conversation(&self, pair: &Pair) -> Result<()> {
        let Some(per_hour) = self.settings.new_conversations_per_hour else { return Ok(()) };
        let me = pair.me();
        let step = Step {
            by_ms: HOUR_MS / u64::from(per_hour.get()),
            at_most_ms: Some(HOUR_MS),
            subject: Some(pair.peer()),
        };
        match self.advance(me, Counter::Conversations, &step).await {
            Ok(Counted::Now(_)) => Ok(()),
            Ok(Counted::Not(counted)) => {
                count(Count::Limited);
                let next = counted.until.saturating_add(step.by_ms).saturating_sub(HOUR_MS);
                let seconds = seconds(next.saturating_sub(self.now()));
                Err(Error::TooManyConversations { per_hour: per_hour.get(), seconds })
            }
            Err(error) => {
                warn!(%error, "a new conversation is not counted");
                Ok(())
            }
        }
    }
}

fn seconds(ms: u64) -> u64 {
    ms.div_ceil(1_000)
}
