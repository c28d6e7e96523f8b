//! Transactions that are in each other's way, are throttled, or take place without an answer.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{
    Ask, ask, code, create,
    state::{State, state},
};
use crate::harness::{TestApp, fault_proxy::Fault};

/// How often a change is tried.
const ATTEMPTS: usize = 8;

/// One change of each kind, as who may make it asks for it.
pub fn changes() -> Vec<Ask> {
    vec![
        (
            "create-group",
            "erin",
            json!({ "type": "Public", "name": "g", "memberList": [{ "userID": "bob" }] }),
        ),
        ("join-group", "erin", json!({})),
        ("quit-group", "carol", json!({})),
        ("add-group-member", "bob", json!({ "userIDList": ["erin", "frank"] })),
        ("delete-group-member", "bob", json!({ "userIDList": ["carol", "dave"] })),
        ("set-group-member", "alice", json!({ "userID": "carol", "role": "Admin" })),
        ("set-group-member", "bob", json!({ "userID": "carol", "muteTime": 60 })),
        ("set-group-member", "carol", json!({ "userID": "carol", "nameCard": "c" })),
        ("update-group-profile", "bob", json!({ "muteAllMembers": true })),
        ("change-group-owner", "alice", json!({ "newOwnerID": "carol" })),
        (
            "handle-group-application",
            "bob",
            json!({ "userID": "erin", "authentication": "please", "handleAction": "Agree" }),
        ),
        ("dismiss-group", "alice", json!({})),
    ]
}

/// Whether it is the write by which a change is made.
fn decides(operation: &str, request: &Value) -> bool {
    let expression = request["UpdateExpression"].as_str().unwrap_or_default();
    operation == "TransactWriteItems"
        || operation == "UpdateItem" && (expression.contains("xd = ") || expression.contains("iv = "))
}

/// Which group a call is about. Their names end in `;`, and nothing else does.
fn group_in(request: &Value) -> Option<String> {
    let text = request.to_string();
    let end = text.find(';')?;
    let begin = text[..end]
        .rfind(['"', '·'])
        .map(|quote| quote + text[quote..].chars().next().unwrap().len_utf8())?;
    Some(text[begin..=end].to_owned())
}

/// What there is before a change.
pub async fn prepare(app: &TestApp, group: &str, (route, ..): &Ask) {
    if *route != "create-group" {
        create(app, "Public", group).await;
    }
    let application = json!({
        "g": { "S": group }, "s": { "S": "J#erin" }, "k": { "S": "please" }, "t": { "N": "1" }, "x": { "N": "9999999999" },
    });
    app.put("Groups", application).await;
}

/// Refuses the writes by which groups are changed, so many of each group as its name says behind its `/`, and counts how
/// often they were tried.
fn refuse(app: &TestApp, refused: Fault, single: Fault) -> Arc<Mutex<BTreeMap<String, usize>>> {
    let tried: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let counts = Arc::clone(&tried);
    app.dynamodb.break_calls(move |operation, request| {
        let Some(group) = group_in(request).filter(|_| decides(operation, request)) else {
            return Fault::None;
        };
        let at_most: usize = group[group.find('/').unwrap() + 1..group.len() - 1].parse().unwrap();
        let mut counts = counts.lock().unwrap();
        let count = counts.entry(group).or_default();
        *count += 1;
        match operation {
            _ if *count > at_most => Fault::None,
            "TransactWriteItems" => refused.clone(),
            _ => single.clone(),
        }
    });
    tried
}

/// What each change comes to when nothing is in its way.
pub async fn undisturbed(app: &TestApp) -> Vec<State> {
    let mut states = Vec::new();
    for (number, wanted) in changes().iter().enumerate() {
        let group = format!("alone-{number}");
        prepare(app, &group, wanted).await;
        let reply = ask(app, &app.sandbox, &group, "name", wanted).await;
        assert_eq!(code(&reply), 0, "{wanted:?}: {reply}");
        states.push(state(app, &group).await);
    }
    states
}

#[tokio::test]
async fn g15_a_change_that_conflicts_with_others_is_tried_eight_times_and_refused_then() {
    let app = &TestApp::without_limits().await;
    let (expected, changes) = (&undisturbed(app).await, &changes());
    let groups: Vec<(usize, usize, String)> = (0..changes.len())
        .flat_map(|number| [1, 99].map(|refused| (number, refused, format!("change-{number}/{refused};"))))
        .collect();
    for (number, _, group) in &groups {
        prepare(app, group, &changes[*number]).await;
    }
    let conflicts =
        refuse(app, Fault::Cancel("TransactionConflict"), Fault::Refuse(400, "TransactionConflictException"));
    let asks =
        groups.iter().map(|(number, _, group)| ask(app, &app.sandbox, group, "name", &changes[*number]));
    let replies = join_all(asks).await;
    app.dynamodb.mend();
    let mut most = 0;
    for ((number, refused, group), reply) in groups.iter().zip(replies) {
        let wanted = &changes[*number];
        let is_refused = *refused > ATTEMPTS;
        let tried = conflicts.lock().unwrap()[group];
        // A frame has no more write units than for so many of a large one.
        let refusal = if tried == ATTEMPTS { 10006 } else { 60007 };
        assert_eq!(code(&reply), if is_refused { refusal } else { 0 }, "{wanted:?}: {reply}");
        if is_refused {
            assert!((4..=ATTEMPTS).contains(&tried), "{wanted:?}: {tried}");
            most = most.max(tried);
            // Nothing has changed, and the same request does it later.
            let reply = ask(app, &app.sandbox, group, "name", wanted).await;
            assert_eq!(code(&reply), 0, "{wanted:?}: {reply}");
        }
        assert_eq!(state(app, group).await, expected[*number], "{wanted:?}");
    }
    assert_eq!(most, ATTEMPTS);
}

#[tokio::test]
async fn g15_a_change_that_is_throttled_is_tried_again_and_one_that_fails_otherwise_is_not() {
    let app = &TestApp::without_limits().await;
    let (expected, changes) = (&undisturbed(app).await, &changes());
    for (kind, in_transaction, refused, answer) in [
        // The SDK tries four times, and the change after that.
        ("ProvisionedThroughputExceededException", None, 5, 0),
        ("ThrottlingException", None, 5, 0),
        ("ProvisionedThroughputExceededException", Some("ProvisionedThroughputExceeded"), 2, 0),
        ("ThrottlingException", Some("ThrottlingError"), 2, 0),
        ("ValidationException", None, 1, 20005),
        ("ValidationException", Some("ValidationError"), 1, 20005),
    ] {
        let groups: Vec<String> = (0..changes.len())
            .map(|number| format!("{kind}-{number}-{}/{refused};", in_transaction.is_some()))
            .collect();
        let groups: Vec<String> = groups.iter().map(|group| group.replace("Exception", "")).collect();
        for (group, wanted) in groups.iter().zip(changes) {
            prepare(app, group, wanted).await;
        }
        let single = Fault::Refuse(400, kind);
        let tried = refuse(app, in_transaction.map_or(single.clone(), Fault::Cancel), single);
        let asks =
            groups.iter().zip(changes).map(|(group, wanted)| ask(app, &app.sandbox, group, "name", wanted));
        let replies = join_all(asks).await;
        app.dynamodb.mend();
        for (((group, wanted), reply), expected) in groups.iter().zip(changes).zip(replies).zip(expected) {
            assert_eq!(code(&reply), answer, "{kind}, {wanted:?}: {reply}");
            assert_eq!(
                tried.lock().unwrap()[group],
                if answer == 0 { refused + 1 } else { 1 },
                "{kind}, {wanted:?}"
            );
            if answer == 0 {
                assert_eq!(state(app, group).await, *expected, "{kind}, {wanted:?}");
            }
        }
    }
}

#[tokio::test]
async fn g12_g15_a_write_whose_answer_is_lost_is_made_once_and_its_change_answered_as_ever() {
    let app = &TestApp::without_limits().await;
    let (expected, changes) = (&undisturbed(app).await, &changes());
    // The transaction, the tip, the note that it is one's own, the removal of the promise; and one that there is not.
    for lost in 1..6 {
        let groups: Vec<String> =
            (0..changes.len()).map(|number| format!("change-{lost}-{number};")).collect();
        for (group, wanted) in groups.iter().zip(changes) {
            prepare(app, group, wanted).await;
        }
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        app.dynamodb.break_calls(move |operation, request| {
            let Some(group) = group_in(request).filter(|_| crate::harness::replica::is_write(operation))
            else {
                return Fault::None;
            };
            let count = counts.entry(group).or_default();
            *count += 1;
            if *count == lost { Fault::ResetAfter } else { Fault::None }
        });
        let asks =
            groups.iter().zip(changes).map(|(group, wanted)| ask(app, &app.sandbox, group, "name", wanted));
        let replies = join_all(asks).await;
        app.dynamodb.mend();
        for (((group, wanted), reply), expected) in groups.iter().zip(changes).zip(replies).zip(expected) {
            assert_eq!(code(&reply), 0, "{lost}, {wanted:?}: {reply}");
            assert_eq!(state(app, group).await, *expected, "{lost}, {wanted:?}");
        }
    }
}
