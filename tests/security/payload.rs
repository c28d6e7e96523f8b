//! What somebody puts into a message is refused with a code, or kept exactly.

use serde_json::{Value, json};

use crate::harness::{TestApp, text_message};

/// Numbers that no floating point number of 64 bits can hold, or not in this form.
const NUMBERS: &str = r#"{"z":9007199254740993,"big":123456789012345678901234567890,"long":0.12345678901234567890123,"money":1.10,"small":1E-7,"a":[-0,18446744073709551615,{"deep":1e5}]}"#;

fn request(action: &str, data: &str) -> String {
    format!(r#"{{"action":"{action}","requestID":"1","data":{data}}}"#)
}

fn custom(to: &str, client_id: &str, payload: &str) -> String {
    format!(
        r#"{{"to":"{to}","conversationType":"C2C","clientID":"{client_id}","base":0,"type":"TIMCustomElem","payload":{payload}}}"#
    )
}

#[tokio::test]
async fn a_number_in_a_payload_is_kept_as_it_was_written_wherever_it_is_shown() {
    let app = TestApp::new().await;
    let (mut alice, mut bob) = (app.connect("alice").await, app.connect("bob").await);
    let message = custom("bob", "1", NUMBERS);
    let expected = format!(r#""payload":{NUMBERS}"#);
    for place in ["reply", "retry"] {
        alice.say(request("sendMessage", &message)).await;
        let text = alice.text().await;
        assert!(text.contains(&expected), "{place}: {text}");
    }
    assert!(bob.text().await.contains(&expected), "push");
    for (action, data) in [
        ("getMessageList", r#"{"conversationID":"C2Calice"}"#),
        ("getMessageList", r#"{"conversationID":"C2Calice","fromSequence":1}"#),
        ("getConversationList", "{}"),
    ] {
        bob.say(request(action, data)).await;
        let text = bob.text().await;
        assert!(text.contains(&expected), "{action} {data}: {text}");
    }
    alice.say(request("sendMessage", &message.replacen('{', r#"{"onlineUserOnly":true,"#, 1))).await;
    assert!(bob.text().await.contains(&expected), "online only");
}

#[tokio::test]
async fn one_client_id_with_another_content_is_refused_and_a_retry_never_is() {
    let app = TestApp::new().await;
    app.send("alice", "bob", "1", 0).await;
    let sent = text_message("bob", "1", 0);
    let with = |name: &str, value: Value| {
        let mut data = sent.clone();
        data[name] = value;
        data
    };
    let others = [
        with("payload", json!({ "text": "something else" })),
        with("payload", json!({ "text": sent["payload"]["text"], "more": 1 })),
        with("type", json!("TIMCustomElem")),
        with("cloudCustomData", json!("x")),
    ];
    let same = [
        sent.clone(),
        with("priority", json!("High")),
        with("cloudCustomData", json!("")),
        with("messageControlInfo", json!({ "excludedFromUnreadCount": true })),
    ];
    // Among the newest; farther back, where it has to be looked for; and when it is recalled, in either place.
    for step in 0..4 {
        match step {
            1 => {
                for base in 1..20 {
                    app.send("bob", "alice", &base.to_string(), base).await;
                }
            }
            2 => {
                let data = json!({ "conversationID": "C2Cbob", "sequence": 1 });
                app.ask("revoke-message", "alice", data).await;
            }
            _ => {}
        }
        let before = app.dump("Messages").await;
        for other in &others {
            let reply = app.invoke("send-message", "alice", other.clone()).await;
            assert_eq!(reply["code"], 70402, "{step} {other} {reply}");
            assert!(reply["message"].as_str().unwrap().contains("`clientID`"), "{reply}");
        }
        for same in &same {
            app.calls();
            let message = app.ask("send-message", "alice", same.clone()).await["message"].clone();
            let text = if step < 2 { &sent["payload"]["text"] } else { &json!("") };
            assert_eq!((&message["sequence"], &message["payload"]["text"]), (&json!(1), text));
            let reads: f64 = app.calls().iter().map(|call| call.read_units).sum();
            assert!(reads <= 2.0, "{step} {reads}");
        }
        assert_eq!(app.dump("Messages").await, before);
    }
    // The same name to somebody else, or of somebody else, is another message.
    assert_eq!(app.send("alice", "carol", "1", 0).await, 1);
    assert_eq!(app.send("bob", "alice", "alice's", 20).await, 21);
}

#[tokio::test]
async fn of_two_contents_under_one_name_at_the_same_time_one_is_refused() {
    for _ in 0..20 {
        let app = TestApp::new().await;
        let mut other = text_message("bob", "1", 0);
        other["payload"]["text"] = json!("something else");
        let (one, other) = tokio::join!(
            app.invoke("send-message", "alice", text_message("bob", "1", 0)),
            app.invoke("send-message", "alice", other)
        );
        let mut codes = [one["code"].as_i64().unwrap(), other["code"].as_i64().unwrap()];
        codes.sort_unstable();
        assert_eq!(codes, [0, 70402]);
        assert_eq!(app.history("bob", "alice").await.len(), 1);
    }
}

#[tokio::test]
async fn a_file_that_was_uploaded_again_is_one_message() {
    let app = TestApp::new().await;
    let image = |url: &str, size: u32| {
        let mut data = text_message("bob", "1", 0);
        data["type"] = json!("TIMImageElem");
        let info = json!({ "url": url, "imageUrl": url, "size": size, "width": 1, "height": 1, "type": 0 });
        data["payload"] = json!({ "uuid": url, "imageFormat": 1, "imageInfoArray": [info] });
        data
    };
    let first = app.ask("send-message", "alice", image("https://x/1.png", 5)).await;
    assert_eq!(app.ask("send-message", "alice", image("https://x/2.png", 5)).await, first);
    assert_eq!(app.invoke("send-message", "alice", image("https://x/2.png", 6)).await["code"], 70402);
}

#[tokio::test]
async fn a_message_of_an_odd_shape_is_refused_by_the_name_of_its_field() {
    let app = TestApp::new().await;
    let mut alice = app.connect("alice").await;
    let odd = json!({ "toString": 1 });
    for (kind, payload, field) in [
        ("TIMTextElem", json!({ "text": odd }), "payload.text"),
        ("TIMTextElem", json!({ "text": "" }), "payload.text"),
        ("TIMFaceElem", json!({ "index": 1, "data": odd }), "payload.data"),
        ("TIMFaceElem", json!({ "index": "1", "data": "" }), "payload.index"),
        ("TIMCustomElem", json!({ "data": odd }), "payload.data"),
        ("TIMCustomElem", json!({ "data": "", "extension": null }), "payload.extension"),
        ("TIMLocationElem", json!({ "longitude": "1", "latitude": 1 }), "payload.longitude"),
        (
            "TIMLocationElem",
            json!({ "longitude": 1, "latitude": 1, "description": [] }),
            "payload.description",
        ),
        ("TIMImageElem", json!({ "imageInfoArray": {} }), "payload.imageInfoArray"),
        ("TIMImageElem", json!({ "imageInfoArray": [null] }), "payload.imageInfoArray"),
        (
            "TIMImageElem",
            json!({ "imageInfoArray": [{}, { "url": "javascript:alert(1)" }] }),
            "payload.imageInfoArray[1].url",
        ),
        ("TIMImageElem", json!({ "imageInfoArray": [{ "width": "1" }] }), "payload.imageInfoArray[0].width"),
        ("TIMSoundElem", json!({ "url": "data:text/html,x" }), "payload.url"),
        ("TIMFileElem", json!({ "fileUrl": "JAVASCRIPT:alert(1)", "fileName": "x" }), "payload.fileUrl"),
        ("TIMVideoFileElem", json!({ "videoUrl": odd }), "payload.videoUrl"),
        ("TIMVideoElem", json!({ "thumbUrl": "vbscript:x" }), "payload.thumbUrl"),
        ("TIMRelayElem", json!({ "abstractList": [1] }), "payload.abstractList"),
        ("TIMRelayElem", json!({ "messageList": ["x"] }), "payload.messageList"),
        ("TIMRelayElem", json!({ "layersOverLimit": 1 }), "payload.layersOverLimit"),
    ] {
        for online_only in [false, true] {
            let mut data = text_message("bob", "1", 0);
            data["type"] = json!(kind);
            data["payload"] = payload.clone();
            data["onlineUserOnly"] = json!(online_only);
            let reply = alice.request("sendMessage", data).await;
            assert_eq!(reply["code"], 90002, "{kind} {payload}");
            assert!(reply["message"].as_str().unwrap().contains(&format!("`{field}`")), "{reply}");
        }
    }
    for (payload, why) in [
        (r#"{"data":"a","data":"b"}"#, "twice"),
        (r#"{"data":{"x":1,"\u0078":2}}"#, "twice"),
        (r#"{"more":[{"a\u0000":""}]}"#, "NUL"),
    ] {
        alice.say(request("sendMessage", &custom("bob", "1", payload))).await;
        let reply = alice.frame().await;
        assert_eq!(reply["code"], 90002, "{reply}");
        assert!(reply["message"].as_str().unwrap().contains(why), "{reply}");
    }
    assert!(app.dump("Messages").await.is_empty());
}

#[tokio::test]
async fn what_the_app_adds_to_a_payload_is_kept_and_space_is_not_stored() {
    let app = TestApp::new().await;
    let mut alice = app.connect("alice").await;
    let payload = r#"{"data":" ","own":{"toString":1,"list":[null,true,"\u2028"]}}"#;
    let spaced = payload.replace(',', " ,\n\t").replace(':', " : ");
    alice.say(request("sendMessage", &custom("bob", "1", &spaced))).await;
    let stored = payload.replace("\\u2028", "\u{2028}");
    assert!(alice.text().await.contains(&stored));
    assert_eq!(app.dump("Messages").await[0]["d"]["S"], stored);
}

#[tokio::test]
async fn a_field_of_the_wrong_type_is_named_in_the_error() {
    let app = TestApp::new().await;
    let mut alice = app.connect("alice").await;
    for (action, data, field) in [
        ("sendMessage", json!({ "needReadReceipt": "yes" }), "`needReadReceipt`"),
        ("sendMessage", json!({ "priority": "Urgent" }), "`priority`"),
        (
            "sendMessage",
            json!({ "messageControlInfo": { "excludedFromUnreadCount": 1 } }),
            "`messageControlInfo.excludedFromUnreadCount`",
        ),
        ("sendMessage", json!({ "base": -1 }), "`base`"),
        ("sendMessage", json!({ "to": 5 }), "`to`"),
        ("getMessageList", json!({ "conversationID": "C2Cbob", "count": "15" }), "`count`"),
        ("deleteMessage", json!({ "conversationID": "C2Cbob", "messages": [1, [2]] }), "`messages[1]`"),
        ("getUserStatus", json!({ "userIDList": ["bob", 5] }), "`userIDList[1]`"),
        ("updateMyProfile", json!({ "birthday": 1.5 }), "`birthday`"),
        ("updateMyProfile", json!({ "gender": "Male" }), "`gender`"),
        (
            "updateMyProfile",
            json!({ "profileCustomField": [{ "key": "Tag_Profile_Custom_a", "value": 1 }] }),
            "`profileCustomField[0].value`",
        ),
        ("pinConversation", json!({ "conversationID": "C2Cbob" }), "`isPinned`"),
    ] {
        let mut request = if action == "sendMessage" { text_message("bob", "1", 0) } else { json!({}) };
        request.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
        let reply = alice.request(action, request).await;
        let text = reply["message"].as_str().unwrap();
        assert!(
            reply["code"] == 70402 && text.contains(field) && !text.contains("column"),
            "{action} {data}: {text}"
        );
    }
}
