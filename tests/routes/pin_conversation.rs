use serde_json::{Value, json};

use crate::harness::{TestApp, body, event};

async fn is_pinned(app: &TestApp, me: &str, peer: &str) -> Value {
    app.conversation(me, peer).await.unwrap()["isPinned"].clone()
}

#[tokio::test]
async fn a_pinned_conversation_is_pinned_for_the_one_and_on_all_their_devices() {
    let app = TestApp::new().await;
    app.send("bob", "alice", "1", 0).await;
    let (mut bob, mut other_device) = (app.connect("bob").await, app.connect("alice").await);

    let reply = body(app.respond("pin-conversation", &event("pin-conversation")).await);
    let update = json!({ "conversationID": "C2Cbob", "isPinned": true });
    assert_eq!(reply["data"], update);
    assert_eq!(other_device.push().await, json!({ "event": "onConversationListUpdated", "data": [update] }));
    assert!(bob.is_quiet().await);
    assert_eq!(is_pinned(&app, "alice", "bob").await, true);
    assert_eq!(is_pinned(&app, "bob", "alice").await, false);

    app.send("bob", "alice", "2", 1).await;
    assert_eq!(is_pinned(&app, "alice", "bob").await, true, "a message does not unpin it");
    for _ in 0..2 {
        app.ask("pin-conversation", "alice", json!({ "conversationID": "C2Cbob", "isPinned": false })).await;
        assert_eq!(is_pinned(&app, "alice", "bob").await, false);
    }
}

#[tokio::test]
async fn what_is_not_in_the_list_cannot_be_pinned() {
    let app = TestApp::new().await;
    app.send("bob", "alice", "1", 0).await;
    let before = app.dump("Conversations").await;
    for (me, peer) in [("alice", "carol"), ("mallory", "alice"), ("mallory", "bob")] {
        for is_pinned in [true, false] {
            let data = json!({ "conversationID": format!("C2C{peer}"), "isPinned": is_pinned });
            assert_eq!(app.invoke("pin-conversation", me, data).await["code"], 2500);
        }
    }
    assert_eq!(app.dump("Conversations").await, before);
}
