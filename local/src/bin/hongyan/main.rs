//! `hongyan`: the laptop twin, the UserSig tools and the import, on the command line.

mod app;
mod import;
mod output;
mod sig;
mod twin;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
    /// Import users and messages out of files of Tencent Cloud IM: docs/migrate.md
    Import(import::Options),
    /// Issue or verify a UserSig
    Sig {
        #[command(subcommand)]
        command: sig::Command,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        None => twin::run(cli.twin).await,
        Some(Command::Local(options)) => twin::run(options).await,
        Some(Command::Import(options)) => import::run(options).await,
        Some(Command::Sig { command }) => sig::run(command),
    }
}
