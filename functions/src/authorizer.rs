//! The door. It verifies the UserSig of a handshake and writes into the connection's context who
//! the caller is. That context rides on every later event, so no message pays for the question.

use hongyan_shared::{
    Error,
    model::{Device, UserId},
    sig::{Expectation, Keys, Refusal, Ticket, verify},
};
use lambda_http::aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequestTypeRequest as Handshake;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::Mutex;
use tracing::warn;

use crate::{
    app::{Clock, Misconfigured, report, sdk_config, system_clock, variable},
    event::context,
    telemetry::{self, Line, Report, Tally, reason},
};

/// How long keys are used before they are read again: a rotation is complete after this time.
const KEYS_ARE_FRESH_MS: u64 = 300_000;

/// How soon the parameter store is asked again when it did not answer.
const ASK_AGAIN_MS: u64 = 30_000;

/// The door of one deployment.
pub struct Authorizer {
    sdk_app_id: u64,
    keys: KeySource,
    clock: Clock,
    /// What becomes of the line about a handshake.
    pub report: Report,
}

enum KeySource {
    Given(Keys),
    Parameter { client: aws_sdk_ssm::Client, name: String, cache: Mutex<Option<(Keys, u64)>> },
}

/// Why the door itself fails. API Gateway knows the first text by heart and answers 401; any other
/// becomes a 500.
#[derive(Debug, Error)]
pub enum DoorError {
    /// Nobody has signed.
    #[error("Unauthorized")]
    Unauthorized,
    /// The keys cannot be read.
    #[error("the UserSig keys cannot be read")]
    NoKeys,
}

impl Authorizer {
    /// A door with keys that never change: the laptop's.
    pub fn new(sdk_app_id: u64, keys: Keys, clock: Clock) -> Self {
        Self { sdk_app_id, keys: KeySource::Given(keys), clock, report: telemetry::log() }
    }

    /// A door with keys from a parameter of the parameter store, read again every five minutes.
    pub fn with_parameter(sdk_app_id: u64, client: aws_sdk_ssm::Client, name: String, clock: Clock) -> Self {
        let keys = KeySource::Parameter { client, name, cache: Mutex::new(None) };
        Self { sdk_app_id, keys, clock, report: telemetry::log() }
    }

    /// Reads the environment that template.yaml sets. `USERSIG_KEY` itself is for invocations on a
    /// laptop; in an account the key is in the parameter store.
    ///
    /// # Errors
    /// [`Misconfigured`].
    pub fn from_env() -> Result<Self, Misconfigured> {
        let sdk_app_id = variable("SDK_APP_ID")?.parse().map_err(|error: std::num::ParseIntError| {
            Misconfigured::Wrong { name: "SDK_APP_ID", why: error.to_string() }
        })?;
        let authorizer = match variable("USERSIG_KEY") {
            Ok(key) => {
                let keys = Keys::parse(&key)
                    .map_err(|error| Misconfigured::Wrong { name: "USERSIG_KEY", why: error.to_string() })?;
                Self::new(sdk_app_id, keys, system_clock())
            }
            Err(_) => {
                let client = aws_sdk_ssm::Client::new(&sdk_config()?);
                Self::with_parameter(sdk_app_id, client, variable("USERSIG_KEY_PARAMETER")?, system_clock())
            }
        };
        Ok(Self { report: report()?, ..authorizer })
    }

    /// Lets a handshake through or not.
    ///
    /// # Errors
    /// [`DoorError`], which API Gateway turns into 401 or 500.
    pub async fn handle(&self, handshake: Handshake, request_id: &str) -> Result<Value, DoorError> {
        let started = (self.clock)();
        let admitted = match self.keys.read(started).await {
            Ok(keys) => self.admit(&handshake, &keys),
            Err(why) => Err(Error::Internal(format!("the UserSig keys cannot be read: {why}"))),
        };
        let refused = match &admitted {
            Ok(pass) => pass.expired.clone().map(Error::UserSig),
            Err(refused) => Some(refused.clone()),
        };
        (self.report)(&Line {
            route: "authorizer",
            request_id,
            // Whom he claims to be, whether or not it is true.
            user: claimed_user(&handshake).as_ref().map(UserId::as_str).unwrap_or_default(),
            connection: "",
            ms: (self.clock)().saturating_sub(started),
            refused: refused.as_ref(),
            tally: Tally::default(),
        });

        let method_arn = handshake.method_arn.as_deref().unwrap_or_default();
        match admitted {
            Ok(pass) => Ok(pass.policy(method_arn)),
            Err(Error::UserSig(Refusal::Empty)) => Err(DoorError::Unauthorized),
            Err(Error::Internal(_)) => Err(DoorError::NoKeys),
            Err(_) => Ok(policy("nobody", "Deny", method_arn, json!({}))),
        }
    }

    fn admit(&self, handshake: &Handshake, keys: &Keys) -> Result<Pass, Error> {
        let query = |name: &str| handshake.query_string_parameters.first(name);
        let user = claimed_user(handshake)?;
        // The header wins: it does not end up in anybody's access log.
        let header = handshake.headers.get("authorization").and_then(|value| value.to_str().ok());
        let sig = header.map(|value| value.strip_prefix("Bearer ").unwrap_or(value)).or(query("userSig"));

        let device = Device::parse(query("platform"), query("instance"))?;
        let named: Option<u64> = query("SDKAppID").and_then(|id| id.parse().ok());
        if named != Some(self.sdk_app_id) {
            return Err(Error::UnknownSdkAppId);
        }
        let expected = Expectation {
            sdk_app_id: self.sdk_app_id,
            identifier: user.as_str(),
            now: (self.clock)() / 1000,
        };
        match verify(keys, expected, sig.unwrap_or_default()) {
            Ok(ticket) => Ok(Pass { user, device, ticket, expired: None }),
            // He may come in to be told why he cannot stay.
            Err(Refusal::Expired { genuine: Some(ticket) }) => {
                Ok(Pass { user, device, ticket, expired: Some(Refusal::Expired { genuine: None }) })
            }
            Err(refusal) => Err(refusal.into()),
        }
    }
}

fn claimed_user(handshake: &Handshake) -> Result<UserId, Error> {
    UserId::parse("userID", handshake.query_string_parameters.first("userID").unwrap_or_default())
}

impl KeySource {
    async fn read(&self, now_ms: u64) -> Result<Keys, String> {
        let (client, name, cache) = match self {
            Self::Given(keys) => return Ok(keys.clone()),
            Self::Parameter { client, name, cache } => (client, name, cache),
        };
        let mut cache = cache.lock().await;
        let is_fresh = |read_at: u64| now_ms.saturating_sub(read_at) < KEYS_ARE_FRESH_MS;
        if let Some((keys, _)) = cache.as_ref().filter(|(_, read_at)| is_fresh(*read_at)) {
            return Ok(keys.clone());
        }
        match (fetch(client, name).await, cache.as_ref()) {
            (Ok(keys), _) => {
                *cache = Some((keys.clone(), now_ms));
                Ok(keys)
            }
            // The parameter store being away is no reason to turn everybody away, nor to ask it for
            // every handshake.
            (Err(why), Some((keys, _))) => {
                warn!(why, "the keys could not be read again");
                let keys = keys.clone();
                let asked_at = now_ms.saturating_sub(KEYS_ARE_FRESH_MS).saturating_add(ASK_AGAIN_MS);
                *cache = Some((keys.clone(), asked_at));
                Ok(keys)
            }
            (Err(why), None) => Err(why),
        }
    }
}

async fn fetch(client: &aws_sdk_ssm::Client, name: &str) -> Result<Keys, String> {
    let asked = client.get_parameter().name(name).with_decryption(true).send().await;
    let answer = asked.map_err(|error| reason(&error))?;
    let value = answer.parameter.and_then(|parameter| parameter.value).unwrap_or_default();
    Keys::parse(&value).map_err(|error| error.to_string())
}

/// Who comes in.
struct Pass {
    user: UserId,
    device: Device,
    ticket: Ticket,
    /// Why he cannot stay.
    expired: Option<Refusal>,
}

impl Pass {
    /// API Gateway takes texts, numbers and booleans in a context, and gives back texts.
    fn policy(&self, method_arn: &str) -> Value {
        let mut identity = json!({
            context::USER_ID: self.user,
            context::PLATFORM: self.device.platform,
            context::ISSUED_AT: self.ticket.issued_at.to_string(),
            context::EXPIRES_AT: self.ticket.expires_at.to_string(),
        });
        if let (Some(instance), Some(members)) = (&self.device.instance, identity.as_object_mut()) {
            members.insert(context::INSTANCE.to_owned(), json!(instance));
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

/// The door as one line for logs and panics: never with its keys.
impl std::fmt::Debug for Authorizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authorizer").field("sdk_app_id", &self.sdk_app_id).finish_non_exhaustive()
    }
}
