//! `@connections`: what API Gateway's management API does, on the twin's own port.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
};

use axum::{
    Json,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, Path, Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    connection::{Connection, MAX_MESSAGE_BYTES, Order},
    event::iso_8601,
    gateway::Gateway,
};

type Target = Path<(String, String)>;

pub(crate) async fn post(
    State(gateway): State<Arc<Gateway>>,
    Path((_, id)): Target,
    body: Bytes,
) -> Response {
    if body.len() > MAX_MESSAGE_BYTES {
        return error(
            StatusCode::PAYLOAD_TOO_LARGE,
            "PayloadTooLargeException",
            "the frame is larger than 128 KB",
        );
    }
    let frame = String::from_utf8_lossy(&body).into_owned();
    match gateway.register.get(&id) {
        Some(connection) if connection.order(Order::Say(frame)) => StatusCode::OK.into_response(),
        _ => gone(),
    }
}

pub(crate) async fn get(State(gateway): State<Arc<Gateway>>, Path((_, id)): Target) -> Response {
    match gateway.register.get(&id) {
        Some(connection) => Json(describe(&connection)).into_response(),
        None => gone(),
    }
}

pub(crate) async fn delete(State(gateway): State<Arc<Gateway>>, Path((_, id)): Target) -> Response {
    match gateway.register.get(&id) {
        Some(connection) if connection.order(Order::Close) => StatusCode::NO_CONTENT.into_response(),
        _ => gone(),
    }
}

/// The functions run here. Who reaches the twin from elsewhere is a client and nothing more.
pub(crate) async fn from_this_machine(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    // A connection to an address of one's own comes from it.
    if peer.ip().is_loopback() || peer.ip() == gateway.address.ip() {
        return next.run(request).await;
    }
    error(
        StatusCode::FORBIDDEN,
        "ForbiddenException",
        "this is for the functions, which run where the twin does",
    )
}

/// The check in [`post`] has to see what is too large.
pub(crate) fn body_limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(MAX_MESSAGE_BYTES.saturating_mul(8))
}

fn describe(connection: &Connection) -> serde_json::Value {
    let origin = &connection.origin;
    json!({
        "connectedAt": iso_8601(origin.connected_at),
        "lastActiveAt": iso_8601(connection.last_active.load(Ordering::Relaxed)),
        "identity": { "sourceIp": origin.source_ip, "userAgent": origin.user_agent },
    })
}

fn gone() -> Response {
    error(StatusCode::GONE, "GoneException", "there is no such connection")
}

/// The SDK reads the kind of an error from this header.
fn error(status: StatusCode, kind: &'static str, message: &str) -> Response {
    (status, [("x-amzn-errortype", kind)], Json(json!({ "message": message }))).into_response()
}
