//! What somebody can do to others by means of groups, and how often.

use std::{num::NonZeroU32, time::Duration};

use hongyan_functions::config::Settings;
use serde_json::{Value, json};

use crate::{
    groups::{GROUP, change, group_of, log, message, try_change},
    harness::TestApp,
};

/// An app in which a user may open so many conversations per hour, and send any number of frames.
async fn with_limit(per_hour: u32) -> TestApp {
    let new_conversations_per_hour = NonZeroU32::new(per_hour);
    TestApp::with(Settings { frames_per_second: None, new_conversations_per_hour, ..Settings::default() })
        .await
}

/// Mallory makes a group with bob in it: the code.
async fn put_bob_in(app: &TestApp, group: &str) -> Value {
    let members = json!([{ "userID": "bob" }]);
    let data = json!({ "groupID": group, "type": "Private", "name": "g", "memberList": members });
    app.invoke("create-group", "mallory", data).await
}

/// In how many groups a user is.
async fn groups_of(app: &TestApp, user: &str) -> usize {
    let rows = app.dump("Conversations").await;
    let is_theirs = |row: &&Value| row["u"]["S"] == user && row["v"]["S"].as_str().unwrap().starts_with("·@");
    rows.iter().filter(is_theirs).count()
}

#[tokio::test]
async fn nobody_is_put_into_more_groups_per_hour_than_a_user_may_open() {
    let app = with_limit(10).await;
    let mut codes = Vec::new();
    for number in 0..15 {
        codes.push(put_bob_in(&app, &format!("@{number}")).await["code"].clone());
    }
    assert!(codes[..10].iter().all(|code| *code == 0) && codes[10..].iter().all(|code| *code == 60007));
    assert_eq!(groups_of(&app, "bob").await, 10);
    // Neither by bringing bob, nor by getting into groups where that is allowed, nor by writing to others.
    group_of(&app, "Private", &["mallory"]).await;
    let add = json!({ "userIDList": ["bob"] });
    let refused = try_change(&app, &app.sandbox, "add-group-member", "mallory", "a", add.clone()).await;
    assert_eq!(
        (&refused["code"], refused["data"]["retryAfterSeconds"].as_u64().unwrap() > 300),
        (&json!(60007), true)
    );
    assert_eq!(
        app.invoke("send-message", "mallory", crate::harness::text_message("eve", "1", 0)).await["code"],
        60007
    );
    // Others are held back by nothing of it, and neither is bob.
    change(&app, "add-group-member", "alice", "b", add).await;
    let own = json!({ "groupID": "@own", "type": "Private", "name": "g" });
    app.ask("create-group", "bob", own).await;
    assert_eq!(groups_of(&app, "bob").await, 12);
    // One more every six minutes.
    app.advance(Duration::from_secs(360));
    assert_eq!(put_bob_in(&app, "@next").await["code"], 0);
    assert_eq!(put_bob_in(&app, "@after-next").await["code"], 60007);
}

#[tokio::test]
async fn who_comes_and_goes_without_end_is_stopped() {
    let app = with_limit(10).await;
    group_of(&app, "Public", &[]).await;
    let before = log(&app).await.len();
    let mut refused = 0;
    for number in 0..30 {
        let joined =
            try_change(&app, &app.sandbox, "join-group", "mallory", &format!("j{number}"), json!({})).await;
        refused += u32::from(joined["code"] == 60007);
        try_change(&app, &app.sandbox, "quit-group", "mallory", &format!("q{number}"), json!({})).await;
    }
    assert_eq!((refused, log(&app).await.len() - before), (20, 20), "a tip for each coming and going");
}

#[tokio::test]
async fn what_was_done_before_is_answered_the_same_to_who_may_do_no_more() {
    let app = with_limit(3).await;
    group_of(&app, "Public", &[]).await;
    let created = json!({ "groupID": "@mine", "type": "Private", "name": "g" });
    let first = app.ask("create-group", "mallory", created.clone()).await;
    let changes = [
        ("join-group", json!({})),
        ("add-group-member", json!({ "groupID": "@mine", "userIDList": ["bob"] })),
    ];
    let mut answers = Vec::new();
    for (route, more) in &changes {
        answers.push(change(&app, route, "mallory", route, more.clone()).await);
    }
    assert_eq!(put_bob_in(&app, "@fourth").await["code"], 60007);
    assert_eq!(
        app.ask("create-group", "mallory", created).await["group"]["groupID"],
        first["group"]["groupID"]
    );
    for ((route, more), answer) in changes.iter().zip(answers) {
        assert_eq!(change(&app, route, "mallory", route, more.clone()).await, answer, "{route}");
    }
    // A group of somebody else's is none that they have made.
    assert_eq!(put_bob_in(&app, GROUP).await["code"], 60007);
}

#[tokio::test]
async fn getting_into_a_group_is_counted_by_one_write() {
    let data = json!({ "groupID": GROUP, "type": "Private", "name": "g" });
    let mut units = Vec::new();
    for app in [TestApp::without_limits().await, TestApp::new().await] {
        app.ask("create-group", "alice", data.clone()).await;
        units.push(app.calls().iter().map(|call| call.write_units).sum::<f64>());
    }
    assert_eq!(units[1], units[0] + 1.0);
}

/// Twenty frames per second, which is all that one user may send: half of what a group takes.
#[tokio::test]
async fn a_member_who_sends_as_fast_as_they_may_keeps_nobody_from_speaking() {
    let app = TestApp::without_limits().await;
    group_of(&app, "Public", &["bob", "mallory"]).await;
    let mut last = log(&app).await.len() as u64;
    for number in 0..200 {
        let speakers: &[&str] = if number % 10 == 0 { &["mallory", "bob"] } else { &["mallory"] };
        for speaker in speakers {
            let reply = app.invoke("send-message", speaker, message(&number.to_string(), last)).await;
            assert_eq!(reply["code"], 0, "{speaker} {number}: {reply}");
            last = reply["data"]["message"]["sequence"].as_u64().unwrap();
        }
        app.advance(Duration::from_millis(50));
    }
}
