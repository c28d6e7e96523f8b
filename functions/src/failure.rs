//! Why something has not been done that nobody waits for, and whether it may be done yet.

use hongyan_shared::Error;

/// Why it has not been done.
#[derive(Debug)]
pub struct Failure {
    /// What has gone wrong.
    pub error: Error,
    /// Whether it may be done yet.
    pub kind: FailureKind,
}

/// Whether something that has failed may be done yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// It may: whatever it needs was away.
    Transient,
    /// It was looked at and refused: it alone, or everything at the moment.
    Refused,
    /// Nobody will ever make anything of it.
    Permanent,
}

impl Failure {
    /// What nobody will ever make anything of.
    pub fn permanently(error: Error) -> Self {
        Self { error, kind: FailureKind::Permanent }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, kind: FailureKind::Transient }
    }
}
