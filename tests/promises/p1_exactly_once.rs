//! P1: a send that was acknowledged is in the history, exactly once.

use futures_util::future::join_all;
use hongyan_functions::config::Settings;
use serde_json::{Value, json};

use super::{assert_exactly_once, lose, pair, send_or_die, with_retention};
use crate::harness::{TestApp, fault_proxy::Fault, text_message};

#[tokio::test]
async fn p1_an_acknowledged_send_is_in_the_history_exactly_once_wherever_the_function_was_killed() {
    for settings in [Settings::default(), with_retention()] {
        let app = TestApp::with(settings).await;
        let mut killed = 0;
        for (index, fault) in [Fault::LoseCall, Fault::LoseAnswer].into_iter().enumerate() {
            for nth in 1.. {
                let (a, b) = (format!("a{index}-{nth}"), format!("b{index}-{nth}"));
                let key = pair(&a, &b).log_key().as_str().to_owned();

                // The first message of a conversation, then one in the middle.
                lose(&app, nth, fault.clone());
                let first = send_or_die(&app, &a, text_message(&b, "first", 0)).await;
                app.dynamodb.mend();
                assert_eq!(app.send(&a, &b, "first", 0).await, 1);
                lose(&app, nth, fault.clone());
                let second = send_or_die(&app, &b, text_message(&a, "second", 1)).await;
                app.dynamodb.mend();
                assert_eq!(app.send(&b, &a, "second", 1).await, 2);
                assert_eq!(app.send(&a, &b, "third", 2).await, 3);

                assert_exactly_once(&app, &key, &[(&a, "first"), (&b, "second"), (&a, "third")]).await;
                if first.is_some() && second.is_some() {
                    break;
                }
                killed += usize::from(first.is_none()) + usize::from(second.is_none());
            }
        }
        // Six calls of a first message and four of a later one, each lost on its way and on its way back.
        assert!(killed >= 20, "{killed}");
    }
}

#[tokio::test]
async fn p1_a_function_that_was_killed_while_it_pushed_has_sent_already() {
    let app = TestApp::new().await;
    let _bob = app.connect("bob").await;
    app.management.break_calls(|_, _| Fault::LoseCall);
    assert_eq!(send_or_die(&app, "alice", text_message("bob", "1", 0)).await, None);
    app.management.mend();
    assert_eq!(app.send("alice", "bob", "1", 0).await, 1);
    assert_exactly_once(&app, "alice·bob", &[("alice", "1")]).await;
}

#[tokio::test]
async fn p1_of_many_who_write_at_once_each_acknowledged_message_is_there_as_it_was_sent() {
    let app = TestApp::new().await;
    let writers = (0..6).map(|writer| {
        let app = &app;
        async move {
            let (from, to) = if writer % 2 == 0 { ("alice", "bob") } else { ("bob", "alice") };
            let mut acknowledged: Vec<Value> = Vec::new();
            for number in 0..4 {
                let base = acknowledged.last().map_or(0, |last| last["sequence"].as_u64().unwrap());
                let mut data = text_message(to, &format!("{writer}-{number}"), base);
                data["payload"]["text"] = json!(format!("{number} of {writer}"));
                let message = app.ask("send-message", from, data.clone()).await["message"].clone();
                assert_eq!(message["payload"], data["payload"]);
                acknowledged.push(message);
            }
            acknowledged
        }
    });
    let mut acknowledged = join_all(writers).await.concat();
    acknowledged.sort_by_key(|message| message["sequence"].as_u64());
    for (me, peer) in [("alice", "bob"), ("bob", "alice")] {
        assert_eq!(app.history(me, peer).await, acknowledged);
    }
}

#[tokio::test]
async fn p1_what_was_not_stored_is_not_acknowledged() {
    let app = TestApp::new().await;
    let mut bob = app.connect("bob").await;
    for base in [0, 1] {
        let data = || text_message("bob", &base.to_string(), base);
        for (status, kind) in [(400, "ValidationException"), (400, "ThrottlingException"), (500, "Internal")]
        {
            app.dynamodb.break_calls(move |operation, request| {
                let is_the_message = operation == "PutItem" && request["TableName"] == "Messages";
                if is_the_message { Fault::Refuse(status, kind) } else { Fault::None }
            });
            assert_ne!(app.invoke("send-message", "alice", data()).await["code"], 0, "{kind}");
        }
        app.dynamodb.mend();
        assert!(bob.is_quiet().await);
        assert_eq!(app.history("alice", "bob").await.len() as u64, base);
        assert_eq!(app.send("alice", "bob", &base.to_string(), base).await, base + 1);
        bob.push().await;
    }
}
