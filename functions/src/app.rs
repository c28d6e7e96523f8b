//! The world of a route, built once per sandbox.

use std::{
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, HttpClient, Region, SharedCredentialsProvider, retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_types::{SdkConfig, sdk_config::Builder};
use hongyan_shared::model::MultiDevice;

use crate::{
    limits::Meter,
    push::Push,
    store::{Blacklists, Connections, Conversations, Counters, Messages, Users, Watchers},
    telemetry::{self, Report},
};

/// Milliseconds since 1970. Tests bring their own.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What every route may use.
pub struct App {
    /// The conversations' messages and read positions.
    pub messages: Messages,
    /// Each user's list of conversations.
    pub conversations: Conversations,
    /// Who is connected.
    pub connections: Connections,
    /// Who watches whose status.
    pub watchers: Watchers,
    /// What users have done of late, in the whole deployment.
    pub counters: Counters,
    /// The same, as far as this sandbox knows it.
    pub meter: Meter,
    /// Profiles.
    pub users: Users,
    /// Who does not want to hear whom.
    pub blacklists: Blacklists,
    /// The way to other connections.
    pub push: Push,
    /// The time.
    pub clock: Clock,
    /// What the operator decided.
    pub settings: Settings,
    /// What becomes of the line about an invocation.
    pub report: Report,
}

/// The operator's decisions, parameters of the template.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How long a message lives, in seconds; for ever if nothing is said.
    pub retention: Option<u64>,
    /// How many connections a user may have.
    pub multi_device: MultiDevice,
    /// For how long a message can be recalled, in seconds.
    pub recall_seconds: u64,
    /// How many frames a user may send per second; as many as they like if nothing is said.
    pub frames_per_second: Option<NonZeroU32>,
    /// How many conversations a user may open per hour; as many as they like if nothing is said.
    pub new_conversations_per_hour: Option<NonZeroU32>,
}

/// What the template does when nobody decides.
impl Default for Settings {
    fn default() -> Self {
        Self {
            retention: None,
            multi_device: MultiDevice::default(),
            recall_seconds: RECALL_SECONDS,
            frames_per_second: NonZeroU32::new(FRAMES_PER_SECOND),
            new_conversations_per_hour: NonZeroU32::new(NEW_CONVERSATIONS_PER_HOUR),
        }
    }
}

/// The template's default of [`Settings::recall_seconds`].
pub const RECALL_SECONDS: u64 = 120;

/// The template's default of [`Settings::frames_per_second`].
pub const FRAMES_PER_SECOND: u32 = 20;

/// The template's default of [`Settings::new_conversations_per_hour`].
pub const NEW_CONVERSATIONS_PER_HOUR: u32 = 100;

impl Settings {
    /// How many seconds a retention of so many days is; 0 days keep everything.
    pub fn retention_of(days: u64) -> Option<u64> {
        (days > 0).then(|| days.saturating_mul(24 * 60 * 60))
    }
}

/// The names of the tables.
#[derive(Debug, Clone)]
pub struct Tables {
    /// Messages and read positions.
    pub messages: String,
    /// Conversations of a user.
    pub conversations: String,
    /// Connections of a user, and who watches them.
    pub connections: String,
    /// Profile and blacklist of a user.
    pub users: String,
}

/// The function was deployed without something that it needs.
#[derive(Debug, thiserror::Error)]
pub enum Misconfigured {
    /// An environment variable is missing.
    #[error("the environment variable {0} is not set: template.yaml sets it for every function")]
    Missing(&'static str),
    /// An environment variable holds nonsense.
    #[error("the environment variable {name} is wrong: {why}")]
    Wrong {
        /// Which.
        name: &'static str,
        /// Why.
        why: String,
    },
    /// `sam local invoke` runs it, with the credentials of an account and nothing that says where else to go.
    #[error(
        "on a laptop this would use your AWS account: say where a twin is, with `--env-vars local/env-vars.json`"
    )]
    WouldUseAnAccount,
}

impl App {
    /// Puts the parts together.
    pub fn new(
        dynamodb: aws_sdk_dynamodb::Client,
        management: aws_sdk_apigatewaymanagement::Client,
        tables: Tables,
        clock: Clock,
        settings: Settings,
    ) -> Self {
        Self {
            messages: Messages::new(dynamodb.clone(), tables.messages.clone()),
            conversations: Conversations::new(dynamodb.clone(), tables.conversations),
            connections: Connections::new(dynamodb.clone(), tables.connections.clone()),
            watchers: Watchers::new(dynamodb.clone(), tables.connections.clone()),
            counters: Counters::new(dynamodb.clone(), tables.connections),
            meter: Meter::new(settings.frames_per_second, Box::new(|below| rand::random_range(0..below))),
            users: Users::new(dynamodb.clone(), tables.users.clone()),
            blacklists: Blacklists::new(dynamodb, tables.users, tables.messages),
            push: Push::new(management),
            clock,
            settings,
            report: telemetry::log(),
        }
    }

    /// Reads the environment that template.yaml sets.
    ///
    /// # Errors
    /// [`Misconfigured`].
    pub fn from_env() -> Result<Self, Misconfigured> {
        let sdk = sdk_config()?;
        let tables = Tables {
            messages: variable("MESSAGES_TABLE")?,
            conversations: variable("CONVERSATIONS_TABLE")?,
            connections: variable("CONNECTIONS_TABLE")?,
            users: variable("USERS_TABLE")?,
        };
        let settings = Settings {
            retention: Settings::retention_of(setting("RETENTION_DAYS")?),
            multi_device: setting("MULTI_DEVICE")?,
            recall_seconds: setting("RECALL_SECONDS")?,
            frames_per_second: NonZeroU32::new(setting("FRAMES_PER_SECOND")?),
            new_conversations_per_hour: NonZeroU32::new(setting("NEW_CONVERSATIONS_PER_HOUR")?),
        };
        // The endpoint comes from the template and not from the event, because behind a custom
        // domain the event names a host that does not serve @connections.
        let management = aws_sdk_apigatewaymanagement::config::Builder::from(&sdk)
            .endpoint_url(variable("CONNECTIONS_ENDPOINT")?)
            .build();
        let app = Self::new(
            aws_sdk_dynamodb::Client::new(&sdk),
            aws_sdk_apigatewaymanagement::Client::from_conf(management),
            tables,
            system_clock(),
            settings,
        );
        Ok(Self { report: report()?, ..app })
    }

    /// Milliseconds since 1970.
    pub fn now(&self) -> u64 {
        (self.clock)()
    }
}

/// The SDK's settings that are the same in an account and on a laptop: the functions' own patience.
pub fn sdk_settings(credentials: Credentials, region: String, http: impl HttpClient + 'static) -> Builder {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .region(Region::new(region))
        .http_client(http)
        .retry_config(retries())
        .timeout_config(timeouts())
}

/// The SDK's settings in Lambda, which puts credentials and region into the environment. That is why
/// there is no aws-config here: looking for them elsewhere costs size and time (docs/cold-start.md).
pub(crate) fn sdk_config() -> Result<SdkConfig, Misconfigured> {
    let credentials = Credentials::new(
        variable("AWS_ACCESS_KEY_ID")?,
        variable("AWS_SECRET_ACCESS_KEY")?,
        variable("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    let tls = Provider::Rustls(CryptoMode::Ring);
    let http = aws_smithy_http_client::Builder::new().tls_provider(tls).build_https();
    let mut config = sdk_settings(credentials, variable("AWS_REGION")?, http);
    // An emulator's, or a twin's, under the name that all SDKs give it.
    let endpoint = variable("AWS_ENDPOINT_URL").ok();
    if endpoint.is_none() && variable("AWS_SAM_LOCAL").is_ok() {
        return Err(Misconfigured::WouldUseAnAccount);
    }
    config.set_endpoint_url(endpoint);
    Ok(config.build())
}

/// A call is given up early and made again: a write that is repeated finds that it has been made.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(1_000))
        .operation_attempt_timeout(Duration::from_millis(1_500))
        .operation_timeout(Duration::from_millis(6_000))
        .build()
}

/// See [`timeouts`].
fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(4).with_initial_backoff(Duration::from_millis(50))
}

/// The time of this machine.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
    })
}

/// Where the lines go that are metrics as well: the namespace is the stack's.
pub(crate) fn report() -> Result<Report, Misconfigured> {
    const NAME: &str = "METRICS_NAMESPACE";
    telemetry::embedded_metrics(variable(NAME)?, system_clock())
        .map_err(|error| Misconfigured::Wrong { name: NAME, why: error.to_string() })
}

pub(crate) fn setting<T>(name: &'static str) -> Result<T, Misconfigured>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    variable(name)?.parse().map_err(|error: T::Err| Misconfigured::Wrong { name, why: error.to_string() })
}

pub(crate) fn variable(name: &'static str) -> Result<String, Misconfigured> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).ok_or(Misconfigured::Missing(name))
}
