//! G10, G11, G13 and G15: who is in a group, and who may say so, with many at once.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{GROUP, change, group_of, log, members, public, row, try_change};
use crate::harness::{TestApp, fault_proxy::Fault};

/// Asks until it is not refused because of others.
async fn until_done(app: &TestApp, route: &str, user: &str, name: &str, more: Value) -> Value {
    loop {
        let reply = try_change(app, &app.sandbox, route, user, name, more.clone()).await;
        if ![10006, 20004, 60007].contains(&reply["code"].as_i64().unwrap()) {
            return reply;
        }
    }
}

#[tokio::test]
async fn g10_members_are_counted_with_their_rows_and_never_more_than_there_may_be_with_many_joins_at_once() {
    for kind in ["Public", "ChatRoom"] {
        let app = Arc::new(TestApp::without_limits().await);
        let data = json!({ "groupID": GROUP, "type": kind, "name": "g", "joinOption": "FreeAccess", "maxMemberNum": 9 });
        app.ask("create-group", "alice", data).await;
        let joins = (0..20).map(|number| {
            let app = Arc::clone(&app);
            async move {
                let user = format!("user-{number}");
                until_done(&app, "join-group", &user, &user, json!({})).await["code"].as_i64().unwrap()
            }
        });
        let codes = join_all(joins).await;
        assert_eq!(codes.iter().filter(|code| **code == 0).count(), 8, "{kind}: {codes:?}");
        assert!(codes.iter().all(|code| [0, 10014].contains(code)));
        assert_eq!(members(&app).await.len(), 9);
        let tips = log(&app).await.len();
        assert_eq!(tips, if kind == "Public" { 8 } else { 0 });
    }
}

#[tokio::test]
async fn g11_there_is_one_owner_in_all_rows() {
    let app = public(&["bob", "carol"]).await;
    change(&app, "change-group-owner", "alice", "to bob", json!({ "newOwnerID": "bob" })).await;
    let reply = try_change(
        &app,
        &app.sandbox,
        "change-group-owner",
        "alice",
        "to carol",
        json!({ "newOwnerID": "carol" }),
    )
    .await;
    assert_eq!(reply["code"], 10007);
    let ranks = |rows: &[Value], key: &str, rank: &str| -> Vec<String> {
        rows.iter()
            .filter(|row| row[rank]["N"] == "2")
            .map(|row| row[key]["S"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(row(&app).await["ow"]["S"], "bob");
    assert_eq!(ranks(&app.dump("Groups").await, "s", "r"), ["U#bob"]);
    assert_eq!(ranks(&app.dump("Conversations").await, "u", "ro"), ["bob"]);

    let app = TestApp::without_limits().await;
    group_of(&app, "Private", &["bob"]).await;
    change(&app, "quit-group", "alice", "quit", json!({})).await;
    assert_eq!(row(&app).await["ow"], Value::Null, "a Private group may have none");
    assert_eq!(members(&app).await, ["bob"]);
}

#[tokio::test]
async fn g13_a_change_is_allowed_by_the_roster_that_it_is_applied_to() {
    let app = public(&["bob", "carol", "dave"]).await;
    change(&app, "set-group-member", "alice", "admin", json!({ "userID": "bob", "role": "Admin" })).await;
    // Bob's kick has been decided, and is on its way when alice takes the role from them.
    let app = Arc::new(app);
    let other = app.sandbox(crate::harness::TestApp::without_limits().await.sandbox.settings);
    app.dynamodb.break_calls({
        let mut is_first = true;
        move |operation, _| {
            let holds = operation == "TransactWriteItems" && std::mem::take(&mut is_first);
            if holds { Fault::Hold } else { Fault::None }
        }
    });
    let kick = {
        let app = Arc::clone(&app);
        tokio::spawn(async move {
            try_change(
                &app,
                &app.sandbox,
                "delete-group-member",
                "bob",
                "kick",
                json!({ "userIDList": ["carol"] }),
            )
            .await
        })
    };
    app.dynamodb.held().await;
    let demoted = try_change(
        &app,
        &other,
        "set-group-member",
        "alice",
        "demote",
        json!({ "userID": "bob", "role": "Member" }),
    )
    .await;
    assert_eq!(demoted["code"], 0);
    app.dynamodb.release();
    assert_eq!(kick.await.unwrap()["code"], 10007);
    assert_eq!(members(&app).await, ["alice", "bob", "carol", "dave"]);
}

#[tokio::test]
async fn g13_nobody_becomes_the_owner_of_a_meeting_that_they_are_leaving() {
    let app = TestApp::without_limits().await;
    group_of(&app, "ChatRoom", &["bob"]).await;
    let app = Arc::new(app);
    let other = app.sandbox(app.sandbox.settings);
    app.dynamodb.break_calls({
        let mut is_first = true;
        move |operation, _| {
            let holds = operation == "TransactWriteItems" && std::mem::take(&mut is_first);
            if holds { Fault::Hold } else { Fault::None }
        }
    });
    let quit = {
        let app = Arc::clone(&app);
        tokio::spawn(
            async move { try_change(&app, &app.sandbox, "quit-group", "bob", "quit", json!({})).await },
        )
    };
    app.dynamodb.held().await;
    assert_eq!(
        try_change(&app, &other, "change-group-owner", "alice", "over", json!({ "newOwnerID": "bob" })).await
            ["code"],
        0
    );
    app.dynamodb.release();
    assert_eq!(quit.await.unwrap()["code"], 10009);
    assert_eq!(row(&app).await["ow"]["S"], "bob");
    assert_eq!(members(&app).await, ["alice", "bob"]);
}

#[tokio::test]
async fn g15_a_change_that_is_asked_for_again_is_made_once_and_answered_the_same() {
    let app = public(&["bob"]).await;
    let of = |user: &'static str, route: &'static str, more: Value| (user, route, more);
    for (number, (user, route, more)) in [
        of("alice", "add-group-member", json!({ "userIDList": ["carol", "bob"] })),
        of("alice", "set-group-member", json!({ "userID": "bob", "role": "Admin" })),
        of("alice", "set-group-member", json!({ "userID": "bob", "role": "Member" })),
        of("alice", "set-group-member", json!({ "userID": "bob", "muteTime": 60 })),
        of("alice", "update-group-profile", json!({ "name": "n" })),
        of("alice", "delete-group-member", json!({ "userIDList": ["carol"] })),
        of("carol", "join-group", json!({})),
        of("carol", "quit-group", json!({})),
        of("alice", "change-group-owner", json!({ "newOwnerID": "bob" })),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("change-{number}");
        let first = change(&app, route, user, &name, more.clone()).await;
        let rows = (log(&app).await, app.dump("Groups").await);
        for _ in 0..2 {
            let mut again = change(&app, route, user, &name, more.clone()).await;
            // Their number may have gone on, and nothing else.
            if let Some(group) = again.get_mut("group") {
                group["nextMessageSeq"] = first["group"]["nextMessageSeq"].clone();
            }
            assert_eq!(again, first, "{route} {more}");
        }
        assert_eq!((log(&app).await, app.dump("Groups").await), rows, "{route} {more}");
    }
    // A late attempt to add somebody who was put out since does not bring them back.
    let again =
        change(&app, "add-group-member", "alice", "change-0", json!({ "userIDList": ["carol", "bob"] }))
            .await;
    assert_eq!(again["successUserIDList"], json!(["carol"]));
    assert_eq!(members(&app).await, ["alice", "bob"]);
}

#[tokio::test]
async fn g15_a_conflict_with_another_transaction_is_tried_again_and_one_too_many_is_refused() {
    let app = public(&["bob"]).await;
    for (conflicts, code) in [(3, 0), (99, 10006)] {
        let mut left = conflicts;
        app.dynamodb.break_calls(move |operation, _| {
            let conflicts = operation == "TransactWriteItems" && left > 0;
            left -= i32::from(conflicts);
            if conflicts { Fault::Cancel("TransactionConflict") } else { Fault::None }
        });
        let name = format!("join-{conflicts}");
        let reply = try_change(&app, &app.sandbox, "join-group", &name, &name, json!({})).await;
        app.dynamodb.mend();
        assert_eq!(reply["code"], code, "{reply}");
    }
    // So is one with the row of the group alone.
    let mut left = 2;
    app.dynamodb.break_calls(move |operation, request| {
        let conflicts = operation == "UpdateItem" && request["Key"]["s"]["S"] == "P" && left > 0;
        left -= i32::from(conflicts);
        if conflicts { Fault::Refuse(400, "TransactionConflictException") } else { Fault::None }
    });
    change(&app, "update-group-profile", "alice", "name", json!({ "name": "n" })).await;
    app.dynamodb.mend();
    app.advance(Duration::from_secs(1));
    assert_eq!(members(&app).await, ["alice", "bob", "join-3"]);
}

#[tokio::test]
async fn g15_an_application_is_decided_once() {
    let app = TestApp::without_limits().await;
    app.ask("create-group", "alice", json!({ "groupID": GROUP, "type": "Public", "name": "g", "memberList": [{ "userID": "bob", "role": "Admin" }] })).await;
    for _ in 0..2 {
        let waits = change(&app, "join-group", "carol", "j-1", json!({ "applyMessage": "please" })).await;
        assert_eq!(waits["status"], "WaitAdminApproval");
    }
    for admin in ["alice", "bob"] {
        let open = app.ask("get-group-application-list", admin, json!({})).await;
        assert_eq!(open["applicationList"].as_array().unwrap().len(), 1);
        assert_eq!(open["applicationList"][0]["applyMessage"], "please");
    }
    let decide = |name: &str, action: &str| {
        (name.to_owned(), json!({ "userID": "carol", "authentication": "j-1", "handleAction": action }))
    };
    let (name, agree) = decide("d-1", "Agree");
    for _ in 0..2 {
        change(&app, "handle-group-application", "bob", &name, agree.clone()).await;
    }
    for (name, decision) in [decide("d-2", "Agree"), decide("d-3", "Reject")] {
        assert_eq!(
            try_change(&app, &app.sandbox, "handle-group-application", "alice", &name, decision).await["code"],
            10024
        );
    }
    assert_eq!(members(&app).await, ["alice", "bob", "carol"]);
    assert_eq!(log(&app).await.len(), 1);
    assert_eq!(change(&app, "join-group", "carol", "j-2", json!({})).await["status"], "AlreadyInGroup");
    assert_eq!(app.ask("get-group-application-list", "alice", json!({})).await["applicationList"], json!([]));
}
