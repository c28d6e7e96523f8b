use serde_json::json;

use crate::harness::{START_MS, World, body, event, largest_message, recorder::Fault, text_message};

#[tokio::test]
async fn a_message_is_stored_pushed_and_acknowledged() {
    let world = World::new().await;
    let mut bob = world.connect("bob").await;
    let mut other_device = world.connect("alice").await;

    let reply = body(world.respond("send-message", &event("send-message")).await);
    let message = json!({
        "from": "alice", "to": "bob", "conversationType": "C2C", "clientID": "alice-1795400001-7",
        "sequence": 1, "time": START_MS / 1000, "type": "TIMTextElem", "payload": { "text": "晚上一起吃饭吗？" },
    });
    assert_eq!(reply["data"], json!({ "message": message }));
    let push = json!({ "event": "onMessageReceived", "data": [message] });
    assert_eq!(bob.push().await, push);
    assert_eq!(other_device.push().await, push);
    assert_eq!(world.history("bob", "alice").await, [message]);
}

#[tokio::test]
async fn every_type_arrives_as_it_was_sent() {
    let world = World::new().await;
    let payloads = [
        ("TIMTextElem", json!({ "text": "🙂 \"quotes\" \\ \u{2028} 你好" })),
        ("TIMCustomElem", json!({ "data": "{\"a\":1}", "description": "", "extension": "x" })),
        ("TIMFaceElem", json!({ "index": 3, "data": "tt03" })),
        (
            "TIMLocationElem",
            json!({ "description": "腾讯", "longitude": 113.930_33, "latitude": 22.546_301_000_000_02 }),
        ),
        (
            "TIMImageElem",
            json!({ "uuid": "u", "imageFormat": 255, "imageInfoArray": [{ "size": 1, "url": "https://x" }] }),
        ),
        (
            "TIMRelayElem",
            json!({ "title": "", "abstractList": [], "messageList": [{ "nested": { "deep": [null, true] } }] }),
        ),
    ];
    for (index, (kind, payload)) in payloads.iter().enumerate() {
        let mut data = text_message("bob", &index.to_string(), index as u64);
        data["type"] = json!(kind);
        data["payload"] = payload.clone();
        data["cloudCustomData"] = json!("{\"quote\":1}");
        assert_eq!(world.invoke("send-message", "alice", data).await["code"], 0, "{kind}");
    }
    for (message, (kind, payload)) in world.history("bob", "alice").await.iter().zip(&payloads) {
        assert_eq!((&message["type"], &message["payload"]), (&json!(kind), payload));
        assert_eq!(message["cloudCustomData"], "{\"quote\":1}");
    }
}

#[tokio::test]
async fn a_base_that_says_too_little_is_answered_with_the_last_sequence() {
    let world = World::new().await;
    world.send("alice", "bob", "1", 0).await;

    // From the future, as after a restore from a backup.
    let reply = world.invoke("send-message", "alice", text_message("bob", "2", 9)).await;
    assert_eq!((&reply["code"], &reply["data"]), (&json!(20004), &json!({ "lastSequence": 1 })));
    assert_eq!(world.send("alice", "bob", "2", 1).await, 2);

    // No base: the whole of a short history is looked through.
    let mut data = text_message("bob", "1", 0);
    data.as_object_mut().unwrap().remove("base");
    let reply = world.invoke("send-message", "alice", data).await;
    assert_eq!(reply["data"]["message"]["sequence"], 1);
}

#[tokio::test]
async fn a_push_that_fails_does_not_fail_the_send() {
    let world = World::new().await;
    let _bob = world.connect("bob").await;
    for fault in [
        Fault::Refuse(403, "ForbiddenException"),
        Fault::Refuse(413, "PayloadTooLargeException"),
        Fault::Refuse(429, "LimitExceededException"),
        Fault::Reset,
    ] {
        let base = world.history("alice", "bob").await.len() as u64;
        world.management.break_calls(move |_, _| fault.clone());
        assert_eq!(world.send("alice", "bob", &format!("{base}"), base).await, base + 1);
    }
    assert_eq!(world.dump("Connections").await.len(), 1, "only 410 means that a connection is dead");
}

#[tokio::test]
async fn a_message_whose_write_was_not_answered_is_pushed_all_the_same() {
    let world = World::new().await;
    let mut bob = world.connect("bob").await;
    let mut lost = false;
    world.dynamodb.break_calls(move |operation, request| {
        let is_message = operation == "PutItem" && request["TableName"] == "Messages";
        if is_message && !std::mem::replace(&mut lost, true) { Fault::ResetAfter } else { Fault::None }
    });
    assert_eq!(world.send("alice", "bob", "1", 0).await, 1);
    assert_eq!(bob.push().await["data"][0]["clientID"], "1");
    assert_eq!(world.history("bob", "alice").await.len(), 1);
}

#[tokio::test]
async fn a_history_too_large_to_look_through_is_not_looked_through() {
    let world = World::new().await;
    for base in 0..350 {
        let data = largest_message("bob", &base.to_string(), base);
        assert_eq!(world.invoke("send-message", "alice", data).await["code"], 0);
    }
    let mut data = text_message("bob", "new", 0);
    data.as_object_mut().unwrap().remove("base");
    world.calls();
    let reply = world.invoke("send-message", "alice", data).await;
    assert_eq!((&reply["code"], &reply["data"]["lastSequence"]), (&json!(20004), &json!(350)));
    let units: f64 = world.calls().iter().map(|call| call.read_units).sum();
    assert!(units < 1_100.0, "{units}");
}
