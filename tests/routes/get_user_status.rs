use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{TestApp, body, event};

fn status(user: &str, status_type: u8) -> Value {
    json!({ "userID": user, "statusType": status_type, "customStatus": "" })
}

#[tokio::test]
async fn who_has_a_connection_is_online() {
    let app = TestApp::new().await;
    for user in ["bob", "carol"] {
        app.acquaint("alice", user).await;
    }
    let bob = app.connect("bob").await;
    let reply = body(app.respond("get-user-status", &event("get-user-status")).await);
    assert_eq!(
        reply["data"],
        json!({ "successUserList": [status("alice", 2), status("bob", 1)], "failureUserList": [] })
    );

    let users = json!({ "userIDList": ["bob", "carol", "bob"] });
    let list = app.ask("get-user-status", "alice", users.clone()).await["successUserList"].clone();
    assert_eq!(list, json!([status("bob", 1), status("carol", 2)]));

    // A row that nobody took away is not a connection for ever.
    bob.vanish();
    app.advance(Duration::from_secs(2 * 3600 + 300));
    let list = app.ask("get-user-status", "alice", users).await["successUserList"].clone();
    assert_eq!(list[0], status("bob", 2));
}
