//! Whose signature it is: for the handshakes of users, and for the commands of business servers.

use std::num::NonZeroU64;

use hongyan_shared::{
    Error,
    model::UserId,
    sig::{Claims, Expectation, Keys, UnverifiedSig},
};
use tokio::sync::Mutex;
use tracing::warn;

use crate::{
    aws::{is_sam_local, reason},
    config::{Config, Configured, Misconfigured},
};

/// How long keys are used before they are read again: a rotation is complete after this time.
const KEYS_ARE_FRESH_MS: u64 = 300_000;

/// How soon the parameter store is asked again when it did not answer and there are keys.
const ASK_AGAIN_MS: u64 = 30_000;

/// How soon it is asked again when there are none: not for every signature, because anybody can send one.
const ASK_AGAIN_WITHOUT_KEYS_MS: u64 = 5_000;

/// What signatures have to say, and the keys that they are made with.
pub struct Signatures {
    rules: Rules,
    keys: KeySource,
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

impl Signatures {
    /// Those of keys that never change: the laptop's.
    pub fn new(rules: Rules, keys: Keys) -> Self {
        Self { rules, keys: KeySource::Given(keys) }
    }

    /// Those of keys from a parameter of the parameter store, read again every five minutes.
    pub fn with_parameter(rules: Rules, client: aws_sdk_ssm::Client, name: String) -> Self {
        Self { rules, keys: KeySource::Parameter { client, name, cache: Mutex::new(None) } }
    }

    /// Those of this deployment. `USERSIG_KEY` itself is for invocations on a laptop; in an account the key
    /// is in the parameter store.
    pub fn from_config(config: &Config) -> Configured<Self> {
        let rules = Rules {
            sdk_app_id: config.parse("SDK_APP_ID")?,
            max_days: NonZeroU64::new(config.parse("USERSIG_MAX_DAYS")?),
        };
        match config.variable("USERSIG_KEY") {
            Ok(key) => {
                let keys = if is_sam_local() { Keys::parse(&key) } else { Keys::parse_secret(&key) };
                let keys = keys
                    .map_err(|error| Misconfigured::Wrong { name: "USERSIG_KEY", why: error.to_string() })?;
                Ok(Self::new(rules, keys))
            }
            Err(_) => {
                let ssm = aws_sdk_ssm::Client::new(config.sdk());
                Ok(Self::with_parameter(rules, ssm, config.variable("USERSIG_KEY_PARAMETER")?))
            }
        }
    }

    /// What they have to say.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What a user's signature says, if it is theirs and good now. Anybody can send one, so the keys come last: nothing is
    /// fetched for one that no key could save.
    ///
    /// # Errors
    /// [`Error::UserSig`]; [`Error::Internal`] when the keys cannot be read.
    pub async fn verify(&self, user: &UserId, sig: &str, now_ms: u64) -> Result<Claims, Error> {
        let Rules { sdk_app_id, max_days } = self.rules;
        let expected = Expectation { sdk_app_id, identifier: user.as_str(), now: now_ms / 1000 };
        let mut unverified = UnverifiedSig::read(expected, sig)?;
        if let Some(days) = max_days {
            unverified = unverified.within(days.get().saturating_mul(24 * 60 * 60), expected.now)?;
        }
        let keys = self.keys.read(now_ms).await;
        let keys = keys.map_err(|why| Error::Internal(format!("the UserSig keys cannot be read: {why}")))?;
        Ok(unverified.verify(&keys)?)
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
