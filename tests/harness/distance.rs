//! Tables that are as far away as DynamoDB is: each call takes its time, by chance, and is written down.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
        SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use super::units;

/// How long half of all reads take, and half of all writes, in milliseconds.
const READ_MS: f64 = 5.0;
const WRITE_MS: f64 = 6.0;

/// How far the others are from that: of a hundred calls one takes two and a half times as long.
const SPREAD: f64 = 0.4;

/// The way to tables that are so far away.
#[derive(Clone)]
pub struct Distance {
    http: SharedHttpClient,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    random: StdRng,
    calls: Vec<Made>,
}

/// A call that was made.
#[derive(Debug, Clone)]
pub struct Made {
    pub operation: String,
    /// Of which table, if it is one.
    pub table: String,
    pub read_units: f64,
    pub write_units: f64,
}

impl Distance {
    /// To the tables that the SDK reaches at once.
    pub fn to(sdk: &SdkConfig) -> Self {
        let inner = Inner { random: StdRng::seed_from_u64(7), calls: Vec::new() };
        Self { http: sdk.http_client().unwrap(), inner: Arc::new(Mutex::new(inner)) }
    }

    /// The SDK over that distance.
    pub fn over(&self, sdk: &SdkConfig) -> SdkConfig {
        sdk.clone().into_builder().http_client(self.clone()).build()
    }

    /// The calls since the last time.
    pub fn take(&self) -> Vec<Made> {
        std::mem::take(&mut self.lock().calls)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
}

impl Inner {
    /// How long a call takes, there and back. Log-normal, by the method of Box and Muller.
    fn draw(&mut self, is_read: bool) -> Duration {
        let (first, second): (f64, f64) = (self.random.random(), self.random.random());
        let normal = (-2.0 * (1.0 - first).ln()).sqrt() * (std::f64::consts::TAU * second).cos();
        let median = if is_read { READ_MS } else { WRITE_MS };
        // A timer knows whole milliseconds, and there are two halves.
        Duration::from_secs_f64(2.0 * (median * (SPREAD * normal).exp() / 2.0).round() / 1e3)
    }
}

impl std::fmt::Debug for Distance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Distance")
    }
}

impl HttpClient for Distance {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let near = self.http.http_connector(settings, components);
        SharedHttpConnector::new(Far { near, distance: self.clone() })
    }
}

#[derive(Debug, Clone)]
struct Far {
    near: SharedHttpConnector,
    distance: Distance,
}

impl HttpConnector for Far {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let far = self.clone();
        HttpConnectorFuture::new(async move { far.make(request).await })
    }
}

impl Far {
    async fn make(&self, mut request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next());
        // What is no call of a table is none of this.
        let Some(operation) = target.map(str::to_owned) else { return self.near.call(request).await };
        let is_read = units::is_read(&operation);
        let mut asked: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap();
        asked["ReturnConsumedCapacity"] = json!("TOTAL");
        *request.body_mut() = SdkBody::from(asked.to_string());
        let half = self.distance.lock().draw(is_read) / 2;
        tokio::time::sleep(half).await;
        // What the tables do, they do in one moment, in the middle of it.
        let answer = self.near.call(request).await?;
        let answered = serde_json::from_slice(answer.body().bytes().unwrap_or_default()).unwrap_or_default();
        let units = units::consumed(&asked, &answered);
        self.distance.lock().calls.push(Made {
            operation,
            table: asked["TableName"].as_str().unwrap_or_default().to_owned(),
            read_units: if is_read { units } else { 0.0 },
            write_units: if is_read { 0.0 } else { units },
        });
        tokio::time::sleep(half).await;
        Ok(answer)
    }
}
