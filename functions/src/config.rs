//! What the operator decided, and where the things are that a function uses. Each function takes what it
//! needs of it, and no more: that is what template.yaml gives it.

use std::{
    num::NonZeroU32,
    str::FromStr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use aws_types::SdkConfig;
use hongyan_shared::{
    callback::{CallbackUrl, Token},
    model::MultiDevice,
};

pub use crate::environment::{Configured, Misconfigured, Variables};
use crate::{
    aws::{self, FormSigner},
    breaker::Breaker,
    clock::Clock,
    environment::{text, variable},
    meter::Meter,
    random::Random,
    record::{self, Report},
};

/// How long one push may take, and how long all those may take together that keep an answer waiting.
pub const PUSH_TIMEOUT: Duration = Duration::from_millis(1_500);

/// What a function is built from, once per sandbox.
pub struct Config {
    source: Source,
    /// How DynamoDB is called.
    pub dynamodb: aws_sdk_dynamodb::Client,
    sdk: SdkConfig,
    /// The time.
    pub clock: Clock,
    /// Numbers that nobody can guess.
    pub random: Random,
    /// What becomes of the record of an invocation.
    pub report: Report,
    /// [`PUSH_TIMEOUT`], unless a test has more.
    pub push_timeout: Duration,
    /// A laptop's business server.
    pub callback: Option<CallbackPlace>,
    /// What this sandbox has seen of the business server: one for all who call it.
    pub(crate) breaker: Arc<Breaker>,
    /// The queue of what that was not told, of which a laptop has none.
    pub undelivered_queue: Option<String>,
    meter: OnceLock<Arc<Meter>>,
}

enum Source {
    /// The variables that template.yaml sets for the function.
    Environment(Variables),
    /// A laptop's.
    Given { tables: Box<Tables>, connections_endpoint: String, media: Option<MediaPlace>, settings: Settings },
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
    /// How much a user may upload per day, in units of 1 048 576 bytes; as much as they like if nothing is said.
    pub media_megabytes_per_day: Option<NonZeroU32>,
    /// Whether anybody may be written to who has no account.
    pub unknown_users: UnknownUsers,
    /// What becomes of what a user has written whose account is deleted.
    pub deleted_users_messages: DeletedUsersMessages,
}

/// Whether anybody may be written to who has no account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownUsers {
    /// They may, and find it when they log in for the first time.
    #[default]
    Accept,
    /// They may not.
    Refuse,
}

impl FromStr for UnknownUsers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "accept" => Ok(Self::Accept),
            "refuse" => Ok(Self::Refuse),
            _ => Err(format!("`{text}` is neither accept nor refuse")),
        }
    }
}

/// What becomes of what a user has written, in other people's histories, when their account is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeletedUsersMessages {
    /// It stays.
    #[default]
    Keep,
    /// Its content goes for good, and what is left looks as if it had been recalled.
    Blank,
}

impl FromStr for DeletedUsersMessages {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "keep" => Ok(Self::Keep),
            "blank" => Ok(Self::Blank),
            _ => Err(format!("`{text}` is neither keep nor blank")),
        }
    }
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
            media_megabytes_per_day: NonZeroU32::new(MEDIA_MEGABYTES_PER_DAY),
            unknown_users: UnknownUsers::default(),
            deleted_users_messages: DeletedUsersMessages::default(),
        }
    }
}

/// The template's default of [`Settings::recall_seconds`].
pub const RECALL_SECONDS: u64 = 120;

/// The template's default of [`Settings::frames_per_second`].
pub const FRAMES_PER_SECOND: u32 = 20;

/// The template's default of [`Settings::new_conversations_per_hour`].
pub const NEW_CONVERSATIONS_PER_HOUR: u32 = 100;

/// The template's default of [`Settings::media_megabytes_per_day`].
pub const MEDIA_MEGABYTES_PER_DAY: u32 = 500;

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
    /// Members of a group.
    pub groups: String,
}

/// Where media are kept.
#[derive(Debug, Clone)]
pub struct MediaPlace {
    /// Whose media they are.
    pub sdk_app_id: u64,
    /// The bucket.
    pub bucket: String,
    /// Where clients find them, and post what is to be there; it ends with a slash.
    pub url: String,
}

/// Where the business server is, and what it is to be told.
#[derive(Debug, Clone)]
pub struct CallbackPlace {
    /// Whose it is.
    pub sdk_app_id: u64,
    /// Where it is.
    pub url: CallbackUrl,
    /// What calls are signed with.
    pub token: CallbackToken,
    /// What becomes of that about which it cannot be asked.
    pub failure: CallbackFailure,
}

/// Where the token is.
#[derive(Debug, Clone)]
pub enum CallbackToken {
    /// There is none, and calls are not signed.
    None,
    /// Here.
    Given(Token),
    /// In the parameter of this name.
    Parameter(String),
}

/// What becomes of that about which the business server cannot be asked: a message, a group that is to be made, somebody who is to
/// come into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallbackFailure {
    /// It is sent, or done.
    #[default]
    Send,
    /// It is refused.
    Refuse,
}

impl FromStr for CallbackFailure {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "send" => Ok(Self::Send),
            "refuse" => Ok(Self::Refuse),
            _ => Err(format!("`{text}` is no way to deal with it: use send or refuse")),
        }
    }
}

impl Config {
    /// The environment of a Lambda function. Its records go to CloudWatch, under the stack's name.
    pub fn from_env() -> Configured<Self> {
        const NAMESPACE: &str = "METRICS_NAMESPACE";
        // First of all, where it runs: whatever else is missing on a laptop, an account is not to be used.
        let config = Self::from_variables(Box::new(|name| std::env::var(name).ok()), aws::sdk_config()?);
        let report = record::embedded_metrics(variable(NAMESPACE)?, Clock::system())
            .map_err(|error| Misconfigured::Wrong { name: NAMESPACE, why: error.to_string() })?;
        Ok(Self { report, ..config })
    }

    /// An environment that a test gives.
    pub fn from_variables(variables: Variables, sdk: SdkConfig) -> Self {
        Self::new(Source::Environment(variables), sdk, Clock::system())
    }

    /// A laptop's: everything that any function needs. Without a place for media there are none.
    pub fn given(
        tables: Tables,
        connections_endpoint: String,
        media: Option<MediaPlace>,
        settings: Settings,
        sdk: SdkConfig,
        clock: Clock,
    ) -> Self {
        let tables = Box::new(tables);
        Self::new(Source::Given { tables, connections_endpoint, media, settings }, sdk, clock)
    }

    fn new(source: Source, sdk: SdkConfig, clock: Clock) -> Self {
        Self {
            source,
            dynamodb: aws_sdk_dynamodb::Client::new(&sdk),
            sdk,
            clock,
            random: Random::system(),
            report: record::log(),
            push_timeout: PUSH_TIMEOUT,
            callback: None,
            breaker: Arc::default(),
            undelivered_queue: None,
            meter: OnceLock::new(),
        }
    }

    /// The name of the table of messages.
    pub(crate) fn messages_table(&self) -> Configured<String> {
        self.table("MESSAGES_TABLE", |tables| &tables.messages)
    }

    /// The name of the table of conversations.
    pub(crate) fn conversations_table(&self) -> Configured<String> {
        self.table("CONVERSATIONS_TABLE", |tables| &tables.conversations)
    }

    /// The name of the table of connections.
    pub(crate) fn connections_table(&self) -> Configured<String> {
        self.table("CONNECTIONS_TABLE", |tables| &tables.connections)
    }

    /// The name of the table of users.
    pub(crate) fn users_table(&self) -> Configured<String> {
        self.table("USERS_TABLE", |tables| &tables.users)
    }

    /// The name of the table of groups.
    pub(crate) fn groups_table(&self) -> Configured<String> {
        self.table("GROUPS_TABLE", |tables| &tables.groups)
    }

    /// [`Settings::retention`].
    pub(crate) fn retention(&self) -> Configured<Option<u64>> {
        self.setting("RETENTION_DAYS", Settings::retention_of, |settings| settings.retention)
    }

    /// [`Settings::multi_device`].
    pub(crate) fn multi_device(&self) -> Configured<MultiDevice> {
        self.setting("MULTI_DEVICE", |policy| policy, |settings| settings.multi_device)
    }

    /// [`Settings::recall_seconds`].
    pub(crate) fn recall_seconds(&self) -> Configured<u64> {
        self.setting("RECALL_SECONDS", |seconds| seconds, |settings| settings.recall_seconds)
    }

    /// [`Settings::new_conversations_per_hour`].
    pub(crate) fn new_conversations_per_hour(&self) -> Configured<Option<NonZeroU32>> {
        self.setting("NEW_CONVERSATIONS_PER_HOUR", NonZeroU32::new, |settings| {
            settings.new_conversations_per_hour
        })
    }

    /// [`Settings::media_megabytes_per_day`].
    pub(crate) fn media_megabytes_per_day(&self) -> Configured<Option<NonZeroU32>> {
        self.setting("MEDIA_MEGABYTES_PER_DAY", NonZeroU32::new, |settings| settings.media_megabytes_per_day)
    }

    /// [`Settings::unknown_users`].
    pub(crate) fn unknown_users(&self) -> Configured<UnknownUsers> {
        self.setting("UNKNOWN_USERS", |users| users, |settings| settings.unknown_users)
    }

    /// [`Settings::deleted_users_messages`].
    pub(crate) fn deleted_users_messages(&self) -> Configured<DeletedUsersMessages> {
        self.setting(
            "DELETED_USERS_MESSAGES",
            |messages| messages,
            |settings| settings.deleted_users_messages,
        )
    }

    /// What this sandbox has seen of its users: one for all who ask.
    pub(crate) fn meter(&self) -> Configured<Arc<Meter>> {
        let per_second =
            self.setting("FRAMES_PER_SECOND", NonZeroU32::new, |settings| settings.frames_per_second)?;
        let meter = || Arc::new(Meter::new(per_second, self.random.clone()));
        Ok(Arc::clone(self.meter.get_or_init(meter)))
    }

    /// Where media are kept, unless this deployment has no place for them.
    pub(crate) fn media(&self) -> Configured<Option<MediaPlace>> {
        match &self.source {
            Source::Environment(_) => {
                let sdk_app_id = self.sdk_app_id()?;
                let Some(bucket) = self.media_bucket() else { return Ok(None) };
                Ok(Some(MediaPlace { sdk_app_id, bucket, url: self.variable("MEDIA_URL")? }))
            }
            Source::Given { media, .. } => Ok(media.clone()),
        }
    }

    /// The bucket that they are in, if there is one.
    pub(crate) fn media_bucket(&self) -> Option<String> {
        match &self.source {
            Source::Environment(_) => self.variable("MEDIA_BUCKET").ok(),
            Source::Given { media, .. } => media.as_ref().map(|place| place.bucket.clone()),
        }
    }

    /// Where the business server is, unless this deployment calls none.
    pub(crate) fn callback(&self) -> Configured<Option<CallbackPlace>> {
        const URL: &str = "CALLBACK_URL";
        let Source::Environment(_) = &self.source else { return Ok(self.callback.clone()) };
        if !self.has_callback() {
            return Ok(None);
        }
        let url = CallbackUrl::parse(&self.variable(URL)?, false);
        let url = url.map_err(|why| Misconfigured::Wrong { name: URL, why })?;
        let token = self.variable("CALLBACK_TOKEN_PARAMETER");
        Ok(Some(CallbackPlace {
            sdk_app_id: self.sdk_app_id()?,
            url,
            token: token.map_or(CallbackToken::None, CallbackToken::Parameter),
            failure: self.parse("CALLBACK_FAILURE")?,
        }))
    }

    /// Whether there is one.
    pub(crate) fn has_callback(&self) -> bool {
        match &self.source {
            Source::Environment(_) => self.variable("CALLBACK_URL").is_ok(),
            Source::Given { .. } => self.callback.is_some(),
        }
    }

    /// The URL of the queue of what it was not told, if there is one.
    pub(crate) fn undelivered_queue(&self) -> Configured<Option<String>> {
        match &self.source {
            Source::Environment(_) => self.variable("UNDELIVERED_QUEUE").map(Some),
            Source::Given { .. } => Ok(self.undelivered_queue.clone()),
        }
    }

    /// Whose app this is.
    pub(crate) fn sdk_app_id(&self) -> Configured<u64> {
        match &self.source {
            Source::Given { media: Some(place), .. } => Ok(place.sdk_app_id),
            _ => self.parse("SDK_APP_ID"),
        }
    }

    /// Who signs forms: the same that makes this function's calls.
    pub(crate) fn form_signer(&self) -> Configured<FormSigner> {
        FormSigner::new(&self.sdk)
    }

    /// The SDK's settings for `@connections`. The endpoint comes from the template and not from the event,
    /// because behind a custom domain the event names a host that does not serve it.
    pub(crate) fn connections_api(&self) -> Configured<aws_sdk_apigatewaymanagement::Config> {
        let endpoint = match &self.source {
            Source::Environment(_) => self.variable("CONNECTIONS_ENDPOINT")?,
            Source::Given { connections_endpoint, .. } => connections_endpoint.clone(),
        };
        let config = aws_sdk_apigatewaymanagement::config::Builder::from(&self.sdk);
        Ok(config.endpoint_url(endpoint).build())
    }

    fn table(&self, name: &'static str, given: fn(&Tables) -> &String) -> Configured<String> {
        match &self.source {
            Source::Environment(_) => self.variable(name),
            Source::Given { tables, .. } => Ok(given(tables).clone()),
        }
    }

    /// A variable that only a function in Lambda has.
    pub(crate) fn variable(&self, name: &'static str) -> Configured<String> {
        match &self.source {
            Source::Environment(variables) => text(name, variables),
            Source::Given { .. } => Err(Misconfigured::Missing(name)),
        }
    }

    /// The same of a type.
    pub(crate) fn parse<T>(&self, name: &'static str) -> Configured<T>
    where
        T: FromStr<Err: std::fmt::Display>,
    {
        let value = self.variable(name)?;
        value.parse().map_err(|error: T::Err| Misconfigured::Wrong { name, why: error.to_string() })
    }

    /// How other services than DynamoDB are called.
    pub(crate) fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    fn setting<Raw, T>(
        &self,
        name: &'static str,
        meaning: fn(Raw) -> T,
        given: fn(&Settings) -> T,
    ) -> Configured<T>
    where
        Raw: FromStr<Err: std::fmt::Display>,
    {
        match &self.source {
            Source::Environment(_) => self.parse(name).map(meaning),
            Source::Given { settings, .. } => Ok(given(settings)),
        }
    }
}
