//! `$default`: whatever no other route takes. It never stays silent.

use hongyan_shared::{Error, Result};
use serde_json::Value;

use super::{Event, Reply};
use crate::config::{Config, Configured};

/// It takes nothing to say that.
pub struct World;

impl World {
    /// The one of any deployment.
    ///
    /// # Errors
    /// None.
    pub fn new(_: &Config) -> Configured<Self> {
        Ok(Self)
    }
}

/// Says what is wrong with the frame, or that there is no such action.
///
/// # Errors
/// Always.
pub async fn handle(_: &World, event: Event) -> Result<Reply> {
    event.request.data::<Value>()?;
    Err(Error::UnknownAction)
}
