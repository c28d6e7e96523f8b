//! What two users make of the log that they share.

use super::{
    Counts, Draft, Hidden, LogTail, MemberState, Message, Pair, Predecessor, ReadMarker, Side, UserId,
    Verdict,
};

/// The end of a one-to-one conversation, in the eyes of one of its users.
#[derive(Debug, Clone, PartialEq)]
pub struct OneToOne {
    /// The two, and whose eyes.
    pub pair: Pair,
    /// The end of their log.
    pub tail: LogTail,
}

impl OneToOne {
    /// What is kept of the user.
    pub fn me(&self) -> MemberState {
        self.tail.member(self.pair.me())
    }

    /// What is kept of the other one.
    pub fn peer(&self) -> MemberState {
        self.tail.member(self.pair.peer())
    }

    /// Changes what is kept of the user.
    pub fn set_me(&mut self, state: MemberState) {
        self.tail.members.insert(self.pair.me().clone(), state);
    }

    /// Whether one of the users has the other one on the blacklist.
    pub fn is_blocked(&self) -> bool {
        self.me().blocks || self.peer().blocks
    }

    /// How far one of them has read, as far as the other one may know.
    pub fn told(&self, user: &UserId) -> ReadMarker {
        let state = self.tail.member(user);
        state.told.filter(|_| self.is_blocked()).unwrap_or(state.read)
    }

    /// Whether the user has nothing of it in the list, and nobody is about to change that who does not know.
    pub fn is_out_of_list(&self, now_ms: u64) -> bool {
        match self.tail.newest() {
            Some(newest) => self.me().out_of_list() >= newest.position(),
            None => !self.tail.is_settling(now_ms),
        }
    }

    /// How many messages of the peer the user has neither read nor cleared. Nothing is counted anywhere: the number
    /// is a difference of two facts that are each written once, so it cannot drift.
    pub fn unread(&self) -> u64 {
        let Some(last) = self.tail.last() else { return 0 };
        last.counts.of(self.pair.mine().other()).saturating_sub(self.me().done().count)
    }

    /// The same if that message is the oldest that lives.
    pub fn unread_from(&self, oldest: &Message) -> u64 {
        let Some(last) = self.tail.last() else { return 0 };
        let peer = self.pair.mine().other();
        let is_counted = oldest.from == *self.pair.peer() && oldest.is_counted();
        let before = oldest.counts.of(peer).saturating_sub(u64::from(is_counted));
        last.counts.of(peer).saturating_sub(before).min(self.unread())
    }

    /// What the draft becomes right behind `predecessor`.
    ///
    /// With all messages gone, the counts start from what each side has read or cleared, so that what nobody
    /// can see any more is not unread either.
    pub fn next_message(
        &self,
        draft: &Draft,
        predecessor: Predecessor<'_>,
        now_ms: u64,
        retention: Option<u64>,
    ) -> Message {
        let done = |side: Side| self.tail.member(self.pair.user(side)).done().count;
        let counts = match predecessor {
            Predecessor::Message(previous) => previous.counts,
            Predecessor::Nothing(_) => Counts { low: done(Side::High), high: done(Side::Low) },
        };
        let side = self.pair.side_of(&draft.from);
        let counts = if draft.is_counted() { counts.and_one_from(side) } else { counts };
        let message = self.tail.next_message(draft, predecessor, counts, now_ms, retention);
        let is_withheld = draft.callbacks.verdict == Verdict::Withheld;
        let from = |hidden: Side| match hidden == side {
            true => draft.is_hidden_from_sender,
            false => is_withheld,
        };
        Message { hidden: Hidden { from_low: from(Side::Low), from_high: from(Side::High) }, ..message }
    }
}

impl Pair {
    /// The marker of the user who has reached a message.
    pub fn marker_at(&self, message: &Message) -> ReadMarker {
        ReadMarker {
            seq: message.seq,
            count: message.counts.of(self.mine().other()),
            time: message.time,
            expires_at: message.expires_at,
        }
    }

    /// Whether the user has deleted a message for themselves. It still counts and keeps its number.
    pub fn hides(&self, message: &Message) -> bool {
        message.hidden.from(self.mine())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{
        model::{CallbackNotes, ClientId, Elem, Options, Seq, log::floor_of},
        protocol::to_raw,
    };

    const SIDES: [Side; 2] = [Side::Low, Side::High];

    /// The conversation in the eyes of the user on a side.
    fn conversation(side: Side) -> OneToOne {
        let [alice, bob] = ["alice", "bob"].map(|name| UserId::parse("test", name).unwrap());
        let pair = if side == Side::Low { Pair::of(&alice, &bob) } else { Pair::of(&bob, &alice) };
        OneToOne { pair: pair.unwrap(), tail: LogTail::default() }
    }

    fn draft(from: Side, options: Options) -> Draft {
        Draft::new(
            ClientId::parse("x").unwrap(),
            conversation(from).pair.me().clone(),
            Elem::parse("TIMTextElem", &to_raw(&json!({ "text": "hi" })), None).unwrap(),
            options,
        )
    }

    /// The same end of the log in the eyes of the user on a side.
    fn seen_by(side: Side, tail: &LogTail) -> OneToOne {
        OneToOne { tail: tail.clone(), ..conversation(side) }
    }

    fn change(side: Side, tail: &mut LogTail, change: impl FnOnce(&mut MemberState)) {
        let user = conversation(side).pair.me().clone();
        change(tail.members.entry(user).or_default());
    }

    fn at(seq: u64, count: u64, expires_at: Option<u64>) -> ReadMarker {
        ReadMarker { seq: Seq(seq), count, time: seq * 1000, expires_at }
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
            let mut tail = LogTail::default();
            let mut log: Vec<Message> = Vec::new();
            let mut used = Seq(0);
            for step in steps {
                match step {
                    Step::Send(side, options) => {
                        let predecessor = match log.last() {
                            Some(last) => Predecessor::Message(last),
                            None => Predecessor::Nothing(floor_of(used)),
                        };
                        let message =
                            seen_by(side, &tail).next_message(&draft(side, options), predecessor, 0, Some(60));
                        prop_assert!(message.seq > used);
                        prop_assert!(log.is_empty() || message.seq.0 == used.0 + 1, "the numbers have no hole");
                        used = message.seq;
                        log.push(message);
                    }
                    Step::Read(side, seq) => {
                        let reached = log.iter().rev().find(|message| message.seq.0 <= seq);
                        let seen = seen_by(side, &tail);
                        if let Some(message) = reached.filter(|message| message.seq > seen.me().read.seq) {
                            change(side, &mut tail, |state| state.read = seen.pair.marker_at(message));
                        }
                    }
                    Step::Clear(side) => {
                        if let Some(message) = log.last() {
                            let marker = conversation(side).pair.marker_at(message);
                            change(side, &mut tail, |state| state.cleared = marker);
                        }
                    }
                    Step::Unlist(side) => {
                        if let Some(message) = log.last() {
                            let marker = conversation(side).pair.marker_at(message);
                            change(side, &mut tail, |state| state.unlisted = marker);
                        }
                    }
                    Step::ExpireAll => log.clear(),
                }
                tail.messages = log.iter().rev().cloned().collect();
                let newest = log.iter().rev().find(|message| !message.options.excluded_from_last_message);
                let listed = tail.last().map(|last| last.listed);
                prop_assert_eq!(listed.unwrap_or_default(), newest.map(|message| message.seq).unwrap_or_default());
                for side in SIDES {
                    let seen = seen_by(side, &tail);
                    let MemberState { read, cleared, unlisted, .. } = seen.me();
                    let brute_force = log
                        .iter()
                        .filter(|message| message.from == *seen.pair.peer())
                        .filter(|message| !message.options.excluded_from_unread_count)
                        .filter(|message| message.seq > read.seq.max(cleared.seq).max(unlisted.seq))
                        .count() as u64;
                    prop_assert_eq!(seen.unread(), brute_force);
                }
            }
        }

        #[test]
        fn time_and_expiry_never_decrease(nows in prop::collection::vec((0_u64..100_000, prop::option::of(0_u64..100)), 1..30)) {
            let mut log: Vec<Message> = Vec::new();
            for (now, retention) in nows {
                let predecessor = log.last().map_or(Predecessor::Nothing(Seq(0)), Predecessor::Message);
                let draft = draft(Side::Low, Options::default());
                log.push(conversation(Side::Low).next_message(&draft, predecessor, now, retention));
            }
            for (a, b) in log.iter().zip(log.iter().skip(1)) {
                prop_assert!(a.time <= b.time);
                prop_assert!(a.expires_at.unwrap_or(u64::MAX) <= b.expires_at.unwrap_or(u64::MAX));
            }
        }
    }

    fn first(tail: LogTail, behind: u64, now_ms: u64, retention: Option<u64>) -> Message {
        let draft = draft(Side::Low, Options::default());
        seen_by(Side::Low, &tail).next_message(&draft, Predecessor::Nothing(Seq(behind)), now_ms, retention)
    }

    #[test]
    fn a_user_who_has_reached_a_message_has_left_behind_all_that_the_peer_had_sent_by_then() {
        let counts = Counts { low: 4, high: 5 };
        let message = Message { seq: Seq(9), counts, ..first(LogTail::default(), 0, 9_000, Some(60)) };
        let markers = SIDES.map(|side| conversation(side).pair.marker_at(&message));
        assert_eq!(markers, [at(9, 5, Some(69)), at(9, 4, Some(69))]);
    }

    #[test]
    fn what_is_kept_of_one_user_is_not_what_is_kept_of_the_other_one() {
        let mut tail = LogTail::default();
        change(Side::Low, &mut tail, |low| low.read = at(1, 0, None));
        change(Side::High, &mut tail, |high| high.read = at(2, 0, None));
        assert_eq!(SIDES.map(|side| seen_by(side, &tail).me().read.seq), [Seq(1), Seq(2)]);
        assert_eq!(SIDES.map(|side| seen_by(side, &tail).peer().read.seq), [Seq(2), Seq(1)]);
    }

    #[test]
    fn a_message_lives_as_long_as_retention_says_and_never_less_than_the_one_before_it() {
        let draft = draft(Side::Low, Options::default());
        let ends_at = |before: Option<u64>, now_ms, retention| {
            let first = first(LogTail::default(), 0, 0, before);
            let predecessor = Predecessor::Message(&first);
            conversation(Side::Low).next_message(&draft, predecessor, now_ms, retention).expires_at
        };
        assert_eq!(ends_at(Some(60), 1_000, Some(100)), Some(101));
        assert_eq!(ends_at(Some(60), 1_000, Some(10)), Some(60), "the one before it lives until then");
        assert_eq!(ends_at(None, 1_000, Some(10)), None, "the one before it lives for ever");
        assert_eq!(ends_at(Some(60), 1_000, None), None, "the operator keeps messages from now on");
    }

    #[test]
    fn the_first_message_expires_with_its_second_and_nothing_beside_it_is_kept_yet() {
        let first = first(LogTail::default(), 0, 1_000_999, Some(60));
        assert_eq!((first.seq, first.time), (Seq(1), 1_000_999));
        assert_eq!((first.expires_at, first.kept_until), (Some(1060), Some(0)));
        let tail = LogTail { messages: vec![first], ..LogTail::default() };
        assert_eq!(tail.last_seq(), Seq(1));
    }

    #[test]
    fn with_all_messages_gone_numbers_counts_and_time_go_on_from_how_far_both_have_got() {
        let mut tail = LogTail::default();
        change(Side::Low, &mut tail, |low| low.read = ReadMarker { time: 9_000, ..at(32, 7, None) });
        change(Side::High, &mut tail, |high| high.cleared = ReadMarker { time: 8_000, ..at(31, 5, None) });
        let next = first(tail.clone(), 32, 1_000, None);
        assert_eq!((next.seq, next.counts), (Seq(33), Counts { low: 6, high: 7 }));
        assert_eq!(next.time, 9_000, "of the two, what is later");
        change(Side::High, &mut tail, |high| high.cleared.time = 10_000);
        assert_eq!(first(tail, 32, 1_000, None).time, 10_000);
    }

    #[test]
    fn behind_a_block_of_either_user_both_are_shown_what_was_told_before() {
        let (read, told) = (at(9, 0, None), at(5, 0, None));
        for (low_blocks, high_blocks, shown) in
            [(false, false, read), (true, false, told), (false, true, told), (true, true, told)]
        {
            let mut tail = LogTail::default();
            change(Side::Low, &mut tail, |low| {
                *low = MemberState { read, told: Some(told), blocks: low_blocks, ..MemberState::default() };
            });
            change(Side::High, &mut tail, |high| {
                *high = MemberState { read, blocks: high_blocks, ..MemberState::default() };
            });
            for side in SIDES {
                let seen = seen_by(side, &tail);
                let [low, high] = SIDES.map(|side| seen.pair.user(side).clone());
                assert_eq!(seen.is_blocked(), low_blocks || high_blocks);
                assert_eq!(seen.told(&low), shown);
                assert_eq!(seen.told(&high), read, "who has not read on behind it keeps nothing back");
            }
        }
    }

    #[test]
    fn what_expired_unread_is_not_unread() {
        let mut tail = LogTail::default();
        for sent in 0..3 {
            let excluded_from_unread_count = sent == 1;
            let options = Options { excluded_from_unread_count, ..Options::default() };
            let predecessor = tail.last().map_or(Predecessor::Nothing(Seq(0)), Predecessor::Message);
            let next =
                seen_by(Side::High, &tail).next_message(&draft(Side::High, options), predecessor, 0, None);
            tail.messages.insert(0, next);
        }
        let seen = seen_by(Side::Low, &tail);
        let unread_from = |seq: u64| {
            let oldest = tail.messages.iter().find(|message| message.seq == Seq(seq)).unwrap();
            seen.unread_from(oldest)
        };
        assert_eq!(seen.unread(), 2);
        assert_eq!([1, 2, 3].map(unread_from), [2, 1, 1]);
    }

    #[test]
    fn what_is_withheld_is_hidden_from_the_other_user_and_never_unread() {
        for side in SIDES {
            let mut tail = LogTail::default();
            for verdict in [Verdict::Untouched, Verdict::Withheld, Verdict::Rewritten] {
                let draft = Draft {
                    callbacks: CallbackNotes { verdict, ..CallbackNotes::default() },
                    ..draft(side, Options::default())
                };
                let predecessor = tail.last().map_or(Predecessor::Nothing(Seq(0)), Predecessor::Message);
                let next = seen_by(side, &tail).next_message(&draft, predecessor, 0, None);
                tail.messages.insert(0, next);
            }
            let hidden = |side: Side| {
                let hides = |message: &Message| conversation(side).pair.hides(message);
                tail.messages.iter().map(hides).collect::<Vec<_>>()
            };
            assert_eq!(hidden(side.other()), [false, true, false]);
            assert_eq!(hidden(side), [false, false, false]);
            let reader = seen_by(side.other(), &tail);
            assert_eq!(reader.unread(), 2);
            assert_eq!([0, 1, 2].map(|at| reader.unread_from(&tail.messages[at])), [1, 1, 2]);
        }
    }

    #[test]
    fn a_message_is_hidden_from_who_has_deleted_it_alone() {
        let hidden = |from_low, from_high| {
            let sent =
                Message { hidden: Hidden { from_low, from_high }, ..first(LogTail::default(), 0, 0, None) };
            SIDES.map(|side| conversation(side).pair.hides(&sent))
        };
        assert_eq!(hidden(true, false), [true, false]);
        assert_eq!(hidden(false, true), [false, true]);
    }
}
