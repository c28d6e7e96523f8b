use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{START_MS, TestApp, body, event, fault_proxy::Fault, socket::Socket};

const ONLINE: u8 = 1;
const OFFLINE: u8 = 2;

fn status(user: &str, status_type: u8) -> Value {
    json!({ "userID": user, "statusType": status_type, "customStatus": "" })
}

fn told(user: &str, status_type: u8) -> Value {
    json!({ "event": "onUserStatusUpdated", "data": [status(user, status_type)] })
}

/// Connects a user who then watches another one, and takes what is told at once.
async fn watching(app: &TestApp, watcher: &str, user: &str) -> Socket {
    app.acquaint(watcher, user).await;
    let mut socket = app.connect(watcher).await;
    socket.ask("subscribeUserStatus", json!({ "userIDList": [user] })).await;
    assert_eq!(socket.push().await["event"], "onUserStatusUpdated");
    socket
}

/// Bob comes or goes on a device, as the events have it.
async fn bob(app: &TestApp, name: &str, platform: &str, id: &str) {
    let mut event = event(name);
    let context = &mut event["requestContext"];
    context["authorizer"]["userID"] = json!("bob");
    context["authorizer"]["platform"] = json!(platform);
    context["connectionId"] = json!(id);
    context["connectedAt"] = json!(app.clock.now());
    assert_eq!(app.respond(name, &event).await.status(), 200);
}

/// How many rows there are of somebody who watches.
async fn watches(app: &TestApp) -> usize {
    let rows = app.dump("Connections").await;
    rows.iter().filter(|row| row["s"]["S"].as_str().unwrap().starts_with("W#")).count()
}

#[tokio::test]
async fn who_watches_is_told_at_once_how_it_stands() {
    let app = TestApp::new().await;
    let _carol = app.connect("carol").await;
    for user in ["bob", "carol"] {
        app.acquaint("alice", user).await;
    }
    let mut alice = app.connect("alice").await;
    let users = json!({ "userIDList": ["bob", "carol", "bob"] });
    assert_eq!(alice.ask("subscribeUserStatus", users).await, json!({ "failureUserList": [] }));
    let both = json!([status("bob", OFFLINE), status("carol", ONLINE)]);
    assert_eq!(alice.push().await, json!({ "event": "onUserStatusUpdated", "data": both }));

    let reply = body(app.respond("subscribe-user-status", &event("subscribe-user-status")).await);
    assert_eq!(reply["data"], json!({ "failureUserList": [] }));
}

#[tokio::test]
async fn who_watches_is_told_when_a_user_comes_or_goes_and_nobody_else_is() {
    let app = TestApp::new().await;
    let mut alice = watching(&app, "alice", "bob").await;
    let mut carol = app.connect("carol").await;
    for id in ["1=", "2="] {
        bob(&app, "connect", "Web", id).await;
        assert_eq!(alice.push().await, told("bob", ONLINE));
        bob(&app, "disconnect", "Web", id).await;
        assert_eq!(alice.push().await, told("bob", OFFLINE));
        bob(&app, "disconnect", "Web", id).await;
    }
    assert!(alice.is_quiet().await, "API Gateway may say it twice");
    assert!(carol.is_quiet().await);
}

#[tokio::test]
async fn a_second_device_and_one_that_comes_back_tell_nothing() {
    let app = TestApp::new().await;
    let mut alice = watching(&app, "alice", "bob").await;
    bob(&app, "connect", "Web", "web=").await;
    assert_eq!(alice.push().await, told("bob", ONLINE));

    bob(&app, "connect", "MiniProgram", "phone=").await;
    bob(&app, "connect", "MiniProgram", "phone-again=").await;
    bob(&app, "disconnect", "MiniProgram", "phone=").await;
    bob(&app, "disconnect", "Web", "web=").await;
    assert!(alice.is_quiet().await);
    bob(&app, "disconnect", "MiniProgram", "phone-again=").await;
    assert_eq!(alice.push().await, told("bob", OFFLINE));
    assert!(alice.is_quiet().await);
}

#[tokio::test]
async fn a_logout_is_told_once() {
    let app = TestApp::new().await;
    let mut alice = watching(&app, "alice", "bob").await;
    let mut bob = app.connect("bob").await;
    assert_eq!(alice.push().await, told("bob", ONLINE));
    bob.ask("logout", json!({})).await;
    assert_eq!(alice.push().await, told("bob", OFFLINE));
    bob.closed().await;
    assert!(alice.is_quiet().await);
}

#[tokio::test]
async fn a_connection_that_turns_out_to_be_dead_is_a_user_who_has_gone() {
    let app = TestApp::new().await;
    let mut alice = watching(&app, "alice", "bob").await;
    bob(&app, "connect", "Web", "never-opened=").await;
    assert_eq!(alice.push().await, told("bob", ONLINE));
    app.advance(Duration::from_secs(31));
    app.send("carol", "bob", "1", 0).await;
    assert_eq!(alice.push().await, told("bob", OFFLINE));
}

#[tokio::test]
async fn what_is_told_last_is_true_when_somebody_comes_back_while_it_is_told() {
    let app = TestApp::new().await;
    let mut alice = watching(&app, "alice", "bob").await;
    bob(&app, "connect", "Web", "1=").await;
    assert_eq!(alice.push().await, told("bob", ONLINE));

    // That bob has gone arrives behind that bob is back.
    let mut is_late = true;
    app.management.break_calls(move |_, push| {
        let is_held = *push == told("bob", OFFLINE) && std::mem::take(&mut is_late);
        if is_held { Fault::Hold } else { Fault::None }
    });
    let comes = async {
        app.management.held().await;
        bob(&app, "connect", "Web", "2=").await;
        app.management.release();
    };
    tokio::join!(bob(&app, "disconnect", "Web", "1="), comes);
    let mut last = Value::Null;
    while !alice.is_quiet().await {
        last = alice.push().await;
    }
    assert_eq!(last, told("bob", ONLINE));
}

#[tokio::test]
async fn a_subscription_ends_with_its_connection() {
    let app = TestApp::new().await;
    watching(&app, "alice", "bob").await.close().await;
    assert_eq!(watches(&app).await, 1);
    // The next change finds nobody there, and does not look for them again.
    bob(&app, "connect", "Web", "1=").await;
    assert_eq!(watches(&app).await, 0);

    // One device has one row, however often it comes back.
    for _ in 0..3 {
        watching(&app, "alice", "bob").await.vanish();
    }
    assert_eq!(watches(&app).await, 1);

    // A row that nobody took away is nobody's when API Gateway would have cut its connection.
    app.advance(Duration::from_secs(2 * 3600 + 300));
    app.calls();
    bob(&app, "connect", "Web", "2=").await;
    assert!(app.calls().iter().all(|call| call.operation != "POST"));
}

#[tokio::test]
async fn a_push_that_fails_is_not_a_watcher_who_has_gone() {
    let app = TestApp::new().await;
    let _alice = watching(&app, "alice", "bob").await;
    app.management.break_calls(|_, _| Fault::Refuse(429, "LimitExceededException"));
    bob(&app, "connect", "Web", "1=").await;
    assert_eq!(watches(&app).await, 1);
}

#[tokio::test]
async fn those_who_watch_do_not_keep_anybody_from_coming() {
    let app = TestApp::new().await;
    let _alice = watching(&app, "alice", "bob").await;
    app.dynamodb.break_calls(|operation, _| match operation {
        "Query" => Fault::Refuse(400, "ThrottlingException"),
        _ => Fault::None,
    });
    bob(&app, "connect", "Web", "1=").await;
    assert_eq!(app.slots().await.len(), 2);
}

#[tokio::test]
async fn no_more_than_two_hundred_are_told_however_many_watch_and_however_many_are_dead() {
    let app = TestApp::new().await;
    let dead = json!(START_MS - 3 * 3600 * 1000);
    for index in 0..700 {
        let mut event = event("subscribe-user-status");
        let context = &mut event["requestContext"];
        let watcher = format!("{index:0>32}");
        app.acquaint(&watcher, "bob").await;
        context["connectionId"] = json!(format!("{watcher}="));
        context["authorizer"]["userID"] = json!(watcher);
        if index < 450 {
            context["connectedAt"] = dead.clone();
        }
        event["body"] = json!(r#"{"action":"subscribeUserStatus","data":{"userIDList":["bob"]}}"#);
        app.respond("subscribe-user-status", &event).await;
    }
    app.calls();
    bob(&app, "connect", "Web", "1=").await;
    let calls = app.calls();
    let posts = calls.iter().filter(|call| call.operation == "POST").count();
    assert!(posts <= 200, "{posts}");
    let reads: f64 = calls.iter().map(|call| call.read_units).sum();
    let writes: f64 = calls.iter().map(|call| call.write_units).sum();
    assert!(reads <= 64.0 && writes <= 64.0, "{reads} {writes}");
    assert_eq!(posts + calls.iter().filter(|call| call.operation == "DELETE").count(), 200);
}
