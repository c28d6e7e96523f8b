use hongyan_functions::config::Settings;
use serde_json::{Value, json};

use crate::harness::{START_MS, TestApp, body, event, fault_proxy::Fault, replica::Lag};

async fn unread(app: &TestApp, me: &str, peer: &str) -> Value {
    app.conversation(me, peer).await.unwrap()["unreadCount"].clone()
}

#[tokio::test]
async fn reading_tells_the_peer_and_the_readers_other_devices() {
    let app = TestApp::new().await;
    let (mut bob, mut other_device) = (app.connect("bob").await, app.connect("alice").await);
    app.send("bob", "alice", "1", 0).await;
    bob.push().await;
    other_device.push().await;

    let reply = body(app.respond("set-message-read", &event("set-message-read")).await);
    let update = json!({ "conversationID": "C2Cbob", "readSequence": 1, "unreadCount": 0 });
    assert_eq!(reply["data"], update);
    assert_eq!(
        bob.push().await,
        json!({
            "event": "onMessageReadByPeer",
            "data": { "conversationID": "C2Calice", "sequence": 1, "time": START_MS / 1000 },
        })
    );
    assert_eq!(other_device.push().await, json!({ "event": "onConversationListUpdated", "data": [update] }));
}

#[tokio::test]
async fn without_a_number_everything_is_read() {
    let app = TestApp::new().await;
    for base in 0..20 {
        app.send("bob", "alice", &base.to_string(), base).await;
    }
    assert_eq!(unread(&app, "alice", "bob").await, 20);
    app.invoke("set-message-read", "alice", json!({ "conversationID": "C2Cbob" })).await;
    assert_eq!(unread(&app, "alice", "bob").await, 0);
}

#[tokio::test]
async fn a_number_far_back_counts_what_follows() {
    let app = TestApp::new().await;
    for base in 0..20 {
        app.send("bob", "alice", &base.to_string(), base).await;
    }
    let reply =
        app.invoke("set-message-read", "alice", json!({ "conversationID": "C2Cbob", "sequence": 4 })).await;
    assert_eq!(reply["data"]["unreadCount"], 16);
    assert_eq!(unread(&app, "alice", "bob").await, 16);
}

#[tokio::test]
async fn a_conversation_without_a_message_is_not_created_by_reading_it() {
    let app = TestApp::new().await;
    for data in [json!({ "conversationID": "C2Cbob" }), json!({ "conversationID": "C2Cbob", "sequence": 5 })]
    {
        let reply = app.invoke("set-message-read", "alice", data).await;
        assert_eq!((&reply["code"], &reply["data"]["readSequence"]), (&json!(0), &json!(0)));
    }
    assert!(app.dump("Messages").await.is_empty());
    assert!(app.dump("Conversations").await.is_empty());
}

#[tokio::test]
async fn with_retention_a_mark_that_was_overtaken_does_not_take_the_position_back_either() {
    let app = TestApp::with(Settings { retention: Some(60), ..Settings::default() }).await;
    for base in 0..10 {
        app.send("bob", "alice", &base.to_string(), base).await;
    }
    let read = |sequence: u64| {
        app.ask("set-message-read", "alice", json!({ "conversationID": "C2Cbob", "sequence": sequence }))
    };
    let mut first = true;
    app.dynamodb.break_calls(move |operation, _| {
        let is_slow = operation == "UpdateItem" && std::mem::replace(&mut first, false);
        if is_slow { Fault::Hold } else { Fault::None }
    });
    let overtaken = async {
        app.dynamodb.held().await;
        assert_eq!(read(7).await["readSequence"], 7);
        app.dynamodb.release();
    };
    let (reply, ()) = tokio::join!(read(3), overtaken);
    assert_eq!((&reply["readSequence"], &reply["unreadCount"]), (&json!(7), &json!(3)));
    assert_eq!(unread(&app, "alice", "bob").await, 3);
}

#[tokio::test]
async fn a_request_without_an_id_is_answered_only_if_it_fails() {
    let app = TestApp::new().await;
    app.send("bob", "alice", "1", 0).await;
    let mut event = event("set-message-read");
    event["body"] = json!(r#"{"action":"setMessageRead","data":{"conversationID":"C2Cbob","sequence":1}}"#);
    assert_eq!(body(app.respond("set-message-read", &event).await), Value::Null);
    assert_eq!(unread(&app, "alice", "bob").await, 0);

    event["body"] = json!(r#"{"action":"setMessageRead","data":{"conversationID":"bob"}}"#);
    assert_eq!(body(app.respond("set-message-read", &event).await)["code"], 70402);
}

#[tokio::test]
async fn a_mark_that_meets_a_change_of_the_blacklist_is_made_all_the_same() {
    let app = TestApp::new().await;
    app.send("bob", "alice", "1", 0).await;
    let mut conflicts = 0;
    app.dynamodb.break_calls(move |operation, _| {
        conflicts += usize::from(operation == "UpdateItem");
        let is_refused = operation == "UpdateItem" && conflicts <= 3;
        if is_refused { Fault::Refuse(400, "TransactionConflictException") } else { Fault::None }
    });
    let read = || json!({ "conversationID": "C2Cbob", "sequence": 1 });
    assert_eq!(app.ask("set-message-read", "alice", read()).await["readSequence"], 1);
    assert_eq!(unread(&app, "alice", "bob").await, 0);

    app.send("bob", "alice", "2", 1).await;
    app.dynamodb.break_calls(|operation, _| match operation {
        "UpdateItem" => Fault::Refuse(400, "TransactionConflictException"),
        _ => Fault::None,
    });
    let never = app.invoke("set-message-read", "alice", json!({ "conversationID": "C2Cbob" })).await;
    assert_eq!(never["code"], 60007);
}

#[tokio::test]
async fn who_is_overtaken_is_answered_what_is_stored() {
    let app = TestApp::new().await;
    for base in 0..5 {
        app.send("bob", "alice", &base.to_string(), base).await;
    }
    app.lag(Lag::SECOND).await;
    let up_to = |sequence: u64| json!({ "conversationID": "C2Cbob", "sequence": sequence });
    app.dynamodb.break_calls(|operation, request| {
        let is_slow = operation == "UpdateItem" && request["ExpressionAttributeValues"][":n"]["N"] == "2";
        if is_slow { Fault::Hold } else { Fault::Stale }
    });
    let slow = app.ask("set-message-read", "alice", up_to(2));
    let fast = async {
        app.dynamodb.held().await;
        app.ask("set-message-read", "alice", up_to(4)).await;
        app.dynamodb.release();
    };
    let (slow, ()) = tokio::join!(slow, fast);
    assert_eq!(slow, json!({ "conversationID": "C2Cbob", "readSequence": 4, "unreadCount": 1 }));
}
