//! P10: the row of a dead connection is not used again, and a late `$disconnect` never removes a live one.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{START_MS, TestApp, event, fault_proxy::Fault, set_user};

#[tokio::test]
async fn p10_a_dead_connection_is_forgotten_and_a_new_one_is_not() {
    let app = TestApp::new().await;
    let mut gone = event("connect");
    set_user(&mut gone, "bob");
    gone["requestContext"]["connectedAt"] = json!(START_MS);
    app.respond("connect", &gone).await;

    // While its handshake may still be under way, 410 does not mean that it is dead.
    app.send("alice", "bob", "1", 0).await;
    assert_eq!(app.slots().await.len(), 1);

    app.advance(Duration::from_secs(31));
    app.send("alice", "bob", "2", 1).await;
    assert!(app.slots().await.is_empty());
    app.calls();
    app.send("alice", "bob", "3", 2).await;
    assert!(app.calls().iter().all(|call| call.operation != "POST"), "its row is not used again");

    // A row that was never taken away is dead when API Gateway would have cut it.
    app.respond("connect", &gone).await;
    app.advance(Duration::from_secs(2 * 3600 + 300));
    app.calls();
    app.send("alice", "bob", "4", 3).await;
    assert!(app.calls().iter().all(|call| call.operation != "POST"));
}

/// Connects a device of bob's, which has no other one on its platform.
async fn connect(app: &TestApp, id: &str, instance: &str) -> u16 {
    let mut event = event("connect");
    set_user(&mut event, "bob");
    event["requestContext"]["connectionId"] = json!(id);
    event["requestContext"]["connectedAt"] = json!(app.clock.now());
    event["requestContext"]["authorizer"]["instance"] = json!(instance);
    app.respond("connect", &event).await.status().as_u16()
}

/// The connection that holds the slot.
async fn holder(app: &TestApp) -> Value {
    let slots = app.slots().await;
    assert_eq!(slots.len(), 1);
    slots[0].2["c"]["S"].clone()
}

/// What was said to connections since the last time: `POST`, `DELETE`.
fn said(app: &TestApp) -> Vec<String> {
    let said = app.calls().into_iter().map(|call| call.operation);
    said.filter(|operation| ["POST", "DELETE"].contains(&operation.as_str())).collect()
}

#[tokio::test]
async fn p10_a_late_disconnect_and_a_late_handshake_leave_the_live_connection_alone() {
    let app = TestApp::new().await;
    let (mut late, mut gone) = (event("connect"), event("disconnect"));
    for event in [&mut late, &mut gone] {
        set_user(event, "bob");
        event["requestContext"]["connectionId"] = json!("old=");
        event["requestContext"]["connectedAt"] = json!(START_MS);
    }
    app.respond("connect", &late).await;
    app.advance(Duration::from_secs(1));
    assert_eq!(connect(&app, "new=", "phone-2").await, 200);
    app.calls();

    app.respond("disconnect", &gone).await;
    assert_eq!(holder(&app).await, "new=");
    assert_eq!(app.respond("connect", &late).await.status(), 403);
    assert_eq!(holder(&app).await, "new=");
    assert!(said(&app).is_empty());
    app.send("alice", "bob", "1", 0).await;
    assert_eq!(said(&app), ["POST"]);
}

#[tokio::test]
async fn p10_a_registration_whose_answer_was_lost_does_not_kick_itself() {
    for instance in ["phone-1", "phone-2"] {
        let app = TestApp::new().await;
        let mut is_lost = false;
        app.dynamodb.break_calls(move |operation, request| {
            let registers = operation == "UpdateItem" && request["Key"]["s"]["S"] == "C";
            let is_first = registers && !std::mem::replace(&mut is_lost, true);
            if is_first { Fault::ResetAfter } else { Fault::None }
        });
        assert_eq!(connect(&app, "1=", instance).await, 200);
        let calls: Vec<String> = app.calls().into_iter().map(|call| call.operation).collect();
        // The SDK has asked once more, and it is a user who has come: who watches is looked for, and that is all.
        assert_eq!(calls, ["UpdateItem", "UpdateItem", "Query"]);
        assert_eq!(holder(&app).await, "1=");
    }
}

#[tokio::test]
async fn p10_who_is_replaced_is_kicked_out_as_long_as_api_gateway_may_have_the_connection() {
    // It cuts a connection after two hours, and five minutes are for what clocks differ by.
    const LIFETIME_S: u64 = 2 * 3_600 + 300;
    for (age_s, expected) in [(LIFETIME_S - 1, &["POST", "DELETE"][..]), (LIFETIME_S, &[])] {
        let app = TestApp::new().await;
        connect(&app, "old=", "phone-1").await;
        app.advance(Duration::from_secs(age_s));
        app.calls();
        assert_eq!(connect(&app, "new=", "phone-2").await, 200);
        assert_eq!(said(&app), expected, "after {age_s} s");
        assert_eq!(holder(&app).await, "new=");
    }
}
