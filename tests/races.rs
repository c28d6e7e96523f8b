//! Orders of calls that the model in `numbers` has found to break a promise, through the real handlers.

use std::time::Duration;

use hongyan_functions::config::Settings;
use serde_json::{Value, json};

use crate::{
    groups::{self, public},
    harness::{TestApp, fault_proxy::Fault, text_message},
};

const DAY: u64 = 24 * 60 * 60;

fn later_by(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

async fn with_retention() -> TestApp {
    TestApp::with(Settings { retention: Some(DAY), ..Settings::default() }).await
}

/// How often the table has a message of this name.
async fn stored(app: &TestApp, name: &str) -> usize {
    app.dump("Messages").await.iter().filter(|row| row["c"]["S"] == name).count()
}

/// Sends the message twice at once. The first attempt stands still before the first call of this kind, until the
/// second one has its answer.
async fn sent_while_another_stands_still(
    app: &TestApp,
    call: (&'static str, &'static str),
    meanwhile: impl FnOnce(),
) -> (Value, Value) {
    let message = || text_message("bob", "2", 1);
    one_while_another_stands_still(app, call, meanwhile, [message(), message()]).await
}

/// The same with two messages.
async fn one_while_another_stands_still(
    app: &TestApp,
    (operation, key): (&'static str, &'static str),
    meanwhile: impl FnOnce(),
    [slow, fast]: [Value; 2],
) -> (Value, Value) {
    let mut is_first = true;
    app.dynamodb.break_calls(move |called, request| {
        let row = if called == "PutItem" { &request["Item"] } else { &request["Key"] };
        let is_it = called == operation
            && request["TableName"] == "Messages"
            && row["s"]["S"].as_str().is_some_and(|row| row.starts_with(key));
        if is_it && std::mem::take(&mut is_first) { Fault::Hold } else { Fault::None }
    });
    let send = |message| app.invoke("send-message", "alice", message);
    let overtakes = async {
        app.dynamodb.held().await;
        meanwhile();
        let reply = send(fast).await;
        app.dynamodb.release();
        reply
    };
    let replies = tokio::join!(send(slow), overtakes);
    app.dynamodb.mend();
    replies
}

#[tokio::test]
async fn p2_two_attempts_that_begin_again_behind_a_floor_become_one_message() {
    let app = with_retention().await;
    app.send("alice", "bob", "1", 0).await;
    app.advance(later_by(2 * DAY));

    let (slow, fast) = sent_while_another_stands_still(&app, ("GetItem", "F"), || {}).await;
    assert_eq!((&slow["code"], &fast["code"]), (&json!(0), &json!(0)), "{slow} {fast}");
    assert_eq!(slow["data"]["message"]["sequence"], fast["data"]["message"]["sequence"]);
    assert_eq!(stored(&app, "2").await, 1);
}

#[tokio::test]
async fn p2_at_the_end_of_the_last_message_two_attempts_become_one_message() {
    let app = with_retention().await;
    app.send("alice", "bob", "1", 0).await;
    app.advance(later_by(DAY - 1));

    let (slow, fast) =
        sent_while_another_stands_still(&app, ("PutItem", "M"), || app.advance(later_by(1))).await;
    assert_eq!(slow["data"]["message"]["sequence"], 2, "{slow}");
    // Nobody can know yet what the other one is about to write.
    assert_eq!((&fast["code"], &fast["data"]), (&json!(20004), &json!({})), "{fast}");
    app.advance(later_by(15));
    assert_eq!(app.send("alice", "bob", "2", 1).await, 2);
    assert_eq!(stored(&app, "2").await, 1);
}

#[tokio::test]
async fn p2_a_base_of_the_conversation_before_does_not_hide_a_message_of_this_one() {
    let app = with_retention().await;
    app.send("alice", "bob", "1", 0).await;
    app.advance(later_by(40 * DAY));
    app.sweep().await;
    assert_eq!(app.dump("Messages").await, Vec::<Value>::new());

    let reply = app.invoke("send-message", "alice", text_message("bob", "2", 1)).await;
    assert_eq!((&reply["code"], &reply["data"]), (&json!(20004), &json!({ "lastSequence": 0 })), "{reply}");
    assert_eq!(app.send("alice", "bob", "2", 0).await, 1);
}

#[tokio::test]
async fn p1_of_two_messages_of_one_name_that_are_sent_at_once_the_second_is_refused() {
    let app = public(&[]).await;
    app.send("alice", "bob", "1", 0).await;
    for message in [text_message("bob", "2", 1), groups::message("2", 0)] {
        let mut other = message.clone();
        other["payload"]["text"] = json!("something else");
        let call = ("PutItem", "M");
        let (slow, fast) = one_while_another_stands_still(&app, call, || {}, [message, other]).await;
        assert_eq!((&slow["code"], &fast["code"]), (&json!(70402), &json!(0)), "{slow} {fast}");
    }
    assert_eq!(stored(&app, "2").await, 2);
}
