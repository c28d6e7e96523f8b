use serde_json::json;

use crate::harness::{TestApp, body, event};

#[tokio::test]
async fn a_blacklist_is_its_owners_alone() {
    let app = TestApp::new().await;
    let reply = body(app.respond("get-blacklist", &event("get-blacklist")).await);
    assert_eq!(reply["data"], json!({ "blacklist": [] }));
    app.ask("add-to-blacklist", "alice", json!({ "userIDList": ["carol", "bob"] })).await;
    let of = async |user: &str| app.ask("get-blacklist", user, json!({})).await["blacklist"].clone();
    assert_eq!(of("alice").await, json!(["bob", "carol"]));
    assert_eq!(of("bob").await, json!([]));
}
