use serde_json::json;

use crate::harness::{START_MS, TestApp, body, event};

#[tokio::test]
async fn a_form_is_for_one_object_of_the_user_and_each_preview_has_its_own() {
    let app = TestApp::new().await;
    let reply = body(app.respond("get-upload-form", &event("get-upload-form")).await);
    assert_eq!(reply["code"], 0, "{reply}");
    let data = &reply["data"];
    assert_eq!(data["url"], app.twin.page_url);
    assert_eq!(data["expires"], json!(START_MS / 1000 + 900));
}
