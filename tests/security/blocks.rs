//! Between two users of whom one blocks the other nothing passes, in either direction, and presence is for those
//! who have a conversation.

use std::time::Duration;

use hongyan_functions::config::Settings;
use serde_json::{Value, json};

use crate::harness::{TestApp, event, text_message};

async fn block(app: &TestApp, me: &str, user: &str) {
    app.ask("add-to-blacklist", me, json!({ "userIDList": [user] })).await;
}

async fn unblock(app: &TestApp, me: &str, user: &str) {
    app.ask("remove-from-blacklist", me, json!({ "userIDList": [user] })).await;
}

/// What comes of asking for, and of watching, the status of a user.
async fn status(app: &TestApp, me: &str, user: &str) -> (Value, Value) {
    let users = json!({ "userIDList": [user] });
    let asked = app.ask("get-user-status", me, users.clone()).await;
    let watched = app.ask("subscribe-user-status", me, users).await;
    assert_eq!(asked["failureUserList"], watched["failureUserList"]);
    (asked["successUserList"][0]["statusType"].clone(), asked["failureUserList"][0]["code"].clone())
}

async fn comes(app: &TestApp, user: &str, id: &str) {
    for name in ["disconnect", "connect"] {
        let mut event = event(name);
        event["requestContext"]["authorizer"]["userID"] = json!(user);
        event["requestContext"]["connectionId"] = json!(id);
        event["requestContext"]["connectedAt"] = json!(app.clock.now());
        app.respond(name, &event).await;
    }
}

#[tokio::test]
async fn neither_writes_to_the_other_and_the_one_who_blocks_is_told_what_to_do() {
    let app = TestApp::new().await;
    app.send("bob", "alice", "early", 0).await;
    app.send("alice", "bob", "early", 1).await;
    block(&app, "alice", "bob").await;
    let rows = (app.dump("Messages").await, app.dump("Conversations").await);
    let (mut alice, mut bob) = (app.connect("alice").await, app.connect("bob").await);
    for online_only in [false, true] {
        for (from, to, says) in
            [("alice", "bob", "removeFromBlacklist"), ("bob", "alice", "blocked this one")]
        {
            let mut data = text_message(to, "late", 2);
            data["onlineUserOnly"] = json!(online_only);
            let reply = app.invoke("send-message", from, data).await;
            assert_eq!(reply["code"], 20007, "{from} {online_only}");
            assert!(reply["message"].as_str().unwrap().contains(says), "{reply}");
        }
    }
    assert_eq!((app.dump("Messages").await, app.dump("Conversations").await), rows);
    assert!(alice.is_quiet().await && bob.is_quiet().await);
    for (from, to, sequence) in [("bob", "alice", 1), ("alice", "bob", 2)] {
        assert_eq!(app.send(from, to, "early", 0).await, sequence, "what was sent before stays sent");
    }
    unblock(&app, "alice", "bob").await;
    assert_eq!(app.send("alice", "bob", "late", 2).await, 3);
}

#[tokio::test]
async fn neither_learns_how_far_the_other_one_has_read() {
    let app = TestApp::new().await;
    for base in 0..4 {
        app.send("alice", "bob", &base.to_string(), base).await;
        app.send("bob", "alice", &base.to_string(), base).await;
    }
    let read = async |me: &str, peer: &str, sequence: u64| {
        app.ask(
            "set-message-read",
            me,
            json!({ "conversationID": format!("C2C{peer}"), "sequence": sequence }),
        )
        .await
    };
    let told = async |me: &str, peer: &str| {
        let shown = app.conversation(me, peer).await.unwrap();
        (shown["peerReadSequence"].as_u64().unwrap(), shown["peerReadTime"].as_u64().unwrap() > 0)
    };
    read("alice", "bob", 2).await;
    block(&app, "alice", "bob").await;
    let (mut alice, mut bob) = (app.connect("alice").await, app.connect("bob").await);
    for sequence in [4, 6] {
        for (me, peer) in [("alice", "bob"), ("bob", "alice")] {
            assert_eq!(read(me, peer, sequence).await["readSequence"], sequence);
        }
        // As it was when the block began: of bob nothing had been read.
        assert_eq!(told("bob", "alice").await, (2, true));
        assert_eq!(told("alice", "bob").await, (0, false));
    }
    // The reader's own devices are told, and nobody else is.
    for user in [&mut alice, &mut bob] {
        for sequence in [4, 6] {
            let push = user.push().await;
            assert_eq!(
                (&push["event"], &push["data"][0]["readSequence"]),
                (&json!("onConversationListUpdated"), &json!(sequence))
            );
        }
        assert!(user.is_quiet().await);
    }
    unblock(&app, "alice", "bob").await;
    alice.push().await;
    assert_eq!(told("bob", "alice").await, (6, true));
    read("bob", "alice", 8).await;
    assert_eq!(alice.push().await["data"]["sequence"], 8);
    assert_eq!(told("alice", "bob").await, (8, true));
}

#[tokio::test]
async fn what_the_other_one_is_shown_behind_a_block_ends_with_its_message() {
    let app = TestApp::with(Settings { retention: Some(600), ..Settings::default() }).await;
    let read = async || {
        app.ask("set-message-read", "bob", json!({ "conversationID": "C2Calice" })).await;
    };
    app.send("alice", "bob", "1", 0).await;
    read().await;
    app.advance(Duration::from_secs(300));
    app.send("alice", "bob", "2", 1).await;
    block(&app, "alice", "bob").await;
    read().await;
    for expected in [1, 0] {
        let shown = app.conversation("alice", "bob").await.unwrap();
        assert_eq!((&shown["peerReadSequence"], &shown["lastSequence"]), (&json!(expected), &json!(2)));
        app.advance(Duration::from_secs(300));
    }
}

#[tokio::test]
async fn presence_is_for_those_who_have_a_conversation_and_are_not_blocked() {
    let app = TestApp::new().await;
    let _bob = app.connect("bob").await;
    let (offline, online, nothing) = (json!(2), json!(1), Value::Null);
    assert_eq!(status(&app, "mallory", "bob").await, (nothing.clone(), json!(2500)), "a stranger");
    let rows = app.dump("Connections").await;
    assert!(!rows.iter().any(|row| row["s"]["S"].as_str().unwrap().starts_with("W#")), "and nobody watches");
    assert_eq!(status(&app, "bob", "bob").await.0, online, "oneself");

    app.send("bob", "mallory", "1", 0).await;
    assert_eq!(status(&app, "mallory", "bob").await, (online.clone(), nothing.clone()));
    assert_eq!(status(&app, "bob", "mallory").await, (offline.clone(), nothing.clone()));
    block(&app, "bob", "mallory").await;
    assert_eq!(status(&app, "mallory", "bob").await, (nothing.clone(), json!(20007)));
    assert_eq!(status(&app, "bob", "mallory").await, (offline, nothing.clone()));
    unblock(&app, "bob", "mallory").await;
    assert_eq!(status(&app, "mallory", "bob").await, (online, nothing));

    let users = json!({ "userIDList": ["bob", "carol", "mallory"] });
    let reply = app.ask("get-user-status", "mallory", users).await;
    let names = |list: &str| {
        let list = reply[list].as_array().unwrap();
        list.iter().map(|user| user["userID"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (names("successUserList"), names("failureUserList")),
        (vec!["bob".into(), "mallory".into()], vec!["carol".to_owned()])
    );
}

#[tokio::test]
async fn a_block_ends_what_the_blocked_one_is_told_at_once() {
    let app = TestApp::new().await;
    for user in ["mallory", "carol"] {
        app.acquaint(user, "bob").await;
    }
    let (mut mallory, mut carol) = (app.connect("mallory").await, app.connect("carol").await);
    for user in [&mut mallory, &mut carol] {
        user.ask("subscribeUserStatus", json!({ "userIDList": ["bob"] })).await;
        user.push().await;
    }
    comes(&app, "bob", "1=").await;
    for user in [&mut mallory, &mut carol] {
        assert_eq!(user.push().await["data"][0]["statusType"], 1);
    }
    block(&app, "bob", "mallory").await;
    comes(&app, "bob", "1=").await;
    for status_type in [2, 1] {
        assert_eq!(carol.push().await["data"][0]["statusType"], status_type);
    }
    assert!(mallory.is_quiet().await);
    unblock(&app, "bob", "mallory").await;
    comes(&app, "bob", "1=").await;
    for status_type in [2, 1] {
        assert_eq!(mallory.push().await["data"][0]["statusType"], status_type);
    }
}
