//! The log of each group: what it is, from all that anybody saw of it, and whether it is a log.

use std::collections::HashMap;

use hongyan_shared::model::{GroupType, Role};
use serde_json::Value;

use super::{Groups, Message, TIP, numbers, said};
use crate::{
    checker::operations::{Anomaly, Operation, Point, list, name, seconds, text},
    history::{Event, Push, Return, What},
};

impl<'a> Groups<'a> {
    pub(super) fn learn_all(&mut self, events: &'a [Event]) {
        let index: HashMap<u64, usize> =
            self.operations.iter().enumerate().map(|(index, operation)| (operation.op, index)).collect();
        for event in events {
            match &event.what {
                What::Return(Return { op, code: 0, data }) => {
                    let Some(operation) = index.get(op).map(|index| self.operations[*index]) else {
                        continue;
                    };
                    self.learn_answer(&operation, data, event);
                }
                What::Push(Push { user, event: kind, data })
                    if ["onMessageReceived", "onMessageRevoked"].contains(&kind.as_str()) =>
                {
                    for message in data.as_array().into_iter().flatten() {
                        let how = || format!("a push to {user} at {}", seconds(event.at));
                        self.learn(Point::Pushes, message, event, &how);
                    }
                }
                _ => {}
            }
        }
    }

    fn learn_answer(&mut self, operation: &Operation<'a>, data: &'a Value, event: &Event) {
        let how = || name(operation);
        match operation.action {
            "sendMessage" => {
                let (message, asked) = (&data["message"], operation.data);
                self.learn(Point::OneNumber, message, event, &how);
                if message["conversationType"] == "GROUP"
                    && (text(message, "clientID") != text(asked, "clientID")
                        || text(message, "from") != operation.user)
                {
                    let what = format!("{} is acknowledged with another message: {message}", how());
                    self.wrong(Point::OneNumber, what);
                }
            }
            "revokeMessage" => self.learn(Point::Reads, &data["message"], event, &how),
            "getMessageList" => {
                list(data, "messageList").for_each(|message| self.learn(Point::Reads, message, event, &how));
            }
            "getConversationList" => {
                for listed in list(data, "conversationList") {
                    self.learn(Point::Reads, &listed["lastMessage"], event, &how);
                }
            }
            _ => {}
        }
    }

    fn learn(&mut self, point: Point, message: &'a Value, event: &Event, how: &dyn Fn() -> String) {
        if message["conversationType"] != "GROUP" {
            return;
        }
        let (from, id, client_id) = (text(message, "from"), text(message, "to"), text(message, "clientID"));
        let (number, time) =
            (message["sequence"].as_u64().unwrap_or_default(), message["time"].as_u64().unwrap_or_default());
        let (at, margin, retention) = (event.at, self.margin_s(), self.rules.retention);
        let is_tip = text(message, "type") == TIP;
        let asked = if is_tip {
            self.by_name.get(&(from, client_id)).map(|change| {
                let change = &self.changes[*change];
                let first = &self.operations[change.operations[0]];
                let good = change.operations.iter().filter_map(|index| self.operations[*index].good());
                (first.at, first.op, change.group, good.map(|answer| answer.at).min().unwrap_or(u64::MAX))
            })
        } else {
            self.sent.get(&(from, client_id)).map(|sent| (sent.at, sent.op, sent.group, sent.noted_at))
        };
        let Some((sent_at, op, wanted, noted_at)) = asked.filter(|(.., group, _)| *group == id) else {
            return self.wrong(point, format!("{} shows what nobody has asked for: {message}", how()));
        };
        if sent_at > at {
            let late =
                format!("{} shows what op {op} asks for only at {}: {message}", how(), seconds(sent_at));
            return self.wrong(Point::Unanswered, late);
        }
        let Some(group) = self.groups.get_mut(wanted).filter(|_| number > 0 && time > 0) else {
            return self
                .wrong(point, format!("{} shows a message without a number or a group: {message}", how()));
        };
        if message["isRevoked"] == true {
            let asked = group.recalls.get(&number).is_some_and(|recalls| self.operations[recalls[0]].at < at);
            if !asked {
                return self.wrong(point, format!("{} shows what nobody has recalled: {message}", how()));
            }
        } else if !is_tip && self.sent[&(from, client_id)].what != said(message) {
            let what = format!("{} shows {message}, but op {op} has sent something else", how());
            return self.wrong(point, what);
        }
        if let Some(there) = group.log.get(&number) {
            let is_same = (there.from, there.client_id, there.time) == (from, client_id, time);
            if !is_same || is_tip && there.data["payload"] != message["payload"] {
                let two = format!(
                    "{id} has two messages {number}: '{client_id}' of {from} ({time} s), seen by {}, and '{}' of {} ({} s), seen by {}",
                    how(),
                    there.client_id,
                    there.from,
                    there.time,
                    there.seen
                );
                self.wrong(Point::OneNumber, two);
            }
            return;
        }
        let numbers = group.numbers.entry((from, client_id)).or_default();
        // What has expired is forgotten, and may be asked for anew.
        let twice = numbers.iter().map(|other| (*other, &group.log[other])).find(|(_, other)| {
            retention.is_none_or(|retention| time.abs_diff(other.time) + margin < retention)
        });
        let twice = twice.map(|(other, there)| {
            format!(
                "'{client_id}' of {from} is in {id} twice: as {other}, seen by {}, and as {number}, seen by {}",
                there.seen,
                how()
            )
        });
        numbers.push(number);
        let counts = message["messageControlInfo"]["excludedFromUnreadCount"] != true;
        group.log.insert(
            number,
            Message {
                from,
                client_id,
                time,
                counts,
                is_tip,
                data: message,
                sent_at,
                seen_at: at,
                seen_clock: event.clock,
                seen: how(),
                noted_at,
            },
        );
        if let Some(twice) = twice {
            self.wrong(Point::OneNumber, twice);
        }
    }

    pub(super) fn check_logs(&mut self) {
        let mut wrong = Vec::new();
        let end = self.end.map_or(u64::MAX, |(_, clock)| clock);
        for (id, group) in &self.groups {
            // Before where the view of the first of them begins, nobody sees in the end what was not seen before.
            let seen_from = group.last.values().map(|last| last.bound()).min().unwrap_or(u64::MAX);
            let mut before: Option<(u64, &Message)> = None;
            for (number, message) in &group.log {
                let from = before.map_or(0, |(number, _)| number);
                let is_unseen = *number - from - 1 <= group.unseen_before(message.seen_at);
                let may_skip = is_unseen && number - 1 <= seen_from
                    || match (self.rules.retention, before) {
                        (None, _) => false,
                        (Some(_), None) => true,
                        (Some(retention), Some((_, last))) => {
                            message.time + self.margin_s() >= last.time + retention
                                || !self.lives(last.time, end) && is_unseen
                        }
                    };
                if *number != from + 1 && !may_skip {
                    let hole = format!(
                        "{id} has no message {}, but {number} ('{}' of {}, seen by {})",
                        from + 1,
                        message.client_id,
                        message.from,
                        message.seen
                    );
                    wrong.push((Point::NoHole, hole));
                }
                if let Some((earlier, last)) = before.filter(|(_, last)| last.time > message.time) {
                    let back = format!(
                        "{id}: message {number} ('{}') is of {} s, and {earlier} ('{}') before it of {} s",
                        message.client_id, message.time, last.client_id, last.time
                    );
                    wrong.push((Point::NoHole, back));
                }
                let known = group.known.before(message.sent_at);
                if known >= *number {
                    let order = format!(
                        "{id}: '{}' of {} was first asked for at {} and has number {number}, but {known} was seen before that by {}",
                        message.client_id,
                        message.from,
                        seconds(message.sent_at),
                        group.log[&known].seen
                    );
                    wrong.push((Point::RealTime, order));
                }
                if !message.is_tip {
                    self.check_sender(id, *number, message, &mut wrong);
                }
                before = Some((*number, message));
            }
        }
        self.anomalies.extend(wrong.into_iter().map(|(point, what)| Anomaly { point, what }));
    }

    /// Whether who has sent something can have been in it, and not muted.
    fn check_sender(&self, id: &str, number: u64, message: &Message, wrong: &mut Vec<(Point, String)>) {
        let group = &self.groups[id];
        let (from, to, user) = (message.sent_at, message.seen_at, message.from);
        let what = |why: &str| {
            format!(
                "{id}: message {number} ('{}') of {user} was sent at {} and seen by {}, {why}",
                message.client_id,
                seconds(from),
                message.seen
            )
        };
        if !group.may_be_in(user, from, to) {
            return wrong.push((Point::Members, what("who was not in it")));
        }
        if !group.may_be_alive(from, to) {
            return wrong.push((Point::Members, what("when it was dismissed")));
        }
        let roles = group.roles(user, from, to);
        let may_be = |role| roles.contains(&Some(role));
        let is_muted = group.muted.get(user).is_some_and(|muted| {
            let clock = message.seen_clock + self.rules.skew_ms;
            muted.between(from, to).all(|(earliest, _)| earliest * 1000 > clock)
        });
        if is_muted && !may_be(Role::Owner) {
            wrong.push((Point::Muted, what("who was muted all the time")));
        }
        let all_are = group.mutes_all.between(from, to).all(|mutes| *mutes);
        if all_are && !may_be(Role::Owner) && !may_be(Role::Admin) {
            wrong.push((Point::Muted, what("when all were muted")));
        }
    }

    /// What everybody reads when all is over is the log from their bound on, and the group is the same for all of them.
    pub(super) fn check_end(&mut self) {
        let Some((end, _)) = self.end else { return };
        let clocks = self.operations.iter().filter_map(|operation| Some(operation.answer?.clock));
        let clock = clocks.max().unwrap_or_default();
        let mut wrong = Vec::new();
        for (id, group) in &self.groups {
            for (user, last) in &group.last {
                let bound = last.bound();
                let lost = group.log.range(bound + 1..).find(|(number, message)| {
                    self.lives(message.time, clock) && !last.numbers.contains(number)
                });
                if let Some((number, message)) = lost {
                    let what = format!(
                        "at the end {user} does not find message {number} of {id} ('{}' of {}), which was seen by {}",
                        message.client_id, message.from, message.seen
                    );
                    wrong.push((Point::NoHole, what));
                }
                let Some(listed) = last.listed else {
                    wrong.push((
                        Point::Members,
                        format!("at the end {user} reads {id}, and has it in no list"),
                    ));
                    continue;
                };
                // One of them has asked who they are.
                let Some(members) = last.members else { continue };
                let members: Vec<(&str, &str)> = list(members, "memberList")
                    .map(|member| (text(member, "userID"), text(member, "role")))
                    .collect();
                let profile = &listed["groupProfile"];
                let owners: Vec<&str> =
                    members.iter().filter(|(_, role)| *role == "Owner").map(|(user, _)| *user).collect();
                let may_have_none = text(profile, "type") == "Private" && text(profile, "ownerID").is_empty();
                if owners != [text(profile, "ownerID")] && !(may_have_none && owners.is_empty()) {
                    let what = format!(
                        "at the end {id} is {}'s by its profile, and {owners:?}'s by its members",
                        text(profile, "ownerID")
                    );
                    wrong.push((Point::Members, what));
                }
                let mut there: Vec<&str> = members.iter().map(|(user, _)| *user).collect();
                let mut have: Vec<&str> = group.last.keys().copied().collect();
                there.sort_unstable();
                have.sort_unstable();
                if there != have || profile["memberCount"] != there.len() {
                    let what = format!(
                        "at the end {id} says that it has {} members; there are {there:?}, and {have:?} have it in their lists",
                        profile["memberCount"]
                    );
                    wrong.push((Point::Members, what));
                }
            }
            if group.last.is_empty() && !group.may_be_dead(end, u64::MAX) && group.kind != GroupType::Work {
                wrong.push((Point::Members, format!("at the end nobody is in {id}")));
            }
        }
        self.anomalies.extend(wrong.into_iter().map(|(point, what)| Anomaly { point, what }));
    }

    pub(super) fn check_pushes(&mut self, events: &'a [Event]) {
        for event in events {
            let What::Push(Push { user, event: kind, data }) = &event.what else { continue };
            if kind != "onMessageReceived" {
                continue;
            }
            for message in data.as_array().into_iter().flatten() {
                let Some(group) = self.groups.get(text(message, "to")) else { continue };
                let Some(there) = message["sequence"].as_u64().and_then(|number| group.log.get(&number))
                else {
                    continue;
                };
                if message["conversationType"] == "GROUP" && !group.may_be_in(user, there.sent_at, event.at) {
                    let at = seconds(event.at);
                    let what = format!("a push to {user} at {at}, who is not in it: {message}");
                    self.wrong(Point::Pushes, what);
                }
            }
        }
    }
}

impl super::Last<'_> {
    /// Behind which number their view begins.
    pub(super) fn bound(&self) -> u64 {
        self.listed.and_then(|listed| listed["joinedSequence"].as_u64()).unwrap_or_default()
    }
}

/// That a read shows numbers in order.
pub(super) fn is_in_order(answer: &Value) -> bool {
    let shown: Vec<u64> = numbers(answer).collect();
    shown.windows(2).all(|two| two[0] < two[1])
}
