//! Functions that are killed between two calls, or overtaken there: what is left, and who repairs it.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{
    GROUP, change, conversation, is_tip, listed, log, members, message, public, row, say,
    state::{state, theirs},
    try_change, try_say,
};
use crate::harness::{TestApp, fault_proxy::Fault, replica::Lag};

/// Asks, and is killed when it makes such a call: that does not arrive.
async fn killed_before(
    app: &TestApp,
    is_it: impl Fn(&str, &Value) -> bool + Send + 'static,
    asking: impl Future<Output = Value>,
) {
    app.dynamodb.break_calls(
        move |operation, request| {
            if is_it(operation, request) { Fault::LoseCall } else { Fault::None }
        },
    );
    tokio::select! {
        reply = asking => panic!("it is answered: {reply}"),
        () = app.dynamodb.lost() => app.dynamodb.mend(),
    }
}

fn updates(operation: &str, request: &Value, expression: &str) -> bool {
    operation == "UpdateItem" && request["UpdateExpression"].as_str().unwrap().starts_with(expression)
}

async fn unread(app: &TestApp, user: &str) -> u64 {
    listed(app, user).await.unwrap()["unreadCount"].as_u64().unwrap()
}

async fn promises(app: &TestApp) -> usize {
    row(app).await["ob"]["M"].as_object().unwrap().len()
}

#[tokio::test]
async fn g7_between_a_message_and_the_note_that_it_is_ones_own_it_counts_as_unread_until_a_retry_or_a_mark() {
    let app = public(&["bob"]).await;
    for (name, is_retried) in [("retried", true), ("marked", false)] {
        let before = unread(&app, "bob").await;
        let sending = app.invoke("send-message", "bob", message(name, 1));
        killed_before(&app, |operation, request| updates(operation, request, "ADD o"), sending).await;
        assert_eq!(unread(&app, "bob").await, before + 1, "it was not acknowledged, and is there");
        assert_eq!(log(&app).await.iter().filter(|(_, _, client_id, _)| client_id == name).count(), 1);
        if is_retried {
            say(&app, "bob", name, 1).await;
            assert_eq!(unread(&app, "bob").await, before);
        } else {
            app.ask("set-message-read", "bob", json!({ "conversationID": conversation() })).await;
            assert_eq!(unread(&app, "bob").await, 0);
        }
        say(&app, "alice", &format!("after {name}"), 1).await;
    }
}

#[tokio::test]
async fn g16_between_a_message_and_the_note_whom_it_names_a_retry_names_them() {
    let app = public(&["bob", "carol"]).await;
    let all = "__kImSDK_MesssageAtALL__";
    for (name, users, cut) in [("one", ["bob", "carol"], "ADD m"), ("all", [all, all], "SET b = ")] {
        let mut data = message(name, 1);
        data["atUserList"] = json!(users);
        let sending = app.invoke("send-message", "alice", data.clone());
        killed_before(&app, move |operation, request| updates(operation, request, cut), sending).await;
        app.advance(Duration::from_secs(1));
        let sequence = app.ask("send-message", "alice", data).await["message"]["sequence"].clone();
        for user in ["bob", "carol"] {
            let mentions = listed(&app, user).await.unwrap()["groupAtInfoList"].clone();
            let mentions = mentions.as_array().unwrap();
            assert!(mentions.iter().any(|mention| mention["messageSequence"] == sequence), "{name}, {user}");
        }
        assert_eq!(log(&app).await.iter().filter(|(_, _, client_id, _)| client_id == name).count(), 1);
    }
}

#[tokio::test]
async fn g12_between_a_change_and_its_tip_who_sends_or_changes_something_later_writes_the_tip() {
    let kick = || ("delete-group-member", "alice", json!({ "userIDList": ["carol"] }));
    let quit = || ("quit-group", "carol", json!({}));
    let join = || ("join-group", "dave", json!({}));
    let mute = || ("set-group-member", "alice", json!({ "userID": "carol", "muteTime": 9 }));
    let over = || ("change-group-owner", "alice", json!({ "newOwnerID": "carol" }));
    let says = || ("update-group-profile", "alice", json!({ "name": "n" }));
    for (route, user, more) in [kick(), quit(), join(), mute(), over(), says()] {
        for repair in ["a message", "a change", "a refused change"] {
            let app = public(&["bob", "carol"]).await;
            let changing = try_change(&app, &app.sandbox, route, user, "cut off", more.clone());
            killed_before(&app, is_tip, changing).await;
            assert_eq!((promises(&app).await, log(&app).await.len()), (1, 1), "{route}: changed, and silent");
            say(&app, "bob", "at once", 1).await;
            assert_eq!((promises(&app).await, log(&app).await.len()), (1, 2), "its maker may still be there");
            app.advance(Duration::from_secs(3));
            match repair {
                "a message" => _ = say(&app, "bob", "later", 1).await,
                "a change" => _ = change(&app, "join-group", "erin", "comes", json!({})).await,
                _ => {
                    // Who has nothing to change does not write: the next one does.
                    change(&app, "join-group", "bob", "is there", json!({})).await;
                    assert_eq!(promises(&app).await, 1, "{route}");
                    say(&app, "bob", "later", 1).await;
                }
            }
            let log = log(&app).await;
            let tip: Vec<_> = log.iter().filter(|(_, _, name, _)| name == "cut off").collect();
            assert_eq!(
                (tip.len(), tip[0].1.as_str(), promises(&app).await),
                (1, user, 0),
                "{route}, {repair}"
            );
            // Its maker comes back, and it is answered as made.
            change(&app, route, user, "cut off", more.clone()).await;
            assert_eq!(self::log(&app).await, log, "{route}, {repair}");
            state(&app, GROUP).await;
        }
    }
}

#[tokio::test]
async fn g12_between_a_tip_and_the_end_of_its_promise_the_promise_is_forgotten_and_the_tip_stays_one() {
    let app = public(&["bob", "carol"]).await;
    let changing =
        try_change(&app, &app.sandbox, "update-group-profile", "alice", "cut off", json!({ "name": "n" }));
    killed_before(&app, |operation, request| updates(operation, request, "REMOVE ob"), changing).await;
    assert_eq!((promises(&app).await, log(&app).await.len()), (1, 2));
    app.advance(Duration::from_secs(3));
    say(&app, "bob", "later", 1).await;
    let names: Vec<String> = log(&app).await.into_iter().map(|(_, _, name, _)| name).collect();
    assert_eq!((promises(&app).await, names), (0, ["add-0", "cut off", "later"].map(str::to_owned).to_vec()));
    // The note that it is its author's own was made, or is made with that.
    let changing =
        try_change(&app, &app.sandbox, "update-group-profile", "alice", "again", json!({ "name": "m" }));
    killed_before(&app, |operation, request| updates(operation, request, "ADD o"), changing).await;
    app.advance(Duration::from_secs(3));
    say(&app, "bob", "later still", 1).await;
    assert_eq!(unread(&app, "alice").await, 2, "two messages of bob's, and nothing of their own");
}

#[tokio::test]
async fn g15_between_two_parts_of_a_long_list_the_first_is_done_and_both_are_done_once_when_they_come_again()
{
    let app = public(&["bob"]).await;
    let parts = [&["c1", "c2", "c3", "c4", "c5", "c6"][..], &["c7", "c8"]];
    let add =
        |part: usize| ("add-group-member", format!("part-{part}"), json!({ "userIDList": parts[part] }));
    let (route, name, more) = add(0);
    change(&app, route, "alice", &name, more).await;
    let (route, name, more) = add(1);
    let adding = try_change(&app, &app.sandbox, route, "alice", &name, more);
    killed_before(&app, |operation, _| operation == "TransactWriteItems", adding).await;
    assert_eq!(members(&app).await.len(), 2 + 6);
    for part in [0, 1] {
        let (route, name, more) = add(part);
        let added = change(&app, route, "alice", &name, more).await;
        assert_eq!(added["successUserIDList"], json!(parts[part]));
    }
    assert_eq!((members(&app).await.len(), log(&app).await.len()), (2 + 8, 3));
}

#[tokio::test]
async fn g10_between_the_place_in_the_list_and_the_group_there_is_an_empty_place() {
    let app = public(&["bob"]).await;
    let joining = try_change(&app, &app.sandbox, "join-group", "carol", "comes", json!({}));
    killed_before(&app, |operation, _| operation == "TransactWriteItems", joining).await;
    assert_eq!(listed(&app, "carol").await, None);
    assert_eq!(members(&app).await, ["alice", "bob"]);
    change(&app, "join-group", "carol", "comes", json!({})).await;
    assert!(listed(&app, "carol").await.is_some());
    assert_eq!(members(&app).await, ["alice", "bob", "carol"]);
}

#[tokio::test]
async fn g9_between_the_end_of_a_group_and_its_rows_nobody_does_anything_and_lists_let_go_of_theirs() {
    let app = public(&["bob", "carol"]).await;
    say(&app, "bob", "1", 1).await;
    app.dynamodb.break_calls(|operation, request| {
        if updates(operation, request, "SET xd") { Fault::LoseAnswer } else { Fault::None }
    });
    tokio::select! {
        _ = app.invoke("dismiss-group", "alice", json!({ "groupID": GROUP })) => unreachable!("it is cut off"),
        () = app.dynamodb.lost() => app.dynamodb.mend(),
    }
    assert!(theirs(&app, GROUP).await.keys().eq(["alice", "bob", "carol"]), "rows of a dead group");
    assert_eq!(try_say(&app, "bob", "2", 1).await["code"], 10010);
    for (route, more) in [
        ("set-message-read", json!({ "sequence": 1 })),
        ("delete-conversation", json!({})),
        ("revoke-message", json!({ "sequence": 2 })),
    ] {
        let mut data = json!({ "conversationID": conversation() });
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(app.invoke(route, "bob", data).await["code"], 10010, "{route}");
    }
    assert_eq!(listed(&app, "bob").await, None);
    assert!(theirs(&app, GROUP).await.keys().eq(["alice", "carol"]), "the list has met it");
    app.ask("dismiss-group", "alice", json!({ "groupID": GROUP })).await;
}

#[tokio::test]
async fn g9_a_sandbox_that_remembers_who_was_in_a_group_believes_the_group_and_not_its_memory() {
    let app = public(&["bob", "carol"]).await;
    let other = app.sandbox(app.sandbox.settings);
    let mut device = app.connect("bob").await;
    let send = async |user: &str, name: &str| {
        app.advance(Duration::from_millis(100));
        app.invoke_in(&other, "send-message", user, message(name, 1)).await["code"].as_i64().unwrap()
    };
    assert_eq!(send("bob", "1").await, 0);
    change(&app, "delete-group-member", "alice", "kick", json!({ "userIDList": ["bob"] })).await;
    assert_eq!(send("bob", "2").await, 10007);
    assert_eq!(send("carol", "3").await, 0);
    device.request("x", json!({})).await;
    while let Some(push) = device.pushed() {
        assert_ne!(push["data"][0]["clientID"], "3", "{push}");
    }
    for route in ["get-group-member-list", "add-group-member"] {
        let data = json!({ "groupID": GROUP, "clientID": "x", "base": 0, "userIDList": ["dave"] });
        assert_eq!(app.invoke_in(&other, route, "bob", data).await["code"], 10007, "{route}");
    }
    // So it does with roles and with who may speak.
    change(&app, "set-group-member", "alice", "mute", json!({ "userID": "carol", "muteTime": 60 })).await;
    assert_eq!(send("carol", "4").await, 10017);
}

/// Where what the users have of their groups may be read as it was before. Each table may be as old as that, or not.
async fn bob_was_put_out_a_moment_ago() -> TestApp {
    let app = public(&["bob"]).await;
    app.lag(Lag::SECOND).await;
    change(&app, "delete-group-member", "alice", "kick", json!({ "userIDList": ["bob"] })).await;
    say(&app, "alice", "behind their back", 1).await;
    app.dynamodb.break_calls(|_, request| {
        if request["TableName"] == "Conversations" { Fault::Stale } else { Fault::None }
    });
    app
}

#[tokio::test]
async fn g9_a_list_that_is_asked_for_by_name_shows_nothing_to_who_was_put_out_a_moment_ago() {
    let app = bob_was_put_out_a_moment_ago().await;
    let named = json!({ "conversationIDList": [conversation()] });
    let named = app.ask("get-conversation-list", "bob", named).await;
    assert_eq!(named["conversationList"], json!([]));
    assert_eq!(listed(&app, "bob").await, None);
}

#[tokio::test]
async fn g9_no_page_and_no_range_shows_anything_to_who_was_put_out_a_moment_ago() {
    let app = bob_was_put_out_a_moment_ago().await;
    let range = json!({ "conversationID": conversation(), "fromSequence": 1, "toSequence": 9 });
    for wanted in [json!({ "conversationID": conversation() }), range.clone()] {
        assert_eq!(app.invoke("get-message-list", "bob", wanted.clone()).await["code"], 10007, "{wanted}");
    }
    let ranges = app.ask("get-message-list", "bob", json!({ "ranges": [range] })).await;
    assert_eq!(ranges["rangeList"][0]["messageList"], json!([]));
}

#[tokio::test]
async fn g9_what_was_begun_before_a_kick_may_be_behind_it_and_leaves_no_row() {
    for (route, data, held, code) in [
        ("send-message", message("late", 1), "M", 0),
        ("send-message", message("late", 1), "ADD o", 0),
        ("set-message-read", json!({ "conversationID": conversation(), "sequence": 1 }), "SET rn", 10007),
        ("delete-conversation", json!({ "conversationID": conversation() }), "SET cn", 10007),
        ("pin-conversation", json!({ "conversationID": conversation(), "isPinned": true }), "SET k", 10007),
        (
            "set-group-member",
            json!({ "groupID": GROUP, "messageRemindType": "Discard" }),
            "transaction",
            10007,
        ),
        (
            "set-group-member",
            json!({ "groupID": GROUP, "nameCard": "late", "userID": "bob" }),
            "transaction",
            10007,
        ),
    ] {
        let app = Arc::new(public(&["bob", "carol"]).await);
        let mut is_first = true;
        app.dynamodb.break_calls(move |operation, request| {
            let is_it = match held {
                "M" => operation == "PutItem" && request["Item"]["c"]["S"] == "late",
                "transaction" => operation == "TransactWriteItems",
                expression => updates(operation, request, expression),
            };
            if is_it && std::mem::take(&mut is_first) { Fault::Hold } else { Fault::None }
        });
        let late = {
            let (app, data) = (Arc::clone(&app), data.clone());
            tokio::spawn(async move { app.invoke(route, "bob", data).await })
        };
        app.dynamodb.held().await;
        change(&app, "delete-group-member", "alice", "kick", json!({ "userIDList": ["bob"] })).await;
        app.dynamodb.release();
        let reply = late.await.unwrap();
        assert_eq!(reply["code"], code, "{route}, held at {held}: {reply}");
        app.dynamodb.mend();
        assert_eq!(members(&app).await, ["alice", "carol"], "{route}, held at {held}");
        let names: Vec<String> = log(&app).await.into_iter().map(|(_, _, name, _)| name).collect();
        match held {
            "M" => assert_eq!(names, ["add-0", "kick", "late"]),
            "ADD o" => assert_eq!(names, ["add-0", "late", "kick"]),
            _ => assert_eq!(names, ["add-0", "kick"]),
        }
        assert_eq!(try_say(&app, "bob", "later", 1).await["code"], 10007);
    }
}

#[tokio::test]
async fn g9_who_was_put_out_while_they_were_named_has_no_row() {
    let app = Arc::new(public(&["bob", "carol"]).await);
    app.dynamodb.break_calls(
        |operation, request| {
            if updates(operation, request, "ADD m") { Fault::Hold } else { Fault::None }
        },
    );
    let naming = {
        let app = Arc::clone(&app);
        let mut data = message("named", 1);
        data["atUserList"] = json!(["bob"]);
        tokio::spawn(async move { app.invoke("send-message", "alice", data).await })
    };
    app.dynamodb.held().await;
    change(&app, "delete-group-member", "alice", "kick", json!({ "userIDList": ["bob"] })).await;
    app.dynamodb.release();
    assert_eq!(naming.await.unwrap()["code"], 0);
    assert_eq!(members(&app).await, ["alice", "carol"]);
}
