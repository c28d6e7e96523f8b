//! Where a message lies in its log: at a number, or before all numbers, among what was imported as history.

use std::fmt;

use super::Seq;

/// The place of a message that was imported as history: its time first, then what its sender has numbered it with, then a
/// random number. That is Tencent's order, and what Tencent tells messages apart by, so a message that is imported again is
/// found to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Imported {
    /// When it was sent, in seconds.
    pub second: u64,
    /// Its `MsgSeq`.
    pub seq: u32,
    /// Its `MsgRandom`.
    pub random: u32,
}

/// The place of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// Before every number.
    Imported(Imported),
    /// At this one.
    Number(Seq),
}

/// How far somebody is in a log. What was imported is reached by its time, and comes before every number. The times of numbers
/// are not compared: not everybody knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    seq: Seq,
    time: u64,
}

impl Position {
    /// At a message of that number, or, if it has none, of that time in milliseconds.
    pub fn at(seq: Seq, time: u64) -> Self {
        // A number says it all.
        Self { seq, time: if seq > Seq(0) { u64::MAX } else { time } }
    }

    /// The number of the last message, 0 if that one was imported.
    pub fn seq(self) -> Seq {
        self.seq
    }

    /// The time in milliseconds up to which what was imported is reached, if no number is.
    pub fn time(self) -> Option<u64> {
        (self.seq == Seq(0)).then_some(self.time)
    }

    /// Whether there is anything between here and the place of a message, for who reads on from that one towards the beginning.
    /// What was imported may be more than anybody knows.
    pub fn is_before(self, address: Address) -> bool {
        match address {
            Address::Number(seq) if self.seq > Seq(0) => seq > self.seq.next(),
            Address::Number(_) => true,
            Address::Imported(place) => self.seq == Seq(0) && place.second.saturating_mul(1000) > self.time,
        }
    }
}

impl From<Seq> for Address {
    fn from(seq: Seq) -> Self {
        Self::Number(seq)
    }
}

impl Imported {
    /// Reads what [`Imported`] is shown as.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-');
        let mut part = || parts.next();
        let place =
            Self { second: part()?.parse().ok()?, seq: part()?.parse().ok()?, random: part()?.parse().ok()? };
        (place.to_string() == text).then_some(place)
    }
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.second, self.seq, self.random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imported(second: u64) -> Address {
        Address::Imported(Imported { second, seq: 0, random: 0 })
    }

    fn at(seq: u64, time: u64) -> Position {
        Position::at(Seq(seq), time)
    }

    #[test]
    fn what_was_imported_is_before_every_number_in_the_order_of_its_time_and_its_senders_numbers() {
        let place = |second, seq, random| Address::Imported(Imported { second, seq, random });
        let sorted = [
            place(1, 9, 9),
            place(2, 1, 9),
            place(2, 2, 1),
            place(2, 2, 2),
            place(u64::MAX, 0, 0),
            Address::Number(Seq(1)),
            Address::Number(Seq(2)),
        ];
        assert!(sorted.is_sorted());
    }

    #[test]
    fn who_has_cleared_a_number_has_cleared_all_that_was_imported() {
        assert!(!at(1, 5_000).is_before(imported(9)));
        assert!(!at(1, 5_000).is_before(Address::Number(Seq(2))), "nothing is between 1 and 2");
        assert!(at(1, 5_000).is_before(Address::Number(Seq(3))));
    }

    #[test]
    fn who_has_cleared_what_was_imported_has_not_cleared_what_is_newer() {
        assert!(at(0, 5_000).is_before(imported(6)));
        assert!(!at(0, 5_000).is_before(imported(5)));
        assert!(at(0, 5_000).is_before(Address::Number(Seq(1))), "newer history may be between them");
        assert!(Position::default().is_before(imported(1)));
    }

    #[test]
    fn a_place_is_read_as_it_is_shown() {
        let place = Imported { second: 1_700_000_000, seq: 5, random: u32::MAX };
        assert_eq!(Imported::parse(&place.to_string()), Some(place));
        for bad in ["", "1", "1-2", "1-2-", "01-2-3", "1-2-3-4", "1-2-4294967296", "+1-2-3", "-1-2-3"] {
            assert_eq!(Imported::parse(bad), None, "{bad}");
        }
    }
}
