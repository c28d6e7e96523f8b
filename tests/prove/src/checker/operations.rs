//! What was asked for and answered, and what can be wrong with it.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::history::{Event, Return, What};

/// For how long what has had no answer may still take effect.
pub const LINGERS: u64 = 30_000_000;

/// What a history can be wrong about: the points of docs/proofs.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Point {
    /// A message has one number, and a number one message, which is what was sent.
    OneNumber = 1,
    /// The numbers are 1, 2, 3 … in the order of time, and nothing that was acknowledged is missing.
    NoHole,
    /// What was known before something was sent has a lower number.
    RealTime,
    /// A read has everything that it may not miss.
    Reads,
    /// What was not acknowledged is there once or not at all, and not before it was sent.
    Unanswered,
    /// Read positions move forward, and unread is what is behind them.
    Positions,
    /// Nothing gets through while one of the two blocks the other.
    Blocks,
    /// A push says what is in the log, to those whom it concerns.
    Pushes,
    /// Who is in a group is in it for all, and who is not has nothing of it.
    Members,
    /// A change of a group is made once, by somebody who may, and has its tip.
    Changes,
    /// Who is muted says nothing.
    Muted,
    /// Whom a message names finds it in their list.
    Mentions,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anomaly {
    pub point: Point,
    pub what: String,
}

#[derive(Clone, Copy)]
pub struct Operation<'a> {
    pub op: u64,
    pub user: &'a str,
    pub action: &'a str,
    pub data: &'a Value,
    pub at: u64,
    pub clock: u64,
    pub answer: Option<Answer<'a>>,
}

#[derive(Clone, Copy)]
pub struct Answer<'a> {
    pub code: i64,
    pub data: &'a Value,
    pub at: u64,
    pub clock: u64,
}

/// What was asked for, in order, each with its answer.
pub fn operations(events: &[Event]) -> Vec<Operation<'_>> {
    let mut operations: Vec<Operation> = Vec::new();
    let mut index = HashMap::new();
    for event in events {
        match &event.what {
            What::Invoke(invoke) => {
                index.insert(invoke.op, operations.len());
                operations.push(Operation {
                    op: invoke.op,
                    user: &invoke.user,
                    action: &invoke.action,
                    data: &invoke.data,
                    at: event.at,
                    clock: event.clock,
                    answer: None,
                });
            }
            What::Return(Return { op, code, data }) => {
                if let Some(operation) = index.get(op).and_then(|index| operations.get_mut(*index)) {
                    operation.answer = Some(Answer { code: *code, data, at: event.at, clock: event.clock });
                }
            }
            _ => {}
        }
    }
    operations
}

impl<'a> Operation<'a> {
    /// The answer, if all went well.
    pub fn good(&self) -> Option<Answer<'a>> {
        self.answer.filter(|answer| answer.code == 0)
    }

    /// The entries of the answer, if it is a list of conversations.
    pub fn listed(&self) -> impl Iterator<Item = &'a Value> {
        let answer = self.good().filter(|_| self.action == "getConversationList");
        answer.into_iter().flat_map(|answer| list(answer.data, "conversationList"))
    }
}

pub fn name(operation: &Operation) -> String {
    let Operation { op, user, action, .. } = operation;
    let group = text(operation.data, "groupID");
    let whom = match text(operation.data, "to") {
        "" if group.is_empty() => peer_of(operation.data).to_owned(),
        "" => format!("{group} '{}'", text(operation.data, "clientID")),
        to => format!("{to} '{}'", text(operation.data, "clientID")),
    };
    let whom = if whom.is_empty() { whom } else { format!(" {whom}") };
    let until =
        operation.answer.as_ref().map(|answer| format!(" to {}", seconds(answer.at))).unwrap_or_default();
    format!("op {op} ({user} {action}{whom}, {}{until})", seconds(operation.at))
}

pub fn seconds(at: u64) -> String {
    format!("{:.6} s", at as f64 / 1e6)
}

pub fn is_range(operation: &Operation) -> bool {
    operation.data.get("fromSequence").is_some()
}

pub fn peer_of(data: &Value) -> &str {
    let id = text(data, "conversationID");
    id.strip_prefix("C2C").unwrap_or(id)
}

pub fn text<'a>(data: &'a Value, field: &str) -> &'a str {
    data[field].as_str().unwrap_or_default()
}

pub fn list<'a>(data: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    data[field].as_array().into_iter().flatten()
}

/// The numbers of the messages that a read shows.
pub fn numbers(answer: &Value) -> impl Iterator<Item = u64> {
    list(answer, "messageList").filter_map(|message| message["sequence"].as_u64())
}

/// What a message says.
pub fn what_of(message: &Value) -> Value {
    json!([message["type"], message["payload"], message["cloudCustomData"], message["messageControlInfo"]])
}

/// The group that something is about.
pub fn group_of<'a>(action: &str, data: &'a Value) -> Option<&'a str> {
    if data["conversationType"] == "GROUP" {
        return Some(text(data, "to"));
    }
    let named = text(data, "conversationID").strip_prefix("GROUP");
    named.or_else(|| Some(text(data, "groupID")).filter(|_| action.contains("Group")))
}
