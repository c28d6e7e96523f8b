//! What an operator learns of an invocation: one line, with who, what, how it ended and how long it
//! took, and in CloudWatch's embedded metric format what is to be counted.
//!
//! **Architecture invariant:** a line never holds a signature, nor anything that somebody wrote.

use std::{
    cell::Cell,
    env,
    error::Error as StdError,
    future::Future,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use hongyan_shared::Error;
use lambda_http::tracing::{Level, subscriber};
use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};
use tracing::{error, info};

use crate::app::Clock;

/// What stands in the line of a handshake where others have their route.
pub const AUTHORIZER: &str = "authorizer";

/// How often refused handshakes are written, at most.
const REFUSALS_EVERY_MS: u64 = 10_000;

/// What becomes of the lines. Lambda writes them for CloudWatch; tests look at them.
pub type Report = Arc<dyn Fn(&Line<'_>) + Send + Sync>;

/// What is counted while a route runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
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
    /// A user was put out because they went on.
    PutOut,
}

impl Count {
    const ALL: [Self; 8] = [
        Self::Sends,
        Self::Duplicates,
        Self::Conflicts,
        Self::Pushes,
        Self::GoneConnections,
        Self::FailedPushes,
        Self::Limited,
        Self::PutOut,
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
            Self::PutOut => "PutOut",
        }
    }
}

/// How often each thing has happened in one invocation.
#[derive(Debug, Clone, Default)]
pub struct Tally([Cell<u64>; Count::ALL.len()]);

tokio::task_local! {
    static TALLY: Tally;
}

impl Tally {
    /// Runs an invocation, and returns what was counted in it besides its result.
    pub async fn of<T>(invocation: impl Future<Output = T>) -> (T, Self) {
        TALLY
            .scope(Self::default(), async {
                let result = invocation.await;
                (result, TALLY.with(Clone::clone))
            })
            .await
    }

    /// What has happened at all.
    pub fn counts(&self) -> impl Iterator<Item = (Count, u64)> + '_ {
        let counts = Count::ALL.into_iter().zip(&self.0).map(|(what, cell)| (what, cell.get()));
        counts.filter(|(_, times)| *times > 0)
    }
}

/// Counts something. A part need not know which invocation it works for.
pub fn count(what: Count) {
    // Outside of an invocation there is nothing to count for.
    let _ = TALLY.try_with(|Tally(cells)| {
        let cell = Count::ALL.into_iter().zip(cells).find(|(each, _)| *each == what);
        if let Some((_, cell)) = cell {
            cell.set(cell.get().saturating_add(1));
        }
    });
}

/// One invocation, when it has ended.
#[derive(Debug, Clone)]
pub struct Line<'a> {
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
    /// Why it was refused or failed.
    pub refused: Option<&'a Error>,
    /// What has happened in it.
    pub tally: Tally,
}

impl Line<'_> {
    /// 0, or the code that the client was told.
    pub fn code(&self) -> i32 {
        self.refused.map_or(0, Error::code)
    }

    /// Whether somebody has to look at it.
    pub fn is_failure(&self) -> bool {
        self.refused.is_some_and(Error::is_ours)
    }

    /// Whether somebody was turned away at the door, who may be anybody.
    pub fn is_stranger(&self) -> bool {
        self.route == AUTHORIZER && self.user.is_empty() && self.refused.is_some() && !self.is_failure()
    }

    /// Why, where the code does not say enough. What a user wrote is never part of it.
    pub fn detail(&self) -> Option<String> {
        match self.refused? {
            Error::Internal(detail) => Some(detail.clone()),
            Error::UserSig(refusal) => Some(refusal.to_string()),
            _ => None,
        }
    }
}

/// Why a call to AWS failed, without the raw response: it may hold a key, or what somebody wrote.
pub(crate) fn reason<E>(error: &SdkError<E>) -> String
where
    E: StdError + ProvideErrorMetadata + 'static,
{
    match error.code() {
        Some(code) => format!("{code}: {}", error.message().unwrap_or_default()),
        None => {
            let causes = std::iter::successors(error.source(), |cause| (*cause).source());
            causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
        }
    }
}

/// Whatever else there is to say, as JSON objects that name the invocation. Lambda's default subscriber
/// does the same, and brings regular expressions besides, to filter by module.
pub(crate) fn init_log() {
    let level = env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok());
    subscriber::fmt()
        .json()
        .with_max_level(level.unwrap_or(Level::INFO))
        .with_target(false)
        .without_time()
        .init();
}

/// Lines for a person: what the laptop twin writes.
pub fn log() -> Report {
    Arc::new(|line| {
        let Line { route, user, connection, ms, .. } = *line;
        let (code, detail) = (line.code(), line.detail());
        if line.is_failure() {
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
    Ok(Arc::new(move |line| {
        if line.is_stranger() {
            count_refusal(line);
            let now = clock();
            if now.saturating_sub(written_at.load(Ordering::Relaxed)) >= REFUSALS_EVERY_MS {
                written_at.store(now, Ordering::Relaxed);
                write(describe_nobody(collector));
            }
        } else {
            // What strangers have left is not counted under this user's name.
            write(describe_nobody(collector));
            measure(line);
            write(describe(line, collector));
        }
    }))
}

/// The names of all metrics but the latency.
pub fn counters() -> impl Iterator<Item = &'static str> {
    ["Failures", "RefusedSignatures"].into_iter().chain(Count::ALL.map(Count::name))
}

fn measure(line: &Line) {
    let route = line.route.to_owned();
    #[allow(clippy::cast_precision_loss)]
    histogram!("Latency", "Route" => route.clone()).record(line.ms as f64);
    for (what, times) in line.tally.counts() {
        counter!(what.name(), "Route" => route.clone()).increment(times);
    }
    if line.is_failure() {
        counter!("Failures", "Route" => route.clone()).increment(1);
        counter!("Failures").increment(1);
    }
    if let Some(Error::UserSig(_)) = line.refused {
        count_refusal(line);
    }
}

fn count_refusal(line: &Line) {
    let (route, code) = (line.route.to_owned(), line.code().to_string());
    counter!("RefusedSignatures", "Route" => route.clone()).increment(1);
    counter!("RefusedSignatures", "Route" => route, "Code" => code).increment(1);
}

/// Writes what has been counted since it was last called, if anything has.
fn write(collector: &Collector) {
    if let Err(error) = collector.flush(io::stdout().lock()) {
        error!(%error, "the line of an invocation is lost");
    }
}

fn describe<'a>(line: &Line, collector: &'a Collector) -> &'a Collector {
    collector
        .set_property("level", if line.is_failure() { "ERROR" } else { "INFO" })
        .set_property("requestId", line.request_id)
        .set_property("user", line.user)
        .set_property("connection", line.connection)
        .set_property("code", line.code())
        .set_property("ms", line.ms);
    match line.detail() {
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
