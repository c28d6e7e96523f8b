//! How far the model looks, and the steps that are left out to see it break.

pub const DAY: u64 = 24 * 60 * 60;

/// With this in the environment the model looks further, for minutes.
pub const LARGE: &str = "HONGYAN_STATES";

/// How far the model looks.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// How many invocations run at once.
    pub writers: usize,
    /// How many messages are sent, by turns of both users.
    pub drafts: usize,
    /// How often, in all.
    pub sends: u8,
    /// How many of the invocations are killed.
    pub kills: u8,
    /// How many writes are made twice, because their answer was lost.
    pub repeats: u8,
    /// How many seconds pass while functions run.
    pub ticks: u8,
    /// How often nobody sends for so long that something has its end, or may be swept.
    pub rests: u8,
    /// How many rows the first query returns.
    pub head_rows: usize,
    /// How many messages a page of the search for a duplicate has.
    pub page: usize,
    /// How far the clock of a function may be off, in seconds.
    pub clock_off: u64,
    /// Whether it is ever so long that the floor is swept.
    pub floor_goes: bool,
    /// The retention of a function. That of the message that is there is the first one.
    pub retentions: Vec<Option<u64>>,
    /// The one message that is there in the beginning.
    pub beginnings: Vec<Option<u64>>,
}

/// The parts into which the whole is cut: all at once would be too much to look at.
pub fn scenes() -> Vec<(&'static str, Bounds)> {
    let more = u8::from(std::env::var_os(LARGE).is_some());
    let base = Bounds {
        writers: 2,
        drafts: 2,
        sends: 2 + more,
        kills: 0,
        repeats: 0,
        ticks: 0,
        rests: 0,
        head_rows: 2,
        page: 1,
        clock_off: 0,
        floor_goes: true,
        retentions: vec![Some(DAY)],
        beginnings: vec![None, Some(31), Some(32)],
    };
    vec![
        ("killed", Bounds { kills: 1, repeats: 1, ..base.clone() }),
        (
            "killed at the end of a block",
            Bounds { kills: 1, rests: 1, beginnings: vec![Some(32)], ..base.clone() },
        ),
        ("the last second", Bounds { ticks: 1, rests: 1, beginnings: vec![Some(31)], ..base.clone() }),
        ("a crowd", Bounds { writers: 3, drafts: 3, sends: 3 + more, ..base.clone() }),
        ("clocks that differ", Bounds { ticks: 1, rests: 1, clock_off: 2, ..base.clone() }),
        ("swept", Bounds { sends: 3, rests: 2, ticks: more, ..base.clone() }),
        ("slow clocks", Bounds { writers: 1, sends: 2 + more, rests: 2, clock_off: 1800, ..base.clone() }),
        (
            "begun anew",
            Bounds {
                sends: 3,
                kills: 1,
                rests: 1 + more,
                head_rows: 1,
                beginnings: vec![Some(1)],
                ..base.clone()
            },
        ),
        (
            "another retention",
            Bounds {
                retentions: vec![Some(DAY), Some(DAY / 4), None],
                rests: 1,
                floor_goes: false,
                ..base.clone()
            },
        ),
        ("no retention", Bounds { sends: 3 + more, kills: 1, head_rows: 1, retentions: vec![None], ..base }),
    ]
}

/// A step of the protocol that is left out or done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    PutIsUnconditional,
    FloorIsNotRaised,
    FloorIsRaisedAfterwards,
    FloorIsNotKept,
    FloorIsReadStale,
    FloorIsLaidUnconditionally,
    HeadIsReadStale,
    SearchIsStale,
    SearchEndsEarly,
    SearchReadsOnePage,
    SweptAtOnce,
    ExpiryDecreases,
    NobodyWaits,
    OldBaseIsTaken,
}

impl Mutant {
    /// All of them, each with the part of the whole in which it breaks a promise. The first one breaks none: a floor
    /// that was read stale is not laid, because that is conditional on what was read.
    pub const ALL: [(Self, &'static str); 14] = [
        (Self::FloorIsReadStale, ""),
        (Self::PutIsUnconditional, "killed"),
        (Self::FloorIsNotRaised, "killed at the end of a block"),
        (Self::FloorIsRaisedAfterwards, "killed at the end of a block"),
        (Self::FloorIsLaidUnconditionally, "killed at the end of a block"),
        (Self::SweptAtOnce, "the last second"),
        (Self::NobodyWaits, "the last second"),
        (Self::ExpiryDecreases, "clocks that differ"),
        (Self::FloorIsNotKept, "swept"),
        (Self::HeadIsReadStale, "slow clocks"),
        (Self::SearchIsStale, "begun anew"),
        (Self::SearchEndsEarly, "begun anew"),
        (Self::SearchReadsOnePage, "begun anew"),
        (Self::OldBaseIsTaken, "begun anew"),
    ];

    pub fn reads_stale(self) -> bool {
        matches!(self, Self::FloorIsReadStale | Self::HeadIsReadStale | Self::SearchIsStale)
    }
}
