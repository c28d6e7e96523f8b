//! The model of actions: random sequences of all that three users can do on two devices each, through the real
//! handlers on the embedded engine, against a model that is plain enough to be read as the specification.
//!
//! - `action`: what may happen, and how a page of a failure shows it.
//! - `reference`: the model: what there is, and what a user sees of it. `rules`: what each kind of action does.
//!   `transitions`: which of them may happen when.
//! - `product`: the product, driven by what has happened to the model. `devices`: what it pushes to.
//! - `check`: whether both are the same.
//!
//! One frame is served at a time here. A new kind of action is a line in `action`, a function in `rules`, and what
//! a user sees of it in `reference` and `check`.

mod action;
mod check;
mod devices;
mod product;
mod reference;
mod rules;
mod transitions;

use std::{
    cell::{Cell, RefCell},
    fmt::Write,
    sync::atomic::Ordering,
};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use proptest_state_machine::ReferenceStateMachine;

use action::Transition;
use product::Product;
use reference::Model;

/// How many sequences, if nobody says.
const CASES: u32 = 25;

/// How long one is at most.
const STEPS: usize = 50;

/// With how many attempts a sequence that fails is made shorter.
const SHRINKS: u32 = 2_000;

/// `HONGYAN_CASES` of them, and with `HONGYAN_SEED` the same as somebody else had. If neither is given, they are
/// the same each time.
#[test]
fn the_server_does_what_the_model_says() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let cases = number("HONGYAN_CASES");
    // Who asks for more wants others than the last time.
    let fresh = || cases.map(|_| hongyan_functions::clock::Clock::system().now());
    let seed = number("HONGYAN_SEED").or_else(fresh).unwrap_or_default();
    println!("HONGYAN_SEED={seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: cases.map_or(CASES, |cases| u32::try_from(cases).unwrap()),
        max_shrink_iters: SHRINKS,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));

    let (done, steps) = (Cell::new(0), Cell::new(0));
    // Each that fails is shorter than the one before.
    let failure = RefCell::new(None);
    let outcome = runner.run(&Model::sequential_strategy(1..=STEPS), |(model, transitions, seen)| {
        if failure.borrow().is_none() {
            done.set(done.get() + 1);
        }
        let mut applied = 0;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let result = runtime.block_on(run(model.clone(), &transitions, || {
            applied += 1;
            if let Some(seen) = &seen {
                seen.fetch_add(1, Ordering::SeqCst);
            }
        }));
        steps.set(steps.get() + applied);
        if let Err(error @ TestCaseError::Fail(_)) = &result {
            *failure.borrow_mut() = Some(page(&model, &transitions[..applied], &error.to_string()));
        }
        result
    });
    match (outcome, failure.into_inner()) {
        (Ok(()), _) => println!("{} sequences, {} steps", done.get(), steps.get()),
        (Err(_), Some(page)) => panic!("HONGYAN_SEED={seed}, sequence {}\n{page}", done.get()),
        (Err(error), None) => panic!("{error}"),
    }
}

async fn run(
    mut model: Model,
    transitions: &[Transition],
    mut one_more: impl FnMut(),
) -> Result<(), TestCaseError> {
    let product = Product::new(&model).await;
    for transition in transitions {
        one_more();
        model = Model::apply(model, transition);
        let checked = check::step(&product, &model).await;
        if checked.is_err() && product.was_too_slow() {
            return Err(TestCaseError::reject("this machine is too busy: pushes may have been given up"));
        }
        checked?;
    }
    check::everything(&product, &model).await
}

/// What a person reads: the shortest sequence that was found, and what differs at its end.
fn page(model: &Model, transitions: &[Transition], reason: &str) -> String {
    let mut page = format!("{model:?}\n");
    for (index, transition) in transitions.iter().enumerate() {
        writeln!(page, "{:>3}. {transition:?}", index + 1).unwrap();
    }
    page + reason
}
