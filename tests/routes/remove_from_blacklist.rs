use serde_json::json;

use crate::harness::{TestApp, body, event};

#[tokio::test]
async fn who_is_taken_off_gets_through_again() {
    let app = TestApp::new().await;
    app.ask("add-to-blacklist", "alice", json!({ "userIDList": ["mallory", "bob"] })).await;
    let mut other_device = app.connect("alice").await;
    for _ in 0..2 {
        let reply = body(app.respond("remove-from-blacklist", &event("remove-from-blacklist")).await);
        assert_eq!(reply["data"], json!({ "blacklist": ["bob"] }));
        assert_eq!(other_device.push().await, json!({ "event": "blacklistUpdated", "data": ["bob"] }));
    }
    assert_eq!(app.send("mallory", "alice", "1", 0).await, 1);
}

#[tokio::test]
async fn who_was_never_on_it_leaves_no_trace() {
    let app = TestApp::new().await;
    app.ask("remove-from-blacklist", "alice", json!({ "userIDList": ["bob", "carol"] })).await;
    assert!(app.dump("Users").await.is_empty() && app.dump("Messages").await.is_empty());
    let oneself = app.invoke("remove-from-blacklist", "alice", json!({ "userIDList": ["alice"] })).await;
    assert_eq!(oneself["code"], 2742);
}

#[tokio::test]
async fn nobody_takes_themselves_off_the_list_of_another() {
    let app = TestApp::new().await;
    app.ask("add-to-blacklist", "alice", json!({ "userIDList": ["mallory"] })).await;
    app.ask("remove-from-blacklist", "mallory", json!({ "userIDList": ["alice"] })).await;
    let reply = app.invoke("send-message", "mallory", crate::harness::text_message("alice", "1", 0)).await;
    assert_eq!(reply["code"], 20007);
}
