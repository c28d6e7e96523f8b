//! What answers say of groups, and what they leave out: reads, marks, lists, refusals.

use hongyan_shared::model::{Op, Role, may};
use serde_json::Value;

use super::{Group, Groups, Muted, log::is_in_order, numbers};
use crate::checker::operations::{Anomaly, Answer, Operation, Point, group_of, is_range, list, name, text};

/// How many messages that name them somebody's list has at most.
const MENTIONS: usize = 16;

const ALL: &str = "__kImSDK_MesssageAtALL__";

type Wrong = Vec<(Point, String)>;

impl<'a> Groups<'a> {
    pub(super) fn check_answers(&mut self) {
        let mut wrong = Vec::new();
        for operation in self.operations {
            let Some(answer) = &operation.answer else { continue };
            if (operation.action, answer.code) == ("getConversationList", 0) {
                self.check_list(operation, answer, &mut wrong);
                continue;
            }
            let id = group_of(operation.action, operation.data);
            let Some((id, group)) = id.and_then(|id| Some((id, self.groups.get(id)?))) else { continue };
            match (operation.action, answer.code) {
                (
                    "sendMessage" | "getMessageList" | "setMessageRead" | "getGroupMemberList"
                    | "revokeMessage",
                    0,
                ) => {
                    self.check_door(operation, answer, group, &mut wrong);
                }
                ("sendMessage", 10017) => self.check_mute(operation, answer, group, &mut wrong),
                ("sendMessage" | "getMessageList" | "setMessageRead" | "getGroupMemberList", 10007)
                    if !group.may_be_out(operation.user, operation.at, answer.at) =>
                {
                    wrong.push((
                        Point::Members,
                        format!("{} is refused to somebody who was in it", name(operation)),
                    ));
                }
                (
                    "sendMessage" | "getMessageList" | "setMessageRead" | "getGroupMemberList"
                    | "dismissGroup",
                    10010,
                ) if !group.may_be_dead(self.stale(operation.at), answer.at) => {
                    wrong.push((Point::Members, format!("{} does not find what was there", name(operation))));
                }
                _ => {}
            }
            match (operation.action, answer.code) {
                ("getMessageList", 0) => self.check_read(operation, answer, (id, group), &mut wrong),
                ("setMessageRead", 0) => {
                    let read = answer.data["readSequence"].as_u64().unwrap_or_default();
                    let unread = answer.data["unreadCount"].as_u64().unwrap_or(u64::MAX);
                    let named = operation.data["sequence"].as_u64();
                    let stale = self.stale(operation.at);
                    self.check_position(operation, answer, (id, group), read, &mut wrong);
                    let there =
                        group.log.range(..=named.unwrap_or(u64::MAX).min(group.known.before(operation.at)));
                    let short = there
                        .last()
                        .filter(|(there, message)| read < **there && self.lives(message.time, answer.clock));
                    if let Some((there, _)) = short {
                        let what =
                            format!("{} has read up to {read} only, but {there} was there", name(operation));
                        wrong.push((Point::Positions, what));
                    }
                    let ends = (group.known.before(stale), group.most(answer.at));
                    self.check_unread(operation, answer, (id, group), (read, unread), ends, &mut wrong);
                }
                ("getGroupMemberList", 0) => self.check_members(operation, answer, group, &mut wrong),
                ("revokeMessage", 0) => self.check_recall(operation, answer, group, &mut wrong),
                _ => {}
            }
        }
        self.anomalies.extend(wrong.into_iter().map(|(point, what)| Anomaly { point, what }));
    }

    /// Who was not in it all the time has nothing of it, and nobody has what was dismissed.
    fn check_door(&self, operation: &Operation, answer: &Answer, group: &Group, wrong: &mut Wrong) {
        if !group.may_be_in(operation.user, operation.at, answer.at) {
            let what = format!("{} is answered to somebody who was not in it", name(operation));
            wrong.push((Point::Members, what));
        }
        let from = match operation.action {
            // What was said may be read until the list lets go of it.
            "getMessageList" => return,
            // A mark that names a number looks at the group as it was a moment ago.
            "setMessageRead" => self.stale(operation.at),
            _ => operation.at,
        };
        if !group.may_be_alive(from, answer.at) {
            wrong.push((Point::Members, format!("{} is answered of what was dismissed", name(operation))));
        }
    }

    fn check_mute(&self, operation: &Operation, answer: &Answer, group: &Group, wrong: &mut Wrong) {
        let (user, from, to) = (operation.user, operation.at, answer.at);
        let roles = group.roles(user, from, to);
        let may_be = |roles_of: &[Role]| roles_of.iter().any(|role| roles.contains(&Some(*role)));
        let is_long = |(_, latest): &Muted| latest * 1000 + self.rules.skew_ms > operation.clock;
        let is_muted = group.muted.get(user).is_some_and(|muted| muted.between(from, to).any(is_long));
        let all_are = group.mutes_all.between(from, to).any(|mutes| *mutes);
        if !(is_muted && may_be(&[Role::Member, Role::Admin]) || all_are && may_be(&[Role::Member])) {
            wrong.push((
                Point::Muted,
                format!("{} is refused to somebody who was not muted", name(operation)),
            ));
        }
    }

    fn check_read(
        &self,
        operation: &Operation,
        answer: &Answer,
        (_, group): (&str, &Group),
        wrong: &mut Wrong,
    ) {
        if !is_in_order(answer.data) {
            return wrong.push((Point::Reads, format!("{} is out of order", name(operation))));
        }
        let Some((hidden, bound)) = group.bound(operation.user, operation.at, answer.at) else { return };
        let shown: Vec<u64> = numbers(answer.data).collect();
        let is_completed = answer.data["isCompleted"] == true;
        if let Some(early) = shown.first().filter(|shown| **shown <= hidden) {
            let what = format!(
                "{} shows {early}, of before {} came, behind {hidden}",
                name(operation),
                operation.user
            );
            wrong.push((Point::Members, what));
        }
        let newest = shown.last().copied().unwrap_or_default();
        let stale = self.stale(operation.at);
        let (from, to) = if is_range(operation) {
            let from = operation.data["fromSequence"].as_u64().unwrap_or(1);
            let to = match answer.data["nextSequence"].as_u64() {
                Some(next) if !is_completed => next.saturating_sub(1),
                _ => operation.data["toSequence"].as_u64().unwrap_or(u64::MAX),
            };
            (from, to.min(newest.max(group.known.before(operation.at))))
        } else {
            let oldest = if is_completed { 1 } else { shown.first().copied().unwrap_or(u64::MAX) };
            let is_first = text(operation.data, "nextReqMessageID").is_empty();
            (oldest, if is_first { newest.max(group.known.before(stale)) } else { newest })
        };
        let from = from.max(bound + 1);
        if from <= to {
            let mut rest = shown.iter().peekable();
            for (number, message) in group.log.range(from..=to) {
                while rest.next_if(|shown| **shown < *number).is_some() {}
                if rest.next_if(|shown| **shown == *number).is_none()
                    && self.lives(message.time, answer.clock)
                {
                    let what = format!(
                        "{} lacks message {number} ('{}' of {}, seen by {})",
                        name(operation),
                        message.client_id,
                        message.from,
                        message.seen
                    );
                    wrong.push((Point::Reads, what));
                    break;
                }
            }
        }
        let then = if is_range(operation) { operation.at } else { stale };
        for message in list(answer.data, "messageList").filter(|message| message["isRevoked"] != true) {
            let recalls = message["sequence"].as_u64().and_then(|number| group.recalls.get(&number));
            let mut recalls = recalls.into_iter().flatten().map(|index| &self.operations[*index]);
            if let Some(recall) = recalls.find(|recall| recall.good().is_some_and(|answer| answer.at < then))
            {
                let what = format!("{} shows what {} has recalled: {message}", name(operation), name(recall));
                wrong.push((Point::Reads, what));
            }
        }
    }

    fn check_members(&self, operation: &Operation, answer: &Answer, group: &Group, wrong: &mut Wrong) {
        let (from, to) = (operation.at, answer.at);
        let mut there = Vec::new();
        for member in list(answer.data, "memberList") {
            let (user, role) = (text(member, "userID"), text(member, "role"));
            there.push(user);
            if !has_role(group, user, role, (from, to)) {
                wrong.push((
                    Point::Members,
                    format!("{} says that {user} is {role}, who was not", name(operation)),
                ));
            }
        }
        if text(answer.data, "next").is_empty() {
            for user in group.roles.keys().filter(|user| !there.contains(user)) {
                if !group.may_be_out(user, from, to) {
                    wrong.push((Point::Members, format!("{} lacks {user}, who was in it", name(operation))));
                }
            }
        }
    }

    fn check_recall(&self, operation: &Operation, answer: &Answer, group: &Group, wrong: &mut Wrong) {
        let number = operation.data["sequence"].as_u64().unwrap_or_default();
        let Some(message) = group.log.get(&number) else { return };
        // Another one may have recalled it before, and then it is answered to everybody.
        let others = group.recalls.get(&number).into_iter().flatten().map(|index| &self.operations[*index]);
        let may_anybody = others.filter(|other| other.at < answer.at).any(|other| {
            let (from, to) = (other.at, other.answer.map_or(answer.at, |answer| answer.at));
            let authors = group.roles(message.from, from, to);
            other.user == message.from
                || group.roles(other.user, from, to).iter().flatten().any(|role| {
                    let op = |author: &Option<Role>| Op::Recall(author.unwrap_or_default());
                    authors.iter().any(|author| may(group.kind, Some(*role), op(author)).is_ok())
                })
        });
        if !may_anybody {
            wrong.push((Point::Changes, format!("{} recalls what is not theirs to recall", name(operation))));
        }
    }

    fn check_list(&self, operation: &Operation, answer: &Answer, wrong: &mut Wrong) {
        let (me, stale) = (operation.user, self.stale(operation.at));
        let mut there = Vec::new();
        for listed in list(answer.data, "conversationList") {
            let Some((id, group)) = group_of("", listed).and_then(|id| Some((id, self.groups.get(id)?)))
            else {
                continue;
            };
            there.push(id);
            let (number, profile) =
                (|field: &str| listed[field].as_u64().unwrap_or_default(), &listed["groupProfile"]);
            let mut say =
                |point: Point, why: String| wrong.push((point, format!("{}: {id} {why}", name(operation))));
            if !group.may_be_in(me, operation.at, answer.at) {
                say(Point::Members, format!("is there, and {me} was not in it"));
                continue;
            }
            if !group.may_be_alive(stale, answer.at) {
                say(Point::Members, "is there, and was dismissed".to_owned());
                continue;
            }
            let role = text(&profile["selfInfo"], "role");
            if !has_role(group, me, role, (operation.at, answer.at)) {
                say(Point::Members, format!("says that {me} is {role}, who was not"));
            }
            let owner = text(profile, "ownerID");
            if !owner.is_empty() && !has_role(group, owner, "Owner", (stale, answer.at)) {
                say(Point::Members, format!("is {owner}'s, who was not its owner"));
            }
            let called = text(profile, "name");
            if !group.name.between(stale, answer.at).any(|name| *name == called) {
                say(Point::Changes, format!("is called '{called}', which it was not"));
            }
            let (count, limit) = (profile["memberCount"].as_u64(), profile["maxMemberCount"].as_u64());
            if count > limit {
                say(Point::Members, format!("has {count:?} members, of {limit:?} at most"));
            }
            let (joined, last) = (number("joinedSequence"), number("lastSequence"));
            if let Some((low, high)) = group.bound(me, operation.at, answer.at)
                && !(low..=high).contains(&joined)
            {
                say(
                    Point::Members,
                    format!("begins behind {joined}, and {me} came between {low} and {high}"),
                );
            }
            let known = group.known.before(stale);
            if last < known
                && group.log.get(&known).is_some_and(|message| self.lives(message.time, answer.clock))
            {
                say(
                    Point::Reads,
                    format!("ends with {last}, but {known} was seen by {}", group.log[&known].seen),
                );
            }
            if last > group.most(answer.at) {
                say(Point::Reads, format!("ends with {last}, which nobody has asked for yet"));
            }
            let read = number("readSequence");
            self.check_position(operation, answer, (id, group), read, wrong);
            let unread = listed["unreadCount"].as_u64().unwrap_or(u64::MAX);
            self.check_unread(
                operation,
                answer,
                (id, group),
                (read.max(joined), unread),
                (last, last),
                wrong,
            );
            self.check_mentions(operation, answer, (id, group), listed, wrong);
        }
        let is_whole = answer.data["isCompleted"] == true
            && answer.data["groupsGoOn"] != true
            && text(operation.data, "nextReqConversationID").is_empty();
        if is_whole {
            for (id, group) in self.groups.iter().filter(|(id, _)| !there.contains(*id)) {
                let is_in = !group.may_be_out(me, operation.at, answer.at);
                if is_in && !group.may_be_dead(stale, answer.at) {
                    wrong
                        .push((Point::Members, format!("{} lacks {id}, in which {me} was", name(operation))));
                }
            }
        }
    }

    /// Where a user is who has read: at least as far as was known then, and no farther than they said or came.
    fn check_position(
        &self,
        operation: &Operation,
        answer: &Answer,
        (id, group): (&str, &Group),
        read: u64,
        wrong: &mut Wrong,
    ) {
        let me = operation.user;
        let position = group.positions.get(me);
        let has_number = operation.data.get("sequence").is_some();
        let then = if has_number { self.stale(operation.at) } else { operation.at };
        let known = position.map_or(0, |position| position.known.before(then));
        // With retention nobody knows of what nobody has seen.
        let message = group.log.get(&known);
        let lives =
            message.map_or(self.rules.retention.is_none(), |message| self.lives(message.time, answer.clock));
        // Who goes and comes again has read up to where they came; into a meeting two of their attempts may come.
        let may_be_new = group.kind.is_meeting() && group.gone.get(me).is_some_and(|gone| *gone < answer.at);
        if read < known && lives && !may_be_new {
            let what = format!("{}: {me} has read {id} up to {read}, but had up to {known}", name(operation));
            wrong.push((Point::Positions, what));
        }
        let possible = group.most(answer.at);
        let wanted = position.map_or(0, |position| position.wanted.before(answer.at)).min(possible);
        // Where they came, everything was read.
        let came = match group.bound(me, operation.at, answer.at) {
            Some(_) if group.kind.is_meeting() => possible,
            Some((_, high)) => high,
            None => 0,
        };
        if read > wanted.max(came) {
            let what =
                format!("{}: {me} has read {id} up to {read}, beyond {}", name(operation), wanted.max(came));
            wrong.push((Point::Positions, what));
        }
    }

    /// As brute force would count it. Of one's own messages those alone are certainly not unread whose sender has been told.
    fn check_unread(
        &self,
        operation: &Operation,
        answer: &Answer,
        (id, group): (&str, &Group),
        (read, unread): (u64, u64),
        (least, most): (u64, u64),
        wrong: &mut Wrong,
    ) {
        let me = operation.user;
        if group.kind.is_meeting() {
            if unread != 0 {
                wrong.push((
                    Point::Positions,
                    format!("{}: {unread} unread in the meeting {id}", name(operation)),
                ));
            }
            return;
        }
        let last_of = |is_so: &dyn Fn(u64) -> bool| {
            let mut gone = group.log.iter().take_while(|(_, message)| is_so(message.time));
            if self.rules.retention.is_none() {
                0
            } else {
                gone.by_ref().last().map_or(0, |(number, _)| *number)
            }
        };
        let gone = read.max(last_of(&|time| !self.may_live(time, operation.clock)));
        let going = read.max(last_of(&|time| !self.lives(time, answer.clock)));
        let others = |behind: u64, to: u64| {
            let (all, missing) = group.count(behind, to);
            (all - group.own(me, behind, to).len() as u64, missing)
        };
        let (low, _) = others(going, least);
        let (high, missing) = others(gone, most);
        // What is not noted yet, or was sent before they went and came again.
        let maybe = group.own(me, gone, most).iter().filter(|number| {
            let message = &group.log[number];
            message.noted_at > operation.at || group.may_be_out(me, message.sent_at, answer.at)
        });
        let high = high + missing.min(group.unseen_before(answer.at)) + maybe.count() as u64;
        if unread < low || unread > high {
            let what = format!(
                "{}: {me} has read {id} up to {read} of {most}, which leaves {low} to {high} unread, not {unread}",
                name(operation)
            );
            wrong.push((Point::Positions, what));
        }
    }

    fn check_mentions(
        &self,
        operation: &Operation,
        answer: &Answer,
        (id, group): (&str, &Group),
        listed: &Value,
        wrong: &mut Wrong,
    ) {
        let me = operation.user;
        let number = |field: &str| listed[field].as_u64().unwrap_or_default();
        let behind = number("readSequence").max(number("joinedSequence")).max(number("clearedSequence"));
        let mut shown: Vec<(u64, bool, bool)> = Vec::new();
        for entry in list(listed, "groupAtInfoList") {
            let kinds: Vec<u64> = list(entry, "atTypeArray").filter_map(Value::as_u64).collect();
            let (me_too, all) = (kinds.iter().any(|kind| kind % 2 == 1), kinds.iter().any(|kind| *kind > 1));
            let number = entry["messageSequence"].as_u64().unwrap_or_default();
            shown.push((number, me_too, all));
            let Some(message) = group.log.get(&number) else { continue };
            let named = self.named(message.from, message.client_id);
            let is_so = message.from == text(entry, "from")
                && (!me_too || named.contains(&me))
                && (!all || named.contains(&ALL));
            if !is_so {
                wrong.push((
                    Point::Mentions,
                    format!("{}: {number} of {id} does not say {entry}", name(operation)),
                ));
            }
        }
        let mut mine = 0;
        for (number, message) in &group.log {
            let named = self.named(message.from, message.client_id);
            let names_me = named.contains(&me) && message.from != me;
            mine += usize::from(names_me);
            // What was recalled, or said while they were away, they need not know.
            if *number <= behind || message.is_tip || group.recalls.contains_key(number) {
                continue;
            }
            if group.may_be_out(me, message.sent_at, answer.at) || !self.lives(message.time, answer.clock) {
                continue;
            }
            let is_noted = message.noted_at < operation.at && mine <= MENTIONS;
            if names_me && is_noted && !shown.iter().any(|(shown, me_too, _)| shown == number && *me_too) {
                let what =
                    format!("{}: {number} of {id} names {me}, and the list does not say so", name(operation));
                wrong.push((Point::Mentions, what));
            }
            let is_known = message.noted_at < self.stale(operation.at);
            if named.contains(&ALL)
                && is_known
                && !shown.iter().any(|(shown, _, all)| shown >= number && *all)
            {
                let what =
                    format!("{}: {number} of {id} names all, and the list does not say so", name(operation));
                wrong.push((Point::Mentions, what));
            }
        }
    }

    fn named(&self, from: &str, client_id: &str) -> Vec<&str> {
        self.sent.get(&(from, client_id)).map(|sent| sent.named.clone()).unwrap_or_default()
    }
}

fn has_role(group: &Group, user: &str, role: &str, (from, to): (u64, u64)) -> bool {
    group.roles(user, from, to).iter().flatten().any(|other| format!("{other:?}") == role)
}
