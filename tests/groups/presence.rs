//! Who is connected is not known, or was some seconds ago: a push is a hint, and the tables have all.

use std::time::Duration;

use serde_json::{Value, json};

use super::{GROUP, conversation, history, listed, message, public, say};
use crate::harness::{TestApp, body, event, fault_proxy::Fault, replica::Lag, set_user, socket::Socket};

/// Which messages have been pushed to a device, by their names.
async fn pushed(device: &mut Socket) -> Vec<String> {
    device.request("x", json!({})).await;
    let mut names = Vec::new();
    while let Some(push) = device.pushed() {
        if push["event"] == "onMessageReceived" {
            names.push(push["data"][0]["clientID"].as_str().unwrap().to_owned());
        }
    }
    names
}

/// Which notices have been pushed to a device, by their kinds.
async fn noticed(device: &mut Socket) -> Vec<u64> {
    device.request("x", json!({})).await;
    let mut kinds = Vec::new();
    while let Some(push) = device.pushed() {
        if push["event"] == "onGroupNotice" {
            kinds.push(push["data"]["operationType"].as_u64().unwrap());
        }
    }
    kinds
}

fn posts(app: &TestApp) -> usize {
    app.calls().iter().filter(|call| call.operation == "POST").count()
}

#[tokio::test]
async fn g8_keys_that_a_batch_leaves_over_are_asked_for_again() {
    let app = public(&["bob", "carol"]).await;
    let mut device = app.connect("bob").await;
    let mut left = 3;
    app.dynamodb.break_calls(move |operation, _| {
        left -= i32::from(operation == "BatchGetItem");
        if operation == "BatchGetItem" && left >= 0 { Fault::Unprocessed } else { Fault::None }
    });
    say(&app, "alice", "1", 1).await;
    assert_eq!(pushed(&mut device).await, ["1"]);
}

#[tokio::test]
async fn g8_when_nobody_can_be_looked_up_a_message_is_acknowledged_and_the_next_one_pushed() {
    for fault in [
        Fault::Unprocessed,
        Fault::Refuse(400, "ProvisionedThroughputExceededException"),
        Fault::Refuse(500, "InternalServerError"),
    ] {
        let app = public(&["bob", "carol"]).await;
        let mut device = app.connect("bob").await;
        app.dynamodb.break_calls({
            let fault = fault.clone();
            move |operation, _| if operation == "BatchGetItem" { fault.clone() } else { Fault::None }
        });
        say(&app, "alice", "1", 1).await;
        assert!(pushed(&mut device).await.is_empty());
        assert_eq!(listed(&app, "bob").await.unwrap()["lastMessage"]["clientID"], "1");
        // That nothing was found is not that nobody was there.
        app.dynamodb.mend();
        say(&app, "alice", "2", 1).await;
        assert_eq!(pushed(&mut device).await, ["2"], "{fault:?}");
    }
}

#[tokio::test]
async fn g8_who_has_connected_within_three_seconds_misses_the_push_and_finds_the_message_and_is_seen_then() {
    let app = public(&["bob"]).await;
    say(&app, "alice", "looks them up", 1).await;
    let mut device = app.connect("bob").await;
    app.advance(Duration::from_millis(2_800));
    say(&app, "alice", "missed", 1).await;
    assert!(pushed(&mut device).await.is_empty());
    let range =
        device.ask("getMessageList", json!({ "conversationID": conversation(), "fromSequence": 3 })).await;
    assert_eq!(range["messageList"][0]["clientID"], "missed");
    say(&app, "alice", "seen", 1).await;
    assert_eq!(pushed(&mut device).await, ["seen"], "three seconds later");

    // So does who connects while a replica does not know of it.
    let app = public(&["bob"]).await;
    app.lag(Lag::SECOND).await;
    assert_eq!(connect(&app, "bob", "new=").await, 200);
    app.dynamodb
        .break_calls(|operation, _| if operation == "BatchGetItem" { Fault::Stale } else { Fault::None });
    app.calls();
    say(&app, "alice", "missed", 1).await;
    assert_eq!(posts(&app), 0);
    assert_eq!(history(&app, "bob").await.len(), 2);
    app.advance(Duration::from_secs(4));
    say(&app, "alice", "seen", 1).await;
    assert!(posts(&app) > 0);
}

#[tokio::test]
async fn g8_who_wants_to_hear_of_a_group_again_is_told_again_by_sandboxes_that_know_its_roster() {
    let app = public(&["bob"]).await;
    let other = app.sandbox(app.sandbox.settings);
    let mut device = app.connect("bob").await;
    app.advance(Duration::from_secs(4));
    let remind = async |wanted: &str| {
        let data = json!({ "groupID": GROUP, "messageRemindType": wanted });
        let mine = app.ask("set-group-member", "bob", data).await;
        assert_eq!(mine["selfInfo"]["messageRemindType"], wanted);
        assert_eq!(
            listed(&app, "bob").await.unwrap()["groupProfile"]["selfInfo"]["messageRemindType"],
            wanted
        );
    };
    let mut number = 0;
    for (wanted, is_told) in
        [("Discard", false), ("AcceptAndNotify", true), ("Discard", false), ("AcceptNotNotify", true)]
    {
        remind(wanted).await;
        for sandbox in [&app.sandbox, &other] {
            number += 1;
            app.advance(Duration::from_secs(1));
            let name = number.to_string();
            let reply = app.invoke_in(sandbox, "send-message", "alice", message(&name, 1)).await;
            assert_eq!(reply["code"], 0, "{reply}");
            let expected = if is_told { vec![name] } else { Vec::new() };
            assert_eq!(pushed(&mut device).await, expected, "{wanted}");
        }
    }
}

#[tokio::test]
async fn g8_two_devices_that_want_to_hear_something_else_at_once_come_to_one_of_both_in_both_rows() {
    let app = public(&["bob"]).await;
    for number in 0..6 {
        let wants = ["Discard", "AcceptAndNotify"].map(|wanted| {
            let data = json!({ "groupID": GROUP, "messageRemindType": wanted });
            app.invoke("set-group-member", "bob", data)
        });
        for reply in futures_util::future::join_all(wants).await {
            assert_eq!(reply["code"], 0, "{number}: {reply}");
        }
        let theirs = super::state::theirs(&app, GROUP).await;
        let rows = app.dump("Groups").await;
        let bob = rows.iter().find(|row| row["s"]["S"] == "U#bob").unwrap();
        assert_eq!(theirs["bob"]["rm"]["S"] == "Discard", bob["d"]["BOOL"] == true, "{number}: {bob}");
    }
}

#[tokio::test]
async fn g8_who_wants_to_hear_nothing_sees_on_their_other_devices_what_they_say_themselves() {
    let app = public(&["bob"]).await;
    let mut other = app.connect("bob").await;
    app.advance(Duration::from_secs(4));
    let nothing = json!({ "groupID": GROUP, "messageRemindType": "Discard" });
    app.ask("set-group-member", "bob", nothing).await;
    say(&app, "alice", "of alice", 1).await;
    say(&app, "bob", "of bob", 1).await;
    assert_eq!(pushed(&mut other).await, ["of bob"]);
}

#[tokio::test]
async fn g8_who_does_something_is_told_of_it_on_their_other_devices_alone() {
    let app = TestApp::without_limits().await;
    let mut asks = app.connect("alice").await;
    let mut other = Socket::connect(&app.url("alice", "iOS", None)).await.unwrap();
    let mut bob = app.connect("bob").await;
    let group =
        json!({ "groupID": GROUP, "type": "Public", "name": "g", "memberList": [{ "userID": "bob" }] });
    let quiet = json!({ "groupID": GROUP, "messageRemindType": "AcceptNotNotify" });
    for (action, data, told, told_bob) in [
        ("createGroup", group, 6, Some(7)),
        ("setGroupMember", quiet, 20, None),
        ("dismissGroup", json!({ "groupID": GROUP }), 5, Some(5)),
    ] {
        asks.ask(action, data).await;
        assert_eq!(noticed(&mut other).await, [told], "{action}");
        assert_eq!(noticed(&mut bob).await, Vec::from_iter(told_bob), "{action}");
        assert!(noticed(&mut asks).await.is_empty(), "{action}: its reply says so");
    }
}

/// The handshake of a device, of which API Gateway does not know anything.
async fn connect(app: &TestApp, user: &str, id: &str) -> u16 {
    let mut connect: Value = event("connect");
    set_user(&mut connect, user);
    connect["requestContext"]["connectionId"] = json!(id);
    connect["requestContext"]["connectedAt"] = json!(app.clock.now());
    let response = app.respond("connect", &connect).await;
    let status = response.status().as_u16();
    assert_eq!(body(response), Value::Null);
    status
}

#[tokio::test]
async fn g8_who_has_gone_and_come_back_within_three_seconds_keeps_their_connection() {
    let app = public(&["bob"]).await;
    assert_eq!(connect(&app, "bob", "old=").await, 200);
    // A connection this young may be under way, so that it is not there yet proves nothing.
    app.advance(Duration::from_secs(31));
    let mut is_first = true;
    app.management
        .break_calls(move |_, _| if std::mem::take(&mut is_first) { Fault::Hold } else { Fault::None });
    let sending = app.invoke("send-message", "alice", message("1", 1));
    let meanwhile = async {
        app.management.held().await;
        assert_eq!(connect(&app, "bob", "new=").await, 200);
        app.management.release();
    };
    let (reply, ()) = tokio::join!(sending, meanwhile);
    assert_eq!(reply["code"], 0);
    app.management.mend();
    let slots = |slots: Vec<(String, String, Value)>| -> Vec<String> {
        slots.into_iter().map(|(_, _, slot)| slot["c"]["S"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(slots(app.slots().await), ["new="], "what is gone is the old one");
    // And it is remembered for three seconds that there was the old one.
    app.calls();
    say(&app, "alice", "2", 1).await;
    assert!(posts(&app) > 0);
    assert_eq!(slots(app.slots().await), ["new="]);
}
