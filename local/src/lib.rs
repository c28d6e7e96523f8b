//! The laptop twin: what API Gateway, DynamoDB and Lambda do for Hongyan in an account, in one
//! process. The same functions run here, told by the same events, on the same SDK calls; only the
//! endpoints differ.
//!
//! # Layout
//!
//! - [`start`]: everything at once, for the command line and for tests; [`start_with`]: the same with
//!   another [`Lambda`].
//! - `template`: routes, functions and tables, read from template.yaml.
//! - `gateway`: the WebSocket front; `connection`: one connection's life; `event`: what Lambda is
//!   told; `management`: `@connections`.
//! - `database`: the embedded DynamoDB; `dynamodb`: its API; `folder`: where it keeps its file.
//! - `http`: how both are served; `guard`: to whom; [`key`]: what UserSigs are signed with.
//! - `demo`: a page on which two users chat.
//! - [`clock`]: the time, which a test can hold in its hand.

pub mod clock;
mod connection;
mod database;
mod demo;
mod dynamodb;
mod event;
mod folder;
mod gateway;
mod guard;
mod http;
pub mod key;
mod management;
mod template;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use aws_sdk_dynamodb::config::Credentials;
use aws_types::SdkConfig;
use futures_util::future::BoxFuture;
use hongyan_functions::{
    aws::sdk_settings,
    config::{Config as FunctionsConfig, Misconfigured, Settings, Tables},
    functions::Functions,
    store::Connections,
    trigger::authorizer::{Authorizer, Rules},
};
use hongyan_shared::sig::{BadKey, Keys};
use lambda_http::{Body, Response};
use thiserror::Error;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

pub use database::Data;

use crate::{clock::Clock, database::Database, demo::Demo, gateway::Gateway, template::Template};

/// What a twin is made of.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address of this machine on which it listens. Its DynamoDB stays on the loopback.
    pub listen: IpAddr,
    /// The port there; 0 takes any free one.
    pub port: u16,
    /// Where its DynamoDB listens; 0 takes any free port.
    pub dynamodb_port: u16,
    /// Where the tables are.
    pub data: Data,
    /// The app that it serves, and how far its UserSigs may reach.
    pub rules: Rules,
    /// The keys of its UserSigs.
    pub keys: Keys,
    /// The operator's decisions.
    pub settings: Settings,
    /// The time.
    pub clock: Clock,
}

/// What runs the functions, by their names: an event in, an answer out, and none when the function has died on
/// the way.
pub type Lambda = Arc<
    dyn Fn(&'static str, lambda_http::Request) -> BoxFuture<'static, Option<Response<Body>>> + Send + Sync,
>;

/// A twin that runs. Dropping it does not stop it; [`Running::stop`] does.
pub struct Running {
    /// Where a browser finds the chat page.
    pub page_url: String,
    /// Where clients connect: `ws://127.0.0.1:8420/prod`.
    pub websocket_url: String,
    /// The endpoint of the management API.
    pub management_url: String,
    /// The endpoint of the embedded DynamoDB.
    pub dynamodb_url: String,
    /// The names of its tables.
    pub tables: Tables,
    database: Database,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

/// Why a twin does not start, each with what to do about it.
#[derive(Debug, Error)]
pub enum StartError {
    /// Somebody else listens there.
    #[error(
        "{address} cannot be listened on: stop what listens there, or choose another one with --port, or an address of \
         this machine with --listen ({source})"
    )]
    PortTaken {
        /// Address and port.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The folder cannot be used.
    #[error("the folder {path} cannot be used: choose another one with --data ({source})", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Somebody else uses the folder.
    #[error(
        "another hongyan uses the folder {path}: stop it (process {owner}), choose another folder with --data, \
         or use --in-memory",
        path = path.display()
    )]
    FolderTaken {
        /// The folder.
        path: PathBuf,
        /// The number of its process.
        owner: String,
    },
    /// The file is not a database of ours, or not all of it.
    #[error(
        "{path} is not a whole database: put a copy of it back, or move it away with its -wal and -shm to start \
         afresh, or use --in-memory ({why})",
        path = path.display()
    )]
    DataFile {
        /// The file.
        path: PathBuf,
        /// What the engine says.
        why: String,
    },
    /// The file has no key in it.
    #[error("{path}: {source}. Remove it, and the next start makes a new one", path = path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: BadKey,
    },
    /// The template and the code do not fit.
    #[error("template.yaml does not fit this program: {0}")]
    Template(String),
    /// The functions lack something.
    #[error(transparent)]
    Functions(#[from] Misconfigured),
    /// The engine refuses.
    #[error("the embedded DynamoDB does not start: {0}")]
    Database(String),
}

/// Starts a twin.
///
/// # Errors
/// [`StartError`].
pub async fn start(config: Config) -> Result<Running, StartError> {
    start_with(config, |config| {
        let functions = Arc::new(Functions::new(config)?);
        Ok(Arc::new(move |name, event| {
            let functions = Arc::clone(&functions);
            Box::pin(async move { functions.respond(name, event).await })
        }))
    })
    .await
}

/// Starts a twin whose functions are run by something else than itself.
///
/// # Errors
/// [`StartError`].
pub async fn start_with(
    config: Config,
    lambda: impl FnOnce(&FunctionsConfig) -> Result<Lambda, Misconfigured>,
) -> Result<Running, StartError> {
    let template = Template::read()?;
    let (listener, listening) = listen(config.listen, config.port).await?;
    let (stop, stopped) = watch::channel(false);

    let database = Database::open(&config, &template).await?;
    let stage = template.stage.clone();
    // Who listens on every address is found under this machine's own.
    let ip = if listening.ip().is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { listening.ip() };
    let address = SocketAddr::new(ip, listening.port());
    let management_url = format!("http://{address}/{stage}");
    let tables = template.tables();
    let functions_config = FunctionsConfig::given(
        tables.clone(),
        management_url.clone(),
        config.settings,
        sdk_config(&database.url),
        config.clock.reader(),
    );
    let websocket_url = format!("ws://{address}/{stage}");
    let demo = Demo {
        sdk_app_id: config.rules.sdk_app_id,
        keys: config.keys.clone(),
        clock: config.clock.clone(),
        stage,
    };
    let connections = Connections::new(&functions_config)?;
    let authorizer = Authorizer::new(config.rules, config.keys, connections, config.clock.reader());
    let gateway = Arc::new(Gateway::new(
        template,
        lambda(&functions_config)?,
        authorizer,
        config.clock,
        address,
        stopped,
    ));

    Ok(Running {
        page_url: format!("http://{address}/"),
        websocket_url,
        management_url,
        dynamodb_url: database.url.clone(),
        tables,
        database,
        stop,
        server: tokio::spawn(gateway::serve(gateway, demo::router(demo), listener)),
    })
}

async fn listen(ip: IpAddr, port: u16) -> Result<(TcpListener, SocketAddr), StartError> {
    let address = SocketAddr::new(ip, port);
    let taken = |source| StartError::PortTaken { address, source };
    let listener = TcpListener::bind(address).await.map_err(taken)?;
    let address = listener.local_addr().map_err(taken)?;
    Ok((listener, address))
}

/// Waits for a stop. Without a sender the whole twin is gone, which is one as well.
async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

impl Running {
    /// Sweeps what has expired, as DynamoDB does within some days.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn sweep_expired(&self) -> Result<usize, StartError> {
        self.database.sweep()
    }

    /// Closes all connections, lets what is under way end, and closes the database.
    pub async fn stop(self) {
        // Without a receiver there is nothing left to stop.
        let _ = self.stop.send(true);
        let _ = self.server.await;
        self.database.close().await;
    }
}

/// The SDK's settings for an endpoint on this machine, with the functions' own patience.
pub fn sdk_config(endpoint: &str) -> SdkConfig {
    // Nobody checks them here.
    let credentials = Credentials::new("local", "local", None, None, "twin");
    // Without TLS, so that no stack for it has to be loaded.
    let http = aws_smithy_http_client::Builder::new().build_http();
    sdk_settings(credentials, "local".to_owned(), http).endpoint_url(endpoint).build()
}
