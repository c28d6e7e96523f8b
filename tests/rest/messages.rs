use std::{collections::BTreeSet, time::Duration};

use hongyan_functions::config::Settings;
use serde_json::{Value, json};

use super::{ask, command, done, refused, respond};
use crate::harness::{
    START_MS, TestApp,
    fault_proxy::{Call, Fault, round_trips},
    sequences, text_message,
};

const SEND: &str = "openim/sendmsg";
const BATCH: &str = "openim/batchsendmsg";
const IMPORT: &str = "openim/importmsg";
const WITHDRAW: &str = "openim/admin_msgwithdraw";
const ROAM: &str = "openim/admin_getroammsg";
const READ: &str = "openim/admin_set_msg_read";
const UNREAD: &str = "openim/get_c2c_unread_msg_num";

/// The second in which every test begins.
const NOW_S: u64 = START_MS / 1000;

fn text(text: &str) -> Value {
    json!([{ "MsgType": "TIMTextElem", "MsgContent": { "Text": text } }])
}

/// From alice to bob, with more said about it.
fn message(said: &str, random: u64, more: Value) -> Value {
    let mut body =
        json!({ "From_Account": "alice", "To_Account": "bob", "MsgRandom": random, "MsgBody": text(said) });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn texts(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["payload"]["text"].as_str().unwrap()).collect()
}

fn key(answer: &Value) -> &str {
    answer["MsgKey"].as_str().unwrap()
}

#[tokio::test]
async fn what_is_sent_arrives_as_from_a_user_and_is_known_by_its_key_and_its_id() {
    let app = TestApp::new().await;
    let (mut alice, mut bob) = (app.connect("alice").await, app.connect("bob").await);
    let answer = done(&app, SEND, message("你好", 4_004_465_802, json!({ "CloudCustomData": "x" }))).await;
    assert_eq!((&answer["MsgTime"], key(&answer)), (&json!(NOW_S), "1_4004465802_1795400001"));
    let pushed = bob.push().await["data"][0].clone();
    assert_eq!(
        (&pushed["from"], &pushed["to"], &pushed["sequence"]),
        (&json!("alice"), &json!("bob"), &json!(1))
    );
    assert_eq!((&pushed["payload"], &pushed["cloudCustomData"]), (&json!({ "text": "你好" }), &json!("x")));
    assert_eq!(pushed["clientID"], answer["MsgId"]);
    assert!(answer["MsgId"].as_str().unwrap().ends_with("-1795400001-4004465802"));
    assert_eq!(alice.push().await["data"][0], pushed, "the sender's own devices are told");
    let conversation = app.conversation("bob", "alice").await.unwrap();
    assert_eq!(conversation["unreadCount"], 1);

    // Nobody else is named: the administrator speaks.
    let notice = json!({ "To_Account": "bob", "MsgRandom": "7", "MsgBody": text("notice") });
    done(&app, SEND, notice).await;
    assert_eq!(texts(&app.history("bob", "administrator").await), ["notice"]);
}

#[tokio::test]
async fn a_message_that_is_repeated_is_one_as_long_as_libraries_repeat_it() {
    let app = TestApp::new().await;
    let first = done(&app, SEND, message("x", 1, json!({}))).await;
    app.advance(Duration::from_secs(30));
    assert_eq!(done(&app, SEND, message("x", 1, json!({}))).await, first);
    // Two different texts under the number that somebody's sample has.
    let others = [
        message("y", 1, json!({})),
        message("x", 2, json!({})),
        message("x", 1, json!({ "CloudCustomData": "y" })),
        message("x", 1, json!({ "MsgSeq": 1 })),
        message("x", 1, json!({ "MsgTimeStamp": NOW_S })),
    ];
    for other in &others {
        assert_ne!(key(&done(&app, SEND, other.clone()).await), key(&first), "{other}");
    }
    for other in &others {
        done(&app, SEND, other.clone()).await;
    }
    // The other direction, and another user, are others.
    let mut back = message("x", 1, json!({ "From_Account": "bob", "To_Account": "alice" }));
    done(&app, SEND, back.clone()).await;
    back["To_Account"] = json!("carol");
    done(&app, SEND, back).await;
    assert_eq!(app.history("alice", "bob").await.len(), 7);

    app.advance(Duration::from_millis(1));
    let second = done(&app, SEND, message("x", 1, json!({}))).await;
    assert_eq!(key(&second), "8_1_1795400031");
    assert_ne!(second["MsgId"], first["MsgId"], "a client would take it for the first one");
    // With its time it is the same for as long as it can be found.
    app.advance(Duration::from_secs(3600));
    done(&app, SEND, message("x", 1, json!({ "MsgTimeStamp": NOW_S }))).await;
    assert_eq!(app.history("alice", "bob").await.len(), 8);
}

#[tokio::test]
async fn a_number_that_is_0_is_none() {
    let app = TestApp::new().await;
    let zero = message("x", 1, json!({ "MsgSeq": 0, "MsgTimeStamp": 0 }));
    let first = done(&app, SEND, zero.clone()).await;
    assert_eq!(done(&app, SEND, message("x", 1, json!({}))).await, first);
    app.advance(Duration::from_secs(31));
    assert_ne!(key(&done(&app, SEND, zero).await), key(&first), "it was said another time");
    assert_eq!(app.history("bob", "alice").await.len(), 2);
    let old = |at: u64| message("old", 2, json!({ "SyncFromOldSystem": 2, "MsgSeq": 0, "MsgTimestamp": at }));
    assert_eq!(refused(&app, IMPORT, old(0)).await, 90001, "when it was said is missing");
    done(&app, IMPORT, old(NOW_S - 5)).await;
    let all = roam(&app, "alice", "bob", 0, NOW_S - 1, 100).await;
    assert_eq!(all[0]["MsgKey"], format!("0_2_{}", NOW_S - 5));
}

#[tokio::test]
async fn a_message_is_found_again_behind_a_hundred_others() {
    let app = TestApp::without_limits().await;
    let first = done(&app, SEND, message("x", 1, json!({}))).await;
    for number in 1..=90 {
        app.send("bob", "alice", &number.to_string(), number).await;
    }
    assert_eq!(done(&app, SEND, message("x", 1, json!({}))).await, first);
    app.calls();
    done(&app, SEND, message("y", 1, json!({}))).await;
    let (_, read, _) = spent(&app.calls());
    assert!(read < 16.0, "{read} read units for a look through a hundred messages of one moment");
}

#[tokio::test]
async fn a_send_that_was_killed_anywhere_is_there_once_when_it_is_repeated() {
    for retention in [None, Some(100 * 86_400)] {
        let app = TestApp::with(Settings { retention, ..Settings::default() }).await;
        let mut killed = 0;
        for (index, fault) in [Fault::LoseCall, Fault::LoseAnswer].into_iter().enumerate() {
            for nth in 1.. {
                let to = format!("bob-{index}-{nth}");
                let body = message("x", 123, json!({ "To_Account": to }));
                let mut left = nth;
                let fault = fault.clone();
                app.dynamodb.break_calls(move |_, _| {
                    left -= 1;
                    if left == 0 { fault.clone() } else { Fault::None }
                });
                let is_done = tokio::select! {
                    answer = done(&app, SEND, body.clone()) => { key(&answer); true },
                    () = app.dynamodb.lost() => false,
                };
                app.dynamodb.mend();
                app.advance(Duration::from_secs(1));
                assert_eq!(key(&done(&app, SEND, body).await).split('_').next(), Some("1"));
                for (me, peer) in [("alice", to.as_str()), (to.as_str(), "alice")] {
                    assert_eq!(sequences(&app.history(me, peer).await), [1], "{nth}");
                }
                if is_done {
                    break;
                }
                killed += 1;
            }
        }
        assert!(killed >= 12, "{killed}");
    }
}

#[tokio::test]
async fn what_is_sent_at_the_same_moment_twice_is_there_once() {
    let app = TestApp::new().await;
    let bodies: Vec<Value> = (0..8).map(|number| message(&(number / 2).to_string(), 1, json!({}))).collect();
    let answers = futures_util::future::join_all(bodies.into_iter().map(|body| done(&app, SEND, body))).await;
    let keys: BTreeSet<&str> = answers.iter().map(key).collect();
    assert_eq!(keys.len(), 4);
    assert_eq!(sequences(&app.history("alice", "bob").await), [1, 2, 3, 4]);
}

#[tokio::test]
async fn it_is_done_with_a_message_as_the_business_server_says() {
    let app = TestApp::new().await;
    let (mut alice, mut bob) = (app.connect("alice").await, app.connect("bob").await);
    // Not for the sender's own eyes.
    done(&app, SEND, message("hidden", 1, json!({ "SyncOtherMachine": 2 }))).await;
    assert_eq!(bob.push().await["data"][0]["sequence"], 1);
    assert!(alice.is_quiet().await);
    assert!(app.history("alice", "bob").await.is_empty());
    assert_eq!(texts(&app.history("bob", "alice").await), ["hidden"]);
    assert_eq!(app.conversation("alice", "bob").await.unwrap()["lastMessage"], Value::Null);

    // Never unread, and in no list.
    done(&app, SEND, message("quiet", 2, json!({ "SendMsgControl": ["NoUnread", "NoLastMsg"] }))).await;
    let shown = app.conversation("bob", "alice").await.unwrap();
    assert_eq!(
        (&shown["unreadCount"], &shown["lastMessage"]["payload"]["text"]),
        (&json!(1), &json!("hidden"))
    );
    assert_eq!(bob.push().await["data"][0]["messageControlInfo"]["excludedFromUnreadCount"], true);
    alice.push().await;

    // To those who are there, and into no history.
    for (random, more) in [
        (3, json!({ "MsgLifeTime": 0 })),
        (4, json!({ "OnlineOnlyFlag": 1 })),
        (5, json!({ "MsgLifeTime": "0" })),
    ] {
        let answer = done(&app, SEND, message("now", random, more)).await;
        assert_eq!(key(&answer), format!("0_{random}_{NOW_S}"));
        let pushed = bob.push().await["data"][0].clone();
        assert_eq!((&pushed["sequence"], &pushed["onlineUserOnly"]), (&json!(0), &json!(true)));
        assert_eq!(pushed["clientID"], answer["MsgId"]);
        alice.push().await;
    }
    assert_eq!(app.history("bob", "alice").await.len(), 2);

    let both = json!({ "IsNeedReadReceipt": true, "SupportMessageExtension": 1, "MsgLifeTime": 31_536_000 });
    done(&app, SEND, message("asks", 6, both)).await;
    let pushed = bob.push().await["data"][0].clone();
    assert_eq!((&pushed["needReadReceipt"], &pushed["isSupportExtension"]), (&json!(true), &json!(true)));
}

#[tokio::test]
async fn what_is_for_the_callbacks_is_kept_with_the_message() {
    let app = TestApp::new().await;
    let forbidden = json!({
        "ForbidCallbackControl": ["ForbidBeforeSendMsgCallback", "ForbidAfterSendMsgCallback"],
        "OfflinePushInfo": { "PushFlag": 0, "Title": "t" },
    });
    done(&app, SEND, message("x", 1, forbidden)).await;
    done(&app, SEND, message("y", 2, json!({ "OfflinePushInfo": [] }))).await;
    // Without callbacks nothing of that is written.
    let rows = app.dump("Messages").await;
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row["c"]["S"].is_string()));
}

#[tokio::test]
async fn a_business_server_is_under_no_rule_of_users() {
    let app = TestApp::with(Settings {
        new_conversations_per_hour: std::num::NonZeroU32::new(1),
        ..Settings::default()
    })
    .await;
    app.ask("add-to-blacklist", "bob", json!({ "userIDList": ["alice"] })).await;
    done(&app, SEND, message("x", 1, json!({}))).await;
    for number in 0..5 {
        done(&app, SEND, message("x", 1, json!({ "To_Account": format!("user-{number}") }))).await;
    }
    assert_eq!(texts(&app.history("bob", "alice").await), ["x"]);
    let hint = message("now", 2, json!({ "OnlineOnlyFlag": 1 }));
    done(&app, SEND, hint).await;
    assert_eq!(app.invoke("send-message", "alice", text_message("bob", "1", 1)).await["code"], 20007);
}

#[tokio::test]
async fn what_is_no_message_is_refused_with_the_code_of_what_is_wrong() {
    let app = TestApp::new().await;
    let changed = |more: Value| message("x", 1, more);
    let without = |name: &str| {
        let mut body = message("x", 1, json!({}));
        body.as_object_mut().unwrap().remove(name);
        body
    };
    for (body, code) in [
        (without("MsgRandom"), 90005),
        (without("MsgBody"), 90007),
        (changed(json!({ "MsgBody": {} })), 90007),
        (changed(json!({ "MsgBody": [] })), 90010),
        (changed(json!({ "MsgBody": [5] })), 90010),
        (changed(json!({ "MsgBody": [{ "MsgType": "TIMTextElem" }] })), 90010),
        (changed(json!({ "MsgBody": [{ "MsgType": "TIMTextElem", "MsgContent": {} }] })), 90010),
        (changed(json!({ "MsgBody": [text("x")[0], text("y")[0]] })), 90010),
        (changed(json!({ "MsgBody": text(&"x".repeat(12 * 1024)) })), 80002),
        (changed(json!({ "To_Account": "é" })), 90003),
        (changed(json!({ "To_Account": "alice" })), 90003),
        (changed(json!({ "From_Account": "é" })), 90008),
        (changed(json!({ "MsgLifeTime": -1 })), 90026),
        (without("To_Account"), 90001),
        (changed(json!({ "MsgRandom": 0.5 })), 90001),
        (changed(json!({ "MsgRandom": "x" })), 90001),
        (changed(json!({ "OfflinePushInfo": 5 })), 90001),
    ] {
        assert_eq!(refused(&app, SEND, body.clone()).await, code, "{body}");
    }
    assert!(app.dump("Messages").await.is_empty());
}

#[tokio::test]
async fn a_message_goes_to_many_and_who_does_not_get_it_is_named() {
    let app = TestApp::without_limits().await;
    let mut alice = app.connect("alice").await;
    let mut bob = app.connect("bob").await;
    let to = json!(["bob", "carol", "é", "alice", "carol"]);
    let answer = done(&app, BATCH, message("to all", 9, json!({ "To_Account": to }))).await;
    assert_eq!(key(&answer), format!("1_9_{NOW_S}"));
    let errors = answer["ErrorList"].as_array().unwrap();
    let named: Vec<_> = errors.iter().map(|error| (&error["To_Account"], &error["ErrorCode"])).collect();
    assert_eq!(named, [(&json!("é"), &json!(90003)), (&json!("alice"), &json!(90003))]);
    assert_eq!(bob.push().await["data"][0]["payload"]["text"], "to all");
    for peer in ["bob", "carol"] {
        assert_eq!(texts(&app.history("alice", peer).await), ["to all"]);
    }
    let own: BTreeSet<String> = [alice.push().await, alice.push().await]
        .iter()
        .map(|push| push["data"][0]["to"].to_string())
        .collect();
    assert_eq!(own.len(), 2, "the sender's devices get each");
    // Once more, because the answer was lost.
    let mut body = message("to all", 9, json!({ "To_Account": ["bob", "carol"] }));
    done(&app, BATCH, body.clone()).await;
    assert_eq!(app.history("bob", "alice").await.len(), 1);
    for number in [0, 501] {
        body["To_Account"] = (0..number).map(|number| json!(number.to_string())).collect();
        assert_eq!(refused(&app, BATCH, body.clone()).await, 90011, "{number}");
    }
}

#[tokio::test]
async fn a_message_to_many_takes_few_calls_each_and_32_at_once() {
    let app = TestApp::without_limits().await;
    // As many as there may be take minutes on a machine that has much else to do.
    let many = 96;
    let names: Vec<String> = (0..many).map(|number| format!("user-{number}")).collect();
    for (round, per_message) in [(0, 5), (1, 3)] {
        app.calls();
        let body = message("to all", round, json!({ "To_Account": names }));
        let answer = done(&app, BATCH, body).await;
        assert_eq!(answer["ErrorList"], Value::Null);
        let calls = app.calls();
        // Whether the administrator was kicked, what the sender is called, and where they are.
        assert_eq!(calls.len(), many * per_message + 3, "round {round}");
        let at_once = most_in_flight(&calls);
        assert!((8..=2 * 32).contains(&at_once), "{at_once} at once");
    }
    assert_eq!(texts(&app.history("user-95", "alice").await), ["to all", "to all"]);
}

#[tokio::test]
async fn a_message_is_withdrawn_by_its_key_however_old_it_is() {
    let app = TestApp::new().await;
    let sent = done(&app, SEND, message("x", 77, json!({}))).await;
    app.send("bob", "alice", "144115-1795400001-99", 1).await;
    app.send("bob", "alice", "no such form", 2).await;
    app.advance(Duration::from_secs(86_400));
    let (mut alice, mut bob) = (app.connect("alice").await, app.connect("bob").await);
    let withdraw = |from: &str, key: &str| {
        let to = if from == "alice" { "bob" } else { "alice" };
        json!({ "From_Account": from, "To_Account": to, "MsgKey": key })
    };
    // Not the other one's.
    assert_eq!(refused(&app, WITHDRAW, withdraw("bob", key(&sent))).await, 20022);
    done(&app, WITHDRAW, withdraw("alice", key(&sent))).await;
    for device in [&mut alice, &mut bob] {
        let push = device.push().await;
        assert_eq!((&push["event"], &push["data"][0]["sequence"]), (&json!("onMessageRevoked"), &json!(1)));
    }
    assert_eq!(refused(&app, WITHDRAW, withdraw("alice", key(&sent))).await, 20023);
    // A client's own, by the random number that its ID ends with, and one that has another form.
    done(&app, WITHDRAW, withdraw("bob", &format!("2_99_{NOW_S}"))).await;
    let hashed = hongyan_shared::model::ClientId::parse("no such form").unwrap().random();
    done(&app, WITHDRAW, withdraw("bob", &format!("3_{hashed}_{NOW_S}"))).await;
    for (key, code) in
        [("1_78_1795400001", 20022), ("9_9_9", 20022), ("0_0_0", 20022), ("x", 90054), ("1_2", 90054)]
    {
        assert_eq!(refused(&app, WITHDRAW, withdraw("alice", key)).await, code, "{key}");
    }
    let history = app.history("alice", "bob").await;
    assert!(history.iter().all(|message| message["isRevoked"] == true));
}

#[tokio::test]
async fn a_message_that_got_another_number_than_was_foretold_is_found_by_its_random_number() {
    let app = TestApp::without_limits().await;
    for number in 0..40 {
        app.send("bob", "alice", &number.to_string(), number).await;
    }
    done(&app, SEND, message("x", 77, json!({}))).await;
    let foretold = json!({ "From_Account": "alice", "To_Account": "bob", "MsgKey": format!("2_77_{NOW_S}") });
    done(&app, WITHDRAW, foretold).await;
    assert_eq!(app.history("bob", "alice").await[40]["isRevoked"], true);
}

/// As programs do that always take the same number.
#[tokio::test]
async fn a_key_is_of_one_message_and_of_no_other_with_its_random_number() {
    let app = TestApp::with(Settings { retention: Some(100 * 86_400), ..Settings::default() }).await;
    let online = done(&app, SEND, message("now", 123, json!({ "OnlineOnlyFlag": 1 }))).await;
    let expired = done(&app, SEND, message("old", 123, json!({}))).await;
    app.advance(Duration::from_secs(61));
    done(&app, SEND, message("x", 123, json!({}))).await;
    app.send("bob", "alice", "1", 2).await;
    app.advance(Duration::from_secs(100 * 86_400 - 60));
    app.sweep().await;
    done(&app, SEND, message("new", 123, json!({}))).await;
    let foretold = format!("1_123_{}", app.clock.now() / 1000 - 61);
    for key in [key(&online), key(&expired), &foretold] {
        let withdraw = json!({ "From_Account": "alice", "To_Account": "bob", "MsgKey": key });
        assert_eq!(refused(&app, WITHDRAW, withdraw).await, 20022, "{key}");
    }
    let history = app.history("bob", "alice").await;
    assert!(history.len() >= 2 && history.iter().all(|message| message["isRevoked"] != true), "{history:?}");
}

#[tokio::test]
async fn what_is_imported_is_withdrawn_and_read_by_what_it_was_imported_with() {
    let app = TestApp::new().await;
    let at = NOW_S - 1000;
    let imported = message("old", 9, json!({ "SyncFromOldSystem": 2, "MsgSeq": 5, "MsgTimeStamp": at }));
    done(&app, IMPORT, imported.clone()).await;
    done(&app, IMPORT, imported).await;
    let mut bob = app.connect("bob").await;
    let between = |more: Value| {
        let mut body = json!({ "Operator_Account": "alice", "Peer_Account": "bob", "MaxCnt": 10, "MinTime": 0, "MaxTime": NOW_S });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let history = done(&app, ROAM, between(json!({}))).await;
    let shown = &history["MsgList"][0];
    assert_eq!((&shown["MsgKey"], &shown["MsgBody"]), (&json!(format!("5_9_{at}")), &text("old")));
    assert_eq!((&history["Complete"], &history["MsgCnt"]), (&json!(1), &json!(1)));
    let withdraw = json!({ "From_Account": "alice", "To_Account": "bob", "MsgKey": format!("5_9_{at}") });
    done(&app, WITHDRAW, withdraw).await;
    let push = bob.push().await["data"][0].clone();
    assert_eq!((&push["sequence"], &push["isRevoked"]), (&json!(0), &json!(true)));
    assert_eq!(app.history("bob", "alice").await[0]["clientID"], push["clientID"]);
    assert_eq!(done(&app, ROAM, between(json!({}))).await["MsgList"][0]["MsgFlagBits"], 8);
}

#[tokio::test]
async fn what_is_imported_is_history_or_said_now() {
    let app = TestApp::new().await;
    let mut bob = app.connect("bob").await;
    let at = NOW_S - 86_400;
    let import = |kind: Value, random: u64, more: Value| {
        let mut body = message("x", random, json!({ "MsgTimeStamp": at, "MsgSeq": 1 }));
        if !kind.is_null() {
            body["SyncFromOldSystem"] = kind;
        }
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    done(&app, IMPORT, import(json!(2), 1, json!({}))).await;
    assert!(bob.is_quiet().await);
    // The older name, none at all, and as text.
    for (kind, random) in [(json!(5), 2), (json!(1), 3), (Value::Null, 4), (json!("5"), 5)] {
        let body = import(kind, random, json!({}));
        done(&app, IMPORT, body.clone()).await;
        assert_eq!(bob.push().await["data"][0]["time"], NOW_S);
        done(&app, IMPORT, body).await;
    }
    let history = app.history("bob", "alice").await;
    assert_eq!(sequences(&history), [0, 1, 2, 3, 4]);
    assert_eq!(app.conversation("bob", "alice").await.unwrap()["unreadCount"], 4);
    for (kind, more, code) in [
        (json!(3), json!({}), 90001),
        (json!(2), json!({ "MsgTimeStamp": null }), 90001),
        (json!(2), json!({ "MsgTimeStamp": NOW_S + 61 }), 90001),
        (json!(2), json!({ "MsgRandom": null }), 90005),
        (json!(2), json!({ "MsgBody": [text("x")[0], text("y")[0]] }), 90010),
    ] {
        assert_eq!(refused(&app, IMPORT, import(kind, 9, more)).await, code);
    }
}

/// All that lies between two times, as a business server collects it that goes on behind each answer.
async fn roam(app: &TestApp, me: &str, peer: &str, from: u64, to: u64, count: u64) -> Vec<Value> {
    let (mut all, mut to, mut last) = (Vec::new(), to, Value::Null);
    for _ in 0..100 {
        let body = json!({
            "Operator_Account": me, "Peer_Account": peer, "MaxCnt": count, "MinTime": from, "MaxTime": to, "LastMsgKey": last,
        });
        let part = done(app, ROAM, body).await;
        let list = part["MsgList"].as_array().unwrap().clone();
        assert_eq!(part["MsgCnt"], list.len());
        assert!(list.len() as u64 <= count && part.to_string().len() < 14 * 1024 + 12 * 1024);
        let place = |each: &Value| (each["MsgTimeStamp"].as_u64(), each["MsgSeq"].as_u64());
        assert!(list.is_sorted_by_key(place), "each answer is in the order in which it was said: {list:?}");
        // And the answers go back in time.
        all.extend(list.into_iter().rev());
        if part["Complete"] == 1 {
            return all;
        }
        (to, last) = (part["LastMsgTime"].as_u64().unwrap(), part["LastMsgKey"].clone());
    }
    panic!("it does not end");
}

fn said(list: &[Value]) -> Vec<&str> {
    list.iter().map(|each| each["MsgBody"][0]["MsgContent"]["Text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_history_is_read_by_times_newest_first_with_what_was_imported_in_its_place() {
    let app = TestApp::without_limits().await;
    // A message every ten seconds, and between them what another system had at the same time.
    let mut expected = Vec::new();
    for number in 0..40_u64 {
        let second = app.clock.now() / 1000;
        let (from, to) = if number % 2 == 0 { ("alice", "bob") } else { ("bob", "alice") };
        let more = json!({ "From_Account": from, "To_Account": to });
        done(&app, SEND, message(&format!("sent {number}"), number, more.clone())).await;
        expected.push((second, format!("sent {number}")));
        if number % 4 == 0 {
            for at in [second - 5000, second + 5] {
                app.advance(Duration::from_secs(if at > second { 5 } else { 0 }));
                let mut old = message(&format!("imported {at}"), number, more.clone());
                (old["SyncFromOldSystem"], old["MsgTimeStamp"]) = (json!(2), json!(at));
                done(&app, IMPORT, old).await;
                expected.push((at, format!("imported {at}")));
            }
        }
        app.advance(Duration::from_secs(10));
    }
    expected.sort();
    expected.reverse();
    let texts_of = |from: u64, to: u64| -> Vec<String> {
        let within = expected.iter().filter(|(second, _)| (from..=to).contains(second));
        within.map(|(_, text)| text.clone()).collect()
    };
    for (me, peer) in [("alice", "bob"), ("bob", "alice")] {
        for count in [1, 7, 100] {
            let all = roam(&app, me, peer, 0, 4_000_000_000, count).await;
            assert_eq!(said(&all), texts_of(0, u64::MAX), "{count} at once");
        }
    }
    for (from, to) in [
        (NOW_S + 60, NOW_S + 200),
        (NOW_S, NOW_S),
        (NOW_S + 1, NOW_S + 4),
        (0, NOW_S - 1),
        (NOW_S - 4_000, NOW_S + 3),
        (NOW_S + 9_000, NOW_S + 10_000),
        (7, 3),
    ] {
        assert_eq!(
            said(&roam(&app, "alice", "bob", from, to, 100).await),
            texts_of(from, to),
            "{from} to {to}"
        );
    }
}

#[tokio::test]
async fn a_history_is_what_its_user_sees() {
    let app = TestApp::new().await;
    for number in 0..4 {
        app.send("bob", "alice", &format!("1-{NOW_S}-{number}"), number).await;
    }
    done(&app, SEND, message("hidden from alice", 9, json!({ "SyncOtherMachine": 2 }))).await;
    app.ask("delete-message", "alice", json!({ "conversationID": "C2Cbob", "messages": [2] })).await;
    app.ask("set-message-read", "alice", json!({ "conversationID": "C2Cbob", "sequence": 3 })).await;
    let of_alice = roam(&app, "alice", "bob", 0, NOW_S, 100).await;
    let numbers =
        |list: &[Value]| -> Vec<u64> { list.iter().map(|each| each["MsgSeq"].as_u64().unwrap()).collect() };
    assert_eq!(numbers(&of_alice), [4, 3, 1]);
    assert_eq!(of_alice[0]["IsPeerRead"], 0);
    assert_eq!((&of_alice[1]["IsPeerRead"], &of_alice[1]["MsgRandom"]), (&json!(1), &json!(2)));
    assert_eq!(numbers(&roam(&app, "bob", "alice", 0, NOW_S, 2).await), [5, 4, 3, 2, 1]);
    app.ask("delete-conversation", "alice", json!({ "conversationID": "C2Cbob" })).await;
    assert!(roam(&app, "alice", "bob", 0, NOW_S, 2).await.is_empty());
    // The names of older libraries, and what is not there.
    let older = json!({ "From_Account": "bob", "To_Account": "alice", "MaxCnt": 100, "MinTime": 0, "MaxTime": NOW_S });
    assert_eq!(done(&app, ROAM, older.clone()).await["MsgCnt"], 5);
    let mut gone = older;
    gone["LastMsgKey"] = json!("7_7_7");
    assert_eq!(refused(&app, ROAM, gone).await, 90054);
    assert!(roam(&app, "alice", "nobody", 0, NOW_S, 2).await.is_empty());
}

/// What one answer has of it: how many messages, whether it is all, and what it has cost.
async fn one_answer(app: &TestApp, me: &str, peer: &str) -> (u64, bool, f64) {
    app.calls();
    let body = json!({ "Operator_Account": me, "Peer_Account": peer, "MaxCnt": 100, "MinTime": 0, "MaxTime": 4_000_000_000_u64 });
    let part = done(app, ROAM, body).await;
    let (_, read, _) = spent(&app.calls());
    (part["MsgCnt"].as_u64().unwrap(), part["Complete"] == 1, read)
}

#[tokio::test]
async fn behind_what_a_user_does_not_see_an_answer_looks_on() {
    let app = TestApp::without_limits().await;
    done(&app, SEND, message("seen", 0, json!({}))).await;
    let notices = async |numbers: std::ops::RangeInclusive<u64>, text: &str| {
        for number in numbers {
            // Nothing of this is looked through for a repeated one.
            app.advance(Duration::from_secs(31));
            done(&app, SEND, message(text, number, json!({ "SyncOtherMachine": 2 }))).await;
        }
    };
    notices(1..=90, "notice").await;
    let (count, is_all, read) = one_answer(&app, "alice", "bob").await;
    assert_eq!((count, is_all), (1, true));
    assert!(read <= 64.5, "{read} read units");
    // There may be more than one command can look at, and then it says so.
    notices(91..=160, &"notice".repeat(700)).await;
    let (count, is_all, read) = one_answer(&app, "alice", "bob").await;
    assert_eq!((count, is_all), (0, false));
    assert!((32.0..=64.5).contains(&read), "{read} read units");
    assert_eq!(said(&roam(&app, "alice", "bob", 0, 4_000_000_000, 100).await), ["seen"]);
}

#[tokio::test]
async fn what_a_user_has_cleared_is_the_end() {
    let app = TestApp::without_limits().await;
    let mut old = message("old", 1, json!({ "SyncFromOldSystem": 2, "MsgTimeStamp": NOW_S - 9 }));
    done(&app, IMPORT, old.clone()).await;
    done(&app, SEND, message("first", 0, json!({}))).await;
    let clear = json!({ "conversationID": "C2Cbob" });
    for number in 1..=99 {
        done(&app, SEND, message("x", number, json!({}))).await;
    }
    app.ask("delete-conversation", "alice", clear).await;
    let (count, is_all, read) = one_answer(&app, "alice", "bob").await;
    assert_eq!((count, is_all), (0, true));
    assert!(read <= 3.0, "{read} read units: nothing is looked for where nothing can be seen");
    done(&app, SEND, message("new", 100, json!({}))).await;
    let (count, is_all, _) = one_answer(&app, "alice", "bob").await;
    assert_eq!((count, is_all), (1, true));
    assert_eq!(roam(&app, "bob", "alice", 0, NOW_S, 100).await.len(), 102, "the other one keeps it");

    // The same of what was imported, where nothing was said since.
    old["To_Account"] = json!("carol");
    for second in 1..=40 {
        old["MsgTimeStamp"] = json!(NOW_S - second);
        done(&app, IMPORT, old.clone()).await;
    }
    app.ask("delete-conversation", "alice", json!({ "conversationID": "C2Ccarol" })).await;
    let (count, is_all, _) = one_answer(&app, "alice", "carol").await;
    assert_eq!((count, is_all), (0, true));
    assert_eq!(roam(&app, "carol", "alice", 0, NOW_S, 100).await.len(), 40);
}

#[tokio::test]
async fn an_answer_has_thirteen_kilobytes_of_messages_and_one_at_least() {
    let app = TestApp::new().await;
    for number in 0..3 {
        done(&app, SEND, message(&"x".repeat(12 * 1024 - 20), number, json!({}))).await;
    }
    for number in 3..30 {
        done(&app, SEND, message(&"y".repeat(700), number, json!({}))).await;
    }
    let all = roam(&app, "bob", "alice", 0, NOW_S, 100).await;
    assert_eq!(all.len(), 30);
}

#[tokio::test]
async fn messages_are_read_for_a_user_up_to_a_time_or_to_the_end() {
    let app = TestApp::new().await;
    for number in 0..20 {
        app.send("bob", "alice", &number.to_string(), number).await;
        app.advance(Duration::from_secs(1));
    }
    let mut bob = app.connect("bob").await;
    let read = |more: Value| {
        let mut body = json!({ "Report_Account": "alice", "Peer_Account": "bob" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let unread = async || app.conversation("alice", "bob").await.unwrap()["unreadCount"].clone();
    done(&app, READ, read(json!({ "MsgReadTime": NOW_S - 1 }))).await;
    assert_eq!(unread().await, 20);
    done(&app, READ, read(json!({ "MsgReadTime": NOW_S + 6 }))).await;
    assert_eq!(unread().await, 13);
    assert_eq!(bob.push().await["data"]["sequence"], 7);
    done(&app, READ, read(json!({ "MsgReadTime": NOW_S + 2 }))).await;
    assert_eq!(unread().await, 13, "it does not go back");
    done(&app, READ, read(json!({}))).await;
    assert_eq!(unread().await, 0);
    done(&app, READ, json!({ "Report_Account": "alice", "Peer_Account": "nobody", "MsgReadTime": NOW_S }))
        .await;
    assert_eq!(refused(&app, READ, json!({ "Report_Account": "é", "Peer_Account": "bob" })).await, 90008);
}

#[tokio::test]
async fn unread_messages_are_counted_with_some_users_or_with_all() {
    let app = TestApp::without_limits().await;
    for (user, messages) in [("bob", 3), ("carol", 2)] {
        for number in 0..messages {
            app.send(user, "alice", &number.to_string(), number).await;
        }
    }
    for number in 0..250 {
        app.send(&format!("user-{number}"), "alice", "1", 0).await;
    }
    assert_eq!(done(&app, UNREAD, json!({ "To_Account": "alice" })).await["AllC2CUnreadMsgNum"], 255);
    let some = json!({ "To_Account": "alice", "Peer_Account": ["carol", "bob", "nobody", "é", "alice"] });
    let answer = done(&app, UNREAD, some).await;
    assert_eq!(answer["AllC2CUnreadMsgNum"], Value::Null);
    let of = |peer: &str, unread: u64| json!({ "Peer_Account": peer, "C2CUnreadMsgNum": unread });
    assert_eq!(answer["C2CUnreadMsgNumList"], json!([of("carol", 2), of("bob", 3), of("nobody", 0)]));
    let errors: Vec<_> =
        answer["ErrorList"].as_array().unwrap().iter().map(|each| &each["Peer_Account"]).collect();
    assert_eq!(errors, ["é", "alice"]);
    assert_eq!(done(&app, UNREAD, json!({ "To_Account": "nobody" })).await["AllC2CUnreadMsgNum"], 0);
    let many = json!({ "To_Account": "alice", "Peer_Account": vec!["bob"; 11] });
    assert_eq!(refused(&app, UNREAD, many).await, 90001);
}

/// How many calls are under way at once, at the most.
fn most_in_flight(calls: &[Call]) -> usize {
    let at = |call: &Call| {
        calls.iter().filter(|other| other.started <= call.started && call.started < other.ended).count()
    };
    calls.iter().map(at).max().unwrap_or_default()
}

/// Write units, read units and round trips.
fn spent(calls: &[Call]) -> (f64, f64, usize) {
    let (write, read) = calls
        .iter()
        .fold((0.0, 0.0), |(write, read), call| (write + call.write_units, read + call.read_units));
    (write, read, round_trips(calls))
}

/// The budgets of docs/tables.md, without the read unit and the round trip in which it is looked whether the administrator was kicked.
#[tokio::test]
async fn commands_about_messages_keep_their_budgets() {
    let app = TestApp::new().await;
    let long = "今天下班以后我们一起去吃那家新开的面馆吧";
    let cost = async |path: &str, body: Value| {
        app.calls();
        let answer = done(&app, path, body).await;
        let (write, read, trips) = spent(&app.calls());
        ((write, read - KICKED, trips - 1), answer)
    };
    const KICKED: f64 = 0.5;
    let mut spent = vec![("first", cost(SEND, message(long, 1, json!({}))).await.0)];
    for number in 2..20 {
        done(&app, SEND, message(long, number, json!({}))).await;
        app.advance(Duration::from_secs(10));
    }
    app.advance(Duration::from_secs(60));
    let (one, sent) = cost(SEND, message(long, 20, json!({}))).await;
    spent.push(("sendmsg", one));
    spent.push(("repeated", cost(SEND, message(long, 20, json!({}))).await.0));
    let to_two = json!({ "To_Account": ["bob", "carol"] });
    done(&app, BATCH, message(long, 21, to_two.clone())).await;
    spent.push(("batchsendmsg", cost(BATCH, message(long, 22, to_two)).await.0));
    let old = json!({ "SyncFromOldSystem": 2, "MsgTimeStamp": NOW_S });
    spent.push(("importmsg", cost(IMPORT, message(long, 1, old)).await.0));
    let withdraw = json!({ "From_Account": "alice", "To_Account": "bob", "MsgKey": key(&sent) });
    spent.push(("admin_msgwithdraw", cost(WITHDRAW, withdraw).await.0));
    let roam = json!({ "Operator_Account": "alice", "Peer_Account": "bob", "MaxCnt": 15, "MinTime": 0, "MaxTime": 4_000_000_000_u64 });
    spent.push(("admin_getroammsg", cost(ROAM, roam).await.0));
    let read = json!({ "Report_Account": "bob", "Peer_Account": "alice" });
    spent.push(("admin_set_msg_read", cost(READ, read).await.0));
    let unread = json!({ "To_Account": "bob", "Peer_Account": ["alice"] });
    spent.push(("get_c2c_unread_msg_num", cost(UNREAD, unread).await.0));
    assert_eq!(
        spent,
        [
            ("first", (5.0, 3.0, 4)),
            ("sendmsg", (1.0, 3.0, 3)),
            ("repeated", (0.0, 1.0, 1)),
            ("batchsendmsg", (2.0, 5.5, 5)),
            ("importmsg", (1.0, 1.0, 2)),
            ("admin_msgwithdraw", (1.0, 3.0, 2)),
            ("admin_getroammsg", (0.0, 2.5, 3)),
            ("admin_set_msg_read", (1.0, 2.0, 2)),
            ("get_c2c_unread_msg_num", (0.0, 1.0, 1)),
        ]
    );
}

#[tokio::test]
async fn what_may_be_repeated_has_a_status_that_libraries_repeat() {
    let app = TestApp::new().await;
    app.dynamodb.break_calls(|operation, _| match operation {
        "PutItem" => Fault::Refuse(400, "ThrottlingException"),
        _ => Fault::None,
    });
    let body = message("x", 1, json!({}));
    assert_eq!(respond(&app, command(&app, SEND, &body)).await.0, 429);
    let many = message("x", 1, json!({ "To_Account": ["bob"] }));
    let answer = ask(&app, BATCH, many).await;
    assert_eq!(answer["ErrorList"], json!([{ "To_Account": "bob", "ErrorCode": 60007 }]));
    app.dynamodb.mend();
    done(&app, SEND, body).await;
}

#[tokio::test]
async fn no_command_about_one_conversation_costs_more_than_a_frame_may() {
    let app = TestApp::without_limits().await;
    let large = |number: u64| message(&format!("{number:0>12000}"), number, json!({}));
    for number in 0..60 {
        done(&app, SEND, large(number)).await;
    }
    for number in 0..30 {
        let mut old = large(number);
        (old["SyncFromOldSystem"], old["MsgTimeStamp"]) = (json!(2), json!(NOW_S - number));
        done(&app, IMPORT, old).await;
    }
    let between = json!({ "Operator_Account": "bob", "Peer_Account": "alice", "MaxCnt": 100, "MinTime": 0, "MaxTime": NOW_S });
    let mut earlier = between.clone();
    earlier["LastMsgKey"] = json!(format!("30_29_{NOW_S}"));
    for (path, body) in [
        // Looked for among all of them.
        (SEND, message("x", 99, json!({}))),
        (IMPORT, message("x", 99, json!({ "SyncFromOldSystem": 5 }))),
        (WITHDRAW, json!({ "From_Account": "alice", "To_Account": "bob", "MsgKey": "1_99_1" })),
        (
            WITHDRAW,
            json!({ "From_Account": "alice", "To_Account": "bob", "MsgKey": format!("40_39_{NOW_S}") }),
        ),
        (ROAM, between),
        (ROAM, earlier),
        (READ, json!({ "Report_Account": "bob", "Peer_Account": "alice", "MsgReadTime": NOW_S - 1 })),
        (READ, json!({ "Report_Account": "bob", "Peer_Account": "alice" })),
    ] {
        app.calls();
        ask(&app, path, body.clone()).await;
        let (write, read, _) = spent(&app.calls());
        println!("{path}: {read} read and {write} write units");
        assert!(read <= 64.5 && write <= 64.0, "{path} {body}: {read} read and {write} write units");
    }
}
