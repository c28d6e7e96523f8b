//! L6: what another device or the peer has changed meanwhile is seen after a reconnect.

use std::time::Duration;

use serde_json::{Value, json};

use super::{LONG, connect, log_in, login, many_conversations};
use crate::harness::TestApp;

/// What a reconnect says of a conversation of alice's that it names or not.
async fn after(app: &TestApp, since: &Value, name: Option<&str>, peer: &str) -> Option<Value> {
    let named: Vec<_> = name.into_iter().collect();
    connect(app, "alice").await;
    let reply =
        login(app, "alice", json!({ "count": 20, "since": since, "conversationIDList": named })).await;
    let list = reply["conversationPage"]["conversationList"].as_array().unwrap().clone();
    list.into_iter().find(|found| found["conversationID"] == format!("C2C{peer}"))
}

/// Alice has logged in long after the last message. Returns when that was.
async fn away(app: &TestApp) -> Value {
    app.advance(LONG);
    let since = log_in(app, "alice", json!({ "count": 20 })).await["serverTime"].clone();
    app.advance(Duration::from_secs(30));
    since
}

#[tokio::test]
async fn l6_read_marks_of_both_and_recalls_are_seen_of_what_is_named() {
    let app = TestApp::new().await;
    app.send("bob", "alice", "1", 0).await;
    app.send("alice", "bob", "2", 1).await;
    let since = away(&app).await;
    assert_eq!(after(&app, &since, None, "bob").await, None);
    assert_eq!(after(&app, &since, Some("C2Cbob"), "bob").await.unwrap()["unreadCount"], 1);

    app.ask("set-message-read", "alice", json!({ "conversationID": "C2Cbob", "sequence": 1 })).await;
    assert_eq!(after(&app, &since, Some("C2Cbob"), "bob").await.unwrap()["unreadCount"], 0);
    app.ask("set-message-read", "bob", json!({ "conversationID": "C2Calice", "sequence": 2 })).await;
    assert_eq!(after(&app, &since, Some("C2Cbob"), "bob").await.unwrap()["peerReadSequence"], 2);
}

#[tokio::test]
async fn l6_a_recall_is_seen_of_what_is_named() {
    let app = TestApp::new().await;
    app.send("bob", "alice", "1", 0).await;
    let since = log_in(&app, "alice", json!({ "count": 20 })).await["serverTime"].clone();
    app.ask("revoke-message", "bob", json!({ "conversationID": "C2Calice", "sequence": 1 })).await;
    app.advance(Duration::from_secs(5));
    let seen = after(&app, &since, Some("C2Cbob"), "bob").await.unwrap();
    assert_eq!(seen["lastMessage"]["isRevoked"], true);
}

#[tokio::test]
async fn l6_pins_and_deletions_are_seen_of_every_conversation_named_or_not() {
    let app = TestApp::new().await;
    many_conversations(&app, "alice", 40, 1).await;
    let since = away(&app).await;
    let peer = "peer-00030";
    for is_pinned in [true, false] {
        let pin = json!({ "conversationID": format!("C2C{peer}"), "isPinned": is_pinned });
        app.ask("pin-conversation", "alice", pin).await;
        assert_eq!(after(&app, &since, None, peer).await.unwrap()["isPinned"], is_pinned);
    }
    let delete = json!({ "conversationID": "C2Cpeer-00031" });
    app.ask("delete-conversation", "alice", delete).await;
    let seen = after(&app, &since, None, "peer-00031").await.unwrap();
    assert_eq!(seen["clearedSequence"], seen["lastSequence"]);

    // What is named is said to be pinned, though the pin is old.
    let pin = json!({ "conversationID": "C2Cpeer-00032", "isPinned": true });
    app.ask("pin-conversation", "alice", pin).await;
    let since = away(&app).await;
    assert_eq!(after(&app, &since, None, "peer-00032").await, None);
    let seen = after(&app, &since, Some("C2Cpeer-00032"), "peer-00032").await.unwrap();
    assert_eq!(seen["isPinned"], true);
}
