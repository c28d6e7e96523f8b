//! Episodes: each begins with empty tables and a seed of its own, and ends with a check of its history.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    checker::{Verdict, check},
    groups,
    history::{self, History, Rules, What},
    nemesis::Nemesis,
    proxy::Proxy,
    serve,
    twin::{Twin, add, free_port},
    weather::Counts,
    workload,
};

/// How much is shown of what is wrong.
const SHOWN: usize = 20;

/// A time after which no read is behind.
const SETTLES: Duration = Duration::from_millis(1_500);

/// A time after which a tip that was promised is anybody's to keep: three seconds, by clocks that were two seconds wrong.
const IS_BROKEN: Duration = Duration::from_millis(5_500);

/// Whether an episode is about groups: every other one.
fn is_about_groups(seed: u64) -> bool {
    seed % 2 == 1
}

#[derive(Debug, clap::Args)]
pub struct Options {
    /// For how long, in seconds
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How long an episode lasts, without its end
    #[arg(long, default_value_t = 25)]
    episode: u64,
    /// The seed of the first episode; the second one has the next
    #[arg(long, default_value_t = rand::random_range(0..1_000_000))]
    seed: u64,
    /// How long a user thinks between two actions, in milliseconds, on average
    #[arg(long, default_value_t = 40)]
    think: u64,
    /// The same in groups
    #[arg(long, default_value_t = 500)]
    think_in_groups: u64,
    /// Where the histories are put; without it, only those with an anomaly, into target/prove
    #[arg(long)]
    history: Option<PathBuf>,
}

/// Runs episodes until the time is over, and says whether none had an anomaly.
pub async fn run(options: &Options) -> bool {
    println!("prove run --seed {} --seconds {} --episode {}", options.seed, options.seconds, options.episode);
    let begun = Instant::now();
    let mut total = Counts::new();
    let mut episodes = 0;
    while episodes == 0 || begun.elapsed().as_secs() + options.episode <= options.seconds {
        let rules = Rules {
            seed: options.seed + episodes,
            // Every other two are about what expires.
            retention: ((options.seed + episodes) / 2 % 2 == 1).then_some(600),
            stale_ms: 1_000,
            skew_ms: 2_000,
        };
        let (events, counts) = episode(options, rules.clone()).await;
        let verdict = check(&events);
        let is_good = say(&verdict);
        let kept = match &options.history {
            Some(folder) => Some(keep(&events, folder, rules.seed)),
            None if !is_good => Some(keep(&events, Path::new("target/prove"), rules.seed)),
            None => None,
        };
        let Verdict { operations, answered, messages, pushes, .. } = verdict;
        println!(
            "seed {}{}: {operations} operations, {answered} answered, {messages} messages, {pushes} pushes, {} s{}",
            rules.seed,
            match (is_about_groups(rules.seed), rules.retention) {
                (false, None) => "",
                (false, Some(_)) => ", with retention",
                (true, None) => ", groups",
                (true, Some(_)) => ", groups with retention",
            },
            begun.elapsed().as_secs(),
            kept.map(|path| format!(": {}", path.display())).unwrap_or_default(),
        );
        if !is_good {
            return false;
        }
        add(&mut total, counts);
        for (what, count) in [
            ("operations", operations),
            ("operations answered", answered),
            ("messages", messages),
            ("pushes", pushes),
            ("episodes", 1),
        ] {
            *total.entry(what.to_owned()).or_default() += count as u64;
        }
        episodes += 1;
    }
    for (what, count) in total {
        println!("{count:>9} {what}");
    }
    println!("no anomaly in {} s", begun.elapsed().as_secs());
    true
}

/// Sends the users home, even if the nemesis fails.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

async fn episode(options: &Options, rules: Rules) -> (Vec<history::Event>, Counts) {
    // A process that is killed loses nothing that it has given to the system, so no disk is needed, which would wait
    // for each write of a hundred in a second.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    let port = free_port();
    let server = serve::Options {
        data: folder.path().join("data"),
        port,
        seed: rules.seed,
        retention: rules.retention,
        ahead_ms: 0,
    };
    let twin = tokio::task::spawn_blocking(|| Twin::new(server)).await.unwrap();
    let proxy = Proxy::before(port).await;
    let history = Arc::new(History::new(rules.clone()));
    let stop = Arc::new(AtomicBool::new(false));

    let until = Instant::now() + Duration::from_secs(options.episode);
    // Forty users who all connect again have little time for anything else.
    let between_kills = if is_about_groups(rules.seed) { 8..24 } else { 4..13 };
    let nemesis = Nemesis::new(twin, proxy.clone(), Arc::clone(&history), rules.clone(), between_kills);
    let rage = tokio::task::spawn_blocking({
        let stop = Stop(Arc::clone(&stop));
        move || {
            let _stop = stop;
            nemesis.rage(until)
        }
    });
    let Rules { seed, retention, .. } = rules;
    if is_about_groups(seed) {
        groups::work(proxy.port, &history, seed, retention, options.think_in_groups, &stop).await;
    } else {
        workload::work(proxy.port, &history, seed, retention, options.think, &stop).await;
    }
    let (twin, counts) = rage.await.unwrap();
    tokio::time::sleep(SETTLES).await;
    if is_about_groups(seed) {
        tokio::time::sleep(IS_BROKEN - SETTLES).await;
        groups::complete(proxy.port, &history).await;
        history.note(What::End(Value::Null));
        groups::read_all(proxy.port, &history).await;
    } else {
        history.note(What::End(Value::Null));
        workload::read_all(proxy.port, &history).await;
    }
    drop(twin);
    (history.take(), counts)
}

/// Says what is wrong with a history, and whether nothing is.
pub fn say(verdict: &Verdict) -> bool {
    for anomaly in verdict.anomalies.iter().take(SHOWN) {
        println!("{} {:?}: {}", anomaly.point as u8, anomaly.point, anomaly.what);
    }
    if verdict.anomalies.len() > SHOWN {
        println!("and {} more", verdict.anomalies.len() - SHOWN);
    }
    verdict.anomalies.is_empty()
}

fn keep(events: &[history::Event], folder: &Path, seed: u64) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join(format!("{seed}.jsonl"));
    history::write(events, File::create(&path).unwrap()).unwrap();
    path
}
