//! Rows follow the life of what they describe: with retention, nothing tells for ever who talked to whom.

use std::{collections::BTreeMap, time::Duration};

use hongyan_functions::config::Settings;
use serde_json::{Value, json};

use crate::harness::{TestApp, fault_proxy::Fault, random_numbers, sequences, text_message};

const DAY: u64 = 86_400;
const RETENTION: u64 = 10 * DAY;

/// How much longer than everything else a floor is kept.
const FLOOR: u64 = 30 * DAY;

fn with_retention() -> Settings {
    Settings { retention: Some(RETENTION), frames_per_second: None, ..Settings::default() }
}

fn advance(app: &TestApp, seconds: u64) {
    app.advance(Duration::from_secs(seconds));
}

async fn rows(app: &TestApp) -> usize {
    app.dump("Messages").await.len() + app.dump("Conversations").await.len()
}

#[tokio::test]
async fn with_retention_invented_recipients_leave_nothing_behind() {
    let app = TestApp::with(with_retention()).await;
    for number in 0..50 {
        app.send("mallory", &format!("invented-{number}"), "1", 0).await;
    }
    assert_eq!(rows(&app).await, 50 * 4);
    advance(&app, RETENTION + RETENTION / 2 + 2 * 3_600);
    app.sweep().await;
    assert!(app.dump("Conversations").await.is_empty(), "nobody's list tells of it");
    advance(&app, FLOOR);
    app.sweep().await;
    assert_eq!(rows(&app).await, 0);
    // And it is a conversation as any other.
    assert_eq!(app.send("mallory", "invented-1", "2", 0).await, 1);
    assert_eq!(app.conversation("invented-1", "mallory").await.unwrap()["unreadCount"], 1);
}

#[tokio::test]
async fn what_is_read_is_remembered_as_long_as_the_message_and_no_longer() {
    let app = TestApp::with(with_retention()).await;
    app.send("bob", "alice", "1", 0).await;
    app.ask("set-message-read", "alice", json!({ "conversationID": "C2Cbob" })).await;
    advance(&app, RETENTION - 1);
    app.send("bob", "alice", "2", 1).await;
    app.sweep().await;
    assert_eq!(app.conversation("alice", "bob").await.unwrap()["unreadCount"], 1);
    advance(&app, 1);
    for _ in 0..2 {
        let shown = app.conversation("alice", "bob").await.unwrap();
        assert_eq!((&shown["unreadCount"], &shown["readSequence"]), (&json!(1), &json!(0)));
        advance(&app, 2 * 3_600);
        app.sweep().await;
    }
    assert!(!app.dump("Messages").await.iter().any(|row| row["s"]["S"] == "R#alice"));
}

#[tokio::test]
async fn what_is_to_go_ends_at_a_time_that_dynamodb_still_looks_at() {
    let app = TestApp::new().await;
    app.ask("add-to-blacklist", "alice", json!({ "userIDList": ["bob"] })).await;
    app.ask("remove-from-blacklist", "alice", json!({ "userIDList": ["bob"] })).await;
    let rows = app.dump("Messages").await;
    let end: u64 = rows[0]["x"]["N"].as_str().unwrap().parse().unwrap();
    // It never sweeps what has ended more than five years ago.
    let now = app.clock.now() / 1000;
    assert!((now - 5 * 365 * DAY..=now).contains(&end), "{end}");
}

#[tokio::test]
async fn the_name_of_a_user_who_never_connects_is_copied_for_30_days() {
    let app = TestApp::new().await;
    app.ask("update-my-profile", "alice", json!({ "nick": "Alice" })).await;
    for (days, rows) in [(30, 1), (1, 0)] {
        advance(&app, days * DAY);
        app.sweep().await;
        assert_eq!(app.dump("Connections").await.len(), rows);
    }
}

#[tokio::test]
async fn what_a_user_has_done_of_late_is_forgotten_two_hours_later() {
    let app = TestApp::new().await;
    app.send("alice", "bob", "1", 0).await;
    assert_eq!(app.dump("Connections").await[0]["s"]["S"], "L#C", "a conversation was opened");
    for (seconds, rows) in [(2 * 3_600 - 1, 1), (2, 0)] {
        advance(&app, seconds);
        app.sweep().await;
        assert_eq!(app.dump("Connections").await.len(), rows);
    }
}

#[tokio::test]
async fn a_removed_block_leaves_nothing_behind_and_one_that_holds_stays() {
    for settings in [Settings::default(), with_retention()] {
        let app = TestApp::with(settings).await;
        let both = json!({ "userIDList": ["bob", "carol"] });
        app.ask("add-to-blacklist", "alice", both).await;
        app.ask("remove-from-blacklist", "alice", json!({ "userIDList": ["carol"] })).await;
        advance(&app, 1);
        app.sweep().await;
        let left = app.dump("Messages").await;
        assert_eq!(left.len(), 1, "{left:?}");
        advance(&app, 1_000 * DAY);
        app.sweep().await;
        let reply = app.invoke("send-message", "bob", text_message("alice", "1", 0)).await;
        assert_eq!(reply["code"], 20007);
    }
}

#[tokio::test]
async fn without_retention_a_block_and_its_end_change_no_position() {
    let app = TestApp::new().await;
    app.send("bob", "alice", "1", 0).await;
    app.ask("set-message-read", "alice", json!({ "conversationID": "C2Cbob" })).await;
    for verb in ["add-to-blacklist", "remove-from-blacklist"] {
        app.ask(verb, "alice", json!({ "userIDList": ["bob"] })).await;
        advance(&app, 1_000 * DAY);
        app.sweep().await;
        assert_eq!(app.conversation("alice", "bob").await.unwrap()["unreadCount"], 0);
    }
}

#[tokio::test]
async fn who_begins_while_the_floor_is_swept_begins_where_everybody_does() {
    let app = TestApp::with(with_retention()).await;
    app.send("alice", "bob", "1", 0).await;
    advance(&app, 2 * RETENTION + FLOOR);
    // Alice has read the floor. Before the next one is laid it is swept, and bob begins anew.
    app.dynamodb.break_calls(|operation, request| {
        let is_floor = operation == "UpdateItem" && request["Key"]["s"]["S"] == "F";
        if is_floor && request["ConditionExpression"].as_str().unwrap().contains(":before") {
            Fault::Hold
        } else {
            Fault::None
        }
    });
    let alice = app.send("alice", "bob", "2", 0);
    let bob = async {
        app.dynamodb.held().await;
        app.sweep().await;
        let bob = app.send("bob", "alice", "3", 0).await;
        app.dynamodb.release();
        bob
    };
    let (alice, bob) = tokio::join!(alice, bob);
    assert_eq!((bob, alice), (1, 2));
    assert_eq!(sequences(&app.history("alice", "bob").await), [1, 2]);
}

#[tokio::test]
async fn a_longer_retention_holds_for_what_is_sent_from_then_on() {
    let mut app = TestApp::with(with_retention()).await;
    app.send("alice", "bob", "1", 0).await;
    app.deploy(Settings { retention: Some(20 * RETENTION), ..app.sandbox.settings });
    app.send("alice", "bob", "2", 1).await;
    advance(&app, 10 * RETENTION);
    app.sweep().await;
    assert_eq!(app.conversation("bob", "alice").await.unwrap()["unreadCount"], 1);
    app.deploy(Settings { retention: None, ..app.sandbox.settings });
    app.send("alice", "bob", "3", 2).await;
    advance(&app, 1_000 * RETENTION);
    app.sweep().await;
    assert_eq!(app.conversation("bob", "alice").await.unwrap()["unreadCount"], 1);
}

/// When the floor of the only conversation is swept.
async fn floor_ends(app: &TestApp) -> Value {
    let rows = app.dump("Messages").await;
    rows.iter().find(|row| row["s"]["S"] == "F").unwrap()["x"].clone()
}

#[tokio::test]
async fn a_shorter_retention_keeps_nobody_from_beginning_again() {
    for is_swept in [false, true] {
        let mut app = TestApp::with(with_retention()).await;
        app.send("alice", "bob", "1", 0).await;
        let before = floor_ends(&app).await;
        advance(&app, RETENTION + 2 * 3_600);
        if is_swept {
            app.sweep().await;
        }
        app.deploy(Settings { retention: Some(RETENTION / 10), ..app.sandbox.settings });
        assert_eq!(app.send("bob", "alice", "2", 0).await, 33);
        assert_eq!(floor_ends(&app).await, before, "it is still needed for what was there before");
    }
}

/// What the user has done, as somebody would remember it who forgets nothing but what has expired.
#[derive(Default)]
struct Memory {
    /// Number, sender, and the second in which it expires.
    messages: Vec<(u64, &'static str, u64)>,
    read: BTreeMap<&'static str, u64>,
    cleared: BTreeMap<&'static str, u64>,
}

impl Memory {
    fn live(&self, now: u64) -> impl Iterator<Item = &(u64, &'static str, u64)> {
        self.messages.iter().filter(move |(_, _, end)| *end > now)
    }

    fn unread(&self, user: &str, now: u64) -> usize {
        let done = |marks: &BTreeMap<&str, u64>| marks.get(user).copied().unwrap_or_default();
        let done = done(&self.read).max(done(&self.cleared));
        self.live(now).filter(|(seq, from, _)| *from != user && *seq > done).count()
    }
}

/// DynamoDB sweeps what has expired in any order, at once or days later.
async fn sweep_some(app: &TestApp, random: &mut impl FnMut(u64) -> u64) {
    let now = app.clock.now() / 1000;
    for (table, keys) in [("Messages", ["p", "s"]), ("Conversations", ["u", "v"])] {
        for row in app.dump(table).await {
            let end = row["x"]["N"].as_str().map_or(u64::MAX, |x| x.parse().unwrap());
            if end < now && random(3) == 0 {
                let key: Value = keys.iter().map(|key| ((*key).to_owned(), row[*key].clone())).collect();
                app.delete(table, key).await;
            }
        }
    }
}

#[tokio::test]
async fn whatever_is_swept_in_whatever_order_numbers_counts_and_lists_are_right_and_in_the_end_nothing_is_left()
 {
    let mut random = random_numbers();
    for _ in 0..4 {
        let mut app = TestApp::with(with_retention()).await;
        let mut memory = Memory::default();
        for step in 0..50 {
            let (me, peer) = if random(2) == 0 { ("alice", "bob") } else { ("bob", "alice") };
            match random(10) {
                0..5 => {
                    // Now and then the operator changes the setting.
                    let retention = [RETENTION, RETENTION, RETENTION / 5, 2 * RETENTION][random(4) as usize];
                    app.deploy(Settings { retention: Some(retention), ..app.sandbox.settings });
                    let now = app.clock.now() / 1000;
                    let last_live = memory.live(now).last().copied();
                    let seq = app.send(me, peer, &step.to_string(), last_live.map_or(0, |last| last.0)).await;
                    match last_live {
                        Some((last, ..)) => assert_eq!(seq, last + 1),
                        None => assert_eq!(seq % 32, 1, "the first of a block"),
                    }
                    if let Some((last, _, end)) = memory.messages.last() {
                        // Only when a floor's time is over numbers begin anew.
                        assert!(seq > *last || now > end + FLOOR, "{seq} after {last}");
                        if seq <= *last {
                            memory = Memory::default();
                        }
                    }
                    let end = last_live.map_or(0, |last| last.2).max(now + retention);
                    memory.messages.push((seq, me, end));
                }
                5 | 6 => {
                    let now = app.clock.now() / 1000;
                    let live: Vec<u64> = memory.live(now).map(|message| message.0).collect();
                    if !live.is_empty() {
                        let seq = live[random(live.len() as u64) as usize];
                        let (verb, marks) = if random(3) == 0 {
                            ("delete-conversation", &mut memory.cleared)
                        } else {
                            ("set-message-read", &mut memory.read)
                        };
                        app.ask(verb, me, json!({ "conversationID": format!("C2C{peer}"), "sequence": seq }))
                            .await;
                        let mark = marks.entry(me).or_default();
                        *mark = seq.max(*mark);
                    }
                }
                7 => {
                    let verb = if random(2) == 0 { "add-to-blacklist" } else { "remove-from-blacklist" };
                    app.ask(verb, me, json!({ "userIDList": [peer] })).await;
                    app.ask("remove-from-blacklist", me, json!({ "userIDList": [peer] })).await;
                }
                8 => advance(&app, random(RETENTION)),
                _ => advance(&app, random(3) * random(RETENTION + FLOOR)),
            }
            sweep_some(&app, &mut random).await;
            let now = app.clock.now() / 1000;
            for (me, peer) in [("alice", "bob"), ("bob", "alice")] {
                let shown = app.conversation(me, peer).await;
                let live: Vec<u64> = memory.live(now).map(|message| message.0).collect();
                assert_eq!(shown.is_some(), !live.is_empty(), "step {step}");
                if let Some(shown) = shown {
                    assert_eq!(shown["unreadCount"], memory.unread(me, now), "step {step}, {me}: {shown}");
                    let cleared = memory.cleared.get(me).copied().unwrap_or_default();
                    let seen: Vec<u64> = live.into_iter().filter(|seq| *seq > cleared).collect();
                    assert_eq!(sequences(&app.history(me, peer).await), seen, "step {step}");
                }
            }
        }
        advance(&app, 4 * RETENTION + FLOOR);
        app.sweep().await;
        assert_eq!(rows(&app).await, 0);
    }
}
