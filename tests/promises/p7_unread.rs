//! P7: unread is what a brute-force count would say, at any time.

use serde_json::json;

use super::{DAY, stored, with_retention};
use crate::harness::{TestApp, fault_proxy::Fault, random_numbers, replica::Lag, sequences, text_message};

/// What the client IDs of messages begin with that are excluded from the unread count.
const UNCOUNTED: &str = "uncounted-";

async fn send_uncounted(app: &TestApp, from: &str, to: &str, name: u64, base: u64) -> u64 {
    let mut data = text_message(to, &format!("{UNCOUNTED}{name}"), base);
    data["messageControlInfo"] = json!({ "excludedFromUnreadCount": true });
    app.ask("send-message", from, data).await["message"]["sequence"].as_u64().unwrap()
}

#[tokio::test]
async fn p7_unread_is_what_a_brute_force_count_says_at_any_time() {
    let app = TestApp::without_limits().await;
    let mut random = random_numbers();
    let users = [("alice", "bob"), ("bob", "alice")];
    let (mut base, mut cleared, mut unlisted, mut uncounted) = (0, 0, 0, 0);
    for step in 0..80 {
        let (me, peer) = users[random(2) as usize];
        let choice = random(8);
        if choice == 7 {
            base = send_uncounted(&app, me, peer, step, base).await;
            uncounted += 1;
        } else if choice > 2 {
            base = app.send(me, peer, &step.to_string(), base).await;
        } else if choice == 0 && step % 3 == 0 {
            let keeps_history = cleared > unlisted;
            let data =
                json!({ "conversationID": format!("C2C{peer}"), "clearHistoryMessage": !keeps_history });
            app.ask("delete-conversation", me, data).await;
            if keeps_history { unlisted += 1 } else { cleared += 1 }
        } else {
            let sequence = random(base + 3);
            app.invoke(
                "set-message-read",
                me,
                json!({ "conversationID": format!("C2C{peer}"), "sequence": sequence }),
            )
            .await;
        }
        if base == 0 {
            continue;
        }
        let stored = stored(&app, "alice·bob").await;
        for (me, peer) in users {
            let shown = app.conversation(me, peer).await.unwrap();
            let read = shown["readSequence"].as_u64().unwrap();
            let unlisted = shown["unlistedSequence"].as_u64().unwrap_or_default();
            let done = read.max(shown["clearedSequence"].as_u64().unwrap()).max(unlisted);
            let counts = |(number, from, client_id): &&(u64, String, String)| {
                from == peer && *number > done && !client_id.starts_with(UNCOUNTED)
            };
            let brute_force = stored.iter().filter(counts).count();
            assert_eq!(shown["unreadCount"], brute_force, "step {step}, {me}");
        }
    }
    assert!(cleared > 0 && unlisted > 0 && uncounted > 5, "{cleared} {unlisted} {uncounted}");
}

#[tokio::test]
async fn p7_what_expired_unread_is_not_unread() {
    let app = TestApp::with(with_retention()).await;
    for base in 0..6 {
        app.send("bob", "alice", &base.to_string(), base).await;
        app.advance(DAY / 4);
    }
    // Sent at 0, 6, 12, 18, 24 and 30 hours; now it is 36 hours, and the first three are gone.
    for sweep in [false, true] {
        if sweep {
            app.sweep().await;
        }
        let shown = app.conversation("alice", "bob").await.unwrap();
        assert_eq!(sequences(&app.history("alice", "bob").await), [4, 5, 6]);
        assert_eq!(shown["unreadCount"], 3);
        let reply = app
            .invoke("set-message-read", "alice", json!({ "conversationID": "C2Cbob", "sequence": 2 }))
            .await;
        assert_eq!((&reply["data"]["readSequence"], &reply["data"]["unreadCount"]), (&json!(0), &json!(3)));
    }
    // What has been read stays so when the rest expires.
    app.invoke("set-message-read", "alice", json!({ "conversationID": "C2Cbob", "sequence": 4 })).await;
    app.advance(DAY / 2);
    assert_eq!(app.conversation("alice", "bob").await.unwrap()["unreadCount"], 1);
    assert_eq!(sequences(&app.history("alice", "bob").await), [6]);
}

#[tokio::test]
async fn p7_what_is_excluded_is_not_unread_though_it_is_the_oldest_that_lives() {
    let app = TestApp::with(with_retention()).await;
    app.send("bob", "alice", "1", 0).await;
    app.send("bob", "alice", "2", 1).await;
    app.advance(DAY / 4);
    send_uncounted(&app, "bob", "alice", 3, 2).await;
    app.advance(DAY / 4);
    app.send("bob", "alice", "4", 3).await;
    for (later, living) in [(DAY / 2, vec![3, 4]), (DAY / 4, vec![4])] {
        app.advance(later);
        assert_eq!(sequences(&app.history("alice", "bob").await), living);
        assert_eq!(app.conversation("alice", "bob").await.unwrap()["unreadCount"], 1);
    }
}

#[tokio::test]
async fn p7_unread_is_exact_though_the_look_for_what_has_expired_is_a_second_behind() {
    for sweep in [false, true] {
        let app = TestApp::with(with_retention()).await;
        app.send("bob", "alice", "1", 0).await;
        app.advance(DAY * 2);
        if sweep {
            app.sweep().await;
        }
        app.lag(Lag::SECOND).await;
        let first = app.send("bob", "alice", "2", 0).await;
        app.send("bob", "alice", "3", first).await;
        // The end of the conversation is as it is; what is looked for between is not there yet.
        app.dynamodb.break_calls(|_, request| {
            let is_look =
                request["KeyConditionExpression"].as_str().is_some_and(|key| key.contains("BETWEEN"));
            if is_look { Fault::Stale } else { Fault::None }
        });
        assert_eq!(app.conversation("alice", "bob").await.unwrap()["unreadCount"], 2);
    }
}
