use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use crate::harness::{START_MS, TestApp, body, event, largest_message};

fn ids(reply: &Value) -> Vec<&str> {
    let list = reply["data"]["conversationList"].as_array().unwrap();
    list.iter().map(|conversation| conversation["conversationID"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn nobody_has_talked_yet() {
    let app = TestApp::new().await;
    let reply = body(app.respond("get-conversation-list", &event("get-conversation-list")).await);
    assert_eq!(
        reply["data"],
        json!({
            "conversationList": [], "profileList": [],
            "nextReqConversationID": "", "isCompleted": true, "completeFrom": 0,
        })
    );
}

#[tokio::test]
async fn the_newest_conversation_is_first_with_all_that_a_list_shows() {
    let app = TestApp::new().await;
    app.send("bob", "alice", "1", 0).await;
    app.advance(Duration::from_secs(5));
    app.send("carol", "alice", "1", 0).await;
    app.advance(Duration::from_secs(5));
    app.send("alice", "bob", "2", 1).await;
    app.invoke("set-message-read", "bob", json!({ "conversationID": "C2Calice", "sequence": 2 })).await;

    let reply = app.invoke("get-conversation-list", "alice", json!({})).await;
    assert_eq!(ids(&reply), ["C2Cbob", "C2Ccarol"]);
    let message = app.history("alice", "bob").await.pop().unwrap();
    assert_eq!(
        reply["data"]["conversationList"][0],
        json!({
            "conversationID": "C2Cbob", "type": "C2C", "unreadCount": 1, "lastMessage": message,
            "lastSequence": 2, "readSequence": 0, "peerReadSequence": 2,
            "peerReadTime": START_MS / 1000 + 10, "clearedSequence": 0, "isPinned": false,
        })
    );
}

#[tokio::test]
async fn a_long_list_comes_in_pages_and_none_is_lost_or_there_twice() {
    let app = TestApp::without_limits().await;
    for index in 0..103 {
        app.send(&format!("user-{index:03}"), "alice", "1", 0).await;
        app.ask("update-my-profile", &format!("user-{index:03}"), json!({ "nick": index.to_string() })).await;
    }
    for (count, largest) in [(json!(null), 40..100), (json!(20), 20..21), (json!(1), 1..2)] {
        let (mut seen, mut next) = (Vec::new(), json!(""));
        loop {
            let data = json!({ "nextReqConversationID": next, "count": count });
            let reply = app.invoke("get-conversation-list", "alice", data).await;
            let is_completed = reply["data"]["isCompleted"] == true;
            assert!(is_completed || largest.contains(&ids(&reply).len()), "{}", ids(&reply).len());
            // Each has its profile beside it.
            let profiles = reply["data"]["profileList"].as_array().unwrap();
            let users = profiles.iter().map(|profile| format!("C2C{}", profile["userID"].as_str().unwrap()));
            assert_eq!(users.collect::<BTreeSet<_>>(), ids(&reply).into_iter().map(str::to_owned).collect());
            seen.extend(ids(&reply).into_iter().map(str::to_owned));
            assert_eq!(reply["data"]["completeFrom"] == 0, is_completed);
            if is_completed {
                break;
            }
            next = reply["data"]["nextReqConversationID"].clone();
        }
        assert_eq!(seen.len(), 103);
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>().len(), 103);
    }
}

#[tokio::test]
async fn a_conversation_is_found_by_its_name_whether_it_is_in_the_list_or_not() {
    let app = TestApp::new().await;
    for peer in ["bob", "carol", "dave"] {
        app.send(peer, "alice", "1", 0).await;
    }
    app.ask("pin-conversation", "alice", json!({ "conversationID": "C2Ccarol", "isPinned": true })).await;
    app.ask("delete-conversation", "alice", json!({ "conversationID": "C2Cbob" })).await;
    app.advance(Duration::from_secs(60));
    app.ask("get-conversation-list", "alice", json!({})).await;
    let names = json!({ "conversationIDList": ["C2Cbob", "C2Ccarol", "C2Cstranger"] });
    let reply = app.invoke("get-conversation-list", "alice", names).await;
    assert_eq!(ids(&reply), ["C2Cbob", "C2Ccarol"]);
    assert_eq!(
        reply["data"]["conversationList"]
            .as_array()
            .unwrap()
            .iter()
            .map(|found| found["isPinned"].clone())
            .collect::<Vec<_>>(),
        [json!(false), json!(true)]
    );
    assert_eq!(reply["data"]["isCompleted"], true);
}

#[tokio::test]
async fn a_list_of_the_largest_messages_fits_a_frame_and_the_rest_follows() {
    let app = TestApp::new().await;
    for index in 0..12 {
        let data = largest_message("alice", "1", 0);
        assert_eq!(app.invoke("send-message", &format!("user-{index:02}"), data).await["code"], 0);
    }
    let (mut seen, mut next) = (0, json!(""));
    loop {
        let reply =
            app.invoke("get-conversation-list", "alice", json!({ "nextReqConversationID": next })).await;
        assert!(reply.to_string().len() < 128 * 1024);
        seen += ids(&reply).len();
        if reply["data"]["isCompleted"] == true {
            break;
        }
        next = reply["data"]["nextReqConversationID"].clone();
    }
    assert_eq!(seen, 12);
}
