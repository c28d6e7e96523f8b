use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Map, Value, json};

use crate::harness::{START_MS, TestApp, body, event, fault_proxy::Fault};

async fn code(app: &TestApp, data: Value) -> (i64, String) {
    let reply = app.invoke("update-my-profile", "alice", data).await;
    (reply["code"].as_i64().unwrap(), reply["message"].as_str().unwrap().to_owned())
}

fn custom(name: &str, value: &str) -> Value {
    json!({ "key": format!("Tag_Profile_Custom_{name}"), "value": value })
}

#[tokio::test]
async fn only_what_is_given_changes_and_other_devices_are_told() {
    let app = TestApp::new().await;
    let (mut bob, mut other_device) = (app.connect("bob").await, app.connect("alice").await);
    let reply = body(app.respond("update-my-profile", &event("update-my-profile")).await);
    let mut profile = json!({
        "userID": "alice", "lastUpdatedTime": START_MS / 1000, "nick": "爱丽丝", "gender": "Gender_Type_Female",
    });
    assert_eq!(reply["data"]["profile"], profile);
    assert_eq!(other_device.push().await, json!({ "event": "onProfileUpdated", "data": [profile] }));
    assert!(bob.is_quiet().await);

    app.advance(Duration::from_secs(5));
    let more = json!({
        "nick": "", "avatar": "https://x/y.png", "selfSignature": "hi", "allowType": "AllowType_Type_NeedConfirm",
        "birthday": 19_900_101, "location": "sz", "language": 0, "messageSettings": 4_294_967_295_u32,
        "profileCustomField": [custom("a", "1"), custom("b", "2")],
    });
    let changed = app.ask("update-my-profile", "alice", more.clone()).await;
    let profile = profile.as_object_mut().unwrap();
    profile.extend(more.as_object().unwrap().clone());
    profile.insert("lastUpdatedTime".to_owned(), json!(START_MS / 1000 + 5));
    assert_eq!(changed["profile"], json!(profile));
    let shown = app.ask("get-user-profile", "bob", json!({ "userIDList": ["alice"] })).await;
    assert_eq!(shown["profileList"][0], json!(profile));

    let one = json!({ "profileCustomField": [custom("b", "3")] });
    let changed = app.ask("update-my-profile", "alice", one).await;
    assert_eq!(changed["profile"]["profileCustomField"], json!([custom("a", "1"), custom("b", "3")]));
}

#[tokio::test]
async fn every_field_has_its_limits() {
    let app = TestApp::new().await;
    let long = |bytes: usize| "x".repeat(bytes);
    for (field, good, bad) in [
        ("nick", json!(long(500)), json!(long(501))),
        ("avatar", json!(format!("https://{}", long(492))), json!(format!("https://{}", long(493)))),
        ("selfSignature", json!("好".repeat(166)), json!("好".repeat(167))),
        ("location", json!(long(16)), json!(long(17))),
        ("gender", json!("Gender_Type_Unknown"), json!("Male")),
        ("allowType", json!("AllowType_Type_DenyAny"), json!("")),
        ("adminForbidType", json!("AdminForbid_Type_None"), json!(1)),
        ("birthday", json!(0), json!(-1)),
        ("language", json!(u32::MAX), json!(u64::from(u32::MAX) + 1)),
        ("messageSettings", json!(1), json!(1.5)),
        ("level", json!(0), json!("1")),
        ("role", json!(0), json!(true)),
        ("profileCustomField", json!([custom("a1B2c3D4", &long(500))]), json!([custom("a", &long(501))])),
        ("profileCustomField", json!([custom("a1B2c3D4", "")]), json!([custom("a1B2c3D4e", "")])),
        ("profileCustomField", json!([custom("a1B2c3D4", "")]), json!([{ "key": "nick", "value": "x" }])),
    ] {
        let with = |value: Value| Value::Object(Map::from_iter([(field.to_owned(), value)]));
        assert_eq!(code(&app, with(good)).await.0, 0, "{field}");
        assert_eq!(code(&app, with(bad)).await.0, 70402, "{field}");
    }
    assert_eq!(code(&app, json!({})).await.0, 70402);
    assert_eq!(code(&app, json!({ "profileCustomField": [] })).await.0, 70402);
    let (unknown, text) = code(&app, json!({ "nick": "x", "nickname": "x" })).await;
    assert!(unknown == 70402 && text.contains("nickname"), "{text}");
}

#[tokio::test]
async fn a_profile_does_not_grow_without_end() {
    let app = TestApp::new().await;
    let fields = |from: u32, to: u32| -> Value {
        let fields: Vec<Value> = (from..to).map(|number| custom(&number.to_string(), "x")).collect();
        json!({ "profileCustomField": fields })
    };
    assert_eq!(code(&app, fields(0, 21)).await.0, 70402);
    assert_eq!(code(&app, fields(0, 15)).await.0, 0);
    assert_eq!(code(&app, fields(10, 20)).await.0, 0);
    assert_eq!(code(&app, fields(20, 21)).await.0, 70402);
    assert_eq!(code(&app, fields(0, 20)).await.0, 0);
}

#[tokio::test]
async fn the_limit_of_custom_fields_holds_however_many_requests_race() {
    for round in 0..10 {
        let app = TestApp::new().await;
        let requests = (0..8).map(|part| {
            let fields: Vec<Value> =
                (0..5).map(|number| custom(&format!("{round}{part}{number}"), "x")).collect();
            let data = json!({ "profileCustomField": fields });
            async { app.invoke("update-my-profile", "alice", data).await }
        });
        let replies = join_all(requests).await;
        let taken = replies.iter().filter(|reply| reply["code"] == 0).count();
        assert!(replies.iter().all(|reply| reply["code"] == 0 || reply["code"] == 70402), "{replies:?}");
        let shown = app.ask("get-user-profile", "bob", json!({ "userIDList": ["alice"] })).await;
        let fields = shown["profileList"][0]["profileCustomField"].as_array().unwrap().len();
        assert_eq!((taken, fields), (4, 20), "each has all of its fields or none");
    }
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_no_reason_to_refuse_it() {
    let app = TestApp::new().await;
    let fields: Vec<Value> = (0..20).map(|number| custom(&number.to_string(), "x")).collect();
    let mut lost = false;
    app.dynamodb.break_calls(move |operation, _| {
        let is_change = operation == "UpdateItem";
        if is_change && !std::mem::replace(&mut lost, true) { Fault::ResetAfter } else { Fault::None }
    });
    assert_eq!(code(&app, json!({ "profileCustomField": fields })).await.0, 0);
}

#[tokio::test]
async fn nobody_changes_the_profile_of_another() {
    let app = TestApp::new().await;
    for field in ["userID", "from", "u", "s", "t"] {
        let data = Value::Object(Map::from_iter([
            ("nick".to_owned(), json!("mallory was here")),
            (field.to_owned(), json!("bob")),
        ]));
        assert_eq!(app.invoke("update-my-profile", "mallory", data).await["code"], 70402, "{field}");
    }
    assert!(app.dump("Users").await.is_empty());
}
