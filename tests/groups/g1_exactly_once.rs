//! G1 to G5: what was acknowledged is there once, under one number, in one order.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::json;

use super::{GROUP, change, conversation, history, log, message, public, say, try_say, with_retention};
use crate::harness::{TestApp, fault_proxy::Fault, sequences};

#[tokio::test]
async fn g1_g2_the_same_message_has_one_number_whenever_it_comes_again() {
    let app = public(&["bob"]).await;
    let first = say(&app, "bob", "b-1", 1).await;
    for number in 0..30 {
        say(&app, "alice", &format!("a-{number}"), 1).await;
    }
    for _ in 0..2 {
        assert_eq!(say(&app, "bob", "b-1", 1).await, first);
    }
    let other = {
        let mut other = message("b-1", 1);
        other["payload"]["text"] = json!("something else");
        other
    };
    assert_eq!(app.invoke("send-message", "bob", other).await["code"], 70402);
    assert_eq!(log(&app).await.len(), 32);
}

#[tokio::test]
async fn g1_to_g4_forty_writers_at_once_get_forty_numbers_without_a_hole() {
    let app = Arc::new(public(&["bob"]).await);
    // The limit of a group is by the clock, which stands still here.
    for round in 0..3_u64 {
        app.advance(Duration::from_secs(1));
        let sends = (0..40).map(|writer| {
            let app = Arc::clone(&app);
            async move {
                let user = if writer % 2 == 0 { "alice" } else { "bob" };
                let data = message(&format!("w-{round}-{writer}"), 0);
                let mut reply = app.invoke("send-message", user, data.clone()).await;
                while reply["code"] == 20004 || reply["code"] == 10023 {
                    app.advance(Duration::from_millis(300));
                    tokio::task::yield_now().await;
                    reply = app.invoke("send-message", user, data.clone()).await;
                }
                assert_eq!(reply["code"], 0, "{reply}");
                reply["data"]["message"]["sequence"].as_u64().unwrap()
            }
        });
        let mut numbers = join_all(sends).await;
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 40);
    }
    let log = log(&app).await;
    assert_eq!(log.len(), 121, "a tip, and the messages");
    assert!(log.iter().map(|(seq, ..)| *seq).eq(1..=121), "G3");
    let times: Vec<u64> =
        history(&app, "alice").await.iter().map(|shown| shown["time"].as_u64().unwrap()).collect();
    assert!(times.is_sorted(), "G4");
}

#[tokio::test]
async fn g1_a_send_that_is_cut_off_anywhere_is_there_once_when_it_comes_again() {
    let app = public(&["bob"]).await;
    // Read the group, read the roster, write, note, look up, push: cut off at each call.
    for cut in 0..8 {
        let name = format!("cut-{cut}");
        let mut left = cut;
        app.dynamodb.break_calls(move |_, _| {
            left -= 1;
            if left == -1 { Fault::LoseAnswer } else { Fault::None }
        });
        let sending = app.invoke("send-message", "bob", message(&name, 1));
        tokio::select! {
            _ = sending => {}
            () = app.dynamodb.lost() => {}
        }
        app.dynamodb.mend();
        let number = say(&app, "bob", &name, 1).await;
        let found = log(&app).await.into_iter().filter(|(_, _, client_id, _)| *client_id == name).count();
        assert_eq!(found, 1, "{cut}");
        assert!(history(&app, "alice").await.iter().any(|shown| shown["sequence"] == number));
        assert_eq!(
            super::listed(&app, "bob").await.unwrap()["unreadCount"],
            1,
            "their coming, and nothing of their own: {cut}"
        );
    }
}

#[tokio::test]
async fn g3_no_number_is_used_twice_when_all_has_expired_and_been_swept() {
    let app = TestApp::with(with_retention()).await;
    super::group_of(&app, "Public", &["bob"]).await;
    for number in 0..5 {
        say(&app, "bob", &number.to_string(), 0).await;
    }
    let mut last = 6;
    for days in [2, 400] {
        app.advance(Duration::from_secs(days * 24 * 60 * 60));
        app.sweep().await;
        let reply = try_say(&app, "alice", &format!("after {days}"), 0).await;
        let number = reply["data"]["message"]["sequence"].as_u64().unwrap_or_else(|| panic!("{reply}"));
        assert!(number > last, "{number} is behind {last}");
        assert_eq!(
            super::listed(&app, "bob").await.unwrap()["unreadCount"],
            1,
            "what has expired is not unread"
        );
        last = number;
    }
}

#[tokio::test]
async fn g5_members_see_the_same_in_the_same_order_from_where_they_came() {
    let app = public(&["bob"]).await;
    for number in 0..20 {
        say(&app, if number % 2 == 0 { "alice" } else { "bob" }, &number.to_string(), 0).await;
    }
    change(&app, "join-group", "carol", "carol comes", json!({})).await;
    for number in 20..30 {
        say(&app, "carol", &number.to_string(), 0).await;
    }
    let all = history(&app, "alice").await;
    assert_eq!(sequences(&all), (1..=32).collect::<Vec<u64>>());
    assert_eq!(history(&app, "bob").await, all[1 - 1..], "who was added sees the tip of it");
    let carols = history(&app, "carol").await;
    assert_eq!(carols, all[21..], "behind what was said before");
    assert_eq!(carols[0]["payload"]["operationType"], 1);
    let range = json!({ "conversationID": conversation(), "fromSequence": 1 });
    let range = app.ask("get-message-list", "carol", range).await;
    assert_eq!(sequences(range["messageList"].as_array().unwrap()), sequences(&carols));
    let ranges =
        json!({ "ranges": [{ "conversationID": conversation(), "fromSequence": 20, "toSequence": 23 }] });
    let ranges = app.ask("get-message-list", "carol", ranges).await;
    assert_eq!(sequences(ranges["rangeList"][0]["messageList"].as_array().unwrap()), [22, 23]);
    assert_eq!(ranges["rangeList"][0]["conversationID"], format!("GROUP{GROUP}"));
}
