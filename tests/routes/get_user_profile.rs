use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::{START_MS, TestApp, body, event, fault_proxy::Fault};

async fn profiles(app: &TestApp, users: &[&str]) -> Vec<Value> {
    let data = json!({ "userIDList": users });
    app.ask("get-user-profile", "alice", data).await["profileList"].as_array().unwrap().clone()
}

#[tokio::test]
async fn profiles_come_in_the_order_asked_for_and_each_once() {
    let app = TestApp::new().await;
    app.ask("update-my-profile", "bob", json!({ "nick": "Bob" })).await;
    let nothing = |user: &str| json!({ "userID": user, "lastUpdatedTime": 0 });
    assert_eq!(
        profiles(&app, &["carol", "bob", "carol", "alice"]).await,
        [
            nothing("carol"),
            json!({ "userID": "bob", "lastUpdatedTime": START_MS / 1000, "nick": "Bob" }),
            nothing("alice")
        ]
    );
    let reply = body(app.respond("get-user-profile", &event("get-user-profile")).await);
    assert_eq!(reply["data"]["profileList"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn one_to_a_hundred_users_can_be_asked_for() {
    let app = TestApp::new().await;
    let users = |count: usize| -> Vec<String> { (0..count).map(|index| format!("user-{index}")).collect() };
    for (count, code) in [(0, 70402), (100, 0), (101, 70402)] {
        let reply = app.invoke("get-user-profile", "alice", json!({ "userIDList": users(count) })).await;
        assert_eq!(reply["code"], code, "{count}");
    }
}

#[tokio::test]
async fn what_a_batch_leaves_over_is_asked_for_again_and_given_up_at_last() {
    let app = TestApp::new().await;
    app.ask("update-my-profile", "bob", json!({ "nick": "Bob" })).await;
    let mut calls = 0;
    app.dynamodb.break_calls(move |operation, _| {
        calls += 1;
        if operation == "BatchGetItem" && calls < 3 { Fault::Unprocessed } else { Fault::None }
    });
    let started = Instant::now();
    assert_eq!(profiles(&app, &["bob"]).await[0]["nick"], "Bob");
    assert!(
        started.elapsed().as_millis() >= 300,
        "a table that cannot keep up is given time: 100 ms, then 200"
    );
    app.dynamodb.break_calls(|_, _| Fault::Unprocessed);
    let reply = app.invoke("get-user-profile", "alice", json!({ "userIDList": ["bob"] })).await;
    assert_eq!(reply["code"], 60007);
}

#[tokio::test]
async fn what_does_not_fit_a_frame_is_left_out() {
    let app = TestApp::new().await;
    let users: Vec<String> = (0..100).map(|index| format!("user-{index}")).collect();
    let text = "x".repeat(500);
    let avatar = format!("https://{}", "x".repeat(492));
    for user in &users {
        app.ask("update-my-profile", user, json!({ "nick": text, "avatar": avatar, "selfSignature": text }))
            .await;
    }
    let reply = app.invoke("get-user-profile", "alice", json!({ "userIDList": users })).await;
    assert!(reply.to_string().len() < 128 * 1024);
    let first = reply["data"]["profileList"].as_array().unwrap().clone();
    assert!((50..100).contains(&first.len()));
    let rest = app.ask("get-user-profile", "alice", json!({ "userIDList": users[first.len()..] })).await;
    assert_eq!(first.len() + rest["profileList"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn a_profile_that_does_not_fit_hides_none_behind_it_and_fits_alone() {
    let app = TestApp::new().await;
    // Each byte takes two in a frame, or six: as large as a profile can be.
    let (text, value) = ("\"".repeat(500), "\u{1}".repeat(500));
    let fields: Vec<Value> = (0..20)
        .map(|number| json!({ "key": format!("Tag_Profile_Custom_{number}"), "value": value }))
        .collect();
    let largest = json!({
        "nick": text, "avatar": format!("https://{}", "\"".repeat(492)), "selfSignature": text,
        "location": "\"".repeat(16),
        "profileCustomField": fields,
    });
    for user in ["bob", "carol"] {
        app.ask("update-my-profile", user, largest.clone()).await;
    }
    app.ask("update-my-profile", "dave", json!({ "nick": "Dave" })).await;
    let shown = profiles(&app, &["bob", "carol", "dave"]).await;
    let names: Vec<&str> = shown.iter().map(|profile| profile["userID"].as_str().unwrap()).collect();
    assert_eq!(names, ["bob", "dave"]);
    assert_eq!(profiles(&app, &["carol"]).await[0]["nick"], text);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_hides_nobody_elses() {
    let app = TestApp::new().await;
    for user in ["bob", "carol"] {
        app.ask("update-my-profile", user, json!({ "nick": user })).await;
    }
    let broken = json!({ "u": { "S": "bob" }, "s": { "S": "P" }, "t": { "N": "1" }, "nick": { "N": "5" } });
    app.put("Users", broken).await;
    let shown = profiles(&app, &["bob", "carol"]).await;
    assert_eq!(shown[0], json!({ "userID": "bob", "lastUpdatedTime": 0 }));
    assert_eq!(shown[1]["nick"], "carol");

    // What somebody has added to a row does not break it.
    let foreign = json!({ "u": { "S": "bob" }, "s": { "S": "P" }, "t": { "N": "1" }, "nick": { "S": "Bob" }, "x": { "BOOL": true } });
    app.put("Users", foreign).await;
    assert_eq!(profiles(&app, &["bob"]).await[0]["nick"], "Bob");
}
