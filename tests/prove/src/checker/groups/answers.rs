//! What answers say of groups, and what they leave out: reads, marks, lists, refusals.

use hongyan_shared::model::{Op, Role, may};
use serde_json::Value;

use super::{Group, Groups, Muted};
use crate::checker::{
    log::{Fault, Message},
    operations::{Answer, Operation, Point, group_of, is_range, list, name, numbers, text},
    view::View,
};

/// How many messages that name them somebody's list has at most.
const MENTIONS: usize = 16;

const ALL: &str = "__kImSDK_MesssageAtALL__";

type Wrong = Vec<Fault>;

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
                    // A list lets go of what was dismissed, and then they have nothing of it.
                    if !group.may_be_out(operation.user, operation.at, answer.at)
                        && !group.may_be_dead(operation.at, answer.at) =>
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
                ) if !group.may_be_dead(self.rules.stale(operation.at), answer.at) => {
                    wrong.push((Point::Members, format!("{} does not find what was there", name(operation))));
                }
                _ => {}
            }
            match (operation.action, answer.code) {
                ("getMessageList", 0) => self.check_read(operation, answer, (id, group), &mut wrong),
                ("setMessageRead", 0) => view(operation, answer, (id, group)).check_mark(&mut wrong),
                ("getGroupMemberList", 0) => self.check_members(operation, answer, group, &mut wrong),
                ("revokeMessage", 0) => self.check_recall(operation, answer, group, &mut wrong),
                _ => {}
            }
        }
        self.wrong.extend(wrong);
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
            "setMessageRead" => self.rules.stale(operation.at),
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
        (id, group): (&str, &Group),
        wrong: &mut Wrong,
    ) {
        let me = operation.user;
        let (hidden, bound) = group.bound(me, operation.at, answer.at).unwrap_or((0, u64::MAX));
        view(operation, answer, (id, group)).check_read(bound, wrong);
        if let Some(early) = numbers(answer.data).next().filter(|shown| *shown <= hidden) {
            let what = format!("{} shows {early}, of before {me} came, behind {hidden}", name(operation));
            wrong.push((Point::Members, what));
        }
        let then = if is_range(operation) { operation.at } else { self.rules.stale(operation.at) };
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
        let Some(message) = group.log.messages.get(&number) else { return };
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
        let (me, stale) = (operation.user, self.rules.stale(operation.at));
        let mut there = Vec::new();
        for listed in operation.listed() {
            let Some((id, group)) = group_of("", listed).and_then(|id| Some((id, self.groups.get(id)?)))
            else {
                continue;
            };
            there.push(id);
            let profile = &listed["groupProfile"];
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
            let joined = listed["joinedSequence"].as_u64().unwrap_or_default();
            if let Some((low, high)) = group.bound(me, operation.at, answer.at)
                && !(low..=high).contains(&joined)
            {
                say(
                    Point::Members,
                    format!("begins behind {joined}, and {me} came between {low} and {high}"),
                );
            }
            view(operation, answer, (id, group)).check_listed(listed, operation.at, wrong);
            self.check_mentions(operation, answer, (id, group), listed, wrong);
        }
        let is_whole = answer.data["isCompleted"] == true
            && answer.data["groupsGoOn"] != true
            && text(operation.data, "nextReqConversationID").is_empty();
        if is_whole {
            // That somebody is in groups at all is a row of the list, and that may be a second old but for a login.
            let is_late = there.is_empty() && operation.action == "getConversationList";
            let from = if is_late { stale } else { operation.at };
            for (id, group) in self.groups.iter().filter(|(id, _)| !there.contains(*id)) {
                let is_in = !group.may_be_out(me, from, answer.at);
                if is_in && !group.may_be_dead(stale, answer.at) {
                    wrong
                        .push((Point::Members, format!("{} lacks {id}, in which {me} was", name(operation))));
                }
            }
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
            let Some(message) = group.log.messages.get(&number) else { continue };
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
        for (number, message) in &group.log.messages {
            let named = self.named(message.from, message.client_id);
            let names_me = named.contains(&me) && message.from != me;
            mine += usize::from(names_me);
            // What was recalled, or said while they were away, they need not know.
            if *number <= behind || message.is_tip || group.recalls.contains_key(number) {
                continue;
            }
            // What has expired and was sent anew has the name of what was acknowledged, and nobody knows when it was there.
            let numbers = group.log.numbers.get(&(message.from, message.client_id));
            if numbers.is_some_and(|numbers| numbers.iter().min() < Some(number)) {
                continue;
            }
            if group.may_be_out(me, message.sent_at, answer.at)
                || !self.rules.lives(message.time, answer.clock)
            {
                continue;
            }
            let is_noted = message.noted_at < operation.at && mine <= MENTIONS;
            if names_me && is_noted && !shown.iter().any(|(shown, me_too, _)| shown == number && *me_too) {
                let what =
                    format!("{}: {number} of {id} names {me}, and the list does not say so", name(operation));
                wrong.push((Point::Mentions, what));
            }
            let is_known = message.noted_at < self.rules.stale(operation.at);
            if named.contains(&ALL)
                && is_known
                && !shown.iter().any(|(shown, _, all)| shown >= number && *all)
                && !self.names_all_from(*number, (id, group), me, answer.at)
            {
                let what =
                    format!("{}: {number} of {id} names all, and the list does not say so", name(operation));
                wrong.push((Point::Mentions, what));
            }
        }
    }

    /// Whether a message of theirs may be the last one that names all, from that number on: it is told to everybody else.
    fn names_all_from(&self, number: u64, (id, group): (&str, &Group), me: &str, at: u64) -> bool {
        self.sent.iter().any(|((from, client_id), sent)| {
            let is_it = |message: &Message| message.from == *from && message.client_id == *client_id;
            let own = group.log.messages.iter().find(|(_, message)| is_it(message));
            *from == me
                && sent.group == id
                && sent.at < at
                && sent.named.contains(&ALL)
                && own.is_none_or(|(own, _)| *own >= number)
        })
    }

    fn named(&self, from: &str, client_id: &str) -> Vec<&str> {
        self.sent.get(&(from, client_id)).map(|sent| sent.named.clone()).unwrap_or_default()
    }
}

/// A group as an answer shows it.
fn view<'l>(
    operation: &'l Operation<'l>,
    answer: &'l Answer<'l>,
    (id, group): (&'l str, &'l Group<'l>),
) -> View<'l, impl Fn(&Message) -> bool> {
    let (me, from, to) = (operation.user, operation.at, answer.at);
    let is_meeting = group.kind.is_meeting();
    View {
        log: &group.log,
        operation,
        answer,
        called: id,
        // Who goes and comes again has read up to where they came; into a meeting two of their attempts may come.
        came: match group.bound(me, from, to) {
            Some(_) if is_meeting => group.log.most(to),
            Some((_, high)) => high,
            None => 0,
        },
        may_be_new: is_meeting && group.gone.get(me).is_some_and(|gone| *gone < to),
        is_meeting,
        unseen: group.log.unseen_before(to),
        // What is not noted yet, or was sent before they went and came again.
        may_be_unread: move |own: &Message| own.noted_at > from || group.may_be_out(me, own.sent_at, to),
    }
}

fn has_role(group: &Group, user: &str, role: &str, (from, to): (u64, u64)) -> bool {
    group.roles(user, from, to).iter().flatten().any(|other| format!("{other:?}") == role)
}
