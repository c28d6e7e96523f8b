//! How much one user may do: frames per second, conversations that are opened per hour, and what is uploaded per day.
//!
//! Each sandbox knows what it has seen itself ([`Meter`]). One frame in sixteen is counted in a table as well,
//! from which the sandbox learns what the others have seen. So a quiet user costs a sixteenth of a write unit
//! per frame and no read, and one who is spread over a hundred sandboxes is found out as well. So it is with what is
//! uploaded, where it is the size that says how often.

mod conversations;
mod frames;
mod media;

use std::sync::Arc;

use hongyan_shared::{Result, model::UserId};

pub use conversations::ConversationLimit;
pub use frames::FrameLimit;
pub use media::MediaLimit;

use crate::{
    clock::Clock,
    config::{Config, Configured},
    meter::{Meter, Rate},
    store::{Counted, Rates, Step},
};

/// The counters of the whole deployment, through what this sandbox has heard of them.
struct Counters {
    rates: Rates,
    meter: Arc<Meter>,
    clock: Clock,
}

impl Counters {
    fn new(config: &Config) -> Configured<Self> {
        Ok(Self { rates: Rates::new(config)?, meter: config.meter()?, clock: config.clock.clone() })
    }

    async fn advance(&self, user: &UserId, rate: Rate, step: &Step<'_>) -> Result<Counted> {
        let heard = self.meter.heard(user, rate);
        let counted = self.rates.advance(user, rate, step, heard, self.clock.now()).await?;
        let (Counted::Now(reading) | Counted::Not(reading)) = counted;
        self.meter.hear(user, rate, reading.until);
        Ok(counted)
    }
}

fn seconds(ms: u64) -> u64 {
    ms.div_ceil(1_000)
}
