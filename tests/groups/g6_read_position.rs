//! G6: read positions only move forward, never past the end, and who is not a member has none.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{change, conversation, group_of, listed, log, public, say, with_retention};
use crate::harness::{TestApp, fault_proxy::Fault, replica::Lag};

async fn mark(app: &TestApp, user: &str, sequence: u64) -> Value {
    let data = json!({ "conversationID": conversation(), "sequence": sequence });
    app.invoke("set-message-read", user, data).await
}

#[tokio::test]
async fn g6_a_position_moves_forward_alone_and_never_past_the_end_and_outsiders_have_none() {
    let app = public(&["bob"]).await;
    for number in 0..5 {
        say(&app, "alice", &number.to_string(), 0).await;
    }
    let mark = async |user: &str, sequence: u64| {
        app.invoke(
            "set-message-read",
            user,
            json!({ "conversationID": conversation(), "sequence": sequence }),
        )
        .await
    };
    for (named, read, unread) in [(3, 3, 3), (2, 3, 3), (99, 6, 0), (1, 6, 0)] {
        let reply = mark("bob", named).await;
        assert_eq!(
            reply["data"],
            json!({ "conversationID": conversation(), "readSequence": read, "unreadCount": unread })
        );
    }
    assert_eq!(mark("mallory", 3).await["code"], 10007);
    assert!(!app.dump("Conversations").await.iter().any(|row| row["u"]["S"] == "mallory"));
}

#[tokio::test]
async fn g6_of_marks_at_once_the_farthest_counts_and_each_is_answered_what_is_stored() {
    let app = public(&["bob"]).await;
    for number in 0..30 {
        say(&app, "alice", &number.to_string(), 0).await;
    }
    let mut device = app.connect("bob").await;
    for reply in join_all([3, 27, 15, 26, 2].map(|sequence| mark(&app, "bob", sequence))).await {
        assert!(reply["data"]["readSequence"].as_u64().unwrap() >= 2, "{reply}");
    }
    assert_eq!(listed(&app, "bob").await.unwrap()["readSequence"], 27);
    // Their other devices are told of what has moved, and of nothing that is less.
    device.request("x", json!({})).await;
    let mut told = Vec::new();
    while let Some(push) = device.pushed() {
        told.push(push["data"][0]["readSequence"].as_u64().unwrap());
    }
    assert!(told.contains(&27), "{told:?}");
    assert_eq!(
        mark(&app, "bob", 5).await["data"]["readSequence"],
        27,
        "who comes late is told how far it is"
    );
    assert!(device.is_quiet().await);
    // Who names more than there is has read all, and their other devices hear of it.
    assert_eq!(mark(&app, "bob", 99).await["data"]["readSequence"], 31);
    assert_eq!(device.push().await["data"][0]["readSequence"], 31);
}

#[tokio::test]
async fn g6_a_mark_that_names_what_a_replica_has_not_got_yet_is_believed() {
    let app = public(&["bob"]).await;
    app.lag(Lag::SECOND).await;
    say(&app, "alice", "1", 0).await;
    app.dynamodb.break_calls(|_, _| Fault::Stale);
    let reply = mark(&app, "bob", 2).await;
    assert_eq!(
        (&reply["data"]["readSequence"], &reply["data"]["unreadCount"]),
        (&json!(2), &json!(0)),
        "{reply}"
    );
}

#[tokio::test]
async fn g6_a_position_goes_with_its_row_and_with_its_message() {
    let app = TestApp::with(with_retention()).await;
    group_of(&app, "Public", &["bob"]).await;
    say(&app, "alice", "1", 0).await;
    assert_eq!(mark(&app, "bob", 2).await["data"]["readSequence"], 2);
    // Who comes back begins anew, where the group is then.
    change(&app, "quit-group", "bob", "quit", json!({})).await;
    assert_eq!(mark(&app, "bob", 2).await["code"], 10007);
    change(&app, "join-group", "bob", "again", json!({})).await;
    let shown = listed(&app, "bob").await.unwrap();
    assert_eq!(
        (&shown["readSequence"], &shown["joinedSequence"], &shown["unreadCount"]),
        (&json!(3), &json!(3), &json!(0))
    );
    // A position whose message has expired is none.
    assert_eq!(mark(&app, "bob", 4).await["data"]["readSequence"], 4);
    app.advance(Duration::from_secs(25 * 60 * 60));
    let new = say(&app, "alice", "new", 0).await;
    assert!(new > log(&app).await[3].0);
    let shown = listed(&app, "bob").await.unwrap();
    assert_eq!((&shown["readSequence"], &shown["unreadCount"]), (&json!(0), &json!(1)));
    assert_eq!(mark(&app, "bob", new).await["data"]["readSequence"], new);
}
