//! Why something has not been done that nobody waits for, and whether it may be done yet.

use hongyan_shared::Error;

/// Why it has not been done.
#[derive(Debug)]
pub struct Undone {
    /// What has gone wrong.
    pub error: Error,
    /// Whether it may be done yet.
    pub failure: Failure,
}

/// Whether something that has failed may be done yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It may: whatever it needs was away.
    Transient,
    /// It was looked at and refused: it alone, or everything at the moment.
    Refused,
    /// Nobody will ever make anything of it.
    Permanent,
}

impl Undone {
    /// What nobody will ever make anything of.
    pub fn permanently(error: Error) -> Self {
        Self { error, failure: Failure::Permanent }
    }
}

impl From<Error> for Undone {
    fn from(error: Error) -> Self {
        Self { error, failure: Failure::Transient }
    }
}
