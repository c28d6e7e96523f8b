//! The rules of the log that both users of a conversation share. Everything that a send, an unread
//! count or a preview needs follows from its [`Head`].

use serde::{Deserialize, Serialize};

use super::{Counts, Draft, FOREVER_S, Hidden, Message, Options, Side};

/// The place of a message in its conversation: 1, 2, 3 and so on, without a hole. 0 stands before
/// the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The one after.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The one before.
    #[must_use]
    pub fn prev(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// Itself, unless it is the place before the first message.
    pub fn named(self) -> Option<Self> {
        (self > Self(0)).then_some(self)
    }
}

impl std::fmt::Display for Seq {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// For how long after the end of the last message a conversation settles, in seconds: a function may run for ten,
/// and clocks differ by less than what is left.
const SETTLING_S: u64 = 15;

/// How many numbers a floor reserves at once.
const FLOOR_STEP: u64 = 32;

/// A place that a user has reached: he has read, or cleared, everything up to there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// The last message that he has left behind.
    pub seq: Seq,
    /// How many messages that can be unread his *peer* had sent by then.
    pub peer_count: u64,
    /// That message's time in milliseconds.
    pub time: u64,
    /// The second in which that message expires, if it ever does. What is behind it does not before.
    pub expires_at: Option<u64>,
}

impl Position {
    /// The position of a user on one side who has reached a message.
    pub fn at(message: &Message, user: Side) -> Self {
        Self {
            seq: message.seq,
            peer_count: message.counts.of(user.other()),
            time: message.time,
            expires_at: message.expires_at,
        }
    }

    /// Whether the message is still there.
    pub fn is_live(&self, now_ms: u64) -> bool {
        self.expires_at.is_none_or(|second| second.saturating_mul(1000) > now_ms)
    }
}

/// What is kept of one user in one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// How far he has read. The peer is told.
    pub read: Position,
    /// How far he has deleted the conversation. That concerns nobody else, so it does not count as
    /// read.
    pub cleared: Position,
    /// How far they have taken it out of their list, with its history kept.
    pub unlisted: Position,
    /// They have the peer on their blacklist.
    pub blocks: bool,
    /// How far they had read when they read on behind a block: that is all that the peer may know.
    pub told: Option<Position>,
}

impl Standing {
    /// How far nothing is unread any more: what they have read, cleared or taken out of the list, whichever is
    /// farthest.
    pub fn done(&self) -> Position {
        [self.cleared, self.unlisted]
            .into_iter()
            .fold(self.read, |done, other| if other.seq > done.seq { other } else { done })
    }

    /// Without what points to messages that have expired: it says nothing about those that live, whether
    /// it has been swept or not.
    #[must_use]
    pub fn without_expired(self, now_ms: u64) -> Self {
        let live = |position: Position| if position.is_live(now_ms) { position } else { Position::default() };
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
        let positions = [self.read, self.cleared, self.unlisted];
        let mut ends = positions
            .into_iter()
            .filter(|position| position.seq > Seq(0))
            .map(|position| position.expires_at);
        ends.try_fold(0, |last: u64, end| Some(last.max(end?)))
    }
}

/// The end of a conversation: how its users stand, and its newest messages.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Head {
    /// How the low side stands.
    pub low: Standing,
    /// How the high side does.
    pub high: Standing,
    /// The newest messages, newest first. Messages that retention has ended are not among them.
    pub messages: Vec<Message>,
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

impl Head {
    /// Whether one of the users has the other one on the blacklist.
    pub fn is_blocked(&self) -> bool {
        self.low.blocks || self.high.blocks
    }

    /// How far a side has read, as far as the other side may know.
    pub fn told(&self, side: Side) -> Position {
        let standing = self.standing(side);
        standing.told.filter(|_| self.is_blocked()).unwrap_or(standing.read)
    }

    /// Whether somebody who has found the last message alive may still be writing behind it, when it is no
    /// more: numbers must not go on elsewhere at the same time.
    pub fn is_settling(&self, now_ms: u64) -> bool {
        let settled = |end: u64| end.saturating_add(SETTLING_S).saturating_mul(1000) <= now_ms;
        self.messages.is_empty() && self.stored_until.is_some_and(|end| !settled(end))
    }

    /// The last message, if there is one.
    pub fn last(&self) -> Option<&Message> {
        self.messages.first()
    }

    /// The last message's number, 0 if there is none.
    pub fn last_seq(&self) -> Seq {
        self.last().map_or(Seq(0), |message| message.seq)
    }

    /// How a side stands.
    pub fn standing(&self, side: Side) -> &Standing {
        match side {
            Side::Low => &self.low,
            Side::High => &self.high,
        }
    }

    /// How a side stands, to be changed.
    pub fn standing_mut(&mut self, side: Side) -> &mut Standing {
        match side {
            Side::Low => &mut self.low,
            Side::High => &mut self.high,
        }
    }

    /// How many messages of the peer a side has neither read nor cleared. Nothing is counted anywhere: the number
    /// is a difference of two facts that are each written once, so it cannot drift.
    pub fn unread(&self, side: Side) -> u64 {
        let Some(last) = self.last() else { return 0 };
        last.counts.of(side.other()).saturating_sub(self.standing(side).done().peer_count)
    }

    /// What the draft becomes right behind `previous`, or at `seq` when nothing is there.
    ///
    /// With all messages gone, the counts start from what each side has read or cleared, so that what nobody
    /// can see any more is not unread either.
    pub fn place(&self, draft: &Draft, after: After<'_>, now_ms: u64, retention: Option<u64>) -> Message {
        let lifetime_end = |seconds: u64| (now_ms / 1000).saturating_add(seconds);
        let (seq, counts, listed, time, expires_at, kept_until) = match after {
            After::Message(previous) => (
                previous.seq.next(),
                previous.counts,
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
            After::Nothing(seq) => (
                seq.next(),
                Counts { low: self.high.done().peer_count, high: self.low.done().peer_count },
                Seq(0),
                now_ms.max(self.low.done().time).max(self.high.done().time),
                retention.map(lifetime_end),
                Some(0),
            ),
        };
        let Options { excluded_from_unread_count, excluded_from_last_message, .. } = draft.options;
        Message {
            seq,
            client_id: draft.client_id.clone(),
            from: draft.from,
            time,
            elem: draft.elem.clone(),
            options: draft.options,
            counts: if excluded_from_unread_count { counts } else { counts.and_one_from(draft.from) },
            listed: if excluded_from_last_message { listed } else { seq },
            expires_at,
            kept_until,
            revoked_at: None,
            hidden: Hidden::default(),
        }
    }
}

/// What a new message follows.
#[derive(Debug, Clone, Copy)]
pub enum After<'a> {
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
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{
        model::{ClientId, Elem},
        protocol::to_raw,
    };

    fn draft(from: Side, options: Options) -> Draft {
        Draft {
            client_id: ClientId::parse("x").unwrap(),
            from,
            elem: Elem::parse("TIMTextElem", &to_raw(&json!({ "text": "hi" })), None).unwrap(),
            options,
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Send(Side, Options),
        Read(Side, u64),
        Clear(Side),
        Unlist(Side),
        ExpireAll,
    }

    fn step() -> impl Strategy<Value = Step> {
        let side = prop_oneof![Just(Side::Low), Just(Side::High)];
        prop_oneof![
            6 => (side.clone(), any::<bool>(), any::<bool>()).prop_map(|(side, unread, last)| {
                let options = Options {
                    excluded_from_unread_count: unread,
                    excluded_from_last_message: last,
                    ..Options::default()
                };
                Step::Send(side, options)
            }),
            2 => (side.clone(), 0_u64..40).prop_map(|(side, seq)| Step::Read(side, seq)),
            1 => side.clone().prop_map(Step::Clear),
            1 => side.prop_map(Step::Unlist),
            1 => Just(Step::ExpireAll),
        ]
    }

    proptest! {
        #[test]
        fn what_is_unread_and_what_a_list_shows_is_what_looking_at_everything_says(steps in prop::collection::vec(step(), 0..60)) {
            let mut head = Head::default();
            let mut log: Vec<Message> = Vec::new();
            let mut used = Seq(0);
            for step in steps {
                match step {
                    Step::Send(side, options) => {
                        let after = match log.last() {
                            Some(last) => After::Message(last),
                            None => After::Nothing(floor_of(used)),
                        };
                        let message = head.place(&draft(side, options), after, 0, Some(60));
                        prop_assert!(message.seq > used);
                        prop_assert!(log.is_empty() || message.seq.0 == used.0 + 1, "the numbers have no hole");
                        used = message.seq;
                        log.push(message);
                    }
                    Step::Read(side, seq) => {
                        let reached = log.iter().rev().find(|message| message.seq.0 <= seq);
                        let read = head.standing(side).read.seq;
                        if let Some(message) = reached.filter(|message| message.seq > read) {
                            head.standing_mut(side).read = Position::at(message, side);
                        }
                    }
                    Step::Clear(side) => {
                        if let Some(message) = log.last() {
                            head.standing_mut(side).cleared = Position::at(message, side);
                        }
                    }
                    Step::Unlist(side) => {
                        if let Some(message) = log.last() {
                            head.standing_mut(side).unlisted = Position::at(message, side);
                        }
                    }
                    Step::ExpireAll => log.clear(),
                }
                head.messages = log.iter().rev().cloned().collect();
                let newest = log.iter().rev().find(|message| !message.options.excluded_from_last_message);
                let listed = head.last().map(|last| last.listed);
                prop_assert_eq!(listed.unwrap_or_default(), newest.map(|message| message.seq).unwrap_or_default());
                for side in [Side::Low, Side::High] {
                    let Standing { read, cleared, unlisted, .. } = *head.standing(side);
                    let brute_force = log
                        .iter()
                        .filter(|message| message.from != side && !message.options.excluded_from_unread_count)
                        .filter(|message| message.seq > read.seq.max(cleared.seq).max(unlisted.seq))
                        .count() as u64;
                    prop_assert_eq!(head.unread(side), brute_force);
                }
            }
        }

        #[test]
        fn time_and_expiry_never_decrease(nows in prop::collection::vec((0_u64..100_000, prop::option::of(0_u64..100)), 1..30)) {
            let head = Head::default();
            let mut log: Vec<Message> = Vec::new();
            for (now, retention) in nows {
                let after = log.last().map_or(After::Nothing(Seq(0)), After::Message);
                log.push(head.place(&draft(Side::Low, Options::default()), after, now, retention));
            }
            for (a, b) in log.iter().zip(log.iter().skip(1)) {
                prop_assert!(a.time <= b.time);
                prop_assert!(a.expires_at.unwrap_or(u64::MAX) <= b.expires_at.unwrap_or(u64::MAX));
            }
        }
    }

    #[test]
    fn a_floor_is_raised_with_the_first_number_of_each_block() {
        assert_eq!(floor_before(Seq(1)), Some(Seq(32)));
        assert_eq!(floor_before(Seq(2)), None);
        assert_eq!(floor_before(Seq(32)), None);
        assert_eq!(floor_before(Seq(33)), Some(Seq(64)));
    }

    fn at(seq: u64, peer_count: u64, expires_at: Option<u64>) -> Position {
        Position { seq: Seq(seq), peer_count, time: seq * 1000, expires_at }
    }

    #[test]
    fn the_first_number_is_1_and_0_is_the_place_before_it() {
        assert_eq!(Seq(0).next(), Seq(1));
        assert_eq!((Seq(2).prev(), Seq(1).prev(), Seq(0).prev()), (Seq(1), Seq(0), Seq(0)));
        assert_eq!((Seq(0).named(), Seq(1).named()), (None, Some(Seq(1))));
        let head = Head::default();
        assert_eq!(head.last_seq(), Seq(0));
        let first = head.place(&draft(Side::Low, Options::default()), After::Nothing(Seq(0)), 0, None);
        let head = Head { messages: vec![first], ..head };
        assert_eq!(head.last_seq(), Seq(1));
    }

    #[test]
    fn a_user_who_has_reached_a_message_has_left_behind_all_that_the_peer_had_sent_by_then() {
        let message = Message {
            seq: Seq(9),
            counts: Counts { low: 4, high: 5 },
            ..Head::default().place(
                &draft(Side::Low, Options::default()),
                After::Nothing(Seq(0)),
                9_000,
                Some(60),
            )
        };
        assert_eq!(Position::at(&message, Side::Low), at(9, 5, Some(69)));
        assert_eq!(Position::at(&message, Side::High), at(9, 4, Some(69)));
    }

    #[test]
    fn a_position_lives_until_the_second_in_which_its_message_expires_begins() {
        assert!(at(1, 1, Some(60)).is_live(59_999));
        assert!(!at(1, 1, Some(60)).is_live(60_000));
        assert!(!at(1, 1, Some(60)).is_live(60_001));
        assert!(at(1, 1, None).is_live(u64::MAX));
    }

    #[test]
    fn how_one_user_stands_is_not_how_the_other_one_does() {
        let mut head = Head::default();
        head.standing_mut(Side::Low).read = at(1, 0, None);
        head.standing_mut(Side::High).read = at(2, 0, None);
        assert_eq!((head.low.read.seq, head.high.read.seq), (Seq(1), Seq(2)));
        assert_eq!([Side::Low, Side::High].map(|side| head.standing(side).read.seq), [Seq(1), Seq(2)]);
    }

    #[test]
    fn a_message_lives_as_long_as_retention_says_and_never_less_than_the_one_before_it() {
        let draft = draft(Side::Low, Options::default());
        let ends_at = |before: Option<u64>, now_ms, retention| {
            let first = Head::default().place(&draft, After::Nothing(Seq(0)), 0, before);
            Head::default().place(&draft, After::Message(&first), now_ms, retention).expires_at
        };
        assert_eq!(ends_at(Some(60), 1_000, Some(100)), Some(101));
        assert_eq!(ends_at(Some(60), 1_000, Some(10)), Some(60), "the one before it lives until then");
        assert_eq!(ends_at(None, 1_000, Some(10)), None, "the one before it lives for ever");
        assert_eq!(ends_at(Some(60), 1_000, None), None, "the operator keeps messages from now on");
    }

    #[test]
    fn the_first_message_expires_with_its_second_and_nothing_beside_it_is_kept_yet() {
        let first = Head::default().place(
            &draft(Side::Low, Options::default()),
            After::Nothing(Seq(0)),
            1_000_999,
            Some(60),
        );
        assert_eq!((first.time, first.expires_at, first.kept_until), (1_000_999, Some(1060), Some(0)));
    }

    #[test]
    fn with_all_messages_gone_numbers_counts_and_time_go_on_from_how_far_both_have_got() {
        let mut head = Head::default();
        head.low.read = Position { time: 9_000, ..at(32, 7, None) };
        head.high.cleared = Position { time: 8_000, ..at(31, 5, None) };
        let place = |head: &Head| {
            head.place(&draft(Side::Low, Options::default()), After::Nothing(Seq(32)), 1_000, None)
        };
        let next = place(&head);
        assert_eq!((next.seq, next.counts), (Seq(33), Counts { low: 6, high: 7 }));
        assert_eq!(next.time, 9_000, "of the two, what is later");
        head.high.cleared.time = 10_000;
        assert_eq!(place(&head).time, 10_000);
    }

    #[test]
    fn of_what_is_read_cleared_or_unlisted_the_farthest_is_done() {
        let done = |read, cleared, unlisted| {
            let [read, cleared, unlisted] = [read, cleared, unlisted].map(|seq| at(seq, seq, None));
            Standing { read, cleared, unlisted, ..Standing::default() }.done().seq.0
        };
        assert_eq!([done(3, 2, 1), done(1, 3, 2), done(1, 2, 3), done(2, 3, 1)], [3, 3, 3, 3]);
        let read = Position { expires_at: Some(60), ..at(3, 3, None) };
        let standing = Standing { read, cleared: at(3, 3, None), ..Standing::default() };
        assert_eq!(standing.done(), read, "reading the message is known before deleting it");
    }

    #[test]
    fn what_points_to_an_expired_message_says_nothing_and_a_block_stays() {
        let (dead, live) = (at(1, 1, Some(60)), at(2, 1, Some(61)));
        let standing = Standing { read: live, cleared: dead, unlisted: dead, blocks: true, told: Some(dead) };
        let left = standing.without_expired(60_000);
        let gone = Position::default();
        assert_eq!(
            left,
            Standing { cleared: gone, unlisted: gone, ..standing },
            "what the peer was told lasts as long as what was read"
        );

        let standing = Standing { read: dead, cleared: live, unlisted: live, ..standing };
        assert_eq!(standing.without_expired(60_000), Standing { read: gone, told: None, ..standing });
    }

    #[test]
    fn a_standing_ends_with_the_last_of_the_messages_that_it_points_to() {
        let ends_at =
            |read, cleared, unlisted| Standing { read, cleared, unlisted, ..Standing::default() }.ends_at();
        let nothing = Position::default();
        assert_eq!(ends_at(at(1, 0, Some(60)), at(2, 0, Some(70)), nothing), Some(70));
        assert_eq!(ends_at(at(1, 0, Some(60)), at(2, 0, None), nothing), None, "one of them never does");
        assert_eq!(ends_at(nothing, nothing, nothing), Some(0), "it points to none");
    }

    #[test]
    fn behind_a_block_of_either_user_both_are_shown_what_was_told_before() {
        let (read, told) = (at(9, 0, None), at(5, 0, None));
        for (low_blocks, high_blocks, shown) in
            [(false, false, read), (true, false, told), (false, true, told), (true, true, told)]
        {
            let low = Standing { read, told: Some(told), blocks: low_blocks, ..Standing::default() };
            let high = Standing { read, blocks: high_blocks, ..Standing::default() };
            let head = Head { low, high, ..Head::default() };
            assert_eq!(head.is_blocked(), low_blocks || high_blocks);
            assert_eq!(head.told(Side::Low), shown);
            assert_eq!(head.told(Side::High), read, "who has not read on behind it keeps nothing back");
        }
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
