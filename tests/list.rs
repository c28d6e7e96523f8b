//! What a list promises (L1 to L9 of `docs/tables.md`), each by tests of its name.

mod l1_newest_first;
mod l2_first_page;
mod l3_login;
mod l4_one_look;
mod l5_deleted;
mod l6_elsewhere;
mod l7_names;
mod l8_sessions;
mod l9_unread;
mod stamps;

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{START_MS, TestApp, body, event, fault_proxy::Call, set_user};

/// As long as no list can lack what is older, and nothing is warm any more.
const LONG: Duration = Duration::from_secs(2 * 60 * 60);

fn units(calls: &[Call]) -> (f64, f64) {
    (calls.iter().map(|call| call.read_units).sum(), calls.iter().map(|call| call.write_units).sum())
}

/// Connects a device of a user, which stays connected.
async fn connect(app: &TestApp, user: &str) {
    let mut event = event("connect");
    set_user(&mut event, user);
    event["requestContext"]["connectedAt"] = json!(app.clock.now());
    assert_eq!(app.respond("connect", &event).await.status(), 200);
}

/// What a login on that connection is answered.
async fn login(app: &TestApp, user: &str, data: Value) -> Value {
    let mut event = event("login");
    set_user(&mut event, user);
    event["requestContext"]["connectedAt"] = json!(app.clock.now());
    event["body"] = json!(json!({ "action": "login", "requestID": "1", "data": data }).to_string());
    let reply = body(app.respond("login", &event).await);
    assert_eq!(reply["code"], 0, "{reply}");
    reply["data"].clone()
}

/// Connects, logs in, and forgets what that has cost.
async fn log_in(app: &TestApp, user: &str, data: Value) -> Value {
    connect(app, user).await;
    let reply = login(app, user, data).await;
    app.calls();
    reply
}

fn ids(page: &Value) -> Vec<String> {
    let list = page["conversationList"].as_array().unwrap_or_else(|| panic!("{page}"));
    list.iter().map(|conversation| conversation["conversationID"].as_str().unwrap().to_owned()).collect()
}

/// The whole list, page by page, by conversation, and how many pages it takes.
async fn whole_list(app: &TestApp, user: &str) -> (BTreeMap<String, Value>, usize) {
    let pages = app.list(user).await;
    let all = pages.iter().flat_map(|page| page["conversationList"].as_array().unwrap());
    let by_id = |listed: &Value| (listed["conversationID"].as_str().unwrap().to_owned(), listed.clone());
    (all.map(by_id).collect(), pages.len())
}

/// Makes conversations of a user in the tables directly, each with so many unread messages, a minute apart and the last
/// ones two hours old. The first one is the newest.
async fn many_conversations(app: &TestApp, user: &str, count: u64, unread: u64) {
    let mut rows = Vec::new();
    for number in 0..count {
        let peer = format!("peer-{number:05}");
        let (low, high) = if *user < *peer { (user, &*peer) } else { (&*peer, user) };
        let from_low = low == peer;
        let time = START_MS - LONG.as_millis() as u64 - number * 60_000;
        let key = format!("{low}·{high}");
        for (me, other) in [(low, high), (high, low)] {
            rows.push((
                "Conversations",
                json!({
                    "u": { "S": me }, "v": { "S": other },
                    "t": { "N": time.to_string() }, "s": { "N": time.to_string() },
                }),
            ));
        }
        for seq in 1..=unread {
            let (a, z) = if from_low { (seq, 0) } else { (0, seq) };
            rows.push(("Messages", json!({
                "p": { "S": key }, "s": { "S": format!("M{seq:012}") }, "f": { "S": peer },
                "c": { "S": format!("{peer}-{seq}") }, "t": { "N": time.to_string() },
                "y": { "S": "TIMTextElem" }, "d": { "S": "{\"text\":\"今天下班以后我们一起去吃那家新开的面馆吧\"}" },
                "a": { "N": a.to_string() }, "z": { "N": z.to_string() }, "w": { "N": time.to_string() },
            })));
        }
        rows.push(("Users", json!({
            "u": { "S": peer }, "s": { "S": "P" }, "t": { "N": "1" },
            "nick": { "S": format!("用户{number}") }, "avatar": { "S": format!("https://example.com/{number}.png") },
        })));
    }
    let batches: Vec<_> = rows.chunks(25).collect();
    for at_once in batches.chunks(8) {
        join_all(at_once.iter().map(async |batch| {
            let mut tables: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
            for (table, item) in batch.iter() {
                tables.entry(table).or_default().push(json!({ "PutRequest": { "Item": item } }));
            }
            let answer = app.call("BatchWriteItem", json!({ "RequestItems": tables })).await;
            assert_eq!(answer["UnprocessedItems"], json!({}), "{answer}");
        }))
        .await;
    }
}
