use std::time::Duration;

use hongyan_functions::config::Settings;
use serde_json::{Value, json};

use crate::{
    groups::{GROUP, change, public},
    harness::{TestApp, body, event, fault_proxy::Fault, text_message},
};

fn message(sequence: u64, peer: &str) -> Value {
    json!({ "conversationID": format!("C2C{peer}"), "sequence": sequence })
}

async fn code(app: &TestApp, me: &str, data: Value) -> i64 {
    app.invoke("revoke-message", me, data).await["code"].as_i64().unwrap()
}

#[tokio::test]
async fn a_recalled_message_says_nothing_any_more_to_anybody() {
    let app = TestApp::new().await;
    let mut data = text_message("bob", "1", 0);
    data["cloudCustomData"] = json!("a quote");
    app.ask("send-message", "alice", data.clone()).await;
    let (mut bob, mut other_device) = (app.connect("bob").await, app.connect("alice").await);

    let reply = body(app.respond("revoke-message", &event("revoke-message")).await);
    let mut left = reply["data"]["message"].clone();
    let push = json!({ "event": "onMessageRevoked", "data": [left] });
    assert_eq!(bob.push().await, push);
    assert_eq!(other_device.push().await, push);
    for (me, peer) in [("alice", "bob"), ("bob", "alice")] {
        assert_eq!(app.history(me, peer).await, [left.clone()]);
        assert_eq!(app.conversation(me, peer).await.unwrap()["lastMessage"], left);
        let range = json!({ "conversationID": format!("C2C{peer}"), "fromSequence": 1 });
        assert_eq!(app.ask("get-message-list", me, range).await["messageList"][0], left);
    }
    assert_eq!(app.ask("send-message", "alice", data).await["message"], left, "a retry is acknowledged");

    let left = left.as_object_mut().unwrap();
    let empty = json!({ "text": "" });
    assert_eq!((left.remove("isRevoked"), left.remove("payload")), (Some(json!(true)), Some(empty)));
    assert!(left.get("cloudCustomData").is_none());
    let row = app.dump("Messages").await.remove(0);
    assert_eq!(row["k"]["S"], "a quote", "the table keeps what was said");
    assert_eq!(app.conversation("bob", "alice").await.unwrap()["unreadCount"], 1, "it still counts");
}

#[tokio::test]
async fn a_recalled_message_keeps_the_fields_of_its_type_wherever_it_is_shown() {
    let app = TestApp::new().await;
    let mut bob = app.connect("bob").await;
    let types = [
        ("TIMTextElem", json!({ "text": "" })),
        ("TIMCustomElem", json!({ "data": "", "description": "", "extension": "" })),
        ("TIMFaceElem", json!({ "index": 0, "data": "" })),
        ("TIMLocationElem", json!({ "description": "", "longitude": 0, "latitude": 0 })),
        ("TIMImageElem", json!({ "uuid": "", "imageFormat": 0, "imageInfoArray": [] })),
    ];
    for (index, (kind, left)) in types.into_iter().enumerate() {
        let (base, sequence) = (index as u64, index as u64 + 1);
        let mut data = text_message("bob", &base.to_string(), base);
        data["type"] = json!(kind);
        data["payload"] = json!({
            "text": "x", "index": 1, "longitude": 1.5, "latitude": 1.5, "imageInfoArray": [{ "size": 1 }],
            "secret": "a secret",
        });
        app.ask("send-message", "alice", data.clone()).await;
        bob.push().await;
        let recalled = app.ask("revoke-message", "alice", message(sequence, "bob")).await["message"].clone();
        assert_eq!((&recalled["payload"], &recalled["isRevoked"]), (&left, &json!(true)), "{kind}");
        assert_eq!(bob.push().await["data"], json!([recalled]));
        let range = json!({ "conversationID": "C2Calice", "fromSequence": sequence });
        assert_eq!(app.ask("get-message-list", "bob", range).await["messageList"], json!([recalled]));
        assert_eq!(app.history("bob", "alice").await.pop(), Some(recalled.clone()));
        assert_eq!(app.conversation("bob", "alice").await.unwrap()["lastMessage"], recalled);
        assert_eq!(app.ask("send-message", "alice", data).await["message"], recalled, "a retry");
        app.advance(Duration::from_secs(1));
        let again = app.ask("revoke-message", "alice", message(sequence, "bob")).await;
        assert_eq!(again["message"], recalled);
    }
}

#[tokio::test]
async fn only_the_sender_recalls_and_only_for_a_while() {
    let app = TestApp::new().await;
    app.send("alice", "bob", "1", 0).await;
    assert_eq!(code(&app, "bob", message(1, "alice")).await, 20002);
    assert_eq!(code(&app, "alice", message(2, "bob")).await, 70402);
    assert_eq!(code(&app, "alice", message(0, "bob")).await, 70402);
    app.advance(Duration::from_secs(120));
    assert_eq!(code(&app, "alice", message(1, "bob")).await, 0);

    app.send("alice", "bob", "2", 1).await;
    app.advance(Duration::from_millis(120_001));
    assert_eq!(code(&app, "alice", message(2, "bob")).await, 20016);
    assert_eq!(code(&app, "alice", message(1, "bob")).await, 0, "that it is done stays true");
    assert_eq!(app.history("bob", "alice").await[1].get("isRevoked"), None);
}

#[tokio::test]
async fn recalling_twice_writes_and_tells_once() {
    let app = TestApp::new().await;
    app.send("alice", "bob", "1", 0).await;
    let first = app.ask("revoke-message", "alice", message(1, "bob")).await;
    let before = app.dump("Messages").await;
    app.advance(Duration::from_secs(1));
    let mut bob = app.connect("bob").await;
    assert_eq!(app.ask("revoke-message", "alice", message(1, "bob")).await, first);
    assert_eq!(app.dump("Messages").await, before);
    assert!(bob.is_quiet().await);
}

#[tokio::test]
async fn a_recall_whose_write_was_not_answered_is_told_all_the_same() {
    let app = TestApp::new().await;
    app.send("alice", "bob", "1", 0).await;
    let mut bob = app.connect("bob").await;
    let mut lost = false;
    app.dynamodb.break_calls(move |operation, _| {
        let is_recall = operation == "UpdateItem";
        if is_recall && !std::mem::replace(&mut lost, true) { Fault::ResetAfter } else { Fault::None }
    });
    app.ask("revoke-message", "alice", message(1, "bob")).await;
    assert_eq!(bob.push().await["event"], "onMessageRevoked");
}

#[tokio::test]
async fn with_retention_a_message_can_be_recalled_as_long_as_it_lives() {
    let app =
        TestApp::with(Settings { retention: Some(60), recall_seconds: 600, ..Settings::default() }).await;
    app.send("alice", "bob", "1", 0).await;
    app.send("alice", "bob", "2", 1).await;
    app.advance(Duration::from_secs(59));
    assert_eq!(code(&app, "alice", message(1, "bob")).await, 0);
    app.advance(Duration::from_secs(1));
    assert_eq!(code(&app, "alice", message(2, "bob")).await, 70402);
}

#[tokio::test]
async fn who_is_not_part_of_the_conversation_recalls_nothing() {
    let app = TestApp::new().await;
    app.send("alice", "bob", "1", 0).await;
    let before = app.dump("Messages").await;
    for peer in ["alice", "bob"] {
        assert_eq!(code(&app, "mallory", message(1, peer)).await, 70402);
    }
    assert_eq!(app.dump("Messages").await, before);
}

/// It is what a change is known by when it is asked for again.
#[tokio::test]
async fn a_tip_is_recalled_by_nobody_not_even_at_once_by_who_has_made_the_change() {
    let app = public(&[]).await;
    let add = || change(&app, "add-group-member", "alice", "add", json!({ "userIDList": ["bob"] }));
    assert_eq!(add().await["successUserIDList"], json!(["bob"]));
    let tip = json!({ "conversationID": format!("GROUP{GROUP}"), "sequence": 1 });
    for user in ["alice", "bob"] {
        let refused = app.invoke("revoke-message", user, tip.clone()).await;
        assert_eq!(refused["code"], 10007, "{user}: {refused}");
        assert!(refused["message"].as_str().unwrap().contains("a tip is not recalled"), "{user}: {refused}");
    }
    assert_eq!(add().await["successUserIDList"], json!(["bob"]));
}
