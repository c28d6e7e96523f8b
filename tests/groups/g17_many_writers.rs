//! G17: what a message costs in a group in which many write. The calls take as long as in an account, on a clock that nobody waits for.

use std::{cell::Cell, time::Duration};

use futures_util::future::join_all;
use hongyan_functions::clock::Clock;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::time::{Instant, pause, resume, sleep_until};

use super::{group_of, log, message};
use crate::harness::{
    TestApp,
    distance::Distance,
    sandbox::{Sandbox, Setup},
};

const WRITERS: usize = 40;

/// What came of some time in a group.
#[derive(Debug)]
struct Outcome {
    stored: usize,
    too_fast: usize,
    busy: usize,
    /// For each message that is stored: the write units of its row, and those of all else.
    row_units: f64,
    other_units: f64,
    /// For each send.
    read_units: f64,
    /// How long it took to store 99 of a hundred.
    p99: Duration,
}

/// Forty members write, so many messages per second together, each by one of them and at any moment, as people do. Every message is
/// stored once or not at all, and no number is left out.
async fn write(per_second: u32, seconds: u32) -> Outcome {
    let app = TestApp::without_limits().await;
    let users: Vec<String> = (0..WRITERS).map(|number| format!("user-{number:02}")).collect();
    group_of(&app, "Public", &users.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let before = log(&app).await.len();

    pause();
    let (begun, began_at) = (Instant::now(), app.clock.now());
    let clock = Clock::new(move || began_at + u64::try_from(begun.elapsed().as_millis()).unwrap());
    let distance = Distance::to(&app.twin.sdk.0);
    let sandbox = &Sandbox::new(Setup { sdk: distance.over(&app.twin.sdk.0), clock, ..app.setup() });
    let mut random = StdRng::seed_from_u64(11);
    // What all of them have seen: a message is pushed to them.
    let (app, last, mut at) = (&app, &Cell::new(before as u64), begun);
    let writing = (0..per_second * seconds).map(|number| {
        let user = &users[random.random_range(0..WRITERS)];
        at += Duration::from_secs_f64(-(1.0 - random.random::<f64>()).ln() / f64::from(per_second));
        async move {
            sleep_until(at).await;
            let data = message(&number.to_string(), last.get());
            let reply = app.invoke_in(sandbox, "send-message", user, data).await;
            last.set(last.get().max(reply["data"]["message"]["sequence"].as_u64().unwrap_or_default()));
            (number.to_string(), reply, at.elapsed())
        }
    });
    let answers = join_all(writing).await;
    resume();

    let stored = answers.iter().filter(|(_, reply, _)| reply["code"] == 0);
    let mut acknowledged: Vec<(u64, &str)> = stored
        .clone()
        .map(|(name, reply, _)| (reply["data"]["message"]["sequence"].as_u64().unwrap(), name.as_str()))
        .collect();
    acknowledged.sort_unstable();
    let log = log(app).await;
    let rows = log[before..].iter().map(|(seq, _, name, _)| (*seq, name.as_str()));
    assert!(rows.eq(acknowledged.iter().copied()), "what was refused is stored, or what was stored is not");
    assert!(log.iter().map(|(seq, ..)| *seq).eq(1..=log.len() as u64), "a number is left out");

    let count = |code: u32| answers.iter().filter(|(_, reply, _)| reply["code"] == code).count();
    let each = |sum: f64| sum / acknowledged.len() as f64;
    let (rows, others): (Vec<_>, Vec<_>) = distance
        .take()
        .into_iter()
        .partition(|call| call.operation == "PutItem" && call.table == app.twin.tables.messages);
    let mut took: Vec<Duration> = stored.map(|(.., took)| *took).collect();
    took.sort_unstable();
    let outcome = Outcome {
        stored: acknowledged.len(),
        too_fast: count(10023),
        busy: count(20004),
        row_units: each(rows.iter().map(|call| call.write_units).sum()),
        other_units: each(others.iter().map(|call| call.write_units).sum()),
        read_units: others.iter().map(|call| call.read_units).sum::<f64>() / answers.len() as f64,
        p99: took[took.len() * 99 / 100],
    };
    assert_eq!(outcome.stored + outcome.too_fast + outcome.busy, answers.len());
    println!("{per_second} per second: {outcome:?}");
    outcome
}

/// Forty members write for a minute. The row of a message costs less than that many units, in which all attempts are that found
/// their number taken, and nothing else is written but its sender's own number.
async fn assert_costs_less_than(row_units: f64, per_second: u32) -> Outcome {
    let outcome = write(per_second, 60).await;
    assert!(outcome.row_units < row_units, "{outcome:?}");
    assert_eq!((outcome.other_units, outcome.busy), (1.0, 0), "{outcome:?}");
    outcome
}

#[tokio::test]
async fn g17_one_message_a_second_of_forty_writers_costs_as_much_as_of_one() {
    assert_costs_less_than(1.05, 1).await;
}

#[tokio::test]
async fn g17_five_a_second_of_forty_writers_cost_less_than_1_1_units_each() {
    assert_costs_less_than(1.1, 5).await;
}

#[tokio::test]
async fn g17_twenty_a_second_of_forty_writers_cost_less_than_1_3_units_each() {
    let outcome = assert_costs_less_than(1.3, 20).await;
    assert!(outcome.too_fast < 24, "one in fifty at the most is asked to wait: {outcome:?}");
}

#[tokio::test]
async fn g17_forty_a_second_for_a_minute_cost_less_than_two_units_each() {
    let outcome = assert_costs_less_than(2.0, 40).await;
    assert!(outcome.stored > 60 * 30, "{outcome:?}");
}

/// Four times as many as a group takes: it goes on taking as many, the others are told to wait without a write, and nobody
/// waits in vain.
#[tokio::test]
async fn g17_a_crowd_is_told_to_wait_before_the_group_collapses() {
    let outcome = write(160, 10).await;
    assert!(outcome.stored > 10 * 35 && outcome.too_fast > outcome.stored, "{outcome:?}");
    assert!(
        outcome.read_units < 2.0,
        "who is told to wait costs the look at the end of the log: {outcome:?}"
    );
    assert!(outcome.row_units < 4.0 && outcome.p99 < Duration::from_millis(600), "{outcome:?}");
    assert_eq!((outcome.other_units, outcome.busy), (1.0, 0), "{outcome:?}");
}
