//! The protocol of groups, as a model: sends, marks, mentions, joins, quits, kicks and roles of eight users, call by call in
//! random order, with functions that are killed, clients that ask again while the first attempt still runs, and
//! answers that get lost. `docs/proofs.md` has the figures.
//!
//! A call of the store is one step. What a function knows from its calls it keeps, as the product does; what it may
//! decide of a roster that has changed meanwhile is what this is about.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll, Waker},
};

/// A step of the protocol that is left out or done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mutant {
    /// A change is written though the roster has changed since it was allowed.
    NotFenced,
    /// Who joins a public group of their own accord is not fenced, as in a meeting.
    JoinNotFenced,
    /// A number that is taken is passed over without a look at who has it.
    TakenIsNotLookedAt,
    /// A change that was made before is not looked for in the log.
    TipIsNoRecord,
    /// The log is read before the outbox.
    LogBeforeOutbox,
    /// An entry leaves the outbox before its tip is in the log.
    OutboxIsEmptiedFirst,
    /// A send moves its sender's read position, instead of noting its number.
    SendReads,
    /// A roster is kept without a look at its version.
    RosterIsOld,
    /// Who joins is not counted with the rows.
    CountApart,
    /// Who leaves a meeting leaves it whatever they have become meanwhile.
    OwnerMayQuit,
    /// A mark takes away all mentions.
    MarkDropsMentions,
}

const MUTANTS: [Mutant; 11] = [
    Mutant::NotFenced,
    Mutant::JoinNotFenced,
    Mutant::TakenIsNotLookedAt,
    Mutant::TipIsNoRecord,
    Mutant::LogBeforeOutbox,
    Mutant::OutboxIsEmptiedFirst,
    Mutant::SendReads,
    Mutant::RosterIsOld,
    Mutant::CountApart,
    Mutant::OwnerMayQuit,
    Mutant::MarkDropsMentions,
];

const USERS: u8 = 8;
const OWNER: u8 = 0;
const LIMIT: usize = 5;
const JOBS: u32 = 40;
const MAX_CONCURRENCY: usize = 6;
const ATTEMPTS: usize = 30;

/// A generator of numbers that is the same everywhere (splitmix64).
struct Dice(Cell<u64>);

impl Dice {
    fn below(&self, number: u64) -> u64 {
        let state = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % number
    }

    fn one_of<T: Copy>(&self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    fn percent(&self, chance: u64) -> bool {
        self.below(100) < chance
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Member,
    Admin,
    Owner,
}

/// What a user wants done. Whom it concerns is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Send { mentions: Option<u8> },
    Mark { to: u64 },
    Join,
    Quit,
    Add(u8),
    Kick(u8),
    Promote(u8),
    Demote(u8),
    HandOver(u8),
    Dismiss,
}

#[derive(Clone, Copy)]
struct Row {
    from: u8,
    id: u32,
    counted: u64,
    time: u64,
    is_tip: bool,
}

/// A tip that is promised.
#[derive(Clone, Copy)]
struct Promised {
    from: u8,
    base: u64,
    is_old: bool,
}

/// What a user has of the group in the list.
#[derive(Clone, Default)]
struct Mine {
    joined: u64,
    read: u64,
    counted: u64,
    own: BTreeSet<u64>,
    mentions: BTreeSet<u64>,
}

/// The rows, and what only an onlooker knows.
#[derive(Default)]
struct Group {
    version: u64,
    members: usize,
    outbox: BTreeMap<u32, Promised>,
    dismissed: bool,
    owner: u8,
    log: BTreeMap<u64, Row>,
    roster: BTreeMap<u8, Role>,
    rows: BTreeMap<u8, Mine>,

    applied: BTreeSet<u32>,
    reached: BTreeMap<u8, u64>,
    not_noted: BTreeSet<(u8, u64)>,
    broken: Vec<&'static str>,
}

impl Group {
    fn last(&self) -> u64 {
        self.log.last_key_value().map_or(0, |(seq, _)| *seq)
    }

    fn counted(&self, seq: u64) -> u64 {
        self.log.get(&seq).map_or(0, |row| row.counted)
    }

    fn find(&self, from: u8, id: u32, behind: u64) -> Option<u64> {
        let mut rows = self.log.range(behind + 1..);
        rows.find(|(_, row)| row.from == from && row.id == id).map(|(seq, _)| *seq)
    }

    fn breaks(&mut self, promise: &'static str, is_broken: bool) {
        if is_broken {
            self.broken.push(promise);
        }
    }
}

/// One run.
struct Run {
    dice: Dice,
    mutant: Option<Mutant>,
    is_meeting: bool,
    group: RefCell<Group>,
    /// What the sandbox has in its memory.
    cached: RefCell<Option<(u64, BTreeMap<u8, Role>)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Sent(u64),
    Done,
    Refused,
    Busy,
}

/// Somebody else may do something in between.
async fn call() {
    let mut is_first = true;
    poll_fn(|_| if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }).await;
}

impl Run {
    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// The roster of a version, from memory or by a query. A query is made after `P` was read.
    async fn roster(&self, version: u64) -> BTreeMap<u8, Role> {
        let cached = self.cached.borrow().clone();
        if let Some((of, roster)) = cached
            && (of == version || self.is(Mutant::RosterIsOld))
        {
            return roster;
        }
        call().await;
        let roster = self.group.borrow().roster.clone();
        *self.cached.borrow_mut() = Some((version, roster.clone()));
        roster
    }

    async fn append(&self, from: u8, id: u32, base: u64, is_tip: bool) -> u64 {
        call().await;
        let (head, found) = {
            let group = self.group.borrow();
            (group.last(), group.find(from, id, base))
        };
        if let Some(found) = found {
            return found;
        }
        let mut before = self.group.borrow().log.get(&head).copied();
        let (mut seq, mut taken) = (head + 1, 0);
        loop {
            call().await;
            let Some(row) = self.put(seq, before, from, id, is_tip) else { return seq };
            let looks = !self.is(Mutant::TakenIsNotLookedAt);
            if looks && row.from == from && row.id == id {
                return seq;
            }
            before = Some(row);
            taken += 1;
            if taken % 2 == 0 {
                call().await;
                let group = self.group.borrow();
                if let Some(found) = group.find(from, id, seq).filter(|_| looks) {
                    return found;
                }
                seq = group.last();
                before = group.log.get(&seq).copied();
            }
            seq += 1;
        }
    }

    /// Writes a message under a number, unless that is taken: by which.
    fn put(&self, seq: u64, before: Option<Row>, from: u8, id: u32, is_tip: bool) -> Option<Row> {
        let mut group = self.group.borrow_mut();
        let taken = group.log.get(&seq).copied();
        if taken.is_none() {
            let counted = before.map_or(0, |row| row.counted) + 1;
            let time = before.map_or(0, |row| row.time).max(self.dice.below(1000));
            group.log.insert(seq, Row { from, id, counted, time, is_tip });
        }
        taken
    }

    /// A sender's own number is never unread to them.
    async fn note(&self, user: u8, seq: u64) {
        call().await;
        let mut group = self.group.borrow_mut();
        let counted = group.counted(seq);
        match group.rows.get_mut(&user) {
            None => _ = group.not_noted.insert((user, seq)),
            Some(mine) if self.is(Mutant::SendReads) => {
                if mine.read < seq {
                    (mine.read, mine.counted) = (seq, counted);
                }
            }
            Some(mine) => _ = mine.own.insert(seq),
        }
    }

    /// Does what others have promised, and were cut off.
    async fn finish_tips(&self, only_old: bool) {
        let promised: Vec<(u32, Promised)> =
            self.group.borrow().outbox.iter().map(|(id, promised)| (*id, *promised)).collect();
        for (id, Promised { from, base, is_old }) in promised {
            if only_old && !is_old {
                continue;
            }
            if self.is(Mutant::OutboxIsEmptiedFirst) {
                call().await;
                self.group.borrow_mut().outbox.remove(&id);
            }
            let seq = self.append(from, id, base, true).await;
            self.note(from, seq).await;
            call().await;
            self.group.borrow_mut().outbox.remove(&id);
        }
    }

    async fn send(&self, user: u8, id: u32, base: u64, mentions: Option<u8>) -> Answer {
        call().await;
        let (version, dismissed) = {
            let group = self.group.borrow();
            (group.version, group.dismissed)
        };
        let roster = self.roster(version).await;
        if dismissed || !roster.contains_key(&user) {
            return Answer::Refused;
        }
        self.finish_tips(true).await;
        let seq = self.append(user, id, base, false).await;
        self.note(user, seq).await;
        if let Some(mentioned) = mentions.filter(|mentioned| roster.contains_key(mentioned)) {
            call().await;
            if let Some(mine) = self.group.borrow_mut().rows.get_mut(&mentioned) {
                mine.mentions.insert(seq);
            }
        }
        Answer::Sent(seq)
    }

    async fn mark(&self, user: u8, to: u64) -> Answer {
        call().await;
        let (to, counted) = {
            let group = self.group.borrow();
            let to = to.min(group.last());
            (to, group.counted(to))
        };
        call().await;
        let mut group = self.group.borrow_mut();
        if let Some(mine) = group.rows.get_mut(&user).filter(|mine| mine.read < to) {
            (mine.read, mine.counted) = (to, counted);
            mine.own.retain(|seq| *seq > to);
            let drops_all = self.is(Mutant::MarkDropsMentions);
            mine.mentions.retain(|seq| *seq > to && !drops_all);
            let reached = group.reached.entry(user).or_default();
            *reached = to.max(*reached);
        }
        Answer::Done
    }

    /// Whether the rules let this user do that, by such a roster.
    fn may(&self, roster: &BTreeMap<u8, Role>, user: u8, wish: Wish) -> bool {
        let role = roster.get(&user).copied();
        let role_of = |user: u8| roster.get(&user).copied();
        match wish {
            Wish::Join => role.is_none(),
            Wish::Quit => role.is_some_and(|role| role < Role::Owner),
            Wish::Add(other) => role.is_some() && role_of(other).is_none(),
            Wish::Kick(other) => {
                role >= Some(Role::Admin) && role_of(other).is_some_and(|other| Some(other) < role)
            }
            Wish::Promote(other) | Wish::Demote(other) | Wish::HandOver(other) => {
                role == Some(Role::Owner) && role_of(other).is_some_and(|other| other < Role::Owner)
            }
            Wish::Dismiss => role == Some(Role::Owner),
            Wish::Send { .. } | Wish::Mark { .. } => role.is_some(),
        }
    }

    async fn change(&self, user: u8, id: u32, base: u64, wish: Wish) -> Answer {
        let is_free = self.is_meeting && matches!(wish, Wish::Join | Wish::Quit);
        let has_tip = !is_free && wish != Wish::Dismiss;
        for attempt in 0..=ATTEMPTS {
            if attempt == ATTEMPTS {
                return Answer::Busy;
            }
            let first = if self.is(Mutant::LogBeforeOutbox) {
                call().await;
                let group = self.group.borrow();
                Some((group.last(), group.find(user, id, base).is_some()))
            } else {
                None
            };
            call().await;
            let (version, dismissed, members, promised) = {
                let group = self.group.borrow();
                (group.version, group.dismissed, group.members, group.outbox.contains_key(&id))
            };
            let roster = self.roster(version).await;
            // The log is read after the outbox, because an entry leaves it only when its tip is in the log.
            let (last, is_in_log) = match first {
                Some(first) => first,
                None => {
                    call().await;
                    let group = self.group.borrow();
                    (group.last(), group.find(user, id, base).is_some())
                }
            };
            if promised || is_in_log && !self.is(Mutant::TipIsNoRecord) {
                break;
            }
            if dismissed || !self.may(&roster, user, wish) {
                return Answer::Refused;
            }
            if matches!(wish, Wish::Join | Wish::Add(_)) && members >= LIMIT {
                return Answer::Refused;
            }
            call().await;
            let is_joining_freely = self.is(Mutant::JoinNotFenced) && wish == Wish::Join;
            let fenced = !(is_free || is_joining_freely || self.is(Mutant::NotFenced));
            if !fenced || self.group.borrow().version == version {
                if !self.apply(user, id, wish, last, has_tip) {
                    continue;
                }
                break;
            }
        }
        if has_tip {
            self.finish_tips(false).await;
        }
        Answer::Done
    }

    /// The transaction: all of it or nothing.
    fn apply(&self, user: u8, id: u32, wish: Wish, last: u64, has_tip: bool) -> bool {
        let group = &mut *self.group.borrow_mut();
        let is_full = group.members >= LIMIT && !self.is(Mutant::CountApart);
        let allowed = self.may(&group.roster, user, wish) || matches!(wish, Wish::Join | Wish::Quit);
        let (target, comes) = match wish {
            Wish::Join => (user, Some(true)),
            Wish::Add(other) => (other, Some(true)),
            Wish::Quit => (user, Some(false)),
            Wish::Kick(other) => (other, Some(false)),
            Wish::Promote(other) | Wish::Demote(other) | Wish::HandOver(other) => (other, None),
            Wish::Dismiss => (user, None),
            Wish::Send { .. } | Wish::Mark { .. } => return false,
        };
        let is_in = group.roster.contains_key(&target);
        let deserts = wish == Wish::Quit && group.owner == user && !self.is(Mutant::OwnerMayQuit);
        // The conditions of the rows themselves.
        let is_at_odds = comes.map_or(!is_in, |comes| comes == is_in);
        if group.dismissed || is_at_odds || deserts || comes == Some(true) && is_full {
            return false;
        }
        group.breaks("G13: a change was allowed by the roster that it was applied to", !allowed);
        let is_again = has_tip && !group.applied.insert(id);
        group.breaks("G15: a change is made once", is_again);
        group.version += 1;
        match wish {
            Wish::Join | Wish::Add(_) => {
                let counted = group.counted(last);
                let mine = Mine { joined: last, read: last, counted, ..Mine::default() };
                group.roster.insert(target, Role::Member);
                group.rows.insert(target, mine);
                group.reached.insert(target, last);
                group.members += usize::from(!self.is(Mutant::CountApart) || self.dice.percent(50));
            }
            Wish::Quit | Wish::Kick(_) => {
                group.roster.remove(&target);
                group.rows.remove(&target);
                group.members -= 1;
            }
            Wish::Promote(_) => _ = group.roster.insert(target, Role::Admin),
            Wish::Demote(_) => _ = group.roster.insert(target, Role::Member),
            Wish::HandOver(_) => {
                group.roster.insert(user, Role::Member);
                group.roster.insert(target, Role::Owner);
                group.owner = target;
            }
            Wish::Dismiss => group.dismissed = true,
            Wish::Send { .. } | Wish::Mark { .. } => {}
        }
        if has_tip {
            group.outbox.insert(id, Promised { from: user, base: last, is_old: false });
        }
        let rows: Vec<&u8> = group.rows.keys().collect();
        let counts = group.members == rows.len() && group.roster.keys().eq(rows) && group.members <= LIMIT;
        group.breaks("G10: members are counted with their rows, and never too many", !counts);
        let owners: Vec<&u8> =
            group.roster.iter().filter(|(_, role)| **role == Role::Owner).map(|(user, _)| user).collect();
        let is_one = owners == [&group.owner];
        group.breaks("G11: there is one owner", !is_one);
        true
    }

    fn wish(&self) -> (u8, Wish) {
        let dice = &self.dice;
        let user = |from: u8| from + u8::try_from(dice.below(u64::from(USERS - from))).unwrap();
        let among = |number: u8| 1 + u8::try_from(dice.below(u64::from(number))).unwrap();
        match dice.below(100) {
            0..55 => (user(0), Wish::Send { mentions: dice.percent(30).then(|| user(0)) }),
            55..70 => (user(0), Wish::Mark { to: 1 + dice.below(30) }),
            70..76 => (dice.one_of(&[OWNER, 1, 2]), Wish::Add(user(1))),
            76..81 => (among(4), Wish::Join),
            81..84 => (among(4), Wish::Quit),
            84..89 => (dice.one_of(&[OWNER, 1, 2]), Wish::Kick(among(4))),
            89..94 => (OWNER, Wish::Promote(among(2))),
            94..97 => (OWNER, Wish::Demote(among(2))),
            97..99 => (dice.one_of(&[OWNER, 1, 2]), Wish::HandOver(among(2))),
            _ => (dice.one_of(&[OWNER, 1]), Wish::Dismiss),
        }
    }
}

/// A request of a client, which it repeats as it is.
#[derive(Clone, Copy)]
struct Job {
    user: u8,
    id: u32,
    wish: Wish,
    base: Option<u64>,
    repeats: u32,
}

struct Running<'a> {
    job: Job,
    work: Pin<Box<dyn Future<Output = Answer> + 'a>>,
    /// At some moment since it began, its user was in the group.
    was_in: bool,
}

/// What one run has come to.
#[derive(Default)]
struct Outcome {
    broken: Vec<&'static str>,
    messages: usize,
    changes: usize,
}

fn run(seed: u64, mutant: Option<Mutant>) -> Outcome {
    let run = Run {
        dice: Dice(Cell::new(seed)),
        mutant,
        is_meeting: seed % 4 == 3,
        group: RefCell::default(),
        cached: RefCell::default(),
    };
    {
        let group = &mut *run.group.borrow_mut();
        (group.version, group.members) = (1, 1);
        group.roster.insert(OWNER, Role::Owner);
        group.rows.insert(OWNER, Mine::default());
    }
    let mut jobs: Vec<Job> = (0..JOBS)
        .map(|id| {
            let (user, wish) = run.wish();
            Job { user, id, wish, base: None, repeats: 0 }
        })
        .collect();
    jobs.reverse();
    let mut acknowledged: Vec<(Job, u64)> = Vec::new();
    let mut running: Vec<Running<'_>> = Vec::new();
    while !jobs.is_empty() || !running.is_empty() {
        if let Some(mut job) = jobs.pop_if(|_| running.len() < MAX_CONCURRENCY) {
            let base = *job.base.get_or_insert_with(|| run.group.borrow().last());
            let Job { user, id, wish, .. } = job;
            let run = &run;
            let work: Pin<Box<dyn Future<Output = Answer> + '_>> = match wish {
                Wish::Send { mentions } => Box::pin(run.send(user, id, base, mentions)),
                Wish::Mark { to } => Box::pin(run.mark(user, to)),
                _ => Box::pin(run.change(user, id, base, wish)),
            };
            running.push(Running { job, work, was_in: false });
        }
        for promised in run.group.borrow_mut().outbox.values_mut() {
            promised.is_old |= run.dice.percent(5);
        }
        for Running { job, was_in, .. } in &mut running {
            *was_in |= run.group.borrow().roster.contains_key(&job.user);
        }
        let at = usize::try_from(run.dice.below(running.len() as u64)).unwrap();
        if run.dice.percent(6) && running[at].job.repeats < 3 {
            running[at].job.repeats += 1;
            let job = running[at].job;
            // Killed, or it goes on beside the second attempt.
            if run.dice.percent(70) {
                drop(running.swap_remove(at));
            }
            if run.dice.percent(85) {
                let place =
                    jobs.len() - usize::try_from(run.dice.below(1 + jobs.len().min(3) as u64)).unwrap();
                jobs.insert(place, job);
            }
            continue;
        }
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(answer) = running[at].work.as_mut().poll(&mut context) {
            let Running { mut job, was_in, .. } = running.swap_remove(at);
            if let Answer::Sent(seq) = answer {
                run.group.borrow_mut().breaks("G9: who is not in it sends nothing", !was_in);
                if run.dice.percent(10) && job.repeats < 3 {
                    // The answer was lost.
                    job.repeats += 1;
                    jobs.insert(0, job);
                } else {
                    acknowledged.push((job, seq));
                }
            }
        }
    }
    drop(running);
    // Once more somebody reads it.
    let mut rest = Box::pin(run.finish_tips(false));
    while rest.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {}
    drop(rest);
    look(&run, &acknowledged)
}

/// What the promises say of how it ended.
fn look(run: &Run, acknowledged: &[(Job, u64)]) -> Outcome {
    let group = &mut *run.group.borrow_mut();
    let numbers: Vec<u64> = group.log.keys().copied().collect();
    group.breaks("G3: numbers have no hole", !numbers.iter().copied().eq(1..=numbers.len() as u64));
    let names: BTreeSet<(u8, u32)> = group.log.values().map(|row| (row.from, row.id)).collect();
    let is_once = names.len() == group.log.len();
    group.breaks("G2: a message has one number", !is_once);
    let is_there = acknowledged.iter().all(|(job, seq)| {
        group.log.get(seq).is_some_and(|row| (row.from, row.id, row.is_tip) == (job.user, job.id, false))
    });
    group.breaks("G1: what was acknowledged is there", !is_there);
    let times: Vec<u64> = group.log.values().map(|row| row.time).collect();
    group.breaks("G4: time never decreases", !times.is_sorted());
    let tips = |id: u32| group.log.values().filter(|row| row.is_tip && row.id == id).count();
    let has_one_each = group.applied.iter().all(|id| tips(*id) == 1);
    let has_no_other = group.log.values().all(|row| !row.is_tip || group.applied.contains(&row.id));
    group.breaks("G12: every change has one tip", !(has_one_each && has_no_other));

    let last = group.last();
    let answered: BTreeSet<u64> = acknowledged.iter().map(|(_, seq)| *seq).collect();
    let mut wrong = Vec::new();
    for (user, mine) in &group.rows {
        let behind = group.reached.get(user).copied().unwrap_or_default().max(mine.joined);
        let own = mine.own.iter().filter(|seq| **seq > behind && **seq <= last).count() as u64;
        let unread = group.counted(last).checked_sub(mine.counted + own);
        let others = group.log.range(behind + 1..).filter(|(_, row)| row.from != *user).count() as u64;
        // What its sender was never told of may count as unread to them, and what overlapped their going and coming.
        let not_noted = |(seq, row): &(&u64, &Row)| {
            row.from == *user
                && !mine.own.contains(seq)
                && (!row.is_tip && !answered.contains(seq) || group.not_noted.contains(&(*user, **seq)))
        };
        let at_most = others + group.log.range(behind + 1..).filter(not_noted).count() as u64;
        if !unread.is_some_and(|unread| (others..=at_most).contains(&unread)) {
            wrong.push("G7: unread is what a count of all says");
        }
        let is_mention =
            |job: &Job, seq: u64| job.wish == Wish::Send { mentions: Some(*user) } && seq > behind;
        let mut mentions = acknowledged.iter().filter(|(job, seq)| is_mention(job, *seq));
        // Of the others, some had left and come back when they were mentioned.
        if *user == OWNER && mine.joined == 0 && mentions.any(|(_, seq)| !mine.mentions.contains(seq)) {
            wrong.push("G16: an acknowledged mention is there until it is read");
        }
    }
    group.broken.extend(wrong);
    Outcome {
        broken: std::mem::take(&mut group.broken),
        messages: group.log.len(),
        changes: group.applied.len(),
    }
}

const RUNS: u64 = 20_000;

#[test]
fn the_promises_of_groups_hold_in_random_orders_of_calls() {
    let (mut messages, mut changes) = (0, 0);
    for seed in 0..RUNS {
        let outcome = run(seed, None);
        assert_eq!(outcome.broken, [""; 0], "run {seed}");
        messages += outcome.messages;
        changes += outcome.changes;
    }
    println!("{RUNS} runs, {messages} messages, {changes} changes");
    assert!(messages > 100_000 && changes > 20_000, "{messages} messages, {changes} changes");
}

#[test]
fn the_promises_of_groups_break_when_a_step_is_left_out() {
    for mutant in MUTANTS {
        let broken = (0..RUNS).map(|seed| run(seed, Some(mutant)).broken);
        let found = broken.enumerate().find_map(|(runs, broken)| Some((runs + 1, *broken.first()?)));
        println!("{mutant:?}: {found:?}");
        assert!(found.is_some(), "{mutant:?} breaks nothing");
    }
}
