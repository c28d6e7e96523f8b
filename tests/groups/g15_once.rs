//! G15: a change that is asked for again is made once, and answered the same.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Ask, GROUP, ask, change, code, create, history, kick_up_to_the_tip, log, members, public, row,
    state::{State, state},
    try_change,
};
use crate::harness::{TestApp, fault_proxy::Fault, steps::Side};

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

#[tokio::test]
async fn g15_a_group_is_made_once_and_answered_as_it_is_by_then() {
    let app = TestApp::without_limits().await;
    let data = json!({ "groupID": GROUP, "type": "Public", "name": "g", "joinOption": "FreeAccess", "memberList": [{ "userID": "bob" }] });
    let first = app.ask("create-group", "alice", data.clone()).await;
    let found = state(&app, GROUP).await;
    assert_eq!(app.ask("create-group", "alice", data.clone()).await, first);
    assert_eq!(state(&app, GROUP).await, found);
    change(&app, "delete-group-member", "alice", "kick", json!({ "userIDList": ["bob"] })).await;
    let again = app.ask("create-group", "alice", data.clone()).await;
    assert_eq!(again["group"]["memberCount"], 1, "who was put out since does not come back");
    assert_eq!(members(&app).await, ["alice"]);
    assert_eq!(app.invoke("create-group", "bob", data.clone()).await["code"], 10021);
    let other = json!({ "groupID": GROUP, "type": "Private", "name": "g" });
    assert_eq!(app.invoke("create-group", "alice", other).await["code"], 10021, "that is another group");
}

#[tokio::test]
async fn g15_what_is_asked_for_again_after_others_have_undone_it_is_not_done_again() {
    let app = public(&["bob", "carol"]).await;
    for (route, user, more, undo, undone) in [
        ("delete-group-member", "alice", json!({ "userIDList": ["bob"] }), "join-group", "bob"),
        ("quit-group", "bob", json!({}), "join-group", "bob"),
        ("join-group", "dave", json!({}), "quit-group", "dave"),
        ("set-group-member", "alice", json!({ "userID": "bob", "muteTime": 60 }), "quit-group", "bob"),
    ] {
        change(&app, route, user, &format!("1 {route}"), more.clone()).await;
        change(&app, undo, undone, &format!("2 {route}"), json!({})).await;
        let (before, tips) = (state(&app, GROUP).await, log(&app).await);
        change(&app, route, user, &format!("1 {route}"), more).await;
        assert_eq!((state(&app, GROUP).await, log(&app).await), (before, tips), "{route}");
    }
}

#[tokio::test]
async fn g15_a_name_stands_for_one_change_and_not_for_another_one() {
    let app = public(&["bob", "carol"]).await;
    change(&app, "join-group", "dave", "dave", json!({})).await;
    for (name, route, more) in [
        ("add", "add-group-member", json!({ "userIDList": ["erin"] })),
        ("mute", "set-group-member", json!({ "userID": "bob", "muteTime": 60 })),
        ("admin", "set-group-member", json!({ "userID": "carol", "role": "Admin" })),
        ("say", "update-group-profile", json!({ "name": "n" })),
        ("kick", "delete-group-member", json!({ "userIDList": ["erin"] })),
    ] {
        change(&app, route, "alice", name, more).await;
    }
    let before = (state(&app, GROUP).await, log(&app).await);
    for (user, name, route, more) in [
        ("dave", "dave", "quit-group", json!({})),
        ("alice", "add", "add-group-member", json!({ "userIDList": ["frank"] })),
        ("alice", "add", "delete-group-member", json!({ "userIDList": ["erin", "bob"] })),
        ("alice", "kick", "add-group-member", json!({ "userIDList": ["erin"] })),
        ("alice", "mute", "set-group-member", json!({ "userID": "bob", "muteTime": 0 })),
        ("alice", "mute", "set-group-member", json!({ "userID": "dave", "muteTime": 60 })),
        ("alice", "admin", "set-group-member", json!({ "userID": "carol", "role": "Member" })),
        ("alice", "say", "update-group-profile", json!({ "name": "m" })),
        ("alice", "say", "change-group-owner", json!({ "newOwnerID": "bob" })),
    ] {
        let reply = try_change(&app, &app.sandbox, route, user, name, more.clone()).await;
        assert_eq!((&reply["code"], &reply["data"]), (&json!(70402), &json!({})), "{route} {name} {more}");
    }
    assert_eq!((state(&app, GROUP).await, log(&app).await), before);
    change(&app, "quit-group", "dave", "another name", json!({})).await;
}

#[tokio::test]
async fn g15_a_name_under_which_somebody_else_has_promised_a_tip_is_taken() {
    let app = Arc::new(public(&["bob", "carol"]).await);
    change(&app, "set-group-member", "alice", "admin", json!({ "userID": "bob", "role": "Admin" })).await;
    let kicking = kick_up_to_the_tip(&app, "same").await;
    let carol = json!({ "userIDList": ["carol"] });
    let reply = try_change(&app, &app.sandbox, "delete-group-member", "bob", "same", carol).await;
    assert_eq!((&reply["code"], &reply["data"]), (&json!(70402), &json!({})));
    app.dynamodb.release();
    assert_eq!(kicking.await.unwrap()["userIDList"], json!(["carol"]));
}

#[tokio::test]
async fn g15_an_admin_who_agrees_while_another_one_rejects_learns_that_it_is_decided() {
    let app = std::sync::Arc::new(TestApp::without_limits().await);
    create(&app, "Public", GROUP).await;
    let application = json!({
        "g": { "S": GROUP }, "s": { "S": "J#erin" }, "k": { "S": "please" }, "t": { "N": "1" }, "x": { "N": "9999999999" },
    });
    app.put("Groups", application).await;
    let mut is_first = true;
    app.dynamodb.break_calls(move |operation, _| {
        let is_it = operation == "TransactWriteItems" && std::mem::take(&mut is_first);
        if is_it { Fault::Hold } else { Fault::None }
    });
    let decide = |user: &'static str, action: &str| {
        let more = json!({ "userID": "erin", "authentication": "please", "handleAction": action });
        let (app, name) = (std::sync::Arc::clone(&app), format!("{user} decides"));
        async move { try_change(&app, &app.sandbox, "handle-group-application", user, &name, more).await }
    };
    let agrees = tokio::spawn(decide("bob", "Agree"));
    app.dynamodb.held().await;
    assert_eq!(decide("alice", "Reject").await["code"], 0);
    app.dynamodb.release();
    assert_eq!(agrees.await.unwrap()["code"], 10024);
    assert_eq!(members(&app).await, ["alice", "bob", "carol", "dave"]);
}

#[tokio::test]
async fn g15_what_a_type_fixes_is_neither_changed_nor_told() {
    let app = TestApp::without_limits().await;
    super::group_of(&app, "Private", &["bob"]).await;
    let before = (row(&app).await, log(&app).await);
    let free = json!({ "joinOption": "FreeAccess", "inviteOption": "DisableInvite" });
    let group = change(&app, "update-group-profile", "bob", "1", free).await["group"].clone();
    let fixed = |group: &Value| [&group["joinOption"], &group["inviteOption"]].map(Value::clone);
    assert_eq!(fixed(&group), ["DisableApply", "FreeAccess"]);
    assert_eq!((row(&app).await, log(&app).await), before, "there is nothing to do");
    let named = json!({ "joinOption": "FreeAccess", "name": "n" });
    let group = change(&app, "update-group-profile", "bob", "2", named).await["group"].clone();
    assert_eq!(
        (fixed(&group), &group["name"]),
        (["DisableApply", "FreeAccess"].map(|text| json!(text)), &json!("n"))
    );
    let told = history(&app, "alice").await.last().unwrap()["payload"]["newGroupProfile"].clone();
    assert_eq!(told, json!({ "groupName": "n" }));
    let seen = app.ask("get-group-profile", "alice", json!({ "groupIDList": [GROUP] })).await;
    assert_eq!(fixed(&seen["groupList"][0]), ["DisableApply", "FreeAccess"]);
}

/// Two attempts at one request at once come to what one comes to, and both are answered the same, behind whichever of
/// its calls the first one is overtaken, for so many calls or until the second one has its answer.
async fn assert_once(wanted: Ask, prepared: impl AsyncFn(&TestApp, &str)) {
    let app = TestApp::without_limits().await;
    let begin = async |group: &str| {
        create(&app, "Public", group).await;
        prepared(&app, group).await;
    };
    begin("alone").await;
    let alone = ask(&app, &app.sandbox, "alone", "name", &wanted).await;
    assert_eq!(code(&alone), 0, "{alone}");
    let said = |reply: &Value| {
        let mut data = reply["data"].clone();
        if let Some(group) = data.get_mut("group") {
            group["groupID"] = json!("");
            group["nextMessageSeq"] = json!(0);
        }
        (code(reply), data)
    };
    let expected: State = state(&app, "alone").await;
    let sides = (Side::of(&app).await, Side::of(&app).await);
    // Four or five calls are as many as make the change and do not write its tip.
    for between in [4, 5, usize::MAX] {
        for calls in 0.. {
            let group = format!("group-{calls}-{between}");
            begin(&group).await;
            let mut first = sides.0.begin(ask(&app, &sides.0.sandbox, &group, "name", &wanted));
            let mut second = sides.1.begin(ask(&app, &sides.1.sandbox, &group, "name", &wanted));
            let is_over = first.make(calls).await.len() < calls;
            second.make(between).await;
            for reply in [first.reply().await, second.reply().await] {
                assert_eq!(said(&reply), said(&alone), "{group}: {wanted:?}");
            }
            assert_eq!(state(&app, &group).await, expected, "{group}: {wanted:?}");
            if is_over {
                assert!(calls > 5, "{calls}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn g15_two_attempts_at_once_do_once_and_are_answered_the_same_in_any_order_of_calls() {
    assert_once(("delete-group-member", "bob", json!({ "userIDList": ["carol", "dave"] })), async |_, _| {})
        .await;
    assert_once(("join-group", "erin", json!({})), async |_, _| {}).await;
    assert_once(("update-group-profile", "bob", json!({ "name": "n" })), async |_, _| {}).await;
}

#[tokio::test]
async fn g15_two_decisions_at_once_are_one_in_any_order_of_calls() {
    let agree = json!({ "userID": "erin", "authentication": "please", "handleAction": "Agree" });
    assert_once(("handle-group-application", "bob", agree), async |app, group| {
        app.put("Groups", json!({
            "g": { "S": group }, "s": { "S": "J#erin" }, "k": { "S": "please" }, "t": { "N": "1" }, "x": { "N": "9999999999" },
        }))
        .await;
    })
    .await;
}
