//! The line that an operator gets of each invocation.

use std::sync::{Arc, Mutex};

use hongyan_functions::{
    clock::Clock,
    config::Settings,
    record::{InvocationRecord, Metric, Report},
    trigger::{authorizer::Authorizer, signatures::Signatures},
};
use hongyan_shared::{
    model::MultiDevice,
    sig::{Key, Keys},
};
use serde_json::{Value, json};

use crate::harness::{
    KEY, RULES, SDK_APP_ID, START_MS, TestApp, event, fault_proxy::Fault, nobody_was_kicked, set_user,
    text_message, user_sig,
};

/// What is kept of a line: route, user, code, what was counted, and all texts that are written.
#[derive(Debug, Clone)]
struct Kept {
    route: String,
    user: String,
    code: i32,
    is_failure: bool,
    is_stranger: bool,
    detail: String,
    counts: Vec<(Metric, u64)>,
    text: String,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<Kept>>>);

impl Lines {
    fn report(&self) -> Report {
        let lines = self.clone();
        Arc::new(move |line: &InvocationRecord<'_>| {
            lines.0.lock().unwrap().push(Kept {
                route: line.route.to_owned(),
                user: line.user.to_owned(),
                code: line.code(),
                is_failure: line.is_failure(),
                is_stranger: line.is_stranger(),
                detail: line.detail().unwrap_or_default(),
                counts: line.metrics.counts().collect(),
                text: format!(
                    "{} {} {} {} {:?}",
                    line.route,
                    line.request_id,
                    line.user,
                    line.connection,
                    line.detail()
                ),
            });
        })
    }

    fn last(&self) -> Kept {
        self.0.lock().unwrap().last().unwrap().clone()
    }
}

async fn app() -> (TestApp, Lines) {
    let (mut app, lines) = (TestApp::new().await, Lines::default());
    app.report_to(lines.report());
    (app, lines)
}

#[tokio::test]
async fn a_send_counts_itself_and_whom_it_has_reached() {
    let (app, lines) = app().await;
    let _phone = app.connect("bob").await;
    let _other = app.connect("alice").await;
    app.send("alice", "bob", "1", 0).await;
    let line = lines.last();
    assert_eq!((line.route.as_str(), line.user.as_str(), line.code), ("sendMessage", "alice", 0));
    assert_eq!(line.counts, [(Metric::Sends, 1), (Metric::Pushes, 2)]);

    // A retry writes nothing and tells nobody.
    app.send("alice", "bob", "1", 0).await;
    assert_eq!(lines.last().counts, [(Metric::Duplicates, 1)]);
}

#[tokio::test]
async fn who_is_too_fast_is_counted_and_is_no_failure_of_ours() {
    let (app, lines) = app().await;
    for _ in 0..61 {
        app.invoke("get-blacklist", "alice", json!({})).await;
    }
    let line = lines.last();
    assert_eq!((line.code, line.is_failure), (60007, false));
    assert_eq!(line.counts, [(Metric::Limited, 1)]);
    assert!(lines.0.lock().unwrap()[..60].iter().all(|line| line.code == 0 && line.counts.is_empty()));
}

#[tokio::test]
async fn connections_that_are_gone_and_pushes_that_fail_are_counted() {
    let (app, lines) = app().await;
    let _bob = app.connect("bob").await;
    app.management.break_calls(|_, _| Fault::Refuse(410, "GoneException"));
    app.send("alice", "bob", "1", 0).await;
    assert_eq!(lines.last().counts, [(Metric::Sends, 1), (Metric::GoneConnections, 1)]);

    app.management.break_calls(|_, _| Fault::Refuse(403, "ForbiddenException"));
    app.send("alice", "bob", "2", 1).await;
    assert_eq!(lines.last().counts, [(Metric::Sends, 1), (Metric::FailedPushes, 1)]);
}

#[tokio::test]
async fn pushes_that_hang_have_failed() {
    let (mut app, lines) = (TestApp::new().await, Lines::default());
    app.be_impatient();
    app.report_to(lines.report());
    let (_bob, _other) = (app.connect("bob").await, app.connect("alice").await);
    app.management.break_calls(|_, _| Fault::LoseCall);
    app.send("alice", "bob", "1", 0).await;
    assert_eq!(lines.last().counts, [(Metric::Sends, 1), (Metric::FailedPushes, 2)]);
}

#[tokio::test]
async fn pushes_that_did_not_get_their_turn_have_failed_as_well() {
    let settings = Settings { multi_device: MultiDevice::Many, ..Settings::default() };
    let (mut app, lines) = (TestApp::with(settings).await, Lines::default());
    app.be_impatient();
    app.report_to(lines.report());
    // Sixteen are under way at once.
    for index in 0..17 {
        let mut device = event("connect");
        set_user(&mut device, if index < 16 { "bob" } else { "alice" });
        device["requestContext"]["connectionId"] = json!(format!("{index}="));
        device["requestContext"]["authorizer"]["instance"] = json!(index.to_string());
        assert_eq!(app.respond("connect", &device).await.status(), 200);
    }
    app.management.break_calls(|_, _| Fault::LoseCall);
    app.send("alice", "bob", "1", 0).await;
    assert_eq!(lines.last().counts, [(Metric::Sends, 1), (Metric::FailedPushes, 17)]);
}

#[tokio::test]
async fn a_number_that_somebody_else_was_faster_to_take_is_a_conflict() {
    let (app, lines) = app().await;
    app.send("alice", "bob", "1", 0).await;
    // Bob's message gets in between the reading and the writing of Alice's.
    let from_bob = app.invoke("send-message", "bob", text_message("alice", "2", 1));
    let from_alice = app.invoke("send-message", "alice", text_message("bob", "3", 1));
    let replies = tokio::join!(from_bob, from_alice);
    assert_eq!((&replies.0["code"], &replies.1["code"]), (&json!(0), &json!(0)));
    let lines = lines.0.lock().unwrap();
    let sends = lines.iter().flat_map(|line| &line.counts).filter(|(what, _)| *what == Metric::Sends).count();
    let conflicts = lines.iter().flat_map(|line| &line.counts).filter(|(what, _)| *what == Metric::Conflicts);
    assert_eq!((sends, conflicts.count()), (3, 1));
}

#[tokio::test]
async fn what_fails_on_our_side_is_a_failure_and_says_why() {
    let (app, lines) = app().await;
    app.dynamodb.break_calls(|_, _| Fault::Refuse(400, "AccessDeniedException"));
    let reply = app.invoke("get-message-list", "alice", json!({ "conversationID": "C2Cbob" })).await;
    let line = lines.last();
    assert_eq!((&reply["code"], line.code, line.is_failure), (&json!(20005), 20005, true));
    assert!(line.detail.contains("AccessDeniedException"), "{}", line.detail);
    assert!(!reply.to_string().contains("AccessDenied"), "the client is told none of it");

    // What a user does wrong is none.
    app.dynamodb.mend();
    app.invoke("get-message-list", "alice", json!({ "conversationID": 5 })).await;
    assert_eq!((lines.last().code, lines.last().is_failure), (70402, false));
}

#[tokio::test]
async fn an_event_without_an_identity_is_a_failure() {
    let (app, lines) = app().await;
    let mut event = event("send-message");
    event["requestContext"].as_object_mut().unwrap().remove("authorizer");
    app.respond("send-message", &event).await;
    let line = lines.last();
    assert_eq!((line.route.as_str(), line.code, line.is_failure), ("unknown", 60004, true));
}

#[tokio::test]
async fn no_line_holds_a_signature_or_what_somebody_wrote() {
    const SECRET: &str = "8d2f3a-secret";
    let (app, lines) = app().await;
    let mut data = text_message("bob", "1", 0);
    data["payload"]["text"] = json!(SECRET);
    data["cloudCustomData"] = json!(SECRET);
    app.invoke("send-message", "alice", data.clone()).await;
    // Refused in every way that a message can be.
    for (field, nonsense) in [("payload", json!(SECRET)), ("type", json!(SECRET)), ("base", json!(SECRET))] {
        let mut data = data.clone();
        data[field] = nonsense;
        assert_ne!(app.invoke("send-message", "alice", data).await["code"], 0);
    }
    let mut broken = event("send-message");
    set_user(&mut broken, "alice");
    broken["body"] = json!(format!("{{\"action\":\"sendMessage\",\"data\":{SECRET}"));
    app.respond("send-message", &broken).await;
    app.dynamodb.break_calls(|_, _| Fault::Refuse(400, "ValidationException"));
    assert_eq!(app.invoke("send-message", "alice", data).await["code"], 20005);
    for line in lines.0.lock().unwrap().iter() {
        assert!(!line.text.contains(SECRET), "{}", line.text);
    }
}

#[tokio::test]
async fn the_door_says_by_which_code_it_refuses_and_names_nobody_but_who_has_signed() {
    let lines = Lines::default();
    let (keys, connections) = (Keys::one(Key::parse(KEY).unwrap()), nobody_was_kicked().await);
    let mut authorizer = Authorizer::new(Signatures::new(RULES, keys), connections, Clock::new(|| START_MS));
    authorizer.report = lines.report();
    let another =
        hongyan_shared::sig::issue(&Key::parse("another").unwrap(), SDK_APP_ID, "alice", START_MS / 1000, 60);
    let old = user_sig("alice", START_MS / 1000 - 365 * 24 * 60 * 60);
    for (sig, user, code) in [
        (user_sig("alice", START_MS / 1000), "alice", 0),
        (old, "alice", 70001),
        (another, "", 70009),
        (user_sig("bob", START_MS / 1000), "", 70013),
        ("nonsense".to_owned(), "", 70003),
        (String::new(), "", 70002),
    ] {
        let mut handshake = event("authorizer");
        handshake["queryStringParameters"]["userSig"] = json!(sig);
        let verdict: Result<Value, _> =
            authorizer.handle(serde_json::from_value(handshake).unwrap(), "1").await;
        let line = lines.last();
        assert_eq!(
            (line.route.as_str(), line.user.as_str(), line.code),
            ("authorizer", user, code),
            "{verdict:?}"
        );
        assert_eq!(line.is_stranger, user.is_empty());
        assert!(!line.is_failure);
        assert!(sig.is_empty() || !line.text.contains(&sig), "{}", line.text);
    }
}
