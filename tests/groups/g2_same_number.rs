//! G2: the same message has the same number, however often and however late it is sent again.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{GROUP, log, message, public, say, try_say};
use crate::harness::{TestApp, fault_proxy::Fault, replica::Lag};

/// Sends until it is not refused because of all the others.
async fn insist(app: &TestApp, user: &str, data: Value) -> u64 {
    loop {
        let reply = app.invoke("send-message", user, data.clone()).await;
        match reply["code"].as_i64().unwrap() {
            0 => return reply["data"]["message"]["sequence"].as_u64().unwrap(),
            20004 | 10023 | 20005 | 60007 => app.advance(Duration::from_millis(300)),
            _ => panic!("{reply}"),
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn g2_a_message_has_one_number_whenever_it_comes_again() {
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
async fn g2_a_message_has_one_number_with_twenty_attempts_at_it_among_forty_writers_at_once() {
    let app = Arc::new(public(&["bob"]).await);
    let attempts = (0..20).map(|_| insist(&app, "bob", message("same", 1)));
    let others: Vec<Value> = (0..20).map(|number| message(&format!("other-{number}"), 1)).collect();
    let others = others.iter().map(|data| insist(&app, "alice", data.clone()));
    let (same, mut others) = tokio::join!(join_all(attempts), join_all(others));
    assert!(same.windows(2).all(|two| two[0] == two[1]), "{same:?}");
    others.push(same[0]);
    others.sort_unstable();
    assert!(others.into_iter().eq(2..=22));
    assert_eq!(log(&app).await.len(), 22);
}

#[tokio::test]
async fn g2_a_retry_is_found_wherever_its_original_is_between_its_base_and_the_last_message() {
    const SENT: u64 = 40;
    let app = public(&["bob"]).await;
    for base in 1..=SENT {
        assert_eq!(say(&app, "bob", &base.to_string(), base).await, base + 1);
    }
    for original in 1..=SENT {
        for base in [0, original] {
            assert_eq!(say(&app, "bob", &original.to_string(), base).await, original + 1, "behind {base}");
        }
    }
}

#[tokio::test]
async fn g2_a_retry_is_found_though_every_read_that_may_be_stale_is_a_second_old() {
    let app = public(&["bob"]).await;
    app.lag(Lag::SECOND).await;
    app.dynamodb.break_calls(|_, _| Fault::Stale);
    let send = async |name: &str, user: &str, base| {
        let reply = app.invoke("send-message", user, message(name, base)).await;
        reply["data"]["message"]["sequence"].as_u64().unwrap_or_else(|| panic!("{reply}"))
    };
    // Of so few at once none is refused, and the clock stands still.
    assert_eq!(send("same", "bob", 1).await, 2);
    for base in 2..6 {
        assert_eq!(send(&base.to_string(), "alice", base).await, base + 1);
    }
    for base in [0, 1] {
        assert_eq!(send("same", "bob", base).await, 2, "behind {base}");
    }
    // Twenty others follow within the second that a replica may lack.
    for round in 0..2_u64 {
        app.advance(Duration::from_millis(310));
        for number in 0..8 {
            send(&format!("{round}-{number}"), "alice", 1).await;
        }
    }
    app.advance(Duration::from_millis(310));
    assert_eq!(send("same", "bob", 1).await, 2, "far before the end");
}

#[tokio::test]
async fn g2_a_retry_is_found_right_behind_a_number_that_a_crowd_has_taken() {
    let app = public(&["bob"]).await;
    // The first attempt comes too late for the second number, and for the third.
    app.dynamodb.break_calls(|operation, request| {
        let number = request["Item"]["s"]["S"].as_str().unwrap_or_default();
        let is_late = operation == "PutItem" && request["Item"]["c"]["S"] == "same";
        if is_late && number < "M000000000004" { Fault::Hold } else { Fault::None }
    });
    let first = say(&app, "bob", "same", 1);
    let others = async {
        app.dynamodb.held().await;
        assert_eq!(say(&app, "alice", "2", 1).await, 2);
        app.dynamodb.release();
        app.dynamodb.held().await;
        assert_eq!(say(&app, "alice", "3", 2).await, 3);
        let second = say(&app, "bob", "same", 1).await;
        assert_eq!(say(&app, "alice", "5", 4).await, 5);
        app.dynamodb.release();
        second
    };
    assert_eq!(tokio::join!(first, others), (4, 4));
    assert_eq!(log(&app).await.len(), 5);
}

#[tokio::test]
async fn g2_what_is_too_far_back_to_be_found_is_not_written_on_a_guess() {
    const LAST: u64 = 600;
    let app = public(&["bob"]).await;
    let text = message("", 0)["payload"].to_string();
    join_all((2..=LAST).map(|seq| {
        let row = json!({
            "p": { "S": GROUP }, "s": { "S": format!("M{seq:012}") }, "f": { "S": "alice" }, "c": { "S": seq.to_string() },
            "t": { "N": app.clock.now().to_string() }, "y": { "S": "TIMTextElem" }, "d": { "S": text },
            "a": { "N": seq.to_string() }, "z": { "N": "0" },
        });
        app.put("Messages", row)
    }))
    .await;
    app.advance(Duration::from_secs(1));
    // Some hundreds are looked through from the base on, and the newest.
    for (found, base) in [(300, 1), (560, 300), (595, 1)] {
        assert_eq!(say(&app, "alice", &found.to_string(), base).await, found);
    }
    for name in ["585", "new"] {
        let reply = try_say(&app, "alice", name, 1).await;
        assert_eq!((&reply["code"], &reply["data"]["lastSequence"]), (&json!(20004), &json!(LAST)), "{name}");
    }
    assert_eq!(log(&app).await.len() as u64, LAST);
}
