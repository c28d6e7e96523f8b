//! Messages in groups through the twin, by real sockets, on tables that are as far away as DynamoDB: `make bench-groups`.

#[path = "../harness/distance.rs"]
mod distance;
#[path = "../harness/units.rs"]
mod units;

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use distance::Distance;
use futures_util::{
    SinkExt, StreamExt,
    future::join_all,
    stream::{SplitSink, SplitStream},
};
use hongyan_functions::{
    clock::Clock as Reader,
    config::{self, Settings},
    functions::Functions,
    trigger::{rest::Administrators, signatures::Rules},
};
use hongyan_local::{Config, Data, Lambda, Running, clock::Clock, start_with};
use hongyan_shared::sig::{Key, Keys, issue};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::{sleep, sleep_until, timeout},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const SDK_APP_ID: u64 = 1_400_000_000;
const GROUP: &str = "bench";
const WRITERS: usize = 40;
const MINUTE: Duration = Duration::from_secs(60);
/// A sandbox believes for three seconds what it has read of who is connected.
const PAUSE: Duration = Duration::from_millis(3_100);
const ROUNDS: usize = 20;
/// A group takes no more than 40 messages per second.
const TURN: Duration = Duration::from_millis(50);

#[tokio::main]
async fn main() {
    let only = std::env::args().skip(1).find(|argument| argument != "--bench");
    let is_wanted = |part: &str| only.as_ref().is_none_or(|only| only == part);
    if is_wanted("members") {
        println!(
            "| members | | frames | write units | read units | acknowledged: p50 ms | p99 | all have it: p50 ms | p99 |"
        );
        println!("|---|---|---|---|---|---|---|---|---|");
        for members in [3, 50, 200] {
            one_by_one(members).await;
        }
    }
    if is_wanted("writers") {
        println!(
            "| messages/s | stored/s | 10023 | 20004 | write units of the row | all | read units | p50 ms | p99 ms |"
        );
        println!("|---|---|---|---|---|---|---|---|---|");
        for per_second in [1, 5, 20, 40, 80, 160] {
            many_writers(per_second).await;
        }
    }
}

/// A twin whose functions have far to go to their tables.
struct Server {
    twin: Running,
    distance: Distance,
}

impl Server {
    async fn start() -> Self {
        let functions: Arc<OnceLock<Functions>> = Arc::default();
        let (routes, streams) = (Arc::clone(&functions), Arc::clone(&functions));
        let lambda = Lambda {
            routes: Arc::new(move |name, event| {
                let functions = Arc::clone(&routes);
                Box::pin(async move { functions.get()?.respond(name, event).await })
            }),
            streams: Arc::new(move |name, event| {
                let functions = Arc::clone(&streams);
                Box::pin(async move { functions.get()?.consume(name, event).await })
            }),
        };
        // They come and write faster than people.
        let settings =
            Settings { frames_per_second: None, new_conversations_per_hour: None, ..Settings::default() };
        let config = Config {
            listen: std::net::Ipv4Addr::LOCALHOST.into(),
            port: 0,
            dynamodb_port: 0,
            data: Data::Memory,
            rules: Rules { sdk_app_id: SDK_APP_ID, max_days: None },
            administrators: Administrators::default(),
            keys: Keys::parse("key").unwrap(),
            settings,
            callback: None,
            clock: Clock::System,
        };
        let twin = start_with(config, |_| Ok(lambda)).await.unwrap();
        let distance = Distance::to(&twin.sdk.0);
        let (tables, management, media) =
            (twin.tables.clone(), twin.management_url.clone(), twin.media.clone());
        let sdk = distance.over(&twin.sdk.0);
        let mut given =
            config::Config::given(tables, management, Some(media), settings, sdk, Reader::system());
        // Everybody gets every message, however busy the machine is.
        given.push_timeout = MINUTE;
        assert!(functions.set(Functions::new(&given).unwrap()).is_ok());
        Self { twin, distance }
    }

    /// The members of a group, each with a connection. The first one has made it.
    async fn group(&self, members: usize) -> Vec<Member> {
        let names: Vec<String> = (0..members).map(|number| format!("user-{number:03}")).collect();
        let mut members = Vec::new();
        for name in &names {
            members.push(Member::connect(&self.twin, name).await);
        }
        let data = json!({ "groupID": GROUP, "type": "Public", "name": "g" });
        members[0].ask("createGroup", data).await;
        for (part, others) in names[1..].chunks(6).enumerate() {
            let data =
                json!({ "groupID": GROUP, "clientID": part.to_string(), "base": part, "userIDList": others });
            members[0].ask("addGroupMember", data).await;
        }
        // What they are told of it is over.
        sleep(PAUSE).await;
        for member in &mut members {
            while member.pushes.try_recv().is_ok() {}
        }
        members
    }

    /// The numbers of all messages of the group.
    async fn numbers(&self) -> Vec<u64> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let messages = Client::new(&self.twin.sdk.0).query().table_name(&self.twin.tables.messages);
        let messages = messages.key_condition_expression("p = :p AND begins_with(s, :m)");
        let messages = messages
            .expression_attribute_values(":p", text(GROUP))
            .expression_attribute_values(":m", text("M"));
        let rows = messages.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.unwrap();
        rows.iter().map(|row| row["s"].as_s().unwrap()[1..].parse().unwrap()).collect()
    }

    /// Write units of messages' rows, all write units, and read units, since the last time.
    fn units(&self) -> (f64, f64, f64) {
        let calls = self.distance.take();
        let is_row =
            |call: &&distance::Made| call.operation == "PutItem" && call.table == self.twin.tables.messages;
        (
            calls.iter().filter(is_row).map(|call| call.write_units).sum(),
            calls.iter().map(|call| call.write_units).sum(),
            calls.iter().map(|call| call.read_units).sum(),
        )
    }
}

struct Member {
    sender: SplitSink<Socket, Message>,
    replies: UnboundedReceiver<(Value, Instant)>,
    /// When each push has come in.
    pushes: UnboundedReceiver<Instant>,
    frames: Arc<AtomicUsize>,
    /// The last number that was pushed.
    seen: Arc<AtomicU64>,
}

impl Member {
    async fn connect(twin: &Running, user: &str) -> Self {
        let now = Reader::system().now() / 1000;
        let sig = issue(&Key::parse("key").unwrap(), SDK_APP_ID, user, now, 3600);
        let url =
            format!("{}?SDKAppID={SDK_APP_ID}&userID={user}&userSig={sig}&platform=Web", twin.websocket_url);
        let (sender, receiver) = connect_async(url).await.unwrap().0.split();
        let ((answered, replies), (pushed, pushes)) = (unbounded_channel(), unbounded_channel());
        let (frames, seen) = (Arc::<AtomicUsize>::default(), Arc::<AtomicU64>::default());
        let (counted, last) = (Arc::clone(&frames), Arc::clone(&seen));
        tokio::spawn(async move {
            let mut receiver: SplitStream<Socket> = receiver;
            while let Some(Ok(Message::Text(text))) = receiver.next().await {
                let now = Instant::now();
                counted.fetch_add(1, Ordering::Relaxed);
                let frame: Value = serde_json::from_str(&text).unwrap();
                let message =
                    if frame["code"].is_i64() { &frame["data"]["message"] } else { &frame["data"][0] };
                last.fetch_max(message["sequence"].as_u64().unwrap_or_default(), Ordering::Relaxed);
                // Who is gone does not listen.
                let _ = if frame["code"].is_i64() {
                    answered.send((frame, now)).is_ok()
                } else {
                    pushed.send(now).is_ok()
                };
            }
        });
        Self { sender, replies, pushes, frames, seen }
    }

    async fn ask(&mut self, action: &str, data: Value) -> Value {
        self.say(action, data).await;
        let (reply, _) = self.replies.recv().await.unwrap();
        assert_eq!(reply["code"], 0, "{reply}");
        reply
    }

    async fn say(&mut self, action: &str, data: Value) {
        let frame = json!({ "action": action, "requestID": data["clientID"], "data": data });
        self.sender.send(Message::text(frame.to_string())).await.unwrap();
    }
}

fn message(name: &str, base: u64) -> Value {
    json!({
        "to": GROUP, "conversationType": "GROUP", "clientID": name, "base": base,
        "type": "TIMTextElem", "payload": { "text": "今天下班以后我们一起去吃那家新开的面馆吧" },
    })
}

/// One message after the other, each by another member: when nobody has written for a while, and in a talk.
async fn one_by_one(count: usize) {
    let server = Server::start().await;
    let mut members = server.group(count).await;
    for (kind, pause) in [("after a pause", PAUSE), ("in a talk", TURN)] {
        let (mut acknowledged, mut delivered) = (Vec::new(), Vec::new());
        let frames =
            |members: &[Member]| members.iter().map(|member| member.frames.load(Ordering::Relaxed)).sum();
        let before: usize = frames(&members);
        let (mut all, mut read) = (0.0, 0.0);
        for round in 0..=ROUNDS {
            sleep(pause).await;
            let sender = round % count;
            let data = message(&format!("{kind} {round}"), members[sender].seen.load(Ordering::Relaxed));
            let begun = Instant::now();
            members[sender].say("sendMessage", data).await;
            let (reply, at) = members[sender].replies.recv().await.unwrap();
            assert_eq!(reply["code"], 0, "{reply}");
            let others = members.iter_mut().enumerate().filter(|(number, _)| *number != sender);
            let pushed = join_all(others.map(|(_, member)| timeout(MINUTE, member.pushes.recv()))).await;
            let last = pushed.into_iter().map(|push| push.unwrap().unwrap()).max().unwrap();
            let (_, written, looked) = server.units();
            // The first one is for the caches.
            if round > 0 {
                acknowledged.push(at - begun);
                delivered.push(last - begun);
                all += written;
                read += looked;
            }
        }
        let frames: usize = frames(&members) - before;
        let each = |sum: f64| sum / ROUNDS as f64;
        let (acknowledged, delivered) = (Waits::of(acknowledged), Waits::of(delivered));
        println!(
            // What the sender sends is a frame as well.
            "| {count} | {kind} | {} | {:.2} | {:.1} | {acknowledged} | {delivered} |",
            frames / (ROUNDS + 1) + 1,
            each(all),
            each(read),
        );
    }
    server.twin.stop().await;
}

/// Forty members write for a minute, each message by one of them and at any moment.
async fn many_writers(per_second: u32) {
    let server = Server::start().await;
    let mut members = server.group(WRITERS).await;
    server.units();
    let mut random = StdRng::seed_from_u64(11);
    let begun = tokio::time::Instant::now();
    let (mut at, mut sent_at) = (begun, Vec::new());
    for number in 0.. {
        at += Duration::from_secs_f64(-(1.0 - random.random::<f64>()).ln() / f64::from(per_second));
        if at > begun + MINUTE {
            break;
        }
        sleep_until(at).await;
        let member = &mut members[random.random_range(0..WRITERS)];
        let base = member.seen.load(Ordering::Relaxed);
        sent_at.push(Instant::now());
        member.say("sendMessage", message(&number.to_string(), base)).await;
    }
    let mut codes = Vec::new();
    let mut waits = Vec::new();
    let mut numbers = Vec::new();
    while codes.len() < sent_at.len() {
        for member in &mut members {
            while let Ok((reply, at)) = member.replies.try_recv() {
                let number: usize = reply["requestID"].as_str().unwrap().parse().unwrap();
                codes.push(reply["code"].as_u64().unwrap());
                if let Some(seq) = reply["data"]["message"]["sequence"].as_u64() {
                    waits.push(at - sent_at[number]);
                    numbers.push(seq);
                }
            }
        }
        sleep(TURN).await;
    }
    let (row, all, read) = server.units();
    numbers.sort_unstable();
    assert!(numbers.is_sorted_by(|before, number| before < number), "a number is there twice");
    // What was not acknowledged may have been stored all the same.
    let stored = server.numbers().await;
    assert!(stored.iter().copied().eq(1..=stored.len() as u64), "a number is left out");
    let each = |sum: f64| sum / numbers.len() as f64;
    let share = |code: u64| {
        let count = codes.iter().filter(|each| **each == code).count();
        100.0 * count as f64 / codes.len() as f64
    };
    println!(
        "| {per_second} | {:.1} | {:.1} % | {:.1} % | {:.2} | {:.2} | {:.1} | {} |",
        numbers.len() as f64 / MINUTE.as_secs_f64(),
        share(10023),
        share(20004),
        each(row),
        each(all),
        each(read),
        Waits::of(waits),
    );
    server.twin.stop().await;
}

/// How long half of them took at the most, and 99 of a hundred.
struct Waits {
    p50: Duration,
    p99: Duration,
}

impl Waits {
    fn of(mut waits: Vec<Duration>) -> Self {
        waits.sort_unstable();
        let at = |share: usize| waits[(waits.len() - 1) * share / 100];
        Self { p50: at(50), p99: at(99) }
    }
}

impl std::fmt::Display for Waits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1} | {:.1}", self.p50.as_secs_f64() * 1e3, self.p99.as_secs_f64() * 1e3)
    }
}
