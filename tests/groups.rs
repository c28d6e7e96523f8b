//! G1 to G18 of docs/tables.md, each by tests of its name in a file of its own; and what breaks meanwhile: transactions that
//! are in each other's way, functions that are killed between two calls, and presence that is not known or old.

mod conflicts;
mod g10_members;
mod g11_owner;
mod g12_tips;
mod g13_roster;
mod g14_muted;
mod g15_once;
mod g16_mentions;
mod g17_budgets;
mod g17_many_writers;
mod g18_quiet;
mod g1_exactly_once;
mod g2_same_number;
mod g3_no_number_twice;
mod g4_time;
mod g5_same_list;
mod g6_read_position;
mod g7_unread;
mod g8_pull;
mod g9_the_door;
mod gaps;
mod in_many_groups;
mod presence;
mod state;

use std::{sync::Arc, time::Duration};

use hongyan_functions::config::Settings;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::harness::{TestApp, fault_proxy::Fault, sandbox::Sandbox, text_message};

pub const GROUP: &str = "@TGS#0123456789AB";

/// A group of a type that alice has made with these others.
pub async fn group_of(app: &TestApp, kind: &str, others: &[&str]) {
    let data = json!({ "groupID": GROUP, "type": kind, "name": "g", "joinOption": "FreeAccess" });
    app.ask("create-group", "alice", data).await;
    for (part, others) in others.chunks(6).enumerate() {
        change(app, "add-group-member", "alice", &format!("add-{part}"), json!({ "userIDList": others }))
            .await;
    }
    app.calls();
}

pub async fn public(others: &[&str]) -> TestApp {
    let app = TestApp::without_limits().await;
    group_of(&app, "Public", others).await;
    app
}

/// A change of the group that must succeed. The time goes on, as it does between two requests of people.
pub async fn change(app: &TestApp, route: &str, user: &str, name: &str, more: Value) -> Value {
    let reply = try_change(app, &app.sandbox, route, user, name, more).await;
    assert_eq!(reply["code"], 0, "{route} {name}: {reply}");
    reply["data"].clone()
}

pub async fn try_change(
    app: &TestApp,
    sandbox: &Sandbox,
    route: &str,
    user: &str,
    name: &str,
    more: Value,
) -> Value {
    let mut data = json!({ "groupID": GROUP, "clientID": name, "base": 0 });
    data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.advance(Duration::from_millis(100));
    app.invoke_in(sandbox, route, user, data).await
}

pub fn message(client_id: &str, base: u64) -> Value {
    let mut data = text_message(GROUP, client_id, base);
    data["conversationType"] = json!("GROUP");
    data
}

/// A message of the group that must arrive: its number.
pub async fn say(app: &TestApp, user: &str, client_id: &str, base: u64) -> u64 {
    let reply = try_say(app, user, client_id, base).await;
    assert_eq!(reply["code"], 0, "{user} {client_id}: {reply}");
    reply["data"]["message"]["sequence"].as_u64().unwrap()
}

pub async fn try_say(app: &TestApp, user: &str, client_id: &str, base: u64) -> Value {
    app.advance(Duration::from_millis(100));
    app.invoke("send-message", user, message(client_id, base)).await
}

pub fn conversation() -> Value {
    json!(format!("GROUP{GROUP}"))
}

/// What the list says of the group, if the user is in it.
pub async fn listed(app: &TestApp, user: &str) -> Option<Value> {
    let page = app.ask("get-conversation-list", user, json!({})).await;
    let list = page["conversationList"].as_array().unwrap();
    list.iter().find(|listed| listed["conversationID"] == conversation()).cloned()
}

/// All that a user may see, oldest first, page by page.
pub async fn history(app: &TestApp, user: &str) -> Vec<Value> {
    app.messages(user, conversation()).await
}

/// All that is in the log, by the table: numbers, senders, client IDs and types.
pub async fn log(app: &TestApp) -> Vec<(u64, String, String, String)> {
    let rows = app.dump("Messages").await;
    let text = |row: &Value, name: &str| row[name]["S"].as_str().unwrap_or_default().to_owned();
    let mut log: Vec<_> = rows
        .iter()
        .filter(|row| row["p"]["S"] == GROUP && text(row, "s").starts_with('M'))
        .map(|row| (text(row, "s")[1..].parse().unwrap(), text(row, "f"), text(row, "c"), text(row, "y")))
        .collect();
    log.sort();
    log
}

/// The row of the group.
pub async fn row(app: &TestApp) -> Value {
    let rows = app.dump("Messages").await;
    rows.into_iter().find(|row| row["p"]["S"] == GROUP && row["s"]["S"] == "P").unwrap()
}

/// Who is in the group, by its own rows, and by those of the members. They have to be the same.
pub async fn members(app: &TestApp) -> Vec<String> {
    let text = |row: &Value, name: &str| row[name]["S"].as_str().unwrap().to_owned();
    let rows = app.dump("Groups").await;
    let mut members: Vec<String> = rows
        .iter()
        .filter(|row| row["g"]["S"] == GROUP)
        .filter_map(|row| text(row, "s").strip_prefix("U#").map(str::to_owned))
        .collect();
    members.sort();
    let rows = app.dump("Conversations").await;
    let mut theirs: Vec<String> =
        rows.iter().filter(|row| row["v"]["S"] == format!("·{GROUP}")).map(|row| text(row, "u")).collect();
    theirs.sort();
    assert_eq!(members, theirs, "both rows of a member are written together");
    assert_eq!(row(app).await["mn"]["N"], members.len().to_string(), "members are counted with their rows");
    members
}

pub fn with_retention() -> Settings {
    Settings {
        retention: Some(24 * 60 * 60),
        frames_per_second: None,
        new_conversations_per_hour: None,
        ..Settings::default()
    }
}

/// What somebody asks of a group: the route, who it is, and what else the request says.
pub type Ask = (&'static str, &'static str, Value);

/// A group that alice has, with bob as an admin, and carol and dave.
pub async fn create(app: &TestApp, kind: &str, group: &str) {
    let others = [("bob", "Admin"), ("carol", "Member"), ("dave", "Member")];
    let others = others.map(|(user, role)| json!({ "userID": user, "role": role }));
    let data = json!({ "groupID": group, "type": kind, "name": "g", "joinOption": "FreeAccess", "memberList": others });
    app.ask("create-group", "alice", data).await;
}

/// The answer to a request in a sandbox. As a change it goes by that name.
pub fn ask<'a>(
    app: &'a TestApp,
    sandbox: &'a Sandbox,
    group: &'a str,
    name: &'a str,
    (route, user, more): &'a Ask,
) -> impl Future<Output = Value> + 'a {
    let mut data = json!({ "groupID": group, "clientID": name, "base": 0 });
    data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.invoke_in(sandbox, route, user, data)
}

/// Whether a call of a table puts a tip into a log.
pub fn is_tip(operation: &str, request: &Value) -> bool {
    operation == "PutItem" && request["Item"]["y"]["S"] == "TIMGroupTipElem"
}

/// Alice puts carol out, by a change of that name. It is made, and its tip held on its way to the log until the database lets go of it.
pub async fn kick_up_to_the_tip(app: &Arc<TestApp>, name: &'static str) -> JoinHandle<Value> {
    let mut is_first = true;
    app.dynamodb.break_calls(move |operation, request| {
        if is_tip(operation, request) && std::mem::take(&mut is_first) { Fault::Hold } else { Fault::None }
    });
    let kicking = {
        let app = Arc::clone(app);
        let carol = json!({ "userIDList": ["carol"] });
        tokio::spawn(async move { change(&app, "delete-group-member", "alice", name, carol).await })
    };
    app.dynamodb.held().await;
    kicking
}

pub fn code(reply: &Value) -> i64 {
    reply["code"].as_i64().unwrap()
}
