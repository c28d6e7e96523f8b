//! Whose signature it is: for the handshakes of users, and for the commands of business servers.

use std::num::NonZeroU64;

use hongyan_shared::{
    Error,
    model::UserId,
    sig::{Claims, Expectation, Keys, UnverifiedSig},
};

use crate::{
    aws::is_sam_local,
    config::{Config, Configured, Misconfigured},
    secret::Secret,
};

/// What signatures have to say, and the keys that they are made with.
pub struct Signatures {
    rules: Rules,
    keys: Secret<Keys>,
}

/// What a signature has to say.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The app that it is for.
    pub sdk_app_id: u64,
    /// How many days from now it may reach; as many as it likes if nothing is said.
    pub max_days: Option<NonZeroU64>,
}

impl Signatures {
    /// Those that are made with these keys.
    pub fn new(rules: Rules, keys: impl Into<Secret<Keys>>) -> Self {
        Self { rules, keys: keys.into() }
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
                let parse = |text: &str| Keys::parse_secret(text).map_err(|error| error.to_string());
                let name = config.variable("USERSIG_KEY_PARAMETER")?;
                Ok(Self::new(rules, Secret::in_parameter(config.sdk(), name, parse)))
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
