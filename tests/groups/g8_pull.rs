//! G8: what a pull shows when every push is lost.

use serde_json::json;

use super::{GROUP, change, conversation, listed, public, say};
use crate::harness::{fault_proxy::Fault, text_message};

#[tokio::test]
async fn g8_with_every_push_lost_a_pull_shows_all() {
    let app = public(&["bob", "carol"]).await;
    app.management.break_calls(|_, _| Fault::Refuse(500, "InternalServerError"));
    say(&app, "alice", "1", 1).await;
    let mut named = super::message("2", 1);
    named["atUserList"] = json!(["bob", "__kImSDK_MesssageAtALL__"]);
    app.ask("send-message", "alice", named).await;
    change(&app, "set-group-member", "alice", "role", json!({ "userID": "bob", "role": "Admin" })).await;
    change(&app, "update-group-profile", "alice", "name", json!({ "name": "new" })).await;
    app.ask("revoke-message", "alice", json!({ "conversationID": conversation(), "sequence": 2 })).await;
    change(&app, "delete-group-member", "alice", "kick", json!({ "userIDList": ["carol"] })).await;
    let shown = listed(&app, "bob").await.unwrap();
    assert_eq!(shown["groupProfile"]["selfInfo"]["role"], "Admin");
    assert_eq!(
        (&shown["groupProfile"]["name"], &shown["groupProfile"]["memberCount"]),
        (&json!("new"), &json!(2))
    );
    assert_eq!(
        shown["groupAtInfoList"],
        json!([{ "from": "alice", "messageSequence": 3, "atTypeArray": [3] }])
    );
    assert_eq!(shown["lastMessage"]["payload"]["operationType"], 3);
    let history = super::history(&app, "bob").await;
    assert_eq!(history[1]["isRevoked"], true);
    let tips: Vec<u64> =
        history.iter().filter_map(|shown| shown["payload"]["operationType"].as_u64()).collect();
    assert_eq!(tips, [1, 4, 6, 3]);
    assert_eq!(listed(&app, "carol").await, None);
}

#[tokio::test]
async fn g8_groups_come_first_in_a_list_and_go_on_where_a_page_ends() {
    let app = crate::harness::TestApp::without_limits().await;
    app.send("bob", "alice", "1", 0).await;
    let ids: Vec<String> = (0..70).map(|number| format!("group-{number:02}")).collect();
    for id in &ids {
        app.ask("create-group", "alice", json!({ "groupID": id, "type": "Public", "name": "g" })).await;
        let mut data = text_message(id, "1", 0);
        data["conversationType"] = json!("GROUP");
        // Large ones, so that a page is full.
        data["payload"]["text"] = json!("x".repeat(3_000));
        app.ask("send-message", "alice", data).await;
    }
    let mut seen = Vec::new();
    let pages = app.list("alice").await;
    for page in &pages {
        let list = page["conversationList"].as_array().unwrap();
        seen.extend(list.iter().map(|listed| listed["conversationID"].as_str().unwrap().to_owned()));
        if page["groupsGoOn"] == true {
            assert!(
                page["completeFrom"].as_u64().unwrap() > app.clock.now() / 1000,
                "nothing is complete yet"
            );
            assert!(list.iter().all(|listed| listed["type"] == "GROUP"));
        }
    }
    assert!(pages.len() > 1);
    seen.sort();
    let mut all: Vec<String> = ids.iter().map(|id| format!("GROUP{id}")).collect();
    all.push("C2Cbob".to_owned());
    all.sort();
    assert_eq!(seen, all);
    // Who has none finds none, and who has quit the only one too.
    assert_eq!(
        app.ask("get-conversation-list", "bob", json!({})).await["conversationList"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let _ = GROUP;
}
