//! What nobody should send, on every route, over a real socket: a coded error, a socket that stays
//! usable, and tables in which nothing has changed.

use hongyan_shared::protocol::Action;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{TestApp, request_of, template::kebab};

/// A value of every wrong kind.
fn wrong_values() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!([]),
        json!({}),
        json!(""),
        json!("a\u{0}b"),
        json!("张三"),
        json!("C2C"),
        json!("C2Calice"),
        json!("GROUPx"),
        json!("x".repeat(100)),
    ]
}

/// What can be asked without saying anything.
const WITHOUT_DATA: [Action; 5] = [
    Action::Login,
    Action::Logout,
    Action::GetConversationList,
    Action::GetBlacklist,
    Action::GetGroupApplicationList,
];

/// For every action a request that would do something, and its fields that have to be right: its event and all
/// fields of that, unless some can be left out.
fn requests() -> Vec<(&'static str, Value, Vec<String>)> {
    let message = json!({
        "to": "bob", "conversationType": "C2C", "clientID": "new", "base": 1, "type": "TIMTextElem",
        "payload": { "text": "x" }, "cloudCustomData": "y",
    });
    let change = |more: Value| {
        let mut data = json!({ "groupID": "none", "clientID": "new" });
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        data
    };
    let some_optional = [
        (
            "createGroup",
            json!({ "groupID": "new", "type": "Public", "name": "g" }),
            vec!["groupID", "type", "name"],
        ),
        ("joinGroup", change(json!({})), vec!["groupID", "clientID"]),
        ("quitGroup", change(json!({})), vec!["groupID", "clientID"]),
        (
            "addGroupMember",
            change(json!({ "userIDList": ["bob"] })),
            vec!["groupID", "clientID", "userIDList"],
        ),
        (
            "deleteGroupMember",
            change(json!({ "userIDList": ["bob"] })),
            vec!["groupID", "clientID", "userIDList"],
        ),
        ("updateGroupProfile", change(json!({ "name": "g" })), vec!["groupID", "clientID"]),
        ("getGroupMemberList", json!({ "groupID": "none" }), vec!["groupID"]),
        ("setGroupMember", change(json!({ "nameCard": "c" })), vec!["groupID"]),
        (
            "changeGroupOwner",
            change(json!({ "newOwnerID": "bob" })),
            vec!["groupID", "clientID", "newOwnerID"],
        ),
        (
            "handleGroupApplication",
            change(json!({ "userID": "bob", "authentication": "x", "handleAction": "Agree" })),
            vec!["groupID", "clientID", "userID", "authentication", "handleAction"],
        ),
        ("sendMessage", message, vec!["to", "conversationType", "clientID", "type", "payload"]),
        ("getMessageList", json!({ "conversationID": "C2Cbob" }), vec!["conversationID"]),
        ("setMessageRead", json!({ "conversationID": "C2Cbob" }), vec!["conversationID"]),
        ("updateMyProfile", json!({ "nick": "x" }), vec![]),
        ("getUploadForm", json!({ "kind": "image", "type": "png", "size": 1 }), vec!["kind", "type", "size"]),
    ];
    let with_data = Action::ALL.iter().filter(|action| !WITHOUT_DATA.contains(action));
    let requests = with_data.map(|action| {
        let name = action.name();
        if let Some((_, data, fields)) = some_optional.iter().find(|(action, ..)| *action == name) {
            return (name, data.clone(), fields.iter().map(|&field| field.to_owned()).collect());
        }
        let data = request_of(&kebab(name));
        let fields = data.as_object().unwrap().keys().cloned().collect();
        (name, data, fields)
    });
    requests.collect()
}

/// Some of the wrong values are right somewhere.
fn is_right(field: &str, value: &Value) -> bool {
    if field.starts_with("is") && value.is_boolean() {
        return true;
    }
    let an_id = ["to", "clientID", "groupID", "newOwnerID", "userID", "name"];
    match value.as_str() {
        Some(_) if field == "authentication" => true,
        Some("C2C") => an_id.contains(&field) || field == "conversationType",
        Some("C2Calice") => an_id.contains(&field),
        // A group that the user is not in.
        Some("GROUPx") => an_id.contains(&field) || field == "conversationID",
        Some("张三") => field == "name",
        _ => false,
    }
}

async fn tables(app: &TestApp) -> Vec<Value> {
    let mut rows = app.dump("Messages").await;
    rows.extend(app.dump("Conversations").await);
    rows.extend(app.dump("Connections").await);
    rows.extend(app.dump("Users").await);
    rows.extend(app.dump("Groups").await);
    rows
}

#[tokio::test]
async fn a_field_that_is_missing_or_wrong_gets_a_coded_error() {
    let app = TestApp::without_limits().await;
    let mut alice = app.connect("alice").await;
    app.send("bob", "alice", "1", 0).await;
    let before = tables(&app).await;

    for (action, good, fields) in requests() {
        for field in &fields {
            let mut missing = good.clone();
            missing.as_object_mut().unwrap().remove(field);
            let reply = alice.request(action, missing).await;
            assert_eq!(reply["code"], 70402, "{action} without {field}: {reply}");

            for value in wrong_values() {
                if is_right(field, &value) {
                    continue;
                }
                let mut wrong = good.clone();
                wrong[field] = value.clone();
                let reply = alice.request(action, wrong).await;
                let code = reply["code"].as_i64().unwrap();
                assert!(
                    [2252, 2600, 7003, 10015, 20003, 70402, 90002].contains(&code),
                    "{action} with {field}={value}: {reply}"
                );
                assert!(!reply["message"].as_str().unwrap().is_empty());
                assert!(reply["message"].as_str().unwrap().len() < 1_000);
            }
        }
    }
    for (action, data, code) in [
        ("sendMessage", json!({ "payload": { "text": "x".repeat(12 * 1024 + 1) } }), 80002),
        ("sendMessage", json!({ "payload": { "text": "a\u{0}b" } }), 90002),
        ("sendMessage", json!({ "cloudCustomData": "\u{0}" }), 90002),
        ("sendMessage", json!({ "cloudCustomData": 5 }), 70402),
        ("sendMessage", json!({ "priority": "Urgent" }), 70402),
        ("sendMessage", json!({ "priority": 1 }), 70402),
        ("sendMessage", json!({ "needReadReceipt": "yes" }), 70402),
        ("sendMessage", json!({ "isSupportExtension": 1 }), 70402),
        ("sendMessage", json!({ "onlineUserOnly": 1 }), 70402),
        ("sendMessage", json!({ "messageControlInfo": true }), 70402),
        ("sendMessage", json!({ "messageControlInfo": { "excludedFromUnreadCount": "x" } }), 70402),
        ("sendMessage", json!({ "messageControlInfo": { "excludedFromLastMessage": 0 } }), 70402),
        ("sendMessage", json!({ "onlineUserOnly": true, "payload": { "text": "a\u{0}b" } }), 90002),
        ("sendMessage", json!({ "onlineUserOnly": true, "to": "alice" }), 20003),
        ("sendMessage", json!({ "base": -1 }), 70402),
        ("sendMessage", json!({ "base": "1" }), 70402),
        ("sendMessage", json!({ "base": 99 }), 20004),
        ("sendMessage", json!({ "to": "alice" }), 20003),
        ("getMessageList", json!({ "nextReqMessageID": 5 }), 70402),
        ("getMessageList", json!({ "nextReqMessageID": "-1" }), 70402),
        ("getMessageList", json!({ "fromSequence": "1" }), 70402),
        ("getMessageList", json!({ "count": "15" }), 70402),
        ("setMessageRead", json!({ "sequence": -1 }), 70402),
        ("setMessageRead", json!({ "sequence": 1e300 }), 70402),
        ("getMessageList", json!({ "nextReqMessageID": "5.5" }), 70402),
        ("getMessageList", json!({ "nextReqMessageID": "5.x" }), 70402),
        ("revokeMessage", json!({ "sequence": u64::MAX }), 70402),
        ("revokeMessage", json!({ "sequence": 1 }), 20002),
        ("deleteMessage", json!({ "messages": [[1]] }), 70402),
        ("deleteMessage", json!({ "messages": [-1] }), 70402),
        ("deleteMessage", json!({ "messages": vec![1; 31] }), 70402),
        ("deleteMessage", json!({ "messages": [] }), 70402),
        ("pinConversation", json!({ "conversationID": "C2Cnobody" }), 2500),
        ("getUploadForm", json!({ "size": 0 }), 2108),
        ("getUploadForm", json!({ "size": 20_971_521 }), 2253),
        ("getUploadForm", json!({ "type": "svg" }), 2252),
        ("getUploadForm", json!({ "name": "a\u{0}b" }), 70402),
        ("getUploadForm", json!({ "name": "x".repeat(256) }), 70402),
        ("getUploadForm", json!({ "previews": [0] }), 70402),
        ("getUploadForm", json!({ "previews": [1, 1, 1] }), 70402),
        ("getUploadForm", json!({ "previews": "1" }), 70402),
        ("getUserProfile", json!({ "userIDList": ["bob", ""] }), 7003),
        ("getUserProfile", json!({ "userIDList": ["张三"] }), 7003),
        ("getUserProfile", json!({ "userIDList": vec!["x"; 101] }), 70402),
        ("getUserStatus", json!({ "userIDList": [5] }), 70402),
        ("getUserStatus", json!({ "userIDList": vec!["x"; 41] }), 70402),
        ("subscribeUserStatus", json!({ "userIDList": vec!["x"; 31] }), 70402),
        ("subscribeUserStatus", json!({ "userIDList": ["bob", "张三"] }), 7003),
        ("unsubscribeUserStatus", json!({ "userIDList": vec!["x"; 31] }), 70402),
        ("addToBlacklist", json!({ "userIDList": ["x".repeat(33)] }), 7003),
        ("addToBlacklist", json!({ "userIDList": ["alice"] }), 2742),
        ("removeFromBlacklist", json!({ "userIDList": ["alice"] }), 2742),
        ("updateMyProfile", json!({ "nick": 5 }), 70402),
        ("updateMyProfile", json!({ "userID": "bob" }), 70402),
        ("updateMyProfile", json!({ "profileCustomField": [{ "key": "Tag_Profile_Custom_a" }] }), 70402),
        ("updateMyProfile", json!({ "profileCustomField": [{ "key": "s", "value": "x" }] }), 70402),
    ] {
        let (_, mut request, _) = requests().into_iter().find(|(name, ..)| *name == action).unwrap();
        request.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
        let reply = alice.request(action, request).await;
        assert_eq!(reply["code"], code, "{action}: {reply:.300}");
    }
    let reply = alice.request("getConversationList", json!({ "nextReqConversationID": "x" })).await;
    assert_eq!(reply["code"], 70402);
    for action in Action::ALL.iter().filter(|action| **action != Action::Logout) {
        let action = action.name();
        for data in [json!([]), json!("x"), json!(5)] {
            assert_eq!(alice.request(action, data).await["code"], 70402, "{action}");
        }
    }

    assert_eq!(tables(&app).await, before, "nothing was written");
    alice.ask("login", json!({})).await;
}

#[tokio::test]
async fn a_frame_that_is_no_request_gets_a_coded_error() {
    let app = TestApp::without_limits().await;
    let mut alice = app.connect("alice").await;
    let before = tables(&app).await;
    let deep = format!(r#"{{"action":"sendMessage","data":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    for (frame, code) in [
        ("", 60003),
        ("hello", 60003),
        ("null", 60003),
        ("[1]", 60003),
        (r#"{"action":"sendMessage","data":{"payload":{"text":"\ud800"}}}"#, 60003),
        (r#"{"action":"sendMessage","data":{"to":"\udc00\ud800"}}"#, 60003),
        (deep.as_str(), 60003),
        (r#"{"data":{}}"#, 70402),
        (r#"{"action":7}"#, 70402),
        (r#"{"action":"$connect"}"#, 60009),
        (r#"{"action":"$disconnect"}"#, 60009),
        (r#"{"action":"$default"}"#, 60009),
        (r#"{"action":"SendMessage"}"#, 60009),
        (r#"{"action":"sendMessage","requestID":7}"#, 70402),
        (r#"{"action":"login","requestID":7}"#, 70402),
        (r#"{"action":"logout","requestID":[]}"#, 70402),
        (r#"{"action":"sendMessage","requestID":{}}"#, 70402),
    ] {
        alice.say(frame.to_owned()).await;
        let reply = alice.frame().await;
        assert_eq!(reply["code"], code, "{frame:.100}: {reply}");
    }
    alice.say(Message::binary(vec![0xff, 0xfe, 0x00])).await;
    assert_eq!(alice.frame().await["code"], 60003);

    assert_eq!(tables(&app).await, before);
    alice.ask("login", json!({})).await;
}

#[tokio::test]
async fn a_frame_that_cannot_be_read_is_answered_at_once_by_its_name() {
    let app = TestApp::without_limits().await;
    let mut alice = app.connect("alice").await;
    let before = tables(&app).await;
    let with = |payload: &[u8]| {
        let mut frame = br#"{"action":"sendMessage","data":{"to":"bob","conversationType":"C2C","clientID":"1","base":0,"type":"TIMTextElem","payload":"#.to_vec();
        frame.extend(payload);
        frame.extend(br#"},"requestID":"7"}"#);
        frame
    };
    let deep = [&b"["[..]; 1_000].concat();
    for frame in [
        with(br#"{"text":"\ud83d"}"#),
        with(br#"{"text":"\ude00 and more"}"#),
        with(br#"{"text":"x","n":1e999}"#),
        with(b"{\"text\":\"\xf0\x9f\x98\"}"),
        with(&deep),
        with(b"{text}"),
    ] {
        let shown = String::from_utf8_lossy(&frame).into_owned();
        let message = match String::from_utf8(frame) {
            Ok(text) => Message::text(text),
            Err(bytes) => Message::binary(bytes.into_bytes()),
        };
        alice.say(message).await;
        let reply = alice.frame().await;
        // What is not closed has no member behind it.
        let name = if shown.contains("[[[") || shown.contains("{text}") { "" } else { "7" };
        assert_eq!((&reply["code"], &reply["requestID"]), (&json!(60003), &json!(name)), "{shown:.200}");
        assert!(!reply["message"].as_str().unwrap().contains("and more"), "{reply}");
    }
    assert_eq!(tables(&app).await, before);
    alice.ask("login", json!({})).await;
}
