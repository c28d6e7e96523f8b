//! A stand between the SDK and what it talks to: it writes down every call with what it cost, and
//! breaks those that the test wants broken.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::sync::{Notify, Semaphore};

use super::{
    replica::{self, Change, Replica},
    units,
};

/// A call that was made.
#[derive(Debug, Clone)]
pub struct Call {
    /// `Query`, `PutItem` and so on; `POST` or `DELETE` for connections.
    pub operation: String,
    /// Whether its answer was no refusal.
    pub has_succeeded: bool,
    /// Whether it counts frames: one frame in sixteen makes such a call, beside its work.
    pub is_sample: bool,
    pub read_units: f64,
    pub write_units: f64,
    pub started: Instant,
    pub ended: Instant,
}

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    None,
    /// It arrives when the test lets it: [`FaultProxy::release`].
    Hold,
    /// It is for another service, which does it and has nothing to say.
    Done,
    /// It arrives, and its answer never does.
    LoseAnswer,
    /// It does not arrive, and neither does an answer.
    LoseCall,
    /// It is refused with a status and an error type.
    Refuse(u16, &'static str),
    /// A transaction is cancelled, each of its writes for this reason.
    Cancel(&'static str),
    /// If it is a read that is not strongly consistent, the replica answers it: [`FaultProxy::follow`].
    Stale,
    /// A batch is answered with nothing done yet.
    Unprocessed,
    /// It does not arrive, and the connection breaks.
    Reset,
    /// It arrives, and the connection breaks before its answer is through.
    ResetAfter,
}

type Plan = Box<dyn FnMut(&str, &Value) -> Fault + Send>;

#[derive(Clone)]
pub struct FaultProxy {
    pub url: String,
    inner: Arc<Inner>,
}

struct Inner {
    target: String,
    client: reqwest::Client,
    calls: Mutex<Vec<Call>>,
    plan: Mutex<Plan>,
    /// Who writes has it until the write is over, so that the replica gets all of them in their order.
    replica: tokio::sync::Mutex<Option<Replica>>,
    lost: Notify,
    /// Calls that are held, that may arrive, and that have been answered after that: a permit for each.
    held: Semaphore,
    released: Semaphore,
    answered: Semaphore,
}

impl FaultProxy {
    pub async fn before(target: &str) -> Self {
        let inner = Arc::new(Inner {
            target: target.to_owned(),
            client: reqwest::Client::new(),
            calls: Mutex::default(),
            plan: Mutex::new(Box::new(|_, _| Fault::None)),
            replica: tokio::sync::Mutex::default(),
            lost: Notify::new(),
            held: Semaphore::new(0),
            released: Semaphore::new(0),
            answered: Semaphore::new(0),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(forward).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, inner }
    }

    /// The calls since the last time.
    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.inner.calls.lock().unwrap())
    }

    /// From now on, this decides what becomes of a call.
    pub fn break_calls(&self, plan: impl FnMut(&str, &Value) -> Fault + Send + 'static) {
        *self.inner.plan.lock().unwrap() = Box::new(plan);
    }

    pub fn mend(&self) {
        self.break_calls(|_, _| Fault::None);
    }

    /// From now on, the replica that this makes of the tables hears of every change.
    pub async fn follow(&self, replica: impl AsyncFnOnce(&str) -> Replica) {
        let mut followed = self.inner.replica.lock().await;
        *followed = Some(replica(&self.inner.target).await);
    }

    /// Changes the tables past the proxy, and the replica hears of it.
    pub async fn change<T>(&self, change: Change, make: impl Future<Output = T>) -> T {
        let mut replica = self.inner.replica.lock().await;
        let made = make.await;
        if let Some(replica) = &mut *replica {
            replica.hear(change);
        }
        made
    }

    /// Waits until a call is held.
    pub async fn held(&self) {
        self.inner.held.acquire().await.unwrap().forget();
    }

    /// Lets a call that is held arrive.
    pub fn release(&self) {
        self.inner.released.add_permits(1);
    }

    /// Waits until a call that was held has its answer.
    pub async fn answered(&self) {
        self.inner.answered.acquire().await.unwrap().forget();
    }

    /// Waits until a call or its answer is lost.
    pub async fn lost(&self) {
        self.inner.lost.notified().await;
    }
}

async fn forward(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let target = parts.headers.get("x-amz-target").map(|value| value.to_str().unwrap().to_owned());
    let mut request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let operation = match &target {
        Some(target) => target.rsplit('.').next().unwrap().to_owned(),
        None => parts.method.to_string(),
    };
    let is_read = units::is_read(&operation);
    let is_sample = matches!(request["Key"]["s"]["S"].as_str(), Some("L#F" | "L#R"));
    let fault = (inner.plan.lock().unwrap())(&operation, &request);
    match &fault {
        Fault::Refuse(status, kind) => return refuse(*status, kind),
        Fault::Done => return ([("content-type", "application/x-amz-json-1.0")], "{}").into_response(),
        Fault::Cancel(reason) => return cancel(&request, reason),
        Fault::LoseCall => return lose(&inner).await,
        Fault::Hold => {
            inner.held.add_permits(1);
            inner.released.acquire().await.unwrap().forget();
        }
        Fault::Reset => return broken(StatusCode::BAD_GATEWAY),
        Fault::Unprocessed => {
            let answer = json!({ "Responses": {}, "UnprocessedKeys": request["RequestItems"] }).to_string();
            return ([("content-type", "application/x-amz-json-1.0")], answer).into_response();
        }
        _ => {}
    }

    let forwarded = match &target {
        // The product does not ask where it would not do anything with the answer.
        Some(_) => {
            request["ReturnConsumedCapacity"] = json!("TOTAL");
            Bytes::from(request.to_string())
        }
        None => body,
    };
    let path = parts.uri.path_and_query().map(|path| path.as_str()).unwrap_or_default();
    let mut headers = parts.headers.clone();
    for name in ["host", "content-length", "transfer-encoding"] {
        headers.remove(name);
    }
    let database = if fault == Fault::Stale && is_read && !is_consistent(&request) {
        let mut replica = inner.replica.lock().await;
        replica.as_mut().expect("TestApp::lag comes before Fault::Stale").url().await.to_owned()
    } else {
        inner.target.clone()
    };
    let url = format!("{database}{}", if path == "/" { "" } else { path });
    let call = inner.client.request(parts.method, url).headers(headers).body(forwarded);
    let (status, mut headers, bytes) = if replica::is_write(&operation) {
        write(&inner, call, Change::Write { operation: operation.clone(), request: request.clone() }).await
    } else {
        answer_to(call).await
    };

    let units = units::consumed(&request, &serde_json::from_slice(&bytes).unwrap_or_default());
    inner.calls.lock().unwrap().push(Call {
        operation,
        has_succeeded: status.is_success(),
        is_sample,
        read_units: if is_read { units } else { 0.0 },
        write_units: if is_read { 0.0 } else { units },
        started,
        ended: Instant::now(),
    });
    if fault == Fault::Hold {
        inner.answered.add_permits(1);
    }
    if fault == Fault::LoseAnswer {
        return lose(&inner).await;
    }
    if fault == Fault::ResetAfter {
        // The status is the true one: a connection that breaks does not turn a refusal into a success.
        return broken(status);
    }
    headers.remove("transfer-encoding");
    (status, headers, bytes).into_response()
}

async fn answer_to(call: reqwest::RequestBuilder) -> (StatusCode, HeaderMap, Bytes) {
    let answer = call.send().await.unwrap();
    (answer.status(), answer.headers().clone(), answer.bytes().await.unwrap())
}

/// One write after the other. It is a task of its own, because it takes place whether the caller still waits or not.
async fn write(
    inner: &Arc<Inner>,
    call: reqwest::RequestBuilder,
    change: Change,
) -> (StatusCode, HeaderMap, Bytes) {
    let inner = Arc::clone(inner);
    let writing = async move {
        let mut replica = inner.replica.lock().await;
        let answer = answer_to(call).await;
        if let Some(replica) = replica.as_mut().filter(|_| answer.0.is_success()) {
            replica.hear(change);
        }
        answer
    };
    tokio::spawn(writing).await.unwrap()
}

/// Whether a read sees everything that has been written. A batch says it for each table.
fn is_consistent(request: &Value) -> bool {
    let tables = request["RequestItems"].as_object();
    request["ConsistentRead"] == true
        || tables.is_some_and(|tables| tables.values().any(|table| table["ConsistentRead"] == true))
}

async fn lose(inner: &Inner) -> Response {
    inner.lost.notify_one();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    StatusCode::GATEWAY_TIMEOUT.into_response()
}

fn broken(status: StatusCode) -> Response {
    let reset = futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("reset")) });
    (status, Body::from_stream(reset)).into_response()
}

fn refuse(status: u16, kind: &str) -> Response {
    let body = json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": "injected" });
    Response::builder()
        .status(status)
        .header("x-amzn-errortype", kind)
        .header("content-type", "application/x-amz-json-1.0")
        .body(Body::from(body.to_string()))
        .unwrap()
}

fn cancel(request: &Value, reason: &str) -> Response {
    let writes = request["TransactItems"].as_array().unwrap();
    let reasons: Vec<Value> = writes.iter().map(|_| json!({ "Code": reason })).collect();
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    let body = json!({ "__type": kind, "Message": "injected", "CancellationReasons": reasons }).to_string();
    (StatusCode::BAD_REQUEST, [("content-type", "application/x-amz-json-1.0")], body).into_response()
}

/// How many calls had to wait for one another: the longest chain in which each began after the one
/// before it had ended.
pub fn round_trips(calls: &[Call]) -> usize {
    let mut depths: Vec<usize> = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        let before = calls[..index].iter().zip(&depths).filter(|(earlier, _)| earlier.ended <= call.started);
        depths.push(1 + before.map(|(_, depth)| *depth).max().unwrap_or(0));
    }
    depths.into_iter().max().unwrap_or(0)
}
