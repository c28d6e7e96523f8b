//! The log of each group, and whether those who wrote it, who read it in the end and who were told of it could.

use hongyan_shared::model::{GroupType, Role};

use super::{Change, Groups, Last, said};
use crate::{
    checker::{
        log::{Fault, Message, Sight},
        operations::{Point, group_of, list, seconds, text},
    },
    history::{Event, Push, What},
};

impl<'a> Groups<'a> {
    pub(super) fn learn_all(&mut self, sights: &[Sight<'a>]) {
        for sight in sights.iter().filter(|sight| sight.is_of_group()) {
            let learnt = self.learn(sight);
            self.wrong.extend(learnt.err());
        }
        self.find_unseen();
        for operation in self.operations {
            let marked = (operation.action == "setMessageRead").then_some(operation.data);
            if let Some(group) = marked.and_then(|data| self.groups.get_mut(group_of("", data)?)) {
                group.log.learn_mark(operation);
            }
            for listed in operation.listed() {
                if let Some(group) = group_of("", listed).and_then(|id| self.groups.get_mut(id)) {
                    group.log.learn_listed(operation, listed);
                }
            }
        }
        self.groups.values_mut().for_each(|group| group.log.finish());
    }

    fn learn(&mut self, sight: &Sight<'a>) -> Result<(), Fault> {
        let Sight { point, message, at, .. } = *sight;
        let (is_tip, id) = (sight.is_tip(), text(message, "to"));
        let asked = if is_tip {
            self.by_name.get(&sight.name()).map(|change| {
                let change = &self.changes[*change];
                let first = &self.operations[change.operations[0]];
                let good = change.operations.iter().filter_map(|index| self.operations[*index].good());
                (first.at, first.op, change.group, good.map(|answer| answer.at).min().unwrap_or(u64::MAX))
            })
        } else {
            self.sent.get(&sight.name()).map(|sent| (sent.at, sent.op, sent.group, sent.noted_at))
        };
        let Some((sent_at, op, _, noted_at)) = asked.filter(|(.., group, _)| *group == id) else {
            return Err((point, format!("{sight} shows what nobody has asked for: {message}")));
        };
        if sent_at > at {
            let late = format!("{sight} shows what op {op} asks for only at {}: {message}", seconds(sent_at));
            return Err((Point::Unanswered, late));
        }
        let Some(group) = self.groups.get_mut(id) else {
            return Err((point, format!("{sight} shows a message of no group: {message}")));
        };
        if message["isRevoked"] == true {
            let recalls = message["sequence"].as_u64().and_then(|number| group.recalls.get(&number));
            if recalls.is_none_or(|recalls| self.operations[recalls[0]].at >= at) {
                return Err((point, format!("{sight} shows what nobody has recalled: {message}")));
            }
        } else if !is_tip && self.sent[&sight.name()].what != said(message) {
            return Err((point, format!("{sight} shows {message}, but op {op} has sent something else")));
        }
        group.log.learn(sight, sent_at, noted_at)
    }

    fn find_unseen(&mut self) {
        let sent = self.sent.iter().map(|((user, client_id), sent)| (*user, *client_id, sent.group, sent.at));
        let changes = self.changes.iter().map(|change| {
            let Change { user, client_id, group, operations, .. } = change;
            (*user, *client_id, *group, self.operations[operations[0]].at)
        });
        for (user, client_id, group, at) in sent.chain(changes) {
            if let Some(group) = self.groups.get_mut(group)
                && !group.log.numbers.contains_key(&(user, client_id))
            {
                group.log.never_saw(user, at);
            }
        }
    }

    pub(super) fn check_logs(&mut self) {
        let mut wrong = Vec::new();
        let end = self.end.map_or(u64::MAX, |(_, clock)| clock);
        for (id, group) in &self.groups {
            // Before where the view of the first of them begins, nobody sees in the end what was not seen before.
            let hidden = group.last.values().map(Last::bound).min().unwrap_or(u64::MAX);
            group.log.check(hidden, end, &mut wrong);
            for (number, message) in group.log.messages.iter().filter(|(_, message)| !message.is_tip) {
                self.check_sender(id, *number, message, &mut wrong);
            }
        }
        self.wrong.extend(wrong);
    }

    /// Whether who has sent something can have been in it, and not muted.
    fn check_sender(&self, id: &str, number: u64, message: &Message, wrong: &mut Vec<Fault>) {
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
                group.log.check_end(user, last.bound(), &last.numbers, clock, &mut wrong);
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
        self.wrong.extend(wrong);
    }

    pub(super) fn check_pushes(&mut self, events: &'a [Event]) {
        for event in events {
            let What::Push(Push { user, event: kind, data }) = &event.what else { continue };
            if kind != "onMessageReceived" {
                continue;
            }
            for message in data.as_array().into_iter().flatten() {
                let Some(group) = self.groups.get(text(message, "to")) else { continue };
                let Some(there) =
                    message["sequence"].as_u64().and_then(|number| group.log.messages.get(&number))
                else {
                    continue;
                };
                if message["conversationType"] == "GROUP" && !group.may_be_in(user, there.sent_at, event.at) {
                    let at = seconds(event.at);
                    let what = format!("a push to {user} at {at}, who is not in it: {message}");
                    self.wrong.push((Point::Pushes, what));
                }
            }
        }
    }
}

impl Last<'_> {
    /// Behind which number their view begins.
    pub(super) fn bound(&self) -> u64 {
        self.listed.and_then(|listed| listed["joinedSequence"].as_u64()).unwrap_or_default()
    }
}
