//! The calls of `actions::send_message`, one step each.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use hongyan_shared::model::{FOREVER_S, Floor, LogTail, Message, OneToOne, Predecessor, Seq};
use stateright::{Model, Property};

use super::{
    bounds::{Bounds, DAY, Mutant},
    table::{FLOOR_KEPT_LONGER_S, FloorRow, MessageRow, Table, Write, Written, draft, pair},
};

const BLOCK: u64 = 32;
const START: u64 = 1_795_400_001;

/// Those who were there before are drafts that nobody sends again.
const EARLIER: u8 = 100;

pub struct Numbers {
    pub bounds: Bounds,
    pub mutant: Option<Mutant>,
    /// What has been seen, a bit each. It is no part of a state: those would be many more.
    pub seen: Arc<AtomicU32>,
}

/// Where the model has to come to for its verdict to mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    NumberIsTaken,
    SecondNumberIsTaken,
    FoundBehindItsBase,
    BaseIsRefused,
    Waits,
    SomebodyElseBegan,
    GoesOnBehindTheFloor,
    BeginsAnew,
    BlockIsFull,
    SentAgainAfterItsEnd,
    CallArrivesLate,
}

impl Sight {
    pub const ALL: [Self; 11] = [
        Self::NumberIsTaken,
        Self::SecondNumberIsTaken,
        Self::FoundBehindItsBase,
        Self::BaseIsRefused,
        Self::Waits,
        Self::SomebodyElseBegan,
        Self::GoesOnBehindTheFloor,
        Self::BeginsAnew,
        Self::BlockIsFull,
        Self::SentAgainAfterItsEnd,
        Self::CallArrivesLate,
    ];

    pub fn bit(self) -> u32 {
        1 << self as u32
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// True time in seconds.
    now: u64,
    table: Table,
    /// The table of a second ago, for what reads stale.
    past: Table,
    /// The invocations that run, in no order.
    running: Vec<Invocation>,
    /// A write of an invocation that was killed, which has not arrived yet.
    late: Option<Write>,
    drafts: Vec<Sender>,
    /// What has been written since the conversation began: this is what is promised about.
    log: Vec<Entry>,
    left: Left,
}

/// What may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Left {
    sends: u8,
    kills: u8,
    repeats: u8,
    ticks: u8,
    rests: u8,
}

/// A client with one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Sender {
    /// The last message that it had seen when it composed this one.
    base: Option<u64>,
    acknowledged: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Entry {
    row: MessageRow,
    /// When it was written, no earlier message lived by any clock.
    behind_nothing: bool,
    /// When it was written, the same message lived already by every clock.
    is_double: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Invocation {
    draft: u8,
    skew: i64,
    retention: Option<u64>,
    next: Call,
}

/// Which call an invocation makes next, with what it knows from those before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Call {
    Tail,
    Find { head: Known, from: u64, to: u64 },
    Floor { head: Known },
    LayFloor { before: Option<FloorRow>, floor: FloorRow, message: MessageRow },
    KeepFloor { message: MessageRow, taken_before: u8 },
    RaiseFloor { message: MessageRow, taken_before: u8 },
    Append { message: MessageRow, taken_before: u8 },
    Behind { newest: MessageRow, taken_before: u8 },
    RaiseFloorAfterwards { n: u64, seq: u64 },
    Reply { seq: u64 },
}

/// What a head has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Known {
    last: Option<MessageRow>,
    stored: Option<u64>,
    stored_until: Option<u64>,
    floor: Option<FloorRow>,
}

impl Known {
    fn is_settling(&self, now: u64) -> bool {
        let tail = LogTail { stored_until: self.stored_until, ..LogTail::default() };
        self.last.is_none() && tail.is_settling(now * 1000)
    }
}

/// How an invocation ends.
enum End {
    Acknowledged(u64),
    /// 20004 with a `lastSequence`.
    BaseUnknown(u64),
    Busy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A client sends its message, the first time or again, with this base and to a function with such a clock.
    Send {
        draft: u8,
        base: u64,
        skew: i64,
        retention: Option<u64>,
    },
    /// The next call of an invocation.
    Call {
        of: u8,
        invocation: usize,
        call: &'static str,
    },
    /// Its call takes effect, the answer is lost, and the SDK will make the same call again.
    LoseAnswer {
        of: u8,
        invocation: usize,
        call: &'static str,
    },
    Kill {
        of: u8,
        invocation: usize,
        before: &'static str,
    },
    /// It is killed when its call is on the way.
    KillWithCallUnderWay {
        of: u8,
        invocation: usize,
        call: &'static str,
    },
    /// That call arrives.
    Arrive,
    /// A second passes.
    Tick,
    /// Time passes while nobody sends.
    Rest {
        until: u64,
    },
    Sweep {
        seq: u64,
    },
    SweepFloor,
}

impl Call {
    fn name(&self) -> &'static str {
        match self {
            Self::Tail => "tail",
            Self::Find { .. } => "find",
            Self::Floor { .. } => "floor",
            Self::LayFloor { .. } => "lay_floor",
            Self::KeepFloor { .. } => "keep_floor",
            Self::RaiseFloor { .. } | Self::RaiseFloorAfterwards { .. } => "raise_floor",
            Self::Append { .. } => "append",
            Self::Behind { .. } => "behind",
            Self::Reply { .. } => "push_and_acknowledge",
        }
    }

    fn write(&self) -> Option<Write> {
        match *self {
            Self::LayFloor { before, floor, .. } => Some(Write::LayFloor { before, floor }),
            Self::KeepFloor { message, .. } => {
                Some(Write::KeepFloor { x: floor_swept_at(message.kept_until) })
            }
            Self::RaiseFloor { message, .. } => message.first_of_a_block().map(|n| Write::RaiseFloor { n }),
            Self::RaiseFloorAfterwards { n, .. } => Some(Write::RaiseFloor { n }),
            Self::Append { message, .. } => Some(Write::Append(message)),
            Self::Tail
            | Self::Find { .. }
            | Self::Floor { .. }
            | Self::Behind { .. }
            | Self::Reply { .. } => None,
        }
    }
}

impl State {
    /// Takes a write, and notes what is promised about.
    fn write(&mut self, write: Write, model: &Numbers) -> Written {
        let written = self.table.write(write, model.mutant);
        if let (Write::Append(row), Written::Done) = (write, written) {
            // What is forgotten at its end is so by some clock.
            let living = self.now + model.bounds.clock_off;
            let lives = |entry: &Entry| entry.row.is_live(living);
            let lives_now = |row: &MessageRow| row.is_live(self.now);
            let behind_nothing = !self.log.iter().any(lives);
            let is_double = self.log.iter().any(|entry| entry.row.draft == row.draft && lives(entry));
            let follows = self.table.message(row.seq - 1).is_some_and(|row| lives_now(&row));
            model.saw(Sight::BlockIsFull, follows && row.seq % BLOCK == 1);
            model.saw(Sight::GoesOnBehindTheFloor, !follows && row.seq > 1);
            model.saw(Sight::BeginsAnew, self.log.is_empty() && self.now > START + DAY);
            model.saw(
                Sight::SentAgainAfterItsEnd,
                !is_double && self.log.iter().any(|entry| entry.row.draft == row.draft),
            );
            self.log.push(Entry { row, behind_nothing, is_double });
            self.log.sort_by_key(|entry| entry.row.seq);
        }
        written
    }

    /// When the floor has gone, 30 days after everything else had its end, it is a new conversation. What has not
    /// been swept by then is the old one's.
    fn forget(&mut self) {
        let over = |entry: &Entry| entry.row.end.is_some_and(|end| end + FLOOR_KEPT_LONGER_S <= self.now);
        if self.table.floor.is_none() && self.log.iter().all(over) {
            self.log.clear();
            for sender in &mut self.drafts {
                sender.acknowledged = None;
            }
        }
    }

    fn end(&mut self, index: u8, end: &End, model: &Numbers) {
        let sender = &mut self.drafts[usize::from(index)];
        match *end {
            End::Busy => model.saw(Sight::Waits, true),
            End::Acknowledged(seq) => sender.acknowledged = Some(seq),
            End::BaseUnknown(last) => {
                model.saw(Sight::BaseIsRefused, true);
                // The client looks for its message in what it has not seen.
                let from = sender.base.filter(|base| *base < last).map_or(1, |base| base + 1);
                let mut rows = self.table.messages.iter().filter(|row| (from..=last).contains(&row.seq));
                match rows.find(|row| row.draft == index && row.is_live(self.now)) {
                    Some(row) => sender.acknowledged = Some(row.seq),
                    None => sender.base = Some(last),
                }
            }
        }
    }
}

fn floor_swept_at(kept_until: Option<u64>) -> u64 {
    kept_until.unwrap_or(FOREVER_S) + FLOOR_KEPT_LONGER_S
}

/// What an invocation does between its calls.
struct Step<'a> {
    model: &'a Numbers,
    index: u8,
    base: u64,
    now: u64,
    retention: Option<u64>,
}

impl Step<'_> {
    fn next_message(&self, predecessor: Predecessor<'_>) -> MessageRow {
        let conversation = OneToOne { pair: pair().clone(), tail: LogTail::default() };
        let draft = draft(self.index);
        let message = conversation.next_message(&draft, predecessor, self.now * 1000, self.retention);
        let mut row = MessageRow::of(self.index, &message);
        if self.model.mutant == Some(Mutant::ExpiryDecreases) {
            row.end = self.retention.map(|seconds| self.now + seconds);
        }
        row
    }

    fn is_mine(&self, row: &MessageRow) -> bool {
        row.draft == self.index
    }

    fn longer(&self, end: Option<u64>) -> u64 {
        end.map_or(FOREVER_S, |second| second + self.retention.unwrap_or_default() / 2)
    }

    /// `head`, and the beginning of `find_duplicate`.
    fn head(&self, table: &Table) -> Result<Call, End> {
        let rows = self.model.bounds.head_rows;
        let newest: Vec<&MessageRow> = table.messages.iter().rev().take(rows).collect();
        let live: Vec<&MessageRow> = newest.iter().copied().filter(|row| row.is_live(self.now)).collect();
        let head = Known {
            last: live.first().copied().copied(),
            stored: newest.first().map(|row| row.seq),
            stored_until: newest.first().and_then(|row| row.end),
            floor: table.floor.filter(|_| newest.len() < rows),
        };
        if let Some(sent) = live.iter().find(|row| self.is_mine(row)) {
            return Ok(Call::Reply { seq: sent.seq });
        }
        let last = head.last.map_or(0, |row| row.seq);
        if self.base > last && head.last.is_some() {
            return Err(End::BaseUnknown(last));
        }
        let to = live.last().map_or(last, |oldest| oldest.seq - 1);
        let to = if self.model.mutant == Some(Mutant::SearchEndsEarly) { to.saturating_sub(1) } else { to };
        let from = self.base + 1;
        if from > to { self.next_behind_tail(head) } else { Ok(Call::Find { head, from, to }) }
    }

    fn find(&self, table: &Table, head: Known, from: u64, to: u64) -> Result<Call, End> {
        let page = self.model.bounds.page;
        let rows = table.messages.iter().filter(|row| (from..=to).contains(&row.seq));
        let found: Vec<&MessageRow> = rows.take(page).collect();
        if let Some(sent) = found.iter().find(|row| row.is_live(self.now) && self.is_mine(row)) {
            return Ok(Call::Reply { seq: sent.seq });
        }
        let goes_on = found.len() == page && self.model.mutant != Some(Mutant::SearchReadsOnePage);
        match found.last().filter(|last| goes_on && last.seq < to) {
            Some(last) => Ok(Call::Find { head, from: last.seq + 1, to }),
            None => self.next_behind_tail(head),
        }
    }

    fn next_behind_tail(&self, head: Known) -> Result<Call, End> {
        Ok(match head.last {
            Some(last) => self.keep_beside(self.next_message(Predecessor::Message(&last.message())), 0),
            None if head.is_settling(self.now) && self.model.mutant != Some(Mutant::NobodyWaits) => {
                return Err(End::Busy);
            }
            None if head.stored.is_some() => Call::Floor { head },
            None => return self.begin(head, head.floor),
        })
    }

    /// The rest of `next_behind_tail`.
    fn begin(&self, head: Known, before: Option<FloorRow>) -> Result<Call, End> {
        let stored = head.stored.map(Seq);
        let expires_at = self.next_message(Predecessor::Nothing(Seq(0))).end;
        let before_it = before.map(|row| row.floor());
        let kept_until = self.longer(expires_at);
        let floor = Floor::next(before_it, stored, expires_at, kept_until, self.now * 1000);
        if self.base > floor.begun_behind.0 && self.model.mutant != Some(Mutant::OldBaseIsTaken) {
            return Err(End::BaseUnknown(floor.begun_behind.0));
        }
        let mut message = self.next_message(Predecessor::Nothing(floor.begun_behind));
        let needs_floor = self.retention.is_some() || before.is_some() || stored.is_some();
        message.kept_until = needs_floor.then_some(kept_until);
        if !needs_floor {
            return Ok(Call::Append { message, taken_before: 0 });
        }
        Ok(Call::LayFloor { before, floor: FloorRow::of(floor), message })
    }

    fn keep_beside(&self, mut message: MessageRow, taken_before: u8) -> Call {
        if message.message().is_kept() || self.model.mutant == Some(Mutant::FloorIsNotKept) {
            return self.raise(message, taken_before);
        }
        message.kept_until = Some(self.longer(message.end));
        Call::KeepFloor { message, taken_before }
    }

    fn raise(&self, message: MessageRow, taken_before: u8) -> Call {
        let skips =
            matches!(self.model.mutant, Some(Mutant::FloorIsNotRaised | Mutant::FloorIsRaisedAfterwards));
        match message.first_of_a_block() {
            Some(_) if message.end.is_some() && !skips => Call::RaiseFloor { message, taken_before },
            _ => Call::Append { message, taken_before },
        }
    }

    fn again_behind(&self, newest: &Message, taken_before: u8) -> Call {
        self.keep_beside(self.next_message(Predecessor::Message(newest)), taken_before + 1)
    }
}

impl Numbers {
    fn saw(&self, sight: Sight, really: bool) {
        if really {
            self.seen.fetch_or(sight.bit(), Ordering::Relaxed);
        }
    }

    /// Makes the next call of an invocation. Nothing when it has none any more.
    fn call(&self, state: &mut State, invocation: &Invocation) -> Result<Call, End> {
        let index = invocation.draft;
        let step = Step {
            model: self,
            index,
            base: state.drafts[usize::from(index)].base.unwrap_or_default(),
            now: state.now.saturating_add_signed(invocation.skew),
            retention: invocation.retention,
        };
        let written = invocation.next.write().map(|write| state.write(write, self));
        let read = |stale: Mutant| if self.mutant == Some(stale) { &state.past } else { &state.table };
        match invocation.next {
            Call::Tail => step.head(read(Mutant::HeadIsReadStale)),
            Call::Find { head, from, to } => {
                let next = step.find(read(Mutant::SearchIsStale), head, from, to);
                self.saw(Sight::FoundBehindItsBase, matches!(next, Ok(Call::Reply { .. })));
                next
            }
            Call::Floor { head } => step.begin(head, read(Mutant::FloorIsReadStale).floor),
            Call::LayFloor { message, .. } if written == Some(Written::Done) => {
                Ok(Call::Append { message, taken_before: 0 })
            }
            Call::LayFloor { .. } => {
                self.saw(Sight::SomebodyElseBegan, true);
                Ok(Call::Tail)
            }
            Call::KeepFloor { message, taken_before } => Ok(step.raise(message, taken_before)),
            Call::RaiseFloor { message, taken_before } => Ok(Call::Append { message, taken_before }),
            Call::Append { message, taken_before } => match written {
                Some(Written::Taken(taken)) if step.is_mine(&taken) => Ok(Call::Reply { seq: taken.seq }),
                Some(Written::Taken(taken)) if taken_before > 0 => {
                    self.saw(Sight::SecondNumberIsTaken, true);
                    Ok(Call::Behind { newest: taken, taken_before })
                }
                Some(Written::Taken(taken)) => {
                    self.saw(Sight::NumberIsTaken, true);
                    Ok(step.again_behind(&taken.message(), taken_before))
                }
                _ => match message.first_of_a_block() {
                    Some(n) if self.mutant == Some(Mutant::FloorIsRaisedAfterwards) => {
                        Ok(Call::RaiseFloorAfterwards { n, seq: message.seq })
                    }
                    _ => Ok(Call::Reply { seq: message.seq }),
                },
            },
            Call::RaiseFloorAfterwards { seq, .. } => Ok(Call::Reply { seq }),
            Call::Behind { newest, taken_before } => {
                let newer = state.table.messages.iter().rev().filter(|row| row.seq > newest.seq);
                let newer: Vec<&MessageRow> = newer.collect();
                Ok(match newer.iter().find(|row| step.is_mine(row)) {
                    Some(sent) => Call::Reply { seq: sent.seq },
                    None => {
                        let newest = newer.first().copied().unwrap_or(&newest);
                        step.again_behind(&newest.message(), taken_before)
                    }
                })
            }
            Call::Reply { seq } => Err(End::Acknowledged(seq)),
        }
    }

    /// How far the clock of a function may be off: the extremes, and not at all.
    fn skews(&self) -> impl Iterator<Item = i64> {
        let off = i64::try_from(self.bounds.clock_off).unwrap();
        [-off, 0, off].into_iter().take(if off == 0 { 1 } else { 3 })
    }

    /// What a client may have seen when it composes a message: nothing, what was there when all began, or the
    /// newest of what it has been told.
    fn bases(&self, state: &State, sender: &Sender) -> Vec<u64> {
        if let Some(base) = sender.base {
            return vec![base];
        }
        let mut bases = vec![0];
        bases.extend(state.drafts.iter().filter_map(|sender| sender.acknowledged));
        bases.extend(state.log.iter().filter(|entry| entry.row.draft >= EARLIER).map(|entry| entry.row.seq));
        bases.sort_unstable();
        bases.dedup();
        bases
    }

    /// The seconds that matter: the last one in which a message lives by true time, and the one from which it may
    /// be swept; the last one of the floor, and the one from which that may be.
    fn rests(&self, state: &State) -> Vec<u64> {
        let ends = state.table.messages.iter().filter_map(|row| Some((row.end?, row.x(self.mutant)?)));
        let mut rests: Vec<u64> = ends.flat_map(|(end, x)| [end - 1, x]).collect();
        rests.extend(state.table.floor.iter().filter(|_| self.bounds.floor_goes).map(|floor| floor.x));
        rests.retain(|second| *second > state.now && *second < FOREVER_S);
        rests.sort_unstable();
        rests.dedup();
        rests
    }

    fn beginning(&self, last: Option<u64>) -> State {
        let retention = self.bounds.retentions[0];
        let (time, kept) = (START - 5 * 60 * 60, DAY / 2);
        let end = retention.map(|seconds| time + seconds);
        let kept_until = end.map(|end| end + kept);
        let rows = last.map(|seq| MessageRow { seq, draft: EARLIER, time, end, kept_until });
        let floor = last.zip(end).map(|(last, end)| FloorRow {
            n: last.div_ceil(BLOCK) * BLOCK,
            l: 0,
            e: end - 1000,
            x: floor_swept_at(kept_until),
        });
        let table = Table { messages: rows.into_iter().collect(), floor };
        State {
            now: START,
            past: table.clone(),
            running: Vec::new(),
            late: None,
            drafts: vec![Sender { base: None, acknowledged: None }; self.bounds.drafts],
            log: rows.map(|row| Entry { row, behind_nothing: true, is_double: false }).into_iter().collect(),
            left: Left {
                sends: self.bounds.sends,
                kills: self.bounds.kills,
                repeats: self.bounds.repeats,
                ticks: self.bounds.ticks,
                rests: self.bounds.rests,
            },
            table,
        }
    }
}

impl Model for Numbers {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        self.bounds.beginnings.iter().map(|last| self.beginning(*last)).collect()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.left.sends > 0 && state.running.len() < self.bounds.writers {
            for (draft, sender) in
                (0..).zip(&state.drafts).filter(|(_, sender)| sender.acknowledged.is_none())
            {
                for base in self.bases(state, sender) {
                    for retention in &self.bounds.retentions {
                        for skew in self.skews() {
                            actions.push(Action::Send { draft, base, skew, retention: *retention });
                        }
                    }
                }
            }
        }
        for (invocation, running) in state.running.iter().enumerate() {
            let (of, call) = (running.draft, running.next.name());
            actions.push(Action::Call { of, invocation, call });
            let writes = running.next.write().is_some();
            if state.left.repeats > 0 && writes {
                actions.push(Action::LoseAnswer { of, invocation, call });
            }
            if state.left.kills > 0 {
                actions.push(Action::Kill { of, invocation, before: call });
                if writes && state.late.is_none() {
                    actions.push(Action::KillWithCallUnderWay { of, invocation, call });
                }
            }
        }
        if state.late.is_some() {
            actions.push(Action::Arrive);
        }
        if state.left.ticks > 0 {
            actions.push(Action::Tick);
        }
        if state.left.rests > 0 && state.running.is_empty() {
            actions.extend(self.rests(state).into_iter().map(|until| Action::Rest { until }));
        }
        let swept =
            state.table.messages.iter().filter(|row| row.x(self.mutant).is_some_and(|x| x <= state.now));
        actions.extend(swept.map(|row| Action::Sweep { seq: row.seq }));
        if state.table.floor.is_some_and(|floor| floor.x <= state.now) {
            actions.push(Action::SweepFloor);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Send { draft, base, skew, retention } => {
                state.left.sends -= 1;
                state.drafts[usize::from(draft)].base = Some(base);
                state.running.push(Invocation { draft, skew, retention, next: Call::Tail });
            }
            Action::Call { invocation, .. } => {
                let mut running = state.running.remove(invocation);
                match self.call(&mut state, &running) {
                    Ok(next) => {
                        running.next = next;
                        state.running.push(running);
                    }
                    Err(end) => state.end(running.draft, &end, self),
                }
            }
            Action::LoseAnswer { invocation, .. } => {
                state.left.repeats -= 1;
                let write = state.running[invocation].next.write()?;
                state.write(write, self);
            }
            Action::Kill { invocation, .. } => {
                state.left.kills -= 1;
                state.running.remove(invocation);
            }
            Action::KillWithCallUnderWay { invocation, .. } => {
                state.left.kills -= 1;
                state.late = state.running.remove(invocation).next.write();
            }
            Action::Arrive => {
                let write = state.late.take()?;
                self.saw(Sight::CallArrivesLate, true);
                state.write(write, self);
            }
            Action::Tick => {
                state.left.ticks -= 1;
                state.now += 1;
            }
            Action::Rest { until } => {
                state.left.rests -= 1;
                state.now = until;
                // No call is under way for as long, and no read is as stale.
                state.late = None;
                state.past = state.table.clone();
            }
            Action::Sweep { seq } => {
                state.table.messages.retain(|row| row.seq != seq);
                state.past = state.table.clone();
                state.forget();
            }
            Action::SweepFloor => {
                state.table.floor = None;
                state.past = state.table.clone();
                state.forget();
            }
        }
        // Who runs has no place, so states that differ in that alone are one.
        state.running.sort_unstable();
        if !self.mutant.is_some_and(Mutant::reads_stale) {
            state.past = Table::default();
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("P1: what was acknowledged is there as long as it lives", |_, state: &State| {
                (0..).zip(&state.drafts).all(|(draft, sender)| {
                    sender.acknowledged.is_none_or(|seq| {
                        let entry =
                            state.log.iter().find(|entry| entry.row.seq == seq && entry.row.draft == draft);
                        entry.is_some_and(|entry| {
                            entry.row.end.is_some_and(|end| end <= state.now)
                                || state.table.message(seq).is_some_and(|row| row.draft == draft)
                        })
                    })
                })
            }),
            Property::always("P2: a message that lives has one number", |_, state: &State| {
                !state.log.iter().any(|entry| entry.is_double)
            }),
            Property::always("P3: no number is used twice", |_, state: &State| {
                state.log.windows(2).all(|two| two[0].row.seq < two[1].row.seq)
            }),
            Property::always("P3: numbers have no hole", |_, state: &State| {
                state.log.iter().all(|entry| {
                    let before = entry.row.seq - 1;
                    entry.row.draft >= EARLIER
                        || state.log.iter().any(|entry| entry.row.seq == before)
                        || before.is_multiple_of(BLOCK) && entry.behind_nothing
                })
            }),
            Property::always("P4: time never decreases along the numbers", |_, state: &State| {
                state.log.windows(2).all(|two| two[0].row.time <= two[1].row.time)
            }),
            Property::always("expiry never decreases along the numbers", |_, state: &State| {
                let end = |entry: &Entry| entry.row.end.unwrap_or(u64::MAX);
                state.log.windows(2).all(|two| end(&two[0]) <= end(&two[1]))
            }),
        ]
    }
}
