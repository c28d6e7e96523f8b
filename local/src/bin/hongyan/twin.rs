//! `hongyan` and `hongyan local`: the twin.

use std::{
    io::BufRead,
    net::{IpAddr, Ipv4Addr},
    num::{NonZeroU32, NonZeroU64},
    process::ExitCode,
    time::Duration,
};

use clap::{ArgAction, Args};
use hongyan_functions::{
    config::{
        CallbackFailure, CallbackPlace, CallbackToken, DeletedUsersMessages, FRAMES_PER_SECOND,
        MEDIA_MEGABYTES_PER_DAY, NEW_CONVERSATIONS_PER_HOUR, RECALL_SECONDS, Settings, UnknownUsers,
    },
    trigger::{
        rest::{ADMINISTRATOR, Administrators},
        signatures::Rules,
    },
};
use hongyan_local::{Config, Data, Running, clock::Clock, key, start};
use hongyan_shared::{
    callback::{CallbackUrl, Token},
    model::MultiDevice,
    sig::{Keys, issue},
};
use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;

use crate::{
    app::{App, WEEK, now},
    output::{fail, say},
};

#[derive(Args)]
pub struct Options {
    /// The port to listen on, with the tables on the next one; 0 takes any free ones
    #[arg(long, default_value_t = 8420)]
    port: u16,
    /// The address to listen on: one of this machine, or 0.0.0.0 for all of them, lets phones in the same network in.
    /// Needs --key. The tables stay on this machine
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    listen: IpAddr,
    /// Keep the chat in memory: it ends with the program, and so does its key
    #[arg(long, conflicts_with = "data")]
    in_memory: bool,
    /// Let each write wait for the disk: nothing is lost even when the machine loses its power, and a send takes longer
    #[arg(long, conflicts_with = "in_memory")]
    durable: bool,
    #[command(flatten)]
    app: App,
    /// The accounts that a business server may ask by, with commas between
    #[arg(long, value_name = "ACCOUNTS", default_value = ADMINISTRATOR)]
    administrators: Administrators,
    /// How many days from now a UserSig may reach; 0 takes any
    #[arg(long, default_value_t = 0)]
    user_sig_max_days: u64,
    /// How many connections a user may have: one, one-per-platform or many
    #[arg(long, default_value = "one-per-platform")]
    multi_device: MultiDevice,
    /// How many days a message is kept; 0 keeps everything
    #[arg(long, default_value_t = 0)]
    retention_days: u64,
    /// For how many seconds a message can be recalled
    #[arg(long, default_value_t = RECALL_SECONDS)]
    recall_seconds: u64,
    /// How many frames a user may send per second, and three times as many at once; 0 sets no limit
    #[arg(long, default_value_t = FRAMES_PER_SECOND)]
    frames_per_second: u32,
    /// How many conversations a user may open per hour, groups among them; 0 sets no limit
    #[arg(long, default_value_t = NEW_CONVERSATIONS_PER_HOUR)]
    new_conversations_per_hour: u32,
    /// How many megabytes a user may upload per day; 0 sets no limit
    #[arg(long, default_value_t = MEDIA_MEGABYTES_PER_DAY)]
    media_megabytes_per_day: u32,
    /// Whether anybody may be written to who has no account: accept or refuse
    #[arg(long, default_value = "accept")]
    unknown_users: UnknownUsers,
    /// What becomes of the messages of a user whose account is deleted: keep or blank
    #[arg(long, default_value = "keep")]
    deleted_users_messages: DeletedUsersMessages,
    /// Where your server is asked before a message is sent, and told of what has happened: https://… or http://127.0.0.1:…
    #[arg(long, value_name = "URL", value_parser = callback_url)]
    callback_url: Option<CallbackUrl>,
    /// What those calls are signed with
    #[arg(long, value_name = "TOKEN", requires = "callback_url")]
    callback_token: Option<String>,
    /// What becomes of a message about which your server cannot be asked: send or refuse
    #[arg(long, default_value = "send")]
    callback_failure: CallbackFailure,
    /// Say what happens: a line per frame and request, twice for the tables as well. RUST_LOG says it in more detail
    #[arg(long, short, action = ArgAction::Count)]
    verbose: u8,
    /// Say that it is ready as JSON
    #[arg(long)]
    json: bool,
    /// Let the clock stand still, and move it by the milliseconds that each line of the input says.
    /// For tests of clients, which cannot wait for two hours to pass
    #[arg(long, hide = true)]
    manual_clock: bool,
}

pub async fn run(options: Options) -> ExitCode {
    if let Err(why) = log(options.verbose) {
        return fail(&why);
    }
    let keys = match keys(&options) {
        Ok(keys) => keys,
        Err(why) => return fail(&why),
    };
    let callback = callback(&options);
    let clock = if options.manual_clock { Clock::manual(Clock::System.now()) } else { Clock::System };
    let config = Config {
        listen: options.listen,
        port: options.port,
        // Next to it, so that `sam local invoke` and the AWS CLI find it again.
        dynamodb_port: if options.port == 0 { 0 } else { options.port.saturating_add(1) },
        data: match options.app.data {
            _ if options.in_memory => Data::Memory,
            folder if options.durable => Data::DurableFolder(folder),
            folder => Data::Folder(folder),
        },
        rules: Rules {
            sdk_app_id: options.app.sdk_app_id,
            max_days: NonZeroU64::new(options.user_sig_max_days),
        },
        keys: keys.clone(),
        administrators: options.administrators,
        settings: Settings {
            retention: Settings::retention_of(options.retention_days),
            multi_device: options.multi_device,
            recall_seconds: options.recall_seconds,
            frames_per_second: NonZeroU32::new(options.frames_per_second),
            new_conversations_per_hour: NonZeroU32::new(options.new_conversations_per_hour),
            media_megabytes_per_day: NonZeroU32::new(options.media_megabytes_per_day),
            unknown_users: options.unknown_users,
            deleted_users_messages: options.deleted_users_messages,
        },
        callback,
        clock: clock.clone(),
    };
    let running = match start(config).await {
        Ok(running) => running,
        Err(error) => return fail(&error),
    };
    let users = ["alice", "bob"].map(|user| User::new(&running, &keys, options.app.sdk_app_id, user));
    if options.json {
        say(&as_json(&running, &keys, &users).to_string());
    } else {
        say(&introduction(&running, options.listen, &users));
    }
    if options.manual_clock {
        std::thread::spawn(move || move_by_input(&clock));
    }
    interrupted().await;
    // Who does not want to wait says it once more.
    tokio::select! {
        () = running.stop() => ExitCode::SUCCESS,
        () = interrupted() => fail(&"stopped before everything under way had ended"),
    }
}

fn callback_url(text: &str) -> Result<CallbackUrl, String> {
    CallbackUrl::parse(text, true)
}

/// The business server, if there is one.
fn callback(options: &Options) -> Option<CallbackPlace> {
    let token = options.callback_token.as_deref().map(Token::new);
    Some(CallbackPlace {
        sdk_app_id: options.app.sdk_app_id,
        url: options.callback_url.clone()?,
        token: token.map_or(CallbackToken::None, CallbackToken::Given),
        failure: options.callback_failure,
    })
}

fn log(verbose: u8) -> Result<(), String> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(filter) if !filter.is_empty() => EnvFilter::try_new(filter)
            .map_err(|error| format!("RUST_LOG is wrong: {error}. RUST_LOG=info is what -v does"))?,
        // The engine warns of every condition that does not hold, which is daily life here.
        _ => EnvFilter::new(match verbose {
            0 => "warn,dynoxide=error",
            1 => "warn,dynoxide=error,hongyan_functions=info,hongyan_local=info",
            _ => "warn,dynoxide=error,hongyan_functions=debug,hongyan_local=debug",
        }),
    };
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).with_env_filter(filter).init();
    Ok(())
}

/// The twin signs for who asks. Where others can ask, its key must be good for nothing else.
fn keys(options: &Options) -> Result<Keys, String> {
    match &options.app.key {
        Some(keys) if options.listen.is_loopback() || !keys.has_sample() => Ok(keys.clone()),
        _ if !options.listen.is_loopback() => Err(format!(
            "--listen {} lets in all who can reach it, and the twin signs for every name that they ask for. Give it a \
             key that opens nothing else, neither the published sample nor your deployment's: \
             --key \"$(openssl rand -hex 32)\"",
            options.listen
        )),
        _ if options.in_memory => Ok(Keys::one(key::fresh())),
        _ => options.app.keys().map_err(|error| error.to_string()),
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
struct User {
    user_id: &'static str,
    user_sig: String,
    url: String,
}

impl User {
    fn new(running: &Running, keys: &Keys, sdk_app_id: u64, user_id: &'static str) -> Self {
        let user_sig = issue(keys.current(), sdk_app_id, user_id, now(), WEEK);
        // Another platform and instance than the page's, so that neither kicks the other out.
        let url = format!(
            "{}?SDKAppID={sdk_app_id}&userID={user_id}&userSig={user_sig}&platform=Linux&instance=terminal",
            running.websocket_url
        );
        Self { user_id, user_sig, url }
    }
}

fn as_json(running: &Running, keys: &Keys, users: &[User]) -> Value {
    let users: Vec<Value> = users
        .iter()
        .map(|user| json!({ "userID": user.user_id, "userSig": user.user_sig, "url": user.url }))
        .collect();
    json!({
        "pageUrl": running.page_url,
        "webSocketUrl": running.websocket_url,
        "restUrl": running.rest_url,
        "mediaUrl": running.media.url,
        "managementUrl": running.management_url,
        "dynamodbUrl": running.dynamodb_url,
        "key": keys.current().text(),
        "users": users,
    })
}

fn introduction(running: &Running, listen: IpAddr, users: &[User]) -> String {
    let mut text = format!("Open {} and let alice and bob talk.\n", running.page_url);
    // The page and the media are at the same place, and media are for phones as well.
    if listen.is_unspecified() && running.media.url != running.page_url {
        text.push_str(&format!("\nFrom a phone in the same network: {}\n", running.media.url));
    }
    text.push_str("\nFor a look at the frames, connect each of them in a terminal of its own:\n");
    for user in users {
        text.push_str(&format!("\n  npx wscat -c '{}'\n", user.url));
    }
    text.push_str(&format!(
        "\nYour server sends its commands to {}, with a UserSig of `hongyan sig issue --user-id {ADMINISTRATOR}`.\n",
        running.rest_url
    ));
    text.push_str(&format!("\nThe tables are at {}. Stop it with Ctrl-C.", running.dynamodb_url));
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
