//! What is told of users who come and go.

use serde::Serialize;

use super::{Call, Command, to_text};
use crate::model::{Platform, UserId};

/// How a connection has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The user has logged out.
    LoggedOut,
    /// It was closed, by whichever side.
    Closed,
    /// Nothing was heard of it any more.
    TimedOut,
}

/// A device has come or gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateChange {
    /// It has come, and has taken the place of those.
    Login {
        /// The kind of device.
        platform: Platform,
        /// The kinds of those that were kicked out for it.
        kicked: Vec<Platform>,
    },
    /// It has gone.
    Logout {
        /// The kind of device.
        platform: Platform,
        /// How.
        end: End,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    callback_command: &'static str,
    event_time: u64,
    info: Info<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kicked_device: Vec<Kicked>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Info<'a> {
    action: &'static str,
    #[serde(rename = "To_Account")]
    user: &'a UserId,
    reason: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Kicked {
    platform: &'static str,
}

impl StateChange {
    /// Of this user, at that time in milliseconds.
    pub fn call(&self, user: &UserId, time: u64) -> Call {
        let (platform, action, reason, kicked) = match self {
            Self::Login { platform, kicked } => (platform, "Login", "Register", kicked.as_slice()),
            Self::Logout { platform, end: End::LoggedOut } => (platform, "Logout", "Unregister", &[][..]),
            Self::Logout { platform, end: End::Closed } => (platform, "Disconnect", "LinkClose", &[][..]),
            Self::Logout { platform, end: End::TimedOut } => (platform, "Disconnect", "TimeOut", &[][..]),
        };
        let command = Command::Presence;
        let body = to_text(&Body {
            callback_command: command.name(),
            event_time: time,
            info: Info { action, user, reason },
            kicked_device: kicked.iter().map(|platform| Kicked { platform: name(*platform) }).collect(),
        });
        Call { command, platform: name(*platform), body }
    }
}

/// Here, and here alone, Tencent writes it so.
fn name(platform: Platform) -> &'static str {
    match platform {
        Platform::Ios => "IOS",
        platform => platform.as_str(),
    }
}
