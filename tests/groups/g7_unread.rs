//! G7: what is unread.

use serde_json::json;

use super::{GROUP, change, conversation, group_of, history, listed, log, message, public, say};
use crate::harness::{TestApp, random_numbers};

#[tokio::test]
async fn g7_unread_is_what_a_brute_force_count_says_at_any_time() {
    let app = public(&["bob", "carol"]).await;
    let users = ["alice", "bob", "carol"];
    let mut random = random_numbers();
    let mut base = 1;
    for step in 0..90 {
        let user = users[random(3) as usize];
        match random(9) {
            0 => {
                let keeps = random(2) == 0;
                let data = json!({ "conversationID": conversation(), "clearHistoryMessage": !keeps });
                app.ask("delete-conversation", user, data).await;
            }
            1..4 => {
                let data = json!({ "conversationID": conversation(), "sequence": random(base + 3) });
                app.ask("set-message-read", user, data).await;
            }
            4 => {
                // Queued before all that was said since.
                let mut data = message(&format!("queued-{step}"), 1);
                data["messageControlInfo"] = json!({ "excludedFromUnreadCount": step % 2 == 0 });
                app.advance(std::time::Duration::from_millis(100));
                base = app.ask("send-message", user, data).await["message"]["sequence"].as_u64().unwrap();
            }
            _ => base = say(&app, user, &step.to_string(), base).await,
        }
        let uncounted = |name: &str| {
            name.strip_prefix("queued-").is_some_and(|step| step.parse::<u64>().unwrap() % 2 == 0)
        };
        let log = log(&app).await;
        for user in users {
            let shown = listed(&app, user).await.unwrap();
            let number = |name: &str| shown[name].as_u64().unwrap_or_default();
            let done = number("readSequence").max(number("clearedSequence"));
            let done = done.max(number("unlistedSequence")).max(number("joinedSequence"));
            let others = log
                .iter()
                .filter(|(seq, from, name, _)| *seq > done && from != user && !uncounted(name))
                .count();
            assert_eq!(shown["unreadCount"], others, "step {step}, {user}");
        }
    }
}

#[tokio::test]
async fn g7_nothing_is_unread_in_a_meeting_and_all_is_shown_that_was_said_before() {
    let app = TestApp::without_limits().await;
    group_of(&app, "ChatRoom", &["bob"]).await;
    say(&app, "alice", "1", 0).await;
    change(&app, "join-group", "carol", "comes", json!({})).await;
    say(&app, "bob", "2", 0).await;
    for user in ["alice", "bob", "carol"] {
        let shown = listed(&app, user).await.unwrap();
        assert_eq!(
            (&shown["unreadCount"], &shown["lastSequence"]),
            (&json!(0), &json!(2)),
            "no tips: {user}"
        );
        assert_eq!(history(&app, user).await.len(), 2);
    }
}

#[tokio::test]
async fn g7_who_has_more_than_a_hundred_of_their_own_unread_has_read_up_to_the_middle_of_them() {
    let app = public(&["bob"]).await;
    say(&app, "alice", "unread", 0).await;
    for number in 0..100 {
        say(&app, "bob", &number.to_string(), number + 2).await;
    }
    assert_eq!(listed(&app, "bob").await.unwrap()["unreadCount"], 2);
    say(&app, "bob", "one more", 102).await;
    let shown = listed(&app, "bob").await.unwrap();
    assert_eq!((&shown["readSequence"], &shown["unreadCount"]), (&json!(53), &json!(0)));
    let row = app
        .dump("Conversations")
        .await
        .into_iter()
        .find(|row| row["u"]["S"] == "bob" && row["v"]["S"] == format!("·{GROUP}"));
    assert!(row.unwrap()["o"]["NS"].as_array().unwrap().len() <= 51, "what was passed is dropped");
}
