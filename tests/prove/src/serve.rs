//! The server's process: a twin on a file, with sandboxes on calls that break. It does what the lines of its input
//! say, and answers each with a line of counts.

use std::{
    io::BufRead,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::{StreamExt, stream};
use hongyan_functions::{
    clock::Clock as Reader,
    config::{self, Settings},
    functions::Functions,
    trigger::{rest, signatures},
};
use hongyan_local::{Config, Data, Running, clock::Clock, sdk_config, start, start_with};
use hongyan_shared::{
    model::MultiDevice,
    sig::{Key, Keys},
};
use serde::{Deserialize, Serialize};

use crate::{
    calls::Calls,
    history::now_ms,
    sandboxes::Sandboxes,
    weather::{Fate, Weather},
};

pub const SDK_APP_ID: u64 = 1_400_000_000;
pub const KEY: &str = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";
pub const SANDBOXES: usize = 4;

const SWEPT_AT_ONCE: usize = 16;

/// How it is started.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The folder of the tables
    #[arg(long)]
    pub data: PathBuf,
    #[arg(long)]
    pub port: u16,
    #[arg(long)]
    pub seed: u64,
    /// How many seconds a message lives
    #[arg(long)]
    pub retention: Option<u64>,
    /// By how many milliseconds its clock is ahead
    #[arg(long)]
    pub ahead_ms: u64,
}

/// What it is told.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Order {
    Weather(Weather),
    /// No invocation begins any more until it says no. It is done when none is under way.
    Hold(bool),
    /// By how many milliseconds the clock is ahead of this machine's from now on.
    Clock(u64),
    /// By how much each sandbox's clock is wrong.
    Skews(Vec<i64>),
    /// Part of what has expired is swept, or all of it.
    Sweep(u32),
}

/// Serves until it is killed.
pub async fn serve(options: Options) {
    let (ahead, hand) =
        (Arc::new(AtomicU64::new(options.ahead_ms)), Clock::manual(now_ms() + options.ahead_ms));
    tokio::spawn(tick(hand.clone(), Arc::clone(&ahead)));
    let settings = Settings {
        retention: options.retention,
        multi_device: MultiDevice::OnePerPlatform,
        frames_per_second: None,
        new_conversations_per_hour: None,
        ..Settings::default()
    };
    let config = |data: &Path, port: u16| Config {
        listen: Ipv4Addr::LOCALHOST.into(),
        port,
        dynamodb_port: 0,
        data: Data::Folder(data.to_owned()),
        rules: signatures::Rules { sdk_app_id: SDK_APP_ID, max_days: None },
        keys: Keys::one(Key::parse(KEY).unwrap()),
        administrators: rest::Administrators::default(),
        settings,
        callback: None,
        clock: hand.clone(),
    };

    let replica = start(config(&copy(&options.data), 0)).await.unwrap();
    let fate = Arc::new(Fate::new(options.seed));
    let sandboxes = Sandboxes::new(Arc::clone(&fate));
    let twin =
        start_with(config(&options.data, options.port), |_| Ok(sandboxes.clone().lambda())).await.unwrap();
    let calls = {
        let http = sdk_config(&twin.dynamodb_url).http_client().unwrap();
        Calls::new(http, Arc::clone(&fate), &replica.dynamodb_url)
    };
    let skews: Vec<Arc<AtomicI64>> = (0..SANDBOXES).map(|_| Arc::default()).collect();
    let apps = skews.iter().map(|skew| Arc::new(sandbox(&twin, &calls, &hand, Arc::clone(skew), settings)));
    let _ = sandboxes.apps.set(apps.collect());

    println!("ready");
    let (orders, mut inbox) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let _ = orders.send(line);
        }
    });
    // Who started it is gone when there is nothing more to read.
    let mut held = None;
    while let Some(line) = inbox.recv().await {
        match serde_json::from_str(&line).unwrap() {
            Order::Weather(weather) => fate.set(weather),
            Order::Hold(true) => held = Some(sandboxes.under_way.write().await),
            Order::Hold(false) => drop(held.take()),
            Order::Clock(by) => {
                ahead.store(by, Ordering::SeqCst);
                advance(&hand, by);
            }
            Order::Skews(by) => skews.iter().zip(by).for_each(|(skew, by)| skew.store(by, Ordering::SeqCst)),
            Order::Sweep(in_a_hundred) => sweep(&twin, &calls, &hand, &fate, in_a_hundred).await,
        }
        println!("{}", serde_json::to_string(&fate.counts()).unwrap());
    }
    // Who started it is gone, and what is still under way concerns nobody.
    std::process::exit(0);
}

fn sandbox(
    twin: &Running,
    calls: &Calls,
    hand: &Clock,
    skew: Arc<AtomicI64>,
    settings: Settings,
) -> Functions {
    let sdk = sdk_config(&twin.dynamodb_url).into_builder().http_client(calls.clone()).build();
    let hand = hand.clone();
    let clock = Reader::new(move || hand.now().saturating_add_signed(skew.load(Ordering::SeqCst)));
    let (tables, management) = (twin.tables.clone(), twin.management_url.clone());
    let media = Some(twin.media.clone());
    Functions::new(&config::Config::given(tables, management, media, settings, sdk, clock)).unwrap()
}

/// The tables as they are now, for the replica.
fn copy(data: &Path) -> PathBuf {
    let replica = data.with_extension("replica");
    let _ = std::fs::remove_dir_all(&replica);
    std::fs::create_dir_all(&replica).unwrap();
    for file in ["hongyan.db", "hongyan.db-wal"] {
        if data.join(file).exists() {
            std::fs::copy(data.join(file), replica.join(file)).unwrap();
        }
    }
    replica
}

async fn tick(hand: Clock, ahead: Arc<AtomicU64>) {
    loop {
        tokio::time::sleep(Duration::from_millis(5)).await;
        advance(&hand, ahead.load(Ordering::SeqCst));
    }
}

fn advance(hand: &Clock, ahead: u64) {
    hand.advance(Duration::from_millis((now_ms() + ahead).saturating_sub(hand.now())));
}

/// As DynamoDB does, some day: of what has expired, so many rows in a hundred.
async fn sweep(twin: &Running, calls: &Calls, hand: &Clock, fate: &Fate, in_a_hundred: u32) {
    let config = sdk_config(&twin.dynamodb_url).into_builder().http_client(calls.clone()).build();
    let client = aws_sdk_dynamodb::Client::new(&config);
    let now = AttributeValue::N((hand.now() / 1000).to_string());
    let tables = &twin.tables;
    for (table, partition, sort) in [
        (&tables.messages, "p", "s"),
        (&tables.conversations, "u", "v"),
        (&tables.connections, "u", "s"),
        (&tables.groups, "g", "s"),
    ] {
        let scan = client.scan().table_name(table).filter_expression("x <= :now");
        let scan = scan.expression_attribute_values(":now", now.clone()).consistent_read(true);
        let mut items = scan.into_paginator().items().send();
        let mut deletes = Vec::new();
        while let Some(Ok(mut item)) = items.next().await {
            if fate.below(100) >= in_a_hundred as usize {
                continue;
            }
            let (Some(p), Some(s)) = (item.remove(partition), item.remove(sort)) else { continue };
            let delete = client.delete_item().table_name(table).key(partition, p).key(sort, s);
            let delete = delete.condition_expression("x <= :now");
            deletes.push(delete.expression_attribute_values(":now", now.clone()).send());
        }
        let mut swept = stream::iter(deletes).buffer_unordered(SWEPT_AT_ONCE);
        while let Some(answer) = swept.next().await {
            if answer.is_ok() {
                fate.count("rows swept");
            }
        }
    }
}
