//! G9: who is not a member reads, marks, sends and changes nothing.

use serde_json::{Value, json};

use super::{GROUP, change, conversation, history, listed, log, message, public, say, try_say};
use crate::harness::TestApp;

/// All that a stranger may try, and that each of it is refused.
async fn assert_shut(app: &TestApp, user: &str) {
    let of_group = |more: Value| {
        let mut data = json!({ "conversationID": conversation() });
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        data
    };
    let changes = |more: Value| {
        let mut data = json!({ "groupID": GROUP, "clientID": format!("{user}-x"), "base": 0 });
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        data
    };
    let before = (log(app).await, app.dump("Groups").await);
    for (route, data) in [
        ("send-message", message(&format!("{user}-m"), 0)),
        ("get-message-list", of_group(json!({}))),
        ("get-message-list", of_group(json!({ "fromSequence": 1 }))),
        ("get-message-list", of_group(json!({ "nextReqMessageID": "3" }))),
        ("set-message-read", of_group(json!({ "sequence": 1 }))),
        ("set-message-read", of_group(json!({}))),
        ("revoke-message", of_group(json!({ "sequence": 1 }))),
        ("delete-conversation", of_group(json!({}))),
        ("pin-conversation", of_group(json!({ "isPinned": true }))),
        ("get-group-member-list", json!({ "groupID": GROUP })),
        ("get-group-member-profile", json!({ "groupID": GROUP, "userIDList": ["alice"] })),
        ("add-group-member", changes(json!({ "userIDList": ["eve"] }))),
        ("delete-group-member", changes(json!({ "userIDList": ["alice"] }))),
        ("update-group-profile", changes(json!({ "name": "x" }))),
        ("set-group-member", changes(json!({ "nameCard": "x" }))),
        ("set-group-member", changes(json!({ "userID": "alice", "role": "Member" }))),
        ("set-group-member", json!({ "groupID": GROUP, "messageRemindType": "Discard" })),
        ("change-group-owner", changes(json!({ "newOwnerID": user }))),
        ("dismiss-group", json!({ "groupID": GROUP })),
        (
            "handle-group-application",
            changes(json!({ "userID": user, "authentication": "x", "handleAction": "Agree" })),
        ),
    ] {
        let reply = app.invoke(route, user, data.clone()).await;
        let code = reply["code"].as_i64().unwrap();
        assert!([10007, 10010].contains(&code), "{route} {data}: {reply}");
        assert!(!reply.to_string().contains("面馆"), "{route}: {reply}");
    }
    let online = {
        let mut data = message("o", 0);
        data["onlineUserOnly"] = json!(true);
        data
    };
    assert_ne!(app.invoke("send-message", user, online).await["code"], 0);
    let ranges =
        json!({ "ranges": [{ "conversationID": conversation(), "fromSequence": 1, "toSequence": 9 }] });
    let ranges = app.ask("get-message-list", user, ranges).await;
    assert_eq!(ranges["rangeList"][0]["messageList"], json!([]));
    let named =
        app.ask("get-conversation-list", user, json!({ "conversationIDList": [conversation()] })).await;
    assert_eq!(named["conversationList"], json!([]));
    assert_eq!(listed(app, user).await, None);
    assert_eq!((log(app).await, app.dump("Groups").await), before);
}

#[tokio::test]
async fn g9_a_stranger_finds_the_door_shut_whatever_they_try() {
    let app = public(&["bob"]).await;
    say(&app, "bob", "1", 0).await;
    assert_shut(&app, "mallory").await;
    // What a public group says about itself is everybody's.
    let seen = app.ask("get-group-profile", "mallory", json!({ "groupIDList": [GROUP] })).await;
    assert_eq!(
        (&seen["groupList"][0]["memberCount"], &seen["groupList"][0]["selfInfo"]),
        (&json!(2), &Value::Null)
    );
}

#[tokio::test]
async fn g9_who_was_put_out_or_has_quit_finds_it_shut_and_comes_back_to_what_is_new() {
    let app = public(&["bob", "carol"]).await;
    say(&app, "bob", "1", 0).await;
    change(&app, "delete-group-member", "alice", "kick", json!({ "userIDList": ["bob"] })).await;
    change(&app, "quit-group", "carol", "quit", json!({})).await;
    assert_shut(&app, "bob").await;
    assert_shut(&app, "carol").await;
    change(&app, "join-group", "bob", "again", json!({})).await;
    assert_eq!(history(&app, "bob").await.len(), 1, "the tip of their coming");
    assert_eq!(try_say(&app, "bob", "2", 0).await["code"], 0);
}

#[tokio::test]
async fn g9_who_was_put_out_learns_nothing_by_the_names_of_what_they_have_done() {
    for kind in ["Private", "Public"] {
        let app = TestApp::without_limits().await;
        super::group_of(&app, kind, &[]).await;
        change(
            &app,
            "update-group-profile",
            "alice",
            "open",
            json!({ "inviteOption": "FreeAccess", "notification": "" }),
        )
        .await;
        change(&app, "add-group-member", "alice", "bob comes", json!({ "userIDList": ["bob"] })).await;
        change(&app, "add-group-member", "bob", "old", json!({ "userIDList": ["carol"] })).await;
        change(&app, "delete-group-member", "alice", "kick", json!({ "userIDList": ["bob"] })).await;
        change(&app, "add-group-member", "alice", "dave comes", json!({ "userIDList": ["dave"] })).await;
        let six = json!({ "userIDList": ["carol", "dave", "erin", "frank", "alice", "bob"] });
        for more in [six, json!({ "userIDList": ["carol"] })] {
            let reply = super::try_change(&app, &app.sandbox, "add-group-member", "bob", "old", more).await;
            assert_eq!((&reply["code"], &reply["data"]), (&json!(10007), &json!({})), "{kind}: {reply}");
        }
        let other = json!({ "userIDList": ["alice"] });
        let reply = super::try_change(&app, &app.sandbox, "delete-group-member", "bob", "old", other).await;
        assert_eq!((&reply["code"], &reply["data"]), (&json!(70402), &json!({})), "{kind}: {reply}");
        assert_shut(&app, "bob").await;
    }
}

#[tokio::test]
async fn g9_a_group_that_was_dismissed_is_nobodys() {
    let app = public(&["bob"]).await;
    say(&app, "bob", "1", 0).await;
    for _ in 0..2 {
        app.ask("dismiss-group", "alice", json!({ "groupID": GROUP })).await;
    }
    assert_eq!(listed(&app, "bob").await, None);
    assert_eq!(try_say(&app, "bob", "2", 0).await["code"], 10010);
    assert_eq!(
        app.invoke("get-message-list", "bob", json!({ "conversationID": conversation() })).await["code"],
        10007,
        "the list has let go of it"
    );
    let seen = app.ask("get-group-profile", "bob", json!({ "groupIDList": [GROUP] })).await;
    assert_eq!(seen["failureGroupList"][0]["code"], 10010);
}

#[tokio::test]
async fn g9_a_private_group_shows_itself_to_its_members_alone() {
    let app = TestApp::without_limits().await;
    super::group_of(&app, "Private", &["bob"]).await;
    let seen = app.ask("get-group-profile", "mallory", json!({ "groupIDList": [GROUP] })).await;
    assert_eq!((seen["groupList"].clone(), &seen["failureGroupList"][0]["code"]), (json!([]), &json!(10007)));
    let reply = super::try_change(&app, &app.sandbox, "join-group", "mallory", "x", json!({})).await;
    assert_eq!(reply["code"], 2601);
    assert_shut(&app, "mallory").await;
}
