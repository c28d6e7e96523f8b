//! Conversations of two users: their logs, who blocks whom, and what a user learns of the other one's reading.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{
    blocks::Blocks,
    log::{Fault, Log, Message, Sight},
    operations::{
        Answer, Operation, Point, group_of, is_range, list, name, numbers, peer_of, seconds, text, what_of,
    },
    view::View,
};
use crate::history::{Event, Push, Rules, What};

/// The two users, in order.
type Pair<'a> = (&'a str, &'a str);

/// What a message was when it was sent.
struct Sent<'a> {
    at: u64,
    to: &'a str,
    what: Value,
    op: u64,
}

struct Two<'a> {
    rules: &'a Rules,
    operations: &'a [Operation<'a>],
    sent: HashMap<(&'a str, &'a str), Sent<'a>>,
    logs: HashMap<Pair<'a>, Log<'a>>,
    blocks: Blocks,
    end: Option<(u64, u64)>,
    wrong: Vec<Fault>,
}

/// What is wrong with the conversations of a history, of which these are the operations, and how many messages they have.
pub fn check<'a>(
    rules: &'a Rules,
    operations: &'a [Operation<'a>],
    sights: &[Sight<'a>],
    events: &'a [Event],
    end: Option<(u64, u64)>,
) -> (Vec<Fault>, usize) {
    let mut two = Two::new(rules, operations, end);
    two.learn_all(sights);
    two.check_logs();
    two.check_answers();
    two.check_pushes(events);
    two.check_end();
    let messages = two.logs.values().map(|log| log.messages.len()).sum();
    (two.wrong, messages)
}

impl<'a> Two<'a> {
    fn new(rules: &'a Rules, operations: &'a [Operation<'a>], end: Option<(u64, u64)>) -> Self {
        let mut sent: HashMap<(&str, &str), Sent> = HashMap::new();
        for operation in operations.iter().filter(|operation| operation.action == "sendMessage") {
            sent.entry((operation.user, text(operation.data, "clientID"))).or_insert_with(|| Sent {
                at: operation.at,
                to: text(operation.data, "to"),
                what: what_of(operation.data),
                op: operation.op,
            });
        }
        let blocks = Blocks::of(operations.iter().filter_map(|operation| {
            let adds = match operation.action {
                "addToBlacklist" => true,
                "removeFromBlacklist" => false,
                _ => return None,
            };
            let done = operation.good().map(|answer| answer.at);
            let peers = operation.data["userIDList"].as_array()?.iter().filter_map(Value::as_str);
            Some((operation.user, peers.collect::<Vec<_>>(), adds, operation.at, done))
        }));
        Self { rules, operations, sent, logs: HashMap::new(), blocks, end, wrong: Vec::new() }
    }

    /// Their log. With retention, numbers go on behind a block when all has expired, so what nobody has ever seen may
    /// have had any.
    fn log(&mut self, a: &'a str, b: &'a str) -> &mut Log<'a> {
        let (low, high) = pair(a, b);
        let new = || Log::new(self.rules, format!("{low}·{high}"), u64::MAX);
        self.logs.entry((low, high)).or_insert_with(new)
    }

    fn learn_all(&mut self, sights: &[Sight<'a>]) {
        for sight in sights.iter().filter(|sight| !sight.is_of_group()) {
            let learnt = self.learn(sight);
            self.wrong.extend(learnt.err());
        }
        self.find_unseen();
        for operation in self.operations {
            if operation.action == "setMessageRead" {
                self.log(operation.user, peer_of(operation.data)).learn_mark(operation);
            }
            for listed in operation.listed().filter(|listed| is_of_two(listed)) {
                self.log(operation.user, peer_of(listed)).learn_listed(operation, listed);
            }
        }
        self.logs.values_mut().for_each(Log::finish);
    }

    fn learn(&mut self, sight: &Sight<'a>) -> Result<(), Fault> {
        let Sight { point, user, message, at, .. } = *sight;
        let ((from, _), to) = (sight.name(), text(message, "to"));
        if user != from && user != to {
            return Err((point, format!("{sight} shows what does not concern {user}: {message}")));
        }
        let Some(sent) = self.sent.get(&sight.name()) else {
            return Err((point, format!("{sight} shows what nobody has sent: {message}")));
        };
        let Sent { at: sent_at, to: sent_to, what, op } = sent;
        if *sent_at > at {
            let late = format!("{sight} shows what op {op} sends only at {}: {message}", seconds(*sent_at));
            return Err((Point::Unanswered, late));
        }
        if *sent_to != to || *what != what_of(message) {
            return Err((
                point,
                format!("{sight} shows {message}, but op {op} has sent {what} to {sent_to}"),
            ));
        }
        // One's own is never unread.
        let (sent_at, noted_at) = (*sent_at, 0);
        self.log(from, to).learn(sight, sent_at, noted_at)
    }

    /// What was sent and of which nobody ever saw that it was there within its life. It may have been, and is there
    /// again under another number when it was sent once more after that. Without retention it would be there in the end.
    fn find_unseen(&mut self) {
        let Some(lifetime) = self.rules.retention else { return };
        let mut counted: HashMap<(&str, &str), u64> = HashMap::new();
        for operation in self.operations.iter().filter(|operation| operation.action == "sendMessage") {
            let (from, to, now) = (operation.user, text(operation.data, "to"), operation.clock / 1000);
            let sent = (from, text(operation.data, "clientID"));
            let log = self.log(from, to);
            let mut numbers = log.numbers.get(&sent).into_iter().flatten();
            let is_seen = numbers.any(|number| log.messages[number].time.abs_diff(now) < lifetime);
            let is_counted = counted.get(&sent).is_some_and(|then| now - then < lifetime);
            if !is_seen && !is_counted {
                counted.insert(sent, now);
                log.never_saw(from, operation.at);
            }
        }
    }

    fn check_logs(&mut self) {
        let end = self.end.map_or(u64::MAX, |(_, clock)| clock);
        for ((low, high), log) in &self.logs {
            // Both see all of it.
            log.check(0, end, &mut self.wrong);
            for message in log.messages.values() {
                let Message { client_id, from, sent_at, seen_at, seen, .. } = message;
                if let Some((by, of, since, until)) = self.blocks.forbids(low, high, *sent_at, *seen_at) {
                    let through = format!(
                        "{low}·{high}: {by} had {of} on the blacklist from {} to {}, and '{client_id}' of {from} got through, sent at {} and seen by {seen}",
                        seconds(since),
                        seconds(until),
                        seconds(*sent_at)
                    );
                    self.wrong.push((Point::Blocks, through));
                }
            }
        }
    }

    fn check_answers(&mut self) {
        let mut wrong = Vec::new();
        for operation in self.operations {
            let Some(answer) = &operation.answer else { continue };
            let view = self.view(operation, answer, peer_of(operation.data));
            match (operation.action, answer.code, view) {
                ("sendMessage", 20007, _) => self.check_refusal(operation, answer, &mut wrong),
                ("getMessageList", 0, Some(view)) => view.check_read(0, &mut wrong),
                ("setMessageRead", 0, Some(view)) => view.check_mark(&mut wrong),
                ("getConversationList", 0, _) => self.check_list(operation, answer, &mut wrong),
                ("getBlacklist" | "addToBlacklist" | "removeFromBlacklist", 0, _) => {
                    let there: HashSet<&str> =
                        list(answer.data, "blacklist").filter_map(Value::as_str).collect();
                    for why in self.blocks.contradict(operation.user, &there, operation.at, answer.at) {
                        wrong.push((Point::Blocks, format!("{} answers {why}", name(operation))));
                    }
                }
                _ => {}
            }
        }
        self.wrong.extend(wrong);
    }

    /// The log of somebody with a peer as an answer shows it, if anybody knows of one.
    fn view<'l>(
        &'l self,
        operation: &'l Operation<'l>,
        answer: &'l Answer<'l>,
        peer: &'l str,
    ) -> Option<View<'l, impl Fn(&Message) -> bool>> {
        let log = self.logs.get(&pair(operation.user, peer))?;
        Some(View {
            log,
            operation,
            answer,
            called: peer,
            came: 0,
            may_be_new: false,
            is_meeting: false,
            unseen: log.unseen_of(peer, answer.at),
            may_be_unread: |_: &Message| false,
        })
    }

    fn check_refusal(&self, operation: &Operation, answer: &Answer, wrong: &mut Vec<Fault>) {
        let to = text(operation.data, "to");
        if !self.blocks.may_forbid(operation.user, to, operation.at, answer.at) {
            let what = format!("{} is refused, but neither has the other on the blacklist", name(operation));
            wrong.push((Point::Blocks, what));
        }
    }

    fn check_list(&self, operation: &Operation, answer: &Answer, wrong: &mut Vec<Fault>) {
        let stale = self.rules.stale(operation.at);
        for listed in operation.listed().filter(|listed| is_of_two(listed)) {
            let peer = peer_of(listed);
            let Some(view) = self.view(operation, answer, peer) else { continue };
            view.check_listed(listed, stale, wrong);
            let by_peer = listed["peerReadSequence"].as_u64().unwrap_or_default();
            if by_peer > view.log.wanted(peer, answer.at) {
                let what = format!("{}: {peer} has read up to {by_peer}, and never said so", name(operation));
                wrong.push((Point::Positions, what));
            }
        }
    }

    fn check_pushes(&mut self, events: &[Event]) {
        for event in events {
            let What::Push(Push { user, event: kind, data }) = &event.what else { continue };
            if kind == "onMessageReadByPeer" {
                let (peer, read) = (peer_of(data), data["sequence"].as_u64().unwrap_or_default());
                let log = self.logs.get(&pair(user, peer));
                if read > log.map_or(0, |log| log.wanted(peer, event.at)) {
                    let at = seconds(event.at);
                    let what =
                        format!("a push to {user} at {at}: {peer} has read up to {read}, and never said so");
                    self.wrong.push((Point::Pushes, what));
                }
            }
        }
    }

    /// What everybody reads when all is over is the log, the whole log and nothing but the log.
    fn check_end(&mut self) {
        let Some((end, clock)) = self.end else {
            let what = "the history has no end, at which everything is read".to_owned();
            return self.wrong.push((Point::NoHole, what));
        };
        // All of it was read while the clock went on.
        let clocks = self.operations.iter().filter_map(|operation| Some(operation.answer?.clock));
        let clock = clocks.max().unwrap_or_default().max(clock);
        let mut last: HashMap<(&str, &str), HashSet<u64>> = HashMap::new();
        for operation in self.operations.iter().filter(|operation| operation.at > end && is_range(operation))
        {
            let read = last.entry((operation.user, peer_of(operation.data))).or_default();
            read.extend(operation.good().into_iter().flat_map(|answer| numbers(answer.data)));
        }
        for ((low, high), log) in &self.logs {
            for (user, peer) in [(*low, *high), (*high, *low)] {
                let have = last.entry((user, peer)).or_default();
                log.check_end(user, 0, have, clock, &mut self.wrong);
            }
        }
    }
}

fn pair<'a>(a: &'a str, b: &'a str) -> Pair<'a> {
    if a < b { (a, b) } else { (b, a) }
}

/// Whether an entry of a list is a conversation of two.
fn is_of_two(listed: &Value) -> bool {
    group_of("", listed).is_none()
}
