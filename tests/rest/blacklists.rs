use serde_json::json;

use super::{done, refused};
use crate::harness::{TestApp, text_message};

const ADD: &str = "sns/black_list_add";
const DELETE: &str = "sns/black_list_delete";
const GET: &str = "sns/black_list_get";
const CHECK: &str = "sns/black_list_check";

#[tokio::test]
async fn a_server_blocks_for_a_user_as_the_user_would() {
    let app = TestApp::new().await;
    let mut phone = app.connect("alice").await;
    let answer =
        done(&app, ADD, json!({ "From_Account": "alice", "To_Account": ["bob", "alice", "é"] })).await;
    let codes: Vec<_> =
        answer["ResultItem"].as_array().unwrap().iter().map(|item| item["ResultCode"].clone()).collect();
    assert_eq!(codes, [0, 30001, 30003]);
    assert_eq!((&answer["Fail_Account"], &answer["ErrorDisplay"]), (&json!(["alice", "é"]), &json!("")));
    assert_eq!(phone.push().await["event"], "blacklistUpdated");
    assert_eq!(app.invoke("send-message", "bob", text_message("alice", "1", 0)).await["code"], 20007);

    done(&app, DELETE, json!({ "From_Account": "alice", "To_Account": ["bob", "nobody"] })).await;
    assert_eq!(app.invoke("send-message", "bob", text_message("alice", "1", 0)).await["code"], 0);
}

#[tokio::test]
async fn forty_are_blocked_at_once_and_listed_in_parts() {
    let app = TestApp::new().await;
    let names: Vec<String> = (0..40).map(|number| format!("user{number:02}")).collect();
    done(&app, ADD, json!({ "From_Account": "alice", "To_Account": names })).await;
    let answer = done(
        &app,
        GET,
        json!({ "From_Account": "alice", "StartIndex": 0, "MaxLimited": 30, "LastSequence": 0 }),
    )
    .await;
    let there = |answer: &serde_json::Value| answer["BlackListItem"].as_array().unwrap().len();
    assert_eq!((there(&answer), &answer["StartIndex"]), (30, &json!(30)));
    let answer =
        done(&app, GET, json!({ "From_Account": "alice", "StartIndex": 30, "MaxLimited": 30 })).await;
    assert_eq!((there(&answer), &answer["StartIndex"]), (10, &json!(0)));
    assert_eq!(answer["BlackListItem"][9]["To_Account"], "user39");
}

#[tokio::test]
async fn who_blocks_whom_is_told() {
    let app = TestApp::new().await;
    for (from, to) in [("alice", "both"), ("both", "alice"), ("alice", "mine"), ("theirs", "alice")] {
        done(&app, ADD, json!({ "From_Account": from, "To_Account": [to] })).await;
    }
    for (kind, expected) in [
        ("BlackCheckResult_Type_Both", ["BothWay", "AWithB", "BWithA", "NO", "NO"]),
        ("BlackCheckResult_Type_Single", ["AWithB", "AWithB", "NO", "NO", "NO"]),
    ] {
        let names = ["both", "mine", "theirs", "nobody", "é"];
        let body = json!({ "From_Account": "alice", "To_Account": names, "CheckType": kind });
        let answer = done(&app, CHECK, body).await;
        let items = answer["BlackListCheckItem"].as_array().unwrap();
        let relations: Vec<_> = items.iter().map(|item| item["Relation"].as_str().unwrap()).collect();
        assert_eq!(relations, expected.map(|relation| format!("BlackCheckResult_Type_{relation}")));
    }
}

#[tokio::test]
async fn friends_there_are_none_of_and_what_is_wrong_is_refused() {
    let app = TestApp::new().await;
    for command in [
        "friend_add",
        "friend_import",
        "friend_update",
        "friend_delete",
        "friend_delete_all",
        "friend_check",
        "friend_get",
        "friend_get_all",
        "friend_get_list",
        "group_add",
        "group_delete",
        "group_get",
    ] {
        assert_eq!(refused(&app, &format!("sns/{command}"), json!({ "From_Account": "alice" })).await, 60009);
    }
    for (path, body) in [
        (ADD, json!({ "From_Account": "é", "To_Account": ["bob"] })),
        (ADD, json!({ "From_Account": "alice", "To_Account": [] })),
        (ADD, json!({ "From_Account": "alice", "To_Account": vec!["bob"; 501] })),
        (GET, json!({})),
        (CHECK, json!({ "From_Account": "alice", "To_Account": ["bob"], "CheckType": "x" })),
    ] {
        assert_eq!(refused(&app, path, body.clone()).await, 30001, "{path} {body}");
    }
}
