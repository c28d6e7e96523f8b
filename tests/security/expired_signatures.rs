use std::{
    num::NonZeroU64,
    sync::{Arc, Mutex},
    time::Duration,
};

use hongyan_functions::trigger::signatures::Rules;
use serde_json::{Value, json};

use crate::harness::{RULES, START_MS, TestApp, event, nobody_was_kicked, signed_for, socket::Socket};

const NOW: u64 = START_MS / 1000;
const DAY: i64 = 24 * 60 * 60;

/// A user whose signature is good for a minute.
async fn for_a_minute(app: &TestApp, user: &str) -> Socket {
    let url = app.url_with(&signed_for(user, NOW, 60), user, "Web", None);
    let mut socket = Socket::connect(&url).await.unwrap();
    socket.ask("login", json!({})).await;
    socket
}

/// How many frames the functions have pushed since the last time.
fn pushes(app: &TestApp) -> usize {
    app.calls().iter().filter(|call| call.operation == "POST").count()
}

#[tokio::test]
async fn a_connection_whose_signature_has_expired_gets_no_push() {
    let app = TestApp::new().await;
    let mut bob = for_a_minute(&app, "bob").await;
    app.advance(Duration::from_secs(60));
    app.send("alice", "bob", "1", 0).await;
    assert_eq!(pushes(&app), 1, "its last second is a second of it");
    assert_eq!(bob.push().await["event"], "onMessageReceived");

    app.advance(Duration::from_secs(1));
    app.send("alice", "bob", "2", 1).await;
    app.ask("set-message-read", "alice", json!({ "conversationID": "C2Cbob", "sequence": 1 })).await;
    assert_eq!(pushes(&app), 1, "the reply to setMessageRead, which is tried to be sent, alone");

    // It is told why with the next thing that it says, and nothing else before that.
    let reply = bob.request("getConversationList", json!({})).await;
    assert_eq!((&reply["code"], bob.pushed()), (&json!(70001), None), "{reply}");
    assert_eq!(u16::from(bob.closed().await.unwrap().code), 1000);
}

#[tokio::test]
async fn who_watches_is_told_nothing_any_more_when_the_signature_has_expired() {
    let app = TestApp::new().await;
    // Those who have a conversation may watch each other.
    app.send("alice", "bob", "1", 0).await;
    let mut bob = for_a_minute(&app, "bob").await;
    bob.ask("subscribeUserStatus", json!({ "userIDList": ["alice"] })).await;
    app.advance(Duration::from_secs(60));
    app.calls();
    let mut came = event("connect");
    came["requestContext"]["connectedAt"] = json!(app.clock.now());
    app.respond("connect", &came).await;
    assert_eq!(pushes(&app), 1);

    app.advance(Duration::from_secs(1));
    app.respond("disconnect", &event("disconnect")).await;
    assert_eq!(pushes(&app), 0);
}

#[tokio::test]
async fn a_user_whose_signature_has_expired_is_offline() {
    let app = TestApp::new().await;
    app.send("alice", "bob", "1", 0).await;
    let _bob = for_a_minute(&app, "bob").await;
    let status = async || {
        let statuses = app.ask("get-user-status", "alice", json!({ "userIDList": ["bob"] })).await;
        statuses["successUserList"][0]["statusType"].clone()
    };
    assert_eq!(status().await, 1);
    app.advance(Duration::from_secs(61));
    assert_eq!(status().await, 2);
}

#[tokio::test]
async fn what_takes_the_place_of_an_expired_connection_ends_it_and_says_nothing() {
    let app = TestApp::new().await;
    let bob = for_a_minute(&app, "bob").await;
    app.advance(Duration::from_secs(61));
    app.connect("bob").await.ask("login", json!({})).await;
    assert_eq!(bob.rest().await, [] as [Value; 0], "not even that it was kicked out");
}

/// What the authorizer says to a signature, and by which code.
async fn verdict(rules: Rules, sig: &str) -> (Value, i32) {
    let mut handshake = event("authorizer");
    handshake["queryStringParameters"]["userSig"] = json!(sig);
    let code = Arc::new(Mutex::new(0));
    let told = Arc::clone(&code);
    let keys = hongyan_shared::sig::Keys::parse(crate::harness::KEY).unwrap();
    let clock = hongyan_functions::clock::Clock::new(|| START_MS);
    let mut authorizer = hongyan_functions::trigger::authorizer::Authorizer::new(
        hongyan_functions::trigger::signatures::Signatures::new(rules, keys),
        nobody_was_kicked().await,
        clock,
    );
    authorizer.report = Arc::new(move |line| *told.lock().unwrap() = line.code());
    let verdict = authorizer.handle(serde_json::from_value(handshake).unwrap(), "").await.unwrap();
    let code = *code.lock().unwrap();
    (verdict["policyDocument"]["Statement"][0]["Effect"].clone(), code)
}

#[tokio::test]
async fn a_signature_that_reaches_farther_than_the_operator_says_is_refused() {
    let week = Rules { max_days: NonZeroU64::new(7), ..RULES };
    for (issued_at, seconds, effect, code) in [
        (NOW, 7 * DAY, "Allow", 0),
        // The server's clock is ten minutes fast.
        (NOW + 600, 7 * DAY, "Allow", 0),
        (NOW, 7 * DAY + 3600, "Deny", 70003),
        (NOW, 100 * 365 * DAY, "Deny", 70003),
        (NOW, i64::MAX - NOW as i64, "Deny", 70003),
        // Old, and valid for long.
        (NOW - 50 * 365 * 86_400, 51 * 365 * DAY, "Deny", 70003),
        // Kept for next year.
        (NOW + 365 * 86_400, DAY, "Deny", 70003),
        (NOW + 3600, 60, "Deny", 70003),
        // As it was over before it began, it does not matter when that is.
        (NOW + 365 * 86_400, -366 * DAY, "Deny", 70003),
        // Over: they may come in to be told so.
        (NOW - 30 * 86_400, 7 * DAY, "Allow", 70001),
    ] {
        let sig = signed_for("alice", issued_at, seconds);
        assert_eq!(verdict(week, &sig).await, (json!(effect), code), "{issued_at} + {seconds}");
    }
    // Tencent's servers sign for up to 50 years, so nobody is refused for that unless the operator says so.
    let century = signed_for("alice", NOW, 100 * 365 * DAY);
    assert_eq!(verdict(RULES, &century).await, (json!("Allow"), 0));
}
