//! `@connections`: what API Gateway's management API does, on the twin's own port.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, atomic::Ordering},
    time::{Duration, SystemTime},
};

use aws_sdk_apigatewaymanagement::primitives::{DateTime, DateTimeFormat};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, Path, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing,
};
use hongyan_shared::gateway::MAX_PAYLOAD_BYTES;
use serde_json::json;

use crate::{
    connection::{Command, Connection, ConnectionRegistry},
    guard,
};

type Registry = State<Arc<ConnectionRegistry>>;
type Target = Path<(String, String)>;

/// The API for these connections, to programs on this machine, which has this address.
pub(crate) fn router(connections: Arc<ConnectionRegistry>, address: IpAddr) -> Router {
    Router::new()
        .route("/{stage}/@connections/{id}", routing::post(post).get(get).delete(delete))
        // The check in [`post`] has to see what is too large.
        .layer(DefaultBodyLimit::max(MAX_PAYLOAD_BYTES.saturating_mul(8)))
        .layer(middleware::from_fn_with_state(address, from_this_machine))
        .layer(middleware::from_fn(guard::programs))
        .with_state(connections)
}

async fn post(State(connections): Registry, Path((_, id)): Target, body: Bytes) -> Response {
    if body.len() > MAX_PAYLOAD_BYTES {
        return error(
            StatusCode::PAYLOAD_TOO_LARGE,
            "PayloadTooLargeException",
            &format!("the frame is larger than {} KB", MAX_PAYLOAD_BYTES / 1024),
        );
    }
    let frame = String::from_utf8_lossy(&body).into_owned();
    match connections.get(&id) {
        Some(connection) if connection.send(Command::Send(frame)) => StatusCode::OK.into_response(),
        _ => gone(),
    }
}

async fn get(State(connections): Registry, Path((_, id)): Target) -> Response {
    match connections.get(&id) {
        Some(connection) => Json(describe(&connection)).into_response(),
        None => gone(),
    }
}

async fn delete(State(connections): Registry, Path((_, id)): Target) -> Response {
    match connections.get(&id) {
        Some(connection) if connection.send(Command::Close) => StatusCode::NO_CONTENT.into_response(),
        _ => gone(),
    }
}

/// The functions run here. Who reaches the twin from elsewhere is a client and nothing more.
async fn from_this_machine(
    State(address): State<IpAddr>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    // A connection to an address of one's own comes from it.
    if peer.ip().is_loopback() || peer.ip() == address {
        return next.run(request).await;
    }
    error(
        StatusCode::FORBIDDEN,
        "ForbiddenException",
        "this is for the functions, which run where the twin does",
    )
}

fn describe(connection: &Connection) -> serde_json::Value {
    let context = &connection.context;
    json!({
        "connectedAt": iso_8601(context.connected_at),
        "lastActiveAt": iso_8601(connection.last_active.load(Ordering::Relaxed)),
        "identity": { "sourceIp": context.source_ip, "userAgent": context.user_agent },
    })
}

/// A time in the notation of the management API.
fn iso_8601(ms: u64) -> String {
    let time =
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(ms)).unwrap_or(SystemTime::UNIX_EPOCH);
    DateTime::from(time).fmt(DateTimeFormat::DateTime).unwrap_or_default()
}

fn gone() -> Response {
    error(StatusCode::GONE, "GoneException", "there is no such connection")
}

/// The SDK reads the kind of an error from this header.
fn error(status: StatusCode, kind: &'static str, message: &str) -> Response {
    (status, [("x-amzn-errortype", kind)], Json(json!({ "message": message }))).into_response()
}
