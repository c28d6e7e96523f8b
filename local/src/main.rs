//! `hongyan`: the laptop twin and the UserSig tools, on the command line.

use std::{
    io::{BufRead, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use hongyan_functions::app::{RECALL_SECONDS, Settings};
use hongyan_local::{Config, Data, Running, clock::Clock, start};
use hongyan_shared::{
    model::{MultiDevice, UserId},
    sig::{Expectation, Keys, issue, verify},
};
use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;

/// The SDKAppID of laptops. In an account it is a parameter of the deployment.
const SDK_APP_ID: u64 = 1_400_000_000;

/// The key of laptops, the sample in the official libraries' READMEs. It protects nothing.
const KEY: &str = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";

const WEEK: i64 = 7 * 24 * 60 * 60;

/// Instant messaging that a mini-program team owns.
#[derive(Parser)]
#[command(name = "hongyan", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    local: LocalArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything on this machine, without an account: what `hongyan` alone does too
    Local(LocalArgs),
    /// Issue or verify a UserSig
    Sig {
        #[command(subcommand)]
        command: SigCommand,
    },
}

#[derive(Args)]
struct LocalArgs {
    /// The port to listen on, with the tables on the next one; 0 takes any free ones
    #[arg(long, default_value_t = 8420)]
    port: u16,
    /// The folder that keeps the chat
    #[arg(long, default_value = ".hongyan", conflicts_with = "in_memory")]
    data: PathBuf,
    /// Keep the chat in memory: it ends with the program
    #[arg(long)]
    in_memory: bool,
    #[command(flatten)]
    app: AppArgs,
    /// How many connections a user may have: one, one-per-platform or many
    #[arg(long, default_value = "one-per-platform")]
    multi_device: MultiDevice,
    /// How many days a message is kept; 0 keeps everything
    #[arg(long, default_value_t = 0)]
    retention_days: u64,
    /// For how many seconds a message can be recalled
    #[arg(long, default_value_t = RECALL_SECONDS)]
    recall_seconds: u64,
    /// Say that it is ready as JSON
    #[arg(long)]
    json: bool,
    /// Let the clock stand still, and move it by the milliseconds that each line of the input says.
    /// For tests of clients, which cannot wait for two hours to pass
    #[arg(long, hide = true)]
    manual_clock: bool,
}

#[derive(Args)]
struct AppArgs {
    /// The SDKAppID
    #[arg(long, default_value_t = SDK_APP_ID)]
    sdk_app_id: u64,
    /// The UserSig key, or two during a rotation: new,old. Default: a sample that protects nothing
    #[arg(long, default_value = KEY, hide_default_value = true, value_parser = Keys::parse)]
    key: Keys,
}

#[derive(Subcommand)]
enum SigCommand {
    /// Print a UserSig
    Issue {
        /// The user
        #[arg(long)]
        user_id: String,
        /// For how many seconds it is good
        #[arg(long, default_value_t = WEEK, allow_negative_numbers = true)]
        expire: i64,
        #[command(flatten)]
        app: AppArgs,
    },
    /// Say as one line of JSON whether a UserSig is good; exit with 0 only if it is
    Verify {
        #[command(flatten)]
        app: AppArgs,
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

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        None => local(cli.local).await,
        Some(Command::Local(args)) => local(args).await,
        Some(Command::Sig { command }) => sig(command),
    }
}

fn sig(command: SigCommand) -> ExitCode {
    match command {
        SigCommand::Issue { user_id, expire, app } => {
            if let Err(error) = UserId::parse("--user-id", &user_id) {
                return fail(&error.to_string());
            }
            say(&issue(app.key.current(), app.sdk_app_id, &user_id, now(), expire));
            ExitCode::SUCCESS
        }
        SigCommand::Verify { app, user_id, at, sig } => {
            let expected =
                Expectation { sdk_app_id: app.sdk_app_id, identifier: &user_id, now: at.unwrap_or_else(now) };
            let verdict = verify(&app.key, expected, &sig);
            let (code, message) = match &verdict {
                Ok(_) => (0, String::new()),
                Err(refusal) => (refusal.code(), refusal.to_string()),
            };
            say(&json!({ "code": code, "message": message }).to_string());
            if verdict.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
    }
}

async fn local(args: LocalArgs) -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        // The engine warns of every condition that does not hold, which is daily life here.
        .with_env_filter(
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,dynoxide=error")),
        )
        .init();
    let clock = if args.manual_clock { Clock::manual(Clock::System.now()) } else { Clock::System };
    let config = Config {
        port: args.port,
        // Next to it, so that `sam local invoke` and the AWS CLI find it again.
        dynamodb_port: if args.port == 0 { 0 } else { args.port.saturating_add(1) },
        data: if args.in_memory { Data::Memory } else { Data::Folder(args.data) },
        sdk_app_id: args.app.sdk_app_id,
        keys: args.app.key.clone(),
        settings: Settings {
            retention: Settings::retention_of(args.retention_days),
            multi_device: args.multi_device,
            recall_seconds: args.recall_seconds,
        },
        clock: clock.clone(),
    };
    let running = match start(config).await {
        Ok(running) => running,
        Err(error) => return fail(&error.to_string()),
    };
    let users = ["alice", "bob"].map(|user| ReadyUser::new(&running, &args.app, user));
    if args.json {
        say(&as_json(&running, &users).to_string());
    } else {
        let (socket, tables) = (&running.websocket_url, &running.dynamodb_url);
        say(&format!("Hongyan is ready at {socket}, its tables are at {tables}. Stop it with Ctrl-C."));
        eprint!("{}", introduction(&running, &users));
    }
    if args.manual_clock {
        std::thread::spawn(move || move_by_input(&clock));
    }
    interrupted().await;
    // Whoever does not want to wait says it once more.
    tokio::select! {
        () = running.stop() => ExitCode::SUCCESS,
        () = interrupted() => fail("stopped before everything under way had ended"),
    }
}

/// Moves the clock by each line of the input, and says how late it is then.
fn move_by_input(clock: &Clock) {
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        match line.trim().parse() {
            Ok(by) => {
                clock.advance(Duration::from_millis(by));
                say(&json!({ "now": clock.now() }).to_string());
            }
            Err(_) => eprintln!("hongyan: `{line}` is no number of milliseconds"),
        }
    }
}

/// A user that a newcomer can log in as.
struct ReadyUser {
    user_id: &'static str,
    user_sig: String,
    url: String,
}

impl ReadyUser {
    fn new(running: &Running, app: &AppArgs, user_id: &'static str) -> Self {
        let user_sig = issue(app.key.current(), app.sdk_app_id, user_id, now(), WEEK);
        let url = format!(
            "{}?SDKAppID={}&userID={user_id}&userSig={user_sig}&platform=Web",
            running.websocket_url, app.sdk_app_id
        );
        Self { user_id, user_sig, url }
    }
}

fn as_json(running: &Running, users: &[ReadyUser]) -> Value {
    let users: Vec<Value> = users
        .iter()
        .map(|user| json!({ "userID": user.user_id, "userSig": user.user_sig, "url": user.url }))
        .collect();
    json!({
        "pageUrl": running.page_url,
        "webSocketUrl": running.websocket_url,
        "managementUrl": running.management_url,
        "dynamodbUrl": running.dynamodb_url,
        "users": users,
    })
}

fn introduction(running: &Running, users: &[ReadyUser]) -> String {
    let mut text = format!("\nOpen {} and let alice and bob talk.\n", running.page_url);
    text.push_str("\nFor a look at the frames, connect each of them in a terminal of its own:\n");
    for user in users {
        text.push_str(&format!("\n  npx wscat -c '{}'\n", user.url));
    }
    text.push('\n');
    text
}

async fn interrupted() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            // Ctrl-C is still there.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

/// Unix time in seconds.
fn now() -> u64 {
    Clock::System.now() / 1000
}

/// Whoever read this line may have gone away, which is his business.
fn say(line: &str) {
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "{line}");
    let _ = stdout.flush();
}

fn fail(why: &str) -> ExitCode {
    eprintln!("hongyan: {why}");
    ExitCode::FAILURE
}
