//! L9: unread messages are announced after a login in exchanges that grow with their bytes, not with the number of
//! conversations.

use serde_json::{Value, json};

use super::{connect, login, many_conversations};
use crate::harness::TestApp;

/// How many bytes of replies are worth an exchange.
const BYTES: usize = 24 * 1024;

#[tokio::test]
async fn l9_a_thousand_conversations_with_unread_messages_take_few_exchanges() {
    for unread in [1_u64, 3] {
        let app = TestApp::without_limits().await;
        many_conversations(&app, "alice", 1_000, unread).await;
        connect(&app, "alice").await;
        let (mut exchanges, mut bytes, mut announced) = (0, 0, 0_u64);
        let mut took = |reply: &Value| {
            exchanges += 1;
            bytes += reply.to_string().len();
        };
        let mut missing = Vec::new();
        let reply = login(&app, "alice", json!({ "count": 20 })).await;
        took(&reply);
        let mut page = reply["conversationPage"].clone();
        loop {
            for conversation in page["conversationList"].as_array().unwrap() {
                assert_eq!(conversation["unreadCount"], unread);
                announced += 1;
                let last = conversation["lastSequence"].as_u64().unwrap();
                if last > 1 {
                    missing.push(json!({
                        "conversationID": conversation["conversationID"], "fromSequence": 1, "toSequence": last - 1,
                    }));
                }
            }
            if page["isCompleted"] == true {
                break;
            }
            let next = json!({ "nextReqConversationID": page["nextReqConversationID"] });
            page = app.ask("get-conversation-list", "alice", next).await;
            took(&page);
        }
        while !missing.is_empty() {
            let wanted: Vec<_> = missing.drain(..missing.len().min(100)).collect();
            let reply = app.ask("get-message-list", "alice", json!({ "ranges": wanted })).await;
            took(&reply);
            for (range, mut wanted) in reply["rangeList"].as_array().unwrap().iter().zip(wanted) {
                assert_eq!(range["conversationID"], wanted["conversationID"]);
                announced += range["messageList"].as_array().unwrap().len() as u64;
                if range["isCompleted"] == false {
                    wanted["fromSequence"] = range["nextSequence"].clone();
                    missing.push(wanted);
                }
            }
        }
        assert_eq!(announced, 1_000 * unread);
        assert!(exchanges <= 2 + bytes / BYTES, "{exchanges} exchanges for {bytes} bytes");
    }
}

#[tokio::test]
async fn l9_a_long_gap_in_a_few_conversations_takes_few_exchanges_as_well() {
    let app = TestApp::without_limits().await;
    many_conversations(&app, "alice", 4, 200).await;
    let (mut exchanges, mut bytes, mut announced) = (0, 0, 0);
    let mut missing: Vec<Value> = (0..4)
        .map(|number| {
            json!({ "conversationID": format!("C2Cpeer-{number:05}"), "fromSequence": 1, "toSequence": 200 })
        })
        .collect();
    while !missing.is_empty() {
        let reply = app.ask("get-message-list", "alice", json!({ "ranges": missing })).await;
        exchanges += 1;
        bytes += reply.to_string().len();
        assert!(reply.to_string().len() < 128 * 1024);
        let mut left = Vec::new();
        for (range, mut wanted) in reply["rangeList"].as_array().unwrap().iter().zip(missing) {
            announced += range["messageList"].as_array().unwrap().len();
            if range["isCompleted"] == false {
                wanted["fromSequence"] = range["nextSequence"].clone();
                left.push(wanted);
            }
        }
        missing = left;
    }
    assert_eq!(announced, 800);
    assert!(exchanges <= 2 + bytes / BYTES, "{exchanges} exchanges for {bytes} bytes");
}
