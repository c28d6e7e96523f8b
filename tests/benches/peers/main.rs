//! The twin beside Prosody and ejabberd with message archives, by one load on the same kind of sockets: `make bench-peers`.
//! For each line a server is started in a process of its own, so that its memory is its own; the users are in this one.
//! Arguments are parts of the names of the servers that are measured, for example `twin`.

mod server;
mod user;

use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use tokio::time::sleep;

use crate::{
    server::{Kind, Server},
    user::User,
};

const SENDS: usize = 3_000;
/// Where a disk is waited for, there are fewer.
const LASTS: Duration = Duration::from_secs(20);
const IDLE: usize = 5_000;
/// After this time, what a server needed for a handshake only is given back.
const SETTLED: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [serve, kind, folder] = arguments.as_slice()
        && serve == "serve"
    {
        return server::serve(kind, folder).await;
    }
    let asked_for =
        |name: &str| arguments.is_empty() || arguments.iter().any(|part| name.contains(part.as_str()));
    let kinds: Vec<_> = Kind::ALL.into_iter().filter(|kind| asked_for(kind.name())).collect();

    println!("| | pairs | messages/s | there: p50 ms | p99 | acknowledged: p50 ms | p99 | peak MB |");
    println!("|---|---|---|---|---|---|---|---|");
    for &kind in &kinds {
        for pairs in [1, 10, 50] {
            chats(kind, pairs).await;
        }
    }
    println!("\n| | MB with accounts only | MB with {IDLE} idle connections | KB each |\n|---|---|---|---|");
    for kind in kinds {
        idle(kind).await;
    }
}

/// How long one message took to be with the other user, and to be acknowledged to the one who wrote it.
struct Took {
    there: Duration,
    acknowledged: Duration,
}

async fn chats(kind: Kind, pairs: usize) {
    let server = Server::start(kind).await;
    let names: Vec<_> = (0..pairs).map(|pair| (format!("from-{pair}"), format!("to-{pair}"))).collect();
    let mut users = Vec::new();
    for (from, to) in names {
        user::register(&server.address, &[&from, &to]).await;
        let writer = User::come(&server.address, &from).await;
        users.push((writer, User::come(&server.address, &to).await));
    }
    let started = Instant::now();
    let each = users.into_iter().map(|(writer, reader)| tokio::spawn(talk(writer, reader, SENDS / pairs)));
    let talks: Vec<_> = join_all(each).await.into_iter().map(Result::unwrap).collect();
    let lasted = started.elapsed();
    let mut took = Vec::with_capacity(SENDS);
    for (mut reader, writer, each) in talks {
        assert!(reader.finds_in_history(&writer, each.len() - 1).await, "{}: no archive", kind.name());
        took.extend(each);
    }
    let rate = took.len() as f64 / lasted.as_secs_f64();
    let there = Percentiles::of(took.iter().map(|took| took.there));
    let acknowledged = Percentiles::of(took.iter().map(|took| took.acknowledged));
    let peak = server.peak_kb() / 1024;
    println!("| {} | {pairs} | {rate:.0} | {there} | {acknowledged} | {peak} |", kind.name());
}

/// One user writes, and writes again when the message is there and acknowledged. Returns the reader, the name of the writer,
/// and what each message took.
async fn talk(mut writer: User, mut reader: User, sends: usize) -> (User, String, Vec<Took>) {
    let mut took = Vec::with_capacity(sends);
    let begun = Instant::now();
    while took.len() < sends && begun.elapsed() < LASTS {
        let number = took.len();
        let started = Instant::now();
        writer.write(&reader.name, number).await;
        let acknowledged = async {
            writer.acknowledged().await;
            started.elapsed()
        };
        let there = async {
            reader.reads(number).await;
            started.elapsed()
        };
        let (acknowledged, there) = join(acknowledged, there).await;
        took.push(Took { there, acknowledged });
    }
    (reader, writer.name, took)
}

struct Percentiles(Vec<Duration>);

impl Percentiles {
    fn of(waits: impl Iterator<Item = Duration>) -> Self {
        let mut waits: Vec<_> = waits.collect();
        waits.sort_unstable();
        Self(waits)
    }

    fn ms(&self, share: f64) -> f64 {
        self.0[((self.0.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3
    }
}

impl std::fmt::Display for Percentiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1} | {:.1}", self.ms(0.5), self.ms(0.99))
    }
}

/// Users who have come and say nothing. Their accounts are there before, so that only connections are weighed.
async fn idle(kind: Kind) {
    let server = Server::start(kind).await;
    let names: Vec<_> = (0..IDLE).map(|user| format!("user-{user}")).collect();
    user::register(&server.address, &names).await;
    sleep(SETTLED).await;
    let before = server.kb();
    let mut users = Vec::with_capacity(IDLE);
    for name in &names {
        users.push(User::come(&server.address, name).await);
    }
    sleep(SETTLED).await;
    let after = server.kb();
    let each = after.saturating_sub(before) as f64 / users.len() as f64;
    println!("| {} | {} | {} | {each:.1} |", kind.name(), before / 1024, after / 1024);
}
