//! What has changed a group: who made it, who came and went and was what, each with when it can have taken place; and whether each
//! change has its tip, and may have been made.

use std::collections::HashMap;

use hongyan_shared::model::{GroupType, InviteOption, JoinOption, Op, Role, may};
use serde_json::Value;

use super::{Came, Change, Groups, Muted, users};
use crate::checker::{
    log::Message,
    operations::{LINGERS, Operation, Point, group_of, list, name, text},
    register::{Register, Write},
};

/// How old a promised tip is when others keep the promise.
const BROKEN: u64 = 3_000_000;

/// When something can have taken place, and whether it has.
#[derive(Clone, Copy, Default)]
struct Span {
    at: u64,
    over: u64,
    clock: u64,
    clock_over: u64,
    is_certain: bool,
}

impl Span {
    fn write<T>(&self, value: T) -> Write<T> {
        Write { at: self.at, over: self.over, is_certain: self.is_certain, value }
    }
}

/// All that becomes of a group.
#[derive(Default)]
struct Writes<'a> {
    alive: Vec<Write<bool>>,
    mutes_all: Vec<Write<bool>>,
    invite: Vec<Write<InviteOption>>,
    first_invite: Option<InviteOption>,
    names: Vec<Write<&'a str>>,
    roles: HashMap<&'a str, Vec<Write<Option<Role>>>>,
    came: HashMap<&'a str, Vec<Write<Came>>>,
    muted: HashMap<&'a str, Vec<Write<Muted>>>,
    gone: HashMap<&'a str, u64>,
}

impl<'a> Writes<'a> {
    fn come(&mut self, user: &'a str, role: Role, bound: (u64, u64), span: &Span) {
        self.become_(user, role, span);
        self.came.entry(user).or_default().push(span.write(Some(bound)));
        self.mute(user, (0, 0), span);
    }

    fn go(&mut self, user: &'a str, span: &Span) {
        self.roles.entry(user).or_default().push(span.write(None));
        self.came.entry(user).or_default().push(span.write(None));
        let gone = self.gone.entry(user).or_insert(span.at);
        *gone = span.at.min(*gone);
    }

    fn become_(&mut self, user: &'a str, role: Role, span: &Span) {
        self.roles.entry(user).or_default().push(span.write(Some(role)));
    }

    fn mute(&mut self, user: &'a str, until: Muted, span: &Span) {
        self.muted.entry(user).or_default().push(span.write(until));
    }
}

/// Whether what comes of a change is kept by a tip: in a meeting members come and go without.
fn has_tip(kind: GroupType, action: &str) -> bool {
    let is_coming = ["joinGroup", "quitGroup", "addGroupMember", "deleteGroupMember"].contains(&action);
    kind != GroupType::Meeting || !is_coming
}

/// Whether a field of a request changes something in a group of this type.
fn may_change(kind: GroupType, field: &str) -> bool {
    match field {
        "groupID" | "clientID" | "base" => false,
        "joinOption" => kind == GroupType::Public,
        "inviteOption" => kind != GroupType::Work,
        _ => true,
    }
}

fn role_of(text: &str) -> Role {
    match text {
        "Owner" => Role::Owner,
        "Admin" => Role::Admin,
        _ => Role::Member,
    }
}

fn invite_of(data: &Value) -> Option<InviteOption> {
    match data["inviteOption"].as_str()? {
        "FreeAccess" => Some(InviteOption::FreeAccess),
        _ => Some(InviteOption::DisableInvite),
    }
}

impl<'a> Groups<'a> {
    pub(super) fn learn_changes(&mut self) {
        let mut of: HashMap<&str, Writes> = HashMap::new();
        let mut creations: HashMap<(&str, &str), Vec<&Operation>> = HashMap::new();
        for operation in self.operations {
            let Some(id) = group_of(operation.action, operation.data) else { continue };
            match operation.action {
                "createGroup" => creations.entry((id, operation.user)).or_default().push(operation),
                "dismissGroup" => of.entry(id).or_default().alive.push(once(operation).write(false)),
                _ => {}
            }
        }
        for ((id, _), attempts) in creations {
            learn_creation(&attempts, of.entry(id).or_default());
        }
        for change in &self.changes {
            let Some(group) = self.groups.get(change.group) else { continue };
            let writes = of.entry(change.group).or_default();
            if !has_tip(group.kind, change.action) {
                for index in &change.operations {
                    self.learn_untold(&self.operations[*index], change, writes);
                }
                continue;
            }
            let tip = self.tip_of(change);
            let span = self.span_of(change, tip);
            match tip {
                Some(tip) => self.learn_tip(change, &tip.data["payload"], &span, writes),
                // It would have one by now.
                None if self.would_be_kept(change, &span) => {}
                None => self.learn_wish(change, &span, writes),
            }
        }
        for (id, writes) in of {
            let Some(group) = self.groups.get_mut(id) else { continue };
            group.is_alive = Register::of(false, writes.alive);
            group.mutes_all = Register::of(false, writes.mutes_all);
            let usual = if group.kind == GroupType::Work {
                InviteOption::FreeAccess
            } else {
                InviteOption::DisableInvite
            };
            group.invite = Register::of(writes.first_invite.unwrap_or(usual), writes.invite);
            group.name = Register::of("", writes.names);
            let roles = writes.roles.into_iter();
            group.roles = roles.map(|(user, writes)| (user, Register::of(None, writes))).collect();
            let came = writes.came.into_iter();
            group.came = came.map(|(user, writes)| (user, Register::of(None, writes))).collect();
            let muted = writes.muted.into_iter();
            group.muted = muted.map(|(user, writes)| (user, Register::of((0, 0), writes))).collect();
            group.gone = writes.gone;
        }
    }

    /// What is told by no tip: each attempt may make it once more.
    fn learn_untold(&self, operation: &Operation<'a>, change: &Change<'a>, writes: &mut Writes<'a>) {
        let span = once(operation);
        let maybe = Span { is_certain: false, ..span };
        let good = operation.good().map(|answer| answer.data);
        let (me, asked) = (operation.user, users(change.data, "userIDList"));
        match change.action {
            "joinGroup" => {
                let came = good.is_some_and(|answer| answer["status"] == "JoinedSuccess");
                writes.come(me, Role::Member, (0, 0), if came { &span } else { &maybe });
            }
            "quitGroup" => writes.go(me, &span),
            "addGroupMember" => {
                let new = good.map(|answer| users(answer, "successUserIDList")).unwrap_or_default();
                for user in asked {
                    writes.come(user, Role::Member, (0, 0), if new.contains(&user) { &span } else { &maybe });
                }
            }
            _ => {
                let out = good.map(|answer| users(answer, "userIDList")).unwrap_or_default();
                for user in asked {
                    writes.go(user, if out.contains(&user) { &span } else { &maybe });
                }
            }
        }
    }

    fn learn_tip(&self, change: &Change<'a>, tip: &'a Value, span: &Span, writes: &mut Writes<'a>) {
        let concerned = users(tip, "userIDList");
        match tip["operationType"].as_u64().unwrap_or_default() {
            1 => concerned
                .iter()
                .for_each(|user| writes.come(user, Role::Member, self.bound_of(change, span), span)),
            2 | 3 => concerned.iter().for_each(|user| writes.go(user, span)),
            4 => concerned.iter().for_each(|user| writes.become_(user, Role::Admin, span)),
            5 => concerned.iter().for_each(|user| writes.become_(user, Role::Member, span)),
            7 => {
                for muted in list(tip, "memberList") {
                    let until = self.until(span, muted["muteTime"].as_u64().unwrap_or_default());
                    writes.mute(text(muted, "userID"), until, span);
                }
            }
            _ => self.learn_description(
                change,
                &tip["newGroupProfile"],
                text(&tip["newGroupProfile"], "ownerID"),
                span,
                writes,
            ),
        }
    }

    /// What would come of a change of which nobody knows whether it was made.
    fn learn_wish(&self, change: &Change<'a>, span: &Span, writes: &mut Writes<'a>) {
        let asked = users(change.data, "userIDList");
        let user = Some(text(change.data, "userID")).filter(|user| !user.is_empty()).unwrap_or(change.user);
        match change.action {
            // Where they apply, somebody else lets them in.
            "joinGroup" if !self.groups[change.group].is_open => {}
            "joinGroup" => writes.come(change.user, Role::Member, self.bound_of(change, span), span),
            "handleGroupApplication" if change.data["handleAction"] == "Reject" => {}
            "handleGroupApplication" => writes.come(user, Role::Member, self.bound_of(change, span), span),
            "quitGroup" => writes.go(change.user, span),
            "addGroupMember" => {
                asked
                    .iter()
                    .for_each(|user| writes.come(user, Role::Member, self.bound_of(change, span), span));
            }
            "deleteGroupMember" => asked.iter().for_each(|user| writes.go(user, span)),
            "setGroupMember" => {
                if let Some(role) = change.data["role"].as_str() {
                    writes.become_(user, role_of(role), span);
                }
                if let Some(seconds) = change.data["muteTime"].as_u64() {
                    writes.mute(user, self.until(span, seconds), span);
                }
            }
            _ => self.learn_description(change, change.data, text(change.data, "newOwnerID"), span, writes),
        }
    }

    fn learn_description(
        &self,
        change: &Change<'a>,
        said: &'a Value,
        owner: &'a str,
        span: &Span,
        writes: &mut Writes<'a>,
    ) {
        if let Some(mutes) = said["muteAllMembers"].as_bool() {
            writes.mutes_all.push(span.write(mutes));
        }
        if let Some(name) = said["groupName"].as_str().or(said["name"].as_str()) {
            writes.names.push(span.write(name));
        }
        if let Some(invite) = invite_of(said).filter(|_| self.groups[change.group].kind != GroupType::Work) {
            writes.invite.push(span.write(invite));
        }
        if !owner.is_empty() {
            for (user, role) in [(change.user, Role::Member), (owner, Role::Owner)] {
                writes.become_(user, role, span);
                writes.mute(user, (0, 0), span);
            }
        }
    }

    /// Who comes sees what is said from then on. When nothing lives, that is all.
    fn bound_of(&self, change: &Change, span: &Span) -> (u64, u64) {
        let group = &self.groups[change.group];
        let known = group.log.known.before(span.at);
        let lives = group.log.living(known, span.clock_over).is_some();
        (if lives { known } else { 0 }, group.log.most(span.over))
    }

    fn until(&self, span: &Span, seconds: u64) -> Muted {
        let skew = self.rules.skew_ms;
        match seconds {
            0 => (0, 0),
            _ => (
                span.clock.saturating_sub(skew) / 1000 + seconds,
                (span.clock_over + skew).div_ceil(1000) + seconds,
            ),
        }
    }

    fn tip_of(&self, change: &Change) -> Option<&Message<'a>> {
        let log = &self.groups.get(change.group)?.log;
        let numbers = log.numbers.get(&(change.user, change.client_id))?;
        numbers.iter().map(|number| &log.messages[number]).find(|message| message.is_tip)
    }

    /// From when it was first asked for until it was first known: by its tip, or by an answer. An attempt that found nothing to
    /// do is not the one that has made it.
    fn span_of(&self, change: &Change, tip: Option<&Message>) -> Span {
        let all = || change.operations.iter().map(|index| &self.operations[*index]);
        let is_idle = |operation: &&Operation| {
            let says = ["joinGroup", "addGroupMember", "deleteGroupMember"].contains(&change.action);
            says && operation.good().is_some() && !self.did(change, operation)
        };
        let first = all().find(|operation| !is_idle(operation)).or(all().next()).map(once);
        let done = all()
            .filter(|operation| self.did(change, operation))
            .map(once)
            .map(|span| (span.over, span.clock_over));
        let seen = tip.map(|tip| (tip.seen_at, tip.seen_clock));
        let last = || all().map(once).map(|span| (span.over, span.clock_over)).max();
        let (over, clock_over) = done.chain(seen).min().or_else(last).unwrap_or_default();
        Span { over, clock_over, is_certain: tip.is_some(), ..first.unwrap_or_default() }
    }

    pub(super) fn check_changes(&mut self) {
        let mut wrong = Vec::new();
        for change in &self.changes {
            let Some(group) = self.groups.get(change.group) else { continue };
            let first = &self.operations[change.operations[0]];
            let good = || {
                change
                    .operations
                    .iter()
                    .map(|index| &self.operations[*index])
                    .filter(|op| op.good().is_some())
            };
            let Some(tip) = self.tip_of(change) else {
                if let Some(done) =
                    good().find(|done| has_tip(group.kind, change.action) && self.did(change, done))
                    && self.would_be_seen(change, first.at)
                {
                    wrong.push((Point::Changes, format!("{} is done, and no tip says so", name(done))));
                }
                continue;
            };
            let span = self.span_of(change, Some(tip));
            let payload = &tip.data["payload"];
            if let Some(why) = self.is_not_that(change, payload) {
                wrong.push((Point::Changes, format!("{} has a tip {why}: {payload}", name(first))));
            }
            for done in good() {
                if let Some(answered) = self.is_answered_otherwise(change, done, tip) {
                    let what =
                        format!("{} answers {answered}, and the tip says otherwise: {payload}", name(done));
                    wrong.push((Point::Changes, what));
                }
            }
            if !group.may_be_alive(span.at, span.over) {
                wrong.push((Point::Members, format!("{} changes what was dismissed", name(first))));
            }
            if !self.may_have_been_allowed(change, payload, &span) {
                let roles = group.roles(change.user, span.at, span.over);
                let what = format!("{} is made by somebody who was {roles:?} then: {payload}", name(first));
                wrong.push((Point::Changes, what));
            }
        }
        self.wrong.extend(wrong);
    }

    /// What an answer says that is not what the tip says. Before the tip was there, there may have been nothing to do.
    fn is_answered_otherwise(&self, change: &Change, done: &Operation, tip: &Message) -> Option<String> {
        let answer = done.good()?;
        let is_known = done.at > tip.seen_at && self.rules.lives(tip.time, answer.clock);
        let field = match change.action {
            "joinGroup" => {
                let status = text(answer.data, "status");
                return (is_known && status != "JoinedSuccess").then(|| status.to_owned());
            }
            "addGroupMember" => "successUserIDList",
            "deleteGroupMember" => "userIDList",
            _ => return None,
        };
        let answered = users(answer.data, field);
        let is_same = answered == users(&tip.data["payload"], "userIDList");
        (!is_same && (is_known || !answered.is_empty())).then(|| format!("{answered:?}"))
    }

    /// Whether an answer says that there was something to do, as far as it does.
    fn did(&self, change: &Change, done: &Operation) -> bool {
        let Some(answer) = done.good() else { return false };
        match change.action {
            "joinGroup" => answer.data["status"] == "JoinedSuccess",
            "addGroupMember" => !users(answer.data, "successUserIDList").is_empty(),
            "deleteGroupMember" => !users(answer.data, "userIDList").is_empty(),
            "updateGroupProfile" => self.groups.get(change.group).is_some_and(|group| {
                let fields = done.data.as_object().into_iter().flatten();
                fields.map(|(field, _)| field.as_str()).any(|field| may_change(group.kind, field))
            }),
            "changeGroupOwner" => true,
            // Who is not in it has quit, and who is that already becomes nothing else.
            _ => false,
        }
    }

    /// Whether a tip of what was asked for then is in the view of somebody who reads everything in the end, and still lives.
    fn would_be_seen(&self, change: &Change, at: u64) -> bool {
        let group = &self.groups[change.group];
        let known = group.log.known.before(at);
        self.rules.retention.is_none() && group.last.values().any(|last| last.bound() <= known)
    }

    /// Whether the tip of a change that was over then is in the log, in the view of somebody, if there is one.
    fn would_be_kept(&self, change: &Change, span: &Span) -> bool {
        let broken = span.over + BROKEN + 2_000 * self.rules.skew_ms;
        broken < self.groups[change.group].completed_at && self.would_be_seen(change, span.at)
    }

    fn is_not_that(&self, change: &Change, tip: &Value) -> Option<&'static str> {
        let kind = tip["operationType"].as_u64().unwrap_or_default();
        let fits = match change.action {
            "joinGroup" | "addGroupMember" => kind == 1,
            "handleGroupApplication" => kind == 1 && change.data["handleAction"] == "Agree",
            "quitGroup" => kind == 2,
            "deleteGroupMember" => kind == 3,
            "setGroupMember" if change.data["muteTime"].is_u64() => kind == 7,
            "setGroupMember" => kind == if change.data["role"] == "Admin" { 4 } else { 5 },
            _ => kind == 6,
        };
        if !fits {
            return Some("of another kind");
        }
        let user = [text(change.data, "userID")];
        let asked = match change.action {
            "joinGroup" | "quitGroup" => vec![change.user],
            "setGroupMember" | "handleGroupApplication" => user.into(),
            _ => users(change.data, "userIDList"),
        };
        if users(tip, "userIDList").iter().any(|user| !asked.contains(user)) {
            return Some("of others");
        }
        (text(tip, "operatorID") != change.user).then_some("of another operator")
    }

    /// Whether it can have been allowed by what those whom it concerns were.
    fn may_have_been_allowed(&self, change: &Change, tip: &Value, span: &Span) -> bool {
        let group = &self.groups[change.group];
        let kind = group.kind;
        let of = |user: &str| group.roles(user, span.at, span.over);
        let mine = of(change.user);
        let may_all = |op: &dyn Fn(Role) -> Op, users: &[&str]| {
            let may_one = |role: Option<Role>, user: &&str| {
                of(user).iter().flatten().any(|other| may(kind, role, op(*other)).is_ok())
            };
            mine.iter().any(|role| users.iter().all(|user| may_one(*role, user)))
        };
        let concerned = users(tip, "userIDList");
        let may_any = |ops: &[Op]| mine.iter().any(|role| ops.iter().any(|op| may(kind, *role, *op).is_ok()));
        match change.action {
            "joinGroup" => group.is_open && may_any(&[Op::Join(JoinOption::FreeAccess)]),
            "handleGroupApplication" => may_any(&[Op::Decide]),
            "quitGroup" => may_any(&[Op::Quit]),
            "addGroupMember" => {
                let options = group.invite.between(span.at, span.over);
                may_any(&options.map(|option| Op::Invite(*option)).collect::<Vec<_>>())
            }
            "deleteGroupMember" => may_all(&Op::Kick, &concerned),
            "setGroupMember" if change.data["muteTime"].is_u64() => may_all(&Op::Mute, &concerned),
            "setGroupMember" => may_all(&Op::Appoint, &concerned),
            "changeGroupOwner" => may_all(&Op::HandOver, &[text(change.data, "newOwnerID")]),
            _ if change.data["muteAllMembers"].is_boolean() => may_any(&[Op::MuteAll]),
            _ => may_any(&[Op::Describe]),
        }
    }
}

/// A group is made once, by the first of these attempts that was answered at the latest.
fn learn_creation<'a>(attempts: &[&Operation<'a>], writes: &mut Writes<'a>) {
    let all = || attempts.iter().map(|attempt| once(attempt));
    let good = all().filter(|span| span.is_certain).min_by_key(|span| span.over);
    let (Some(first), Some(known)) = (attempts.first(), good.or(all().max_by_key(|span| span.over))) else {
        return;
    };
    let span = Span { at: first.at, clock: first.clock, ..known };
    writes.alive.push(span.write(true));
    writes.names.push(span.write(text(first.data, "name")));
    writes.first_invite = writes.first_invite.or(invite_of(first.data));
    writes.come(first.user, Role::Owner, (0, 0), &span);
    for member in list(first.data, "memberList") {
        let user = text(member, "userID");
        if user != first.user {
            writes.come(user, role_of(text(member, "role")), (0, 0), &span);
        }
    }
}

/// One attempt by itself.
fn once(operation: &Operation) -> Span {
    let (over, clock_over) = match &operation.answer {
        Some(answer) => (answer.at, answer.clock),
        None => (operation.at + LINGERS, operation.clock + LINGERS / 1000),
    };
    Span {
        at: operation.at,
        over,
        clock: operation.clock,
        clock_over,
        is_certain: operation.good().is_some(),
    }
}
