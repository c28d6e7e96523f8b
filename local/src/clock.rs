//! The time of a twin.

use std::{sync::Arc, time::Duration};

use hongyan_functions::clock::Clock as Reader;
use tokio::sync::watch;

/// A clock that can be read, and waited for.
#[derive(Debug, Clone)]
pub enum Clock {
    /// This machine's.
    System,
    /// One that stands still until it is moved. Milliseconds since 1970.
    Manual(Arc<watch::Sender<u64>>),
}

impl Clock {
    /// A clock that stands at this time.
    pub fn manual(now_ms: u64) -> Self {
        Self::Manual(Arc::new(watch::Sender::new(now_ms)))
    }

    /// Moves a manual clock forward. This machine's does not care.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(hand) = self {
            let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
            hand.send_modify(|now| *now = now.saturating_add(by));
        }
    }

    /// Milliseconds since 1970.
    pub fn now(&self) -> u64 {
        match self {
            Self::System => Reader::system().now(),
            Self::Manual(hand) => *hand.borrow(),
        }
    }

    /// The clock as the functions take it.
    pub fn reader(&self) -> Reader {
        let clock = self.clone();
        Reader::new(move || clock.now())
    }

    /// Waits until it is this late.
    pub async fn wait_until(&self, then_ms: u64) {
        match self {
            Self::System => {
                tokio::time::sleep(Duration::from_millis(then_ms.saturating_sub(self.now()))).await
            }
            Self::Manual(hand) => {
                // The sender is in `self`, so the channel cannot close.
                let _ = hand.subscribe().wait_for(|now| *now >= then_ms).await;
            }
        }
    }
}
