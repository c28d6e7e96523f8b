use crate::harness::{World, event};
use serde_json::json;

#[tokio::test]
async fn a_connection_that_ends_frees_its_slot() {
    let world = World::new().await;
    world.respond("connect", &event("connect")).await;
    assert_eq!(world.respond("disconnect", &event("disconnect")).await.status(), 200);
    assert!(world.slots().await.is_empty());

    let again = world.respond("disconnect", &event("disconnect")).await;
    assert_eq!(again.status(), 200, "API Gateway may say it twice");
}

#[tokio::test]
async fn a_late_disconnect_leaves_the_next_connection_alone() {
    let world = World::new().await;
    world.respond("connect", &event("connect")).await;
    let mut next = event("connect");
    next["requestContext"]["connectionId"] = json!("next=");
    world.respond("connect", &next).await;

    world.respond("disconnect", &event("disconnect")).await;
    assert_eq!(world.slots().await[0].2["c"], json!({ "S": "next=" }));
}
