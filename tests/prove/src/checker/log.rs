//! A log: the messages of two users or of a group by their numbers, from all that anybody saw of them, and whether it is
//! one. Whose it is, and who may see it, is known elsewhere.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
};

use serde_json::Value;

use super::{
    operations::{Operation, Point, list, name, seconds, text},
    steps::Steps,
};
use crate::history::{Event, Push, Return, Rules, What};

/// The type of a tip.
const TIP: &str = "TIMGroupTipElem";

/// Something that is wrong: with what, and how.
pub type Fault = (Point, String);

/// A message or a tip, as somebody saw it.
pub struct Sight<'a> {
    /// What is wrong if there is no such message.
    pub point: Point,
    pub user: &'a str,
    pub message: &'a Value,
    pub at: u64,
    clock: u64,
    /// In the answer to this; in a push if there is nothing.
    answered: Option<&'a Operation<'a>>,
}

/// A message or a tip under its number.
pub struct Message<'a> {
    pub from: &'a str,
    pub client_id: &'a str,
    pub time: u64,
    counts: bool,
    pub is_tip: bool,
    /// What it says, as it was first seen.
    pub data: &'a Value,
    /// When it was asked for first, and when it was first seen, also by the server's clock.
    pub sent_at: u64,
    pub seen_at: u64,
    pub seen_clock: u64,
    pub seen: String,
    /// When who sent it was first told so: until then it may be unread to themselves.
    pub noted_at: u64,
}

/// How far somebody has read, and how far they wanted to.
#[derive(Default)]
struct Position {
    known: Steps,
    wanted: Steps,
}

/// Numbers, and when they came.
type Growth = Vec<(u64, u64)>;

pub struct Log<'a> {
    pub rules: &'a Rules,
    name: String,
    /// By how much a message that nobody has ever seen may have raised the numbers.
    stride: u64,
    pub messages: BTreeMap<u64, Message<'a>>,
    /// By who sent them under which name.
    pub numbers: HashMap<(&'a str, &'a str), Vec<u64>>,
    /// The highest number that somebody had seen, and that there could be of those that were seen.
    pub known: Steps,
    possible: Steps,
    /// All numbers with their times, and how many messages count up to there; and those of each sender that do.
    counts: Vec<(u64, u64, u64)>,
    own: HashMap<&'a str, Vec<u64>>,
    /// When what nobody has ever seen was asked for, by who did.
    unseen: HashMap<&'a str, Vec<u64>>,
    growth: HashMap<&'a str, (Growth, Growth)>,
    positions: HashMap<&'a str, Position>,
}

/// Every message that anybody saw, in the order in which they saw them.
pub fn sights<'a>(operations: &'a [Operation<'a>], events: &'a [Event]) -> Vec<Sight<'a>> {
    let index: HashMap<u64, &Operation> =
        operations.iter().map(|operation| (operation.op, operation)).collect();
    let mut sights = Vec::new();
    for Event { at, clock, what } in events {
        let (point, user, answered, messages): (_, _, _, Vec<&Value>) = match what {
            What::Return(Return { op, code: 0, data }) => {
                let Some(operation) = index.get(op).copied() else { continue };
                let (point, messages) = match operation.action {
                    "sendMessage" => (Point::OneNumber, vec![&data["message"]]),
                    "revokeMessage" => (Point::Reads, vec![&data["message"]]),
                    "getMessageList" => (Point::Reads, list(data, "messageList").collect()),
                    "getConversationList" => {
                        let listed = list(data, "conversationList");
                        (Point::Reads, listed.filter_map(|listed| listed.get("lastMessage")).collect())
                    }
                    _ => continue,
                };
                (point, operation.user, Some(operation), messages)
            }
            What::Push(Push { user, event, data })
                if ["onMessageReceived", "onMessageRevoked"].contains(&event.as_str()) =>
            {
                (Point::Pushes, user.as_str(), None, data.as_array().into_iter().flatten().collect())
            }
            _ => continue,
        };
        let sight = |message| Sight { point, user, message, at: *at, clock: *clock, answered };
        sights.extend(messages.into_iter().map(sight));
    }
    sights
}

impl<'a> Sight<'a> {
    /// Who sent it, and under which name.
    pub fn name(&self) -> (&'a str, &'a str) {
        (text(self.message, "from"), text(self.message, "clientID"))
    }

    pub fn is_of_group(&self) -> bool {
        self.message["conversationType"] == "GROUP"
    }

    pub fn is_tip(&self) -> bool {
        text(self.message, "type") == TIP
    }

    /// Whether it acknowledges another message than was sent.
    pub fn is_another(&self) -> bool {
        let sent = self.answered.filter(|operation| operation.action == "sendMessage");
        sent.is_some_and(|sent| self.name() != (sent.user, text(sent.data, "clientID")))
    }
}

impl fmt::Display for Sight<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.answered {
            Some(operation) => f.write_str(&name(operation)),
            None => write!(f, "a push to {} at {}", self.user, seconds(self.at)),
        }
    }
}

impl<'a> Log<'a> {
    pub fn new(rules: &'a Rules, name: String, stride: u64) -> Self {
        Self {
            rules,
            name,
            stride,
            messages: BTreeMap::new(),
            numbers: HashMap::new(),
            known: Steps::default(),
            possible: Steps::default(),
            counts: Vec::new(),
            own: HashMap::new(),
            unseen: HashMap::new(),
            growth: HashMap::new(),
            positions: HashMap::new(),
        }
    }

    /// Takes in what somebody saw that was asked for, and when.
    pub fn learn(&mut self, sight: &Sight<'a>, sent_at: u64, noted_at: u64) -> Result<(), Fault> {
        let Sight { message, at: seen_at, clock: seen_clock, .. } = *sight;
        let ((from, client_id), is_tip, name) = (sight.name(), sight.is_tip(), &self.name);
        let (number, time) = (message["sequence"].as_u64(), message["time"].as_u64());
        let (Some(number @ 1..), Some(time @ 1..)) = (number, time) else {
            let what = format!("{sight} shows a message without a number or a time: {message}");
            return Err((sight.point, what));
        };
        if let Some(there) = self.messages.get(&number) {
            let is_same = (there.from, there.client_id, there.time) == (from, client_id, time);
            if is_same && (!is_tip || there.data["payload"] == message["payload"]) {
                return Ok(());
            }
            let two = format!(
                "{name} has two messages {number}: '{client_id}' of {from} ({time} s), seen by {sight}, and '{}' of {} ({} s), seen by {}",
                there.client_id, there.from, there.time, there.seen
            );
            return Err((Point::OneNumber, two));
        }
        let numbers = self.numbers.entry((from, client_id)).or_default();
        // What has expired is forgotten, and may be asked for anew.
        let lives_with = |there: &Message| {
            let apart = time.abs_diff(there.time) + self.rules.margin_s();
            self.rules.retention.is_none_or(|retention| apart < retention)
        };
        let twice = numbers.iter().find(|other| lives_with(&self.messages[*other]));
        let twice = twice.map(|other| {
            format!(
                "'{client_id}' of {from} is in {name} twice: as {other}, seen by {}, and as {number}, seen by {sight}",
                self.messages[other].seen
            )
        });
        numbers.push(number);
        let counts = message["messageControlInfo"]["excludedFromUnreadCount"] != true;
        let seen = sight.to_string();
        let message = Message {
            from,
            client_id,
            time,
            counts,
            is_tip,
            data: message,
            sent_at,
            seen_at,
            seen_clock,
            seen,
            noted_at,
        };
        self.messages.insert(number, message);
        twice.map_or(Ok(()), |twice| Err((Point::OneNumber, twice)))
    }

    /// Takes in that nobody ever saw what somebody asked for then.
    pub fn never_saw(&mut self, user: &'a str, sent_at: u64) {
        self.unseen.entry(user).or_default().push(sent_at);
    }

    /// Takes in that somebody marks it as read.
    pub fn learn_mark(&mut self, mark: &Operation<'a>) {
        let (known, wanted) = self.growth.entry(mark.user).or_default();
        wanted.push((mark.at, mark.data["sequence"].as_u64().unwrap_or(u64::MAX)));
        if let Some(answer) = mark.good() {
            known.push((answer.at, answer.data["readSequence"].as_u64().unwrap_or_default()));
        }
    }

    /// Takes in what somebody's list says of it.
    pub fn learn_listed(&mut self, list: &Operation<'a>, listed: &Value) {
        let Some(answer) = list.good() else { return };
        let (known, _) = self.growth.entry(list.user).or_default();
        known.push((answer.at, listed["readSequence"].as_u64().unwrap_or_default()));
    }

    /// After all was taken in, and before anything is asked.
    pub fn finish(&mut self) {
        self.known = Steps::of(self.messages.iter().map(|(number, message)| (message.seen_at, *number)));
        self.possible = Steps::of(self.messages.iter().map(|(number, message)| (message.sent_at, *number)));
        let mut count = 0;
        for (number, message) in &self.messages {
            count += u64::from(message.counts);
            self.counts.push((*number, message.time, count));
            if message.counts {
                self.own.entry(message.from).or_default().push(*number);
            }
        }
        self.unseen.values_mut().for_each(|unseen| unseen.sort_unstable());
        for (user, (known, wanted)) in self.growth.drain() {
            self.positions.insert(user, Position { known: Steps::of(known), wanted: Steps::of(wanted) });
        }
    }

    /// How far somebody had certainly read before a time.
    pub fn has_read(&self, user: &str, at: u64) -> u64 {
        self.positions.get(user).map_or(0, |position| position.known.before(at))
    }

    /// How far they had said to have read.
    pub fn wanted(&self, user: &str, at: u64) -> u64 {
        self.positions.get(user).map_or(0, |position| position.wanted.before(at))
    }

    /// How many messages have been sent before then that nobody has ever seen.
    pub fn unseen_before(&self, at: u64) -> u64 {
        self.unseen.keys().map(|user| self.unseen_of(user, at)).sum()
    }

    /// The same of one sender.
    pub fn unseen_of(&self, user: &str, at: u64) -> u64 {
        let unseen = self.unseen.get(user);
        unseen.map_or(0, |unseen| unseen.partition_point(|sent_at| *sent_at < at) as u64)
    }

    /// The highest number that there can be before a time.
    pub fn most(&self, at: u64) -> u64 {
        let unseen = self.unseen_before(at).saturating_mul(self.stride);
        self.possible.before(at).saturating_add(unseen)
    }

    /// What is under a number, if that cannot have expired at that time.
    pub fn living(&self, number: u64, clock_ms: u64) -> Option<&Message<'a>> {
        self.messages.get(&number).filter(|message| self.rules.lives(message.time, clock_ms))
    }

    /// How many messages that count there are behind one number and up to another.
    pub fn count(&self, behind: u64, to: u64) -> u64 {
        let up_to = |to: u64| self.index(to).checked_sub(1).map_or(0, |index| self.counts[index].2);
        up_to(to).saturating_sub(up_to(behind))
    }

    /// Those of them that somebody sent.
    pub fn own(&self, user: &str, behind: u64, to: u64) -> &[u64] {
        let Some(own) = self.own.get(user).filter(|_| to > behind) else { return &[] };
        let at = |number: u64| own.partition_point(|own| *own <= number);
        &own[at(behind)..at(to)]
    }

    /// How many numbers behind one and up to another nobody has ever seen.
    pub fn missing(&self, behind: u64, to: u64) -> u64 {
        let seen = self.index(to).saturating_sub(self.index(behind)) as u64;
        to.saturating_sub(behind).saturating_sub(seen)
    }

    /// The last number of those that come first and whose time is like this: time never decreases along the numbers.
    pub fn last_of(&self, is_so: impl Fn(u64) -> bool) -> u64 {
        let index = self.counts.partition_point(|(_, time, _)| is_so(*time));
        index.checked_sub(1).map_or(0, |index| self.counts[index].0)
    }

    fn index(&self, to: u64) -> usize {
        self.counts.partition_point(|(number, ..)| *number <= to)
    }

    /// Whether it is a log: without a hole, in the order of time, and in that in which things were seen. What nobody can
    /// see who reads in the end, up to this number, nobody may ever have seen.
    pub fn check(&self, hidden: u64, end_clock: u64, wrong: &mut Vec<Fault>) {
        let name = &self.name;
        let mut before: Option<(u64, &Message)> = None;
        for (number, message) in &self.messages {
            let Message { client_id, from, time, seen, .. } = message;
            let first = before.map_or(0, |(number, _)| number) + 1;
            let is_unseen = *number - first <= self.unseen_before(message.seen_at);
            let may_have_expired = match (self.rules.retention, before) {
                (None, _) => false,
                (Some(_), None) => true,
                // All had expired, or what was there has expired before anybody saw it.
                (Some(retention), Some((_, last))) => {
                    time + self.rules.margin_s() >= last.time + retention
                        || is_unseen && !self.rules.lives(last.time, end_clock)
                }
            };
            if *number != first && !may_have_expired && !(is_unseen && number - 1 <= hidden) {
                let hole = format!(
                    "{name} has no message {first}, but {number} ('{client_id}' of {from}, seen by {seen})"
                );
                wrong.push((Point::NoHole, hole));
            }
            if let Some((earlier, last)) = before.filter(|(_, last)| last.time > *time) {
                let back = format!(
                    "{name}: message {number} ('{client_id}') is of {time} s, and {earlier} ('{}') before it of {} s",
                    last.client_id, last.time
                );
                wrong.push((Point::NoHole, back));
            }
            let known = self.known.before(message.sent_at);
            if known >= *number {
                let known_as = &self.messages[&known];
                let order = format!(
                    "{name}: '{client_id}' was first sent at {} and has number {number}, but {known} ('{}') was seen before that by {}",
                    seconds(message.sent_at),
                    known_as.client_id,
                    known_as.seen
                );
                wrong.push((Point::RealTime, order));
            }
            before = Some((*number, message));
        }
    }

    /// Whether somebody who sees what is behind a number, and has these when all is over, has all that lives.
    pub fn check_end(
        &self,
        user: &str,
        behind: u64,
        have: &HashSet<u64>,
        clock: u64,
        wrong: &mut Vec<Fault>,
    ) {
        let lost = self
            .messages
            .range(behind + 1..)
            .find(|(number, message)| self.rules.lives(message.time, clock) && !have.contains(number));
        if let Some((number, Message { client_id, from, seen, .. })) = lost {
            let what = format!(
                "at the end {user} does not find message {number} of {} ('{client_id}' of {from}), which was seen by {seen}",
                self.name
            );
            wrong.push((Point::NoHole, what));
        }
    }
}

/// What is certain of clocks that are wrong, and of reads that are behind.
impl Rules {
    /// By how many seconds the end of a message is uncertain: it was placed by one clock, carries the time of a
    /// second one, and is read by a third.
    pub(super) fn margin_s(&self) -> u64 {
        3 * self.skew_ms.div_ceil(1000) + 2
    }

    /// Whether a message of this second cannot have expired at that time.
    pub(super) fn lives(&self, time: u64, clock_ms: u64) -> bool {
        let Some(retention) = self.retention else { return true };
        (time + retention).saturating_sub(self.margin_s()) * 1000 > clock_ms
    }

    /// Whether it may not have.
    pub(super) fn may_live(&self, time: u64, clock_ms: u64) -> bool {
        let Some(retention) = self.retention else { return true };
        (time + retention + self.margin_s()) * 1000 > clock_ms
    }

    /// From when on a read that is not strongly consistent may tell.
    pub(super) fn stale(&self, at: u64) -> u64 {
        at.saturating_sub(self.stale_ms * 1000)
    }
}
