//! Whether it is worth asking the business server.

use std::sync::{Mutex, PoisonError};

/// After how many failures in a row nobody is asked for a while.
const FAILURES: u32 = 5;

/// For how long.
const PAUSE_MS: u64 = 10_000;

/// What this sandbox has seen of the business server.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    failures: u32,
    pause_until_ms: u64,
}

impl Breaker {
    /// Whether it may be asked.
    pub(crate) fn lets_through(&self, now_ms: u64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pause_until_ms <= now_ms
    }

    /// It has been asked, and has answered or not.
    pub(crate) fn note(&self, is_alive: bool, now_ms: u64) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.failures = if is_alive { 0 } else { seen.failures.saturating_add(1) };
        if seen.failures >= FAILURES {
            seen.pause_until_ms = now_ms.saturating_add(PAUSE_MS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_five_failures_in_a_row_nobody_is_asked_for_ten_seconds() {
        let breaker = Breaker::default();
        for is_alive in [false, false, false, false, true, false, false, false, false] {
            breaker.note(is_alive, 1_000);
            assert!(breaker.lets_through(1_000), "an answer in between counts");
        }
        breaker.note(false, 1_000);
        assert!(!breaker.lets_through(1_000) && !breaker.lets_through(10_999));
        assert!(breaker.lets_through(11_000));
        breaker.note(false, 11_000);
        assert!(!breaker.lets_through(20_999), "one more is enough to wait again");
        breaker.note(true, 21_000);
        breaker.note(false, 21_000);
        assert!(breaker.lets_through(21_000));
    }
}
