use std::num::NonZeroU32;

use hongyan_shared::{
    Error, Result,
    model::{Pair, UserId},
};
use tracing::warn;

use super::{Counters, seconds};
use crate::{
    config::{Config, Configured},
    meter::Rate,
    record::{Metric, count},
    store::{Counted, Step},
};

const HOUR_MS: u64 = 60 * 60 * 1000;

/// How many conversations a user may open per hour, groups among them.
pub struct ConversationLimit {
    counters: Counters,
    per_hour: Option<NonZeroU32>,
}

impl ConversationLimit {
    /// What the operator decided.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self { counters: Counters::new(config)?, per_hour: config.new_conversations_per_hour()? })
    }

    /// Counts a conversation that the pair's user opens. The same one again, at once, is not counted.
    ///
    /// # Errors
    /// [`Error::TooManyConversations`]. Should it fail, nobody is refused.
    pub(crate) async fn count(&self, pair: &Pair) -> Result<()> {
        self.count_one(pair.me(), Some(pair.peer())).await
    }

    /// Counts a group that a user makes, comes into or brings others into, each time anew: who is in many groups has a long
    /// list, and nobody asks them whether they want it.
    ///
    /// # Errors
    /// Those of [`ConversationLimit::count`].
    pub(crate) async fn count_group(&self, user: &UserId) -> Result<()> {
        self.count_one(user, None).await
    }

    async fn count_one(&self, user: &UserId, peer: Option<&UserId>) -> Result<()> {
        let Some(per_hour) = self.per_hour else { return Ok(()) };
        let step =
            Step { by_ms: HOUR_MS / u64::from(per_hour.get()), at_most_ms: Some(HOUR_MS), subject: peer };
        match self.counters.advance(user, Rate::Conversations, &step).await {
            Ok(Counted::Now(_)) => Ok(()),
            Ok(Counted::Not(counted)) => {
                count(Metric::Limited);
                let next = counted.until.saturating_add(step.by_ms).saturating_sub(HOUR_MS);
                let seconds = seconds(next.saturating_sub(self.counters.clock.now()));
                Err(Error::TooManyConversations { per_hour: per_hour.get(), seconds })
            }
            Err(error) => {
                warn!(%error, "a new conversation is not counted");
                Ok(())
            }
        }
    }
}
