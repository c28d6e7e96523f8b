//! L7: a message is pushed with its sender's nick and picture, without a read more.

use std::time::Duration;

use serde_json::json;

use super::{log_in, units};
use crate::harness::{TestApp, fault_proxy::Fault, replica::Lag, text_message};

#[tokio::test]
async fn l7_a_strangers_first_message_has_their_name_though_reads_are_a_second_old() {
    let app = TestApp::new().await;
    let mut alice = app.connect("alice").await;
    let profile = json!({ "nick": "鲍勃", "avatar": "https://example.com/bob.png" });
    app.ask("update-my-profile", "bob", profile).await;
    // What is pushed comes from where a login has copied it, so it is gone here until there is one.
    app.delete("Connections", json!({ "u": { "S": "bob" }, "s": { "S": "C" } })).await;
    app.advance(Duration::from_secs(60));
    app.lag(Lag::SECOND).await;
    app.dynamodb.break_calls(|_, _| Fault::Stale);
    log_in(&app, "bob", json!({})).await;
    app.ask("send-message", "bob", text_message("alice", "1", 0)).await;
    // The end of the log, and who is connected of the two.
    assert_eq!(units(&app.calls()).0, 3.0);
    let push = alice.push().await;
    assert_eq!(push["data"][0]["nick"], "鲍勃");
    assert_eq!(push["data"][0]["avatar"], "https://example.com/bob.png");
}

#[tokio::test]
async fn l7_a_new_name_is_in_the_next_message() {
    let app = TestApp::new().await;
    let mut alice = app.connect("alice").await;
    log_in(&app, "bob", json!({})).await;
    app.send("bob", "alice", "0", 0).await;
    assert!(alice.push().await["data"][0].get("nick").is_none(), "there is none yet");
    for (base, nick) in [(1, "鲍勃"), (2, "Bob")] {
        app.ask("update-my-profile", "bob", json!({ "nick": nick })).await;
        app.send("bob", "alice", &base.to_string(), base).await;
        assert_eq!(alice.push().await["data"][0]["nick"], nick);
    }
}
