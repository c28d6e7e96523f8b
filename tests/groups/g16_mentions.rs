//! G16: an acknowledged mention is in the list of who is named until they have read it.

use serde_json::{Value, json};

use super::{conversation, listed, message, public};
use crate::harness::{TestApp, fault_proxy::Fault};

async fn mentions(app: &TestApp, user: &str) -> Vec<u64> {
    let found = listed(app, user).await.unwrap()["groupAtInfoList"].clone();
    let found = found.as_array().cloned().unwrap_or_default();
    found.iter().map(|mention: &Value| mention["messageSequence"].as_u64().unwrap()).collect()
}

async fn name(app: &TestApp, client_id: &str, users: &[&str]) -> u64 {
    app.advance(std::time::Duration::from_millis(100));
    let mut data = message(client_id, 0);
    data["atUserList"] = json!(users);
    app.ask("send-message", "alice", data).await["message"]["sequence"].as_u64().unwrap()
}

#[tokio::test]
async fn g16_a_mention_is_there_until_it_is_read() {
    let app = public(&["bob", "carol"]).await;
    let first = name(&app, "1", &["bob", "mallory", "alice"]).await;
    let second = name(&app, "2", &["__kImSDK_MesssageAtALL__"]).await;
    let third = name(&app, "3", &["bob", "carol"]).await;
    assert_eq!(mentions(&app, "bob").await, [first, second, third]);
    assert_eq!(mentions(&app, "carol").await, [second, third]);
    assert_eq!(
        mentions(&app, "alice").await,
        Vec::<u64>::new(),
        "who names themselves, or all, does not name themselves"
    );
    app.ask("set-message-read", "bob", json!({ "conversationID": conversation(), "sequence": second })).await;
    assert_eq!(mentions(&app, "bob").await, [third]);
    for number in 0..20 {
        name(&app, &format!("more-{number}"), &["bob"]).await;
    }
    assert_eq!(mentions(&app, "bob").await.len(), 16, "sixteen are noted");
    app.ask("set-message-read", "bob", json!({ "conversationID": conversation() })).await;
    assert_eq!(mentions(&app, "bob").await, Vec::<u64>::new());
    let last = name(&app, "last", &["bob"]).await;
    assert_eq!(mentions(&app, "bob").await, [last]);
}

#[tokio::test]
async fn g16_a_send_that_is_cut_off_before_it_noted_whom_it_names_notes_it_when_it_comes_again() {
    let app = public(&["bob"]).await;
    app.dynamodb.break_calls(|operation, request| {
        let is_mention = operation == "UpdateItem" && request["UpdateExpression"] == "ADD m :m";
        if is_mention { Fault::LoseCall } else { Fault::None }
    });
    let mut data = message("1", 0);
    data["atUserList"] = json!(["bob"]);
    tokio::select! {
        _ = app.invoke("send-message", "alice", data.clone()) => unreachable!("it is not acknowledged"),
        () = app.dynamodb.lost() => {}
    }
    app.dynamodb.mend();
    let sent = app.ask("send-message", "alice", data).await;
    assert_eq!(mentions(&app, "bob").await, [sent["message"]["sequence"].as_u64().unwrap()]);
}
