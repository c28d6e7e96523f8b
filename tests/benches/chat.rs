//! Sends through the twin, by real sockets: `make bench`. Each line is measured in a process of its
//! own, clients included, so that its peak memory is its own.

use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt, future::join_all};
use hongyan_functions::{
    config::Settings,
    trigger::{rest::Administrators, signatures::Rules},
};
use hongyan_local::{Config, Data, clock::Clock, start};
use hongyan_shared::sig::{Key, Keys, issue};
use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite::Message};

const SDK_APP_ID: u64 = 1_400_000_000;
const SENDS: usize = 3_000;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    if let (Some(data), Some(pairs)) = (arguments.next(), arguments.next()) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(measure(&data, pairs.parse().unwrap()));
    }
    println!("| tables | pairs | sends/s | p50 ms | p99 ms | peak MB |\n|---|---|---|---|---|---|");
    for data in ["memory", "file"] {
        for pairs in ["1", "10", "50"] {
            let status = Command::new(std::env::current_exe().unwrap()).args([data, pairs]).status().unwrap();
            assert!(status.success());
        }
    }
}

async fn measure(data: &str, pairs: usize) {
    let folder = tempfile::tempdir().unwrap();
    let twin = start(Config {
        listen: std::net::Ipv4Addr::LOCALHOST.into(),
        port: 0,
        dynamodb_port: 0,
        data: if data == "file" { Data::Folder(PathBuf::from(folder.path())) } else { Data::Memory },
        rules: Rules { sdk_app_id: SDK_APP_ID, max_days: None },
        administrators: Administrators::default(),
        keys: Keys::parse("key").unwrap(),
        // They send faster than people.
        settings: Settings { frames_per_second: None, ..Settings::default() },
        callback: None,
        clock: Clock::System,
    })
    .await
    .unwrap();

    let started = Instant::now();
    let each = (0..pairs).map(|pair| tokio::spawn(talk(twin.websocket_url.clone(), pair, SENDS / pairs)));
    let mut waits: Vec<Duration> = join_all(each).await.into_iter().flat_map(Result::unwrap).collect();
    let rate = waits.len() as f64 / started.elapsed().as_secs_f64();
    waits.sort_unstable();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("| {data} | {pairs} | {rate:.0} | {:.1} | {:.1} | {:.0} |", at(0.5), at(0.99), peak_mb());
    twin.stop().await;
}

/// One user writes and waits for each acknowledgement, the other one listens. Returns the waits.
async fn talk(url: String, pair: usize, sends: usize) -> Vec<Duration> {
    let (from, to) = (format!("from-{pair}"), format!("to-{pair}"));
    let now = hongyan_functions::clock::Clock::system().now() / 1000;
    let connect = async |user: &str| {
        let sig = issue(&Key::parse("key").unwrap(), SDK_APP_ID, user, now, 3600);
        let url = format!("{url}?SDKAppID={SDK_APP_ID}&userID={user}&userSig={sig}&platform=Web");
        connect_async(url).await.unwrap().0
    };
    let (mut sender, mut receiver) = (connect(&from).await, connect(&to).await);
    let listening = tokio::spawn(async move {
        for _ in 0..sends {
            receiver.next().await.unwrap().unwrap();
        }
    });
    let mut waits = Vec::with_capacity(sends);
    for base in 0..sends {
        let frame = json!({
            "action": "sendMessage", "requestID": "1",
            "data": {
                "to": to, "conversationType": "C2C", "clientID": base.to_string(), "base": base,
                "type": "TIMTextElem", "payload": { "text": "今天下班以后我们一起去吃那家新开的面馆吧" },
            },
        });
        let started = Instant::now();
        sender.send(Message::text(frame.to_string())).await.unwrap();
        let reply = sender.next().await.unwrap().unwrap();
        waits.push(started.elapsed());
        let reply: Value = serde_json::from_str(reply.to_text().unwrap()).unwrap();
        assert_eq!(reply["code"], 0, "{reply}");
    }
    listening.await.unwrap();
    waits
}

fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kb = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kb.unwrap_or_default() / 1024.0
}
