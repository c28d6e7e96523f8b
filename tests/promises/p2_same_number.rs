//! P2: the same message has the same number, however often and however late it is sent again.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use super::{DAY, assert_exactly_once, many, stored, with_retention};
use crate::harness::{TestApp, fault_proxy::Fault, replica::Lag, text_message};

#[tokio::test]
async fn p2_a_message_keeps_its_number_however_often_at_once() {
    let app = TestApp::new().await;
    let mut expected: Vec<(&str, String)> = Vec::new();
    for round in 0..12 {
        // The first copies of a message, all at the same time, among others.
        let base = expected.len() as u64;
        let name = format!("same-{round}");
        let mine: Vec<_> = (0..2 + round % 4).map(|_| app.send("alice", "bob", &name, base)).collect();
        let names: Vec<String> = (0..3).map(|other| format!("other-{round}-{other}")).collect();
        let others: Vec<_> = names.iter().map(|name| app.send("bob", "alice", name, base)).collect();
        let (mine, _) = tokio::join!(join_all(mine), join_all(others));
        assert!(mine.windows(2).all(|two| two[0] == two[1]), "{mine:?}");
        expected.push(("alice", name));
        expected.extend(names.into_iter().map(|name| ("bob", name)));
    }
    let expected: Vec<(&str, &str)> = expected.iter().map(|(from, name)| (*from, name.as_str())).collect();
    assert_exactly_once(&app, "alice·bob", &expected).await;
}

#[tokio::test]
async fn p2_a_message_keeps_its_number_however_late() {
    let app = TestApp::new().await;
    assert_eq!(app.send("alice", "bob", "early", 0).await, 1);
    app.advance(Duration::from_secs(600));
    assert_eq!(app.send("alice", "bob", "early", 0).await, 1);

    many(&app, 1, 1_000).await;
    app.advance(365 * DAY);
    assert_eq!(app.send("alice", "bob", "early", 0).await, 1);

    // Its original is mostly near its base. Where it is not, a hundred messages are looked through.
    assert_eq!(app.send("alice", "bob", "late", 901).await, 1_002);
    many(&app, 1_002, 20).await;
    assert_eq!(app.send("alice", "bob", "late", 901).await, 1_002);
    // Beyond that it cannot be told, and nothing is written on a guess.
    let reply = app.invoke("send-message", "alice", text_message("bob", "late", 0)).await;
    assert_eq!((&reply["code"], &reply["data"]["lastSequence"]), (&json!(20004), &json!(1_022)));
    assert_eq!(stored(&app, "alice·bob").await.len(), 1_022);

    // So the client looks behind its base, as the error says, and finds what it had sent.
    let (mut from, mut found) = (1, None);
    while found.is_none() {
        let range = json!({ "conversationID": "C2Cbob", "fromSequence": from });
        let range = app.ask("get-message-list", "alice", range).await;
        let list = range["messageList"].as_array().unwrap();
        assert!(list.len() >= 100 || range["isCompleted"] == true, "{}", list.len());
        found = list.iter().find(|message| message["clientID"] == "late").cloned();
        from = range["nextSequence"].as_u64().unwrap();
    }
    assert_eq!(found.unwrap()["sequence"], 1_002);
}

#[tokio::test]
async fn p2_what_has_expired_is_forgotten_with_its_name_and_sent_anew_under_one_new_number() {
    for (others_live, is_swept) in [(false, false), (false, true), (true, false), (true, true)] {
        let app = TestApp::with(with_retention()).await;
        assert_eq!(app.send("alice", "bob", "early", 0).await, 1);
        app.advance(DAY / 2);
        for base in 1..=10 {
            if others_live {
                app.send("bob", "alice", &base.to_string(), base).await;
            }
        }
        app.advance(DAY / 2 - Duration::from_secs(1));
        assert_eq!(app.send("alice", "bob", "early", 0).await, 1, "as long as it lives");
        // The second of its end, and 15 more in which nobody goes on elsewhere.
        app.advance(Duration::from_secs(16));
        if is_swept {
            app.advance(2 * Duration::from_secs(3_600));
            app.sweep().await;
        }
        assert_eq!(stored(&app, "alice·bob").await.iter().any(|(number, ..)| *number == 1), !is_swept);

        let retries = join_all((0..3).map(|_| app.send("alice", "bob", "early", 0))).await;
        let anew = if others_live { 12 } else { 33 };
        assert_eq!(retries, [anew; 3], "others live: {others_live}, swept: {is_swept}");
        let history = app.history("bob", "alice").await;
        let early = history.iter().filter(|message| message["clientID"] == "early");
        assert_eq!(early.map(|message| message["sequence"].clone()).collect::<Vec<_>>(), [anew]);
    }
}

#[tokio::test]
async fn p2_a_retry_is_found_wherever_its_original_is_between_its_base_and_the_last_message() {
    const SENT: u64 = 40;
    // How many messages the first query returns depends on how many have read.
    for readers in [&[][..], &[("alice", "bob"), ("bob", "alice")]] {
        let app = TestApp::without_limits().await;
        for base in 0..SENT {
            assert_eq!(app.send("alice", "bob", &base.to_string(), base).await, base + 1);
        }
        for (me, peer) in readers {
            app.ask("set-message-read", me, json!({ "conversationID": format!("C2C{peer}") })).await;
        }
        for original in 0..SENT {
            for base in [0, original] {
                let number = app.send("alice", "bob", &original.to_string(), base).await;
                assert_eq!(number, original + 1, "behind {base}");
            }
        }
    }
}

#[tokio::test]
async fn p2_a_retry_is_found_though_every_read_that_may_be_stale_is_a_second_old() {
    let app = TestApp::new().await;
    app.send("bob", "alice", "1", 0).await;
    app.lag(Lag::SECOND).await;
    app.dynamodb.break_calls(|_, _| Fault::Stale);
    assert_eq!(app.send("alice", "bob", "same", 1).await, 2);
    for base in 2..32 {
        app.send("bob", "alice", &base.to_string(), base).await;
    }
    for base in [0, 1] {
        assert_eq!(app.send("alice", "bob", "same", base).await, 2, "behind {base}");
    }
    // What its sender had seen last is no number from the future.
    assert_eq!(app.send("alice", "bob", "next", 32).await, 33);
}

#[tokio::test]
async fn p2_a_retry_is_found_right_behind_a_number_that_a_crowd_has_taken() {
    let app = TestApp::new().await;
    app.send("bob", "alice", "1", 0).await;
    // The first attempt comes too late for the second number, and for the third.
    app.dynamodb.break_calls(|operation, request| {
        let number = request["Item"]["s"]["S"].as_str().unwrap_or_default();
        let is_late = operation == "PutItem" && request["Item"]["c"]["S"] == "same";
        if is_late && number < "M000000000004" { Fault::Hold } else { Fault::None }
    });
    let first = app.send("alice", "bob", "same", 1);
    let others = async {
        app.dynamodb.held().await;
        assert_eq!(app.send("bob", "alice", "2", 1).await, 2);
        app.dynamodb.release();
        app.dynamodb.held().await;
        assert_eq!(app.send("bob", "alice", "3", 2).await, 3);
        let second = app.send("alice", "bob", "same", 1).await;
        assert_eq!(app.send("bob", "alice", "5", 4).await, 5);
        app.dynamodb.release();
        second
    };
    assert_eq!(tokio::join!(first, others), (4, 4));
    assert_eq!(stored(&app, "alice·bob").await.len(), 5);
}
