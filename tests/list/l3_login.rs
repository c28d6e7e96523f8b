//! L3: one exchange per connect.

use std::time::Duration;

use serde_json::{Value, json};

use super::{LONG, connect, ids, log_in, login, many_conversations, units};
use crate::harness::TestApp;

/// What changed for alice since a login that was answered so.
async fn again(app: &TestApp, before: &Value, named: &[&str]) -> Value {
    let data = json!({ "count": 20, "since": before["serverTime"], "conversationIDList": named });
    connect(app, "alice").await;
    app.calls();
    login(app, "alice", data).await
}

#[tokio::test]
async fn l3_a_fresh_start_has_all_that_a_client_shows_first() {
    let app = TestApp::new().await;
    many_conversations(&app, "alice", 30, 1).await;
    app.ask("update-my-profile", "alice", json!({ "nick": "爱丽丝" })).await;
    connect(&app, "alice").await;
    let reply = login(&app, "alice", json!({ "count": 20 })).await;
    assert_eq!(reply["profile"]["nick"], "爱丽丝");
    let page = &reply["conversationPage"];
    assert_eq!((ids(page).len(), page["profileList"].as_array().unwrap().len()), (20, 20));
    // It goes on where that ends.
    let next = json!({ "nextReqConversationID": page["nextReqConversationID"] });
    let rest = app.ask("get-conversation-list", "alice", next).await;
    assert_eq!((ids(&rest).len(), &rest["isCompleted"]), (10, &json!(true)));
    assert!(!ids(&rest).iter().any(|id| ids(page).contains(id)));

    // Who wants no list gets none, and pays for none.
    let reply = login(&app, "alice", json!({})).await;
    assert!(reply.get("conversationPage").is_none() && reply.get("profile").is_none());
}

#[tokio::test]
async fn l3_a_reconnect_with_nothing_new_costs_two_reads_and_says_so() {
    let app = TestApp::new().await;
    many_conversations(&app, "alice", 100, 1).await;
    app.send("bob", "alice", "1", 0).await;
    app.advance(LONG);
    let before = log_in(&app, "alice", json!({ "count": 20 })).await;
    app.advance(Duration::from_secs(60));
    let reply = again(&app, &before, &[]).await;
    assert_eq!(units(&app.calls()), (2.0, 0.0));
    let page = &reply["conversationPage"];
    assert_eq!((ids(page).len(), &page["isCompleted"]), (0, &json!(true)));
    assert_eq!(page["completeFrom"], before["serverTime"]);
    assert!(reply.get("profile").is_none());
}

#[tokio::test]
async fn l3_a_reconnect_has_what_changed_and_names_only_of_those_who_are_new() {
    let app = TestApp::new().await;
    many_conversations(&app, "alice", 100, 1).await;
    app.advance(LONG);
    let before = log_in(&app, "alice", json!({ "count": 20 })).await;
    app.advance(Duration::from_secs(60));
    for peer in ["peer-00050", "peer-00060"] {
        app.send(peer, "alice", "new", 1).await;
    }
    app.ask("update-my-profile", "stranger", json!({ "nick": "陌生人" })).await;
    app.send("stranger", "alice", "new", 0).await;
    app.advance(Duration::from_secs(60));
    app.calls();
    let reply = again(&app, &before, &["C2Cpeer-00070", "C2Cpeer-00050"]).await;
    // One each, half a one for a profile and for what was named.
    assert_eq!(units(&app.calls()), (2.0 + 3.0 + 0.5 + 0.5, 0.0));
    let page = &reply["conversationPage"];
    let mut found = ids(page);
    found.sort();
    assert_eq!(found, ["C2Cpeer-00050", "C2Cpeer-00060", "C2Cpeer-00070", "C2Cstranger"]);
    assert_eq!(page["profileList"].as_array().unwrap().len(), 1);
    assert_eq!(page["profileList"][0]["nick"], "陌生人");
    assert_eq!(page["isCompleted"], true);
}

#[tokio::test]
async fn l3_more_than_a_page_of_changes_goes_on_until_it_meets_what_is_known() {
    let app = TestApp::without_limits().await;
    many_conversations(&app, "alice", 60, 1).await;
    app.advance(LONG);
    let before = log_in(&app, "alice", json!({ "count": 20 })).await;
    app.advance(LONG);
    for number in 0..30 {
        app.send(&format!("peer-{:05}", 59 - number), "alice", "new", 1).await;
        app.advance(Duration::from_secs(1));
    }
    let data = json!({ "count": 7, "since": before["serverTime"] });
    connect(&app, "alice").await;
    let mut page = login(&app, "alice", data).await["conversationPage"].clone();
    let mut found = ids(&page);
    assert_eq!(found.len(), 7);
    while page["completeFrom"].as_u64() > before["serverTime"].as_u64() {
        let next = json!({ "count": 7, "nextReqConversationID": page["nextReqConversationID"] });
        page = app.ask("get-conversation-list", "alice", next).await;
        found.extend(ids(&page));
    }
    for number in 30..60 {
        assert!(found.contains(&format!("C2Cpeer-{number:05}")), "{number}");
    }
}
