use super::UserId;

/// Until when a user may not speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mute {
    /// To others, until before this second.
    pub c2c: u64,
    /// In groups.
    pub group: u64,
}

impl Mute {
    /// The last second of the year 9999.
    pub const FOREVER: u64 = 253_402_300_799;
}

/// Until when a user may not speak from now on. What is not to change is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MuteChange {
    /// The user.
    pub user: UserId,
    /// Until which second, to others.
    pub c2c: Option<u64>,
    /// The same in groups.
    pub group: Option<u64>,
}
