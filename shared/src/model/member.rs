use super::{Position, Seq};

/// A place that a user has reached: they have read, or cleared, everything up to there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadMarker {
    /// The last message that they have left behind, 0 if that was imported and is known by its time.
    pub seq: Seq,
    /// How many messages that can be unread to them had been sent by then.
    pub count: u64,
    /// That message's time in milliseconds.
    pub time: u64,
    /// The second in which that message expires, if it ever does. What is behind it does not before.
    pub expires_at: Option<u64>,
}

impl ReadMarker {
    /// How far that is in the log.
    pub fn position(&self) -> Position {
        Position::at(self.seq, self.time)
    }

    /// Whether it points to a message at all.
    pub fn is_set(&self) -> bool {
        self.position() > Position::default()
    }

    /// Whether the message is still there.
    pub fn is_live(&self, now_ms: u64) -> bool {
        self.expires_at.is_none_or(|second| second.saturating_mul(1000) > now_ms)
    }
}

/// Which of the places of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// [`MemberState::read`].
    Read,
    /// [`MemberState::cleared`].
    Cleared,
    /// [`MemberState::unlisted`].
    Unlisted,
}

impl Mark {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Cleared, Self::Unlisted];
}

/// What is kept of one user in one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemberState {
    /// How far they have read. The peer is told.
    pub read: ReadMarker,
    /// How far they have deleted the conversation. That concerns nobody else, so it does not count as
    /// read.
    pub cleared: ReadMarker,
    /// How far they have taken it out of their list, with its history kept.
    pub unlisted: ReadMarker,
    /// They have the peer on their blacklist.
    pub blocks: bool,
    /// How far they had read when they read on behind a block: that is all that the peer may know.
    pub told: Option<ReadMarker>,
}

impl MemberState {
    /// How far one of the marks is.
    pub fn at(&self, mark: Mark) -> ReadMarker {
        match mark {
            Mark::Read => self.read,
            Mark::Cleared => self.cleared,
            Mark::Unlisted => self.unlisted,
        }
    }

    /// The same with one of the marks there.
    #[must_use]
    pub fn with(self, mark: Mark, marker: ReadMarker) -> Self {
        match mark {
            Mark::Read => Self { read: marker, ..self },
            Mark::Cleared => Self { cleared: marker, ..self },
            Mark::Unlisted => Self { unlisted: marker, ..self },
        }
    }

    /// How far nothing is unread any more: what they have read, cleared or taken out of the list, whichever is
    /// farthest.
    pub fn done(&self) -> ReadMarker {
        [self.cleared, self.unlisted]
            .into_iter()
            .fold(self.read, |done, other| if other.seq > done.seq { other } else { done })
    }

    /// Up to where nothing is in their list.
    pub fn out_of_list(&self) -> Position {
        self.cleared.position().max(self.unlisted.position())
    }

    /// Without what points to messages that have expired: it says nothing about those that live, whether
    /// it has been swept or not.
    #[must_use]
    pub fn without_expired(self, now_ms: u64) -> Self {
        let live = |marker: ReadMarker| if marker.is_live(now_ms) { marker } else { ReadMarker::default() };
        Self {
            read: live(self.read),
            cleared: live(self.cleared),
            unlisted: live(self.unlisted),
            blocks: self.blocks,
            told: self.told.map(live),
        }
    }

    /// The second in which the last of the messages expires that it points to, if all of them ever do.
    pub fn ends_at(&self) -> Option<u64> {
        let mut ends = Mark::ALL
            .into_iter()
            .map(|mark| self.at(mark))
            .filter(ReadMarker::is_set)
            .map(|marker| marker.expires_at);
        ends.try_fold(0, |last: u64, end| Some(last.max(end?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seq: u64, count: u64, expires_at: Option<u64>) -> ReadMarker {
        ReadMarker { seq: Seq(seq), count, time: seq * 1000, expires_at }
    }

    #[test]
    fn a_marker_lives_until_the_second_in_which_its_message_expires_begins() {
        assert!(at(1, 1, Some(60)).is_live(59_999));
        assert!(!at(1, 1, Some(60)).is_live(60_000));
        assert!(!at(1, 1, Some(60)).is_live(60_001));
        assert!(at(1, 1, None).is_live(u64::MAX));
    }

    #[test]
    fn of_what_is_read_cleared_or_unlisted_the_farthest_is_done() {
        let done = |read, cleared, unlisted| {
            let [read, cleared, unlisted] = [read, cleared, unlisted].map(|seq| at(seq, seq, None));
            MemberState { read, cleared, unlisted, ..MemberState::default() }.done().seq.0
        };
        assert_eq!([done(3, 2, 1), done(1, 3, 2), done(1, 2, 3), done(2, 3, 1)], [3, 3, 3, 3]);
        let read = ReadMarker { expires_at: Some(60), ..at(3, 3, None) };
        let state = MemberState { read, cleared: at(3, 3, None), ..MemberState::default() };
        assert_eq!(state.done(), read, "reading the message is known before deleting it");
    }

    #[test]
    fn what_points_to_an_expired_message_says_nothing_and_a_block_stays() {
        let (dead, live) = (at(1, 1, Some(60)), at(2, 1, Some(61)));
        let state = MemberState { read: live, cleared: dead, unlisted: dead, blocks: true, told: Some(dead) };
        let left = state.without_expired(60_000);
        let gone = ReadMarker::default();
        assert_eq!(
            left,
            MemberState { cleared: gone, unlisted: gone, told: Some(gone), ..state },
            "behind a block the peer goes on being told what is left of what they were told"
        );

        let state = MemberState { read: dead, cleared: live, unlisted: live, ..state };
        assert_eq!(state.without_expired(60_000), MemberState { read: gone, told: Some(gone), ..state });
    }

    #[test]
    fn a_state_ends_with_the_last_of_the_messages_that_it_points_to() {
        let ends_at = |read, cleared, unlisted| {
            MemberState { read, cleared, unlisted, ..MemberState::default() }.ends_at()
        };
        let nothing = ReadMarker::default();
        assert_eq!(ends_at(at(1, 0, Some(60)), at(2, 0, Some(70)), nothing), Some(70));
        assert_eq!(ends_at(at(1, 0, Some(60)), at(2, 0, None), nothing), None, "one of them never does");
        assert_eq!(ends_at(nothing, nothing, nothing), Some(0), "it points to none");
    }
}
