//! P9: nobody reads or changes a conversation that they are not part of.

use hongyan_shared::protocol::Action;
use serde_json::{Value, json};

use crate::harness::{TestApp, request_of, template::kebab, text_message};

/// The events of all that can be asked, but for `logout`, behind which there is nothing to ask any more.
fn events() -> impl Iterator<Item = String> {
    let actions = Action::ALL.iter().filter(|action| **action != Action::Logout);
    actions.map(|action| kebab(action.name())).chain(["default".to_owned()])
}

/// What a request might say to be another user's.
const IDENTITIES: [&str; 8] =
    ["userID", "from", "fromAccount", "From_Account", "u", "identifier", "principalId", "sender"];

/// What a request might say to be about another conversation.
const PLACES: [&str; 6] =
    ["conversationID", "to", "p", "nextReqMessageID", "nextReqConversationID", "connectionId"];

/// A request of mallory's that the function takes for one of its own.
fn of_mallory(event: &str) -> Value {
    let mut data = request_of(event);
    let message = text_message("carol", "1", 0);
    data.as_object_mut().unwrap().extend(message.as_object().unwrap().clone());
    data["conversationID"] = json!("C2Ccarol");
    data["sequence"] = json!(1);
    data["messages"] = json!([1]);
    data["isPinned"] = json!(true);
    data["userIDList"] = json!(["carol"]);
    data
}

/// Asks as mallory, who has no part in what alice has told bob.
async fn ask(app: &TestApp, function: &str, data: Value) {
    let reply = app.invoke(function, "mallory", data.clone()).await;
    assert!(!reply.to_string().contains("for bob alone"), "{function} with {data}");
    assert_ne!(reply["code"], 60007, "{function} is not even tried: {reply}");
}

/// All rows of a table that are about alice and bob, and all others that are not about mallory.
async fn rows_of_others(app: &TestApp, table: &str) -> Vec<String> {
    let is_mallorys = |row: &Value| {
        let users = |name: &str| row[name]["S"].as_str().unwrap_or_default().split('·').map(str::to_owned);
        // Of a conversation of mallory's nothing is anybody else's but how they stand.
        ["p", "u", "v"].into_iter().flat_map(users).any(|user| user == "mallory")
            && ["mallory", ""].contains(&row["f"]["S"].as_str().unwrap_or_default())
    };
    let rows = app.dump(table).await.into_iter();
    let mut rows: Vec<String> = rows.filter(|row| !is_mallorys(row)).map(|row| row.to_string()).collect();
    rows.sort();
    rows
}

const TABLES: [&str; 4] = ["Messages", "Conversations", "Users", "Connections"];

#[tokio::test]
async fn p9_nobody_reaches_a_conversation_that_they_are_not_part_of_by_any_field() {
    let app = TestApp::without_limits().await;
    let mut secret = text_message("bob", "1", 0);
    secret["payload"]["text"] = json!("for bob alone");
    app.ask("send-message", "alice", secret).await;
    let mut before = Vec::new();
    for table in TABLES {
        before.push(rows_of_others(&app, table).await);
    }

    let names = ["alice", "bob", "C2Calice", "C2Cbob", "alice·bob", "C2Calice·bob", "1", "mallory"];
    for event in events() {
        let function = event.as_str();
        ask(&app, function, of_mallory(function)).await;
        for field in PLACES.into_iter().chain(["clientID", "userIDList"]) {
            for name in names {
                let mut data = of_mallory(function);
                data[field] = if field == "userIDList" { json!([name]) } else { json!(name) };
                ask(&app, function, data).await;
            }
        }
        // As one of the two, about the other one.
        for (me, peer) in [("alice", "bob"), ("bob", "alice")] {
            for field in IDENTITIES {
                let mut data = of_mallory(function);
                (data["to"], data["conversationID"]) = (json!(peer), json!(format!("C2C{peer}")));
                data[field] = json!(me);
                ask(&app, function, data).await;
            }
        }
    }
    for (table, before) in TABLES.into_iter().zip(before) {
        assert_eq!(rows_of_others(&app, table).await, before, "{table}");
    }
}
