//! The embedded DynamoDB, in memory or on a file.

use std::{net::Ipv4Addr, path::PathBuf, sync::Arc, time::Duration};

use dynoxide::storage_backend::Clock as EngineClock;
use serde_json::Value;
use tokio::{sync::watch, task::JoinHandle};
use tracing::warn;

use crate::{
    clock::Clock,
    dynamodb::Api,
    error::StartError,
    folder::Folder,
    http,
    media::{self, Files},
    shutdown::shutdown_requested,
    stream::Streams,
    template::Template,
};

/// How often what has expired is swept away. DynamoDB promises some days.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// Where the tables are.
#[derive(Debug, Clone)]
pub enum Data {
    /// In memory, gone with the process.
    Memory,
    /// In a file in this folder. What was written is there when the process is killed; when the machine loses its
    /// power, the last moments may be missing.
    Folder(PathBuf),
    /// The same, and what was written is there in any case: each write waits for the disk.
    DurableFolder(PathBuf),
}

pub(crate) struct Database {
    pub url: String,
    /// The tables as the SDKs know them.
    pub api: Api,
    /// What users have uploaded.
    pub files: Arc<Files>,
    sweeper: Sweeper,
    /// Nobody else may have it while the engine is open.
    folder: Option<Folder>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

/// What takes away what has expired: rows by their own time, and media by their age.
#[derive(Clone)]
struct Sweeper {
    engine: dynoxide::Database,
    files: Arc<Files>,
    clock: Clock,
    /// In seconds; for ever if nothing is said.
    retention: Option<u64>,
}

impl Database {
    /// Opens the tables and the bucket, and serves both to programs.
    pub async fn open(
        data: &Data,
        port: u16,
        clock: &Clock,
        template: &Template,
        retention: Option<u64>,
    ) -> Result<Self, StartError> {
        let (stop, mut stopped) = watch::channel(false);
        let fill = |engine: &dynoxide::Database| {
            template.tables.iter().try_for_each(|(create, forget)| create_table(engine, create, forget))
        };
        let (engine, files, folder) = match data {
            Data::Memory => {
                let clock = Arc::new(TwinClock(clock.clone()));
                let engine = dynoxide::Database::memory_with_clock(clock).map_err(failed)?;
                fill(&engine)?;
                (engine, Files::in_memory(), None)
            }
            Data::Folder(path) | Data::DurableFolder(path) => {
                let folder = Folder::take(path)?;
                let unusable = |source| StartError::Folder { path: path.to_owned(), source };
                let files = Files::in_folder(path.join("media")).map_err(unusable)?;
                let engine = folder.open(fill)?;
                if matches!(data, Data::Folder(_)) {
                    // The engine has no name for `PRAGMA synchronous = NORMAL`, which this sets. What it sets besides
                    // are SQLite's defaults.
                    engine.disable_bulk_loading().map_err(failed)?;
                }
                (engine, files, Some(folder))
            }
        };

        let files = Arc::new(files);
        let (listener, address) = http::listen(Ipv4Addr::LOCALHOST.into(), port).await?;
        let url = format!("http://{address}");
        let streams = Streams::new(engine.clone(), &template.event_sources).map_err(failed)?;
        let api = Api { engine: engine.clone(), streams };
        let router = api.clone().router().merge(media::s3(Arc::clone(&files)));
        let server = tokio::spawn(http::serve(listener, router, stopped.clone()));
        let sweeper = Sweeper { engine, files: Arc::clone(&files), clock: clock.clone(), retention };
        if matches!(clock, Clock::System) {
            let sweeper = sweeper.clone();
            tokio::spawn(async move {
                while tokio::time::timeout(SWEEP_EVERY, shutdown_requested(&mut stopped)).await.is_err() {
                    if let Err(error) = sweeper.sweep() {
                        warn!(%error, "what has expired was not swept");
                    }
                }
            });
        }
        Ok(Self { url, api, files, sweeper, folder, stop, server })
    }

    pub fn sweep(&self) -> Result<usize, StartError> {
        self.sweeper.sweep()
    }

    /// The last thing to be closed: connections that end still write.
    pub async fn close(self) {
        // Without a receiver it has ended already, and that it panicked is in the log.
        let _ = self.stop.send(true);
        let _ = self.server.await;
        drop((self.api, self.sweeper));
        drop(self.folder);
    }
}

impl Sweeper {
    fn sweep(&self) -> Result<usize, StartError> {
        let rows = self.engine.sweep_ttl().map_err(failed)?;
        let Some(retention) = self.retention else { return Ok(rows) };
        let by = self.clock.now().saturating_sub(retention.saturating_mul(1000));
        Ok(rows + self.files.sweep(by).map_err(failed)?)
    }
}

fn create_table(engine: &dynoxide::Database, create: &Value, forget: &Value) -> Result<(), StartError> {
    let name = create.get("TableName").and_then(Value::as_str).unwrap_or_default();
    if engine.get_table_metadata(name).map_err(failed)?.is_some() {
        return Ok(());
    }
    engine.create_table(serde_json::from_value(create.clone()).map_err(failed)?).map_err(failed)?;
    engine.update_time_to_live(serde_json::from_value(forget.clone()).map_err(failed)?).map_err(failed)?;
    Ok(())
}

fn failed(error: impl std::fmt::Display) -> StartError {
    StartError::Database(error.to_string())
}

struct TwinClock(Clock);

impl EngineClock for TwinClock {
    fn now_unix_secs(&self) -> u64 {
        self.0.now() / 1000
    }

    #[allow(clippy::cast_precision_loss)]
    fn now_unix_secs_f64(&self) -> f64 {
        self.0.now() as f64 / 1000.0
    }
}
