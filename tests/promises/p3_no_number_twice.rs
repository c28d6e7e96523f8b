//! P3: the numbers are 1, 2, 3 … without a hole, and none is used twice.

use std::time::Duration;

use futures_util::future::join_all;
use hongyan_functions::config::Settings;
use hongyan_shared::model::Seq;
use serde_json::json;

use super::{DAY, many, pair, send_or_die, slow, stored, with_retention};
use crate::harness::{TestApp, fault_proxy::Fault, replica::Lag, text_message};

fn without_limits() -> Settings {
    Settings { frames_per_second: None, ..with_retention() }
}

#[tokio::test]
async fn p3_numbers_have_no_hole_with_any_number_of_writers() {
    for writers in [2_usize, 4, 8] {
        let app = TestApp::new().await;
        let conversations = (0..writers).map(|writer| {
            let app = &app;
            async move {
                let (from, to) = if writer % 2 == 0 { ("alice", "bob") } else { ("bob", "alice") };
                let mut base = 0;
                for number in 0..6 {
                    base = app.send(from, to, &format!("{writer}-{number}"), base).await;
                }
            }
        });
        join_all(conversations).await;
        let numbers: Vec<u64> = stored(&app, "alice·bob").await.iter().map(|(number, ..)| *number).collect();
        assert_eq!(numbers, (1..=writers as u64 * 6).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn p3_no_number_is_used_again_after_every_message_has_expired() {
    for (sent, swept) in [(1, true), (5, true), (32, true), (33, true), (70, true), (5, false), (40, false)] {
        let app = TestApp::with(without_limits()).await;
        for base in 0..sent {
            assert_eq!(app.send("alice", "bob", &base.to_string(), base).await, base + 1);
        }
        app.advance(2 * DAY);
        if swept {
            app.sweep().await;
            assert!(stored(&app, "alice·bob").await.is_empty());
        }
        assert!(app.history("alice", "bob").await.is_empty());
        assert!(app.conversation("bob", "alice").await.is_none());

        let next = app.send("bob", "alice", "after", 0).await;
        assert!(next > sent, "{next} after {sent}");
        assert_eq!(app.send("bob", "alice", "after", 0).await, next);
        assert_eq!(app.send("alice", "bob", "after", next).await, next + 1);
        assert_eq!(app.conversation("alice", "bob").await.unwrap()["unreadCount"], 1);

        // And again, so that the floor itself stands on something.
        app.advance(2 * DAY);
        app.sweep().await;
        assert!(app.send("bob", "alice", "again", 0).await > next + 1);
    }
}

#[tokio::test]
async fn p3_who_opens_a_conversation_and_is_cut_off_uses_up_no_number() {
    let app = TestApp::with(with_retention()).await;
    app.dynamodb.break_calls(|operation, request| {
        let is_the_message = operation == "PutItem" && request["TableName"] == "Messages";
        if is_the_message { Fault::LoseCall } else { Fault::None }
    });
    assert_eq!(send_or_die(&app, "alice", text_message("bob", "1", 0)).await, None);
    app.dynamodb.mend();
    assert_eq!(app.dump("Conversations").await.len(), 2);
    assert_eq!(app.conversation("alice", "bob").await, None, "an opened conversation is not shown");
    assert_eq!(app.send("alice", "bob", "1", 0).await, 1);

    app.advance(2 * DAY);
    app.sweep().await;
    assert!(app.send("alice", "bob", "2", 0).await > 1);
}

#[tokio::test]
async fn p3_no_number_is_used_again_after_every_message_has_expired_and_a_part_was_swept() {
    for (sent, floor_is_left) in [(5, true), (40, true), (40, false)] {
        for left in [1, sent / 2, sent] {
            let app = TestApp::with(without_limits()).await;
            for base in 0..sent {
                app.send("alice", "bob", &base.to_string(), base).await;
            }
            app.advance(2 * DAY);
            for number in (1..=sent).filter(|number| *number != left) {
                let key = json!({ "p": { "S": "alice·bob" }, "s": { "S": format!("M{number:012}") } });
                app.delete("Messages", key).await;
            }
            assert_eq!(stored(&app, "alice·bob").await.len(), 1);
            if !floor_is_left {
                // 30 days later, and the message is still there: then it says as much as a floor would.
                app.advance(60 * DAY);
                app.delete("Messages", json!({ "p": { "S": "alice·bob" }, "s": { "S": "F" } })).await;
            }
            let used = if floor_is_left { sent } else { left.next_multiple_of(32) };
            let next = app.send("bob", "alice", "after", 0).await;
            assert!(next > used, "{next} after {sent}, of which {left} was left");
        }
    }
}

#[tokio::test]
async fn p3_a_function_whose_clock_is_slow_uses_no_number_again() {
    let app = TestApp::with(with_retention()).await;
    for base in 0..3 {
        app.send("alice", "bob", &base.to_string(), base).await;
    }
    // For everybody else all of them have expired.
    app.advance(DAY + Duration::from_secs(1));
    app.sweep().await;
    let slow = slow(&app, Duration::from_secs(30 * 60));
    let reply = app.invoke_in(&slow, "send-message", "bob", text_message("alice", "4", 3)).await;
    assert_eq!(reply["data"]["message"]["sequence"], 4, "{reply}");
}

#[tokio::test]
async fn p3_the_floor_never_sinks() {
    let app = TestApp::with(without_limits()).await;
    for base in 0..32 {
        app.send("alice", "bob", &base.to_string(), base).await;
    }
    // Before alice's function has raised the floor to 64, somebody far ahead has raised it to 96.
    app.dynamodb.break_calls(|operation, request| {
        let raises = operation == "UpdateItem" && request["ExpressionAttributeValues"][":n"]["N"] == "64";
        if raises { Fault::Hold } else { Fault::None }
    });
    let alice = app.send("alice", "bob", "late", 32);
    let others = async {
        app.dynamodb.held().await;
        app.sandbox.messages.raise_floor(&pair("alice", "bob").log_key(), Seq(96)).await.unwrap();
        app.dynamodb.release();
    };
    assert_eq!(tokio::join!(alice, others), (33, ()));
    app.advance(2 * DAY);
    app.sweep().await;
    assert_eq!(app.send("bob", "alice", "after", 0).await, 97);
}

#[tokio::test]
async fn p3_the_floor_is_not_read_stale() {
    let app = TestApp::with(with_retention()).await;
    for base in 0..5 {
        app.send("alice", "bob", &base.to_string(), base).await;
    }
    app.advance(2 * DAY);
    // Everything has expired and nothing was swept. Alice lays the next floor and gets no further.
    app.lag(Lag::SECOND).await;
    app.dynamodb.break_calls(|operation, request| {
        let is_the_message = operation == "PutItem" && request["TableName"] == "Messages";
        if is_the_message { Fault::LoseCall } else { Fault::None }
    });
    assert_eq!(send_or_die(&app, "alice", text_message("bob", "lost", 0)).await, None);
    app.dynamodb.break_calls(|_, _| Fault::Stale);
    let next = tokio::time::timeout(Duration::from_secs(10), app.send("bob", "alice", "after", 0)).await;
    let next = next.expect("a floor that is a second old is tried again and again");
    assert!(next > 5, "{next}");
}

#[tokio::test]
async fn p3_of_two_who_begin_the_one_whose_message_expires_first_counts() {
    let app = TestApp::with(with_retention()).await;
    app.dynamodb.break_calls(|_, request| match request["Item"]["c"]["S"].as_str() {
        Some("alice's") => Fault::Hold,
        Some("bob's") => Fault::LoseCall,
        _ => Fault::None,
    });
    // Alice's message will live for a day. By bob's function, to which the operator has just given another
    // setting, theirs would live for ten, but it is killed.
    let alice = app.send("alice", "bob", "alice's", 0);
    let bob = async {
        app.dynamodb.held().await;
        let setting = app.sandbox(Settings { retention: Some(10 * DAY.as_secs()), ..Settings::default() });
        let data = text_message("alice", "bob's", 0);
        tokio::select! {
            reply = app.invoke_in(&setting, "send-message", "bob", data) => panic!("{reply}"),
            () = app.dynamodb.lost() => {}
        }
        app.dynamodb.release();
    };
    assert_eq!(tokio::join!(alice, bob), (1, ()));
    app.dynamodb.mend();
    app.advance(DAY + Duration::from_secs(2 * 3_600));
    app.sweep().await;
    assert!(stored(&app, "alice·bob").await.is_empty());
    let next = app.send("bob", "alice", "after", 0).await;
    assert!(next > 1, "{next}");
}

#[tokio::test]
async fn p3_what_a_crowd_has_sent_holds_its_numbers_when_it_has_expired_meanwhile() {
    let app = TestApp::with(Settings { retention: Some(1), ..Settings::default() }).await;
    app.send("bob", "alice", "1", 0).await;
    app.dynamodb.break_calls(|_, request| match request["Item"]["s"]["S"].as_str() {
        Some("M000000000002") if request["Item"]["c"]["S"] == "late" => Fault::Hold,
        _ => Fault::None,
    });
    let alice = app.send("alice", "bob", "late", 1);
    let crowd = async {
        app.dynamodb.held().await;
        many(&app, 1, 60).await;
        app.advance(Duration::from_millis(1_100));
        app.calls();
        app.dynamodb.release();
    };
    assert_eq!(tokio::join!(alice, crowd), (62, ()));
    assert!(app.history("alice", "bob").await.len() == 1, "all the others have expired");
    let puts = app.calls().iter().filter(|call| call.operation == "PutItem").count();
    assert_eq!(puts, 3, "two numbers that are taken, and then behind all of them at once");
}
