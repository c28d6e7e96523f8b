//! The laptop twin: what API Gateway, DynamoDB and Lambda do for Hongyan in an account, in one
//! process. The same functions run here, told by the same events, on the same SDK calls; only the
//! endpoints differ.
//!
//! # Layout
//!
//! - [`start`]: everything at once, for the command line and for tests; [`start_with`]: the same with
//!   another [`Lambda`].
//! - `template`: routes, functions and tables, read from template.yaml.
//! - `lambda`: who runs the functions. `gateway`: the WebSocket front; `connection`: one connection's life; `event`: what Lambda is
//!   told; `management`: `@connections`.
//! - `rest`: the API for business servers.
//! - `stream`: what the tables' streams tell, and to which functions. `media`: the bucket of what users upload.
//! - `database`: the embedded DynamoDB; `dynamodb`: its API; `engine_client`: the functions' way to it; `folder`: where it keeps its file.
//! - `http`: how both are served, and `shutdown` until when; `guard`: to whom; [`key`]: what UserSigs are
//!   signed with; `sdk`: how the functions reach them; `error`: why a twin does not start.
//! - [`import`]: users and messages out of Tencent's files.
//! - `demo`: a page on which two users chat.
//! - [`clock`]: the time, which a test can hold in its hand.

pub mod clock;
mod connection;
mod database;
mod demo;
mod dynamodb;
mod engine_client;
mod error;
mod event;
mod folder;
mod gateway;
mod guard;
mod http;
pub mod import;
pub mod key;
mod lambda;
mod management;
mod media;
mod rest;
mod sdk;
mod shutdown;
mod stream;
mod template;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

use hongyan_functions::{
    config::{CallbackPlace, Config as FunctionsConfig, MediaPlace, Misconfigured, Settings, Tables},
    store::Connections,
    trigger::{
        authorizer::Authorizer,
        rest::{Administrators, Function},
        signatures::{Rules, Signatures},
    },
};
use hongyan_shared::sig::Keys;
use tokio::{sync::watch, task::JoinHandle};
use tracing::warn;

pub use database::Data;
pub use error::StartError;
pub use lambda::Lambda;
pub use sdk::{InProcess, sdk_config};

use crate::{
    clock::Clock, database::Database, demo::Demo, gateway::Gateway, media::Media, rest::Rest,
    stream::Delivery, template::Template,
};

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
    /// Which accounts a business server may ask by.
    pub administrators: Administrators,
    /// The operator's decisions.
    pub settings: Settings,
    /// The business server, if there is one.
    pub callback: Option<CallbackPlace>,
    /// The time.
    pub clock: Clock,
}

/// A twin that runs. Dropping it does not stop it; [`Running::stop`] does.
pub struct Running {
    /// Where a browser finds the chat page.
    pub page_url: String,
    /// Where clients connect: `ws://127.0.0.1:8420/prod`.
    pub websocket_url: String,
    /// Where business servers send their commands: `http://127.0.0.1:8420/v4`.
    pub rest_url: String,
    /// The endpoint of the management API.
    pub management_url: String,
    /// The endpoint of the embedded DynamoDB.
    pub dynamodb_url: String,
    /// How its functions call that, without a socket between.
    pub sdk: InProcess,
    /// The names of its tables.
    pub tables: Tables,
    /// Where it keeps media.
    pub media: MediaPlace,
    database: Database,
    delivery: Arc<Delivery>,
    delivering: JoinHandle<()>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

/// Starts a twin.
///
/// # Errors
/// [`StartError`].
pub async fn start(config: Config) -> Result<Running, StartError> {
    start_with(config, lambda::in_process).await
}

/// Starts a twin whose functions are run by something else than itself.
///
/// # Errors
/// [`StartError`].
pub async fn start_with(
    config: Config,
    lambda: impl FnOnce(&FunctionsConfig) -> Result<Lambda, Misconfigured>,
) -> Result<Running, StartError> {
    let template = Template::read(config.callback.is_some())?;
    let (listener, listening) = http::listen(config.listen, config.port).await?;
    let (stop, stopped) = watch::channel(false);

    let (clock, retention) = (config.clock.clone(), config.settings.retention);
    let database = Database::open(&config.data, config.dynamodb_port, &clock, &template, retention).await?;
    let stage = template.stage.clone();
    // Who listens on every address is found under this machine's own.
    let ip = if listening.ip().is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { listening.ip() };
    let address = SocketAddr::new(ip, listening.port());
    let management_url = format!("http://{address}/{stage}");
    let tables = template.tables();
    let page_url = format!("http://{address}/");
    let media = MediaPlace {
        sdk_app_id: config.rules.sdk_app_id,
        bucket: media::BUCKET.to_owned(),
        url: format!("http://{}/", SocketAddr::new(seen_from_phones(listening.ip()), listening.port())),
    };
    let sdk = sdk::in_process(database.api.clone(), &database.url);
    let mut functions_config = FunctionsConfig::given(
        tables.clone(),
        management_url.clone(),
        Some(media.clone()),
        config.settings,
        sdk.0.clone(),
        config.clock.reader(),
    );
    functions_config.callback = config.callback;
    let websocket_url = format!("ws://{address}/{stage}");
    let demo = Demo {
        sdk_app_id: config.rules.sdk_app_id,
        keys: config.keys.clone(),
        clock: config.clock.clone(),
        stage,
    };
    let connections = Connections::new(&functions_config)?;
    let signatures = Signatures::new(config.rules, config.keys.clone());
    let rest = Rest {
        function: Function::new(&functions_config, signatures, config.administrators)?,
        clock: config.clock.clone(),
        address,
    };
    let signatures = Signatures::new(config.rules, config.keys);
    let authorizer = Authorizer::new(signatures, connections, config.clock.reader());
    let lambda = lambda(&functions_config)?;
    let delivery = Arc::new(Delivery::new(database.api.streams.clone(), lambda.clone(), clock.clone()));
    let (delivers, until) = (Arc::clone(&delivery), stopped.clone());
    let delivering = tokio::spawn(async move { delivers.run(until).await });
    let bucket = Media { files: Arc::clone(&database.files), signer: sdk::signer(), clock };
    let pages = demo::router(demo).merge(media::router(Arc::new(bucket)));
    let for_servers = rest::router(rest);
    let gateway = Arc::new(Gateway::new(template, lambda, authorizer, config.clock, address, stopped));

    Ok(Running {
        page_url,
        websocket_url,
        rest_url: format!("http://{address}/v4"),
        management_url,
        dynamodb_url: database.url.clone(),
        sdk,
        tables,
        media,
        database,
        delivery,
        delivering,
        stop,
        server: tokio::spawn(gateway::serve(gateway, pages, for_servers, listener)),
    })
}

/// Under which address phones find a twin that listens on every one: that which leads out of this machine.
fn seen_from_phones(listening: IpAddr) -> IpAddr {
    if !listening.is_unspecified() {
        return listening;
    }
    // Nothing is sent: the system only looks up which way it would go. The address is one for documents.
    let look_up = || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        Ok::<_, std::io::Error>(socket.local_addr()?.ip())
    };
    look_up().unwrap_or(Ipv4Addr::LOCALHOST.into())
}

impl Running {
    /// Sweeps what has expired, as DynamoDB does within some days.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn sweep_expired(&self) -> Result<usize, StartError> {
        self.database.sweep()
    }

    /// Tells the functions behind streams all that they have not heard of yet, and returns how much they have dealt with.
    /// They are told at once anyway: this is for those who want to know when.
    ///
    /// # Errors
    /// When the engine fails.
    pub async fn deliver_changes(&self) -> Result<usize, StartError> {
        self.delivery
            .tell_all(Some(Duration::ZERO))
            .await
            .map_err(|error| StartError::Database(error.to_string()))
    }

    /// Closes all connections, lets what is under way end, and closes the database.
    pub async fn stop(self) {
        // Without a receiver there is nothing left to stop.
        let _ = self.stop.send(true);
        let _ = self.server.await;
        let _ = self.delivering.await;
        if let Err(error) = self.delivery.tell_all(None).await {
            warn!(%error, "what has changed last is told at the next start");
        }
        drop(self.delivery);
        self.database.close().await;
    }
}
