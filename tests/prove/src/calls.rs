//! The SDK's way to the tables and to @connections, on which things go wrong.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use crate::{
    sandboxes::{Death, Ending, INVOCATION},
    weather::{Fate, Fault},
};

/// A client of the SDK's. What is called outside of an invocation does not break.
#[derive(Clone)]
pub struct Calls {
    http: SharedHttpClient,
    fate: Arc<Fate>,
    replica: Arc<Replica>,
}

/// Partitions of which the order is kept together.
const PARTITIONS: usize = 64;

/// A copy of the tables that gets every write in the same order, later.
pub struct Replica {
    url: String,
    /// Who writes to a partition has its lock meanwhile, so that the order is the same.
    order: [tokio::sync::Mutex<()>; PARTITIONS],
    /// What it has not got yet, oldest first.
    behind: Mutex<VecDeque<(Instant, HttpRequest)>>,
    /// Who gives it some of that.
    catches_up: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Connector {
    inner: SharedHttpConnector,
    calls: Calls,
}

impl Calls {
    /// On tables whose replica, which is at this URL, has everything that is in them at this moment.
    pub fn new(http: SharedHttpClient, fate: Arc<Fate>, replica_url: &str) -> Self {
        let replica = Replica {
            url: replica_url.to_owned(),
            order: std::array::from_fn(|_| tokio::sync::Mutex::default()),
            behind: Mutex::default(),
            catches_up: tokio::sync::Mutex::default(),
        };
        Self { http, fate, replica: Arc::new(replica) }
    }
}

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Calls")
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpClient for Calls {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.http.http_connector(settings, components);
        SharedHttpConnector::new(Connector { inner, calls: self.clone() })
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.clone();
        // The SDK calls in the task of the invocation.
        let death = INVOCATION.try_with(Arc::clone).ok();
        HttpConnectorFuture::new(async move {
            match death {
                Some(death) => connector.in_an_invocation(request, &death).await,
                None => connector.make(request, None).await,
            }
        })
    }
}

type Answer = Result<HttpResponse, ConnectorError>;

impl Connector {
    async fn in_an_invocation(&self, request: HttpRequest, death: &Death) -> Answer {
        let fate = &self.calls.fate;
        let ending = death.next_call();
        match ending {
            Ending::Killed { is_made: false } => {
                fate.count("sandboxes killed");
                return death.die().await;
            }
            Ending::CutOff { is_made: false } => return Err(ConnectorError::io("reset".into())),
            _ => {}
        }
        if operation(&request).is_none() && fate.loses_push() {
            return Err(ConnectorError::io("reset".into()));
        }
        let fault = operation(&request).map_or(Fault::None, |operation| fate.call(operation));
        let delay = fate.delay();
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        match fault {
            Fault::Refused => return Ok(refuse(500, "InternalServerError")),
            Fault::Throttled => return Ok(refuse(400, "ThrottlingException")),
            Fault::Lost => std::future::pending().await,
            Fault::Reset => return Err(ConnectorError::io("reset".into())),
            Fault::Conflict => return Ok(conflict(&request)),
            Fault::Unprocessed => return Ok(process_nothing(&request)),
            Fault::None | Fault::Unanswered | Fault::ResetBehind => {}
        }
        let lag = if may_be_stale(&request) { fate.staleness() } else { None };
        let answer = self.make(request, lag).await;
        match ending {
            Ending::Killed { .. } => {
                fate.count("sandboxes killed");
                return death.die().await;
            }
            Ending::CutOff { .. } => return Err(ConnectorError::io("reset".into())),
            Ending::None => {}
        }
        match fault {
            Fault::Unanswered => std::future::pending().await,
            Fault::ResetBehind => Err(ConnectorError::io("reset".into())),
            _ => answer,
        }
    }

    async fn make(&self, mut request: HttpRequest, lag: Option<u64>) -> Answer {
        if let Some(lag) = lag {
            // Not in the future of this read, which may be given up in the middle.
            let connector = self.clone();
            let caught_up = tokio::spawn(async move { connector.catch_up(Duration::from_millis(lag)).await });
            caught_up.await.unwrap();
            request.set_uri(self.calls.replica.url.as_str()).unwrap();
            return self.inner.call(request).await;
        }
        let is_write = matches!(
            operation(&request),
            Some("PutItem" | "UpdateItem" | "DeleteItem" | "TransactWriteItems")
        );
        if !is_write {
            return self.inner.call(request).await;
        }
        // It takes place whether anybody still waits for it or not.
        let connector = self.clone();
        let writing = tokio::spawn(async move {
            let replica = &connector.calls.replica;
            let mut copy = request.try_clone().unwrap();
            copy.set_uri(replica.url.as_str()).unwrap();
            let mut order = Vec::new();
            for partition in partitions(&request) {
                order.push(replica.order[partition].lock().await);
            }
            let answer = connector.inner.call(request).await;
            if answer.as_ref().is_ok_and(|answer| answer.status().is_success()) {
                replica.behind.lock().unwrap().push_back((Instant::now(), copy));
            }
            drop(order);
            // It never has to catch up with much.
            let connector = connector.clone();
            tokio::spawn(async move { connector.catch_up(Duration::from_secs(1)).await });
            answer
        });
        writing.await.unwrap()
    }

    /// Gives the replica what it cannot lack any more.
    async fn catch_up(&self, lag: Duration) {
        let replica = &self.calls.replica;
        let _one_at_a_time = replica.catches_up.lock().await;
        loop {
            let next = replica.behind.lock().unwrap().pop_front_if(|(then, _)| then.elapsed() >= lag);
            let Some((_, write)) = next else { return };
            let answer = self.inner.call(write).await;
            if !answer.as_ref().is_ok_and(|answer| answer.status().is_success()) {
                eprintln!("what has taken place does not take place on the replica: {answer:?}");
                std::process::abort();
            }
        }
    }
}

/// The operation of a table; nothing for a call of @connections.
fn operation(request: &HttpRequest) -> Option<&str> {
    request.headers().get("x-amz-target")?.rsplit('.').next()
}

/// What a write changes, in an order.
fn partitions(request: &HttpRequest) -> BTreeSet<usize> {
    let body = body(request);
    let writes = body["TransactItems"].as_array().into_iter().flatten();
    let writes = writes.filter_map(|write| write.as_object()?.values().next()).chain([&body]);
    let keys = writes.flat_map(|write| [&write["Key"], &write["Item"]]);
    let partitions = keys.filter_map(|key| ["p", "u", "g"].iter().find_map(|name| key[*name]["S"].as_str()));
    partitions
        .map(|partition| partition.bytes().fold(0, |sum, byte| (sum * 31 + usize::from(byte)) % PARTITIONS))
        .collect()
}

fn body(request: &HttpRequest) -> Value {
    serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default()
}

fn may_be_stale(request: &HttpRequest) -> bool {
    if !matches!(operation(request), Some("Query" | "GetItem" | "BatchGetItem" | "Scan")) {
        return false;
    }
    let body = body(request);
    // A batch says it for each table.
    let tables = body["RequestItems"].as_object();
    body["ConsistentRead"] != true
        && tables.is_none_or(|tables| tables.values().all(|table| table["ConsistentRead"] != true))
}

fn refuse(status: u16, kind: &'static str) -> HttpResponse {
    refuse_with(status, kind, json!({}))
}

fn refuse_with(status: u16, kind: &'static str, mut body: Value) -> HttpResponse {
    body["__type"] = json!(format!("com.amazonaws.dynamodb.v20120810#{kind}"));
    body["message"] = json!("injected");
    let mut response = respond(status, &body);
    response.headers_mut().insert("x-amzn-errortype", kind);
    response
}

fn respond(status: u16, body: &Value) -> HttpResponse {
    let status = StatusCode::try_from(status).unwrap();
    let mut response = HttpResponse::new(status, SdkBody::from(body.to_string()));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    response
}

/// Somebody else's transaction is at one of the rows.
fn conflict(request: &HttpRequest) -> HttpResponse {
    if operation(request) != Some("TransactWriteItems") {
        return refuse(400, "TransactionConflictException");
    }
    let writes = body(request)["TransactItems"].as_array().map_or(0, Vec::len);
    let reason = |index| json!({ "Code": if index == 0 { "TransactionConflict" } else { "None" } });
    let reasons: Vec<Value> = (0..writes).map(reason).collect();
    refuse_with(400, "TransactionCanceledException", json!({ "CancellationReasons": reasons }))
}

fn process_nothing(request: &HttpRequest) -> HttpResponse {
    respond(200, &json!({ "Responses": {}, "UnprocessedKeys": body(request)["RequestItems"] }))
}
