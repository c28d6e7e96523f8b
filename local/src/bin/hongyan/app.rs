//! The app, as all commands are told of it.

use std::path::PathBuf;

use clap::Args;
use hongyan_local::{StartError, clock::Clock, key};
use hongyan_shared::sig::Keys;

/// The SDKAppID of laptops. In an account it is a parameter of the deployment.
pub const SDK_APP_ID: u64 = 1_400_000_000;

pub const WEEK: i64 = 7 * 24 * 60 * 60;

/// The app that is served or signed for.
#[derive(Args)]
pub struct App {
    /// The SDKAppID
    #[arg(long, default_value_t = SDK_APP_ID)]
    pub sdk_app_id: u64,
    /// The UserSig key, or two during a rotation: new,old. Default: that of the folder, made at the first start
    #[arg(long, value_parser = Keys::parse)]
    pub key: Option<Keys>,
    /// The folder that keeps the chat, and its key
    #[arg(long, default_value = ".hongyan")]
    pub data: PathBuf,
}

impl App {
    /// The keys that were given, or those of the folder.
    pub fn keys(&self) -> Result<Keys, StartError> {
        match &self.key {
            Some(keys) => Ok(keys.clone()),
            None => key::of(&self.data).map(Keys::one),
        }
    }
}

/// Unix time in seconds.
pub fn now() -> u64 {
    Clock::System.now() / 1000
}
