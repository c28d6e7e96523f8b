use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{World, body, event, recorder::Fault, text_message};

async fn block(world: &World, me: &str, users: &[&str]) -> Value {
    world.ask("add-to-blacklist", me, json!({ "userIDList": users })).await["blacklist"].clone()
}

async fn send(world: &World, from: &str, to: &str, client_id: &str) -> i64 {
    let base = world.history(from, to).await.len() as u64;
    let reply = world.invoke("send-message", from, text_message(to, client_id, base)).await;
    reply["code"].as_i64().unwrap()
}

#[tokio::test]
async fn who_is_on_the_blacklist_gets_nothing_through() {
    let world = World::new().await;
    assert_eq!(send(&world, "bob", "alice", "early").await, 0);
    block(&world, "alice", &["bob"]).await;
    let rows = (world.dump("Messages").await, world.dump("Conversations").await);
    assert_eq!(send(&world, "bob", "alice", "late").await, 20007);
    assert_eq!((world.dump("Messages").await, world.dump("Conversations").await), rows);

    world.later(Duration::from_secs(600));
    assert_eq!(world.send("bob", "alice", "early", 0).await, 1, "what was sent before stays sent");
    assert_eq!(send(&world, "alice", "bob", "mine").await, 0, "it works one way");
    assert_eq!(send(&world, "carol", "alice", "hers").await, 0);
}

#[tokio::test]
async fn a_stranger_can_be_kept_out_before_he_says_anything() {
    let world = World::new().await;
    block(&world, "alice", &["mallory"]).await;
    assert_eq!(send(&world, "mallory", "alice", "1").await, 20007);
    assert!(world.dump("Conversations").await.is_empty(), "no list has been opened");
    assert_eq!(world.conversation("alice", "mallory").await, None);
    // The row that holds the block is no obstacle to anything else.
    assert_eq!(send(&world, "alice", "mallory", "1").await, 0);
    world.ask("set-message-read", "alice", json!({ "conversationID": "C2Cmallory" })).await;
    world.ask("delete-conversation", "alice", json!({ "conversationID": "C2Cmallory" })).await;
    assert_eq!(send(&world, "mallory", "alice", "1").await, 20007);
}

#[tokio::test]
async fn other_devices_are_told_and_nobody_else() {
    let world = World::new().await;
    let (mut mallory, mut other_device) = (world.connect("mallory").await, world.connect("alice").await);
    for _ in 0..2 {
        let reply = body(world.respond("add-to-blacklist", &event("add-to-blacklist")).await);
        assert_eq!(reply["data"], json!({ "blacklist": ["mallory"] }));
        assert_eq!(other_device.push().await, json!({ "event": "blacklistUpdated", "data": ["mallory"] }));
    }
    assert!(mallory.is_quiet().await);
    assert_eq!(world.dump("Users").await.len(), 1);
}

#[tokio::test]
async fn oneself_is_refused_and_so_are_too_many() {
    let world = World::new().await;
    let code = async |users: Vec<String>| {
        world.invoke("add-to-blacklist", "alice", json!({ "userIDList": users })).await["code"].clone()
    };
    assert_eq!(code(vec!["bob".to_owned(), "alice".to_owned()]).await, 2742);
    assert!(world.dump("Users").await.is_empty() && world.dump("Messages").await.is_empty());
    let users = |from: usize, to: usize| (from..to).map(|number| format!("user-{number}")).collect();
    assert_eq!(code(users(0, 101)).await, 70402);
    for hundred in 0..10 {
        assert_eq!(code(users(hundred * 100, hundred * 100 + 100)).await, 0);
    }
    assert_eq!(code(users(999, 1001)).await, 70402);
    assert_eq!(code(users(900, 1000)).await, 0, "whom it holds already it holds once");
    assert_eq!(world.dump("Users").await.len(), 1_000);
}

#[tokio::test]
async fn killed_between_its_two_writes_it_is_mended_by_a_retry() {
    for fault in [Fault::LoseCall, Fault::LoseAnswer] {
        for verb in ["add-to-blacklist", "remove-from-blacklist"] {
            for nth in 1..=3 {
                let world = World::new().await;
                if verb == "remove-from-blacklist" {
                    block(&world, "alice", &["bob"]).await;
                }
                let (mut count, fault) = (0, fault.clone());
                world.dynamodb.break_calls(move |_, _| {
                    count += 1;
                    if count == nth { fault.clone() } else { Fault::None }
                });
                let data = json!({ "userIDList": ["bob"] });
                tokio::select! {
                    reply = world.invoke(verb, "alice", data.clone()) => panic!("{reply}"),
                    () = world.dynamodb.lost() => {}
                }
                world.dynamodb.mend();

                let is_added = verb == "add-to-blacklist";
                world.ask(verb, "alice", data).await;
                let listed = world.ask("get-blacklist", "alice", json!({})).await["blacklist"].clone();
                assert_eq!(listed, if is_added { json!(["bob"]) } else { json!([]) });
                let expected = if is_added { 20007 } else { 0 };
                assert_eq!(send(&world, "bob", "alice", "1").await, expected, "{verb} {nth}");
            }
        }
    }
}

#[tokio::test]
async fn both_can_block_each_other() {
    let world = World::new().await;
    join_all([block(&world, "alice", &["bob"]), block(&world, "bob", &["alice"])]).await;
    assert_eq!(send(&world, "alice", "bob", "1").await, 20007);
    assert_eq!(send(&world, "bob", "alice", "1").await, 20007);
}
