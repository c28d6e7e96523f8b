use crate::harness::{TestApp, event};
use serde_json::json;

#[tokio::test]
async fn a_connection_that_ends_frees_its_slot() {
    let app = TestApp::new().await;
    app.respond("connect", &event("connect")).await;
    assert_eq!(app.respond("disconnect", &event("disconnect")).await.status(), 200);
    assert!(app.slots().await.is_empty());

    let again = app.respond("disconnect", &event("disconnect")).await;
    assert_eq!(again.status(), 200, "API Gateway may say it twice");
}

#[tokio::test]
async fn a_late_disconnect_leaves_the_next_connection_alone() {
    let app = TestApp::new().await;
    app.respond("connect", &event("connect")).await;
    let mut next = event("connect");
    next["requestContext"]["connectionId"] = json!("next=");
    app.respond("connect", &next).await;

    app.respond("disconnect", &event("disconnect")).await;
    assert_eq!(app.slots().await[0].2["c"], json!({ "S": "next=" }));
}
