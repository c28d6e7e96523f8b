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
    log::{Fault, Log, Sight},
    operations::{Operation, group_of, list, numbers, text, what_of},
    register::Register,
};
use crate::history::{ALL_IS_WELL, Event, Rules, What};

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
    log: Log<'a>,
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
    /// When somebody began to send the last message to it, when nothing broke any more: what was promised before is kept by it.
    completed_at: u64,
    /// What its members have in the end.
    last: HashMap<&'a str, Last<'a>>,
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
    wrong: Vec<Fault>,
}

/// What is wrong with the groups of a history, and how many messages they have.
pub(super) fn check<'a>(
    rules: &'a Rules,
    operations: &'a [Operation<'a>],
    sights: &[Sight<'a>],
    events: &'a [Event],
    end: Option<(u64, u64)>,
) -> (Vec<Fault>, usize) {
    let mut groups = Groups::new(rules, operations, end);
    groups.learn_all(sights);
    groups.learn_end(events);
    groups.learn_changes();
    groups.check_logs();
    groups.check_changes();
    groups.check_answers();
    groups.check_pushes(events);
    groups.check_end();
    let messages = groups.groups.values().map(|group| group.log.messages.len()).sum();
    (groups.wrong, messages)
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
            wrong: Vec::new(),
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
                        let new = || Group::new(kind, is_open, Log::new(rules, group.to_owned(), 1));
                        this.groups.entry(group).or_insert_with(new);
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
            for listed in operation.listed() {
                if let Some(group) = group_of("", listed).and_then(|group| self.groups.get_mut(group)) {
                    group.last.entry(user).or_default().listed = Some(listed);
                }
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
}

impl<'a> Group<'a> {
    fn new(kind: GroupType, is_open: bool, log: Log<'a>) -> Self {
        Self {
            kind,
            is_open,
            log,
            recalls: HashMap::new(),
            is_alive: Register::of(false, []),
            mutes_all: Register::of(false, []),
            invite: Register::of(InviteOption::DisableInvite, []),
            name: Register::of("", []),
            roles: HashMap::new(),
            came: HashMap::new(),
            muted: HashMap::new(),
            gone: HashMap::new(),
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
}

/// What a message says, and whom it names.
fn said(message: &Value) -> Value {
    let mut said = what_of(message);
    said.as_array_mut().unwrap().push(message["atUserList"].clone());
    said
}

fn users<'a>(data: &'a Value, field: &str) -> Vec<&'a str> {
    list(data, field).filter_map(Value::as_str).collect()
}
