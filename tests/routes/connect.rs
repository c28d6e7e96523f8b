use std::time::Duration;

use hongyan_functions::app::Settings;
use hongyan_shared::model::MultiDevice;
use serde_json::{Value, json};

use crate::harness::{START_MS, World, body, event, set_user, socket::Socket};

#[tokio::test]
async fn a_connection_takes_its_slot() {
    let world = World::new().await;
    assert_eq!(world.respond("connect", &event("connect")).await.status(), 200);

    let rows = world.dump("Connections").await;
    assert_eq!(rows.len(), 1);
    let connected_at = event("connect")["requestContext"]["connectedAt"].as_u64().unwrap();
    assert_eq!(
        rows[0],
        json!({
            "u": { "S": "alice" }, "d": { "S": "MiniProgram" }, "c": { "S": "L0SM9cOFvHcCIhw=" },
            "t": { "N": connected_at.to_string() }, "y": { "S": "MiniProgram" }, "i": { "S": "phone-1" },
            "x": { "N": (connected_at / 1000 + 2 * 3600 + 300).to_string() },
        })
    );
}

#[tokio::test]
async fn without_an_identity_there_is_no_connection() {
    let world = World::new().await;
    let mut event = event("connect");
    event["requestContext"].as_object_mut().unwrap().remove("authorizer");
    assert_eq!(world.respond("connect", &event).await.status(), 401);
    assert!(world.dump("Connections").await.is_empty());
}

#[tokio::test]
async fn a_handshake_that_a_later_one_has_overtaken_does_not_kick_it_out() {
    let world = World::new().await;
    let mut late = event("connect");
    late["requestContext"]["connectionId"] = json!("late=");
    late["requestContext"]["connectedAt"] = json!(START_MS + 1);
    assert_eq!(world.respond("connect", &late).await.status(), 200);

    assert_eq!(world.respond("connect", &event("connect")).await.status(), 403);
    assert_eq!(world.dump("Connections").await[0]["c"], json!({ "S": "late=" }));
}

#[tokio::test]
async fn a_frame_without_an_identity_is_answered() {
    let world = World::new().await;
    let mut event = event("login");
    event["requestContext"].as_object_mut().unwrap().remove("authorizer");
    assert_eq!(body(world.respond("login", &event).await)["code"], 60004);
}

#[tokio::test]
async fn login_says_what_a_client_needs_to_start() {
    let world = World::new().await;
    world.respond("connect", &event("connect")).await;
    let reply = body(world.respond("login", &event("login")).await);
    assert_eq!(reply["code"], 0);
    assert_eq!(
        reply["data"],
        json!({
            "userID": "alice", "platform": "MiniProgram", "serverTime": START_MS / 1000,
            "userSigExpireTime": 3_372_200_000_u64, "connectedTime": 1_795_400_000, "connectionSeconds": 7200,
            "heartbeatSeconds": 240, "pageSize": 15, "maxMessageBytes": 12288, "recallSeconds": 120,
        })
    );
}

#[tokio::test]
async fn login_mends_a_row_that_was_lost() {
    let world = World::new().await;
    world.respond("login", &event("login")).await;
    assert_eq!(world.dump("Connections").await.len(), 1);
}

async fn kicked(policy: MultiDevice, first: (&str, &str), second: (&str, &str)) -> Option<Value> {
    let world = World::with(Settings { multi_device: policy, ..Settings::default() }).await;
    let url = |(platform, instance)| world.url("alice", platform, Some(instance));
    let mut old = Socket::connect(&url(first)).await.unwrap();
    old.ask("login", json!({})).await;
    let mut new = Socket::connect(&url(second)).await.unwrap();
    new.ask("login", json!({})).await;
    let survivors = world.dump("Connections").await.len();

    // Whoever was kicked finds a push, then the end; whoever was not can still talk.
    if survivors == 2 {
        old.ask("login", json!({})).await;
        return None;
    }
    assert_eq!(survivors, 1);
    if first.1 == second.1 {
        assert_eq!(
            u16::from(old.closed().await.unwrap().code),
            1000,
            "a client that comes back is told nothing"
        );
        return Some(Value::Null);
    }
    let push = old.push().await;
    assert_eq!(push["event"], "kickedOut");
    assert_eq!(u16::from(old.closed().await.unwrap().code), 1000);
    Some(push["data"]["type"].clone())
}

#[tokio::test]
async fn the_policy_decides_who_is_kicked_out() {
    use MultiDevice::{Many, One, OnePerPlatform};
    let (phone, tablet, web) = (("iOS", "a"), ("iOS", "b"), ("Web", "c"));

    assert_eq!(kicked(One, phone, web).await, Some(json!("multipleDevice")));
    assert_eq!(kicked(One, phone, tablet).await, Some(json!("multipleAccount")));
    assert_eq!(kicked(OnePerPlatform, phone, web).await, None);
    assert_eq!(kicked(OnePerPlatform, phone, tablet).await, Some(json!("multipleAccount")));
    assert_eq!(kicked(Many, phone, tablet).await, None);
    assert_eq!(kicked(Many, phone, phone).await, Some(Value::Null));
}

#[tokio::test]
async fn a_connection_whose_slot_was_taken_while_it_opened_is_told_at_login() {
    let world = World::new().await;
    let mut early = world.connect("alice").await;
    // The other handshake wrote its row while the first one was still open, and the kick found
    // nobody there yet.
    let mut late = event("connect");
    set_user(&mut late, "alice");
    late["requestContext"]["connectedAt"] = json!(START_MS + 1);
    late["requestContext"]["authorizer"]["platform"] = json!("Web");
    world.management.break_calls(|_, _| crate::harness::recorder::Fault::Refuse(410, "GoneException"));
    assert_eq!(world.respond("connect", &late).await.status(), 200);

    let reply = early.request("login", json!({})).await;
    assert_eq!(reply["code"], 3003);
    assert_eq!(u16::from(early.closed().await.unwrap().code), 1000);
}

#[tokio::test]
async fn an_expired_signature_gets_in_is_told_so_on_every_route_and_is_shown_out() {
    let world = World::new().await;
    let url = world.url("alice", "Web", None);
    world.connect("bob").await.ask("login", json!({})).await;
    let before = world.dump("Connections").await;
    world.later(Duration::from_secs(8 * 24 * 60 * 60));

    for action in
        ["login", "sendMessage", "getMessageList", "setMessageRead", "getConversationList", "logout", "x"]
    {
        let mut socket = Socket::connect(&url).await.unwrap();
        let data = json!({
            "to": "bob", "conversationType": "C2C", "clientID": "1", "type": "TIMTextElem",
            "payload": { "text": "x" }, "conversationID": "C2Cbob",
        });
        let reply = socket.request(action, data).await;
        assert_eq!(reply["code"], 70001, "{action}: {reply}");
        assert_eq!(u16::from(socket.closed().await.unwrap().code), 1000);
    }
    let rows = world.dump("Connections").await;
    assert!(rows.iter().all(|row| before.contains(row)), "who cannot stay takes no slot");
    assert!(world.dump("Messages").await.is_empty());
}
