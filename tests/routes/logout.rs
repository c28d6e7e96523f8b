use serde_json::json;

use crate::harness::TestApp;

#[tokio::test]
async fn who_logs_out_gets_no_more_pushes_and_the_connection_ends() {
    let app = TestApp::new().await;
    let mut alice = app.connect("alice").await;
    let reply = alice.request("logout", json!({})).await;
    assert_eq!(reply, json!({ "action": "logout", "requestID": "1", "code": 0, "message": "", "data": {} }));
    assert!(app.slots().await.is_empty());
    assert_eq!(u16::from(alice.closed().await.unwrap().code), 1000);
}
