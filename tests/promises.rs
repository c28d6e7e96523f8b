//! The promises of `docs/tables.md`, each proven from what clients saw and what the tables hold.

mod p10_connections;
mod p1_exactly_once;
mod p2_same_number;
mod p3_no_number_twice;
mod p4_time;
mod p5_same_list;
mod p6_read_position;
mod p7_unread;
mod p8_pull;
mod p9_strangers;

use std::time::Duration;

use hongyan_functions::config::Settings;
use hongyan_local::clock::Clock;
use hongyan_shared::{
    model::{ClientId, Draft, Elem, LogTail, OneToOne, Options, Pair, Predecessor, Seq, UserId},
    protocol::to_raw,
};
use serde_json::{Value, json};

use crate::harness::{
    TestApp,
    fault_proxy::Fault,
    sandbox::{Sandbox, Setup},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn with_retention() -> Settings {
    Settings { retention: Some(DAY.as_secs()), ..Settings::default() }
}

/// Sends, and gives up when a call or an answer is lost: the function was killed there.
async fn send_or_die(app: &TestApp, from: &str, data: Value) -> Option<Value> {
    tokio::select! {
        reply = app.invoke("send-message", from, data) => Some(reply),
        () = app.dynamodb.lost() => None,
        () = app.management.lost() => None,
    }
}

/// From now on, the `nth` call is lost, or its answer.
fn lose(app: &TestApp, nth: usize, fault: Fault) {
    let mut count = 0;
    app.dynamodb.break_calls(move |_, _| {
        count += 1;
        if count == nth { fault.clone() } else { Fault::None }
    });
}

fn pair(a: &str, b: &str) -> Pair {
    Pair::of(&UserId::parse("a", a).unwrap(), &UserId::parse("b", b).unwrap()).unwrap()
}

/// What is stored of a conversation: (sequence, sender, client ID), in order.
async fn stored(app: &TestApp, key: &str) -> Vec<(u64, String, String)> {
    let rows = app.dump("Messages").await;
    let of_it =
        rows.iter().filter(|row| row["p"]["S"] == key && row["s"]["S"].as_str().unwrap().starts_with('M'));
    let text = |row: &Value, name: &str| row[name]["S"].as_str().unwrap().to_owned();
    let mut stored: Vec<_> =
        of_it.map(|row| (text(row, "s")[1..].parse().unwrap(), text(row, "f"), text(row, "c"))).collect();
    stored.sort();
    stored
}

async fn assert_exactly_once(app: &TestApp, key: &str, expected: &[(&str, &str)]) {
    let stored = stored(app, key).await;
    let numbers: Vec<u64> = stored.iter().map(|(number, ..)| *number).collect();
    assert_eq!(numbers, (1..=expected.len() as u64).collect::<Vec<_>>(), "no hole in {stored:?}");
    for (from, client_id) in expected {
        let times = stored.iter().filter(|(_, f, c)| f == from && c == client_id).count();
        assert_eq!(times, 1, "{from} {client_id} in {stored:?}");
    }
}

/// Many messages from bob, written as the function would write them, without its queries.
async fn many(app: &TestApp, after: u64, count: u64) {
    let pair = pair("bob", "alice");
    let key = pair.log_key();
    let conversation = OneToOne { pair: pair.clone(), tail: LogTail::default() };
    let mut last = app
        .sandbox
        .messages
        .range(&key, Seq(after), Seq(after), 1, usize::MAX, 0)
        .await
        .unwrap()
        .messages
        .remove(0);
    for number in 0..count {
        let draft = Draft::new(
            ClientId::parse(&format!("bob-{}", after + number)).unwrap(),
            pair.me().clone(),
            Elem::parse("TIMTextElem", &to_raw(&json!({ "text": "x" })), None).unwrap(),
            Options::default(),
        );
        last = conversation.next_message(
            &draft,
            Predecessor::Message(&last),
            app.clock.now(),
            app.sandbox.settings.retention,
        );
        app.sandbox.messages.append(&key, &last).await.unwrap();
    }
}

/// A sandbox whose clock is slow, and stands still.
fn slow(app: &TestApp, by: Duration) -> Sandbox {
    let clock = Clock::manual(app.clock.now() - by.as_millis() as u64).reader();
    Sandbox::new(Setup { clock, ..app.setup() })
}
