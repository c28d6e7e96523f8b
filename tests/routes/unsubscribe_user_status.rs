use serde_json::json;

use crate::harness::{TestApp, body, event};

#[tokio::test]
async fn who_watches_no_more_is_told_no_more() {
    let app = TestApp::new().await;
    for user in ["bob", "carol"] {
        app.acquaint("alice", user).await;
    }
    let mut alice = app.connect("alice").await;
    let both = json!({ "userIDList": ["bob", "carol"] });
    alice.ask("subscribeUserStatus", both).await;
    alice.push().await;

    let users = json!({ "userIDList": ["bob", "dave"] });
    assert_eq!(alice.ask("unsubscribeUserStatus", users).await, json!({ "failureUserList": [] }));
    let _bob = app.connect("bob").await;
    let _carol = app.connect("carol").await;
    let push = alice.push().await;
    assert_eq!(push["data"], json!([{ "userID": "carol", "statusType": 1, "customStatus": "" }]));
    assert!(alice.is_quiet().await);

    let reply = body(app.respond("unsubscribe-user-status", &event("unsubscribe-user-status")).await);
    assert_eq!(reply["data"], json!({ "failureUserList": [] }));
}

#[tokio::test]
async fn a_connection_ends_no_subscription_of_another() {
    let app = TestApp::new().await;
    app.acquaint("alice", "bob").await;
    let mut alice = app.connect("alice").await;
    let bob = json!({ "userIDList": ["bob"] });
    alice.ask("subscribeUserStatus", bob.clone()).await;
    alice.push().await;
    // The same device, over the connection that it had before.
    let mut late = event("unsubscribe-user-status");
    late["requestContext"]["authorizer"]["platform"] = json!("Web");
    app.respond("unsubscribe-user-status", &late).await;

    let _bob = app.connect("bob").await;
    assert_eq!(alice.push().await["data"][0]["userID"], "bob");
}
