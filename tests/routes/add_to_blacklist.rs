use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{TestApp, body, event, fault_proxy::Fault, text_message};

async fn block<T: AsRef<str>>(app: &TestApp, me: &str, users: &[T]) -> Value {
    let users: Vec<&str> = users.iter().map(AsRef::as_ref).collect();
    app.ask("add-to-blacklist", me, json!({ "userIDList": users })).await["blacklist"].clone()
}

async fn send(app: &TestApp, from: &str, to: &str, client_id: &str) -> i64 {
    let base = app.history(from, to).await.len() as u64;
    let reply = app.invoke("send-message", from, text_message(to, client_id, base)).await;
    reply["code"].as_i64().unwrap()
}

#[tokio::test]
async fn who_is_on_the_blacklist_gets_nothing_through() {
    let app = TestApp::new().await;
    assert_eq!(send(&app, "bob", "alice", "early").await, 0);
    block(&app, "alice", &["bob"]).await;
    let rows = (app.dump("Messages").await, app.dump("Conversations").await);
    assert_eq!(send(&app, "bob", "alice", "late").await, 20007);
    assert_eq!((app.dump("Messages").await, app.dump("Conversations").await), rows);

    app.advance(Duration::from_secs(600));
    assert_eq!(app.send("bob", "alice", "early", 0).await, 1, "what was sent before stays sent");
    assert_eq!(send(&app, "carol", "alice", "carol's").await, 0);
}

#[tokio::test]
async fn a_stranger_can_be_kept_out_before_they_say_anything() {
    let app = TestApp::new().await;
    block(&app, "alice", &["mallory"]).await;
    assert_eq!(send(&app, "mallory", "alice", "1").await, 20007);
    assert!(app.dump("Conversations").await.is_empty(), "no list has been opened");
    assert_eq!(app.conversation("alice", "mallory").await, None);
    // The row that holds the block is no obstacle to anything else.
    app.ask("remove-from-blacklist", "alice", json!({ "userIDList": ["mallory"] })).await;
    assert_eq!(send(&app, "alice", "mallory", "1").await, 0);
    block(&app, "alice", &["mallory"]).await;
    app.ask("set-message-read", "alice", json!({ "conversationID": "C2Cmallory" })).await;
    app.ask("delete-conversation", "alice", json!({ "conversationID": "C2Cmallory" })).await;
    assert_eq!(send(&app, "mallory", "alice", "1").await, 20007);
}

#[tokio::test]
async fn other_devices_are_told_and_nobody_else() {
    let app = TestApp::new().await;
    let (mut mallory, mut other_device) = (app.connect("mallory").await, app.connect("alice").await);
    for _ in 0..2 {
        let reply = body(app.respond("add-to-blacklist", &event("add-to-blacklist")).await);
        assert_eq!(reply["data"], json!({ "blacklist": ["mallory"] }));
        assert_eq!(other_device.push().await, json!({ "event": "blacklistUpdated", "data": ["mallory"] }));
    }
    assert!(mallory.is_quiet().await);
    assert_eq!(app.dump("Users").await.len(), 2, "the version and one entry");
}

#[tokio::test]
async fn oneself_is_refused_and_so_are_too_many() {
    let app = TestApp::without_limits().await;
    let code = async |users: Vec<String>| {
        app.invoke("add-to-blacklist", "alice", json!({ "userIDList": users })).await["code"].clone()
    };
    assert_eq!(code(vec!["bob".to_owned(), "alice".to_owned()]).await, 2742);
    assert!(app.dump("Users").await.is_empty() && app.dump("Messages").await.is_empty());
    let users = |from: usize, to: usize| (from..to).map(|number| format!("user-{number}")).collect();
    assert_eq!(code(users(0, 16)).await, 70402);
    for part in 0..66 {
        assert_eq!(code(users(part * 15, part * 15 + 15)).await, 0);
    }
    assert_eq!(code(users(985, 1001)).await, 70402);
    assert_eq!(code(users(988, 1001)).await, 70402, "eleven more");
    assert_eq!(code(users(985, 1000)).await, 0, "whom it holds already it holds once");
    assert_eq!(listed(&app, "alice").await.len(), 1_000);
    assert_eq!(code(users(999, 1001)).await, 70402);
}

#[tokio::test]
async fn the_limit_holds_however_many_requests_race_for_what_is_left() {
    let app = TestApp::without_limits().await;
    for part in 0..66 {
        block(&app, "alice", &(0..15).map(|number| format!("user-{part}-{number}")).collect::<Vec<_>>())
            .await;
    }
    let requests = (0..5).map(|part| {
        let users: Vec<String> = (0..4).map(|number| format!("late-{part}-{number}")).collect();
        app.invoke("add-to-blacklist", "alice", json!({ "userIDList": users }))
    });
    let codes: Vec<i64> =
        join_all(requests).await.iter().map(|reply| reply["code"].as_i64().unwrap()).collect();
    let taken = codes.iter().filter(|code| **code == 0).count();
    assert!(codes.iter().all(|code| [0, 70402].contains(code)), "{codes:?}");
    assert_eq!((taken, listed(&app, "alice").await.len()), (2, 998), "{codes:?}");
    assert_eq!(marked(&app, "alice").await, listed(&app, "alice").await);
}

/// The list of a user, as they are shown it.
async fn listed(app: &TestApp, me: &str) -> BTreeSet<String> {
    let blacklist = app.ask("get-blacklist", me, json!({})).await["blacklist"].clone();
    blacklist.as_array().unwrap().iter().map(|user| user.as_str().unwrap().to_owned()).collect()
}

/// Those whose messages to them are refused, by what a send reads.
async fn marked(app: &TestApp, me: &str) -> BTreeSet<String> {
    let rows = app.dump("Messages").await;
    let blocks = rows.iter().filter(|row| row["s"]["S"] == format!("R#{me}") && row["b"]["BOOL"] == true);
    let peer = |row: &Value| {
        let key = row["p"]["S"].as_str().unwrap();
        let (low, high) = key.split_once('·').unwrap();
        if low == me { high } else { low }.to_owned()
    };
    blocks.map(peer).collect()
}

#[tokio::test]
async fn list_and_effect_agree_however_additions_and_removals_race() {
    let app = TestApp::without_limits().await;
    let one = || json!({ "userIDList": ["bob"] });
    for round in 0..200 {
        let (added, removed) = tokio::join!(
            app.ask("add-to-blacklist", "alice", one()),
            app.ask("remove-from-blacklist", "alice", one())
        );
        // Each is answered with the list that it has left behind.
        assert_eq!((&added["blacklist"], &removed["blacklist"]), (&json!(["bob"]), &json!([])));
        let listed = listed(&app, "alice").await;
        assert_eq!(marked(&app, "alice").await, listed, "round {round}");
        if round % 20 == 0 {
            let expected = if listed.is_empty() { 0 } else { 20007 };
            assert_eq!(send(&app, "bob", "alice", &round.to_string()).await, expected);
        }
    }
}

#[tokio::test]
async fn of_two_additions_at_once_one_is_answered_with_both() {
    let app = TestApp::new().await;
    for round in 0..20 {
        let (one, two) = (format!("one-{round}"), format!("two-{round}"));
        let answers = join_all([block(&app, "alice", &[&one]), block(&app, "alice", &[&two])]).await;
        let holds_both = answers.iter().filter(|answer| {
            let users = answer.as_array().unwrap();
            users.contains(&json!(one)) && users.contains(&json!(two))
        });
        assert_eq!(holds_both.count(), 1, "{answers:?}");
    }
    assert_eq!(listed(&app, "alice").await.len(), 40);
}

#[tokio::test]
async fn killed_anywhere_it_has_done_all_or_nothing_and_a_retry_does_it() {
    for fault in [Fault::LoseCall, Fault::LoseAnswer] {
        for verb in ["add-to-blacklist", "remove-from-blacklist"] {
            // Each call: the list, the connections, the transaction.
            for nth in 1.. {
                let app = TestApp::new().await;
                block(&app, "alice", &["carol"]).await;
                if verb == "remove-from-blacklist" {
                    block(&app, "alice", &["bob", "dave"]).await;
                }
                let (mut count, fault) = (0, fault.clone());
                app.dynamodb.break_calls(move |_, _| {
                    count += 1;
                    if count == nth { fault.clone() } else { Fault::None }
                });
                let data = json!({ "userIDList": ["bob", "dave"] });
                tokio::select! {
                    reply = app.ask(verb, "alice", data.clone()) => {
                        assert!(nth > 3, "{verb} is over after {nth} calls: {reply}");
                        break;
                    }
                    () = app.dynamodb.lost() => {}
                }
                app.dynamodb.mend();
                let left = listed(&app, "alice").await;
                assert_eq!(marked(&app, "alice").await, left, "{verb} {nth}");
                assert!([1, 3].contains(&left.len()), "all or nothing: {left:?}");

                app.ask(verb, "alice", data).await;
                let is_added = verb == "add-to-blacklist";
                let listed = listed(&app, "alice").await;
                assert_eq!(listed.contains("bob") && listed.contains("dave"), is_added);
                assert_eq!(marked(&app, "alice").await, listed);
                let expected = if is_added { 20007 } else { 0 };
                assert_eq!(send(&app, "bob", "alice", "1").await, expected, "{verb} {nth}");
            }
        }
    }
}

#[tokio::test]
async fn a_change_that_others_always_get_ahead_of_is_given_up_and_leaves_nothing() {
    let app = TestApp::new().await;
    app.dynamodb.break_calls(|operation, _| match operation {
        "TransactWriteItems" => Fault::Cancel("TransactionConflict"),
        _ => Fault::None,
    });
    let one = json!({ "userIDList": ["bob"] });
    assert_eq!(app.invoke("add-to-blacklist", "alice", one.clone()).await["code"], 60007);
    assert!(app.dump("Users").await.is_empty() && app.dump("Messages").await.is_empty());
    app.dynamodb.break_calls(|operation, _| match operation {
        "TransactWriteItems" => Fault::Cancel("ValidationError"),
        _ => Fault::None,
    });
    assert_eq!(app.invoke("add-to-blacklist", "alice", one).await["code"], 20005, "that is no conflict");
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_made_once() {
    let app = TestApp::new().await;
    let mut lost = false;
    app.dynamodb.break_calls(move |operation, _| {
        let is_change = operation == "TransactWriteItems";
        if is_change && !std::mem::replace(&mut lost, true) { Fault::ResetAfter } else { Fault::None }
    });
    assert_eq!(block(&app, "alice", &["bob"]).await, json!(["bob"]));
    let version = app.dump("Users").await.into_iter().find(|row| row["s"]["S"] == "B").unwrap();
    assert_eq!(version["n"]["N"], "1");
}

#[tokio::test]
async fn both_can_block_each_other() {
    let app = TestApp::new().await;
    join_all([block(&app, "alice", &["bob"]), block(&app, "bob", &["alice"])]).await;
    assert_eq!(send(&app, "alice", "bob", "1").await, 20007);
    assert_eq!(send(&app, "bob", "alice", "1").await, 20007);
}
