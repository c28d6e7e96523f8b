//! How a message gets its number, as a model: every order in which the calls of concurrent sends can happen, with
//! retries, kills, lost answers, clocks that differ, retention and sweep, within bounds. `docs/proofs.md` has the
//! figures.
//!
//! # Layout
//!
//! - `model`: the calls of `routes::send_message` as steps under their own names, and the promises. What the product
//!   decides in `shared` (where a message is placed, where a floor goes on, what lives) is not written again: the
//!   model calls it.
//! - `bounds`: how far the model looks, and what it is broken with.
//! - `table`: the rows, and the conditional writes of `store::Messages`.
//! - `groups`: the protocol of groups, in random orders.
//!
//! What it has found is in `races` of the other test binary, through the real handlers.
//!
//! The block of numbers is the real one of 32: a conversation that begins with message 31 or 32 is as near to its
//! end as a small one would be. Pages are smaller than the real ones, so that few messages fill them.

mod bounds;
mod groups;
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

use bounds::{Bounds, LARGE, Mutant, scenes};
use model::{Numbers, Sight};

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
