//! The authorizer. It verifies the UserSig of a handshake and writes into the connection's context who
//! the caller is. That context rides on every later event, so no message pays for the question.

use std::{num::NonZeroU64, time::Duration};

use hongyan_shared::{
    Error,
    model::{Device, UserId},
    sig::{Claims, Expectation, Keys, UnverifiedSig, UserSigError},
};
use lambda_http::aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequestTypeRequest as Handshake;
use serde_json::{Value, json};
use tokio::{sync::Mutex, time::timeout};
use tracing::warn;

use crate::{
    aws::{is_sam_local, reason},
    caller::context,
    clock::Clock,
    config::{Config, Configured, Misconfigured},
    record::{self, InvocationRecord, MetricCounts, Report},
    store::Connections,
};

/// How long keys are used before they are read again: a rotation is complete after this time.
const KEYS_ARE_FRESH_MS: u64 = 300_000;

/// How soon the parameter store is asked again when it did not answer and there are keys.
const ASK_AGAIN_MS: u64 = 30_000;

/// How soon it is asked again when there are none: not for every handshake, because anybody can make one.
const ASK_AGAIN_WITHOUT_KEYS_MS: u64 = 5_000;

/// How long the table may keep a handshake waiting.
const TIMEOUT: Duration = Duration::from_millis(1_500);

/// The authorizer of one deployment.
pub struct Authorizer {
    rules: Rules,
    keys: KeySource,
    connections: Connections,
    clock: Clock,
    /// What becomes of the line about a handshake.
    pub report: Report,
}

/// What a signature has to say.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The app that it is for.
    pub sdk_app_id: u64,
    /// How many days from now it may reach; as many as it likes if nothing is said.
    pub max_days: Option<NonZeroU64>,
}

enum KeySource {
    Given(Keys),
    Parameter { client: aws_sdk_ssm::Client, name: String, cache: Mutex<Option<Cached>> },
}

/// What the parameter store said, and until when it is believed.
struct Cached {
    keys: Result<Keys, String>,
    until_ms: u64,
}

/// The keys cannot be read. The authorizer itself fails, of which API Gateway makes a 500.
#[derive(Debug, thiserror::Error)]
#[error("the UserSig keys cannot be read")]
pub struct NoKeys;

impl Authorizer {
    /// An authorizer with keys that never change: the laptop's.
    pub fn new(rules: Rules, keys: Keys, connections: Connections, clock: Clock) -> Self {
        Self { rules, keys: KeySource::Given(keys), connections, clock, report: record::log() }
    }

    /// An authorizer with keys from a parameter of the parameter store, read again every five minutes.
    pub fn with_parameter(
        rules: Rules,
        client: aws_sdk_ssm::Client,
        name: String,
        connections: Connections,
        clock: Clock,
    ) -> Self {
        let keys = KeySource::Parameter { client, name, cache: Mutex::new(None) };
        Self { rules, keys, connections, clock, report: record::log() }
    }

    /// The one of this deployment. `USERSIG_KEY` itself is for invocations on a laptop; in an account the key
    /// is in the parameter store.
    pub fn from_config(config: &Config) -> Configured<Self> {
        let rules = Rules {
            sdk_app_id: config.parse("SDK_APP_ID")?,
            max_days: NonZeroU64::new(config.parse("USERSIG_MAX_DAYS")?),
        };
        let (connections, clock) = (Connections::new(config)?, config.clock.clone());
        let authorizer = match config.variable("USERSIG_KEY") {
            Ok(key) => {
                let keys = if is_sam_local() { Keys::parse(&key) } else { Keys::parse_secret(&key) };
                let keys = keys
                    .map_err(|error| Misconfigured::Wrong { name: "USERSIG_KEY", why: error.to_string() })?;
                Self::new(rules, keys, connections, clock)
            }
            Err(_) => {
                let ssm = aws_sdk_ssm::Client::new(config.sdk());
                Self::with_parameter(
                    rules,
                    ssm,
                    config.variable("USERSIG_KEY_PARAMETER")?,
                    connections,
                    clock,
                )
            }
        };
        Ok(Self { report: config.report.clone(), ..authorizer })
    }

    /// Lets a handshake through or not.
    ///
    /// Who is refused has shown nobody who they are, so the line about them names nobody.
    ///
    /// # Errors
    /// [`NoKeys`].
    pub async fn handle(&self, handshake: Handshake, request_id: &str) -> Result<Value, NoKeys> {
        let started = self.clock.now();
        let admitted = self.admit(&handshake, started).await;
        let (user, refused) = match &admitted {
            Ok(grant) => (grant.user.as_str(), grant.over.clone().map(Error::UserSig)),
            Err(refused) => ("", Some(refused.clone())),
        };
        (self.report)(&InvocationRecord {
            route: record::AUTHORIZER,
            request_id,
            user,
            connection: "",
            ms: self.clock.now().saturating_sub(started),
            refused: refused.as_ref(),
            metrics: MetricCounts::default(),
        });

        let method_arn = handshake.method_arn.as_deref().unwrap_or_default();
        match admitted {
            Ok(grant) => Ok(grant.policy(method_arn)),
            Err(Error::Internal(_)) => Err(NoKeys),
            Err(_) => Ok(policy("nobody", "Deny", method_arn, json!({}))),
        }
    }

    /// Anybody can make a handshake, so the keys come last: nothing is fetched for one that no key
    /// could save.
    async fn admit(&self, handshake: &Handshake, now_ms: u64) -> Result<Grant, Error> {
        let query = |name: &str| handshake.query_string_parameters.first(name);
        let user = UserId::parse("userID", query("userID").unwrap_or_default())?;
        let device = Device::parse(query("platform"), query("instance"))?;
        let named: Option<u64> = query("SDKAppID").and_then(|id| id.parse().ok());
        if named != Some(self.rules.sdk_app_id) {
            return Err(Error::UnknownSdkAppId);
        }
        // The header wins: it does not end up in anybody's access log.
        let header = handshake.headers.get("authorization").and_then(|value| value.to_str().ok());
        let sig = header.map(|value| value.strip_prefix("Bearer ").unwrap_or(value)).or(query("userSig"));
        let expected =
            Expectation { sdk_app_id: self.rules.sdk_app_id, identifier: user.as_str(), now: now_ms / 1000 };
        let mut unverified = UnverifiedSig::read(expected, sig.unwrap_or_default())?;
        if let Some(days) = self.rules.max_days {
            unverified = unverified.within(days.get().saturating_mul(24 * 60 * 60), expected.now)?;
        }

        let keys = self.keys.read(now_ms).await;
        let keys = keys.map_err(|why| Error::Internal(format!("the UserSig keys cannot be read: {why}")))?;
        match unverified.verify(&keys) {
            // Who cannot stay may come in to be told why.
            Ok(claims) => {
                let over = self.is_revoked(&user, &claims).await.then_some(UserSigError::Revoked);
                Ok(Grant { user, device, claims, over })
            }
            Err(UserSigError::Expired { genuine: Some(claims) }) => {
                Ok(Grant { user, device, claims, over: Some(UserSigError::Expired { genuine: None }) })
            }
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Whether the user was kicked since the signature was issued. That a registration is conditional
    /// on it is what keeps them out: this is to tell them why, so it may miss the last second, and a
    /// table that does not answer turns nobody away.
    async fn is_revoked(&self, user: &UserId, claims: &Claims) -> bool {
        let looked_up = self.connections.is_revoked(user, claims.issued_at);
        match timeout(TIMEOUT, looked_up).await {
            Ok(Ok(is_revoked)) => is_revoked,
            Ok(Err(error)) => {
                warn!(%error, "nobody can tell whether the user was kicked");
                false
            }
            Err(_) => {
                warn!("looking up whether the user was kicked took too long");
                false
            }
        }
    }
}

impl KeySource {
    async fn read(&self, now_ms: u64) -> Result<Keys, String> {
        let (client, name, cache) = match self {
            Self::Given(keys) => return Ok(keys.clone()),
            Self::Parameter { client, name, cache } => (client, name, cache),
        };
        let mut cache = cache.lock().await;
        if let Some(cached) = cache.as_ref().filter(|cached| now_ms < cached.until_ms) {
            return cached.keys.clone();
        }
        let last_known = cache.take().and_then(|cached| cached.keys.ok());
        let (keys, good_for_ms) = match (fetch(client, name).await, last_known) {
            (Ok(keys), _) => (Ok(keys), KEYS_ARE_FRESH_MS),
            // The parameter store being away is no reason to turn everybody away.
            (Err(why), Some(keys)) => {
                warn!(why, "the keys could not be read again");
                (Ok(keys), ASK_AGAIN_MS)
            }
            (Err(why), None) => (Err(why), ASK_AGAIN_WITHOUT_KEYS_MS),
        };
        *cache = Some(Cached { keys: keys.clone(), until_ms: now_ms.saturating_add(good_for_ms) });
        keys
    }
}

async fn fetch(client: &aws_sdk_ssm::Client, name: &str) -> Result<Keys, String> {
    let asked = client.get_parameter().name(name).with_decryption(true).send().await;
    let answer = asked.map_err(|error| reason(&error))?;
    let value = answer.parameter.and_then(|parameter| parameter.value).unwrap_or_default();
    Keys::parse_secret(&value).map_err(|error| format!("{name}: {error}"))
}

/// Who comes in.
struct Grant {
    user: UserId,
    device: Device,
    claims: Claims,
    /// Why they cannot stay.
    over: Option<UserSigError>,
}

impl Grant {
    /// API Gateway takes texts, numbers and booleans in a context, and gives back texts.
    fn policy(&self, method_arn: &str) -> Value {
        let mut identity = json!({
            context::USER_ID: self.user,
            context::PLATFORM: self.device.platform.as_str(),
            context::ISSUED_AT: self.claims.issued_at.to_string(),
            context::EXPIRES_AT: self.claims.expires_at.to_string(),
        });
        if let Some(members) = identity.as_object_mut() {
            if let Some(instance) = &self.device.instance {
                members.insert(context::INSTANCE.to_owned(), json!(instance));
            }
            // What has expired is told by its time.
            if self.over == Some(UserSigError::Revoked) {
                members.insert(context::REVOKED.to_owned(), json!("true"));
            }
        }
        policy(self.user.as_str(), "Allow", method_arn, identity)
    }
}

fn policy(principal: &str, effect: &str, method_arn: &str, context: Value) -> Value {
    json!({
        "principalId": principal,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{ "Action": "execute-api:Invoke", "Effect": effect, "Resource": method_arn }],
        },
        "context": context,
    })
}

/// The authorizer as one line for logs and panics: never with its keys.
impl std::fmt::Debug for Authorizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authorizer").field("rules", &self.rules).finish_non_exhaustive()
    }
}
