//! What breaks, and what must not break with it.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use hongyan_functions::config::Settings;
use hongyan_shared::model::MultiDevice;
use serde_json::json;

use crate::harness::{
    TestApp, event, fault_proxy::Fault, random_numbers, replica::Lag, sequences, set_user, text_message,
};

/// Retries as a client does: the same ID and the same base until there is an answer.
async fn send_until_acknowledged(app: &TestApp, from: &str, to: &str, client_id: &str, base: u64) -> u64 {
    for _ in 0..50 {
        let reply = app.invoke("send-message", from, text_message(to, client_id, base)).await;
        if reply["code"] == 0 {
            return reply["data"]["message"]["sequence"].as_u64().unwrap();
        }
        assert!([20004, 20005, 60007].contains(&reply["code"].as_i64().unwrap()), "{reply}");
    }
    panic!("{client_id} was never acknowledged");
}

/// 100 sends, or as many as `make soak` wants.
fn sends() -> u64 {
    std::env::var("HONGYAN_SENDS").map_or(100, |number| number.parse().unwrap())
}

#[tokio::test]
async fn a_database_that_fails_throttles_and_forgets_to_answer_loses_and_doubles_nothing() {
    const WRITERS: u64 = 4;
    let app = TestApp::new().await;
    app.lag(Lag::Writes(6)).await;
    let mut random = random_numbers();
    app.dynamodb.break_calls(move |_, _| match random(100) {
        0..=4 => Fault::Refuse(500, "InternalServerError"),
        5..=9 => Fault::Refuse(400, "ThrottlingException"),
        10..=14 => Fault::ResetAfter,
        15..=19 => Fault::Stale,
        _ => Fault::None,
    });
    let writers = (0..WRITERS).map(|writer| {
        let app = &app;
        async move {
            let (from, to) = if writer % 2 == 0 { ("alice", "bob") } else { ("bob", "alice") };
            let mut base = 0;
            let mut acknowledged = Vec::new();
            for number in 0..sends() / WRITERS {
                base = send_until_acknowledged(app, from, to, &format!("{writer}-{number}"), base).await;
                acknowledged.push((base, format!("{writer}-{number}")));
            }
            acknowledged
        }
    });
    let mut acknowledged: Vec<(u64, String)> = join_all(writers).await.into_iter().flatten().collect();
    acknowledged.sort();
    app.dynamodb.mend();

    let history = app.history("alice", "bob").await;
    let stored: Vec<(u64, String)> = history
        .iter()
        .map(|message| {
            (message["sequence"].as_u64().unwrap(), message["clientID"].as_str().unwrap().to_owned())
        })
        .collect();
    assert_eq!(stored.len() as u64, sends(), "{acknowledged:?}");
    assert_eq!(sequences(&history), (1..=sends()).collect::<Vec<_>>());
    assert_eq!(stored, acknowledged, "what was acknowledged is what is there, under the same number");
}

#[tokio::test]
async fn a_push_that_hangs_delays_the_acknowledgement_by_no_more_than_its_timeout() {
    let mut app = TestApp::new().await;
    let _bob = app.connect("bob").await;
    app.be_impatient();
    app.management.break_calls(|_, _| Fault::LoseCall);
    let started = Instant::now();
    assert_eq!(app.send("alice", "bob", "1", 0).await, 1);
    let waited = started.elapsed();
    assert!((Duration::from_millis(1_500)..Duration::from_millis(4_000)).contains(&waited), "{waited:?}");
}

#[tokio::test]
async fn thirty_two_devices_that_hang_delay_it_no_longer_than_one() {
    let mut app = TestApp::with(Settings { multi_device: MultiDevice::Many, ..Settings::default() }).await;
    app.be_impatient();
    for index in 0..32 {
        let mut connect = event("connect");
        set_user(&mut connect, if index % 2 == 0 { "alice" } else { "bob" });
        connect["requestContext"]["connectionId"] = json!(format!("{index}="));
        connect["requestContext"]["authorizer"].as_object_mut().unwrap().remove("instance");
        assert_eq!(app.respond("connect", &connect).await.status(), 200);
    }
    assert_eq!(app.slots().await.len(), 32);
    app.management.break_calls(|_, _| Fault::LoseCall);
    let started = Instant::now();
    assert_eq!(app.send("alice", "bob", "1", 0).await, 1);
    let waited = started.elapsed();
    assert!((Duration::from_millis(1_500)..Duration::from_millis(2_900)).contains(&waited), "{waited:?}");
}

#[tokio::test]
async fn a_database_that_is_down_is_told_to_the_client_and_nothing_else() {
    let app = TestApp::new().await;
    app.dynamodb.break_calls(|_, _| Fault::Refuse(400, "ResourceNotFoundException"));
    let data = json!({ "conversationID": "C2Cbob" });
    for (function, data) in [
        ("send-message", text_message("bob", "1", 0)),
        ("get-message-list", data.clone()),
        ("set-message-read", data),
        ("get-conversation-list", json!({})),
        ("revoke-message", json!({ "conversationID": "C2Cbob", "sequence": 1 })),
        ("delete-message", json!({ "conversationID": "C2Cbob", "messages": [1] })),
        ("delete-conversation", json!({ "conversationID": "C2Cbob" })),
        ("pin-conversation", json!({ "conversationID": "C2Cbob", "isPinned": true })),
        ("get-user-profile", json!({ "userIDList": ["bob"] })),
        ("update-my-profile", json!({ "nick": "x" })),
        ("get-blacklist", json!({})),
        ("add-to-blacklist", json!({ "userIDList": ["bob"] })),
        ("remove-from-blacklist", json!({ "userIDList": ["bob"] })),
        ("get-user-status", json!({ "userIDList": ["bob"] })),
        ("subscribe-user-status", json!({ "userIDList": ["bob"] })),
        ("unsubscribe-user-status", json!({ "userIDList": ["bob"] })),
        ("login", json!({})),
        ("logout", json!({})),
    ] {
        let reply = app.invoke(function, "alice", data).await;
        assert_eq!(reply["code"], 20005, "{function}");
        assert!(
            !reply.to_string().contains("ResourceNotFound"),
            "the client learns nothing about the account"
        );
    }
}

#[tokio::test]
async fn a_connection_that_cannot_be_registered_is_refused() {
    let app = TestApp::new().await;
    for (kind, status) in [("ResourceNotFoundException", 500), ("ThrottlingException", 429)] {
        app.dynamodb.break_calls(move |_, _| Fault::Refuse(400, kind));
        assert_eq!(app.respond("connect", &event("connect")).await.status(), status);
    }
}

#[tokio::test]
async fn throttling_is_told_apart() {
    let app = TestApp::new().await;
    app.dynamodb.break_calls(|_, _| Fault::Refuse(400, "ProvisionedThroughputExceededException"));
    let reply = app.invoke("get-conversation-list", "alice", json!({})).await;
    assert_eq!(reply["code"], 60007);
}

#[tokio::test]
async fn a_stale_replica_does_not_hide_what_has_been_read() {
    let app = TestApp::new().await;
    app.send("bob", "alice", "1", 0).await;
    app.lag(Lag::SECOND).await;
    app.invoke("set-message-read", "alice", json!({ "conversationID": "C2Cbob", "sequence": 1 })).await;
    app.send("bob", "alice", "2", 1).await;

    // The reader names a message that the replica has not got yet.
    app.dynamodb.break_calls(|_, _| Fault::Stale);
    let reply =
        app.invoke("set-message-read", "alice", json!({ "conversationID": "C2Cbob", "sequence": 2 })).await;
    assert_eq!(reply["data"], json!({ "conversationID": "C2Cbob", "readSequence": 2, "unreadCount": 0 }));

    // A range is what fills gaps, so it is never stale.
    let range = app
        .invoke("get-message-list", "alice", json!({ "conversationID": "C2Cbob", "fromSequence": 1 }))
        .await;
    assert_eq!(sequences(range["data"]["messageList"].as_array().unwrap()), [1, 2]);
}
