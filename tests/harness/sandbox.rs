//! A sandbox of each function, and the tables as the functions see them.

use std::{collections::BTreeMap, sync::LazyLock, time::Duration};

use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use hongyan_functions::{
    clock::Clock,
    config::{CallbackPlace, Config, MediaPlace, Settings, Tables},
    functions::{self, Functions},
    notify::Notifier,
    random::Random,
    record::{self, Report},
    store::{Connections, Conversations, Messages, Users},
};
use hongyan_local::sdk_config;
use lambda_http::{Body, Request, Response};
use serde_json::Value;

use super::template::{kebab, template_routes};

/// What a request does and costs must not depend on how busy the machine is: no call that is slow is given up, or made again.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// What a sandbox is made of.
pub struct Setup {
    pub tables: Tables,
    /// The way to DynamoDB.
    pub sdk: SdkConfig,
    /// The endpoint of `@connections`.
    pub management: String,
    pub clock: Clock,
    pub settings: Settings,
    /// Where media are kept.
    pub media: Option<MediaPlace>,
    /// The business server.
    pub callback: Option<CallbackPlace>,
    /// How long a push may take.
    pub push_timeout: Duration,
    /// With which of a user's frames the samples begin, and what nobody can guess.
    pub random: Random,
    /// Where the records of invocations go.
    pub report: Report,
}

impl Setup {
    /// What a laptop has; the sixteenth frame of a user is the first one that is counted.
    pub fn new(tables: Tables, dynamodb: &str, management: &str, clock: Clock, settings: Settings) -> Self {
        Self {
            tables,
            sdk: sdk_config(dynamodb),
            management: management.to_owned(),
            clock,
            settings,
            media: None,
            callback: None,
            push_timeout: TIMEOUT,
            random: Random::new(|below| below - 1),
            report: record::log(),
        }
    }

    pub fn config(self) -> Config {
        let sdk = self.sdk.into_builder().timeout_config(timeouts()).build();
        let mut config =
            Config::given(self.tables, self.management, self.media, self.settings, sdk, self.clock);
        config.random = self.random;
        config.report = self.report;
        config.push_timeout = self.push_timeout;
        config.callback = self.callback;
        // A test that wants it to take anything lets the proxy say so.
        config.undelivered_queue = Some("undelivered".to_owned());
        config
    }
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(TIMEOUT).operation_timeout(TIMEOUT).build()
}

pub struct Sandbox {
    functions: Functions,
    pub messages: Messages,
    pub conversations: Conversations,
    pub connections: Connections,
    pub users: Users,
    pub notifier: Notifier,
    pub settings: Settings,
}

impl Sandbox {
    pub fn new(setup: Setup) -> Self {
        let settings = setup.settings;
        let config = &setup.config();
        Self {
            functions: Functions::new(config).unwrap(),
            messages: Messages::new(config).unwrap(),
            conversations: Conversations::new(config).unwrap(),
            connections: Connections::new(config).unwrap(),
            users: Users::new(config).unwrap(),
            notifier: Notifier::new(config).unwrap(),
            settings,
        }
    }

    /// The answer of a function behind a stream.
    pub async fn consume(&self, name: &str, event: Value) -> Option<Value> {
        self.functions.consume(name, event).await
    }

    /// The answer to an event of this name, by the function behind its route.
    pub async fn respond(&self, event: &str, request: Request) -> Response<Body> {
        self.functions.respond(function(event), request).await.unwrap()
    }
}

/// The function behind the route of an event, as the template has it.
fn function(event: &str) -> &'static str {
    static FUNCTIONS: LazyLock<BTreeMap<String, &str>> = LazyLock::new(|| {
        let name = |function: &str| *functions::NAMES.iter().find(|name| **name == kebab(function)).unwrap();
        let routes = template_routes().into_iter();
        routes.map(|(key, function)| (kebab(&key), name(&function))).collect()
    });
    FUNCTIONS.get(event).unwrap_or_else(|| panic!("no route has the event {event}"))
}
