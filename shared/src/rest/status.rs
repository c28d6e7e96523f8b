//! `openim/query_online_status`: who is online.

use serde::{Deserialize, Serialize};

use super::{Command, Error, Number, Result, Said, accounts::count};
use crate::model::{Platform, UserId};

/// How many users one command may name.
pub const MAX_STATUSES: usize = 500;

/// `query_online_status`, once `querystate`.
#[derive(Debug, Deserialize)]
pub struct QueryOnlineStatus {
    #[serde(rename = "To_Account")]
    to_account: Vec<String>,
    #[serde(rename = "IsNeedDetail")]
    is_need_detail: Said<Number<i64>>,
}

impl QueryOnlineStatus {
    /// The names in the order asked for, as they were given, and whether their devices are wanted as well.
    ///
    /// # Errors
    /// None or too many.
    pub fn parse(self) -> Result<(Vec<String>, bool)> {
        count("`To_Account`", self.to_account.len(), MAX_STATUSES)?;
        Ok((self.to_account, self.is_need_detail.0.is_some_and(|Number(is_needed)| is_needed != 0)))
    }
}

/// The answer to it.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OnlineStatuses {
    /// In the order asked for.
    pub query_result: Vec<OnlineStatus>,
    /// Those whom there are not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub error_list: Vec<StatusError>,
}

/// Whether a user is online: as `query_online_status` calls it, and as `querystate` did, which readers of either look for.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OnlineStatus {
    #[serde(rename = "To_Account")]
    to_account: UserId,
    status: &'static str,
    state: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    detail: Vec<DeviceStatus>,
}

/// A device of theirs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct DeviceStatus {
    platform: &'static str,
    status: &'static str,
}

const ONLINE: &str = "Online";

impl OnlineStatus {
    /// A user with these devices online.
    pub fn new(user: UserId, platforms: impl Iterator<Item = Platform>, needs_detail: bool) -> Self {
        let platforms: Vec<Platform> = platforms.collect();
        let status = if platforms.is_empty() { "Offline" } else { ONLINE };
        let device = |platform: Platform| DeviceStatus { platform: platform.as_str(), status: ONLINE };
        let detail = if needs_detail { platforms.into_iter().map(device).collect() } else { Vec::new() };
        Self { to_account: user, status, state: status, detail }
    }
}

/// A name that is nobody's.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StatusError {
    #[serde(rename = "To_Account")]
    to_account: String,
    error_code: i32,
}

impl StatusError {
    /// There is no account of this name. The code is that of accounts, though the service is another one.
    pub fn no_such_user(to_account: String) -> Self {
        let error_code = Error::NoSuchUser(String::new()).code(Some(Command::AccountCheck));
        Self { to_account, error_code }
    }
}
