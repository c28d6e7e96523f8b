//! What is kept of each of the two users of a one-to-one conversation.

use serde::{Deserialize, Serialize};

/// One of the two users of a [`Pair`](super::Pair): the one whose ID sorts first, or the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The user whose ID sorts first.
    Low,
    /// The other one.
    High,
}

impl Side {
    /// The other side.
    pub fn other(self) -> Self {
        match self {
            Self::Low => Self::High,
            Self::High => Self::Low,
        }
    }
}

/// How many messages that can be unread each side has sent, up to and including a certain one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Those of the low side.
    pub low: u64,
    /// Those of the high side.
    pub high: u64,
}

impl Counts {
    /// The count of a side.
    pub fn of(self, side: Side) -> u64 {
        match side {
            Side::Low => self.low,
            Side::High => self.high,
        }
    }

    /// One more from a side.
    #[must_use]
    pub fn and_one_from(self, side: Side) -> Self {
        match side {
            Side::Low => Self { low: self.low.saturating_add(1), ..self },
            Side::High => Self { high: self.high.saturating_add(1), ..self },
        }
    }
}

/// Which users have deleted a message, each for themselves alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hidden {
    /// The low side has.
    pub from_low: bool,
    /// The high side has.
    pub from_high: bool,
}

impl Hidden {
    /// Whether a side has deleted it.
    pub fn from(self, side: Side) -> bool {
        match side {
            Side::Low => self.from_low,
            Side::High => self.from_high,
        }
    }
}
