//! `$default`: whatever no other route takes. It never stays silent.

use hongyan_shared::{Error, Result};
use serde_json::Value;

use crate::{app::App, event::Event, runtime::Reply};

/// Says what is wrong with the frame, or that there is no such action.
///
/// # Errors
/// Always.
pub async fn handle(_app: &App, event: Event) -> Result<Reply> {
    event.request.data::<Value>()?;
    Err(Error::UnknownAction)
}
