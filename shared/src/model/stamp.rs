//! When a conversation moves up in the lists of its users. It would cost two writes to do so with every message. So it
//! is done once in a while, and what a list lacks therefore is bounded: no conversation has a message that is more than
//! [`STEP_MS`] younger than its stamp.

/// How much younger than its stamp the last message of a conversation may be, in milliseconds.
pub const STEP_MS: u64 = 60 * 60 * 1000;

/// What may lie between a time in a row and the moment at which it is written, in milliseconds: a function may run for ten
/// seconds, its clock may differ by five from that of another one, and a pin sets a stamp by its own clock.
pub const LEEWAY_MS: u64 = 20 * 1000;

/// For how long nothing has been heard of a conversation before a list lets go of it in which there is nothing to show,
/// in milliseconds: who has found something there once is done by then.
const SETTLED_MS: u64 = 60 * 1000;

/// When a conversation was moved up the last time, in milliseconds: its place in a list, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Stamp(pub u64);

impl Stamp {
    /// The stamp of a message that comes at this time behind one with this stamp.
    #[must_use]
    pub fn next(self, time_ms: u64, moves_anyway: bool) -> Self {
        if moves_anyway || !self.covers(time_ms) { Self(time_ms.max(self.0.saturating_add(1))) } else { self }
    }

    /// The stamp of a conversation in which a message of that time is imported at this moment: up to an eighth of the message's
    /// age later than its time. So who imports years of messages, oldest first, moves it up some dozen times and not with each hour.
    pub fn of_imported(time_ms: u64, now_ms: u64) -> Self {
        Self(time_ms.saturating_add(now_ms.saturating_sub(time_ms) / 8))
    }

    /// Whether a conversation with this stamp may have a message of that time.
    pub fn covers(self, time_ms: u64) -> bool {
        time_ms < self.0.saturating_add(STEP_MS)
    }

    /// The time in milliseconds from which on no conversation has a message whose stamp is less.
    pub fn complete_from(self) -> u64 {
        self.0.saturating_add(STEP_MS + LEEWAY_MS)
    }

    /// Every conversation that has changed since that time has a higher one.
    pub fn before_changes_since(time_ms: u64) -> Self {
        Self(time_ms.saturating_sub(STEP_MS + LEEWAY_MS))
    }

    /// Whether a message may be written behind it at this moment, so that a read that is a second old may lack it.
    pub fn is_warm(self, now_ms: u64) -> bool {
        self.0 > Self::before_changes_since(now_ms.saturating_sub(LEEWAY_MS)).0
    }

    /// Whether who has found something there once is done.
    pub fn is_settled(self, now_ms: u64) -> bool {
        self.0.saturating_add(SETTLED_MS) <= now_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_moves_up_when_its_stamp_is_an_hour_old_or_it_is_out_of_a_list() {
        let stamp = Stamp(1_000);
        assert_eq!(stamp.next(1_000 + STEP_MS - 1, false), stamp);
        assert_eq!(stamp.next(1_000 + STEP_MS, false), Stamp(1_000 + STEP_MS));
        assert_eq!(stamp.next(1_500, true), Stamp(1_500));
        assert_eq!(stamp.next(1_000, true), Stamp(1_001), "it rises, whatever the clock says");
    }

    #[test]
    fn years_of_imported_messages_move_a_conversation_up_a_few_dozen_times_whatever_their_order() {
        let now = 5 * 365 * 24 * STEP_MS;
        let moves = |times: &mut dyn Iterator<Item = u64>| {
            let mut stamp = Stamp::default();
            let mut moves = 0;
            for time in times {
                if !stamp.covers(time) {
                    stamp = stamp.max(Stamp::of_imported(time, now));
                    moves += 1;
                }
                assert!(stamp.covers(time) && stamp.0 <= now);
            }
            moves
        };
        let times = || (0..5 * 365 * 24 * 2).map(|half_hour| half_hour * STEP_MS / 2);
        let (oldest_first, newest_first) = (moves(&mut times()), moves(&mut times().rev()));
        assert!((2..90).contains(&oldest_first), "{oldest_first}");
        assert_eq!(newest_first, 1);
        assert_eq!(Stamp::of_imported(now, now), Stamp(now));
        assert_eq!(Stamp::of_imported(now - 8_000, now), Stamp(now - 7_000));
    }

    #[test]
    fn what_a_stamp_says_of_the_messages_behind_it() {
        let stamp = Stamp(10 * STEP_MS);
        assert_eq!(stamp.complete_from(), 11 * STEP_MS + 20_000);
        assert_eq!(Stamp::before_changes_since(stamp.complete_from()), stamp);
        assert_eq!(Stamp::before_changes_since(5), Stamp(0));
        assert!(stamp.is_warm(11 * STEP_MS + 39_999) && !stamp.is_warm(11 * STEP_MS + 40_000));
        assert!(!stamp.is_settled(10 * STEP_MS + 59_999) && stamp.is_settled(10 * STEP_MS + 60_000));
    }
}
