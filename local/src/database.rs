//! The embedded DynamoDB, in memory or on a file.

use std::{net::Ipv4Addr, path::PathBuf, sync::Arc, time::Duration};

use dynoxide::storage_backend::Clock as EngineClock;
use serde_json::Value;
use tokio::{sync::watch, task::JoinHandle};
use tracing::warn;

use crate::{
    clock::Clock, dynamodb, error::StartError, folder::Folder, http, shutdown::shutdown_requested,
    template::Template,
};

/// How often what has expired is swept away. DynamoDB promises some days.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// Where the tables are.
#[derive(Debug, Clone)]
pub enum Data {
    /// In memory, gone with the process.
    Memory,
    /// In a file in this folder.
    Folder(PathBuf),
}

pub(crate) struct Database {
    pub url: String,
    engine: dynoxide::Database,
    /// Nobody else may have it while the engine is open.
    folder: Option<Folder>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl Database {
    pub async fn open(
        data: &Data,
        port: u16,
        clock: &Clock,
        template: &Template,
    ) -> Result<Self, StartError> {
        let (stop, mut stopped) = watch::channel(false);
        let fill = |engine: &dynoxide::Database| {
            template.tables.iter().try_for_each(|(create, forget)| create_table(engine, create, forget))
        };
        let (engine, folder) = match data {
            Data::Memory => {
                let clock = Arc::new(TwinClock(clock.clone()));
                let engine = dynoxide::Database::memory_with_clock(clock).map_err(failed)?;
                fill(&engine)?;
                (engine, None)
            }
            Data::Folder(path) => {
                let folder = Folder::take(path)?;
                (folder.open(fill)?, Some(folder))
            }
        };

        let (listener, address) = http::listen(Ipv4Addr::LOCALHOST.into(), port).await?;
        let url = format!("http://{address}");
        let server = tokio::spawn(http::serve(listener, dynamodb::router(engine.clone()), stopped.clone()));
        if matches!(clock, Clock::System) {
            let engine = engine.clone();
            tokio::spawn(async move {
                while tokio::time::timeout(SWEEP_EVERY, shutdown_requested(&mut stopped)).await.is_err() {
                    if let Err(error) = engine.sweep_ttl() {
                        warn!(%error, "what has expired was not swept");
                    }
                }
            });
        }
        Ok(Self { url, engine, folder, stop, server })
    }

    pub fn sweep(&self) -> Result<usize, StartError> {
        self.engine.sweep_ttl().map_err(failed)
    }

    /// The last thing to be closed: connections that end still write.
    pub async fn close(self) {
        // Without a receiver it has ended already, and that it panicked is in the log.
        let _ = self.stop.send(true);
        let _ = self.server.await;
        drop(self.engine);
        drop(self.folder);
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
