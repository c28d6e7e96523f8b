use std::time::Duration;

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
        json!({ "conversationList": [], "nextReqConversationID": "", "isCompleted": true })
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
async fn more_than_a_hundred_conversations_come_in_parts_and_none_is_lost() {
    let app = TestApp::new().await;
    for index in 0..103 {
        app.send(&format!("user-{index:03}"), "alice", "1", 0).await;
    }
    let first = app.invoke("get-conversation-list", "alice", json!({})).await;
    assert_eq!((ids(&first).len(), &first["data"]["isCompleted"]), (100, &json!(false)));
    let next = first["data"]["nextReqConversationID"].clone();
    let second = app.invoke("get-conversation-list", "alice", json!({ "nextReqConversationID": next })).await;
    assert_eq!(ids(&second), ["C2Cuser-100", "C2Cuser-101", "C2Cuser-102"]);
    assert_eq!(second["data"]["isCompleted"], true);
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
