//! The rules of the log that all users of a conversation share. Everything that a send, an unread
//! count or a preview needs follows from its [`LogTail`].

use std::collections::BTreeMap;

use super::{Address, Counts, Draft, FOREVER_S, Hidden, MemberState, Message, Options, Seq, Stamp, UserId};

/// For how long after the end of the last message a conversation settles, in seconds: a function may run for ten,
/// and clocks differ by less than what is left.
const SETTLING_S: u64 = 15;

/// How many numbers a floor reserves at once.
const FLOOR_STEP: u64 = 32;

/// The end of a log: the state of the users that it names, and its newest messages.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LogTail {
    /// What is kept of each user.
    pub members: BTreeMap<UserId, MemberState>,
    /// The newest messages, newest first. Messages that retention has ended are not among them.
    pub messages: Vec<Message>,
    /// Of what was imported as history and is before all of them, the newest, newest first, as far as that was looked at.
    pub imported: Vec<Message>,
    /// Where what was looked at ends, unless that is where the log begins.
    pub goes_on_before: Option<Address>,
    /// The newest number that the store still holds, live or not.
    pub stored: Option<Seq>,
    /// The second in which the message with that number expires, if it ever does.
    pub stored_until: Option<u64>,
    /// No number up to this one may be given out when all messages are gone.
    pub floor: Option<Floor>,
}

/// What is kept of a conversation's numbers while its messages come and go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Floor {
    /// No number up to this one may be given out when all messages are gone.
    pub reserved: Seq,
    /// When there was no message the last time, the numbers went on behind this one.
    pub begun_behind: Seq,
    /// Before this second no message that came then can have expired.
    pub first_expiry: u64,
    /// The second until which all this is kept, at least.
    pub kept_until: u64,
}

impl Floor {
    /// Where the numbers go on when no message lives, and what the floor is to be then: the next one behind
    /// this one, of which `stored` is the newest message that has not been swept. Both are kept as long as
    /// the longer of the two.
    pub fn next(
        before: Option<Self>,
        stored: Option<Seq>,
        expires_at: Option<u64>,
        kept_until: u64,
        now_ms: u64,
    ) -> Self {
        let kept_until = before.map_or(kept_until, |before| before.kept_until.max(kept_until));
        let first_expiry = expires_at.unwrap_or(FOREVER_S);
        let used = stored.map_or(Seq(0), floor_of);
        match before {
            // Nothing that came since then can have expired, and nothing lives: somebody began and got no further,
            // or not yet. Where they begin, all begin, so that one of them finds the other.
            Some(before) if now_ms < before.first_expiry.saturating_mul(1000) => {
                Self { first_expiry: first_expiry.min(before.first_expiry), kept_until, ..before }
            }
            before => {
                let begun_behind = before.map_or(used, |before| before.reserved.max(used));
                Self { reserved: floor_of(begun_behind.next()), begun_behind, first_expiry, kept_until }
            }
        }
    }
}

impl LogTail {
    /// Whether somebody who has found the last message alive may still be writing behind it, when it is no
    /// more: numbers must not go on elsewhere at the same time.
    pub fn is_settling(&self, now_ms: u64) -> bool {
        let settled = |end: u64| end.saturating_add(SETTLING_S).saturating_mul(1000) <= now_ms;
        self.messages.is_empty() && self.stored_until.is_some_and(|end| !settled(end))
    }

    /// What a draft has become, if that is among the newest messages.
    pub fn find(&self, draft: &Draft) -> Option<&Message> {
        self.messages.iter().find(|message| message.is(draft))
    }

    /// The last message with a number, if there is one.
    pub fn last(&self) -> Option<&Message> {
        self.messages.first()
    }

    /// The last message, or the newest of those that were imported if there is no other.
    pub fn newest(&self) -> Option<&Message> {
        self.last().or_else(|| self.imported.first())
    }

    /// The last message's number, 0 if there is none.
    pub fn last_seq(&self) -> Seq {
        self.last().map_or(Seq(0), |message| message.seq)
    }

    /// What is kept of a user.
    pub fn member(&self, user: &UserId) -> MemberState {
        self.members.get(user).copied().unwrap_or_default()
    }

    /// Whether a user has this message and all before it out of their list. Once that is so, the list may have let go
    /// of the conversation.
    fn is_out_of_a_list(&self, seq: Seq) -> bool {
        self.members.values().any(|member| member.out_of_list().seq() >= seq)
    }

    /// What the draft becomes right behind `predecessor`, with the counts that include it.
    pub fn next_message(
        &self,
        draft: &Draft,
        predecessor: Predecessor<'_>,
        counts: Counts,
        now_ms: u64,
        retention: Option<u64>,
    ) -> Message {
        let lifetime_end = |seconds: u64| (now_ms / 1000).saturating_add(seconds);
        let (seq, listed, time, expires_at, kept_until) = match predecessor {
            Predecessor::Message(previous) => (
                previous.seq.next(),
                previous.listed,
                now_ms.max(previous.time),
                match (previous.expires_at, retention) {
                    // A message must not die before its predecessor, or a live message could hide
                    // that newer numbers have been given out.
                    (Some(end), Some(seconds)) => Some(end.max(lifetime_end(seconds))),
                    _ => None,
                },
                previous.kept_until,
            ),
            Predecessor::Nothing(seq) => (
                seq.next(),
                Seq(0),
                self.members.values().fold(now_ms, |latest, member| latest.max(member.done().time)),
                retention.map(lifetime_end),
                Some(0),
            ),
        };
        let moved_up = match predecessor {
            Predecessor::Message(previous) => {
                previous.moved_up.next(time, self.is_out_of_a_list(previous.seq))
            }
            Predecessor::Nothing(_) => Stamp(time),
        };
        let Options { excluded_from_last_message, .. } = draft.options;
        Message {
            seq,
            imported: None,
            client_id: draft.client_id.clone(),
            from: draft.from.clone(),
            time,
            elem: draft.elem.clone(),
            options: draft.options,
            counts,
            listed: if excluded_from_last_message { listed } else { seq },
            expires_at,
            kept_until,
            moved_up,
            revoked_at: None,
            revoked_by: None,
            hidden: Hidden::default(),
            callbacks: draft.callbacks.clone(),
        }
    }
}

/// What a new message follows.
#[derive(Debug, Clone, Copy)]
pub enum Predecessor<'a> {
    /// A live message.
    Message(&'a Message),
    /// No live message; the numbers up to this one are used up.
    Nothing(Seq),
}

/// Whether the floor has to be raised before this number is given out to a message that can expire:
/// it is the first of a block. The floor then covers the whole block.
pub fn floor_before(seq: Seq) -> Option<Seq> {
    (seq.0 % FLOOR_STEP == 1).then(|| floor_of(seq))
}

/// The end of the block in which a number lies.
pub fn floor_of(seq: Seq) -> Seq {
    Seq(seq.0.div_ceil(FLOOR_STEP).saturating_mul(FLOOR_STEP))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_is_1_and_0_is_the_place_before_it() {
        assert_eq!(Seq(0).next(), Seq(1));
        assert_eq!((Seq(2).prev(), Seq(1).prev(), Seq(0).prev()), (Seq(1), Seq(0), Seq(0)));
        assert_eq!((Seq(0).named(), Seq(1).named()), (None, Some(Seq(1))));
        assert_eq!(LogTail::default().last_seq(), Seq(0));
    }

    #[test]
    fn a_floor_is_raised_with_the_first_number_of_each_block() {
        assert_eq!(floor_before(Seq(1)), Some(Seq(32)));
        assert_eq!(floor_before(Seq(2)), None);
        assert_eq!(floor_before(Seq(32)), None);
        assert_eq!(floor_before(Seq(33)), Some(Seq(64)));
    }

    #[test]
    fn numbers_go_on_behind_what_is_reserved_and_what_is_stored() {
        let begun = Floor { reserved: Seq(64), begun_behind: Seq(32), first_expiry: 60, kept_until: 150 };
        let next = |before, stored: Option<u64>, now_ms| {
            Floor::next(before, stored.map(Seq), Some(100), 150, now_ms)
        };
        let floor = |reserved, begun_behind, first_expiry| Floor {
            reserved: Seq(reserved),
            begun_behind: Seq(begun_behind),
            first_expiry,
            kept_until: 150,
        };
        for (before, kept_until) in [(140, 150), (160, 160)] {
            for now_ms in [0, 60_000] {
                let floor = next(Some(Floor { kept_until: before, ..begun }), None, now_ms);
                assert_eq!(floor.kept_until, kept_until, "it never ends earlier than it was to");
            }
        }

        assert_eq!(next(None, None, 0), floor(32, 0, 100), "the first of all");
        assert_eq!(
            next(None, Some(40), 0),
            floor(96, 64, 100),
            "what has not been swept shows what was given out"
        );
        // Before a message that came then could expire, there is none: nothing was sent, and nothing is skipped.
        assert_eq!(
            next(Some(begun), None, 59_999),
            begun,
            "and of two first expiries the earlier one counts"
        );
        assert_eq!(
            next(Some(Floor { first_expiry: 200, ..begun }), None, 59_999),
            Floor { first_expiry: 100, ..begun }
        );
        assert_eq!(next(Some(begun), None, 60_000), floor(96, 64, 100), "from then on one may have gone");
        assert_eq!(next(Some(begun), None, 60_001), floor(96, 64, 100));
        assert_eq!(
            next(Some(begun), Some(31), 59_999),
            begun,
            "those who begin at once begin at one place, swept or not"
        );
        assert_eq!(next(Some(begun), Some(33), 60_000), floor(96, 64, 100), "one is there, and has expired");
        assert_eq!(next(Some(begun), Some(70), 60_000), floor(128, 96, 100), "whichever is farther");
        assert_eq!(Floor::next(None, None, None, 0, 0).first_expiry, FOREVER_S);
    }
}
