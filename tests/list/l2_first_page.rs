//! L2: the first page costs the same however long the list is.

use serde_json::json;

use super::{ids, log_in, login, many_conversations, units};
use crate::harness::TestApp;

/// How many conversations a page is asked for.
const K: u64 = 10;

#[tokio::test]
async fn l2_the_first_page_costs_the_same_with_10_1_000_and_20_000_conversations() {
    for conversations in [10, 1_000, 20_000] {
        let app = TestApp::new().await;
        many_conversations(&app, "alice", conversations, 1).await;
        log_in(&app, "alice", json!({})).await;

        let reply = app.ask("get-conversation-list", "alice", json!({ "count": K })).await;
        let newest: Vec<_> = (0..K).map(|number| format!("C2Cpeer-{number:05}")).collect();
        assert_eq!(ids(&reply), newest);
        assert_eq!(reply["profileList"].as_array().unwrap().len(), K as usize);
        assert_eq!(reply["profileList"][0]["nick"], "用户0");
        // A query, and of each its end and a profile.
        assert_eq!(units(&app.calls()), (0.5 + K as f64, 0.0), "{conversations}");

        // The same, with one's own profile, and a query that misses nothing.
        let reply = login(&app, "alice", json!({ "count": K })).await;
        assert_eq!(ids(&reply["conversationPage"]), newest);
        assert_eq!(units(&app.calls()), (2.5 + K as f64, 0.0), "{conversations}");
    }
}

#[tokio::test]
async fn l2_what_is_pinned_is_with_the_first_page_and_the_page_is_as_long_as_it_would_be() {
    let app = TestApp::without_limits().await;
    many_conversations(&app, "alice", 200, 1).await;
    for number in 150..200 {
        let pin = json!({ "conversationID": format!("C2Cpeer-{number:05}"), "isPinned": true });
        app.ask("pin-conversation", "alice", pin).await;
    }
    let one_more = json!({ "conversationID": "C2Cpeer-00149", "isPinned": true });
    assert_eq!(app.invoke("pin-conversation", "alice", one_more).await["code"], 51008);
    let again = json!({ "conversationID": "C2Cpeer-00199", "isPinned": true });
    app.ask("pin-conversation", "alice", again).await;
    app.calls();
    let reply = app.ask("get-conversation-list", "alice", json!({ "count": 5 })).await;
    let (read, _) = units(&app.calls());
    assert!(read <= 2.0 + 55.0, "{read}");
    let list = reply["conversationList"].as_array().unwrap();
    assert_eq!((list.len(), list.iter().filter(|found| found["isPinned"] == true).count()), (55, 50));
    // What is behind has none of them any more.
    let next = json!({ "count": 5, "nextReqConversationID": reply["nextReqConversationID"] });
    let next = app.ask("get-conversation-list", "alice", next).await;
    assert_eq!(ids(&next), (5..10).map(|number| format!("C2Cpeer-{number:05}")).collect::<Vec<_>>());

    // One that is not pinned any more is where it was, or higher.
    let unpin = json!({ "conversationID": "C2Cpeer-00199", "isPinned": false });
    app.ask("pin-conversation", "alice", unpin).await;
    let reply = app.ask("get-conversation-list", "alice", json!({ "count": 5 })).await;
    let list = reply["conversationList"].as_array().unwrap();
    assert_eq!((list.len(), list.iter().filter(|found| found["isPinned"] == true).count()), (54, 49));
}
