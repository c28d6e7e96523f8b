//! A hundred sends at once in one conversation: each is stored or refused within two seconds.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{TestApp, fault_proxy::Fault, largest_message, sequences, text_message};

/// Two users send as many messages as that to each other, all at once. How each was answered.
async fn at_once(
    app: &TestApp,
    count: usize,
    message: fn(&str, &str, u64) -> Value,
) -> Vec<(Value, Duration)> {
    let sends = (0..count).map(|number| async move {
        let (from, to) = if number % 2 == 0 { ("alice", "bob") } else { ("bob", "alice") };
        let begun = app.clock.now();
        let reply = app.invoke("send-message", from, message(to, &number.to_string(), 0)).await;
        (reply, Duration::from_millis(app.clock.now() - begun))
    });
    join_all(sends).await
}

/// What was acknowledged is stored, what was refused as busy is not, and there is no hole.
async fn assert_stored_or_refused(app: &TestApp, replies: &[(Value, Duration)]) -> usize {
    let (sent, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|(reply, _)| reply["code"] == 0);
    for (reply, _) in &refused {
        assert_eq!((&reply["code"], &reply["data"]), (&json!(20004), &json!({})), "{reply}");
    }
    let history = app.history("alice", "bob").await;
    assert_eq!(sequences(&history), (1..=sent.len() as u64).collect::<Vec<_>>());
    sent.len()
}

#[tokio::test]
async fn forty_sends_at_once_in_one_conversation_are_all_stored() {
    let app = TestApp::new().await;
    let_calls_take_time(&app);
    let replies = at_once(&app, 40, text_message).await;
    assert_eq!(assert_stored_or_refused(&app, &replies).await, 40);
}

#[tokio::test]
async fn a_hundred_sends_at_once_in_one_conversation_are_stored_or_refused_within_two_seconds() {
    for (count, message) in [(100, text_message as fn(&str, &str, u64) -> Value), (30, largest_message)] {
        let app = TestApp::new().await;
        let_calls_take_time(&app);
        let replies = at_once(&app, count, message).await;
        let stored = assert_stored_or_refused(&app, &replies).await;
        let longest = replies.iter().map(|(_, took)| *took).max().unwrap();
        println!("{stored} of {count} are stored, and all answered within {longest:?}");
        assert!(longest < Duration::from_secs(2), "{longest:?}");
    }
}

/// Time passes with the calls of the tables, as if twenty were under way at once and each took five
/// milliseconds: however fast this machine is.
fn let_calls_take_time(app: &TestApp) {
    let (clock, mut calls) = (app.clock.clone(), 0);
    app.dynamodb.break_calls(move |_, _| {
        calls += 1;
        if calls % 20 == 0 {
            clock.advance(Duration::from_millis(5));
        }
        Fault::None
    });
}
