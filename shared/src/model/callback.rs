//! What a business server makes of a message, and what it is told of it besides what the message says.

use std::collections::BTreeMap;

use serde_json::{Value, value::RawValue};

use super::Platform;
use crate::{Error, Result};

/// What the business server has made of a message before it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verdict {
    /// It is as its sender has sent it. So is whatever nobody was asked about.
    #[default]
    Untouched,
    /// It says what the business server wants it to say.
    Rewritten,
    /// Its sender sees it as any other one, and the other user never does: it is hidden from them and never unread.
    Withheld,
}

/// What is kept of a message for callbacks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallbackNotes {
    /// What was made of it.
    pub verdict: Verdict,
    /// Nobody is asked before it is sent.
    pub is_unasked: bool,
    /// Nobody is told of it afterwards.
    pub is_untold: bool,
    /// The kind of device that it was sent from. A business server has none.
    pub platform: Option<Platform>,
    /// What a notification of it is to be like.
    pub push_info: Option<PushInfo>,
}

/// `OfflinePushInfo`: what the sender wants a notification to be like. It is handed on as an object, and nobody looks into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushInfo(String);

impl PushInfo {
    /// Takes it from outside.
    ///
    /// # Errors
    /// [`Error::BadRequest`] when it is no object.
    pub fn parse(json: &RawValue) -> Result<Self> {
        let members: BTreeMap<String, Value> = serde_json::from_str(json.get())
            .map_err(|_| Error::BadRequest("`offlinePushInfo` must be an object".to_owned()))?;
        Ok(Self(Value::from_iter(members).to_string()))
    }

    /// Takes it back from the store.
    pub fn restore(text: String) -> Self {
        Self(text)
    }

    /// The object, as JSON.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
