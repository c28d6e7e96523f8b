//! Secrets in the parameter store.

use tokio::sync::Mutex;
use tracing::warn;

use crate::{aws::reason, clock::Clock, config::Config};

/// How long a secret is used before it is read again: a rotation is complete after this time.
const FRESH_MS: u64 = 300_000;

/// How soon the parameter store is asked again when it did not answer and the secret is known.
const ASK_AGAIN_MS: u64 = 30_000;

/// How soon it is asked again when it is not: not every time, because that may be often.
const ASK_AGAIN_WITHOUT_MS: u64 = 5_000;

/// A parameter, and what a function makes of its text.
pub(crate) struct Parameter<T> {
    client: aws_sdk_ssm::Client,
    name: String,
    parse: fn(&str) -> Result<T, String>,
    clock: Clock,
    cache: Mutex<Option<Cached<T>>>,
}

/// What the parameter store said, and until when it is believed.
struct Cached<T> {
    value: Result<T, String>,
    until_ms: u64,
}

impl<T: Clone> Parameter<T> {
    /// The one of this name.
    pub fn new(config: &Config, name: String, parse: fn(&str) -> Result<T, String>) -> Self {
        let client = aws_sdk_ssm::Client::new(config.sdk());
        Self { client, name, parse, clock: config.clock.clone(), cache: Mutex::new(None) }
    }

    /// What it says, as far as the last five minutes are known.
    ///
    /// # Errors
    /// Why it cannot be read, without the text itself.
    pub async fn read(&self) -> Result<T, String> {
        let now_ms = self.clock.now();
        let mut cache = self.cache.lock().await;
        if let Some(cached) = cache.as_ref().filter(|cached| now_ms < cached.until_ms) {
            return cached.value.clone();
        }
        let last_known = cache.as_ref().and_then(|cached| cached.value.as_ref().ok().cloned());
        let (value, good_for_ms) = match (self.fetch().await, last_known) {
            (Ok(value), _) => (Ok(value), FRESH_MS),
            // That the parameter store is away is no reason to do without.
            (Err(why), Some(value)) => {
                warn!(why, "a parameter could not be read again");
                (Ok(value), ASK_AGAIN_MS)
            }
            (Err(why), None) => (Err(why), ASK_AGAIN_WITHOUT_MS),
        };
        *cache = Some(Cached { value: value.clone(), until_ms: now_ms.saturating_add(good_for_ms) });
        value
    }

    async fn fetch(&self) -> Result<T, String> {
        let asked = self.client.get_parameter().name(&self.name).with_decryption(true).send().await;
        let answer = asked.map_err(|error| format!("{}: {}", self.name, reason(&error)))?;
        let text = answer.parameter.and_then(|parameter| parameter.value).unwrap_or_default();
        (self.parse)(&text).map_err(|why| format!("{}: {why}", self.name))
    }
}
