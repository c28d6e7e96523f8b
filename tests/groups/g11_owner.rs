//! G11: there is one owner, the same in all rows.

use serde_json::{Value, json};

use super::{GROUP, change, group_of, history, members, public, row, state::state, try_change};
use crate::harness::{TestApp, random_numbers};

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
    let tip = history(&app, "bob").await.last().unwrap()["payload"].clone();
    assert_eq!((&tip["operationType"], &tip["newGroupProfile"]), (&json!(2), &json!({ "ownerID": "" })));
}

#[tokio::test]
async fn g11_there_is_one_owner_after_any_change_of_many() {
    for kind in ["Public", "ChatRoom", "Private"] {
        let app = TestApp::without_limits().await;
        let users = ["alice", "bob", "carol", "dave"];
        group_of(&app, kind, &users[1..]).await;
        let mut random = random_numbers();
        let (mut handed_over, mut refused) = (0, 0);
        for step in 0..80 {
            let role = if random(2) == 0 { "Admin" } else { "Member" };
            let (user, other) = (users[random(4) as usize], users[random(4) as usize]);
            let (route, more) = match random(6) {
                0 => ("quit-group", json!({})),
                1 => ("join-group", json!({})),
                2 => ("delete-group-member", json!({ "userIDList": [other] })),
                3 => ("add-group-member", json!({ "userIDList": [other] })),
                4 => ("set-group-member", json!({ "userID": other, "role": role })),
                _ => ("change-group-owner", json!({ "newOwnerID": other })),
            };
            let reply = try_change(&app, &app.sandbox, route, user, &step.to_string(), more).await;
            let has_worked = reply["code"] == 0;
            handed_over += usize::from(has_worked && route == "change-group-owner");
            refused += usize::from(!has_worked);
            // It looks at all rows.
            let found = state(&app, GROUP).await;
            assert!(found.owner.is_some() || kind == "Private", "{kind}, step {step}: {found:?}");
            if found.members.is_empty() {
                break;
            }
        }
        assert!(refused > 0 && (handed_over > 0 || kind == "Private"), "{kind}: {handed_over}, {refused}");
    }
}
