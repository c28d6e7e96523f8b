use serde_json::json;

use crate::harness::{World, body, event};

#[tokio::test]
async fn a_blacklist_is_its_owners_alone() {
    let world = World::new().await;
    let reply = body(world.respond("get-blacklist", &event("get-blacklist")).await);
    assert_eq!(reply["data"], json!({ "blacklist": [] }));
    world.ask("add-to-blacklist", "alice", json!({ "userIDList": ["carol", "bob"] })).await;
    let of = async |user: &str| world.ask("get-blacklist", user, json!({})).await["blacklist"].clone();
    assert_eq!(of("alice").await, json!(["bob", "carol"]));
    assert_eq!(of("bob").await, json!([]));
}
