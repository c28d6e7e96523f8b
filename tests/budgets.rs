//! The budgets of `docs/tables.md`, line by line, from capacity units that the engine reports.

use serde_json::{Value, json};

use crate::harness::{
    World, body, event,
    recorder::{Call, round_trips},
    text_message,
};

/// What an operation has cost.
#[derive(Debug, PartialEq)]
struct Cost {
    write_units: f64,
    read_units: f64,
    websocket_messages: usize,
    round_trips: usize,
}

fn cost(calls: &[Call], frames_of_the_caller: usize) -> Cost {
    let pushes = calls.iter().filter(|call| call.operation == "POST").count();
    Cost {
        write_units: calls.iter().map(|call| call.write_units).sum(),
        read_units: calls.iter().map(|call| call.read_units).sum(),
        websocket_messages: pushes + frames_of_the_caller,
        round_trips: round_trips(calls),
    }
}

fn budget(write_units: f64, read_units: f64, websocket_messages: usize, round_trips: usize) -> Cost {
    Cost { write_units, read_units, websocket_messages, round_trips }
}

/// A conversation of alice and bob that is well under way.
async fn under_way() -> World {
    let world = World::new().await;
    for base in 0..20 {
        let (from, to) = if base % 2 == 0 { ("alice", "bob") } else { ("bob", "alice") };
        world.send(from, to, &format!("{from}-1795400001-{base}"), base).await;
    }
    for (me, peer) in [("alice", "bob"), ("bob", "alice")] {
        world
            .invoke("set-message-read", me, json!({ "conversationID": format!("C2C{peer}"), "sequence": 10 }))
            .await;
    }
    world.calls();
    world
}

async fn cost_of(world: &World, function: &str, data: Value) -> Cost {
    let reply = world.invoke(function, "alice", data).await;
    assert_eq!(reply["code"], 0, "{reply}");
    cost(&world.calls(), 2)
}

#[tokio::test]
async fn connect_costs_one_write() {
    let world = World::new().await;
    assert_eq!(world.respond("connect", &event("connect")).await.status(), 200);
    assert_eq!(cost(&world.calls(), 0), budget(1.0, 0.0, 0, 1));
}

#[tokio::test]
async fn disconnect_costs_one_write() {
    let world = World::new().await;
    world.respond("connect", &event("connect")).await;
    world.calls();
    world.respond("disconnect", &event("disconnect")).await;
    assert_eq!(cost(&world.calls(), 0), budget(1.0, 0.0, 0, 1));
}

#[tokio::test]
async fn login_costs_one_read() {
    let world = World::new().await;
    world.respond("connect", &event("connect")).await;
    world.calls();
    world.respond("login", &event("login")).await;
    assert_eq!(cost(&world.calls(), 2), budget(0.0, 1.0, 2, 1));
}

#[tokio::test]
async fn a_send_to_a_peer_who_is_online_costs_one_write() {
    let world = under_way().await;
    let mut bob = world.connect("bob").await;
    assert_eq!(
        cost_of(&world, "send-message", text_message("bob", "alice-1795400001-20", 20)).await,
        budget(1.0, 2.0, 3, 3)
    );
    assert_eq!(bob.push().await["data"][0]["sequence"], 21);
}

#[tokio::test]
async fn a_send_to_a_peer_who_is_offline_costs_one_write() {
    let world = under_way().await;
    assert_eq!(
        cost_of(&world, "send-message", text_message("bob", "alice-1795400001-20", 20)).await,
        budget(1.0, 2.0, 2, 2)
    );
}

#[tokio::test]
async fn the_first_message_of_a_conversation_costs_two_writes_more() {
    let world = World::new().await;
    let spent = cost_of(&world, "send-message", text_message("bob", "first", 0)).await;
    assert_eq!(spent, budget(3.0, 2.0, 2, 3));
}

#[tokio::test]
async fn a_retry_writes_nothing_and_needs_one_round_trip() {
    let world = under_way().await;
    let retry = text_message("bob", "alice-1795400001-18", 18);
    let spent = cost_of(&world, "send-message", retry).await;
    // The budget is two read units. Connections are looked up only for a message that is new.
    assert_eq!(spent, budget(0.0, 1.0, 2, 1));
}

#[tokio::test]
async fn a_page_of_15_costs_half_a_read_and_after_a_reconnect_a_whole_one() {
    let world = under_way().await;
    let page = json!({ "conversationID": "C2Cbob", "count": 15 });
    assert_eq!(cost_of(&world, "get-message-list", page).await, budget(0.0, 0.5, 2, 1));
    let range = json!({ "conversationID": "C2Cbob", "fromSequence": 6, "toSequence": 20 });
    assert_eq!(cost_of(&world, "get-message-list", range).await, budget(0.0, 1.0, 2, 1));
}

#[tokio::test]
async fn marking_as_read_costs_one_write() {
    let world = under_way().await;
    let mut bob = world.connect("bob").await;
    let mut event = event("set-message-read");
    event["body"] = json!(r#"{"action":"setMessageRead","data":{"conversationID":"C2Cbob","sequence":20}}"#);
    assert_eq!(body(world.respond("set-message-read", &event).await), Value::Null);
    assert_eq!(cost(&world.calls(), 1), budget(1.0, 1.5, 2, 2));
    assert_eq!(bob.push().await["event"], "onMessageReadByPeer");
}

#[tokio::test]
async fn marking_what_is_read_already_writes_nothing() {
    let world = under_way().await;
    world.invoke("set-message-read", "alice", json!({ "conversationID": "C2Cbob", "sequence": 10 })).await;
    // The reply goes through @connections: it is among the calls.
    assert_eq!(cost(&world.calls(), 1), budget(0.0, 1.5, 2, 2));
}

#[tokio::test]
async fn a_list_of_k_conversations_costs_half_a_read_each_and_half_a_one() {
    for k in [1_u32, 10, 100] {
        let world = World::new().await;
        for index in 0..k {
            world.send(&format!("user-{index}"), "alice", "alice-1795400001-7", 0).await;
        }
        world.calls();
        let reply = world.invoke("get-conversation-list", "alice", json!({})).await;
        assert_eq!(reply["data"]["conversationList"].as_array().unwrap().len(), k as usize);
        let calls = world.calls();
        let spent = cost(&calls, 2);
        assert_eq!((spent.write_units, spent.read_units), (0.0, 0.5 + f64::from(k) / 2.0));
        let at_once = calls.iter().map(|call| in_flight(&calls, call)).max().unwrap();
        assert!(at_once <= 32, "{at_once} queries in flight");
        if k <= 32 {
            assert_eq!(spent.round_trips, 2);
        }
    }
}

fn in_flight(calls: &[Call], moment: &Call) -> usize {
    calls.iter().filter(|call| call.started <= moment.started && moment.started < call.ended).count()
}

#[test]
fn ping_reaches_no_function() {
    let template = crate::contract::template();
    assert_eq!(template["Resources"]["PingIntegration"]["Properties"]["IntegrationType"], "MOCK");
    assert!(
        template["Resources"]["PingRoute"]["Properties"].get("RouteResponseSelectionExpression").is_none()
    );
}
