use crate::harness::{World, body, event};
use serde_json::json;

#[tokio::test]
async fn who_logs_out_gets_no_more_pushes() {
    let world = World::new().await;
    world.respond("connect", &event("connect")).await;
    let reply = body(world.respond("logout", &event("logout")).await);
    assert_eq!(reply, json!({ "action": "logout", "requestID": "1", "code": 0, "message": "", "data": {} }));
    assert!(world.dump("Connections").await.is_empty());
}
