use hongyan_functions::config::Settings;
use hongyan_shared::model::MultiDevice;
use serde_json::json;

use crate::harness::{START_MS, TestApp, event, socket::Socket};

/// So many connections of one user, each of another platform and another installation, and how many
/// frames go out when somebody writes to them.
async fn pushes_to(connections: u64, policy: MultiDevice) -> usize {
    let app =
        TestApp::with(Settings { multi_device: policy, frames_per_second: None, ..Settings::default() })
            .await;
    let known = ["MiniProgram", "Web", "iOS", "Android", "iPad", "Windows", "Mac", "Linux"];
    for index in 0..connections {
        let mut event = event("connect");
        let context = &mut event["requestContext"];
        context["connectionId"] = json!(format!("{index}="));
        context["connectedAt"] = json!(START_MS + index);
        let known = known.get(usize::try_from(index).unwrap() % 20).map(|&name| name.to_owned());
        let platform = known.unwrap_or_else(|| format!("{}{index}", "*#·鸿雁@"));
        context["authorizer"]["platform"] = json!(platform);
        context["authorizer"]["instance"] = json!(format!("instance-{index}"));
        assert_eq!(app.respond("connect", &event).await.status(), 200);
    }
    app.calls();
    app.send("bob", "alice", "1", 0).await;
    app.calls().iter().filter(|call| call.operation == "POST").count()
}

#[tokio::test]
async fn three_hundred_connections_of_one_user_get_sixteen_pushes_at_most() {
    assert_eq!(pushes_to(300, MultiDevice::OnePerPlatform).await, 9, "the known ones, and the rest");
    assert_eq!(pushes_to(50, MultiDevice::Many).await, 16);
    assert_eq!(pushes_to(50, MultiDevice::One).await, 1);
}

#[tokio::test]
async fn a_connection_that_has_logged_out_ends_and_what_it_has_said_meanwhile_changes_nothing() {
    let app = TestApp::new().await;
    let mut alice = app.connect("alice").await;
    alice.ask("login", json!({})).await;
    // A program of one's own does not wait for the end.
    for action in ["logout", "login", "getConversationList", "logout"] {
        alice.say(json!({ "action": action, "requestID": action, "data": {} }).to_string()).await;
    }
    alice.rest().await;
    app.send("bob", "alice", "1", 0).await;
    let mut again: Socket = app.connect("alice").await;
    again.ask("login", json!({})).await;
    assert_eq!(app.slots().await.len(), 1);
}
