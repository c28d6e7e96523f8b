//! How a message gets its number, as a model: every order in which the calls of concurrent sends can happen, with
//! retries, kills, lost answers, clocks that differ, retention and sweep, within bounds. `docs/proofs.md` has the
//! figures.
//!
//! # Layout
//!
//! - `model`: the calls of `routes::send_message` as steps under their own names, and the promises. What the product
//!   decides in `shared` (where a message is placed, where a floor goes on, what lives) is not written again: the
//!   model calls it.
//! - `table`: the rows, and the conditional writes of `store::Messages`.
//!
//! What it has found is in `races` of the other test binary, through the real handlers.
//!
//! The block of numbers is the real one of 32: a conversation that begins with message 31 or 32 is as near to its
//! end as a small one would be. Pages are smaller than the real ones, so that few messages fill them.

mod model;
mod table;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use stateright::{Checker, HasDiscoveries, Model};

use model::{Numbers, Sight};

const DAY: u64 = 24 * 60 * 60;

/// With this in the environment the model looks further, for minutes.
const LARGE: &str = "HONGYAN_STATES";

/// How far the model looks.
#[derive(Debug, Clone)]
struct Bounds {
    /// How many invocations run at once.
    writers: usize,
    /// How many messages are sent, by turns of both users.
    drafts: usize,
    /// How often, in all.
    sends: u8,
    /// How many of the invocations are killed.
    kills: u8,
    /// How many writes are made twice, because their answer was lost.
    repeats: u8,
    /// How many seconds pass while functions run.
    ticks: u8,
    /// How often nobody sends for so long that something has its end, or may be swept.
    rests: u8,
    /// How many rows the first query returns.
    head_rows: usize,
    /// How many messages a page of the search for a duplicate has.
    page: usize,
    /// How far the clock of a function may be off, in seconds.
    clock_off: u64,
    /// Whether it is ever so long that the floor is swept.
    floor_goes: bool,
    /// The retention of a function. That of the message that is there is the first one.
    retentions: Vec<Option<u64>>,
    /// The one message that is there in the beginning.
    beginnings: Vec<Option<u64>>,
}

/// The parts into which the whole is cut: all at once would be too much to look at.
fn scenes() -> Vec<(&'static str, Bounds)> {
    let more = u8::from(std::env::var_os(LARGE).is_some());
    let base = Bounds {
        writers: 2,
        drafts: 2,
        sends: 2 + more,
        kills: 0,
        repeats: 0,
        ticks: 0,
        rests: 0,
        head_rows: 2,
        page: 1,
        clock_off: 0,
        floor_goes: true,
        retentions: vec![Some(DAY)],
        beginnings: vec![None, Some(31), Some(32)],
    };
    vec![
        ("killed", Bounds { kills: 1, repeats: 1, ..base.clone() }),
        (
            "killed at the end of a block",
            Bounds { kills: 1, rests: 1, beginnings: vec![Some(32)], ..base.clone() },
        ),
        ("the last second", Bounds { ticks: 1, rests: 1, beginnings: vec![Some(31)], ..base.clone() }),
        ("a crowd", Bounds { writers: 3, drafts: 3, sends: 3 + more, ..base.clone() }),
        ("clocks that differ", Bounds { ticks: 1, rests: 1, clock_off: 2, ..base.clone() }),
        ("swept", Bounds { sends: 3, rests: 2, ticks: more, ..base.clone() }),
        ("slow clocks", Bounds { writers: 1, sends: 2 + more, rests: 2, clock_off: 1800, ..base.clone() }),
        (
            "begun anew",
            Bounds {
                sends: 3,
                kills: 1,
                rests: 1 + more,
                head_rows: 1,
                beginnings: vec![Some(1)],
                ..base.clone()
            },
        ),
        (
            "another retention",
            Bounds {
                retentions: vec![Some(DAY), Some(DAY / 4), None],
                rests: 1,
                floor_goes: false,
                ..base.clone()
            },
        ),
        ("no retention", Bounds { sends: 3 + more, kills: 1, head_rows: 1, retentions: vec![None], ..base }),
    ]
}

/// A step of the protocol that is left out or done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mutant {
    PutIsUnconditional,
    FloorIsNotRaised,
    FloorIsRaisedAfterwards,
    FloorIsNotKept,
    FloorIsReadStale,
    FloorIsLaidUnconditionally,
    HeadIsReadStale,
    SearchIsStale,
    SearchEndsEarly,
    SearchReadsOnePage,
    SweptAtOnce,
    ExpiryDecreases,
    NobodyWaits,
    OldBaseIsTaken,
}

impl Mutant {
    /// All of them, each with the part of the whole in which it breaks a promise. The first one breaks none: a floor
    /// that was read stale is not laid, because that is conditional on what was read.
    const ALL: [(Self, &'static str); 14] = [
        (Self::FloorIsReadStale, ""),
        (Self::PutIsUnconditional, "killed"),
        (Self::FloorIsNotRaised, "killed at the end of a block"),
        (Self::FloorIsRaisedAfterwards, "killed at the end of a block"),
        (Self::FloorIsLaidUnconditionally, "killed at the end of a block"),
        (Self::SweptAtOnce, "the last second"),
        (Self::NobodyWaits, "the last second"),
        (Self::ExpiryDecreases, "clocks that differ"),
        (Self::FloorIsNotKept, "swept"),
        (Self::HeadIsReadStale, "slow clocks"),
        (Self::SearchIsStale, "begun anew"),
        (Self::SearchEndsEarly, "begun anew"),
        (Self::SearchReadsOnePage, "begun anew"),
        (Self::OldBaseIsTaken, "begun anew"),
    ];

    fn reads_stale(self) -> bool {
        matches!(self, Self::FloorIsReadStale | Self::HeadIsReadStale | Self::SearchIsStale)
    }
}

/// Looks at all states, or until a promise is broken: which one, after how many states.
fn explore(bounds: &Bounds, mutant: Option<Mutant>, seen: &Arc<AtomicU32>) -> (Option<&'static str>, usize) {
    let model = Numbers { bounds: bounds.clone(), mutant, seen: Arc::clone(seen) };
    let checker = model.checker().threads(2).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let broken = checker.discoveries().into_iter().next().map(|(name, path)| {
        if mutant.is_none() {
            println!("{name}, broken by\n{path}");
        }
        name
    });
    (broken, checker.unique_state_count())
}

#[test]
fn p1_to_p4_hold_in_every_order_of_calls() {
    let seen = Arc::new(AtomicU32::new(0));
    for (name, bounds) in scenes() {
        let started = Instant::now();
        let (broken, states) = explore(&bounds, None, &seen);
        println!("{name}: {states} states in {:.1} s", started.elapsed().as_secs_f64());
        assert_eq!(broken, None, "{name}: {bounds:?}");
    }
    let seen = seen.load(Ordering::Relaxed);
    let missed: Vec<Sight> = Sight::ALL.into_iter().filter(|sight| seen & sight.bit() == 0).collect();
    assert_eq!(missed, [], "a model that does not come there says nothing about it");
}

#[test]
fn p1_to_p4_break_when_a_step_of_the_protocol_is_left_out() {
    for (mutant, scene) in Mutant::ALL {
        // What is harmless takes as long as the whole.
        if scene.is_empty() && std::env::var_os(LARGE).is_none() {
            continue;
        }
        let mut states = 0;
        let parts = scenes().into_iter().filter(|(name, _)| scene.is_empty() || *name == scene);
        let broken = parts.into_iter().find_map(|(_, bounds)| {
            let (broken, looked_at) = explore(&bounds, Some(mutant), &Arc::default());
            states += looked_at;
            broken
        });
        println!("{mutant:?}: {}, after {states} states", broken.unwrap_or("nothing is broken"));
        assert_eq!(broken.is_some(), !scene.is_empty(), "{mutant:?}");
    }
}
