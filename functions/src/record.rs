//! What an operator learns of an invocation: one record on one line, with who, what, how it ended and how long it
//! took, and in CloudWatch's embedded metric format what is to be counted.
//!
//! **Architecture invariant:** a line never holds a signature, nor anything that somebody wrote.

use std::{
    cell::Cell,
    future::Future,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use hongyan_shared::{Error, rest};
use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};
use tracing::{error, info};

use crate::clock::Clock;

/// What stands in the line of a handshake where others have their route.
pub const AUTHORIZER: &str = "authorizer";

/// What stands there when it was no business server that has asked, or for no command.
pub const REST: &str = "rest";

/// How often refused handshakes are written, at most.
const REFUSALS_EVERY_MS: u64 = 10_000;

/// What becomes of the lines. Lambda writes them for CloudWatch; tests look at them.
pub type Report = Arc<dyn Fn(&InvocationRecord<'_>) + Send + Sync>;

/// What is counted while a route runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// A message was written.
    Sends,
    /// A message came again, and was answered as it was the first time.
    Duplicates,
    /// A number that a message was to get had been taken meanwhile.
    Conflicts,
    /// A frame was handed to somebody's connection.
    Pushes,
    /// A connection that was to be told something was gone.
    GoneConnections,
    /// Nobody knows whether a frame has arrived.
    FailedPushes,
    /// A user was refused something because they did too much of it.
    Limited,
    /// A user was suspended because they went on.
    Suspended,
    /// The business server was called, and has answered.
    Callbacks,
    /// It was called, and has not, or nothing can be made of its answer.
    FailedCallbacks,
    /// It was not called, because it has not answered for some time.
    SkippedCallbacks,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Sends,
        Self::Duplicates,
        Self::Conflicts,
        Self::Pushes,
        Self::GoneConnections,
        Self::FailedPushes,
        Self::Limited,
        Self::Suspended,
        Self::Callbacks,
        Self::FailedCallbacks,
        Self::SkippedCallbacks,
    ];

    /// The name of the metric.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sends => "Sends",
            Self::Duplicates => "Duplicates",
            Self::Conflicts => "Conflicts",
            Self::Pushes => "Pushes",
            Self::GoneConnections => "GoneConnections",
            Self::FailedPushes => "FailedPushes",
            Self::Limited => "Limited",
            Self::Suspended => "Suspended",
            Self::Callbacks => "Callbacks",
            Self::FailedCallbacks => "FailedCallbacks",
            Self::SkippedCallbacks => "SkippedCallbacks",
        }
    }
}

/// How often each thing has happened in one invocation.
#[derive(Debug, Clone, Default)]
pub struct MetricCounts([Cell<u64>; Metric::ALL.len()]);

tokio::task_local! {
    static COUNTS: MetricCounts;
}

impl MetricCounts {
    /// Runs an invocation, and returns what was counted in it besides its result.
    pub async fn of<T>(invocation: impl Future<Output = T>) -> (T, Self) {
        COUNTS
            .scope(Self::default(), async {
                let result = invocation.await;
                (result, COUNTS.with(Clone::clone))
            })
            .await
    }

    /// What has happened at all.
    pub fn counts(&self) -> impl Iterator<Item = (Metric, u64)> + '_ {
        let counts = Metric::ALL.into_iter().zip(&self.0).map(|(what, cell)| (what, cell.get()));
        counts.filter(|(_, times)| *times > 0)
    }
}

/// Counts something. A part need not know which invocation it works for.
pub fn count(what: Metric) {
    // Outside of an invocation there is nothing to count for.
    let _ = COUNTS.try_with(|MetricCounts(cells)| {
        let cell = Metric::ALL.into_iter().zip(cells).find(|(each, _)| *each == what);
        if let Some((_, cell)) = cell {
            cell.set(cell.get().saturating_add(1));
        }
    });
}

/// One invocation, when it has ended.
#[derive(Debug, Clone)]
pub struct InvocationRecord<'a> {
    /// The route key, or [`AUTHORIZER`].
    pub route: &'a str,
    /// Lambda's name for the invocation.
    pub request_id: &'a str,
    /// Who. Nobody, where nobody has shown who they are.
    pub user: &'a str,
    /// The connection that it came over.
    pub connection: &'a str,
    /// How long it took.
    pub ms: u64,
    /// How it was refused or has failed.
    pub refused: Option<Refused>,
    /// What has happened in it.
    pub metrics: MetricCounts,
}

/// How an invocation was refused or has failed.
#[derive(Debug, Clone)]
pub struct Refused {
    code: i32,
    is_ours: bool,
    is_signature: bool,
    detail: Option<String>,
}

impl From<&Error> for Refused {
    fn from(error: &Error) -> Self {
        Self {
            code: error.code(),
            is_ours: error.is_ours(),
            is_signature: matches!(error, Error::UserSig(_)),
            // What a user wrote is never part of it.
            detail: match error {
                Error::Internal(detail) | Error::BusinessServer(detail) => Some(detail.clone()),
                Error::UserSig(refusal) => Some(refusal.to_string()),
                _ => None,
            },
        }
    }
}

impl Refused {
    /// The same of a command of a business server.
    pub fn command(command: Option<rest::Command>, error: &rest::Error) -> Self {
        let code = error.code(command);
        match error {
            rest::Error::Action(error) => Self { code, ..Self::from(error) },
            rest::Error::UserSig(refusal) => Self::from(&Error::UserSig(refusal.clone())),
            _ => Self { code, is_ours: error.is_ours(), is_signature: false, detail: None },
        }
    }
}

impl InvocationRecord<'_> {
    /// 0, or the code that the client was told.
    pub fn code(&self) -> i32 {
        self.refused.as_ref().map_or(0, |refused| refused.code)
    }

    /// Whether somebody has to look at it.
    pub fn is_failure(&self) -> bool {
        self.refused.as_ref().is_some_and(|refused| refused.is_ours)
    }

    /// Whether somebody was turned away who has not shown who they are, and may be anybody.
    pub fn is_stranger(&self) -> bool {
        let is_open = [AUTHORIZER, REST].contains(&self.route);
        is_open && self.user.is_empty() && self.refused.is_some() && !self.is_failure()
    }

    /// Why, where the code does not say enough.
    pub fn detail(&self) -> Option<String> {
        self.refused.as_ref()?.detail.clone()
    }
}

/// Lines for a person: what the laptop twin writes.
pub fn log() -> Report {
    Arc::new(|record| {
        let InvocationRecord { route, user, connection, ms, .. } = *record;
        let (code, detail) = (record.code(), record.detail());
        if record.is_failure() {
            error!(route, user, connection, code, ms, detail);
        } else {
            info!(route, user, connection, code, ms, detail);
        }
    })
}

/// Lines for CloudWatch, which makes metrics of them: no call, no agent, and nothing to pay for while
/// nobody chats. One invocation is one line, and another one for what is counted by something else
/// than the route as well: a failure, or a signature that was refused.
///
/// A stranger gets no line, because anybody can be one a million times. They are counted, and what was
/// counted is written at once after a quiet time, then every ten seconds or with the next line that there is
/// anyway. When a sandbox ends in between, ten seconds of the count are lost, and nothing else.
///
/// # Errors
/// When it is called twice.
pub fn embedded_metrics(
    namespace: String,
    clock: Clock,
) -> Result<Report, metrics_cloudwatch_embedded::Error> {
    let collector = Builder::new().cloudwatch_namespace(namespace).init()?;
    describe_histogram!("Latency", Unit::Milliseconds, "");
    for name in counters() {
        describe_counter!(name, Unit::Count, "");
    }
    let written_at = AtomicU64::new(0);
    Ok(Arc::new(move |record| {
        if record.is_stranger() {
            count_refusal(record);
            let now = clock.now();
            if now.saturating_sub(written_at.load(Ordering::Relaxed)) >= REFUSALS_EVERY_MS {
                written_at.store(now, Ordering::Relaxed);
                write(describe_nobody(collector));
            }
        } else {
            // What strangers have left is not counted under this user's name.
            write(describe_nobody(collector));
            measure(record);
            write(describe(record, collector));
        }
    }))
}

/// The names of all metrics but the latency.
pub fn counters() -> impl Iterator<Item = &'static str> {
    ["Failures", "RefusedSignatures"].into_iter().chain(Metric::ALL.map(Metric::name))
}

fn measure(record: &InvocationRecord) {
    let route = record.route.to_owned();
    #[allow(clippy::cast_precision_loss)]
    histogram!("Latency", "Route" => route.clone()).record(record.ms as f64);
    for (what, times) in record.metrics.counts() {
        counter!(what.name(), "Route" => route.clone()).increment(times);
        // Whether it was asked or told, somebody has to look at it.
        if what == Metric::FailedCallbacks {
            counter!(what.name()).increment(times);
        }
    }
    if record.is_failure() {
        counter!("Failures", "Route" => route.clone()).increment(1);
        counter!("Failures").increment(1);
    }
    if record.refused.as_ref().is_some_and(|refused| refused.is_signature) {
        count_refusal(record);
    }
}

fn count_refusal(record: &InvocationRecord) {
    let (route, code) = (record.route.to_owned(), record.code().to_string());
    counter!("RefusedSignatures", "Route" => route.clone()).increment(1);
    counter!("RefusedSignatures", "Route" => route, "Code" => code).increment(1);
}

/// Writes what has been counted since it was last called, if anything has.
fn write(collector: &Collector) {
    if let Err(error) = collector.flush(io::stdout().lock()) {
        error!(%error, "the line of an invocation is lost");
    }
}

fn describe<'a>(record: &InvocationRecord, collector: &'a Collector) -> &'a Collector {
    collector
        .set_property("level", if record.is_failure() { "ERROR" } else { "INFO" })
        .set_property("requestId", record.request_id)
        .set_property("user", record.user)
        .set_property("connection", record.connection)
        .set_property("code", record.code())
        .set_property("ms", record.ms);
    match record.detail() {
        Some(detail) => collector.set_property("detail", detail),
        None => collector.remove_property("detail"),
    }
}

fn describe_nobody(collector: &Collector) -> &Collector {
    for name in ["requestId", "user", "connection", "code", "ms", "detail"] {
        collector.remove_property(name);
    }
    collector.set_property("level", "INFO")
}
