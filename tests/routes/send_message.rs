use std::time::Duration;

use hongyan_shared::model::{Profile, UserId};
use serde_json::{Value, json};

use crate::harness::{
    START_MS, TestApp, body, event, fault_proxy::Fault, largest_message, replica::Lag, text_message,
};

#[tokio::test]
async fn a_message_is_stored_pushed_and_acknowledged() {
    let app = TestApp::new().await;
    let mut bob = app.connect("bob").await;
    let mut other_device = app.connect("alice").await;

    let reply = body(app.respond("send-message", &event("send-message")).await);
    let message = json!({
        "from": "alice", "to": "bob", "conversationType": "C2C", "clientID": "alice-1795400001-7",
        "sequence": 1, "time": START_MS / 1000, "type": "TIMTextElem", "payload": { "text": "晚上一起吃饭吗？" },
    });
    assert_eq!(reply["data"], json!({ "message": message }));
    let push = json!({ "event": "onMessageReceived", "data": [message] });
    assert_eq!(bob.push().await, push);
    assert_eq!(other_device.push().await, push);
    assert_eq!(app.history("bob", "alice").await, [message]);
}

#[tokio::test]
async fn a_push_in_a_group_has_the_name_that_its_sender_has_now() {
    let app = TestApp::without_limits().await;
    let data = json!({ "groupID": "g", "type": "Public", "name": "g", "memberList": [{ "userID": "bob" }] });
    app.ask("create-group", "alice", data).await;
    let mut bob = app.connect("bob").await;
    for (client_id, nick) in [("1", "one"), ("2", "two")] {
        app.ask("update-my-profile", "alice", json!({ "nick": nick })).await;
        let mut data = text_message("g", client_id, 0);
        data["conversationType"] = json!("GROUP");
        app.ask("send-message", "alice", data).await;
        assert_eq!(bob.push().await["data"][0]["nick"], nick, "the sandbox remembers another");
        app.advance(Duration::from_millis(500));
    }
}

#[tokio::test]
async fn every_type_arrives_as_it_was_sent() {
    let app = TestApp::new().await;
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
        assert_eq!(app.invoke("send-message", "alice", data).await["code"], 0, "{kind}");
    }
    for (message, (kind, payload)) in app.history("bob", "alice").await.iter().zip(&payloads) {
        assert_eq!((&message["type"], &message["payload"]), (&json!(kind), payload));
        assert_eq!(message["cloudCustomData"], "{\"quote\":1}");
    }
}

#[tokio::test]
async fn a_base_that_says_too_little_is_answered_with_the_last_sequence() {
    let app = TestApp::new().await;
    app.send("alice", "bob", "1", 0).await;

    // From the future, as after a restore from a backup.
    let reply = app.invoke("send-message", "alice", text_message("bob", "2", 9)).await;
    assert_eq!((&reply["code"], &reply["data"]), (&json!(20004), &json!({ "lastSequence": 1 })));
    assert_eq!(app.send("alice", "bob", "2", 1).await, 2);

    // No base: the whole of a short history is looked through.
    let mut data = text_message("bob", "1", 0);
    data.as_object_mut().unwrap().remove("base");
    let reply = app.invoke("send-message", "alice", data).await;
    assert_eq!(reply["data"]["message"]["sequence"], 1);
}

#[tokio::test]
async fn a_push_that_fails_does_not_fail_the_send() {
    let app = TestApp::new().await;
    let _bob = app.connect("bob").await;
    for fault in [
        Fault::Refuse(403, "ForbiddenException"),
        Fault::Refuse(413, "PayloadTooLargeException"),
        Fault::Refuse(429, "LimitExceededException"),
        Fault::Reset,
    ] {
        let base = app.history("alice", "bob").await.len() as u64;
        app.management.break_calls(move |_, _| fault.clone());
        assert_eq!(app.send("alice", "bob", &format!("{base}"), base).await, base + 1);
    }
    assert_eq!(app.slots().await.len(), 1, "only 410 means that a connection is dead");
}

#[tokio::test]
async fn a_message_whose_write_was_not_answered_is_pushed_all_the_same() {
    let app = TestApp::new().await;
    let mut bob = app.connect("bob").await;
    let mut lost = false;
    app.dynamodb.break_calls(move |operation, request| {
        let is_message = operation == "PutItem" && request["TableName"] == "Messages";
        if is_message && !std::mem::replace(&mut lost, true) { Fault::ResetAfter } else { Fault::None }
    });
    assert_eq!(app.send("alice", "bob", "1", 0).await, 1);
    assert_eq!(bob.push().await["data"][0]["clientID"], "1");
    assert_eq!(app.history("bob", "alice").await.len(), 1);
}

#[tokio::test]
async fn a_history_too_large_to_look_through_is_not_looked_through() {
    let app = TestApp::new().await;
    for base in 0..40 {
        let data = largest_message("bob", &base.to_string(), base);
        assert_eq!(app.invoke("send-message", "alice", data).await["code"], 0);
    }
    let mut data = text_message("bob", "new", 0);
    data.as_object_mut().unwrap().remove("base");
    app.calls();
    let reply = app.invoke("send-message", "alice", data).await;
    assert_eq!((&reply["code"], &reply["data"]["lastSequence"]), (&json!(20004), &json!(40)));
    let units: f64 = app.calls().iter().map(|call| call.read_units).sum();
    assert!(units <= 64.0, "{units}");
}

/// A message with all that a sender can ask for.
fn with_options(client_id: &str, base: u64) -> Value {
    let mut data = text_message("bob", client_id, base);
    data.as_object_mut().unwrap().extend(options().as_object().unwrap().clone());
    data
}

fn options() -> Value {
    json!({
        "priority": "High", "needReadReceipt": true, "isSupportExtension": true,
        "messageControlInfo": { "excludedFromUnreadCount": true },
    })
}

fn options_of(message: &Value) -> Value {
    let names = ["priority", "needReadReceipt", "isSupportExtension", "messageControlInfo", "onlineUserOnly"];
    let set = names.iter().filter_map(|name| Some(((*name).to_owned(), message.get(*name)?.clone())));
    Value::Object(set.collect())
}

#[tokio::test]
async fn what_the_sender_asks_for_is_with_the_message_wherever_it_is_shown() {
    let app = TestApp::new().await;
    let mut bob = app.connect("bob").await;
    let sent = app.ask("send-message", "alice", with_options("1", 0)).await["message"].clone();
    assert_eq!(options_of(&sent), options());
    assert_eq!(bob.push().await["data"], json!([sent]));
    assert_eq!(app.ask("send-message", "alice", with_options("1", 0)).await["message"], sent, "a retry");
    assert_eq!(app.history("bob", "alice").await, std::slice::from_ref(&sent));
    let range = json!({ "conversationID": "C2Calice", "fromSequence": 1 });
    assert_eq!(app.ask("get-message-list", "bob", range).await["messageList"], json!([sent]));
    assert_eq!(app.conversation("bob", "alice").await.unwrap()["lastMessage"], sent);
    let recall = json!({ "conversationID": "C2Cbob", "sequence": 1 });
    let recalled = app.ask("revoke-message", "alice", recall).await["message"].clone();
    assert_eq!(options_of(&recalled), options());
    assert_eq!(app.history("bob", "alice").await, [recalled]);
}

#[tokio::test]
async fn what_is_as_usual_is_left_out() {
    let app = TestApp::new().await;
    let mut data = text_message("bob", "1", 0);
    for (name, value) in [
        ("priority", json!("Normal")),
        ("needReadReceipt", json!(false)),
        ("isSupportExtension", json!(false)),
        ("messageControlInfo", json!({ "excludedFromLastMessage": false })),
        ("onlineUserOnly", json!(false)),
    ] {
        data[name] = value;
    }
    assert_eq!(options_of(&app.ask("send-message", "alice", data).await["message"]), json!({}));
    let row = app.dump("Messages").await.remove(0);
    let names: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["a", "c", "d", "f", "p", "s", "t", "w", "y", "z"], "and out of the table");
}

#[tokio::test]
async fn an_online_only_message_reaches_who_is_there_and_is_stored_nowhere() {
    let app = TestApp::new().await;
    let hint = json!({
        "to": "bob", "conversationType": "C2C", "clientID": "typing", "onlineUserOnly": true,
        "type": "TIMCustomElem", "payload": { "data": "typing" },
    });
    let (mut bob, mut other_device) = (app.connect("bob").await, app.connect("alice").await);
    let tables = (app.dump("Messages").await, app.dump("Conversations").await);
    for _ in 0..2 {
        let sent = app.ask("send-message", "alice", hint.clone()).await["message"].clone();
        assert_eq!((&sent["sequence"], &sent["time"]), (&json!(0), &json!(START_MS / 1000)));
        assert_eq!(options_of(&sent), json!({ "onlineUserOnly": true }));
        let push = json!({ "event": "onMessageReceived", "data": [sent] });
        assert_eq!(bob.push().await, push);
        assert_eq!(other_device.push().await, push);
    }
    assert_eq!((app.dump("Messages").await, app.dump("Conversations").await), tables);
    assert_eq!(app.conversation("bob", "alice").await, None);
    assert_eq!(app.send("alice", "bob", "typing", 0).await, 1, "and it used up neither number nor name");

    app.ask("add-to-blacklist", "bob", json!({ "userIDList": ["alice"] })).await;
    assert_eq!(app.invoke("send-message", "alice", hint).await["code"], 20007);
    bob.push().await;
    assert_eq!(bob.push().await["event"], "blacklistUpdated");
    assert!(bob.is_quiet().await);
}

#[tokio::test]
async fn the_list_shows_the_newest_message_that_is_not_excluded_however_many_are() {
    let app = TestApp::new().await;
    let excluded = async |from: u64, to: u64| {
        for base in from..to {
            let mut data = text_message("bob", &base.to_string(), base);
            data["messageControlInfo"] = json!({ "excludedFromLastMessage": true });
            assert_eq!(app.ask("send-message", "alice", data).await["message"]["sequence"], base + 1);
        }
    };
    let shown = async |me: &str, peer: &str| {
        let shown = app.conversation(me, peer).await.unwrap();
        (shown["lastMessage"]["sequence"].as_u64(), shown["lastSequence"].as_u64().unwrap())
    };
    excluded(0, 2).await;
    assert_eq!(shown("bob", "alice").await, (None, 2));
    app.send("bob", "alice", "2", 2).await;
    app.send("bob", "alice", "3", 3).await;
    app.advance(std::time::Duration::from_secs(9));
    app.send("carol", "bob", "1", 0).await;
    app.advance(std::time::Duration::from_secs(9));
    excluded(4, 40).await;
    assert_eq!(shown("bob", "alice").await, (Some(4), 40));
    assert_eq!(shown("alice", "bob").await, (Some(4), 40));
    assert_eq!(app.conversation("bob", "alice").await.unwrap()["unreadCount"], 38, "they count all the same");
    let list = app.ask("get-conversation-list", "bob", json!({})).await["conversationList"].clone();
    assert_eq!(list[0]["conversationID"], "C2Ccarol", "and do not move the conversation up");

    app.ask("delete-message", "bob", json!({ "conversationID": "C2Calice", "messages": [4] })).await;
    assert_eq!(shown("bob", "alice").await, (Some(3), 40));
    app.ask("delete-conversation", "bob", json!({ "conversationID": "C2Calice", "sequence": 3 })).await;
    assert_eq!(shown("bob", "alice").await, (None, 40));
    assert_eq!(shown("alice", "bob").await, (Some(4), 40));
}

#[tokio::test]
async fn a_push_has_the_senders_name_and_picture_without_a_read_more() {
    let app = TestApp::new().await;
    let mut bob = app.connect("bob").await;
    app.send("alice", "bob", "0", 0).await;
    let push = bob.push().await;
    assert_eq!((push["data"][0].get("nick"), push["data"][0].get("avatar")), (None, None));

    let (nick, avatar) = ("爱丽丝", "https://example.com/alice.png");
    app.ask("update-my-profile", "alice", json!({ "nick": nick, "avatar": avatar })).await;
    app.calls();
    app.send("alice", "bob", "1", 1).await;
    let reads: f64 = app.calls().iter().map(|call| call.read_units).sum();
    assert_eq!(reads, 3.0);
    let push = bob.push().await;
    assert_eq!((&push["data"][0]["nick"], &push["data"][0]["avatar"]), (&json!(nick), &json!(avatar)));

    // A new name is on the next message, and a picture that is no more on none.
    app.ask("update-my-profile", "alice", json!({ "nick": "Alice", "avatar": "" })).await;
    app.send("alice", "bob", "2", 2).await;
    let push = bob.push().await;
    assert_eq!((&push["data"][0]["nick"], push["data"][0].get("avatar")), (&json!("Alice"), None));
}

#[tokio::test]
async fn a_name_from_long_ago_is_looked_up_at_login_and_a_newer_one_wins() {
    let app = TestApp::new().await;
    let mut bob = app.connect("bob").await;
    // So long ago that the item with the connections is gone.
    let alice = UserId::parse("test", "alice").unwrap();
    let old =
        Profile {
            nick: Some("爱丽丝".into()), avatar: Some("https://x/a.png".into()), ..Profile::default()
        };
    app.sandbox.users.update_profile(&alice, &old, false, START_MS).await.unwrap();
    app.respond("connect", &event("connect")).await;

    // The login reads what was before the change.
    app.lag(Lag::SECOND).await;
    app.ask("update-my-profile", "alice", json!({ "avatar": "https://x/b.png" })).await;
    app.dynamodb.break_calls(|operation, _| match operation {
        "BatchGetItem" => Fault::Stale,
        _ => Fault::None,
    });
    assert_eq!(body(app.respond("login", &event("login")).await)["code"], 0);
    app.send("alice", "bob", "1", 0).await;
    let push = bob.push().await;
    assert_eq!(
        (&push["data"][0]["nick"], &push["data"][0]["avatar"]),
        (&json!("爱丽丝"), &json!("https://x/b.png"))
    );
}

#[tokio::test]
async fn a_profile_that_cannot_be_read_keeps_nobody_out() {
    let app = TestApp::new().await;
    app.dynamodb.break_calls(|operation, _| match operation {
        "BatchGetItem" => Fault::Refuse(400, "ThrottlingException"),
        _ => Fault::None,
    });
    app.respond("connect", &event("connect")).await;
    assert_eq!(body(app.respond("login", &event("login")).await)["code"], 0);
}
