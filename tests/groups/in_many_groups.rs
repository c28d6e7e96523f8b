//! Users who are in many groups: what one request may not look at is asked for again, and nothing is left out silently.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use hongyan_functions::config::Settings;
use serde_json::{Value, json};

use super::GROUP;
use crate::harness::{TestApp, fault_proxy::Fault, replica::Lag};

fn id(number: usize) -> String {
    format!("group-{number:03}")
}

/// Groups that alice has made, each with a message of that length.
async fn groups_with(app: &TestApp, count: usize, bytes: usize) {
    for number in 0..count {
        app.ask("create-group", "alice", json!({ "groupID": id(number), "type": "Public", "name": "g" }))
            .await;
    }
    let said = (0..count).map(async |number| {
        let data = json!({
            "to": id(number), "conversationType": "GROUP", "clientID": format!("m-{number}"), "base": 0,
            "type": "TIMTextElem", "payload": { "text": "x".repeat(bytes) },
        });
        app.ask("send-message", "alice", data).await;
    });
    join_all(said).await;
    app.calls();
}

fn ids(page: &Value) -> BTreeSet<String> {
    let list = page["conversationList"].as_array().unwrap();
    list.iter().map(|found| found["conversationID"].as_str().unwrap().to_owned()).collect()
}

/// What a reply says of conversations by their names, and how many read units that has cost.
async fn named(app: &TestApp, names: &BTreeSet<String>) -> (Value, f64) {
    app.calls();
    let page = app.ask("get-conversation-list", "alice", json!({ "conversationIDList": names })).await;
    (page, app.calls().iter().map(|call| call.read_units).sum())
}

fn names(numbers: impl IntoIterator<Item = usize>) -> BTreeSet<String> {
    numbers.into_iter().map(|number| format!("GROUP{}", id(number))).collect()
}

#[tokio::test]
async fn fifty_groups_are_found_by_their_names_in_one_reply() {
    let app = TestApp::without_limits().await;
    groups_with(&app, 60, 20).await;
    let all = names(0..50);
    let (page, units) = named(&app, &all).await;
    assert_eq!((ids(&page), &page["isCompleted"]), (all, &json!(true)));
    // A half for the end of each log, and what the rows of the user have together.
    assert!((25.5..=28.0).contains(&units), "{units}");
    // Those that lie in between cost little, and what there is not, or is somebody else's, costs nothing.
    app.ask("create-group", "bob", json!({ "groupID": "group-bob", "type": "Public", "name": "g" })).await;
    let mut few = names([7, 58]);
    let (page, units) = named(&app, &few).await;
    assert_eq!((ids(&page), &page["isCompleted"]), (few.clone(), &json!(true)));
    assert_eq!(units, 3.0);
    few.extend(["GROUPgroup-bob", "GROUPgroup-100", "GROUPaaa"].map(str::to_owned));
    let (page, _) = named(&app, &few).await;
    assert_eq!((ids(&page), &page["isCompleted"]), (names([7, 58]), &json!(true)));
}

#[tokio::test]
async fn a_reply_about_groups_with_long_messages_has_some_and_says_that_it_is_not_whole() {
    for (bytes, at_least) in [(3_000, 25), (12 * 1024 - 20, 5)] {
        let app = TestApp::without_limits().await;
        groups_with(&app, 50, bytes).await;
        let mut left = names(0..50);
        for reply in 0.. {
            let (page, units) = named(&app, &left).await;
            assert!(units <= 64.0, "{units}");
            assert!(page.to_string().len() < 128 * 1024);
            let found = ids(&page);
            assert!(found.is_subset(&left), "{found:?}");
            assert!(found.len() >= at_least.min(left.len()), "{bytes}, reply {reply}: {}", found.len());
            left.retain(|name| !found.contains(name));
            assert_eq!(page["isCompleted"], left.is_empty(), "{bytes}, reply {reply}");
            assert_eq!(page["nextReqConversationID"], "", "a name is no place in the list");
            if left.is_empty() {
                break;
            }
        }
    }
}

#[tokio::test]
async fn who_has_just_made_a_group_finds_it_though_reads_are_a_second_old() {
    let app = TestApp::without_limits().await;
    app.lag(Lag::SECOND).await;
    app.ask("create-group", "alice", json!({ "groupID": GROUP, "type": "Public", "name": "g" })).await;
    app.dynamodb.break_calls(
        |_, request| {
            if request["TableName"] == "Messages" { Fault::Stale } else { Fault::None }
        },
    );
    let name = format!("GROUP{GROUP}");
    let by_name = app.ask("get-conversation-list", "alice", json!({ "conversationIDList": [name] })).await;
    let list = app.ask("get-conversation-list", "alice", json!({})).await;
    for page in [by_name, list] {
        assert_eq!((ids(&page), &page["isCompleted"]), ([name.clone()].into(), &json!(true)), "{page}");
    }
}

#[tokio::test]
async fn applications_to_seventy_groups_are_listed_part_by_part() {
    let app = TestApp::without_limits().await;
    for number in 0..70 {
        app.ask("create-group", "alice", json!({ "groupID": id(number), "type": "Public", "name": "g" }))
            .await;
        // In some groups nobody wants to be.
        if number % 3 > 0 {
            let application = json!({
                "g": { "S": id(number) }, "s": { "S": "J#bob" }, "k": { "S": "k" }, "t": { "N": "1" }, "x": { "N": "9999999999" },
            });
            app.put("Groups", application).await;
        }
    }
    let (mut found, mut next) = (Vec::new(), json!(""));
    for reply in 0.. {
        app.calls();
        let page = app.ask("get-group-application-list", "alice", json!({ "next": next })).await;
        assert!(app.calls().iter().map(|call| call.read_units).sum::<f64>() <= 64.0);
        let applications = page["applicationList"].as_array().unwrap();
        found.extend(applications.iter().map(|each| each["groupID"].as_str().unwrap().to_owned()));
        let Some(after) = page.get("next") else { break };
        assert!(next.as_str() < after.as_str() && reply < 70, "{next} {after}");
        next = after.clone();
    }
    let expected: Vec<String> = (0..70).filter(|number| number % 3 > 0).map(id).collect();
    assert_eq!(found, expected);
    let after = app.invoke("get-group-application-list", "alice", json!({ "next": "名" })).await;
    assert_eq!(after["code"], 10015);
}

#[tokio::test]
async fn long_applications_are_listed_as_far_as_a_reply_has_room() {
    let app = TestApp::without_limits().await;
    for number in 0..4 {
        app.ask("create-group", "alice", json!({ "groupID": id(number), "type": "Public", "name": "g" }))
            .await;
        for user in 0..100 {
            let words = "\"".repeat(300);
            app.put("Groups", json!({
                "g": { "S": id(number) }, "s": { "S": format!("J#user-{user:03}") }, "a": { "S": words }, "k": { "S": "k" },
                "t": { "N": "1" }, "x": { "N": "9999999999" },
            }))
            .await;
        }
    }
    let pages = app.pages("get-group-application-list", "alice", json!({}), "next").await;
    for page in &pages {
        assert!(page.to_string().len() < 128 * 1024, "{}", page.to_string().len());
    }
    let found = pages.iter().map(|page| page["applicationList"].as_array().unwrap().len());
    assert_eq!(found.sum::<usize>(), 400);
}

#[tokio::test]
async fn fifty_are_pinned_and_no_more_wherever_they_lie() {
    let app = TestApp::without_limits().await;
    app.ask("create-group", "alice", json!({ "groupID": GROUP, "type": "Public", "name": "g" })).await;
    for number in 0..150 {
        let mut row = json!({
            "u": { "S": "alice" }, "v": { "S": format!("·{}", id(number)) }, "t": { "N": "1" }, "ro": { "N": "0" },
            "rn": { "N": "0" }, "rq": { "N": "0" }, "rt": { "N": "0" },
        });
        if number >= 100 {
            row["k"] = json!({ "N": "1" });
        }
        app.put("Conversations", row).await;
    }
    app.send("bob", "alice", "1", 0).await;
    for name in [format!("GROUP{GROUP}"), "C2Cbob".to_owned()] {
        let pin = json!({ "conversationID": name, "isPinned": true });
        let reply = app.invoke("pin-conversation", "alice", pin).await;
        assert_eq!(reply["code"], 51008, "{reply}");
    }
}

/// In each of thirty groups two dozen messages have expired unread, and one lives.
#[tokio::test]
async fn what_has_expired_unread_is_not_counted_in_however_many_groups_it_has() {
    const GROUPS: usize = 30;
    let retention = Settings {
        retention: Some(600),
        frames_per_second: None,
        new_conversations_per_hour: None,
        ..Settings::default()
    };
    let app = TestApp::with(retention).await;
    let group = |number: usize| json!({ "groupID": id(number), "type": "Private", "name": "g", "memberList": [{ "userID": "bob" }] });
    for number in 0..GROUPS {
        app.ask("create-group", "alice", group(number)).await;
    }
    for round in 0..25 {
        app.advance(Duration::from_millis(if round < 24 { 100 } else { 700_000 }));
        for number in 0..GROUPS {
            let data = json!({
                "to": id(number), "conversationType": "GROUP", "clientID": round.to_string(), "base": round,
                "type": "TIMTextElem", "payload": { "text": "x" },
            });
            app.ask("send-message", "alice", data).await;
        }
    }
    let mut shown = Vec::new();
    for page in app.list("bob").await {
        let list = page["conversationList"].as_array().unwrap();
        assert!(!list.is_empty());
        shown.extend(list.iter().map(|found| found["unreadCount"].as_u64().unwrap()));
    }
    assert_eq!(shown, [1; GROUPS]);
}
