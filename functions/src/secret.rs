//! Secrets: given, as on a laptop, or kept in the parameter store.

use std::time::Duration;

use tokio::{sync::Mutex, time::timeout};
use tracing::warn;

use crate::aws::reason;

/// How long a secret is used before it is read again: a rotation is complete after this time.
const FRESH_MS: u64 = 300_000;

/// How long the parameter store may take when the secret is known: who needs it has a time of its own, and more to do in it.
const TIMEOUT: Duration = Duration::from_millis(500);

/// How soon the parameter store is asked again when it did not answer and the secret is known.
const ASK_AGAIN_MS: u64 = 30_000;

/// How soon it is asked again when it is not: not every time, because anybody can make a function ask.
const ASK_AGAIN_WITHOUT_MS: u64 = 5_000;

/// A secret, as what a function makes of its text.
pub struct Secret<T>(Source<T>);

enum Source<T> {
    Given(T),
    Parameter {
        client: aws_sdk_ssm::Client,
        name: String,
        parse: fn(&str) -> Result<T, String>,
        cache: Mutex<Option<Cached<T>>>,
    },
}

/// What the parameter store said, and until when it is believed.
struct Cached<T> {
    value: Result<T, String>,
    until_ms: u64,
}

impl<T> From<T> for Secret<T> {
    /// One that never changes.
    fn from(value: T) -> Self {
        Self(Source::Given(value))
    }
}

impl<T: Clone> Secret<T> {
    /// The one in the parameter of this name, read again every five minutes.
    pub fn in_parameter(
        sdk: impl Into<aws_sdk_ssm::Config>,
        name: String,
        parse: fn(&str) -> Result<T, String>,
    ) -> Self {
        let client = aws_sdk_ssm::Client::from_conf(sdk.into());
        Self(Source::Parameter { client, name, parse, cache: Mutex::new(None) })
    }

    /// What it is, as far as the last five minutes are known.
    ///
    /// # Errors
    /// Why it cannot be read, without its text.
    pub async fn read(&self, now_ms: u64) -> Result<T, String> {
        let (client, name, parse, cache) = match &self.0 {
            Source::Given(value) => return Ok(value.clone()),
            Source::Parameter { client, name, parse, cache } => (client, name, parse, cache),
        };
        let mut cache = cache.lock().await;
        if let Some(cached) = cache.as_ref().filter(|cached| now_ms < cached.until_ms) {
            return cached.value.clone();
        }
        let last_known = cache.as_ref().and_then(|cached| cached.value.as_ref().ok().cloned());
        let fetched = match last_known {
            None => fetch(client, name).await,
            Some(_) => timeout(TIMEOUT, fetch(client, name))
                .await
                .unwrap_or_else(|_| Err("the parameter store has not answered in half a second".to_owned())),
        };
        let read = fetched.and_then(|text| parse(&text));
        let (value, good_for_ms) = match (read.map_err(|why| format!("{name}: {why}")), last_known) {
            (Ok(value), _) => (Ok(value), FRESH_MS),
            // That the parameter store is away is no reason to do without.
            (Err(why), Some(value)) => {
                warn!(why, "a secret could not be read again");
                (Ok(value), ASK_AGAIN_MS)
            }
            (Err(why), None) => (Err(why), ASK_AGAIN_WITHOUT_MS),
        };
        *cache = Some(Cached { value: value.clone(), until_ms: now_ms.saturating_add(good_for_ms) });
        value
    }
}

async fn fetch(client: &aws_sdk_ssm::Client, name: &str) -> Result<String, String> {
    let asked = client.get_parameter().name(name).with_decryption(true).send().await;
    let answer = asked.map_err(|error| reason(&error))?;
    Ok(answer.parameter.and_then(|parameter| parameter.value).unwrap_or_default())
}
