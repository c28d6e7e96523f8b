//! One user who does more than everybody else together.

use std::{
    num::NonZeroU32,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hongyan_functions::{config::Settings, functions::ON_STREAMS, random::Random};
use serde_json::{Value, json};

use crate::harness::{
    TestApp, body, event,
    fault_proxy::{Call, Fault},
    random_numbers,
    sandbox::{Sandbox, Setup},
    set_user,
    socket::Socket,
    text_message,
};

fn limits(frames_per_second: u32, new_conversations_per_hour: u32) -> Settings {
    Settings {
        frames_per_second: NonZeroU32::new(frames_per_second),
        new_conversations_per_hour: NonZeroU32::new(new_conversations_per_hour),
        ..Settings::default()
    }
}

fn advance(app: &TestApp, ms: u64) {
    app.advance(Duration::from_millis(ms));
}

/// Sends with the right base, and says how many of them were stored.
async fn sends(app: &TestApp, sandbox: &Sandbox, from: &str, times: u64, stored: &mut u64) -> u64 {
    let before = *stored;
    for _ in 0..times {
        let client_id = format!("{from}-{stored}");
        let reply =
            app.invoke_in(sandbox, "send-message", from, text_message("bob", &client_id, *stored)).await;
        match reply["code"].as_i64() {
            Some(0) => *stored += 1,
            Some(60007) => assert_eq!(reply["requestID"], "1"),
            _ => panic!("{reply}"),
        }
    }
    *stored - before
}

#[tokio::test]
async fn of_420_sends_in_a_row_60_pass_and_the_rest_as_there_is_time_for_them() {
    let app = TestApp::new().await;
    let mut stored = 0;
    assert_eq!(sends(&app, &app.sandbox, "alice", 420, &mut stored).await, 60);
    advance(&app, 1_000);
    assert_eq!(sends(&app, &app.sandbox, "alice", 420, &mut stored).await, 20);
    // Somebody else notices nothing.
    for base in 0..60 {
        app.send("carol", "bob", &format!("c-{base}"), base).await;
    }
    assert_eq!(app.history("bob", "alice").await.len(), 80);
}

#[tokio::test]
async fn a_refusal_names_its_request_says_what_to_do_and_touches_no_table() {
    let app = TestApp::new().await;
    sends(&app, &app.sandbox, "alice", 60, &mut 0).await;
    app.all_calls();
    let mut refused = Vec::new();
    for _ in 0..32 {
        refused.push(app.invoke("get-message-list", "alice", json!({ "conversationID": "C2Cbob" })).await);
    }
    assert!(refused.iter().all(|reply| *reply == refused[0]));
    assert_eq!(
        refused[0],
        json!({
            "action": "getMessageList", "requestID": "1", "code": 60007,
            "message": "a user may send 20 frames per second: send this one again in 1 s",
            "data": { "retryAfterSeconds": 1 },
        })
    );
    // One in sixteen is counted, and that is all.
    let calls = app.all_calls();
    assert!(
        calls.len() == 2 && calls.iter().all(|call| call.is_sample && call.write_units <= 1.0),
        "{calls:?}"
    );
}

#[tokio::test]
async fn every_route_counts_whatever_is_in_the_frame_but_the_end_of_a_connection() {
    let events: Vec<String> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../events"))
        .unwrap()
        .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| {
            !["authorizer", "rest"].contains(&name.as_str()) && !ON_STREAMS.contains(&name.as_str())
        })
        .collect();
    for name in events {
        let app = TestApp::with(limits(1, 0)).await;
        for _ in 0..3 {
            app.invoke("get-blacklist", "alice", json!({})).await;
        }
        let mut event = event(&name);
        set_user(&mut event, "alice");
        let answer = app.respond(&name, &event).await;
        match name.as_str() {
            "disconnect" => assert_eq!(answer.status(), 200),
            // Said before a byte of it is looked at, and as a status that a client waits after.
            "connect" => assert_eq!(answer.status(), 429),
            // Nobody is connected, so what would go through @connections is returned.
            _ => assert_eq!(body(answer)["code"], 60007, "{name}"),
        }
        for frame in
            [json!("no request"), json!("{\"action\":\"sendMessage\",\"data\":{\"onlineUserOnly\":true}}")]
        {
            let mut nonsense = crate::harness::event("send-message");
            set_user(&mut nonsense, "alice");
            nonsense["body"] = frame;
            assert_eq!(body(app.respond("send-message", &nonsense).await)["code"], 60007);
        }
    }
}

#[tokio::test]
async fn a_limit_of_0_is_none() {
    let app = TestApp::with(limits(0, 0)).await;
    for stranger in 0..150 {
        app.send("alice", &format!("stranger-{stranger}"), "1", 0).await;
    }
    assert!(app.all_calls().iter().all(|call| !call.is_sample));
    assert!(rows(&app, "L#").await.is_empty());
}

async fn rows(app: &TestApp, prefix: &str) -> Vec<Value> {
    let mut rows = app.dump("Connections").await;
    rows.retain(|row| row["s"]["S"].as_str().unwrap().starts_with(prefix));
    rows
}

#[tokio::test]
async fn of_350_strangers_in_a_row_100_get_a_message_and_the_others_leave_nothing() {
    let app = TestApp::with(limits(0, 100)).await;
    let mut codes = Vec::new();
    for stranger in 0..350 {
        let reply =
            app.invoke("send-message", "alice", text_message(&format!("stranger-{stranger}"), "1", 0)).await;
        codes.push(reply["code"].as_i64().unwrap());
        if stranger == 349 {
            assert_eq!(
                reply["message"],
                "a user may open 100 conversations per hour, and groups are such: send this again in 36 s"
            );
            assert_eq!(reply["data"], json!({ "retryAfterSeconds": 36 }));
        }
    }
    assert!(codes[..100].iter().all(|code| *code == 0) && codes[100..].iter().all(|code| *code == 60007));
    assert_eq!((app.dump("Messages").await.len(), app.dump("Conversations").await.len()), (100, 200));
    // Whom alice knows they may write to all the time, and who writes to them first gets an answer.
    app.send("alice", "stranger-7", "2", 1).await;
    app.send("dave", "alice", "1", 0).await;
    app.send("alice", "dave", "2", 1).await;

    // One more every 36 s, to the millisecond, and no more than a hundred at once however long they wait.
    let to = |name: String| text_message(&name, "1", 0);
    advance(&app, 35_999);
    assert_eq!(app.invoke("send-message", "alice", to("e".to_owned())).await["code"], 60007);
    advance(&app, 1);
    assert_eq!(app.invoke("send-message", "alice", to("e".to_owned())).await["code"], 0);
    assert_eq!(app.invoke("send-message", "alice", to("f".to_owned())).await["code"], 60007);
    advance(&app, 24 * 3_600_000);
    let mut opened = 0;
    for stranger in 0..110 {
        let reply = app.invoke("send-message", "alice", to(format!("g-{stranger}"))).await;
        opened += u32::from(reply["code"] == 0);
    }
    assert_eq!(opened, 100);
}

#[tokio::test]
async fn a_first_message_that_is_sent_again_is_counted_once() {
    let app = TestApp::with(limits(0, 2)).await;
    // Whatever is lost behind the count: the rows, the message, the answer.
    for broken in ["Conversations", "Messages", ""] {
        app.dynamodb.break_calls(move |operation, request| {
            if matches!(operation, "PutItem" | "UpdateItem") && request["TableName"] == broken {
                Fault::Refuse(400, "ResourceNotFoundException")
            } else {
                Fault::None
            }
        });
        for _ in 0..5 {
            app.invoke("send-message", "alice", text_message("bob", "1", 0)).await;
        }
    }
    assert_eq!(app.history("bob", "alice").await.len(), 1);
    app.send("alice", "carol", "1", 0).await;
    assert_eq!(app.invoke("send-message", "alice", text_message("dave", "1", 0)).await["code"], 60007);
}

#[tokio::test]
async fn counting_a_conversation_costs_one_write_and_one_round_trip() {
    let app = TestApp::new().await;
    app.send("alice", "first", "1", 0).await;
    let counts = |app: &TestApp| -> f64 { app.all_calls().iter().map(|call| call.write_units).sum() };
    assert_eq!(counts(&app), 6.0);
    // A spammer as well: this sandbox knows that the counter is ahead of the clock.
    app.send("alice", "second", "1", 0).await;
    assert_eq!(counts(&app), 6.0);
    // A sandbox that has to find out makes the write twice, once.
    let other = app.sandbox(Settings::default());
    for (stranger, writes) in [("third", 2), ("fourth", 1)] {
        let lists = 2;
        app.invoke_in(&other, "send-message", "alice", text_message(stranger, "1", 0)).await;
        let calls = app.all_calls();
        assert_eq!(
            calls.iter().filter(|call| call.operation == "UpdateItem").count(),
            lists + writes,
            "{stranger}"
        );
    }
}

#[tokio::test]
async fn frames_are_counted_for_a_sixteenth_of_a_write_unit_and_no_read() {
    let app = TestApp::new().await;
    let mut stored = 0;
    sends(&app, &app.sandbox, "alice", 1, &mut stored).await;
    app.all_calls();
    let sandboxes: Vec<Sandbox> = (0..8).map(|index| sandbox(&app, seeded(index))).collect();
    for message in 0..1_600_u64 {
        // A message per second, wherever it goes to.
        advance(&app, 1_000);
        let sandbox = &sandboxes[usize::try_from(message * 7 % 8).unwrap()];
        assert_eq!(sends(&app, sandbox, "alice", 1, &mut stored).await, 1);
    }
    let calls = app.all_calls();
    let samples: Vec<_> = calls.iter().filter(|call| call.is_sample).collect();
    let units: f64 = samples.iter().map(|call| call.write_units).sum();
    assert!(units / 1_600.0 <= 0.1 && units / 1_600.0 > 0.05, "{units} write units for 1600 messages");
    assert!(samples.iter().all(|call| call.read_units == 0.0));
    // And nothing else has become dearer.
    let others: f64 = calls.iter().filter(|call| !call.is_sample).map(|call| call.write_units).sum();
    assert_eq!(others, 1_600.0);
    // One small row, which goes away by itself.
    let rows = rows(&app, "L#F").await;
    assert_eq!(rows.len(), 1);
    assert!(rows[0]["x"]["N"].as_str().unwrap().parse::<u64>().unwrap() > app.clock.now() / 1_000);
}

/// A sandbox whose samples begin anywhere.
fn sandbox(app: &TestApp, random: impl FnMut(u64) -> u64 + Send + 'static) -> Sandbox {
    let random = Mutex::new(random);
    let random = Random::new(move |below| (random.lock().unwrap())(below));
    Sandbox::new(Setup { settings: Settings::default(), random, ..app.setup() })
}

/// As [`random_numbers`], of a row of its own.
fn seeded(row: u64) -> impl FnMut(u64) -> u64 + Send {
    let mut random = random_numbers();
    (0..row).for_each(|_| _ = random(2));
    random
}

/// However many sandboxes a user's frames are spread over: once each has heard of the others, the limit is one of
/// the whole deployment. Until then each lets sixteen frames pass, and four samples are believed to be chance.
#[tokio::test]
async fn sixteen_devices_over_sixteen_sandboxes_are_held_to_one_limit() {
    let app = TestApp::new().await;
    let mut random = random_numbers();
    let sandboxes: Vec<Sandbox> = (0..16).map(|index| sandbox(&app, seeded(index))).collect();
    let mut served = Vec::new();
    // 39 frames per second, less than twice the limit: refused, and nobody is suspended.
    for _second in 0..60 {
        let mut this_second = 0_u64;
        for _ in 0..39 {
            advance(&app, 25);
            let sandbox = &sandboxes[usize::try_from(random(16)).unwrap()];
            let reply = app.invoke_in(sandbox, "get-blacklist", "alice", json!({})).await;
            this_second += u64::from(reply["code"] == 0);
        }
        advance(&app, 25);
        served.push(this_second);
    }
    let all: u64 = served.iter().sum();
    let allowed = 20 * 60 + 60 + 64 + 16 * 16;
    assert!(all <= allowed, "{all} of {allowed}: {served:?}");
    // And it is not held to much less than that, either.
    assert!(all >= 20 * 60, "{all}: {served:?}");
    let last: u64 = served[30..].iter().sum();
    assert!((400..=800).contains(&last), "{last} in the last 30 s: {served:?}");
    // Each sandbox alone would have let all of them pass.
    let alone = app.sandbox(Settings::default());
    for _ in 0..39 {
        assert_eq!(app.invoke_in(&alone, "get-blacklist", "bob", json!({})).await["code"], 0);
    }
}

#[tokio::test]
async fn a_user_at_the_limit_is_not_refused_wherever_the_frames_go() {
    let app = TestApp::new().await;
    let sandboxes: Vec<Sandbox> = (0..8).map(|index| sandbox(&app, seeded(index))).collect();
    let mut random = random_numbers();
    let mut refused = 0;
    for _ in 0..1_200 {
        advance(&app, 50);
        let sandbox = &sandboxes[usize::try_from(random(8)).unwrap()];
        refused += u64::from(app.invoke_in(sandbox, "get-blacklist", "alice", json!({})).await["code"] != 0);
    }
    assert!(refused <= 60, "{refused} of 1200");
}

#[tokio::test]
async fn a_counter_that_fails_or_hangs_refuses_nobody() {
    let app = TestApp::new().await;
    let tries = Arc::new(AtomicU64::new(0));
    for fault in [Fault::Refuse(400, "ResourceNotFoundException"), Fault::LoseCall] {
        let tried = Arc::clone(&tries);
        app.dynamodb.break_calls(move |_, request| {
            let counts = request["Key"]["s"]["S"].as_str().is_some_and(|key| key.starts_with("L#"));
            tried.fetch_add(u64::from(counts && fault != Fault::LoseCall), Ordering::Relaxed);
            if counts { fault.clone() } else { Fault::None }
        });
        let started = Instant::now();
        let mut stored = app.history("bob", "alice").await.len() as u64;
        advance(&app, 60_000);
        assert_eq!(sends(&app, &app.sandbox, "alice", 17, &mut stored).await, 17);
        // A sample may take half a second; the first message of the conversation was not counted, either.
        assert!(started.elapsed() < Duration::from_secs(8));
    }
    assert_eq!(tries.load(Ordering::Relaxed), 2, "the conversation and a sample, and none of them again");
}

#[tokio::test]
async fn a_sample_is_taken_beside_the_work_and_not_before_it() {
    let app = TestApp::new().await;
    let mut stored = 0;
    sends(&app, &app.sandbox, "alice", 15, &mut stored).await;
    app.all_calls();
    sends(&app, &app.sandbox, "alice", 1, &mut stored).await;
    let calls = app.all_calls();
    let sample = calls.iter().find(|call| call.is_sample).expect("a sample");
    let first = calls.iter().find(|call| call.operation == "Query").unwrap();
    assert!(sample.started < first.ended && first.started < sample.ended, "{calls:?}");
}

/// Frames at so many per second for so many seconds. Returns when the first one was told to be out.
async fn flood(app: &TestApp, sandbox: &Sandbox, per_second: u64, seconds: u64) -> Option<u64> {
    let step = 1_000 / per_second;
    for frame in 0..per_second * seconds {
        advance(app, step);
        let reply = app.invoke_in(sandbox, "get-blacklist", "alice", json!({})).await;
        // Said over a connection that is not there, so nothing is returned.
        if reply.is_null() {
            return Some((frame + 1) * step);
        }
    }
    None
}

#[tokio::test]
async fn who_goes_on_at_more_than_twice_the_limit_is_out_after_seconds_and_for_a_minute() {
    let app = TestApp::with(Settings { multi_device: "many".parse().unwrap(), ..Settings::default() }).await;
    let mut devices = Vec::new();
    for _ in 0..16 {
        devices.push(app.connect("alice").await);
    }
    let mut bob = app.connect("bob").await;
    let out = flood(&app, &app.sandbox, 100, 60).await.expect("an end");
    assert!((5_000..12_000).contains(&out), "after {out} ms");

    // All of the user's connections are closed, and nobody else's.
    for device in devices {
        assert_eq!(device.closed().await.map(|frame| frame.code.into()), Some(1000_u16));
    }
    assert_eq!(bob.request("login", json!({})).await["code"], 0);
    app.send("bob", "alice", "1", 0).await;

    // No handshake, in this sandbox or another one, until a minute later.
    let url = app.url("alice", "Web", None);
    for _ in 0..3 {
        assert_eq!(Socket::connect(&url).await.err(), Some(429));
        advance(&app, 19_000);
    }
    advance(&app, 3_000);
    let mut back = Socket::connect(&url).await.unwrap();
    assert_eq!(back.request("login", json!({})).await["code"], 0);
    assert_eq!(app.invoke("get-blacklist", "alice", json!({})).await["code"], 0);
}

#[tokio::test]
async fn who_is_refused_now_and_then_is_not_suspended() {
    // Less than twice the limit for a minute, and a crowd of frames at once every half minute.
    let app = TestApp::new().await;
    assert_eq!(flood(&app, &app.sandbox, 37, 60).await, None);
    for _ in 0..4 {
        advance(&app, 30_000);
        for _ in 0..600 {
            let reply = app.invoke("get-blacklist", "alice", json!({})).await;
            assert!(!reply.is_null());
        }
    }
}

#[tokio::test]
async fn a_connection_that_was_missed_is_closed_with_its_next_frame() {
    let app = TestApp::new().await;
    let mut alice = app.connect("alice").await;
    // As if its handshake had been under way, and its slot not yet taken.
    app.sandbox.connections.suspend(&user("alice"), app.clock.now() + 60_000, app.clock.now()).await.unwrap();
    let slot = "@Web";
    let removed = json!({
        "TableName": "Connections", "Key": { "u": { "S": "alice" }, "s": { "S": "C" } },
        "UpdateExpression": "REMOVE #slot", "ExpressionAttributeNames": { "#slot": slot },
    });
    app.call("UpdateItem", removed).await;
    let reply = alice.request("login", json!({})).await;
    assert_eq!((&reply["code"], &reply["data"]), (&json!(60007), &json!({ "retryAfterSeconds": 60 })));
    assert!(alice.closed().await.is_some());
}

fn user(name: &str) -> hongyan_shared::model::UserId {
    hongyan_shared::model::UserId::parse("userID", name).unwrap()
}

#[tokio::test]
async fn a_storm_of_handshakes_is_bounded_like_frames() {
    let app = TestApp::new().await;
    let mut connect = event("connect");
    let mut statuses = Vec::new();
    for number in 0..200 {
        connect["requestContext"]["connectionId"] = json!(format!("c-{number}="));
        statuses.push(app.respond("connect", &connect).await.status().as_u16());
    }
    let let_in = statuses.iter().filter(|status| **status == 200).count();
    assert!(let_in <= 60, "{let_in}");
    assert!(statuses[60..].iter().all(|status| *status == 429));
}

/// What a minute of an attack has used.
#[derive(Default)]
struct Bill {
    frames: f64,
    invocations: f64,
    writes: f64,
    reads: f64,
    trips: f64,
}

impl Bill {
    fn add(&mut self, app: &TestApp, invocations: u32) {
        let calls = app.all_calls();
        self.invocations += f64::from(invocations);
        self.reads += calls.iter().map(|call| call.read_units).sum::<f64>();
        self.trips += crate::harness::fault_proxy::round_trips(&calls) as f64;
        // The engine does not say so, but a write whose condition does not hold costs what it would have.
        let units = |call: &Call| {
            if call.operation == "UpdateItem" { call.write_units.max(1.0) } else { call.write_units }
        };
        self.writes += calls.iter().map(units).sum::<f64>();
    }
}

/// `docs/cost.md` has the bill: 16 devices that send 60 messages per second each into sixteen sandboxes, and try to come
/// back once a second when they are out.
#[tokio::test]
async fn a_minute_of_an_attack_costs_what_the_documents_say() {
    let settings = Settings { multi_device: "many".parse().unwrap(), ..Settings::default() };
    let app = TestApp::with(settings).await;
    let posts = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&posts);
    app.management.break_calls(move |operation, _| {
        counted.fetch_add(u64::from(operation == "POST"), Ordering::Relaxed);
        Fault::Refuse(200, "Delivered")
    });
    let connection = |name: &str, device: u64| {
        let mut event = event(name);
        set_user(&mut event, "mallory");
        event["requestContext"]["connectionId"] = json!(format!("mallory-{device}="));
        event["requestContext"]["authorizer"]["instance"] = json!(device.to_string());
        event["requestContext"]["connectedAt"] = json!(app.clock.now());
        event
    };
    let mut bob = event("connect");
    set_user(&mut bob, "bob");
    app.respond("connect", &bob).await;
    for device in 0..16 {
        assert_eq!(app.respond("connect", &connection("connect", device)).await.status(), 200);
    }
    app.all_calls();

    let sandboxes: Vec<Sandbox> = (0..16).map(|index| sandbox(&app, seeded(index))).collect();
    let entrances: Vec<Sandbox> = (0..2).map(|index| sandbox(&app, seeded(100 + index))).collect();
    let (mut random, mut bill, mut stored, mut is_out) = (random_numbers(), Bill::default(), 0, false);
    for ms in 0..60_000_u64 {
        app.advance(Duration::from_millis(1));
        let device = ms % 16;
        if is_out && ms / 16 % 62 == 0 {
            let request = lambda_http::request::from_str(&connection("connect", device).to_string()).unwrap();
            let entrance = &entrances[usize::try_from(random(2)).unwrap()];
            let answer = entrance.respond("connect", request).await;
            assert_eq!(answer.status(), 429);
            // The authorizer as well.
            bill.add(&app, 2);
        } else if !is_out && ms % 25 != 0 {
            let sandbox = &sandboxes[usize::try_from(random(16)).unwrap()];
            let data = text_message("bob", &format!("m-{stored}"), stored);
            let reply = app.invoke_in(sandbox, "send-message", "mallory", data).await;
            bill.frames += if reply.is_null() { 1.0 } else { 2.0 };
            bill.add(&app, 1);
            stored += u64::from(reply["code"] == 0);
            is_out = reply.is_null();
            if is_out {
                for device in 0..16 {
                    app.respond("disconnect", &connection("disconnect", device)).await;
                    bill.add(&app, 1);
                }
            }
        }
    }
    bill.frames += posts.load(Ordering::Relaxed) as f64;
    assert!(is_out);

    let figures = include_str!("../../docs/cost.py");
    let (_, figures) = figures.split_once("ATTACK = {").unwrap();
    let measured = [
        ("frames", bill.frames),
        ("invocations", bill.invocations),
        ("writes", bill.writes),
        ("reads", bill.reads),
        ("trips", bill.trips),
    ];
    let stated = measured.map(|(name, _)| {
        let (_, figure) = figures.split_once(&format!("\"{name}\": ")).unwrap();
        figure.split([',', '}']).next().unwrap().replace('_', "").parse::<f64>().unwrap()
    });
    let is_near = |((_, measured), stated): (&(&str, f64), &f64)| (measured / stated - 1.0).abs() < 0.1;
    assert!(measured.iter().zip(&stated).all(is_near), "{measured:?}, and in docs/cost.py {stated:?}");
}
