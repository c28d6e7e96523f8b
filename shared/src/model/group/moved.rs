use crate::model::UserId;

/// How members have come or gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movement {
    /// They wanted to come.
    Applied,
    /// They were brought.
    Invited,
    /// They were put out.
    Kicked,
    /// They wanted to go.
    Quit,
}

/// Members who have come or gone, as a business server is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// How.
    pub how: Movement,
    /// Who has done it.
    pub by: UserId,
    /// Who they are.
    pub users: Vec<UserId>,
    /// When, in milliseconds.
    pub at: u64,
}
