use crate::harness::{TestApp, body, event};
use serde_json::json;

#[tokio::test]
async fn an_unknown_action_gets_a_clear_error() {
    let app = TestApp::new().await;
    let reply = body(app.respond("default", &event("default")).await);
    assert_eq!(
        (&reply["code"], &reply["action"], &reply["requestID"]),
        (&json!(60009), &json!("unknownAction"), &json!("1"))
    );
}

#[tokio::test]
async fn a_binary_frame_is_read_as_text() {
    let app = TestApp::new().await;
    let mut event = event("default");
    event["isBase64Encoded"] = json!(true);
    event["body"] = json!("//4=");
    let reply = body(app.respond("default", &event).await);
    assert_eq!(reply["code"], 60003);
}
