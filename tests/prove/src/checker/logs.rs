//! The log of each conversation: what it is, from all that anybody saw of it, and whether it is a log.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    Checker, Message, conversation,
    operations::{Anomaly, Point, list, name, seconds, text, what_of},
};
use crate::history::{Event, Push, Return, What};

impl<'a> Checker<'a> {
    /// Every message that anybody saw, in the order in which they saw them.
    pub(super) fn learn_all(&mut self, events: &'a [Event]) {
        let index: HashMap<u64, usize> =
            self.operations.iter().enumerate().map(|(index, operation)| (operation.op, index)).collect();
        for event in events {
            match &event.what {
                What::Return(Return { op, code: 0, data }) => {
                    let Some(operation) = index.get(op).map(|index| &self.operations[*index]) else {
                        continue;
                    };
                    let (user, action, asked) = (operation.user, operation.action, operation.data);
                    let how = name(operation);
                    match action {
                        "sendMessage" => {
                            let message = &data["message"];
                            self.learn(Point::OneNumber, user, message, event.at, &how);
                            if text(message, "clientID") != text(asked, "clientID")
                                || text(message, "from") != user
                            {
                                self.wrong(
                                    Point::OneNumber,
                                    format!("{how} is acknowledged with another message: {message}"),
                                );
                            }
                        }
                        "getMessageList" => {
                            for message in list(data, "messageList") {
                                self.learn(Point::Reads, user, message, event.at, &how);
                            }
                        }
                        "getConversationList" => {
                            for conversation in list(data, "conversationList") {
                                if let Some(message) = conversation.get("lastMessage") {
                                    self.learn(Point::Reads, user, message, event.at, &how);
                                }
                            }
                        }
                        _ => {}
                    }
                }
                What::Push(Push { user, event: kind, data }) if kind == "onMessageReceived" => {
                    for message in data.as_array().into_iter().flatten() {
                        let how = format!("a push to {user} at {}", seconds(event.at));
                        self.learn(Point::Pushes, user, message, event.at, &how);
                    }
                }
                _ => {}
            }
        }
    }

    fn learn(&mut self, point: Point, user: &str, message: &Value, at: u64, how: &str) {
        if message["conversationType"] == "GROUP" {
            return;
        }
        let (from, to, client_id) = (text(message, "from"), text(message, "to"), text(message, "clientID"));
        let (number, time) = (message["sequence"].as_u64().unwrap_or_default(), message["time"].as_u64());
        if user != from && user != to {
            return self.wrong(point, format!("{how} shows what does not concern {user}: {message}"));
        }
        let Some(sent) = self.sent.get(&(from, client_id)) else {
            return self.wrong(point, format!("{how} shows what nobody has sent: {message}"));
        };
        let (sent_at, what, op) = (sent.at, what_of(message), sent.op);
        if sent_at > at {
            let late = format!("{how} shows what op {op} sends only at {}: {message}", seconds(sent_at));
            return self.wrong(Point::Unanswered, late);
        }
        if sent.to != to || sent.what != what {
            let before = &sent.what;
            return self.wrong(
                point,
                format!("{how} shows {message}, but op {op} has sent {before} to {}", sent.to),
            );
        }
        let Some(time) = time.filter(|_| number > 0) else {
            return self.wrong(point, format!("{how} shows a message without a number or a time: {message}"));
        };
        let retention = self.rules.retention;
        let margin = self.margin_s();
        let key = conversation(from, to);
        let pair = format!("{}·{}", key.0, key.1);
        let log = self.logs.entry(key).or_default();
        if let Some(there) = log.messages.get(&number) {
            if there.from != from || there.client_id != client_id || there.time != time {
                let two = format!(
                    "{pair} has two messages {number}: '{client_id}' of {from} ({time} s), seen by {how}, and '{}' of {} ({} s), seen by {}",
                    there.client_id, there.from, there.time, there.seen
                );
                self.wrong(point, two);
            }
            return;
        }
        let numbers = log.numbers.entry((from.to_owned(), client_id.to_owned())).or_default();
        // What has expired is forgotten, and may be sent anew.
        let twice = numbers.iter().map(|other| (*other, &log.messages[other])).find(|(_, other)| {
            retention.is_none_or(|retention| time.abs_diff(other.time) + margin < retention)
        });
        let twice = twice.map(|(other, there)| {
            format!(
                "'{client_id}' of {from} is in {pair} twice: as {other}, seen by {}, and as {number}, seen by {how}",
                there.seen
            )
        });
        numbers.push(number);
        let counts = message["messageControlInfo"]["excludedFromUnreadCount"] != true;
        log.messages.insert(
            number,
            Message {
                from: from.to_owned(),
                client_id: client_id.to_owned(),
                time,
                counts,
                sent_at,
                seen_at: at,
                seen: how.to_owned(),
            },
        );
        if let Some(twice) = twice {
            self.wrong(Point::OneNumber, twice);
        }
    }

    pub(super) fn check_logs(&mut self) {
        let mut wrong = Vec::new();
        let end = self.end.map_or(u64::MAX, |(_, clock)| clock);
        for ((low, high), log) in &self.logs {
            let name = format!("{low}·{high}");
            let mut before: Option<(u64, &Message)> = None;
            for (number, message) in &log.messages {
                let from = before.map_or(0, |(number, _)| number);
                let may_skip = match (self.rules.retention, before) {
                    (None, _) => false,
                    (Some(_), None) => true,
                    (Some(retention), Some((_, last))) => {
                        // All had expired, or what was there has expired before anybody saw it.
                        let unseen = || {
                            let seen_at = message.seen_at;
                            self.unseen_before(low, high, seen_at) + self.unseen_before(high, low, seen_at)
                        };
                        message.time + self.margin_s() >= last.time + retention
                            || (!self.lives(last.time, end) && *number - from <= unseen() + 1)
                    }
                };
                if *number != from + 1 && !may_skip {
                    let hole = format!(
                        "{name} has no message {}, but {number} ('{}', seen by {})",
                        from + 1,
                        message.client_id,
                        message.seen
                    );
                    wrong.push((Point::NoHole, hole));
                }
                if let Some((earlier, last)) = before.filter(|(_, last)| last.time > message.time) {
                    let back = format!(
                        "{name}: message {number} ('{}') is of {} s, and {earlier} ('{}') before it of {} s",
                        message.client_id, message.time, last.client_id, last.time
                    );
                    wrong.push((Point::NoHole, back));
                }
                let known = log.known.before(message.sent_at);
                if known >= *number {
                    let known_as = &log.messages[&known];
                    let order = format!(
                        "{name}: '{}' was first sent at {} and has number {number}, but {known} ('{}') was seen before that by {}",
                        message.client_id,
                        seconds(message.sent_at),
                        known_as.client_id,
                        known_as.seen
                    );
                    wrong.push((Point::RealTime, order));
                }
                if let Some((by, of, from, to)) =
                    self.blocks.forbids(low, high, message.sent_at, message.seen_at)
                {
                    let through = format!(
                        "{name}: {by} had {of} on the blacklist from {} to {}, and '{}' of {} got through, sent at {} and seen by {}",
                        seconds(from),
                        seconds(to),
                        message.client_id,
                        message.from,
                        seconds(message.sent_at),
                        message.seen
                    );
                    wrong.push((Point::Blocks, through));
                }
                before = Some((*number, message));
            }
        }
        self.anomalies.extend(wrong.into_iter().map(|(point, what)| Anomaly { point, what }));
    }

    /// What everybody reads when all is over is the log, the whole log and nothing but the log.
    pub(super) fn check_end(&mut self) {
        let Some((_, end)) = self.end else {
            return self
                .wrong(Point::NoHole, "the history has no end, at which everything is read".to_owned());
        };
        // All of it was read while the clock went on.
        let clock = self
            .operations
            .iter()
            .filter_map(|operation| operation.answer.as_ref())
            .map(|answer| answer.clock);
        let clock = clock.max().unwrap_or_default().max(end);
        let mut wrong = Vec::new();
        for ((low, high), log) in &self.logs {
            for (user, last) in [(low, &log.last[0]), (high, &log.last[1])] {
                let lost = log
                    .messages
                    .iter()
                    .filter(|(_, message)| self.lives(message.time, clock))
                    .find(|(number, _)| last.as_ref().is_none_or(|last| !last.contains(number)));
                if let Some((number, message)) = lost {
                    let what = format!(
                        "at the end {user} does not find message {number} of {low}·{high} ('{}' of {}), which was seen by {}",
                        message.client_id, message.from, message.seen
                    );
                    wrong.push(Anomaly { point: Point::NoHole, what });
                }
            }
        }
        self.anomalies.extend(wrong);
    }
}
