use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{GroupType, Role};
use crate::model::{MemberState, Message, ReadMarker, Seq, UserId};

/// How many of their own messages somebody may have behind their read position. With one more they are taken to have read
/// up to the middle of them.
pub const OWN_AT_MOST: usize = 100;

/// What a member wants to hear of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum RemindType {
    /// Everything.
    #[default]
    AcceptAndNotify,
    /// Everything, and the client makes no noise about it.
    AcceptNotNotify,
    /// Nothing is pushed.
    Discard,
}

/// A message that concerns a member by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Which.
    pub seq: Seq,
    /// Who has sent it; nobody in particular when that is not known any more.
    pub from: Option<UserId>,
    /// It concerns this member.
    pub me: bool,
    /// It concerns all.
    pub all: bool,
}

/// What a member has of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MyGroup {
    /// What they are in it.
    pub role: Role,
    /// When they came, in seconds.
    pub joined_at: u64,
    /// Up to this message nothing is shown to them: it was said before they came.
    pub joined: Seq,
    /// By which name they go in it.
    pub card: String,
    /// What they want to hear of it.
    pub remind: RemindType,
    /// They keep it on top of their list.
    pub is_pinned: bool,
    /// How far they have read, cleared and unlisted it.
    pub state: MemberState,
    /// Which messages behind that are their own.
    pub own: BTreeSet<Seq>,
    /// Which messages concern them, and who has sent those.
    pub mentions: BTreeMap<Seq, Option<UserId>>,
}

impl MyGroup {
    /// Up to which message nothing is shown to them.
    pub fn hidden_up_to(&self) -> Seq {
        self.joined.max(self.state.cleared.seq)
    }

    /// How many messages of others they have neither read nor cleared, when this is the last one. Nothing is counted
    /// per member: it is the difference of two counts of the log, and a set of their own numbers.
    ///
    /// `oldest` is the oldest message that lives, when retention may have ended what is behind their mark.
    pub fn unread(&self, kind: GroupType, last: Option<&Message>, oldest: Option<&Message>) -> u64 {
        let Some(last) = last.filter(|_| !kind.is_meeting()) else { return 0 };
        let ReadMarker { mut seq, mut count, .. } = self.state.done();
        if seq < self.joined {
            seq = self.joined;
        }
        if let Some(oldest) = oldest.filter(|oldest| oldest.seq > seq) {
            let before = oldest.counts.low.saturating_sub(u64::from(oldest.is_counted()));
            (seq, count) = (oldest.seq.prev(), count.max(before));
        }
        let own = self.own.range(seq.next()..).take_while(|own| **own <= last.seq).count() as u64;
        last.counts.low.saturating_sub(count).saturating_sub(own)
    }

    /// Whether what is unread can be told without a look at the log.
    pub fn knows_where_it_was(&self) -> bool {
        self.state.done().seq > Seq(0)
    }

    /// The messages behind their read position that concern them, oldest first. Who names all does not name themselves.
    pub fn unread_mentions(&self, me: &UserId, all: Option<&(Seq, UserId)>) -> Vec<Mention> {
        let read = self.state.done().seq.max(self.joined);
        let mine = self.mentions.iter().map(|(seq, from)| (*seq, from.clone(), true, false));
        let all = all.filter(|(_, from)| from != me);
        let all = all.map(|(seq, from)| (*seq, Some(from.clone()), false, true));
        let mut mentions: BTreeMap<Seq, Mention> = BTreeMap::new();
        for (seq, from, me, all) in mine.chain(all).filter(|(seq, ..)| *seq > read) {
            let mention = mentions.entry(seq).or_insert(Mention { seq, from, me: false, all: false });
            mention.me |= me;
            mention.all |= all;
        }
        mentions.into_values().collect()
    }

    /// Where somebody with too many own messages is taken to have read up to.
    pub fn middle_of_own(&self) -> Option<Seq> {
        let read = self.state.done().seq;
        let own: Vec<Seq> = self.own.iter().copied().filter(|own| *own > read).collect();
        if own.len() > OWN_AT_MOST { own.get(OWN_AT_MOST / 2).copied() } else { None }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{
        model::{ClientId, Counts, Draft, Elem, Mark, Options},
        protocol::to_raw,
    };

    fn user(name: &str) -> UserId {
        UserId::parse("test", name).unwrap()
    }

    fn message(seq: u64, count: u64, is_counted: bool) -> Message {
        let elem = Elem::parse("TIMTextElem", &to_raw(&json!({ "text": "hi" })), None).unwrap();
        let options = Options { excluded_from_unread_count: !is_counted, ..Options::default() };
        let draft = Draft::new(ClientId::parse("x").unwrap(), user("alice"), elem, options);
        Message { seq: Seq(seq), counts: Counts { low: count, high: 0 }, ..draft.online_only(0) }
    }

    proptest! {
        #[test]
        fn unread_is_what_a_count_of_all_says(
            log in prop::collection::vec((any::<bool>(), any::<bool>()), 1..40),
            marks in prop::array::uniform3(0_u64..40), joined in 0_u64..40, seen in 1_usize..40
        ) {
            // Each message: whether it is one's own, and whether it counts.
            let count_at = |seq: u64| log.iter().take(seq as usize).filter(|(_, counts)| *counts).count() as u64;
            let at = |seq: u64| ReadMarker { seq: Seq(seq), count: count_at(seq), ..ReadMarker::default() };
            let end = log.len() as u64;
            let [read, cleared, unlisted] = marks.map(|seq| seq.min(end));
            let joined = joined.min(end);
            // Who comes has read up to there.
            let mut mine = MyGroup { joined: Seq(joined), ..MyGroup::default() };
            for (mark, seq) in [(Mark::Read, read.max(joined)), (Mark::Cleared, cleared), (Mark::Unlisted, unlisted)] {
                mine.state = mine.state.with(mark, at(seq));
            }
            for (seq, (own, counts)) in (1..).zip(&log) {
                if *own && *counts {
                    mine.own.insert(Seq(seq));
                }
            }
            let done = read.max(cleared).max(unlisted).max(joined);
            // The end of the log may be seen as it was before the latest of one's own messages.
            let seen = (seen as u64).min(end).max(1);
            let others = (1..).zip(&log).filter(|(seq, (own, counts))| *seq > done && *seq <= seen && !own && *counts);
            let last = message(seen, count_at(seen), log[seen as usize - 1].1);
            if seen >= done {
                prop_assert_eq!(mine.unread(GroupType::Public, Some(&last), None), others.count() as u64);
            }
            prop_assert_eq!(mine.unread(GroupType::Meeting, Some(&last), None), 0);
            prop_assert_eq!(mine.unread(GroupType::Public, None, None), 0);
        }
    }

    #[test]
    fn what_expired_unread_is_not_unread() {
        let mine = MyGroup { own: [Seq(9)].into(), ..MyGroup::default() };
        // Of ten the first five have gone; one of the others is one's own.
        let (last, oldest) = (message(10, 10, true), message(6, 6, true));
        assert_eq!(mine.unread(GroupType::Public, Some(&last), Some(&oldest)), 4);
        assert_eq!(mine.unread(GroupType::Public, Some(&last), Some(&message(6, 5, false))), 4);
        assert!(!mine.knows_where_it_was());
    }

    #[test]
    fn a_mention_is_there_until_it_is_read_and_one_of_all_is_the_same_message() {
        let mut mine = MyGroup::default();
        for seq in [3, 5, 7] {
            mine.mentions.insert(Seq(seq), Some(user("bob")));
        }
        mine.state.read.seq = Seq(3);
        let found: Vec<_> = mine
            .unread_mentions(&user("alice"), Some(&(Seq(7), user("bob"))))
            .into_iter()
            .map(|mention| (mention.seq.0, mention.me, mention.all))
            .collect();
        assert_eq!(found, [(5, true, false), (7, true, true)]);
        assert_eq!(mine.unread_mentions(&user("alice"), Some(&(Seq(8), user("bob")))).len(), 3);
        assert_eq!(mine.unread_mentions(&user("bob"), Some(&(Seq(8), user("bob")))).len(), 2, "their own");
        mine.joined = Seq(7);
        assert!(mine.unread_mentions(&user("alice"), Some(&(Seq(7), user("bob")))).is_empty());
    }

    #[test]
    fn who_has_more_than_a_hundred_of_their_own_behind_their_mark_has_read_up_to_the_fifty_first() {
        let mut mine = MyGroup { own: (1..=100).map(Seq).collect(), ..MyGroup::default() };
        assert_eq!(mine.middle_of_own(), None);
        mine.own.insert(Seq(101));
        assert_eq!(mine.middle_of_own(), Some(Seq(51)));
        mine.state.read.seq = Seq(1);
        assert_eq!(mine.middle_of_own(), None, "what is stale does not count");
    }
}
