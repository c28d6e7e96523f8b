//! `prove run` breaks everything and looks whether anybody notices; `prove check` looks at a history from a file.

use std::{fs::File, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use hongyan_prove::{checker::check, history, run, serve};

#[derive(Parser)]
#[command(name = "prove")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Users and groups while everything breaks, and a check of what they saw
    Run(run::Options),
    /// A check of a history
    Check { file: PathBuf },
    /// The server, as `run` starts it
    #[command(hide = true)]
    Serve(serve::Options),
}

// Each call of the embedded engine takes a thread while it lasts.
#[tokio::main(worker_threads = 8)]
async fn main() -> ExitCode {
    let is_good = match Cli::parse().command {
        Command::Run(options) => run::run(&options).await,
        Command::Serve(options) => {
            serve::serve(options).await;
            true
        }
        Command::Check { file } => {
            let events = File::open(&file).and_then(history::read);
            match events {
                Ok(events) => {
                    let verdict = check(&events);
                    println!("{} operations, {} messages", verdict.operations, verdict.messages);
                    run::say(&verdict)
                }
                Err(error) => {
                    eprintln!("{}: {error}", file.display());
                    false
                }
            }
        }
    };
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
