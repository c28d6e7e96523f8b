//! L8: a message costs one write unit. What it costs to move a conversation up is a budget line of its own.

use std::time::Duration;

use serde_json::json;

use super::{LONG, units};
use crate::harness::TestApp;

#[tokio::test]
async fn l8_a_message_costs_one_write_and_the_first_one_in_an_hour_six_more() {
    let app = TestApp::without_limits().await;
    app.send("alice", "bob", "0", 0).await;
    app.calls();
    let mut moved = 0;
    for message in 1..=30 {
        app.advance(Duration::from_secs(7 * 60));
        let (from, to) = if message % 2 == 0 { ("alice", "bob") } else { ("bob", "alice") };
        app.send(from, to, &message.to_string(), message).await;
        let (read, written) = units(&app.calls());
        assert_eq!(read, 3.0);
        // The row of each, its old place in the index, and its new one.
        assert!([1.0, 1.0 + 6.0].contains(&written), "{message}: {written}");
        moved += u32::from(written > 1.0);
    }
    // Three and a half hours of talk.
    assert_eq!(moved, 3);
}

#[tokio::test]
async fn l8_a_pinned_conversation_costs_no_more() {
    let app = TestApp::new().await;
    app.send("alice", "bob", "0", 0).await;
    app.ask("pin-conversation", "alice", json!({ "conversationID": "C2Cbob", "isPinned": true })).await;
    app.calls();
    for (message, costs) in [(1, 1.0), (2, 7.0), (3, 1.0)] {
        if message == 2 {
            app.advance(LONG);
        }
        app.send("bob", "alice", &message.to_string(), message).await;
        assert_eq!(units(&app.calls()).1, costs, "{message}");
    }
}
