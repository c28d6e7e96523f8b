use serde_json::{Value, json};

use crate::harness::{World, body, event};

async fn is_pinned(world: &World, me: &str, peer: &str) -> Value {
    world.conversation(me, peer).await.unwrap()["isPinned"].clone()
}

#[tokio::test]
async fn a_pinned_conversation_is_pinned_for_the_one_and_on_all_their_devices() {
    let world = World::new().await;
    world.send("bob", "alice", "1", 0).await;
    let (mut bob, mut other_device) = (world.connect("bob").await, world.connect("alice").await);

    let reply = body(world.respond("pin-conversation", &event("pin-conversation")).await);
    let update = json!({ "conversationID": "C2Cbob", "isPinned": true });
    assert_eq!(reply["data"], update);
    assert_eq!(other_device.push().await, json!({ "event": "onConversationListUpdated", "data": [update] }));
    assert!(bob.is_quiet().await);
    assert_eq!(is_pinned(&world, "alice", "bob").await, true);
    assert_eq!(is_pinned(&world, "bob", "alice").await, false);

    world.send("bob", "alice", "2", 1).await;
    assert_eq!(is_pinned(&world, "alice", "bob").await, true, "a message does not unpin it");
    for _ in 0..2 {
        world
            .ask("pin-conversation", "alice", json!({ "conversationID": "C2Cbob", "isPinned": false }))
            .await;
        assert_eq!(is_pinned(&world, "alice", "bob").await, false);
    }
}

#[tokio::test]
async fn what_is_not_in_the_list_cannot_be_pinned() {
    let world = World::new().await;
    world.send("bob", "alice", "1", 0).await;
    let before = world.dump("Conversations").await;
    for (me, peer) in [("alice", "carol"), ("mallory", "alice"), ("mallory", "bob")] {
        for is_pinned in [true, false] {
            let data = json!({ "conversationID": format!("C2C{peer}"), "isPinned": is_pinned });
            assert_eq!(world.invoke("pin-conversation", me, data).await["code"], 2500);
        }
    }
    assert_eq!(world.dump("Conversations").await, before);
}
