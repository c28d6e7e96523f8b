//! What fails alone is given up, so that all the rest is told.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    after::{batch, duplicates, failures, messages, told, twelve, when_told},
    start,
};
use crate::harness::{
    TestApp,
    business_server::{Called, Reaction},
    fault_proxy::Fault,
};

const MINUTE: Duration = Duration::from_secs(60);

/// The queue of what was given up.
#[derive(Clone, Default)]
struct Queue(Arc<Mutex<Vec<Value>>>);

impl Queue {
    /// One that takes what the app's functions give up.
    fn of(app: &TestApp) -> Self {
        let queue = Self::default();
        let taken = queue.clone();
        app.dynamodb.break_calls(move |operation, request| {
            if operation != "SendMessage" {
                return Fault::None;
            }
            let body = request["MessageBody"].as_str().unwrap();
            taken.0.lock().unwrap().push(serde_json::from_str(body).unwrap());
            Fault::Done
        });
        queue
    }

    /// What it has taken since the last time.
    fn take(&self) -> Vec<Value> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// The second message to bob.
fn is_it(called: &Called) -> bool {
    called.body["To_Account"] == "bob" && called.body["MsgSeq"] == 2
}

fn unless_it(status: u16) -> impl FnMut(&Called) -> Reaction + Send {
    move |called| if is_it(called) { Reaction::Raw(status, String::new()) } else { Reaction::ok() }
}

/// How many records of a batch have to come again.
async fn consume(app: &TestApp, event: &Value) -> usize {
    failures(&app.sandbox.consume("callback", event.clone()).await.unwrap()).len()
}

#[tokio::test]
async fn what_is_refused_while_others_are_told_is_kept_and_all_behind_it_is_told() {
    let (mut app, server) = twelve().await;
    let (queue, event) = (Queue::of(&app), batch(&app).await);
    for status in [403, 413, 422] {
        app.deploy(app.sandbox.settings);
        when_told(&server, unless_it(status));
        let mut attempts = 0;
        while consume(&app, &event).await > 0 {
            attempts += 1;
            assert!(attempts < 3, "{status}");
        }
        let mut all = messages(&server.take());
        all.retain(|message| *message != ("bob".to_owned(), 2));
        assert_eq!(all.len(), 11, "{status}");

        // What is in the queue is told when it is given to the function, and only then.
        when_told(&server, |_| Reaction::ok());
        let [kept] = &queue.take()[..] else { panic!("{status}") };
        assert_eq!(consume(&app, kept).await, 0);
        all.extend(messages(&server.take()));
        all.sort();
        assert_eq!(duplicates(&all, 3, 4), 0, "{status}");
    }
}

/// A new token, or a wrong route: it refuses everything for a while.
#[tokio::test]
async fn what_is_refused_with_all_others_waits_for_a_quarter_of_an_hour() {
    let (app, server) = twelve().await;
    let (queue, event) = (Queue::of(&app), batch(&app).await);
    when_told(&server, |_| Reaction::Raw(403, String::new()));
    for _ in 0..15 {
        assert_eq!(consume(&app, &event).await, 3);
        app.advance(MINUTE);
    }
    assert!(queue.take().is_empty());
    server.take();
    when_told(&server, |_| Reaction::ok());
    assert_eq!(consume(&app, &event).await, 0);
    assert_eq!(duplicates(&messages(&server.take()), 3, 4), 0);

    let (app, server) = twelve().await;
    let queue = Queue::of(&app);
    when_told(&server, |_| Reaction::Raw(403, String::new()));
    assert_eq!(consume(&app, &event).await, 3);
    app.advance(15 * MINUTE);
    assert_eq!(consume(&app, &event).await, 3, "those behind the first ones have their own time");
    assert_eq!(queue.take().len(), 3);
}

#[tokio::test]
async fn what_fails_otherwise_has_five_minutes_and_is_kept_if_others_are_told_then() {
    let (mut app, server) = twelve().await;
    let (queue, event) = (Queue::of(&app), batch(&app).await);
    let records = event["Records"].as_array().unwrap();
    let is_daves = |record: &&Value| record["dynamodb"]["Keys"]["p"]["S"] == "alice·dave";
    let (daves, others): (Vec<_>, Vec<_>) = records.iter().partition(is_daves);
    let others = json!({ "Records": others });
    for status in [500, 503, 408, 429] {
        app.deploy(app.sandbox.settings);
        when_told(&server, unless_it(status));
        let attempt = async || consume(&app, &others).await;
        assert_eq!(attempt().await, 1);
        app.advance(5 * MINUTE);
        assert_eq!(attempt().await, 1, "{status}: nobody knows whether others are told by now");
        assert!(queue.take().is_empty());
        assert_eq!(consume(&app, &json!({ "Records": daves })).await, 0);
        assert_eq!(attempt().await, 0, "{status}");
        assert_eq!(queue.take().len(), 1);
        let mut all = messages(&server.take());
        all.retain(|message| *message != ("bob".to_owned(), 2));
        assert_eq!(all.len(), 11);
    }
}

#[tokio::test]
async fn a_row_that_is_none_is_kept_at_once_and_the_rest_of_its_batch_is_told() {
    let (app, server) = twelve().await;
    let (queue, mut event) = (Queue::of(&app), batch(&app).await);
    event["Records"][0]["dynamodb"]["NewImage"]["t"] = json!({ "S": "tomorrow" });
    assert_eq!(consume(&app, &event).await, 0);
    assert_eq!(messages(&server.take()).len(), 11);
    let [kept] = &queue.take()[..] else { panic!() };
    assert_eq!(kept["Records"][0]["dynamodb"]["NewImage"], event["Records"][0]["dynamodb"]["NewImage"]);
}

#[tokio::test]
async fn what_the_queue_does_not_take_is_not_given_up() {
    let (app, server) = twelve().await;
    let event = batch(&app).await;
    when_told(&server, unless_it(403));
    app.dynamodb.break_calls(|operation, _| match operation {
        "SendMessage" => Fault::Refuse(403, "AccessDenied"),
        _ => Fault::None,
    });
    for _ in 0..4 {
        assert_eq!(consume(&app, &event).await, 1);
    }
    let queue = Queue::of(&app);
    when_told(&server, |_| Reaction::ok());
    assert_eq!(consume(&app, &event).await, 0);
    assert!(queue.take().is_empty());
}

/// On a laptop as well, where there is one batch for everybody.
#[tokio::test]
async fn what_is_always_refused_stops_a_stream_for_a_quarter_of_an_hour_at_the_most() {
    let (app, server) = start().await;
    when_told(&server, |_| Reaction::Raw(403, String::new()));
    app.send("alice", "bob", "1", 0).await;
    app.send("alice", "carol", "1", 0).await;
    let clock = app.clock.clone();
    when_told(&server, move |called| {
        if called.body["To_Account"] == "carol" {
            return Reaction::ok();
        }
        clock.advance(5 * MINUTE);
        Reaction::Raw(403, String::new())
    });
    server.take();
    let told = messages(&told(&app, &server).await);
    assert!(told.len() <= 6, "{told:?}");
    assert!(told.contains(&("carol".to_owned(), 1)));
}
