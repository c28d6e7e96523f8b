use crate::model::{Counts, Draft, LogTail, Message, Predecessor, ReadMarker, Side};

/// What a draft becomes in a group right behind `predecessor`, with the count of all that can be unread up to it.
///
/// With all messages gone the count goes on from the number, which is never less: so it rises for ever, and what is unread
/// is counted from the oldest that lives.
pub fn next_in_group(
    tail: &LogTail,
    draft: &Draft,
    predecessor: Predecessor<'_>,
    now_ms: u64,
    retention: Option<u64>,
) -> Message {
    let before = match predecessor {
        Predecessor::Message(previous) => previous.counts,
        Predecessor::Nothing(seq) => Counts { low: seq.0, high: 0 },
    };
    let counts = if draft.is_counted() { before.and_one_from(Side::Low) } else { before };
    tail.next_message(draft, predecessor, counts, now_ms, retention)
}

/// The marker of a member who has reached a message.
pub fn group_marker(message: &Message) -> ReadMarker {
    ReadMarker {
        seq: message.seq,
        count: message.counts.low,
        time: message.time,
        expires_at: message.expires_at,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::model::{ClientId, Options, Seq, Tip, UserId};

    #[test]
    fn a_message_of_a_group_counts_all_before_it_that_can_be_unread() {
        let alice = UserId::parse("test", "alice").unwrap();
        let draft = Tip::draft(&alice, &ClientId::parse("x").unwrap(), "{}").unwrap();
        let excluded = Options { excluded_from_unread_count: true, ..Options::default() };
        let tail = LogTail::default();
        let next = |draft: &Draft, predecessor| next_in_group(&tail, draft, predecessor, 0, None);
        let first = next(&draft, Predecessor::Nothing(Seq(0)));
        let second = next(&Draft { options: excluded, ..draft.clone() }, Predecessor::Message(&first));
        let third = next(&draft, Predecessor::Message(&second));
        assert_eq!(
            [&first, &second, &third].map(|message| (message.seq.0, message.counts.low)),
            [(1, 1), (2, 1), (3, 2)]
        );
        let anew = next(&draft, Predecessor::Nothing(Seq(64)));
        assert_eq!((anew.seq, anew.counts.low), (Seq(65), 65));
    }
}
