//! `hongyan sig`: UserSigs by hand.

use std::process::ExitCode;

use clap::Subcommand;
use hongyan_shared::{
    model::UserId,
    sig::{Expectation, issue, verify},
};
use serde_json::json;

use crate::{
    app::{App, WEEK, now},
    output::{fail, say},
};

#[derive(Subcommand)]
pub enum Command {
    /// Print a UserSig
    Issue {
        /// The user
        #[arg(long)]
        user_id: String,
        /// For how many seconds it is good
        #[arg(long, default_value_t = WEEK, allow_negative_numbers = true)]
        expire: i64,
        #[command(flatten)]
        app: App,
    },
    /// Say as one line of JSON whether a UserSig is good; exit with 0 only if it is
    Verify {
        #[command(flatten)]
        app: App,
        /// The user
        #[arg(long)]
        user_id: String,
        /// The Unix second to verify at, instead of now
        #[arg(long)]
        at: Option<u64>,
        /// The UserSig
        #[arg(allow_hyphen_values = true)]
        sig: String,
    },
}

pub fn run(command: Command) -> ExitCode {
    match command {
        Command::Issue { user_id, expire, app } => {
            if let Err(error) = UserId::parse("--user-id", &user_id) {
                return fail(&error);
            }
            match app.keys() {
                Ok(keys) => say(&issue(keys.current(), app.sdk_app_id, &user_id, now(), expire)),
                Err(error) => return fail(&error),
            }
            ExitCode::SUCCESS
        }
        Command::Verify { app, user_id, at, sig } => {
            let keys = match app.keys() {
                Ok(keys) => keys,
                Err(error) => return fail(&error),
            };
            let expected =
                Expectation { sdk_app_id: app.sdk_app_id, identifier: &user_id, now: at.unwrap_or_else(now) };
            let verdict = verify(&keys, expected, &sig);
            let (code, message) = match &verdict {
                Ok(_) => (0, String::new()),
                Err(refusal) => (refusal.code(), refusal.to_string()),
            };
            say(&json!({ "code": code, "message": message }).to_string());
            if verdict.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
    }
}
