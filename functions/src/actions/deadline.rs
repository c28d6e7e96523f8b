//! How long a command of a business server may take.

use std::time::Duration;

use hongyan_shared::{Error, Result};

use crate::clock::Clock;

/// For how long a command of a business server begins with anything: its library waits for three seconds.
pub(super) const TIMEOUT: Duration = Duration::from_secs(2);

/// When it is time to answer, whatever is done by then.
pub(super) struct Deadline<'a> {
    clock: &'a Clock,
    until_ms: u64,
}

impl<'a> Deadline<'a> {
    /// So long from now.
    pub fn new(clock: &'a Clock) -> Self {
        let ms = u64::try_from(TIMEOUT.as_millis()).unwrap_or(u64::MAX);
        Self { clock, until_ms: clock.now().saturating_add(ms) }
    }

    /// Whether there is time for something more.
    ///
    /// # Errors
    /// [`Error::Throttled`] when there is none: it may be asked for again.
    pub fn check(&self) -> Result<()> {
        if self.clock.now() < self.until_ms { Ok(()) } else { Err(Error::Throttled) }
    }
}
