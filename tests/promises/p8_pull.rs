//! P8: when every push is lost, a pull loses nothing.

use std::time::Duration;

use hongyan_functions::config::Settings;
use serde_json::{Value, json};

use super::{DAY, with_retention};
use crate::harness::{TestApp, fault_proxy::Fault, replica::Lag, sequences};

#[tokio::test]
async fn p8_a_range_passes_over_what_has_expired_and_was_not_swept() {
    let app = TestApp::with(Settings { frames_per_second: None, ..with_retention() }).await;
    for base in 0..120 {
        if base == 110 {
            app.advance(DAY / 2);
        }
        app.send("bob", "alice", &base.to_string(), base).await;
    }
    app.advance(DAY / 2);
    let range = async |data: Value| {
        let mut request = json!({ "conversationID": "C2Cbob" });
        request.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
        let reply = app.invoke("get-message-list", "alice", request).await;
        assert_eq!(reply["code"], 0, "{reply}");
        let data = &reply["data"];
        (
            sequences(data["messageList"].as_array().unwrap()),
            data["nextSequence"].clone(),
            data["isCompleted"].clone(),
        )
    };
    assert_eq!(range(json!({ "fromSequence": 1, "count": 1 })).await, (vec![111], json!(112), json!(false)));
    assert_eq!(range(json!({ "fromSequence": 1 })).await, ((111..=120).collect(), json!(0), json!(true)));
    assert_eq!(range(json!({ "fromSequence": 1, "toSequence": 100 })).await, (vec![], json!(0), json!(true)));
    assert_eq!(
        range(json!({ "fromSequence": 1, "toSequence": 2, "count": 2 })).await,
        (vec![], json!(0), json!(true))
    );
}

#[tokio::test]
async fn p8_when_every_push_is_lost_a_pull_loses_nothing() {
    let app = TestApp::new().await;
    let _bob = app.connect("bob").await;
    app.management.break_calls(|_, _| Fault::Refuse(403, "ForbiddenException"));
    app.lag(Lag::SECOND).await;
    for base in 0..20 {
        app.send("alice", "bob", &base.to_string(), base).await;
    }
    // A range is what fills gaps, so it is never stale. A page may be, for a second.
    app.dynamodb.break_calls(|_, _| Fault::Stale);
    let range = json!({ "conversationID": "C2Calice", "fromSequence": 1 });
    let range = app.ask("get-message-list", "bob", range).await;
    assert_eq!(sequences(range["messageList"].as_array().unwrap()), (1..=20).collect::<Vec<_>>());
    app.advance(Duration::from_secs(1));
    assert_eq!(sequences(&app.history("bob", "alice").await), (1..=20).collect::<Vec<_>>());
    assert_eq!(app.conversation("bob", "alice").await.unwrap()["unreadCount"], 20);
}
