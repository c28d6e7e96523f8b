//! What the tables say of a group, and what holds of it at any moment.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::TestApp;

/// Who is in a group and what they are, and what its log says of how it has come to that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct State {
    pub owner: Option<String>,
    /// Role, until when they may not speak, and name in the group.
    pub members: BTreeMap<String, (String, bool, String)>,
    pub is_over: bool,
    pub is_quiet: bool,
    pub limit: u64,
    pub joins: String,
    /// What its tips tell of, and who has done it.
    pub tips: Vec<(u64, String)>,
}

fn text(value: &Value) -> String {
    value["S"].as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value) -> u64 {
    value["N"].as_str().map_or(0, |number| number.parse().unwrap())
}

async fn rows(app: &TestApp, table: &str, key: &str, partition: &str) -> Vec<Value> {
    let query = json!({
        "TableName": table, "ConsistentRead": true, "KeyConditionExpression": "#k = :k",
        "ExpressionAttributeNames": { "#k": key }, "ExpressionAttributeValues": { ":k": { "S": partition } },
    });
    let answer = app.call("Query", query).await;
    answer["Items"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
}

/// What members have of a group, by their names.
pub async fn theirs(app: &TestApp, group: &str) -> BTreeMap<String, Value> {
    let scan = json!({
        "TableName": "Conversations", "ConsistentRead": true, "FilterExpression": "v = :v",
        "ExpressionAttributeValues": { ":v": { "S": format!("·{group}") } },
    });
    let answer = app.call("Scan", scan).await;
    answer["Items"].as_array().unwrap().iter().map(|row| (text(&row["u"]), row.clone())).collect()
}

/// What is kept of a group, which is whole: its numbers have no hole and its times do not decrease (G3, G4), its
/// members are counted with their rows, and there are not more than there may be (G10), it has one owner (G11), and each tip
/// is there once (G12).
pub async fn state(app: &TestApp, group: &str) -> State {
    let log = rows(app, "Messages", "p", group).await;
    let (messages, others): (Vec<&Value>, Vec<&Value>) =
        log.iter().partition(|row| text(&row["s"]).starts_with('M'));
    let row = others.into_iter().find(|row| row["s"]["S"] == "P").expect("a group");
    let numbers = messages.iter().map(|row| text(&row["s"])[1..].parse::<u64>().unwrap());
    assert!(numbers.eq(1..=messages.len() as u64), "G3: {messages:?}");
    assert!(messages.iter().map(|row| number(&row["t"])).is_sorted(), "G4: {messages:?}");

    let of_group = rows(app, "Groups", "g", group).await;
    let members: BTreeMap<String, &Value> = of_group
        .iter()
        .filter_map(|row| Some((text(&row["s"]).strip_prefix("U#")?.to_owned(), row)))
        .collect();
    let owner = row["ow"]["S"].as_str().map(str::to_owned);
    let is_over = row.get("xd").is_some();
    if !is_over {
        let theirs = theirs(app, group).await;
        assert!(members.keys().eq(theirs.keys()), "G10: {members:?} {theirs:?}");
        assert_eq!(number(&row["mn"]), members.len() as u64, "G10");
        assert!(members.len() as u64 <= number(&row["mx"]), "G10: {row}");
        for (user, member) in &members {
            assert_eq!(
                (&member["r"], text(&member["c"])),
                (&theirs[user]["ro"], text(&theirs[user]["ca"])),
                "{user}"
            );
            assert_eq!(member["r"]["N"] == "2", owner.as_ref() == Some(user), "G11: {user} {owner:?}");
        }
        assert!(owner.as_ref().is_none_or(|owner| members.contains_key(owner)), "G11: {owner:?}");
    }

    let tips = messages.iter().filter(|row| row["y"]["S"] == "TIMGroupTipElem");
    let mut names: Vec<(String, String)> =
        tips.clone().map(|tip| (text(&tip["f"]), text(&tip["c"]))).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all, "G12: {names:?}");
    let kind = |tip: &Value| {
        let payload: Value = serde_json::from_str(tip["d"]["S"].as_str().unwrap()).unwrap();
        payload["operationType"].as_u64().unwrap()
    };
    let role = |row: &Value| ["Member", "Admin", "Owner"][number(&row["r"]) as usize].to_owned();
    State {
        owner,
        members: members
            .into_iter()
            .map(|(user, row)| (user, (role(row), number(&row["m"]) > 0, text(&row["c"]))))
            .collect(),
        is_over,
        is_quiet: row["mu"]["BOOL"] == true,
        limit: number(&row["mx"]),
        joins: text(&row["jo"]),
        tips: tips.map(|tip| (kind(tip), text(&tip["f"]))).collect(),
    }
}
