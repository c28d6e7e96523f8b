//! L5: a conversation that was deleted leaves the list and costs nothing any more; the next message brings it back.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ids, units, whole_list};
use crate::harness::{TestApp, fault_proxy::Fault, text_message};

/// So long that a list lets go of what was deleted before.
const MINUTE: Duration = Duration::from_secs(60);

/// What a list costs.
async fn cost_of_list(app: &TestApp) -> f64 {
    app.calls();
    app.ask("get-conversation-list", "alice", json!({})).await;
    let (read, written) = units(&app.calls());
    assert_eq!(written, 0.0);
    read
}

#[tokio::test]
async fn l5_what_was_deleted_leaves_the_list_and_comes_back_with_the_next_message() {
    for (keeps_history, from, to) in [(false, "bob", "alice"), (true, "alice", "bob")] {
        let app = TestApp::new().await;
        let empty = cost_of_list(&app).await;
        app.send("bob", "alice", "1", 0).await;
        assert_eq!(cost_of_list(&app).await, empty + 1.0);
        let delete = json!({ "conversationID": "C2Cbob", "clearHistoryMessage": !keeps_history });
        app.ask("delete-conversation", "alice", delete).await;
        app.advance(MINUTE);
        // The first look lets go of it.
        app.ask("get-conversation-list", "alice", json!({})).await;
        assert_eq!(cost_of_list(&app).await, empty);
        assert!(app.conversation("alice", "bob").await.is_none());
        assert!(app.conversation("bob", "alice").await.is_some(), "it is the other one's as well");

        app.send(from, to, "2", 1).await;
        let back = app.conversation("alice", "bob").await.unwrap();
        assert_eq!((&back["lastSequence"], &back["lastMessage"]["sequence"]), (&json!(2), &json!(2)));
        // And so on.
        app.send("bob", "alice", "3", 2).await;
        assert_eq!(app.conversation("alice", "bob").await.unwrap()["lastSequence"], 3);
    }
}

#[tokio::test]
async fn l5_what_is_pinned_leaves_the_list_as_well_and_is_pinned_when_it_is_back() {
    let app = TestApp::new().await;
    app.send("bob", "alice", "1", 0).await;
    app.ask("pin-conversation", "alice", json!({ "conversationID": "C2Cbob", "isPinned": true })).await;
    app.ask("delete-conversation", "alice", json!({ "conversationID": "C2Cbob" })).await;
    app.advance(MINUTE);
    app.ask("get-conversation-list", "alice", json!({})).await;
    assert!(app.conversation("alice", "bob").await.is_none());
    app.send("bob", "alice", "2", 1).await;
    assert_eq!(app.conversation("alice", "bob").await.unwrap()["isPinned"], true);

    // A pin on what is not in the list is kept for later, too.
    app.ask("delete-conversation", "alice", json!({ "conversationID": "C2Cbob" })).await;
    app.advance(MINUTE);
    app.ask("get-conversation-list", "alice", json!({})).await;
    app.ask("pin-conversation", "alice", json!({ "conversationID": "C2Cbob", "isPinned": false })).await;
    assert!(app.conversation("alice", "bob").await.is_none());
    app.send("bob", "alice", "3", 2).await;
    assert_eq!(app.conversation("alice", "bob").await.unwrap()["isPinned"], false);
}

/// Bob sends while alice deletes: the function that sends stands still before the call, until the other one is done.
async fn sent_while_deleted(app: &TestApp, is_it: fn(&str, &Value) -> bool) -> Value {
    let mut is_first = true;
    app.dynamodb.break_calls(move |operation, request| {
        if is_it(operation, request) && std::mem::take(&mut is_first) { Fault::Hold } else { Fault::None }
    });
    let deleting = async {
        app.dynamodb.held().await;
        app.ask("delete-conversation", "alice", json!({ "conversationID": "C2Cbob", "sequence": 1 })).await;
        // The list is looked at as soon as it can be, and may let go of it.
        app.ask("get-conversation-list", "alice", json!({})).await;
        app.advance(Duration::from_secs(5));
        app.ask("get-conversation-list", "alice", json!({})).await;
        app.dynamodb.release();
    };
    let sending = app.invoke("send-message", "bob", text_message("alice", "2", 1));
    let (reply, ()) = tokio::join!(sending, deleting);
    app.dynamodb.mend();
    reply
}

#[tokio::test]
async fn l5_a_message_that_is_being_written_while_the_conversation_is_deleted_is_in_the_list() {
    let is_append =
        |operation: &str, request: &Value| operation == "PutItem" && request["TableName"] == "Messages";
    let app = TestApp::new().await;
    app.send("bob", "alice", "1", 0).await;
    // An hour later, so that nothing but the deletion has moved it.
    app.advance(Duration::from_secs(1_800));
    assert_eq!(sent_while_deleted(&app, is_append).await["code"], 0);
    for _ in 0..3 {
        app.advance(MINUTE);
        assert_eq!(app.conversation("alice", "bob").await.unwrap()["lastSequence"], 2);
    }
}

#[tokio::test]
async fn l5_a_move_up_that_is_late_brings_back_what_was_let_go_of() {
    let app = TestApp::new().await;
    app.send("bob", "alice", "1", 0).await;
    app.ask("delete-conversation", "alice", json!({ "conversationID": "C2Cbob" })).await;
    app.advance(MINUTE);
    // The send sees that it is out of a list, and before it moves it up, the list lets go of it.
    let mut is_first = true;
    app.dynamodb.break_calls(move |operation, request| {
        let is_it = operation == "UpdateItem" && request["Key"]["u"]["S"] == "alice";
        if is_it && std::mem::take(&mut is_first) { Fault::Hold } else { Fault::None }
    });
    let letting_go = async {
        app.dynamodb.held().await;
        app.ask("get-conversation-list", "alice", json!({})).await;
        app.dynamodb.release();
    };
    let (reply, ()) =
        tokio::join!(app.invoke("send-message", "bob", text_message("alice", "2", 1)), letting_go);
    app.dynamodb.mend();
    assert_eq!(reply["code"], 0, "{reply}");
    assert_eq!(app.conversation("alice", "bob").await.unwrap()["lastSequence"], 2);
}

#[tokio::test]
async fn l5_what_has_expired_leaves_the_list_before_it_is_swept() {
    let day = 24 * 60 * 60;
    let settings = hongyan_functions::config::Settings { retention: Some(day), ..Default::default() };
    let app = TestApp::with(settings).await;
    app.send("bob", "alice", "1", 0).await;
    app.advance(Duration::from_secs(day + 60));
    app.ask("get-conversation-list", "alice", json!({})).await;
    app.calls();
    app.ask("get-conversation-list", "alice", json!({})).await;
    assert_eq!(units(&app.calls()), (0.5, 0.0));
    app.send("bob", "alice", "2", 0).await;
    assert_eq!(ids(&app.ask("get-conversation-list", "alice", json!({})).await), ["C2Cbob"]);
    assert_eq!(whole_list(&app, "bob").await.0.len(), 1);
}
