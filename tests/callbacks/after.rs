//! The business server is told of messages that were sent, read and recalled.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{send, start};
use crate::{
    harness::{
        START_MS, TestApp,
        business_server::{BusinessServer, Called, Reaction},
        event,
        fault_proxy::Fault,
        text_message,
    },
    rest,
};

const AFTER_SEND: &str = "C2C.CallbackAfterSendMsg";

/// Lets everything pass that it is asked about, and does this with what it is told.
pub(super) fn when_told(
    server: &BusinessServer,
    mut react: impl FnMut(&Called) -> Reaction + Send + 'static,
) {
    server.react(move |called| match called.command() {
        asked if asked == "C2C.CallbackBeforeSendMsg" => Reaction::ok(),
        _ => react(called),
    });
}

/// What it has been told since the last time.
pub(super) async fn told(app: &TestApp, server: &BusinessServer) -> Vec<Called> {
    app.twin.deliver_changes().await.unwrap();
    let mut told = server.take();
    told.retain(|called| called.command() != "C2C.CallbackBeforeSendMsg");
    told
}

#[tokio::test]
async fn it_is_told_of_what_is_sent_read_and_recalled() {
    let (app, server) = start().await;
    let mut data = text_message("bob", "1-2-77", 0);
    data["cloudCustomData"] = json!("custom");
    data["offlinePushInfo"] = json!({ "Title": "你好" });
    app.ask("send-message", "alice", data.clone()).await;
    // A retry of it is nothing new.
    app.ask("send-message", "alice", data.clone()).await;
    let [sent] = &told(&app, &server).await[..] else { panic!() };
    assert!(sent.query.contains("&CallbackCommand=C2C.CallbackAfterSendMsg&"), "{}", sent.query);
    assert!(sent.query.contains("&OptPlatform=MiniProgram&Sign="), "{}", sent.query);
    assert_eq!(
        sent.body,
        json!({
            "CallbackCommand": AFTER_SEND, "From_Account": "alice", "To_Account": "bob",
            "MsgSeq": 1, "MsgRandom": 77, "MsgTime": START_MS / 1000, "MsgKey": "1_77_1795400001",
            "OnlineOnlyFlag": 0, "CloudCustomData": "custom",
            "MsgBody": [{ "MsgType": "TIMTextElem", "MsgContent": { "Text": data["payload"]["text"] } }],
            "SendMsgResult": 0, "ErrorInfo": "send msg succeed", "UnreadMsgNum": 1, "EventTime": START_MS,
            "To_Online": 0, "OfflinePushInfo": { "Title": "你好" },
        })
    );

    let _bob = app.connect("bob").await;
    app.send("alice", "bob", "1-2-78", 1).await;
    let told_of: Vec<Value> = told(&app, &server)
        .await
        .iter()
        .filter(|called| called.command() == AFTER_SEND)
        .map(|called| {
            json!([called.body["To_Online"], called.body["UnreadMsgNum"], called.body.get("OfflinePushInfo")])
        })
        .collect();
    assert_eq!(told_of, [json!([1, 2, null])]);

    let read = json!({ "conversationID": "C2Calice", "sequence": 1 });
    app.invoke("set-message-read", "bob", read.clone()).await;
    // Nothing moves the second time.
    app.invoke("set-message-read", "bob", read).await;
    app.ask("revoke-message", "alice", json!({ "conversationID": "C2Cbob", "sequence": 2 })).await;
    // Neither of these is a read or a recall.
    app.ask("delete-message", "bob", json!({ "conversationID": "C2Calice", "messages": [1] })).await;
    app.ask("add-to-blacklist", "bob", json!({ "userIDList": ["alice"] })).await;
    let bodies: Vec<Value> = told(&app, &server).await.into_iter().map(|called| called.body).collect();
    assert_eq!(
        bodies,
        [
            json!({
                "CallbackCommand": "C2C.CallbackAfterMsgReport", "Report_Account": "bob", "Peer_Account": "alice",
                "LastReadTime": START_MS / 1000, "UnreadMsgNum": 1,
            }),
            json!({
                "CallbackCommand": "C2C.CallbackAfterMsgWithDraw", "From_Account": "alice", "To_Account": "bob",
                "MsgKey": "2_78_1795400001", "UnreadMsgNum": 1,
            }),
        ]
    );
}

/// Who hands messages on from elsewhere does not want to hear of them again, and has to know when one is no longer.
#[tokio::test]
async fn it_is_told_of_the_recall_of_what_it_was_not_told_was_sent() {
    let (app, server) = start().await;
    let told_of = async |command: &str, body: Value| {
        rest::done(&app, command, body).await;
        let told = told(&app, &server).await;
        told.into_iter().map(|called| called.body).collect::<Vec<_>>()
    };
    let content = |to: Value| {
        json!({
            "From_Account": "alice", "To_Account": to, "MsgRandom": 7, "SyncOtherMachine": 1,
            "MsgBody": [{ "MsgType": "TIMTextElem", "MsgContent": { "Text": "hi" } }],
        })
    };
    let with = |mut body: Value, name: &str, value: Value| {
        body[name] = value;
        body
    };
    let history = json!({
        "SyncFromOldSystem": 2, "From_Account": "alice", "To_Account": "bob", "MsgSeq": 5, "MsgRandom": 8,
        "MsgTimeStamp": START_MS / 1000 - 86_400,
        "MsgBody": [{ "MsgType": "TIMTextElem", "MsgContent": { "Text": "old" } }],
    });
    for (command, body) in [
        (
            "openim/sendmsg",
            with(content(json!("bob")), "ForbidCallbackControl", json!(["ForbidAfterSendMsgCallback"])),
        ),
        ("openim/batchsendmsg", content(json!(["bob"]))),
        ("openim/importmsg", history.clone()),
    ] {
        assert_eq!(told_of(command, body).await, Vec::<Value>::new(), "{command}");
    }
    let keys = [format!("1_7_{}", START_MS / 1000), format!("5_8_{}", START_MS / 1000 - 86_400)];
    for key in keys {
        let recall = json!({ "From_Account": "alice", "To_Account": "bob", "MsgKey": key });
        let [told] = &told_of("openim/admin_msgwithdraw", recall).await[..] else { panic!("{key}") };
        assert_eq!(
            (&told["CallbackCommand"], &told["MsgKey"]),
            (&json!("C2C.CallbackAfterMsgWithDraw"), &json!(key))
        );
    }
}

#[tokio::test]
async fn it_is_told_what_it_has_rewritten_and_not_of_what_it_has_kept_back() {
    let (app, server) = start().await;
    let instead = json!([{ "MsgType": "TIMTextElem", "MsgContent": { "Text": "***" } }]);
    for (base, (answer, expected)) in [
        (json!({ "ErrorCode": 0, "MsgBody": instead.clone() }), vec![instead]),
        (json!({ "ErrorCode": 1 }), Vec::new()),
        (json!({ "ErrorCode": 2 }), Vec::new()),
    ]
    .into_iter()
    .enumerate()
    {
        server.always(Reaction::Answer(answer));
        send(&app, &format!("{base}"), base.min(1) as u64, "damn").await;
        let bodies = told(&app, &server).await.into_iter().map(|called| called.body["MsgBody"].clone());
        assert_eq!(bodies.collect::<Vec<_>>(), expected);
    }
    // Nor is its recall anything to it.
    app.ask("revoke-message", "alice", json!({ "conversationID": "C2Cbob", "sequence": 2 })).await;
    assert!(told(&app, &server).await.is_empty());
}

/// Who has sent which message to whom, in the order in which it was told.
pub(super) fn messages(told: &[Called]) -> Vec<(String, u64)> {
    let sent = told.iter().filter(|called| called.command() == AFTER_SEND);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    sent.map(|called| (text(&called.body["To_Account"]), called.body["MsgSeq"].as_u64().unwrap())).collect()
}

/// How many of these come again, if nothing is missing and each conversation is told in its order.
pub(super) fn duplicates(told: &[(String, u64)], conversations: usize, each: u64) -> usize {
    let mut seen: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for (to, seq) in told {
        let of = seen.entry(to).or_default();
        let next = of.len() as u64 + 1;
        assert!(*seq <= next, "{to}: {seq} is told before {next}");
        of.insert(*seq);
    }
    assert_eq!(seen.len(), conversations);
    for (to, seqs) in &seen {
        assert_eq!(seqs.len() as u64, each, "{to} lacks some");
    }
    told.len() - conversations * each as usize
}

/// For ten minutes it is down, and four people get a message every ten seconds.
#[tokio::test]
async fn when_it_is_down_for_ten_minutes_it_is_told_of_everything_afterwards_once_and_in_order() {
    let (app, server) = start().await;
    let clock = app.clock.clone();
    let back_at = START_MS + 600_000;
    // Who asks for the time in vain waits for a while: time passes by being asked for.
    let (attempts, counted) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (failed, heard) = (Arc::clone(&attempts), Arc::clone(&counted));
    when_told(&server, move |_| {
        if clock.now() < back_at {
            failed.fetch_add(1, Ordering::Relaxed);
            return Reaction::Raw(503, String::new());
        }
        heard.fetch_add(1, Ordering::Relaxed);
        Reaction::ok()
    });
    for round in 0..60_u64 {
        for to in ["bob", "carol", "dave", "erin"] {
            assert_eq!(
                app.send("alice", to, &format!("{round}"), round).await,
                round + 1,
                "the chat goes on"
            );
        }
        app.advance(Duration::from_secs(10));
    }
    app.twin.deliver_changes().await.unwrap();
    let all = server.take();
    let delivered: Vec<Called> = all.into_iter().filter(|called| called.command() == AFTER_SEND).collect();
    let failed = attempts.load(Ordering::Relaxed);
    assert!(failed > 0);
    // Those that failed were heard by nobody.
    let told = messages(&delivered[failed..]);
    assert_eq!(duplicates(&told, 4, 60), 0);
    assert_eq!(counted.load(Ordering::Relaxed), 240);
}

#[tokio::test]
async fn what_fails_for_six_hours_is_given_up_and_the_stream_goes_on() {
    let (app, server) = start().await;
    let clock = app.clock.clone();
    when_told(&server, move |called| {
        if called.body["To_Account"] == "carol" {
            return Reaction::ok();
        }
        clock.advance(Duration::from_secs(60 * 60));
        Reaction::Raw(500, String::new())
    });
    app.send("alice", "bob", "1", 0).await;
    assert!(told(&app, &server).await.len() < 10);
    app.send("alice", "carol", "1", 0).await;
    assert_eq!(messages(&told(&app, &server).await), [("carol".to_owned(), 1)]);
}

/// A batch that says of every message in the table that it was just sent, oldest first.
pub(super) async fn batch(app: &TestApp) -> Value {
    let mut rows = app.dump("Messages").await;
    rows.retain(|row| row["s"]["S"].as_str().unwrap().starts_with('M'));
    rows.sort_by_key(|row| (row["s"].to_string(), row["p"].to_string()));
    let template = event("callback")["Records"][0].clone();
    let record = |(index, row): (usize, Value)| {
        let mut record = template.clone();
        record["eventID"] = json!(format!("event-{index}"));
        record["dynamodb"]["SequenceNumber"] = json!(format!("{index:021}"));
        record["dynamodb"]["Keys"] = json!({ "p": row["p"], "s": row["s"] });
        record["dynamodb"]["NewImage"] = row;
        record
    };
    let records: Vec<Value> = rows.into_iter().enumerate().map(record).collect();
    json!({ "Records": records })
}

pub(super) fn failures(answer: &Value) -> Vec<u64> {
    let failures = answer["batchItemFailures"].as_array().unwrap().iter();
    failures.map(|failure| failure["itemIdentifier"].as_str().unwrap().parse().unwrap()).collect()
}

/// Twelve messages: four to each of three people.
pub(super) async fn twelve() -> (TestApp, BusinessServer) {
    let (app, server) = start().await;
    for base in 0..4 {
        for to in ["bob", "carol", "dave"] {
            app.send("alice", to, &base.to_string(), base).await;
        }
    }
    told(&app, &server).await;
    (app, server)
}

/// As Lambda does it: until all is done, what has failed comes again with all that is behind it. Each time the sandbox is
/// another one, if it dies in between.
async fn consume(app: &TestApp, event: Value, dies: bool) -> usize {
    let mut records = event["Records"].as_array().unwrap().clone();
    let (mut invocations, mut again) = (0, app.sandbox(app.sandbox.settings));
    while !records.is_empty() {
        invocations += 1;
        assert!(invocations < 50);
        let answer = again.consume("callback", json!({ "Records": records })).await.unwrap();
        let first = failures(&answer).into_iter().min();
        records.retain(|record| {
            let number: u64 = record["dynamodb"]["SequenceNumber"].as_str().unwrap().parse().unwrap();
            first.is_some_and(|first| number >= first)
        });
        if dies {
            again = app.sandbox(app.sandbox.settings);
        }
    }
    invocations
}

#[tokio::test]
async fn a_sandbox_that_dies_loses_nothing_and_tells_some_of_it_twice() {
    let (app, server) = twelve().await;
    let event = batch(&app).await;
    let mut figures = Vec::new();
    for dies in [false, true] {
        let mut calls = 0;
        // Every fifth call fails.
        when_told(&server, move |_| {
            calls += 1;
            if calls % 5 == 0 { Reaction::Raw(500, String::new()) } else { Reaction::ok() }
        });
        let invocations = consume(&app, event.clone(), dies).await;
        let mut told = messages(&server.take());
        let of_attempts = told.len();
        told.dedup();
        // What has failed is told again, which is no duplicate that anybody has taken.
        let failed = of_attempts / 5;
        figures.push((invocations, duplicates(&told, 3, 4).saturating_sub(failed)));
    }
    assert_eq!(figures[0].1, 0, "who lives on remembers: {figures:?}");
    assert!(figures[1].1 > 0 && figures[1].1 <= 12 * figures[1].0, "{figures:?}");
}

/// One message is answered with an error for a while, whatever is done, and all others are taken.
#[tokio::test]
async fn in_its_batch_what_fails_keeps_back_its_own_conversation_alone_and_nothing_is_told_twice() {
    let (app, server) = twelve().await;
    let event = batch(&app).await;
    let is_it = |called: &Called| called.body["To_Account"] == "bob" && called.body["MsgSeq"] == 2;
    when_told(
        &server,
        move |called| {
            if is_it(called) { Reaction::Raw(500, String::new()) } else { Reaction::ok() }
        },
    );
    let mut told = Vec::new();
    for _ in 0..20 {
        let answer = app.sandbox.consume("callback", event.clone()).await.unwrap();
        assert_eq!(failures(&answer).len(), 1);
        told.extend(server.take().into_iter().filter(|called| !is_it(called)));
    }
    assert_eq!(messages(&told).len(), 9, "one of bob's, and all of the others'");
    when_told(&server, |_| Reaction::ok());
    let answer = app.sandbox.consume("callback", event).await.unwrap();
    assert!(failures(&answer).is_empty());
    told.extend(server.take());
    assert_eq!(duplicates(&messages(&told), 3, 4), 0);
}

#[tokio::test]
async fn tables_that_throttle_and_fail_delay_it_and_lose_nothing() {
    let (app, server) = twelve().await;
    let event = batch(&app).await;
    server.take();
    let mut calls = 0;
    app.dynamodb.break_calls(move |_, _| {
        calls += 1;
        // The SDK tries four times by itself.
        match calls % 7 {
            0..=4 => Fault::Refuse(400, "ThrottlingException"),
            _ => Fault::None,
        }
    });
    consume(&app, event, false).await;
    assert_eq!(duplicates(&messages(&server.take()), 3, 4), 0);
}

#[tokio::test]
async fn a_dead_one_is_called_five_times_for_a_batch_and_no_oftener() {
    let (app, server) = start().await;
    for to in 0..30 {
        app.send("alice", &format!("user-{to}"), "1", 0).await;
    }
    told(&app, &server).await;
    let event = batch(&app).await;
    when_told(&server, |_| Reaction::Raw(500, String::new()));
    let answer = app.sandbox.consume("callback", event).await.unwrap();
    assert_eq!(failures(&answer).len(), 30);
    let called = server.take().len();
    // Sixteen are under way at once.
    assert!((5..=20).contains(&called), "{called}");
}

#[tokio::test]
async fn to_tell_of_a_message_costs_a_read_and_a_half_and_a_send_costs_what_it_has_cost() {
    let (app, _server) = start().await;
    app.send("alice", "bob", "1", 0).await;
    let _bob = app.connect("bob").await;
    app.calls();
    app.send("alice", "bob", "2", 1).await;
    let units = |app: &TestApp| {
        let calls = app.calls();
        let sum = |of: fn(&crate::harness::fault_proxy::Call) -> f64| calls.iter().map(of).sum::<f64>();
        (sum(|call| call.write_units), sum(|call| call.read_units))
    };
    assert_eq!(units(&app), (1.0, 3.0));
    let mut event = batch(&app).await;
    event["Records"].as_array_mut().unwrap().truncate(1);
    assert_eq!(app.sandbox.consume("callback", event).await, Some(json!({ "batchItemFailures": [] })));
    assert_eq!(units(&app), (0.0, 1.5));
}

#[tokio::test]
async fn without_a_business_server_there_is_no_such_function() {
    let app = TestApp::new().await;
    app.send("alice", "bob", "1", 0).await;
    let event = batch(&app).await;
    assert_eq!(app.sandbox.consume("callback", event).await, None);
    assert_eq!(app.twin.deliver_changes().await.unwrap(), 0);
}

/// What docs/callbacks.md shows of each command.
fn examples() -> Vec<Value> {
    let blocks = include_str!("../../docs/callbacks.md").split("```json\n").skip(1);
    blocks.map(|block| serde_json::from_str(block.split("```").next().unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn the_examples_of_the_document_are_what_happens() {
    let (app, server) = start().await;
    for (instance, connected_at) in [("a", START_MS), ("b", START_MS + 1)] {
        let mut connect = event("connect");
        let context = &mut connect["requestContext"];
        context["authorizer"]["platform"] = json!("iOS");
        context["authorizer"]["instance"] = json!(instance);
        context["connectionId"] = json!(instance);
        context["connectedAt"] = json!(connected_at);
        app.respond("connect", &connect).await;
    }
    let mut data = text_message("bob", "1-2-77", 0);
    data["payload"]["text"] = json!("你好");
    data["cloudCustomData"] = json!(r#"{"order":7}"#);
    data["offlinePushInfo"] = json!({ "Title": "你好" });
    app.ask("send-message", "alice", data).await;
    app.twin.deliver_changes().await.unwrap();
    app.invoke("set-message-read", "bob", json!({ "conversationID": "C2Calice", "sequence": 1 })).await;
    app.ask("revoke-message", "alice", json!({ "conversationID": "C2Cbob", "sequence": 1 })).await;
    app.twin.deliver_changes().await.unwrap();
    what_happens_in_a_group(&app).await;
    let bodies: Vec<Value> = server.take().into_iter().map(|called| called.body).collect();
    let examples = examples();
    assert_eq!(examples.len(), 5 + 12);
    for example in examples {
        assert!(bodies.contains(&example), "{example} is none of {bodies:#?}");
    }
}

/// A group is made, somebody comes, is put out, somebody is brought, and it is over.
async fn what_happens_in_a_group(app: &TestApp) {
    let named = |more: Value| {
        let mut data = json!({ "groupID": "team" });
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        data
    };
    let change = async |route: &str, user: &str, name: &str, more: Value| {
        let mut data = named(more);
        data["clientID"] = json!(name);
        app.ask(route, user, data).await;
        app.twin.deliver_changes().await.unwrap();
    };
    let group = named(json!({ "type": "Public", "name": "团队", "joinOption": "FreeAccess" }));
    app.ask("create-group", "alice", group).await;
    app.twin.deliver_changes().await.unwrap();
    let mut data = text_message("team", "1-2-77", 0);
    data["conversationType"] = json!("GROUP");
    data["payload"]["text"] = json!("你好");
    data["cloudCustomData"] = json!(r#"{"order":7}"#);
    data["offlinePushInfo"] = json!({ "Title": "你好" });
    app.ask("send-message", "alice", data).await;
    app.twin.deliver_changes().await.unwrap();
    app.ask("revoke-message", "alice", json!({ "conversationID": "GROUPteam", "sequence": 1 })).await;
    change("join-group", "bob", "j", json!({})).await;
    change("delete-group-member", "alice", "k", json!({ "userIDList": ["bob"] })).await;
    let fewer = json!({ "notification": "周五聚餐", "maxMemberNum": 3 });
    change("update-group-profile", "alice", "u", fewer).await;
    change("add-group-member", "alice", "a", json!({ "userIDList": ["carol"] })).await;
    change("add-group-member", "alice", "b", json!({ "userIDList": ["dave"] })).await;
    app.ask("dismiss-group", "alice", json!({ "groupID": "team" })).await;
    app.twin.deliver_changes().await.unwrap();
}

/// What becomes of 240 messages in four conversations when sandboxes are killed in the middle of a batch, tables throttle, and the
/// server fails and breaks off. docs/callbacks.md has the figures that this prints.
#[tokio::test]
async fn under_kill_and_throttle_nothing_is_lost_and_what_comes_twice_is_counted() {
    let (app, server) = start().await;
    for base in 0..60 {
        for to in ["bob", "carol", "dave", "erin"] {
            app.send("alice", to, &base.to_string(), base).await;
        }
        app.advance(Duration::from_secs(1));
    }
    told(&app, &server).await;
    let event = batch(&app).await;
    let (mut kills, mut failures_in_all, mut twice) = (0, 0, 0);
    for seed in 0..4_u64 {
        let heard: Arc<Mutex<Vec<Called>>> = Arc::default();
        let (hears, killed) = (Arc::clone(&heard), Arc::new(Notify::new()));
        let (kill, mut state) = (Arc::clone(&killed), seed);
        when_told(&server, move |called| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let reaction = match (state >> 33) % 200 {
                0..5 => return Reaction::Raw(500, String::new()),
                // It has heard, and nobody learns of it.
                5..8 => Reaction::Break,
                8 => {
                    kill.notify_one();
                    Reaction::ok()
                }
                _ => Reaction::ok(),
            };
            hears.lock().unwrap().push(called.clone());
            reaction
        });
        let mut calls = 0;
        app.dynamodb.break_calls(move |_, _| {
            calls += 1;
            // Now and then for longer than the SDK tries.
            if calls % 100 < 5 { Fault::Refuse(400, "ThrottlingException") } else { Fault::None }
        });
        let mut records = event["Records"].as_array().unwrap().clone();
        let mut sandbox = app.sandbox(app.sandbox.settings);
        while !records.is_empty() {
            let batch = json!({ "Records": records.iter().take(100).collect::<Vec<_>>() });
            let answer = tokio::select! {
                answer = sandbox.consume("callback", batch.clone()) => answer,
                () = killed.notified() => None,
            };
            let Some(answer) = answer else {
                kills += 1;
                sandbox = app.sandbox(app.sandbox.settings);
                continue;
            };
            let failures = failures(&answer);
            failures_in_all += failures.len();
            let number =
                |record: &Value| record["dynamodb"]["SequenceNumber"].as_str().unwrap().parse::<u64>();
            let done = match failures.into_iter().min() {
                None => batch["Records"].as_array().unwrap().len(),
                Some(first) => records.iter().take_while(|record| number(record).unwrap() < first).count(),
            };
            records.drain(..done);
        }
        twice += duplicates(&messages(&heard.lock().unwrap()), 4, 60);
    }
    println!("960 messages: {kills} kills, {failures_in_all} failures, {twice} told twice");
    assert!(kills > 0 && failures_in_all > 0 && twice > 0, "{kills} {failures_in_all} {twice}");
    assert!(twice < 960, "{twice}");
}
