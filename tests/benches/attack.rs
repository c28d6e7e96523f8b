//! What ten users notice of one who attacks, through the twin, by real sockets: `make bench-attack`. Each line is
//! measured in a process of its own, and the attacker is another one, which the system runs when nobody else wants to:
//! an attacker does not compute on the server.

use std::{
    process::{Child, Command},
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt, future::join_all};
use hongyan_functions::{
    config::Settings,
    trigger::{rest::Administrators, signatures::Rules},
};
use hongyan_local::{Config, Data, Running, clock::Clock, start};
use hongyan_shared::{
    model::MultiDevice,
    sig::{Key, Keys, issue},
};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::sleep};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const SDK_APP_ID: u64 = 1_400_000_000;
const DEVICES: u32 = 16;
const PAIRS: u32 = 5;
/// An attacker who is suspended comes back after a minute.
const LASTS: Duration = Duration::from_secs(60);
/// How long a person waits between two messages.
const PAUSE: Duration = Duration::from_millis(500);

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("attack"), Some(url)) => return runtime.block_on(attack(&url)),
        (Some(kind), None) => return runtime.block_on(measure(kind)),
        _ => {}
    }
    println!("| | p50 ms | p99 ms |\n|---|---|---|");
    for kind in ["nobody attacks", "one user attacks", "one user attacks, no limits"] {
        assert!(Command::new(std::env::current_exe().unwrap()).arg(kind).status().unwrap().success());
    }
}

async fn measure(kind: &str) {
    let limits = Settings { multi_device: MultiDevice::Many, ..Settings::default() };
    let no_limits = Settings { frames_per_second: None, new_conversations_per_hour: None, ..limits };
    let twin = start(Config {
        listen: std::net::Ipv4Addr::LOCALHOST.into(),
        port: 0,
        dynamodb_port: 0,
        data: Data::Memory,
        rules: Rules { sdk_app_id: SDK_APP_ID, max_days: None },
        administrators: Administrators::default(),
        keys: Keys::parse("key").unwrap(),
        settings: if kind.ends_with("no limits") { no_limits } else { limits },
        callback: None,
        clock: Clock::System,
    })
    .await
    .unwrap();
    let attacker = (kind != "nobody attacks").then(|| start_attack(&url(&twin, "mallory")));
    let pairs = (0..PAIRS).map(|pair| {
        let (from, to) = (format!("from-{pair}"), format!("to-{pair}"));
        tokio::spawn(chat(url(&twin, &from), url(&twin, &to), to))
    });
    let mut waits: Vec<Duration> = join_all(pairs).await.into_iter().flat_map(Result::unwrap).collect();
    if let Some(mut attacker) = attacker {
        attacker.kill().unwrap();
        attacker.wait().unwrap();
    }
    waits.sort_unstable();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("| {kind} | {:.1} | {:.1} |", at(0.5), at(0.99));
}

fn url(twin: &Running, user: &str) -> String {
    let now = hongyan_functions::clock::Clock::system().now() / 1000;
    let sig = issue(&Key::parse("key").unwrap(), SDK_APP_ID, user, now, 3600);
    format!("{}?SDKAppID={SDK_APP_ID}&userID={user}&userSig={sig}&platform=Web", twin.websocket_url)
}

fn message(to: &str, number: usize) -> Message {
    let data = json!({
        "to": to, "conversationType": "C2C", "clientID": number.to_string(), "base": number,
        "type": "TIMTextElem", "payload": { "text": "今天下班以后我们一起去吃那家新开的面馆吧" },
    });
    Message::text(
        json!({ "action": "sendMessage", "requestID": number.to_string(), "data": data }).to_string(),
    )
}

/// Two people: one writes now and then and waits for the acknowledgement, and the other one listens.
async fn chat(from: String, to: String, user: String) -> Vec<Duration> {
    let mut sender = connect_async(from).await.unwrap().0;
    let mut receiver = connect_async(to).await.unwrap().0;
    tokio::spawn(async move { while receiver.next().await.is_some() {} });
    let begun = Instant::now();
    let mut waits = Vec::new();
    while begun.elapsed() < LASTS {
        let started = Instant::now();
        sender.send(message(&user, waits.len())).await.unwrap();
        let reply = sender.next().await.unwrap().unwrap();
        waits.push(started.elapsed());
        let reply: Value = serde_json::from_str(reply.to_text().unwrap()).unwrap();
        // A database that answers one call at a time may be too busy for a message when nobody is held back.
        let answered = [0, 20004, 60007].map(|code| reply["code"] == code);
        assert!(answered.contains(&true), "{reply}");
        sleep(PAUSE).await;
    }
    waits
}

fn start_attack(url: &str) -> Child {
    let program = std::env::current_exe().unwrap();
    Command::new("nice").args(["-n", "19"]).arg(program).args(["attack", url]).spawn().unwrap()
}

/// Devices that send as soon as they have an answer, whatever that is, and try to come back once a second.
async fn attack(url: &str) {
    join_all((0..DEVICES).map(|_| async {
        loop {
            if let Ok((socket, _)) = connect_async(url).await {
                flood(socket).await;
            }
            sleep(Duration::from_secs(1)).await;
        }
    }))
    .await;
}

async fn flood(mut socket: Socket) {
    for number in 0.. {
        if socket.send(message("bob", number)).await.is_err() {
            return;
        }
        loop {
            let Some(Ok(Message::Text(text))) = socket.next().await else { return };
            // What the other devices have sent comes in between.
            if serde_json::from_str::<Value>(&text).unwrap()["code"].is_i64() {
                break;
            }
        }
    }
}
