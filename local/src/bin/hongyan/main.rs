//! `hongyan`: the laptop twin and the UserSig tools, on the command line.

mod sig;
mod twin;

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use hongyan_local::{clock::Clock, key};
use hongyan_shared::sig::Keys;

/// The SDKAppID of laptops. In an account it is a parameter of the deployment.
const SDK_APP_ID: u64 = 1_400_000_000;

const WEEK: i64 = 7 * 24 * 60 * 60;

/// Instant messaging that a mini-program team owns.
#[derive(Parser)]
#[command(name = "hongyan", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    twin: twin::Options,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything on this machine, without an account: what `hongyan` alone does too
    Local(twin::Options),
    /// Issue or verify a UserSig
    Sig {
        #[command(subcommand)]
        command: sig::Command,
    },
}

/// The app that is served or signed for.
#[derive(Args)]
struct App {
    /// The SDKAppID
    #[arg(long, default_value_t = SDK_APP_ID)]
    sdk_app_id: u64,
    /// The UserSig key, or two during a rotation: new,old. Default: that of the folder, made at the first start
    #[arg(long, value_parser = Keys::parse)]
    key: Option<Keys>,
    /// The folder that keeps the chat, and its key
    #[arg(long, default_value = ".hongyan")]
    data: PathBuf,
}

impl App {
    /// The keys that were given, or those of the folder.
    fn keys(&self) -> Result<Keys, hongyan_local::StartError> {
        match &self.key {
            Some(keys) => Ok(keys.clone()),
            None => key::of(&self.data).map(Keys::one),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        None => twin::run(cli.twin).await,
        Some(Command::Local(options)) => twin::run(options).await,
        Some(Command::Sig { command }) => sig::run(command),
    }
}

/// Unix time in seconds.
fn now() -> u64 {
    Clock::System.now() / 1000
}

/// Who read this may have gone away, which is no concern of ours.
fn say(text: &str) {
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "{text}");
    let _ = stdout.flush();
}

fn fail(why: &impl std::fmt::Display) -> ExitCode {
    eprintln!("hongyan: {why}");
    ExitCode::FAILURE
}
