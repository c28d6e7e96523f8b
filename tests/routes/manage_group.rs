//! What bad requests to the routes of groups are answered. What they do is in `tests/groups`.

use serde_json::{Value, json};

use crate::harness::TestApp;

const GROUP: &str = "@TGS#0123456789AB";

async fn code(app: &TestApp, route: &str, data: Value) -> i64 {
    app.invoke(route, "alice", data).await["code"].as_i64().unwrap()
}

#[tokio::test]
async fn a_group_is_refused_with_the_code_of_what_is_wrong_with_it() {
    let app = TestApp::new().await;
    let group = |more: Value| {
        let mut data = json!({ "groupID": GROUP, "type": "Public", "name": "g" });
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        data
    };
    let members = |count: usize| -> Value {
        (0..count).map(|number| json!({ "userID": format!("user-{number}") })).collect()
    };
    for (more, expected) in [
        (json!({ "type": "AVChatRoom" }), 2600),
        (json!({ "type": "Community" }), 2600),
        (json!({ "groupID": "@TGS#1" }), 10015),
        (json!({ "groupID": "群" }), 10015),
        (json!({ "name": "" }), 70402),
        (json!({ "name": "x".repeat(31) }), 70402),
        (json!({ "name": "a\nb" }), 70402),
        (json!({ "avatar": "javascript:1" }), 70402),
        (json!({ "introduction": "x".repeat(241) }), 70402),
        (json!({ "notification": "x".repeat(301) }), 70402),
        (json!({ "joinOption": "Perhaps" }), 70402),
        (json!({ "inviteOption": "NeedPermission" }), 70402),
        (json!({ "maxMemberNum": 1 }), 70402),
        (json!({ "maxMemberNum": 201 }), 70402),
        (json!({ "memberList": members(7) }), 70402),
        (json!({ "memberList": [{ "userID": "bob", "role": "Owner" }] }), 70402),
        (json!({ "maxMemberNum": 3, "memberList": members(3) }), 10014),
        (json!({ "type": "Private", "memberList": [{ "userID": "bob", "role": "Admin" }] }), 2682),
    ] {
        assert_eq!(code(&app, "create-group", group(more.clone())).await, expected, "{more}");
    }
    assert_eq!(app.dump("Groups").await, Vec::<Value>::new());
    assert_eq!(code(&app, "create-group", group(json!({ "memberList": members(6) }))).await, 0);
}

#[tokio::test]
async fn a_change_is_refused_with_the_code_of_what_is_wrong_with_it() {
    let app = TestApp::new().await;
    app.ask(
        "create-group",
        "alice",
        json!({ "groupID": GROUP, "type": "Public", "name": "g", "memberList": [{ "userID": "bob" }] }),
    )
    .await;
    let many: Vec<String> = (0..7).map(|number| format!("user-{number}")).collect();
    let of = |more: Value| {
        let mut data = json!({ "groupID": GROUP, "clientID": "x", "base": 0 });
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        data
    };
    for (route, data, expected) in [
        ("add-group-member", of(json!({ "userIDList": many })), 70402),
        ("add-group-member", of(json!({ "userIDList": [] })), 70402),
        ("add-group-member", of(json!({ "userIDList": ["carol"], "clientID": "" })), 70402),
        ("add-group-member", of(json!({ "userIDList": ["carol"], "groupID": "none" })), 10010),
        ("delete-group-member", of(json!({ "userIDList": ["bob"], "reason": "x".repeat(301) })), 70402),
        ("delete-group-member", of(json!({ "userIDList": ["alice"] })), 10007),
        ("quit-group", of(json!({})), 10009),
        ("update-group-profile", of(json!({})), 70402),
        ("update-group-profile", of(json!({ "maxMemberNum": 1 })), 70402),
        ("set-group-member", of(json!({ "userID": "bob" })), 70402),
        ("set-group-member", of(json!({ "userID": "bob", "role": "Owner" })), 70402),
        ("set-group-member", of(json!({ "userID": "bob", "role": "Admin", "muteTime": 1 })), 70402),
        ("set-group-member", of(json!({ "userID": "bob", "messageRemindType": "Discard" })), 70402),
        ("set-group-member", of(json!({ "userID": "bob", "nameCard": "x".repeat(51) })), 70402),
        ("set-group-member", of(json!({ "userID": "carol", "role": "Admin" })), 70402),
        ("set-group-member", of(json!({ "userID": "alice", "muteTime": 1 })), 10007),
        ("change-group-owner", of(json!({ "newOwnerID": "carol" })), 70402),
        ("change-group-owner", of(json!({ "newOwnerID": "alice" })), 10007),
        (
            "handle-group-application",
            of(json!({ "userID": "carol", "authentication": "x", "handleAction": "Perhaps" })),
            70402,
        ),
        (
            "handle-group-application",
            of(json!({ "userID": "carol", "authentication": "x", "handleAction": "Agree" })),
            10024,
        ),
        ("get-group-member-profile", json!({ "groupID": GROUP, "userIDList": [] }), 70402),
        ("get-group-profile", json!({ "groupIDList": [] }), 70402),
        ("delete-message", json!({ "conversationID": format!("GROUP{GROUP}"), "messages": [1] }), 70402),
        ("revoke-message", json!({ "conversationID": format!("GROUP{GROUP}"), "sequence": 9 }), 10030),
    ] {
        assert_eq!(code(&app, route, data.clone()).await, expected, "{route} {data}");
    }
    let profiles = app.ask("get-group-profile", "alice", json!({ "groupIDList": [GROUP] })).await;
    assert_eq!(
        (&profiles["groupList"][0]["memberCount"], &profiles["groupList"][0]["nextMessageSeq"]),
        (&json!(2), &json!(1)),
        "nothing has happened"
    );
}

#[tokio::test]
async fn a_group_that_is_created_again_is_the_same_and_another_users_is_taken() {
    let app = TestApp::new().await;
    let data = json!({ "groupID": GROUP, "type": "ChatRoom", "name": "g" });
    let first = app.ask("create-group", "alice", data.clone()).await;
    let rows = app.dump("Groups").await;
    assert_eq!(app.ask("create-group", "alice", data.clone()).await, first);
    assert_eq!(app.invoke("create-group", "bob", data.clone()).await["code"], 10021);
    assert_eq!(app.dump("Groups").await, rows);
    app.ask("dismiss-group", "alice", json!({ "groupID": GROUP })).await;
    for user in ["alice", "bob"] {
        assert_eq!(app.invoke("create-group", user, data.clone()).await["code"], 10021);
    }
}
