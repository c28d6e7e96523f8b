//! P6: a read position only moves forward, and never passes the last message.

use futures_util::future::join_all;
use serde_json::json;

use crate::harness::TestApp;

#[tokio::test]
async fn p6_a_read_position_only_moves_forward_and_never_passes_the_last_message() {
    let app = TestApp::new().await;
    for base in 0..10 {
        app.send("bob", "alice", &base.to_string(), base).await;
    }
    let read = |sequence: u64| {
        app.invoke("set-message-read", "alice", json!({ "conversationID": "C2Cbob", "sequence": sequence }))
    };
    let position = async || app.conversation("alice", "bob").await.unwrap()["readSequence"].as_u64().unwrap();

    // Two devices at once, in every order.
    for reply in join_all([3, 7, 5, 6, 2].map(read)).await {
        assert!(reply["data"]["readSequence"].as_u64().unwrap() >= 2, "{reply}");
    }
    assert_eq!(position().await, 7);
    let mut bob = app.connect("bob").await;
    assert_eq!(read(5).await["data"]["readSequence"], 7, "who comes late is told how far it is");
    read(4).await;
    assert_eq!(position().await, 7);
    assert!(bob.is_quiet().await, "and the peer is not told that it is less");
    assert_eq!(read(u64::MAX).await["data"]["readSequence"], 10);
    assert_eq!(position().await, 10);
}
