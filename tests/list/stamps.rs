//! The protocol of the stamp, step by step: sends, deletions, pins and looks at the list of two users, in random orders,
//! killed between any two steps, with clocks five seconds apart and reads that are a second old. What a message becomes
//! and what a list lets go of is asked of the product.

use hongyan_shared::{
    model::{
        ClientId, Draft, Elem, LogTail, Mark, MemberState, Message, OneToOne, Options, Pair, Predecessor,
        Seq, Side, Stamp, UserId,
    },
    protocol::to_raw,
};
use proptest::prelude::*;
use serde_json::json;

/// How long a function may run, in milliseconds.
const FUNCTION_MS: u64 = 10_000;

/// By how much clocks may differ.
const SKEW_MS: u64 = 5_000;

/// How old a read may be that is not strong.
const STALE_MS: u64 = 1_000;

const SIDES: [Side; 2] = [Side::Low, Side::High];

#[derive(Debug, Clone)]
enum Step {
    /// A function begins, with its clock so much ahead.
    Begin(Kind, bool, u64),
    /// One of those that run makes its next call.
    Call(usize),
    /// One of them is killed.
    Kill(usize),
    /// Time goes on, in milliseconds.
    Later(u64),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Send,
    Delete,
    Pin,
    List,
}

/// A function that runs.
struct Running {
    kind: Kind,
    side: Side,
    started: u64,
    ahead: u64,
    /// The calls that it has still to make.
    next: Vec<Call>,
    seen: Option<OneToOne>,
    message: Option<Message>,
    row: Option<Stamp>,
}

#[derive(Debug, Clone, Copy)]
enum Call {
    Tail,
    Move(Side),
    Append,
    Touch,
    Mark,
    Pin,
    Index,
    Head,
    TakeOut,
}

/// What the tables hold.
#[derive(Clone, Default)]
struct Tables {
    /// The stamp of each row that is in a list.
    rows: [Option<Stamp>; 2],
    log: LogTail,
}

struct World {
    now: u64,
    tables: Tables,
    /// What they held before each write of the last second, and when that was.
    before: Vec<(u64, Tables)>,
    running: Vec<Running>,
}

fn pair(side: Side) -> Pair {
    let [alice, bob] = ["alice", "bob"].map(|name| UserId::parse("userID", name).unwrap());
    if side == Side::Low { Pair::of(&alice, &bob) } else { Pair::of(&bob, &alice) }.unwrap()
}

fn at(side: Side) -> usize {
    usize::from(side == Side::High)
}

impl World {
    fn new() -> Self {
        Self { now: 1_795_400_001_000, tables: Tables::default(), before: Vec::new(), running: Vec::new() }
    }

    fn begin(&mut self, kind: Kind, side: Side, ahead: u64) {
        let mut next = match kind {
            Kind::Send => vec![Call::Tail],
            Kind::Delete => vec![Call::Tail, Call::Touch, Call::Mark],
            Kind::Pin => vec![Call::Pin],
            Kind::List => vec![Call::Index, Call::Head, Call::TakeOut],
        };
        next.reverse();
        let (seen, message, row) = (None, None, None);
        self.running.push(Running { kind, side, started: self.now, ahead, next, seen, message, row });
    }

    fn later(&mut self, by: u64) {
        self.now += by;
        let now = self.now;
        self.running.retain(|running| running.started + FUNCTION_MS > now);
        self.before.retain(|(then, _)| then + STALE_MS > now);
    }

    fn write(&mut self, change: impl FnOnce(&mut Tables)) {
        self.before.push((self.now, self.tables.clone()));
        change(&mut self.tables);
    }

    /// As old as a read may be.
    fn stale(&self) -> &Tables {
        self.before.first().map_or(&self.tables, |(_, tables)| tables)
    }

    fn conversation(&self, side: Side, tables: &Tables) -> OneToOne {
        OneToOne { pair: pair(side), tail: tables.log.clone() }
    }

    /// Says what it has broken.
    fn call(&mut self, index: usize) -> Result<(), String> {
        let mut running = self.running.swap_remove(index);
        let clock = self.now + running.ahead;
        let Some(call) = running.next.pop() else { return Ok(()) };
        let mut appended = false;
        match call {
            Call::Tail => {
                running.seen = Some(self.conversation(running.side, &self.tables));
                if running.kind == Kind::Send {
                    running.compose(clock, None);
                }
            }
            Call::Move(side) => {
                let stamp = running.message.as_ref().unwrap().moved_up;
                let row = self.tables.rows[at(side)];
                if row.is_none_or(|row| row < stamp) {
                    self.write(|tables| tables.rows[at(side)] = Some(stamp));
                }
            }
            Call::Append => {
                let message = running.message.take().unwrap();
                match self.tables.log.messages.iter().find(|other| other.seq == message.seq).cloned() {
                    None => {
                        self.write(|tables| tables.log.messages.insert(0, message));
                        appended = true;
                    }
                    Some(taken) => running.compose(clock, Some(taken)),
                }
            }
            Call::Touch => {
                if self.tables.rows[at(running.side)].is_some_and(|row| row < Stamp(clock)) {
                    self.write(|tables| tables.rows[at(running.side)] = Some(Stamp(clock)));
                }
            }
            Call::Mark => {
                let seen = running.seen.as_ref().unwrap();
                if let Some(last) = seen.tail.last() {
                    let (user, marker) = (seen.pair.me().clone(), seen.pair.marker_at(last));
                    let state = self.tables.log.member(&user);
                    if state.cleared.seq < marker.seq {
                        let state = MemberState { ..state.with(Mark::Cleared, marker) };
                        self.write(|tables| {
                            tables.log.members.insert(user, state);
                        });
                    }
                }
            }
            Call::Pin => {
                if self.tables.rows[at(running.side)].is_some() {
                    self.write(|tables| tables.rows[at(running.side)] = Some(Stamp(clock)));
                }
            }
            Call::Index => running.row = self.stale().rows[at(running.side)],
            Call::Head => running.seen = Some(self.conversation(running.side, self.stale())),
            Call::TakeOut => {
                let lets_go = running.row.is_some_and(|row| row.is_settled(clock))
                    && running.seen.as_ref().unwrap().is_out_of_list(clock);
                if lets_go && self.tables.rows[at(running.side)] == running.row {
                    self.write(|tables| tables.rows[at(running.side)] = None);
                }
            }
        }
        if !running.next.is_empty() {
            self.running.push(running);
        }
        self.check(appended)
    }

    fn check(&self, appended: bool) -> Result<(), String> {
        let Some(last) = self.tables.log.last() else { return Ok(()) };
        for side in SIDES {
            if self.conversation(side, &self.tables).me().out_of_list() >= last.position() {
                continue;
            }
            let Some(row) = self.tables.rows[at(side)] else {
                return Err(format!("message {} is in no list of {side:?}", last.seq));
            };
            if last.time >= row.complete_from() {
                return Err(format!("the list of {side:?} is complete from before message {}", last.seq));
            }
            // For all who have looked at the list until now, by whatever clock.
            if appended && row <= Stamp::before_changes_since(self.now + SKEW_MS) {
                return Err(format!("message {} is no change to {side:?}", last.seq));
            }
            if appended && !row.is_warm(self.now + SKEW_MS) {
                return Err(format!("message {} may be missed by {side:?}", last.seq));
            }
        }
        Ok(())
    }
}

impl Running {
    /// What `send_message` does when it has found the last message, or who has its number.
    fn compose(&mut self, clock: u64, taken: Option<Message>) {
        let seen = self.seen.as_ref().unwrap();
        let last = taken.as_ref().or(seen.tail.last());
        let predecessor = last.map_or(Predecessor::Nothing(Seq(0)), Predecessor::Message);
        let draft = Draft::new(
            ClientId::parse("x").unwrap(),
            seen.pair.me().clone(),
            Elem::parse("TIMTextElem", &to_raw(&json!({ "text": "x" })), None).unwrap(),
            Options::default(),
        );
        let message = seen.next_message(&draft, predecessor, clock, None);
        self.next = vec![Call::Append];
        if last.is_none_or(|last| last.moved_up != message.moved_up) {
            // In parallel: which of them comes first is up to the clock.
            let mut moves = SIDES.map(Call::Move);
            if clock.is_multiple_of(2) {
                moves.reverse();
            }
            self.next.extend(moves);
        }
        self.message = Some(message);
    }
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        4 => Just(Kind::Send), 2 => Just(Kind::Delete), 1 => Just(Kind::Pin), 3 => Just(Kind::List)
    ];
    let later = prop_oneof![
        Just(1),
        Just(300),
        Just(999),
        Just(4_000),
        Just(9_990),
        Just(59_000),
        Just(61_000),
        Just(1_800_000),
        Just(3_595_000),
        Just(3_600_000)
    ];
    prop_oneof![
        4 => (kind, any::<bool>(), prop_oneof![Just(0), Just(2_500), Just(SKEW_MS)])
            .prop_map(|(kind, low, ahead)| Step::Begin(kind, low, ahead)),
        10 => any::<usize>().prop_map(Step::Call),
        1 => any::<usize>().prop_map(Step::Kill),
        3 => later.prop_map(Step::Later),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn l1_a_message_that_is_there_is_in_both_lists_and_counts_as_a_change_whatever_happens(
        steps in prop::collection::vec(step(), 1..120)
    ) {
        let mut world = World::new();
        for step in steps {
            match step {
                Step::Begin(kind, low, ahead) => {
                    world.begin(kind, if low { Side::Low } else { Side::High }, ahead);
                }
                Step::Call(which) if !world.running.is_empty() => {
                    let index = which % world.running.len();
                    if let Err(broken) = world.call(index) {
                        prop_assert!(false, "{}", broken);
                    }
                }
                Step::Kill(which) if !world.running.is_empty() => {
                    let index = which % world.running.len();
                    world.running.swap_remove(index);
                }
                Step::Call(_) | Step::Kill(_) => {}
                Step::Later(by) => world.later(by),
            }
        }
    }
}

/// Rows that are in a list for nothing leave it: the next look takes them out, a minute later.
#[test]
fn l5_what_was_opened_and_never_used_or_deleted_is_let_go_of() {
    let mut world = World::new();
    let run = |world: &mut World, kind, calls: usize| {
        world.begin(kind, Side::Low, 0);
        for _ in 0..calls {
            let last = world.running.len() - 1;
            world.call(last).unwrap();
        }
        world.running.clear();
    };
    // Killed before the message is written.
    run(&mut world, Kind::Send, 3);
    assert!(world.tables.rows.iter().all(Option::is_some) && world.tables.log.last().is_none());
    world.later(60_000);
    run(&mut world, Kind::List, 3);
    assert_eq!(world.tables.rows[0], None);
    run(&mut world, Kind::Send, 4);
    assert!(world.tables.rows[0].is_some() && world.tables.log.last().is_some());
    run(&mut world, Kind::Delete, 3);
    run(&mut world, Kind::List, 3);
    assert!(world.tables.rows[0].is_some(), "a send may still be under way");
    world.later(60_000);
    run(&mut world, Kind::List, 3);
    assert_eq!(world.tables.rows[0], None);
}
