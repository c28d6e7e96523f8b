//! G17: what groups cost, from the units that the engine reports.

use std::time::Duration;

use serde_json::{Value, json};

use super::{GROUP, change, conversation, group_of, message, public, say};
use crate::harness::{
    TestApp,
    fault_proxy::{Call, round_trips},
};

/// What a request has cost: write units, read units, pushes and round trips.
type Cost = (f64, f64, usize, usize);

fn cost(calls: &[Call]) -> Cost {
    (
        calls.iter().map(|call| call.write_units).sum(),
        calls.iter().map(|call| call.read_units).sum(),
        calls.iter().filter(|call| call.operation == "POST").count(),
        round_trips(calls),
    )
}

async fn cost_of(app: &TestApp, route: &str, user: &str, data: Value) -> Cost {
    // What is remembered of who is connected is forgotten.
    app.advance(Duration::from_secs(4));
    app.calls();
    let reply = app.invoke(route, user, data).await;
    assert_eq!(reply["code"], 0, "{route}: {reply}");
    cost(&app.calls())
}

fn users(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("user-{number:03}")).collect()
}

/// A group of so many, alice among them, whose roster every sandbox knows.
async fn group(kind: &str, members: usize) -> (TestApp, u64) {
    let app = TestApp::without_limits().await;
    let others = users(members - 1);
    group_of(&app, kind, &others.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let last = say(&app, "alice", "first", 0).await;
    (app, last)
}

#[tokio::test]
async fn g17_a_send_costs_two_writes_and_half_a_read_per_member_whatever_their_number() {
    for (members, rounds) in [(3, 3), (50, 3), (200, 3)] {
        let (app, last) = group("Public", members).await;
        let half = members as f64 / 2.0;
        // The message, and the sender's own number.
        let sent = cost_of(&app, "send-message", "alice", message("m", last)).await;
        assert_eq!(sent, (2.0, 1.0 + half, 0, rounds), "{members} members");
        // Within three seconds nobody is looked up again but the sender, who may have another name.
        app.calls();
        say(&app, "alice", "n", last).await;
        assert_eq!(cost(&app.calls()), (2.0, 1.5, 0, 3));
        // The same again: what may have been cut off is noted once more.
        assert_eq!(cost_of(&app, "send-message", "alice", message("m", last)).await, (1.0, 1.0, 0, 2));
    }
    let (app, _) = group("ChatRoom", 50).await;
    assert_eq!(
        cost_of(&app, "send-message", "alice", message("m", 0)).await,
        (1.0, 26.0, 0, 2),
        "nothing is unread"
    );
}

#[tokio::test]
async fn g17_a_push_goes_to_each_device_and_a_mention_costs_a_write() {
    let (app, _) = group("Public", 5).await;
    let _devices = [app.connect("user-000").await, app.connect("user-001").await];
    let mut named = message("named", 2);
    named["atUserList"] = json!(["user-000", "user-001"]);
    assert_eq!(cost_of(&app, "send-message", "alice", named).await, (4.0, 3.5, 2, 3));
    let mut all = message("all", 2);
    all["atUserList"] = json!(["__kImSDK_MesssageAtALL__"]);
    assert_eq!(cost_of(&app, "send-message", "alice", all).await, (3.0, 3.5, 2, 3));
}

#[tokio::test]
async fn g17_the_other_operations_cost_what_the_table_says() {
    let app = public(&["bob", "carol"]).await;
    for number in 0..20 {
        say(&app, "alice", &number.to_string(), 0).await;
    }
    let of = |more: Value| {
        let mut data = json!({ "conversationID": conversation() });
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        data
    };
    assert_eq!(cost_of(&app, "get-message-list", "bob", of(json!({}))).await, (0.0, 1.5, 0, 2), "page");
    let range = of(json!({ "fromSequence": 3, "toSequence": 17 }));
    assert_eq!(cost_of(&app, "get-message-list", "bob", range).await, (0.0, 2.0, 0, 2), "range of 15");
    assert_eq!(
        cost_of(&app, "set-message-read", "bob", of(json!({ "sequence": 15 }))).await,
        (1.0, 1.0, 1, 3),
        "mark"
    );
    assert_eq!(
        cost_of(&app, "pin-conversation", "bob", of(json!({ "isPinned": true }))).await,
        (1.0, 2.0, 0, 3),
        "pin"
    );
    assert_eq!(
        cost_of(&app, "get-conversation-list", "bob", json!({})).await,
        (0.0, 2.0, 0, 3),
        "list of one"
    );
    let profile = json!({ "groupIDList": [GROUP] });
    assert_eq!(cost_of(&app, "get-group-profile", "bob", profile).await, (0.0, 2.0, 0, 1), "profile");
    let members = json!({ "groupID": GROUP });
    for unknown in [1.0, 0.0] {
        let found = cost_of(&app, "get-group-member-list", "bob", members.clone()).await;
        assert_eq!(found, (0.0, 1.0 + unknown, 0, 1 + unknown as usize), "members");
    }
    assert_eq!(
        cost_of(&app, "revoke-message", "alice", of(json!({ "sequence": 21 }))).await,
        (1.0, 3.5, 0, 4),
        "recall, roster unknown"
    );
}

/// What a change costs whose roster is known.
async fn change_cost(app: &TestApp, route: &str, user: &str, name: &str, more: Value) -> Cost {
    let mut data = json!({ "groupID": GROUP, "clientID": name, "base": 1 });
    data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    cost_of(app, route, user, data).await
}

#[tokio::test]
async fn g17_a_change_costs_two_writes_per_row_and_three_for_its_tip() {
    let (app, _) = group("Public", 4).await;
    // Who comes for the first time is announced in the list, once: the write of two units.
    let joined = change_cost(&app, "join-group", "bob", "j-1", json!({})).await;
    assert_eq!(
        (joined.0, joined.2),
        (6.0 + 3.0 + 2.0, 0),
        "the group, two rows, the tip and what it takes; and the place in the list"
    );
    change(&app, "quit-group", "bob", "q-1", json!({})).await;
    let joined = change_cost(&app, "join-group", "bob", "j-2", json!({})).await;
    assert_eq!(joined.0, 6.0 + 3.0);
    let added =
        change_cost(&app, "add-group-member", "alice", "a-1", json!({ "userIDList": ["c1", "c2", "c3"] }))
            .await;
    assert_eq!(added.0, 2.0 + 4.0 * 3.0 + 3.0 + 2.0 * 3.0);
    let gone =
        change_cost(&app, "delete-group-member", "alice", "k-1", json!({ "userIDList": ["c1", "c2"] })).await;
    assert_eq!(gone.0, 2.0 + 4.0 * 2.0 + 3.0);
    let role =
        change_cost(&app, "set-group-member", "alice", "r-1", json!({ "userID": "bob", "role": "Admin" }))
            .await;
    assert_eq!(role.0, 6.0 + 3.0);
    let mute =
        change_cost(&app, "set-group-member", "alice", "m-1", json!({ "userID": "bob", "muteTime": 9 }))
            .await;
    assert_eq!(mute.0, 4.0 + 3.0);
    let card =
        change_cost(&app, "set-group-member", "alice", "n-1", json!({ "userID": "bob", "nameCard": "b" }))
            .await;
    assert_eq!(card.0, 6.0);
    let remind = json!({ "groupID": GROUP, "messageRemindType": "Discard" });
    let remind = cost_of(&app, "set-group-member", "bob", remind).await;
    assert_eq!((remind.0, remind.1, remind.2), (6.0, 4.5, 0));
    assert!(remind.3 <= 6, "{remind:?}");
    let named = change_cost(&app, "update-group-profile", "alice", "p-1", json!({ "name": "n" })).await;
    assert_eq!(named.0, 1.0 + 3.0);
    let owner = change_cost(&app, "change-group-owner", "alice", "o-1", json!({ "newOwnerID": "bob" })).await;
    assert_eq!(owner.0, 10.0 + 3.0);
    let end = cost_of(&app, "dismiss-group", "bob", json!({ "groupID": GROUP })).await;
    assert_eq!(end.0, 1.0);
    for cost in [joined, added, gone, role, mute, card, named, owner] {
        assert!(cost.1 <= 12.0 && cost.3 <= 9, "{cost:?}");
    }
}

#[tokio::test]
async fn g17_twenty_groups_are_looked_up_by_one_request() {
    let app = TestApp::without_limits().await;
    let ids: Vec<String> = (0..20).map(|number| format!("group-{number:02}")).collect();
    for id in &ids {
        app.ask("create-group", "alice", json!({ "groupID": id, "type": "Public", "name": "g" })).await;
    }
    let found = app.ask("get-group-profile", "alice", json!({ "groupIDList": ids })).await;
    let found = found["groupList"].as_array().unwrap().iter().map(|group| group["groupID"].as_str().unwrap());
    assert!(found.eq(&ids));
    let (_, reads, ..) = cost_of(&app, "get-group-profile", "alice", json!({ "groupIDList": ids })).await;
    assert_eq!(reads, 40.0);
}

#[tokio::test]
async fn g17_a_user_without_groups_pays_nothing_for_them() {
    let app = TestApp::without_limits().await;
    app.send("bob", "alice", "1", 0).await;
    app.advance(Duration::from_secs(2 * 60 * 60));
    app.calls();
    app.ask("get-conversation-list", "alice", json!({})).await;
    assert_eq!(cost(&app.calls()), (0.0, 1.5, 0, 2));
}
