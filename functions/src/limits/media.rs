use std::num::NonZeroU32;

use hongyan_shared::{Error, Result, model::UserId};
use tracing::warn;

use super::{Counters, seconds};
use crate::{
    config::{Config, Configured},
    meter::Rate,
    random::Random,
    record::{Metric, count},
    store::{Counted, Step},
};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

const MB: u64 = 1024 * 1024;

/// What is smaller than this part of a day's volume is counted as that much, and as much less often.
const UNITS: u64 = 64;

/// How much a user may upload per day.
pub struct MediaLimit {
    counters: Counters,
    random: Random,
    megabytes_per_day: Option<NonZeroU32>,
}

impl MediaLimit {
    /// What the operator decided.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            counters: Counters::new(config)?,
            random: config.random.clone(),
            megabytes_per_day: config.media_megabytes_per_day()?,
        })
    }

    /// Counts so many bytes that a user is about to upload. One upload takes a whole day's volume at the most.
    ///
    /// # Errors
    /// [`Error::TooMuchMedia`]. Should it fail, nobody is refused.
    pub(crate) async fn count(&self, user: &UserId, bytes: u64) -> Result<()> {
        let Some(megabytes_per_day) = self.megabytes_per_day.map(NonZeroU32::get) else { return Ok(()) };
        let per_day = u64::from(megabytes_per_day) * MB;
        let counted = bytes.max(per_day / UNITS);
        let by_ms = (counted.saturating_mul(DAY_MS) / per_day).min(DAY_MS);
        let end = |until: u64| until.saturating_add(by_ms).saturating_sub(DAY_MS);
        let now = self.counters.clock.now();

        let heard = self.counters.meter.heard(user, Rate::Media);
        let refused = if end(heard) > now {
            Some(heard)
        } else if self.random.below(counted) < bytes {
            let step = Step { by_ms, at_most_ms: Some(DAY_MS), subject: None };
            match self.counters.advance(user, Rate::Media, &step).await {
                Ok(Counted::Now(_)) => None,
                Ok(Counted::Not(reading)) => Some(reading.until),
                Err(error) => {
                    warn!(%error, "an upload is not counted");
                    None
                }
            }
        } else {
            None
        };
        let Some(until) = refused else { return Ok(()) };
        count(Metric::Limited);
        let seconds = seconds(end(until).saturating_sub(now));
        Err(Error::TooMuchMedia { megabytes_per_day, seconds })
    }
}
