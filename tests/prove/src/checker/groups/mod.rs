//! Groups: the log of each, and who was what in it when, as far as that can be known. What changes has a [`Register`]: each
//! change took place between when it was first asked for and when that was first seen.

mod answers;
mod changes;
mod log;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};

use hongyan_shared::model::{GroupType, InviteOption, Role};
use serde_json::Value;

use super::{
    operations::{Anomaly, Operation, Point, group_of, list, text, what_of},
    register::Register,
    steps::Steps,
};
use crate::history::{ALL_IS_WELL, Event, Rules, What};

/// For how long what has had no answer may still take effect.
const LINGERS: u64 = 30_000_000;

/// The type of a tip.
const TIP: &str = "TIMGroupTipElem";

/// What changes a group under a name.
const CHANGES: [&str; 8] = [
    "joinGroup",
    "quitGroup",
    "addGroupMember",
    "deleteGroupMember",
    "setGroupMember",
    "changeGroupOwner",
    "updateGroupProfile",
    "handleGroupApplication",
];

/// A message or a tip under its number.
struct Message<'a> {
    from: &'a str,
    client_id: &'a str,
    time: u64,
    counts: bool,
    is_tip: bool,
    /// What it says, as it was first seen.
    data: &'a Value,
    /// When it was asked for first, and when it was first seen, also by the server's clock.
    sent_at: u64,
    seen_at: u64,
    seen_clock: u64,
    seen: String,
    /// When who sent it was first told so: it is noted then whom it concerns.
    noted_at: u64,
}

struct Sent<'a> {
    at: u64,
    group: &'a str,
    what: Value,
    /// Whom it names.
    named: Vec<&'a str>,
    op: u64,
    noted_at: u64,
}

/// All attempts at one change.
struct Change<'a> {
    user: &'a str,
    group: &'a str,
    client_id: &'a str,
    action: &'a str,
    data: &'a Value,
    operations: Vec<usize>,
}

/// Numbers from where to where somebody's view of a group may begin, if they are in it.
type Came = Option<(u64, u64)>;

/// Until which second somebody is muted, at the earliest and at the latest.
type Muted = (u64, u64);

struct Group<'a> {
    kind: GroupType,
    /// Whether anybody may come into it at once who wants to.
    is_open: bool,
    log: BTreeMap<u64, Message<'a>>,
    numbers: HashMap<(&'a str, &'a str), Vec<u64>>,
    known: Steps,
    possible: Steps,
    /// All numbers, and how many messages count up to there; and those of each sender that do.
    counts: Vec<(u64, u64)>,
    own: HashMap<&'a str, Vec<u64>>,
    /// When what nobody has ever seen was asked for.
    unseen: Vec<u64>,
    /// Attempts to recall, by number.
    recalls: HashMap<u64, Vec<usize>>,
    is_alive: Register<bool>,
    mutes_all: Register<bool>,
    invite: Register<InviteOption>,
    name: Register<&'a str>,
    roles: HashMap<&'a str, Register<Option<Role>>>,
    came: HashMap<&'a str, Register<Came>>,
    muted: HashMap<&'a str, Register<Muted>>,
    /// Who has certainly or possibly gone, and when that was first asked for.
    gone: HashMap<&'a str, u64>,
    positions: HashMap<&'a str, Position>,
    /// When somebody began to send the last message to it, when nothing broke any more: what was promised before is kept by it.
    completed_at: u64,
    /// What its members have in the end.
    last: HashMap<&'a str, Last<'a>>,
}

/// How far somebody has read, and how far they wanted to.
#[derive(Default)]
struct Position {
    known: Steps,
    wanted: Steps,
}

/// What a member reads when all is over.
#[derive(Default)]
struct Last<'a> {
    listed: Option<&'a Value>,
    numbers: HashSet<u64>,
    members: Option<&'a Value>,
}

struct Groups<'a> {
    rules: &'a Rules,
    operations: &'a [Operation<'a>],
    groups: BTreeMap<&'a str, Group<'a>>,
    sent: HashMap<(&'a str, &'a str), Sent<'a>>,
    changes: Vec<Change<'a>>,
    by_name: HashMap<(&'a str, &'a str), usize>,
    end: Option<(u64, u64)>,
    anomalies: Vec<Anomaly>,
}

/// What is wrong with the groups of a history, and how many messages they have.
pub(super) fn check<'a>(
    rules: &'a Rules,
    operations: &'a [Operation<'a>],
    events: &'a [Event],
    end: Option<(u64, u64)>,
) -> (Vec<Anomaly>, usize) {
    let mut groups = Groups::new(rules, operations, end);
    groups.learn_all(events);
    groups.prepare(events);
    groups.check_logs();
    groups.check_changes();
    groups.check_answers();
    groups.check_pushes(events);
    groups.check_end();
    let messages = groups.groups.values().map(|group| group.log.len()).sum();
    (groups.anomalies, messages)
}

impl<'a> Groups<'a> {
    fn new(rules: &'a Rules, operations: &'a [Operation<'a>], end: Option<(u64, u64)>) -> Self {
        let mut this = Self {
            rules,
            operations,
            groups: BTreeMap::new(),
            sent: HashMap::new(),
            changes: Vec::new(),
            by_name: HashMap::new(),
            end,
            anomalies: Vec::new(),
        };
        for (index, operation) in operations.iter().enumerate() {
            let Operation { user, action, data, at, op, .. } = *operation;
            let Some(group) = group_of(action, data) else { continue };
            let client_id = text(data, "clientID");
            let noted_at = operation.good().map_or(u64::MAX, |answer| answer.at);
            match action {
                "createGroup" => {
                    if let Ok(kind) = GroupType::parse(text(data, "type")) {
                        let is_open = kind == GroupType::Meeting || data["joinOption"] == "FreeAccess";
                        this.groups.entry(group).or_insert_with(|| Group::new(kind, is_open));
                    }
                }
                "sendMessage" => {
                    let sent = this.sent.entry((user, client_id)).or_insert_with(|| Sent {
                        at,
                        group,
                        what: said(data),
                        named: users(data, "atUserList"),
                        op,
                        noted_at: u64::MAX,
                    });
                    sent.noted_at = sent.noted_at.min(noted_at);
                }
                "revokeMessage" => {
                    let number = data["sequence"].as_u64().unwrap_or_default();
                    if let Some(group) = this.groups.get_mut(group) {
                        group.recalls.entry(number).or_default().push(index);
                    }
                }
                // What somebody wants to hear has no name.
                _ if CHANGES.contains(&action) && !client_id.is_empty() => {
                    let change = *this.by_name.entry((user, client_id)).or_insert_with(|| {
                        this.changes.push(Change {
                            user,
                            group,
                            client_id,
                            action,
                            data,
                            operations: Vec::new(),
                        });
                        this.changes.len() - 1
                    });
                    this.changes[change].operations.push(index);
                }
                _ => {}
            }
        }
        this
    }

    fn wrong(&mut self, point: Point, what: String) {
        self.anomalies.push(Anomaly { point, what });
    }

    fn prepare(&mut self, events: &[Event]) {
        self.find_unseen();
        for group in self.groups.values_mut() {
            group.known = Steps::of(group.log.iter().map(|(number, message)| (message.seen_at, *number)));
            group.possible = Steps::of(group.log.iter().map(|(number, message)| (message.sent_at, *number)));
            let mut count = 0;
            for (number, message) in &group.log {
                count += u64::from(message.counts);
                group.counts.push((*number, count));
                if message.counts {
                    group.own.entry(message.from).or_default().push(*number);
                }
            }
        }
        self.learn_end(events);
        self.learn_changes();
        self.learn_positions();
    }

    fn find_unseen(&mut self) {
        for ((user, client_id), sent) in &self.sent {
            if let Some(group) = self.groups.get_mut(sent.group)
                && !group.numbers.contains_key(&(*user, *client_id))
            {
                group.unseen.push(sent.at);
            }
        }
        for Change { user, group, client_id, operations, .. } in &self.changes {
            if let Some(group) = self.groups.get_mut(group)
                && !group.numbers.contains_key(&(*user, *client_id))
            {
                group.unseen.push(self.operations[operations[0]].at);
            }
        }
        self.groups.values_mut().for_each(|group| group.unseen.sort_unstable());
    }

    fn learn_positions(&mut self) {
        type Growth = (Vec<(u64, u64)>, Vec<(u64, u64)>);
        let mut positions: HashMap<(&str, &str), Growth> = HashMap::new();
        for operation in self.operations {
            let Operation { user, action, data, at, .. } = *operation;
            match action {
                "setMessageRead" => {
                    let Some(group) = group_of(action, data) else { continue };
                    let (known, wanted) = positions.entry((group, user)).or_default();
                    wanted.push((at, data["sequence"].as_u64().unwrap_or(u64::MAX)));
                    if let Some(answer) = operation.good() {
                        known.push((answer.at, answer.data["readSequence"].as_u64().unwrap_or_default()));
                    }
                }
                "getConversationList" => {
                    let Some(answer) = operation.good() else { continue };
                    for listed in list(answer.data, "conversationList") {
                        if let Some(group) = group_of("", listed) {
                            let (known, _) = positions.entry((group, user)).or_default();
                            known.push((answer.at, listed["readSequence"].as_u64().unwrap_or_default()));
                        }
                    }
                }
                _ => {}
            }
        }
        for ((group, user), (known, wanted)) in positions {
            if let Some(group) = self.groups.get_mut(group) {
                let position = Position { known: Steps::of(known), wanted: Steps::of(wanted) };
                group.positions.insert(user, position);
            }
        }
    }

    fn learn_end(&mut self, events: &[Event]) {
        let is_well = |event: &&Event| matches!(&event.what, What::Nemesis(what) if what == ALL_IS_WELL);
        let well_at = events.iter().rev().find(is_well).map_or(u64::MAX, |event| event.at);
        let sends = self.operations.iter().filter(|operation| operation.action == "sendMessage");
        for send in sends.filter(|send| send.at > well_at && send.good().is_some()) {
            let group = group_of(send.action, send.data).and_then(|group| self.groups.get_mut(group));
            group.into_iter().for_each(|group| group.completed_at = send.at.max(group.completed_at));
        }
        let Some((end, _)) = self.end else { return };
        for operation in self.operations.iter().filter(|operation| operation.at > end) {
            let Operation { user, action, data, .. } = *operation;
            let Some(answer) = operation.good() else { continue };
            if action == "getConversationList" {
                for listed in list(answer.data, "conversationList") {
                    if let Some(group) = group_of("", listed).and_then(|group| self.groups.get_mut(group)) {
                        group.last.entry(user).or_default().listed = Some(listed);
                    }
                }
                continue;
            }
            let Some(group) = group_of(action, data).and_then(|group| self.groups.get_mut(group)) else {
                continue;
            };
            let last = group.last.entry(user).or_default();
            match action {
                "getMessageList" => last.numbers.extend(numbers(answer.data)),
                "getGroupMemberList" => last.members = Some(answer.data),
                _ => {}
            }
        }
    }

    /// By how many seconds the end of a message is uncertain, as between two users.
    fn margin_s(&self) -> u64 {
        3 * self.rules.skew_ms.div_ceil(1000) + 2
    }

    fn lives(&self, time: u64, clock_ms: u64) -> bool {
        let Some(retention) = self.rules.retention else { return true };
        (time + retention).saturating_sub(self.margin_s()) * 1000 > clock_ms
    }

    fn may_live(&self, time: u64, clock_ms: u64) -> bool {
        let Some(retention) = self.rules.retention else { return true };
        (time + retention + self.margin_s()) * 1000 > clock_ms
    }

    /// From when on a read that is not strongly consistent may tell.
    fn stale(&self, at: u64) -> u64 {
        at.saturating_sub(self.rules.stale_ms * 1000)
    }
}

impl<'a> Group<'a> {
    fn new(kind: GroupType, is_open: bool) -> Self {
        Self {
            kind,
            is_open,
            log: BTreeMap::new(),
            numbers: HashMap::new(),
            known: Steps::default(),
            possible: Steps::default(),
            counts: Vec::new(),
            own: HashMap::new(),
            unseen: Vec::new(),
            recalls: HashMap::new(),
            is_alive: Register::of(false, []),
            mutes_all: Register::of(false, []),
            invite: Register::of(InviteOption::DisableInvite, []),
            name: Register::of("", []),
            roles: HashMap::new(),
            came: HashMap::new(),
            muted: HashMap::new(),
            gone: HashMap::new(),
            positions: HashMap::new(),
            completed_at: 0,
            last: HashMap::new(),
        }
    }

    /// What somebody can have been between two times; nobody if they never came.
    fn roles(&self, user: &str, from: u64, to: u64) -> Vec<Option<Role>> {
        self.roles.get(user).map_or(vec![None], |roles| roles.between(from, to).copied().collect())
    }

    fn may_be_in(&self, user: &str, from: u64, to: u64) -> bool {
        self.roles(user, from, to).iter().any(Option::is_some)
    }

    fn may_be_out(&self, user: &str, from: u64, to: u64) -> bool {
        self.roles(user, from, to).contains(&None)
    }

    fn may_be_alive(&self, from: u64, to: u64) -> bool {
        self.is_alive.between(from, to).any(|is_alive| *is_alive)
    }

    fn may_be_dead(&self, from: u64, to: u64) -> bool {
        self.is_alive.between(from, to).any(|is_alive| !is_alive)
    }

    /// Behind which number somebody's view begins, at the least and at the most.
    fn bound(&self, user: &str, from: u64, to: u64) -> Option<(u64, u64)> {
        let bounds = self.came.get(user)?.between(from, to).filter_map(|came| *came);
        bounds.reduce(|(low, high), (other_low, other_high)| (low.min(other_low), high.max(other_high)))
    }

    /// The highest number that there can be before a time. There may be more that nobody has ever seen.
    fn most(&self, at: u64) -> u64 {
        self.possible.before(at) + self.unseen_before(at)
    }

    fn unseen_before(&self, at: u64) -> u64 {
        self.unseen.partition_point(|sent_at| *sent_at < at) as u64
    }

    fn index(&self, to: u64) -> usize {
        self.counts.partition_point(|(number, _)| *number <= to)
    }

    /// How many messages that count there are behind one number and up to another, and how many numbers nobody has seen.
    fn count(&self, behind: u64, to: u64) -> (u64, u64) {
        if to <= behind {
            return (0, 0);
        }
        let (first, last) = (self.index(behind), self.index(to));
        let up_to = |index: usize| index.checked_sub(1).map_or(0, |index| self.counts[index].1);
        (up_to(last) - up_to(first), to - behind - (last - first) as u64)
    }

    fn own(&self, user: &str, behind: u64, to: u64) -> &[u64] {
        let Some(own) = self.own.get(user).filter(|_| to > behind) else { return &[] };
        let at = |number: u64| own.partition_point(|own| *own <= number);
        &own[at(behind)..at(to)]
    }
}

/// What a message says, and whom it names.
fn said(message: &Value) -> Value {
    let mut said = what_of(message);
    said.as_array_mut().unwrap().push(message["atUserList"].clone());
    said
}

fn numbers(answer: &Value) -> impl Iterator<Item = u64> {
    list(answer, "messageList").filter_map(|message| message["sequence"].as_u64())
}

fn users<'a>(data: &'a Value, field: &str) -> Vec<&'a str> {
    list(data, field).filter_map(Value::as_str).collect()
}
