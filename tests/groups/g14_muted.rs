//! G14: who is muted sends nothing; and what else the rules say, through the handlers.

use std::time::Duration;

use serde_json::json;

use super::{change, conversation, group_of, public, say, try_change, try_say};
use crate::harness::TestApp;

#[tokio::test]
async fn g14_who_is_muted_sends_nothing_until_it_ends_and_mute_all_spares_owner_and_admins() {
    let app = public(&["bob", "carol"]).await;
    change(&app, "set-group-member", "alice", "mute", json!({ "userID": "bob", "muteTime": 60 })).await;
    assert_eq!(try_say(&app, "bob", "1", 0).await["code"], 10017);
    say(&app, "carol", "1", 0).await;
    let members = app.ask("get-group-member-list", "bob", json!({ "groupID": super::GROUP })).await;
    assert_eq!(members["memberList"][1]["muteUntil"], (app.clock.now() - 200) / 1000 + 60);
    app.advance(Duration::from_secs(61));
    say(&app, "bob", "2", 0).await;

    change(&app, "set-group-member", "alice", "admin", json!({ "userID": "carol", "role": "Admin" })).await;
    change(&app, "update-group-profile", "carol", "quiet", json!({ "muteAllMembers": true })).await;
    assert_eq!(try_say(&app, "bob", "3", 0).await["code"], 10017);
    say(&app, "carol", "3", 0).await;
    say(&app, "alice", "3", 0).await;
    change(&app, "update-group-profile", "carol", "loud", json!({ "muteAllMembers": false })).await;
    say(&app, "bob", "4", 0).await;
    // An admin has nothing to say to the owner or to another admin.
    for user in ["alice", "carol"] {
        let reply = try_change(
            &app,
            &app.sandbox,
            "set-group-member",
            "carol",
            "x",
            json!({ "userID": user, "muteTime": 1 }),
        )
        .await;
        assert_eq!(reply["code"], 10007);
    }
}

#[tokio::test]
async fn g14_owner_and_admins_recall_what_members_have_said_and_a_sender_their_own_for_a_while() {
    let app = public(&["bob", "carol"]).await;
    let recall = async |user: &str, sequence: u64| {
        app.invoke("revoke-message", user, json!({ "conversationID": conversation(), "sequence": sequence }))
            .await
    };
    let (old, of_owner) = (say(&app, "bob", "old", 0).await, say(&app, "alice", "of the owner", 0).await);
    app.advance(Duration::from_secs(200));
    let new = say(&app, "bob", "new", 0).await;
    assert_eq!(recall("bob", old).await["code"], 10031);
    assert_eq!(recall("carol", new).await["code"], 10007);
    assert_eq!(recall("bob", new).await["data"]["message"]["isRevoked"], true);
    change(&app, "set-group-member", "alice", "admin", json!({ "userID": "carol", "role": "Admin" })).await;
    let recalled = recall("carol", old).await;
    assert_eq!(
        (&recalled["data"]["message"]["revoker"], &recalled["data"]["message"]["isRevoked"]),
        (&json!("carol"), &json!(true))
    );
    assert_eq!(recall("carol", of_owner).await["code"], 10007);
    assert_eq!(recall("alice", 1).await["code"], 10007, "a tip");
    assert_eq!(recall("alice", 99).await["code"], 10030);
    // Who has left is a member to those who look after the group.
    let of_gone = say(&app, "bob", "of somebody gone", 0).await;
    change(&app, "quit-group", "bob", "quit", json!({})).await;
    assert_eq!(recall("carol", of_gone).await["data"]["message"]["isRevoked"], true);
}

#[tokio::test]
async fn g14_a_mute_lasts_as_long_as_the_last_one_says_and_ends_with_a_new_role_of_owner() {
    let app = public(&["bob"]).await;
    let mute = json!({ "userID": "bob", "muteTime": 60 });
    change(&app, "set-group-member", "alice", "a minute", mute).await;
    let longer = json!({ "userID": "bob", "muteTime": 80 });
    change(&app, "set-group-member", "alice", "a little longer", longer).await;
    app.advance(Duration::from_secs(70));
    assert_eq!(try_say(&app, "bob", "1", 0).await["code"], 10017);
    // Whose the group was is a member then, whom nobody has muted since.
    change(&app, "change-group-owner", "alice", "to bob", json!({ "newOwnerID": "bob" })).await;
    change(&app, "change-group-owner", "bob", "to alice", json!({ "newOwnerID": "alice" })).await;
    say(&app, "bob", "2", 0).await;
}

#[tokio::test]
async fn g14_a_group_that_gets_more_than_forty_messages_per_second_refuses_them_before_it_collapses() {
    let app = TestApp::without_limits().await;
    group_of(&app, "Public", &["bob"]).await;
    let mut codes = Vec::new();
    for number in 0..20 {
        app.advance(Duration::from_millis(10));
        codes.push(
            app.invoke("send-message", "bob", super::message(&number.to_string(), 0)).await["code"]
                .as_i64()
                .unwrap(),
        );
    }
    assert!(codes.contains(&10023) && codes[..10].iter().all(|code| *code == 0), "{codes:?}");
    app.advance(Duration::from_millis(300));
    say(&app, "bob", "later", 0).await;
}
