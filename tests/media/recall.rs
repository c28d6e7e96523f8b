use hongyan_shared::media::MediaKey;
use serde_json::{Value, json};

use super::{Form, is_there};
use crate::harness::{TestApp, event, fault_proxy::Fault, text_message};

/// Sends a picture that lies at these places.
async fn send_picture(app: &TestApp, from: &str, to: &str, uuid: &str, urls: &[String]) -> u64 {
    let infos: Vec<Value> = urls.iter().map(|url| json!({ "url": url, "imageUrl": url })).collect();
    let mut data = text_message(to, uuid, 0);
    data["type"] = json!("TIMImageElem");
    data["clientID"] = json!("1");
    data["payload"] = json!({ "uuid": uuid, "imageFormat": 3, "imageInfoArray": infos });
    app.ask("send-message", from, data).await["message"]["sequence"].as_u64().unwrap()
}

async fn recall(app: &TestApp, from: &str, to: &str, sequence: u64) {
    let data = json!({ "conversationID": format!("C2C{to}"), "sequence": sequence });
    app.ask("revoke-message", from, data).await;
}

fn url(app: &TestApp, key: &MediaKey) -> String {
    format!("{}{key}", app.twin.media.url)
}

#[tokio::test]
async fn a_recall_takes_the_media_of_its_message_away_and_no_others() {
    let app = TestApp::new().await;
    let [original, other] = [0, 1].map(|letter| Form::new("alice", letter, 10));
    let preview = Form::for_preview("alice", 0);
    let of_bob = Form::new("bob", 0, 10);
    for form in [&original, &preview, &other, &of_bob] {
        form.upload(&app, b"x").await;
    }
    // The URL of a picture of bob's is known to alice, to whom bob has sent it.
    let urls = [url(&app, &preview.key), url(&app, &of_bob.key), "https://example.com/x.png".to_owned()];
    let sequence = send_picture(&app, "alice", "bob", original.key.as_str(), &urls).await;
    app.twin.deliver_changes().await.unwrap();
    assert!(is_there(&app, &original.key).await && is_there(&app, &preview.key).await);

    recall(&app, "alice", "bob", sequence).await;
    app.twin.deliver_changes().await.unwrap();
    assert!(!is_there(&app, &original.key).await && !is_there(&app, &preview.key).await);
    assert!(is_there(&app, &other.key).await, "nobody has named it");
    assert!(is_there(&app, &of_bob.key).await, "it is not alice's");
}

#[tokio::test]
async fn a_recall_of_what_was_forwarded_leaves_the_first_message_its_picture() {
    let app = TestApp::new().await;
    let form = Form::new("alice", 0, 10);
    form.upload(&app, b"x").await;
    let urls = [url(&app, &form.key)];
    let first = send_picture(&app, "alice", "bob", form.key.as_str(), &urls).await;
    let forwarded = send_picture(&app, "alice", "carol", "", &urls).await;

    recall(&app, "alice", "carol", forwarded).await;
    app.twin.deliver_changes().await.unwrap();
    assert!(is_there(&app, &form.key).await);
    recall(&app, "alice", "bob", first).await;
    app.twin.deliver_changes().await.unwrap();
    assert!(!is_there(&app, &form.key).await);
}

#[tokio::test]
async fn a_text_that_mentions_a_picture_is_recalled_without_it() {
    let app = TestApp::new().await;
    let form = Form::new("alice", 0, 10);
    form.upload(&app, b"x").await;
    let mut data = text_message("bob", "1", 0);
    data["payload"]["text"] = json!(url(&app, &form.key));
    app.ask("send-message", "alice", data).await;
    recall(&app, "alice", "bob", 1).await;
    app.twin.deliver_changes().await.unwrap();
    assert!(is_there(&app, &form.key).await);
}

/// The batch of `events/`, in which alice has recalled a picture that lies here.
fn batch(key: &MediaKey) -> Value {
    let mut event = event("delete-media");
    let payload = json!({ "uuid": key.as_str(), "imageInfoArray": [] }).to_string();
    event["Records"][0]["dynamodb"]["NewImage"]["d"] = json!({ "S": payload });
    event
}

fn failures(event: &Value) -> Value {
    let number = event["Records"][0]["dynamodb"]["SequenceNumber"].clone();
    json!({ "batchItemFailures": [{ "itemIdentifier": number }] })
}

fn none() -> Value {
    json!({ "batchItemFailures": [] })
}

#[tokio::test]
async fn what_s3_does_not_delete_is_deleted_when_it_comes_again() {
    let app = TestApp::new().await;
    let form = Form::new("alice", 0, 10);
    form.upload(&app, b"x").await;
    let event = batch(&form.key);
    for fault in [Fault::Refuse(503, "SlowDown"), Fault::Refuse(403, "AccessDenied"), Fault::Reset] {
        app.dynamodb.break_calls(move |operation, _| {
            assert_eq!(operation, "DELETE", "a table is not read");
            fault.clone()
        });
        assert_eq!(app.sandbox.consume("delete-media", event.clone()).await, Some(failures(&event)));
        assert!(is_there(&app, &form.key).await);
    }
    app.dynamodb.mend();
    assert_eq!(app.sandbox.consume("delete-media", event.clone()).await, Some(none()));
    assert!(!is_there(&app, &form.key).await);
    assert_eq!(app.sandbox.consume("delete-media", event).await, Some(none()), "and again");
}

#[tokio::test]
async fn a_function_that_dies_behind_its_delete_may_do_it_again() {
    let app = TestApp::new().await;
    let form = Form::new("alice", 0, 10);
    form.upload(&app, b"x").await;
    let event = batch(&form.key);
    app.dynamodb.break_calls(|_, _| Fault::LoseAnswer);
    tokio::select! {
        answer = app.sandbox.consume("delete-media", event.clone()) => panic!("{answer:?}"),
        () = app.dynamodb.lost() => {}
    }
    assert!(!is_there(&app, &form.key).await);
    app.dynamodb.mend();
    assert_eq!(app.sandbox.consume("delete-media", event).await, Some(none()));
}

#[tokio::test]
async fn a_record_that_nobody_can_read_keeps_no_other_from_being_done() {
    let app = TestApp::new().await;
    let forms = [0, 1].map(|letter| Form::new("alice", letter, 10));
    for form in &forms {
        form.upload(&app, b"x").await;
    }
    let records = [batch(&forms[0].key), batch(&forms[0].key), batch(&forms[1].key)]
        .map(|event| event["Records"][0].clone());
    for (name, value) in [("d", json!({ "S": "{" })), ("f", json!({ "S": "" })), ("s", json!({ "N": "1" }))] {
        let mut event = json!({ "Records": records });
        event["Records"][0]["dynamodb"]["NewImage"][name] = value;
        for number in 0..3 {
            event["Records"][number]["dynamodb"]["SequenceNumber"] = json!(number.to_string());
        }
        let failed = json!({ "batchItemFailures": [{ "itemIdentifier": "0" }] });
        assert_eq!(app.sandbox.consume("delete-media", event).await, Some(failed), "{name}");
        assert!(!is_there(&app, &forms[0].key).await && !is_there(&app, &forms[1].key).await);
    }
    assert_eq!(app.sandbox.consume("delete-media", json!({ "Records": [{}] })).await, None);
}

#[tokio::test]
async fn a_message_that_is_not_recalled_keeps_its_media_whatever_the_filter_lets_through() {
    let app = TestApp::new().await;
    let form = Form::new("alice", 0, 10);
    form.upload(&app, b"x").await;
    let mut event = batch(&form.key);
    event["Records"][0]["dynamodb"]["NewImage"].as_object_mut().unwrap().remove("r").unwrap();
    assert_eq!(app.sandbox.consume("delete-media", event).await, Some(none()));
    assert!(is_there(&app, &form.key).await);
}
