//! Whether a history is one that the promises of docs/tables.md allow, in time that is linear but for sorting.
//!
//! To find an order for operations that explains what everybody saw is hard in general, because the order is
//! hidden. Here every message says its place, so there is one order, and it is checked against each of them.

mod answers;
mod blocks;
mod groups;
mod logs;
mod operations;
mod register;
mod steps;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};

use blocks::Blocks;
pub use operations::{Anomaly, Point};
use operations::{Operation, group_of, operations, peer_of, seconds, text, what_of};
use serde_json::Value;
use steps::Steps;

use crate::history::{Event, Push, Rules, What};

/// What became of a check.
#[derive(Debug, Default)]
pub struct Verdict {
    pub anomalies: Vec<Anomaly>,
    pub operations: usize,
    pub answered: usize,
    pub messages: usize,
    pub pushes: usize,
}

/// The two users, in order.
type Conversation = (String, String);

/// A message under its number.
#[derive(Debug)]
struct Message {
    from: String,
    client_id: String,
    time: u64,
    counts: bool,
    /// When it was sent for the first time, and when somebody saw it for the first time.
    sent_at: u64,
    seen_at: u64,
    seen: String,
}

/// What a message was when it was sent.
struct Sent {
    at: u64,
    to: String,
    what: Value,
    op: u64,
}

#[derive(Default)]
struct Log {
    messages: BTreeMap<u64, Message>,
    numbers: HashMap<(String, String), Vec<u64>>,
    /// The highest number that somebody had seen, and that there could be.
    known: Steps,
    possible: Steps,
    /// All numbers with their times, and how many messages of the low and the high user have to be read up to there.
    counts: Vec<(u64, u64, [u64; 2])>,
    /// What the last reads of either user had.
    last: [Option<HashSet<u64>>; 2],
}

/// Numbers, and when they came.
type Growth = Vec<(u64, u64)>;

/// How far a user has read.
#[derive(Default)]
struct Position {
    known: Steps,
    /// How far anybody wanted it to be.
    wanted: Steps,
}

struct Checker<'a> {
    rules: Rules,
    operations: Vec<Operation<'a>>,
    sent: HashMap<(&'a str, &'a str), Sent>,
    logs: HashMap<Conversation, Log>,
    positions: HashMap<(String, String), Position>,
    /// When what nobody has seen was sent, by sender and receiver, in order.
    unseen: HashMap<(String, String), Vec<u64>>,
    blocks: Blocks,
    end: Option<(u64, u64)>,
    anomalies: Vec<Anomaly>,
}

/// Checks a history.
pub fn check(events: &[Event]) -> Verdict {
    let all = operations(events);
    let mut checker = Checker::new(events, &all);
    checker.learn_all(events);
    checker.prepare();
    checker.check_logs();
    checker.check_answers();
    checker.check_pushes(events);
    checker.check_end();
    let answered = all.iter().filter(|operation| operation.answer.is_some()).count();
    let (wrong, messages) = groups::check(&checker.rules, &all, events, checker.end);
    checker.anomalies.extend(wrong);
    checker.anomalies.sort_by_key(|anomaly| anomaly.point);
    checker.anomalies.dedup();
    Verdict {
        operations: all.len(),
        answered,
        messages: messages + checker.logs.values().map(|log| log.messages.len()).sum::<usize>(),
        pushes: events.iter().filter(|event| matches!(event.what, What::Push(_))).count(),
        anomalies: checker.anomalies,
    }
}

impl<'a> Checker<'a> {
    fn new(events: &[Event], all: &[Operation<'a>]) -> Self {
        let mut rules = Rules::default();
        let mut end = None;
        for event in events {
            match &event.what {
                What::Begin(those) => rules = those.clone(),
                What::End(_) => end = Some((event.at, event.clock)),
                _ => {}
            }
        }
        let between_two = all.iter().filter(|operation| group_of(operation.action, operation.data).is_none());
        let operations: Vec<Operation> = between_two.copied().collect();
        let mut sent: HashMap<(&str, &str), Sent> = HashMap::new();
        for operation in operations.iter().filter(|operation| operation.action == "sendMessage") {
            sent.entry((operation.user, text(operation.data, "clientID"))).or_insert_with(|| Sent {
                at: operation.at,
                to: text(operation.data, "to").to_owned(),
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
            let done = operation.answer.as_ref().filter(|answer| answer.code == 0).map(|answer| answer.at);
            let peers = operation.data["userIDList"].as_array()?.iter().filter_map(Value::as_str);
            Some((operation.user, peers.collect::<Vec<_>>(), adds, operation.at, done))
        }));
        Self {
            rules,
            operations,
            sent,
            logs: HashMap::new(),
            positions: HashMap::new(),
            unseen: HashMap::new(),
            blocks,
            end,
            anomalies: Vec::new(),
        }
    }

    fn wrong(&mut self, point: Point, what: String) {
        self.anomalies.push(Anomaly { point, what });
    }

    fn prepare(&mut self) {
        for ((low, _), log) in &mut self.logs {
            log.known = Steps::of(log.messages.iter().map(|(number, message)| (message.seen_at, *number)));
            log.possible = Steps::of(log.messages.iter().map(|(number, message)| (message.sent_at, *number)));
            let mut counts = [0, 0];
            for (number, message) in &log.messages {
                counts[usize::from(message.from != *low)] += u64::from(message.counts);
                log.counts.push((*number, message.time, counts));
            }
        }
        self.find_unseen();
        let mut positions: HashMap<(String, String), [Growth; 2]> = HashMap::new();
        for operation in &self.operations {
            if operation.action != "setMessageRead" {
                continue;
            }
            let peer = peer_of(operation.data);
            let [known, wanted] = positions.entry((operation.user.to_owned(), peer.to_owned())).or_default();
            wanted.push((operation.at, operation.data["sequence"].as_u64().unwrap_or(u64::MAX)));
            if let Some(answer) = operation.answer.as_ref().filter(|answer| answer.code == 0) {
                known.push((answer.at, answer.data["readSequence"].as_u64().unwrap_or_default()));
            }
        }
        self.positions = positions
            .into_iter()
            .map(|(key, [known, wanted])| {
                (key, Position { known: Steps::of(known), wanted: Steps::of(wanted) })
            })
            .collect();
    }

    /// What was sent and of which nobody ever saw that it was there within its life. With retention it may have been,
    /// and is there again under another number when it was sent once more after that.
    fn find_unseen(&mut self) {
        let lifetime = self.rules.retention.unwrap_or(u64::MAX);
        let mut counted: HashMap<(&str, &str), u64> = HashMap::new();
        for operation in self.operations.iter().filter(|operation| operation.action == "sendMessage") {
            let (from, now) = (operation.user, operation.clock / 1000);
            let (to, client_id) = (text(operation.data, "to"), text(operation.data, "clientID"));
            let is_seen = self.logs.get(&conversation(from, to)).is_some_and(|log| {
                let numbers = log.numbers.get(&(from.to_owned(), client_id.to_owned()));
                let mut numbers = numbers.into_iter().flatten();
                numbers.any(|number| log.messages[number].time.abs_diff(now) < lifetime)
            });
            let is_counted = counted.get(&(from, client_id)).is_some_and(|then| now - then < lifetime);
            if !is_seen && !is_counted {
                counted.insert((from, client_id), now);
                self.unseen.entry((from.to_owned(), to.to_owned())).or_default().push(operation.at);
            }
        }
    }

    /// How many messages from one user to another have been sent before then that nobody has ever seen.
    fn unseen_before(&self, from: &str, to: &str, at: u64) -> u64 {
        let unseen = self.unseen.get(&(from.to_owned(), to.to_owned()));
        unseen.map_or(0, |unseen| unseen.partition_point(|sent_at| *sent_at < at) as u64)
    }

    /// The highest number that there can be before a time. With retention there may be one that nobody has ever seen.
    fn possible(&self, (low, high): &Conversation, log: &Log, at: u64) -> u64 {
        let unseen = self.unseen_before(low, high, at) + self.unseen_before(high, low, at);
        if self.rules.retention.is_some() && unseen > 0 { u64::MAX } else { log.possible.before(at) }
    }

    /// By how many seconds the end of a message is uncertain: it was placed by one clock, carries the time of a
    /// second one, and is read by a third.
    fn margin_s(&self) -> u64 {
        3 * self.rules.skew_ms.div_ceil(1000) + 2
    }

    /// Whether a message of this second cannot have expired at that time.
    fn lives(&self, time: u64, clock_ms: u64) -> bool {
        let Some(retention) = self.rules.retention else { return true };
        (time + retention).saturating_sub(self.margin_s()) * 1000 > clock_ms
    }

    /// The same of one that somebody has read, and perhaps nobody has shown: then nobody knows, with retention.
    fn lives_as_known(&self, time: Option<u64>, clock_ms: u64) -> bool {
        time.map_or(self.rules.retention.is_none(), |time| self.lives(time, clock_ms))
    }

    /// Whether it may not have.
    fn may_live(&self, time: u64, clock_ms: u64) -> bool {
        let Some(retention) = self.rules.retention else { return true };
        (time + retention + self.margin_s()) * 1000 > clock_ms
    }

    fn check_pushes(&mut self, events: &[Event]) {
        for event in events {
            let What::Push(Push { user, event: kind, data }) = &event.what else { continue };
            if kind == "onMessageReadByPeer" {
                let (peer, read) = (peer_of(data), data["sequence"].as_u64().unwrap_or_default());
                let wanted = self.positions.get(&(peer.to_owned(), user.clone()));
                if read > wanted.map_or(0, |position| position.wanted.before(event.at)) {
                    let at = seconds(event.at);
                    let what =
                        format!("a push to {user} at {at}: {peer} has read up to {read}, and never said so");
                    self.wrong(Point::Pushes, what);
                }
            }
        }
    }
}

impl Log {
    /// How many messages of a side are to be read behind one number and up to another.
    fn count(&self, side: usize, behind: u64, to: u64) -> u64 {
        let up_to = |to: u64| self.index(to).checked_sub(1).map_or(0, |index| self.counts[index].2[side]);
        up_to(to).saturating_sub(up_to(behind))
    }

    /// How many numbers behind one and up to another nobody has ever seen.
    fn missing(&self, behind: u64, to: u64) -> u64 {
        let seen = self.index(to).saturating_sub(self.index(behind)) as u64;
        to.saturating_sub(behind).saturating_sub(seen)
    }

    /// The last number of those that come first and whose time is like this.
    fn last_of(&self, is_so: impl Fn(u64) -> bool) -> u64 {
        let index = self.counts.partition_point(|(_, time, _)| is_so(*time));
        index.checked_sub(1).map_or(0, |index| self.counts[index].0)
    }

    fn index(&self, to: u64) -> usize {
        self.counts.partition_point(|(number, ..)| *number <= to)
    }
}

fn conversation(a: &str, b: &str) -> Conversation {
    if a < b { (a.to_owned(), b.to_owned()) } else { (b.to_owned(), a.to_owned()) }
}
