//! `hongyan import`: users and messages out of Tencent's files.

use std::{
    io::{IsTerminal, Write, stderr},
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Args;
use hongyan_local::import::{self, Counts, Status, Unreadable};
use serde_json::json;

use crate::{
    app::App,
    output::{fail, say},
};

/// How often a line is written where there is nobody to see a bar move.
const LINE_EVERY: Duration = Duration::from_secs(10);

const BAR: usize = 20;

#[derive(Args)]
pub struct Options {
    /// Files of an hour, of roamed messages and of users, compressed or not, and folders of them
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The API: the output RestUrl of the deployment, or the twin's
    #[arg(long, default_value = "http://127.0.0.1:8420/v4")]
    url: String,
    /// Who asks: one of the deployment's administrators
    #[arg(long, default_value = "administrator")]
    administrator: String,
    #[command(flatten)]
    app: App,
    /// How many calls there may be at once
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1000))]
    at_once: u16,
    /// The second, counted from 1970 on, from which on messages are imported
    #[arg(long, value_name = "SECOND", default_value_t = 0)]
    from: u64,
    /// The second before which they are: `date -d '2026-12-01 03:00' +%s`
    #[arg(long, value_name = "SECOND")]
    until: Option<u64>,
    /// The file in which it is written down how far it is. The same command goes on from there
    #[arg(long, default_value = "hongyan-import.json")]
    journal: PathBuf,
    /// Read and count everything, and import nothing
    #[arg(long)]
    dry_run: bool,
    /// Say at the end what it did as JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(options: Options) -> ExitCode {
    let keys = match options.app.keys() {
        Ok(keys) => keys,
        Err(why) => return fail(&why),
    };
    let import = import::Options {
        paths: options.paths,
        url: options.url,
        sdk_app_id: options.app.sdk_app_id,
        administrator: options.administrator,
        keys,
        at_once: options.at_once.into(),
        from: options.from,
        until: options.until,
        journal: (!options.dry_run).then(|| options.journal.clone()),
    };
    let mut progress = Progress::new();
    let ended = import::run(&import, |status| progress.show(status)).await;
    progress.end();
    let status = match ended {
        Ok(status) => status,
        Err(why) => return fail(&why),
    };
    if options.json {
        say(&json!(status.counts).to_string());
    } else {
        let done = if options.dry_run { "There are" } else { "Imported" };
        say(&format!("{done}: {}.", in_words(&status.counts)));
        if status.counts.refused > 0 {
            say(&format!("{} says which were refused, and why.", options.journal.display()));
        }
    }
    let unreadable = status.unreadable.iter();
    let unreadable: Vec<_> = unreadable
        .map(|Unreadable { path, why }| {
            format!("{} is no JSON, or not to its end: {why}. What is before that was read.", path.display())
        })
        .collect();
    if unreadable.is_empty() {
        return ExitCode::SUCCESS;
    }
    fail(&format!("{}\nGet what is cut off again, and run the same command", unreadable.join("\n")))
}

/// How far it is, on one line that is written anew, or on a line now and then where it would not be seen.
struct Progress {
    is_terminal: bool,
    started: Instant,
    /// How much had been read when it began to import.
    begun: Option<Status>,
    said: Option<Instant>,
}

impl Progress {
    fn new() -> Self {
        Self { is_terminal: stderr().is_terminal(), started: Instant::now(), begun: None, said: None }
    }

    fn show(&mut self, status: &Status) {
        let begun = self.begun.get_or_insert_with(|| status.clone());
        let line = line(begun, status, self.started.elapsed());
        if self.is_terminal {
            // Behind it what is left of a longer one is taken away.
            let _ = write!(stderr(), "\r{line}\x1b[K");
        } else if self.said.is_none_or(|said| said.elapsed() >= LINE_EVERY) {
            self.said = Some(Instant::now());
            let _ = writeln!(stderr(), "{line}");
        }
    }

    fn end(&self) {
        if self.is_terminal {
            let _ = writeln!(stderr());
        }
    }
}

fn line(begun: &Status, status: &Status, elapsed: Duration) -> String {
    let (read, total) = status.bytes;
    let share = if total == 0 { 1.0 } else { read as f64 / total as f64 };
    let full = ((share * BAR as f64) as usize).min(BAR);
    let records = |status: &Status| {
        let Counts { messages, users, refused, recalled, group, outside, unknown } = status.counts;
        messages + users + refused + recalled + group + outside + unknown
    };
    let per_second = (records(status) - records(begun)) as f64 / elapsed.as_secs_f64().max(0.001);
    let bytes_per_second = read.saturating_sub(begun.bytes.0) as f64 / elapsed.as_secs_f64().max(0.001);
    let left = match (total.saturating_sub(read)) as f64 / bytes_per_second {
        left if !left.is_finite() || left < 1.0 => String::new(),
        left if left < 120.0 => format!(", {left:.0} s left"),
        left => format!(", {:.0} min left", left / 60.0),
    };
    format!(
        "[{}{}] {:3.0} %: {}; {per_second:.0} per second{left}",
        "#".repeat(full),
        "-".repeat(BAR - full),
        share * 100.0,
        in_words(&status.counts),
    )
}

/// What is never zero: messages and users. What else there is besides.
fn in_words(counts: &Counts) -> String {
    let Counts { messages, users, refused, recalled, group, outside, unknown } = *counts;
    let more = [
        (refused, "refused"),
        (recalled, "recalled, and not imported"),
        (group, "said to groups, and not imported"),
        (outside, "of another time, and not imported"),
        (unknown, "neither a message nor a user"),
    ];
    let more = more.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}"));
    format!("{messages} messages, {users} users{}", more.collect::<String>())
}
