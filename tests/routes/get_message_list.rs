use serde_json::{Value, json};

use crate::harness::{TestApp, body, event, largest_message, sequences};

async fn page(app: &TestApp, data: Value) -> (Vec<u64>, String, bool) {
    let reply = app.invoke("get-message-list", "alice", data).await;
    let data = &reply["data"];
    assert_eq!(reply["code"], 0, "{reply}");
    (
        sequences(data["messageList"].as_array().unwrap()),
        data.get("nextReqMessageID").unwrap_or(&data["nextSequence"]).to_string().replace('"', ""),
        data["isCompleted"].as_bool().unwrap(),
    )
}

async fn with_messages(count: u64) -> TestApp {
    let app = TestApp::new().await;
    for base in 0..count {
        app.send("alice", "bob", &base.to_string(), base).await;
    }
    app
}

#[tokio::test]
async fn a_conversation_that_never_was_is_empty_and_complete() {
    let app = TestApp::new().await;
    let reply = body(app.respond("get-message-list", &event("get-message-list")).await);
    assert_eq!(reply["data"], json!({ "messageList": [], "nextReqMessageID": "", "isCompleted": true }));
}

#[tokio::test]
async fn pages_go_back_in_time_and_ascend_inside() {
    let app = with_messages(32).await;
    let id = "C2Cbob";
    let (first, next, done) = page(&app, json!({ "conversationID": id, "nextReqMessageID": "" })).await;
    assert_eq!((first, done), ((18..=32).collect(), false));
    let (second, next, done) =
        page(&app, json!({ "conversationID": id, "nextReqMessageID": next, "count": 99 })).await;
    assert_eq!((second, done), ((3..=17).collect(), false));
    let (third, next, done) = page(&app, json!({ "conversationID": id, "nextReqMessageID": next })).await;
    assert_eq!((third, next.as_str(), done), (vec![1, 2], "", true));

    let (all, next, done) =
        page(&app, json!({ "conversationID": id, "nextReqMessageID": "16", "count": 15 })).await;
    assert_eq!(
        (all, next.as_str(), done),
        ((1..=15).collect(), "1", false),
        "something may have been imported"
    );
    let (rest, next, done) = page(&app, json!({ "conversationID": id, "nextReqMessageID": next })).await;
    assert_eq!((rest, next.as_str(), done), (vec![], "", true));
}

#[tokio::test]
async fn a_range_fills_a_gap() {
    let app = with_messages(20).await;
    let range = |from: u64, to: Option<u64>| json!({ "conversationID": "C2Cbob", "fromSequence": from, "toSequence": to });
    let none = || "0".to_owned();
    assert_eq!(page(&app, range(5, Some(9))).await, ((5..=9).collect(), none(), true));
    assert_eq!(page(&app, range(19, None)).await, (vec![19, 20], none(), true));
    assert_eq!(page(&app, range(21, None)).await, (vec![], none(), true));
    let mut few = range(1, None);
    few["count"] = json!(4);
    assert_eq!(page(&app, few).await, ((1..=4).collect(), "5".to_owned(), false));
}

#[tokio::test]
async fn a_page_of_the_largest_messages_fits_a_frame_and_the_rest_follows() {
    let app = TestApp::new().await;
    for base in 0..15 {
        let data = largest_message("bob", &base.to_string(), base);
        assert_eq!(app.invoke("send-message", "alice", data).await["code"], 0);
    }
    let reply = app.invoke("get-message-list", "bob", json!({ "conversationID": "C2Calice" })).await;
    assert!(reply.to_string().len() < 128 * 1024);
    assert_eq!(reply["data"]["isCompleted"], false);
    assert_eq!(sequences(&app.history("bob", "alice").await), (1..=15).collect::<Vec<_>>());

    let range =
        |from: &str| json!({ "conversationID": "C2Cbob", "fromSequence": from.parse::<u64>().unwrap() });
    let (mut all, mut next) = (Vec::new(), "1".to_owned());
    while next != "0" {
        let (part, following, _) = page(&app, range(&next)).await;
        all.extend(part);
        next = following;
    }
    assert_eq!(all, (1..=15).collect::<Vec<_>>());
}

#[tokio::test]
async fn of_a_range_no_more_is_read_than_a_frame_holds() {
    let app = TestApp::new().await;
    for base in 0..20 {
        let data = largest_message("bob", &base.to_string(), base);
        assert_eq!(app.invoke("send-message", "alice", data).await["code"], 0);
    }
    app.calls();
    let (part, next, is_completed) =
        page(&app, json!({ "conversationID": "C2Cbob", "fromSequence": 1 })).await;
    assert!(!is_completed && next.parse() == Ok(part.len() + 1), "{next}");
    // Sixteen of them are more than a frame already.
    assert_eq!(app.calls().iter().filter(|call| call.operation == "Query").count(), 1);
}
