use std::time::Duration;

use futures_util::future::join_all;
use hongyan_functions::config::Settings;
use serde_json::{Value, json};

use crate::harness::{TestApp, body, event, fault_proxy::Fault, sequences};

async fn with_messages(count: u64) -> TestApp {
    let app = TestApp::without_limits().await;
    for base in 0..count {
        app.send("bob", "alice", &base.to_string(), base).await;
    }
    app
}

async fn delete(app: &TestApp, me: &str, peer: &str) -> Value {
    let data = json!({ "conversationID": format!("C2C{peer}") });
    app.ask("delete-conversation", me, data).await["clearedSequence"].clone()
}

#[tokio::test]
async fn a_deleted_conversation_is_empty_for_the_one_and_unchanged_for_the_other() {
    let app = with_messages(20).await;
    let (mut bob, mut other_device) = (app.connect("bob").await, app.connect("alice").await);
    let before = app.conversation("bob", "alice").await;

    let reply = body(app.respond("delete-conversation", &event("delete-conversation")).await);
    assert_eq!(reply["data"], json!({ "conversationID": "C2Cbob", "clearedSequence": 20 }));
    let update = json!({ "conversationID": "C2Cbob", "clearedSequence": 20, "unreadCount": 0 });
    assert_eq!(other_device.push().await, json!({ "event": "onConversationListUpdated", "data": [update] }));
    assert!(bob.is_quiet().await);

    let shown = app.conversation("alice", "bob").await.unwrap();
    assert_eq!(
        shown,
        json!({
            "conversationID": "C2Cbob", "type": "C2C", "unreadCount": 0, "lastSequence": 20,
            "readSequence": 0, "peerReadSequence": 0, "peerReadTime": 0, "clearedSequence": 20, "isPinned": false,
        })
    );
    assert!(app.history("alice", "bob").await.is_empty());
    assert_eq!(app.conversation("bob", "alice").await, before, "the peer is not told that they have read");
    assert_eq!(app.history("bob", "alice").await.len(), 20);
}

#[tokio::test]
async fn it_comes_back_with_the_next_message_and_without_what_was_before() {
    let app = with_messages(40).await;
    assert_eq!(delete(&app, "alice", "bob").await, 40);
    for base in 40..60 {
        app.send("bob", "alice", &base.to_string(), base).await;
    }
    let shown = app.conversation("alice", "bob").await.unwrap();
    assert_eq!((&shown["unreadCount"], &shown["lastMessage"]["sequence"]), (&json!(20), &json!(60)));
    assert_eq!(sequences(&app.history("alice", "bob").await), (41..=60).collect::<Vec<_>>());
    assert_eq!(app.history("bob", "alice").await.len(), 60);

    // The page that reaches the mark is the last one, also when it ends right in front of it.
    let first = app.ask("get-message-list", "alice", json!({ "conversationID": "C2Cbob" })).await;
    assert_eq!((&first["nextReqMessageID"], &first["isCompleted"]), (&json!("46.40"), &json!(false)));
    let ten = json!({ "conversationID": "C2Cbob", "nextReqMessageID": "51.40", "count": 10 });
    assert_eq!(app.ask("get-message-list", "alice", ten).await["isCompleted"], true);

    app.ask("set-message-read", "alice", json!({ "conversationID": "C2Cbob", "sequence": 50 })).await;
    assert_eq!(app.conversation("alice", "bob").await.unwrap()["unreadCount"], 10);
    // A mark that lies behind what was cleared changes nothing that is seen.
    assert_eq!(delete(&app, "alice", "bob").await, 60);
    app.ask("set-message-read", "alice", json!({ "conversationID": "C2Cbob", "sequence": 55 })).await;
    let shown = app.conversation("alice", "bob").await.unwrap();
    assert_eq!((&shown["unreadCount"], &shown["readSequence"]), (&json!(0), &json!(55)));
}

#[tokio::test]
async fn what_was_cleared_and_what_was_deleted_do_not_come_back_as_a_preview() {
    let app = with_messages(5).await;
    delete(&app, "alice", "bob").await;
    app.send("bob", "alice", "new", 5).await;
    app.ask("delete-message", "alice", json!({ "conversationID": "C2Cbob", "messages": [6] })).await;
    assert_eq!(app.conversation("alice", "bob").await.unwrap().get("lastMessage"), None);
}

#[tokio::test]
async fn deleting_twice_writes_and_tells_once() {
    let app = with_messages(3).await;
    delete(&app, "alice", "bob").await;
    let before = app.dump("Messages").await;
    let mut other_device = app.connect("alice").await;
    assert_eq!(delete(&app, "alice", "bob").await, 3);
    assert_eq!(app.dump("Messages").await, before);
    assert!(other_device.is_quiet().await);
}

#[tokio::test]
async fn a_mark_never_goes_back_however_devices_race() {
    let app = with_messages(1).await;
    for base in 1..10 {
        let name = base.to_string();
        let (_, sent) = tokio::join!(
            join_all((0..3).map(|_| delete(&app, "alice", "bob"))),
            app.send("bob", "alice", &name, base)
        );
        assert_eq!(sent, base + 1);
        let cleared = app.conversation("alice", "bob").await.unwrap()["clearedSequence"].as_u64().unwrap();
        assert!((base..=base + 1).contains(&cleared), "{cleared} of {base}");
    }
}

#[tokio::test]
async fn a_conversation_that_never_was_is_not_created_by_deleting_it() {
    let app = TestApp::new().await;
    assert_eq!(delete(&app, "alice", "bob").await, 0);
    assert!(app.dump("Messages").await.is_empty());
    assert!(app.dump("Conversations").await.is_empty());
}

#[tokio::test]
async fn a_mark_goes_with_the_messages_that_it_hides_and_counts_are_right() {
    let app = TestApp::with(Settings { retention: Some(86_400), ..Settings::default() }).await;
    for base in 0..5 {
        app.send("bob", "alice", &base.to_string(), base).await;
    }
    delete(&app, "alice", "bob").await;
    app.advance(Duration::from_secs(2 * 86_400));
    app.sweep().await;
    assert_eq!(app.send("bob", "alice", "after", 0).await, 33);
    let shown = app.conversation("alice", "bob").await.unwrap();
    assert_eq!((&shown["unreadCount"], &shown["clearedSequence"]), (&json!(1), &json!(0)));
    assert_eq!(sequences(&app.history("alice", "bob").await), [33]);
}

#[tokio::test]
async fn who_is_not_part_of_the_conversation_clears_nothing() {
    let app = with_messages(1).await;
    let before = app.dump("Messages").await;
    assert_eq!(delete(&app, "mallory", "alice").await, 0);
    assert_eq!(delete(&app, "mallory", "bob").await, 0);
    assert_eq!(app.dump("Messages").await, before);
}

#[tokio::test]
async fn a_repetition_that_names_a_message_spares_what_came_in_between() {
    let app = with_messages(20).await;
    let named = json!({ "conversationID": "C2Cbob", "sequence": 20 });
    assert_eq!(app.ask("delete-conversation", "alice", named.clone()).await["clearedSequence"], 20);
    app.send("bob", "alice", "20", 20).await;
    assert_eq!(app.ask("delete-conversation", "alice", named).await["clearedSequence"], 20);
    let shown = app.conversation("alice", "bob").await.unwrap();
    assert_eq!((&shown["unreadCount"], &shown["lastMessage"]["sequence"]), (&json!(1), &json!(21)));

    let farther = json!({ "conversationID": "C2Cbob", "sequence": 99 });
    assert_eq!(app.ask("delete-conversation", "alice", farther).await["clearedSequence"], 21);
}

#[tokio::test]
async fn other_devices_are_told_what_is_left_unread() {
    let app = with_messages(5).await;
    let mut other_device = app.connect("alice").await;
    let up_to = |sequence: u64| json!({ "conversationID": "C2Cbob", "sequence": sequence });
    let update = |cleared: u64, unread: u64| {
        let data = json!({ "conversationID": "C2Cbob", "clearedSequence": cleared, "unreadCount": unread });
        json!({ "event": "onConversationListUpdated", "data": [data] })
    };
    app.ask("delete-conversation", "alice", up_to(2)).await;
    assert_eq!(other_device.push().await, update(2, 3));
    assert_eq!(app.conversation("alice", "bob").await.unwrap()["unreadCount"], 3);

    // What is read counts as well, wherever it lies.
    app.ask("set-message-read", "alice", up_to(4)).await;
    assert_eq!(other_device.push().await["data"][0]["unreadCount"], 1);
    app.ask("delete-conversation", "alice", up_to(3)).await;
    assert_eq!(other_device.push().await, update(3, 1));
}

#[tokio::test]
async fn what_is_left_unread_does_not_count_what_has_expired() {
    let app = TestApp::with(Settings { retention: Some(86_400), ..Settings::default() }).await;
    for base in 0..4 {
        app.send("bob", "alice", &base.to_string(), base).await;
        app.advance(Duration::from_secs(6 * 3_600));
    }
    app.advance(Duration::from_secs(6 * 3_600 + 1));
    let mut other_device = app.connect("alice").await;
    assert_eq!(sequences(&app.history("alice", "bob").await), [3, 4]);
    let up_to = |sequence: u64| json!({ "conversationID": "C2Cbob", "sequence": sequence });
    let before = app.dump("Messages").await;
    assert_eq!(app.ask("delete-conversation", "alice", up_to(1)).await["clearedSequence"], 0);
    assert_eq!(app.dump("Messages").await, before, "what has expired needs no mark");
    assert_eq!(app.conversation("alice", "bob").await.unwrap()["unreadCount"], 2);
    app.ask("delete-conversation", "alice", up_to(3)).await;
    assert_eq!(other_device.push().await["data"][0]["unreadCount"], 1);
}

#[tokio::test]
async fn who_is_overtaken_is_answered_what_is_stored() {
    let app = with_messages(5).await;
    let mut other_device = app.connect("alice").await;
    let up_to = |sequence: u64| json!({ "conversationID": "C2Cbob", "sequence": sequence });
    app.dynamodb.break_calls(|operation, request| {
        let is_slow = operation == "UpdateItem" && request["ExpressionAttributeValues"][":n"]["N"] == "2";
        if is_slow { Fault::Hold } else { Fault::None }
    });
    let slow = app.ask("delete-conversation", "alice", up_to(2));
    let fast = async {
        app.dynamodb.held().await;
        let reply = app.ask("delete-conversation", "alice", up_to(5)).await;
        app.dynamodb.release();
        reply
    };
    let (slow, fast) = tokio::join!(slow, fast);
    assert_eq!((&slow["clearedSequence"], &fast["clearedSequence"]), (&json!(5), &json!(5)));
    assert_eq!(other_device.push().await["data"][0]["clearedSequence"], 5);
    assert!(other_device.is_quiet().await);
}

#[tokio::test]
async fn a_mark_whose_write_was_not_answered_is_told_all_the_same() {
    let app = with_messages(3).await;
    let mut other_device = app.connect("alice").await;
    let mut lost = false;
    app.dynamodb.break_calls(move |operation, _| {
        let is_mark = operation == "UpdateItem";
        if is_mark && !std::mem::replace(&mut lost, true) { Fault::ResetAfter } else { Fault::None }
    });
    assert_eq!(delete(&app, "alice", "bob").await, 3);
    assert_eq!(other_device.push().await["data"][0]["clearedSequence"], 3);
}

#[tokio::test]
async fn a_conversation_can_leave_the_list_and_keep_its_history() {
    let app = with_messages(20).await;
    let mut other_device = app.connect("alice").await;
    let before = app.conversation("bob", "alice").await;
    let unlist = json!({ "conversationID": "C2Cbob", "sequence": 18, "clearHistoryMessage": false });
    let gone = json!({ "conversationID": "C2Cbob", "clearedSequence": 0, "unlistedSequence": 18 });
    // Said again, it is the same.
    for _ in 0..2 {
        assert_eq!(app.ask("delete-conversation", "alice", unlist.clone()).await, gone);
    }
    let update = json!({ "conversationID": "C2Cbob", "unlistedSequence": 18, "unreadCount": 2 });
    assert_eq!(other_device.push().await, json!({ "event": "onConversationListUpdated", "data": [update] }));
    assert!(other_device.is_quiet().await);

    let shown = app.conversation("alice", "bob").await.unwrap();
    assert_eq!((&shown["unreadCount"], &shown["unlistedSequence"]), (&json!(2), &json!(18)));
    assert_eq!((&shown["clearedSequence"], &shown["readSequence"]), (&json!(0), &json!(0)));
    assert_eq!(app.history("alice", "bob").await.len(), 20);
    assert_eq!(app.conversation("bob", "alice").await, before, "the peer is not told that they have read");

    // It can be cleared afterwards, and what is left to read does not come back.
    assert_eq!(delete(&app, "alice", "bob").await, 20);
    assert!(app.history("alice", "bob").await.is_empty());
    assert_eq!(app.conversation("alice", "bob").await.unwrap()["unreadCount"], 0);
}
