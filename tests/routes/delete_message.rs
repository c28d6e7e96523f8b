use serde_json::json;

use crate::harness::{TestApp, body, event, largest_message, sequences};

async fn with_messages(count: u64) -> TestApp {
    let app = TestApp::new().await;
    for base in 0..count {
        app.send("bob", "alice", &base.to_string(), base).await;
    }
    app
}

#[tokio::test]
async fn a_deleted_message_is_gone_for_the_one_and_there_for_the_other() {
    let app = with_messages(2).await;
    let (mut bob, mut other_device) = (app.connect("bob").await, app.connect("alice").await);
    let reply = body(app.respond("delete-message", &event("delete-message")).await);
    assert_eq!(
        (&reply["code"], &reply["data"]),
        (&json!(0), &json!({ "conversationID": "C2Cbob", "messages": [1] }))
    );
    assert_eq!(
        other_device.push().await,
        json!({ "event": "onMessageDeleted", "data": { "conversationID": "C2Cbob", "messages": [1] } })
    );
    assert!(bob.is_quiet().await, "it is nobody else's business");
    assert_eq!(sequences(&app.history("alice", "bob").await), [2]);
    assert_eq!(sequences(&app.history("bob", "alice").await), [1, 2]);
}

#[tokio::test]
async fn numbers_that_are_not_there_are_passed_over() {
    let app = with_messages(3).await;
    let data = json!({ "conversationID": "C2Cbob", "messages": [9, 3, 3, 0, 1] });
    for _ in 0..2 {
        app.ask("delete-message", "alice", data.clone()).await;
    }
    assert_eq!(app.dump("Messages").await.len(), 3, "no row has come into being");
    assert_eq!(sequences(&app.history("alice", "bob").await), [2]);
}

#[tokio::test]
async fn pages_and_ranges_go_on_behind_what_was_deleted() {
    let app = with_messages(50).await;
    let deleted: Vec<u64> = (10..=39).collect();
    app.ask("delete-message", "alice", json!({ "conversationID": "C2Cbob", "messages": deleted })).await;
    let left: Vec<u64> = (1..10).chain(40..=50).collect();
    assert_eq!(sequences(&app.history("alice", "bob").await), left);

    // A page of nothing but deleted messages is empty and not the last.
    let page = json!({ "conversationID": "C2Cbob", "nextReqMessageID": "36" });
    assert_eq!(
        app.ask("get-message-list", "alice", page).await,
        json!({ "messageList": [], "nextReqMessageID": "21", "isCompleted": false })
    );
    let range = json!({ "conversationID": "C2Cbob", "fromSequence": 8, "toSequence": 41 });
    let range = app.ask("get-message-list", "alice", range).await;
    assert_eq!(sequences(range["messageList"].as_array().unwrap()), [8, 9, 40, 41]);
    assert_eq!(range["isCompleted"], true);
}

#[tokio::test]
async fn the_list_shows_the_newest_message_that_is_left() {
    let app = with_messages(20).await;
    let delete = |from: u64, to: u64| {
        let sequences: Vec<u64> = (from..=to).collect();
        app.ask("delete-message", "alice", json!({ "conversationID": "C2Cbob", "messages": sequences }))
    };
    delete(19, 20).await;
    let shown = app.conversation("alice", "bob").await.unwrap();
    assert_eq!((&shown["lastMessage"]["sequence"], &shown["lastSequence"]), (&json!(18), &json!(20)));
    assert_eq!(shown["unreadCount"], 20, "it is out of sight, not read");
    assert_eq!(app.conversation("bob", "alice").await.unwrap()["lastMessage"]["sequence"], 20);

    delete(1, 20).await;
    let shown = app.conversation("alice", "bob").await.unwrap();
    assert_eq!((shown.get("lastMessage"), &shown["lastSequence"]), (None, &json!(20)));
}

#[tokio::test]
async fn what_was_deleted_is_not_sent_again_by_a_retry() {
    let app = with_messages(1).await;
    app.ask("delete-message", "bob", json!({ "conversationID": "C2Calice", "messages": [1] })).await;
    assert_eq!(app.send("bob", "alice", "0", 0).await, 1);
    assert_eq!(app.send("alice", "bob", "next", 1).await, 2);
}

#[tokio::test]
async fn of_large_messages_the_reply_says_which_are_gone_and_the_rest_can_be_deleted_next() {
    let app = TestApp::new().await;
    let mut other_device = app.connect("alice").await;
    for base in 0..9 {
        app.ask("send-message", "bob", largest_message("alice", &base.to_string(), base)).await;
        other_device.push().await;
    }
    let mut rest: Vec<u64> = (1..=9).collect();
    for frame in [4, 4, 1] {
        let data = json!({ "conversationID": "C2Cbob", "messages": rest });
        let deleted = app.ask("delete-message", "alice", data).await;
        let gone: Vec<u64> = rest.drain(..frame).collect();
        assert_eq!(deleted, json!({ "conversationID": "C2Cbob", "messages": gone }));
        assert_eq!(other_device.push().await["data"], deleted);
    }
    assert!(app.history("alice", "bob").await.is_empty());
}

#[tokio::test]
async fn one_to_thirty_messages_can_be_named() {
    let app = with_messages(1).await;
    let code = async |count: u64| {
        let sequences: Vec<u64> = (1..=count).collect();
        let data = json!({ "conversationID": "C2Cbob", "messages": sequences });
        app.invoke("delete-message", "alice", data).await["code"].clone()
    };
    assert_eq!((code(0).await, code(30).await, code(31).await), (json!(70402), json!(0), json!(70402)));
}

#[tokio::test]
async fn who_is_not_part_of_the_conversation_deletes_nothing() {
    let app = with_messages(1).await;
    let before = app.dump("Messages").await;
    for peer in ["C2Calice", "C2Cbob"] {
        app.ask("delete-message", "mallory", json!({ "conversationID": peer, "messages": [1] })).await;
    }
    assert_eq!(app.dump("Messages").await, before);
}
