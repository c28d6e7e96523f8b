//! The API for business servers: what API Gateway's HTTP API does, on the twin's own port.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    middleware,
    response::{IntoResponse, Response},
    routing::any,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hongyan_functions::trigger::rest::Function;
use serde_json::{Value, json};
use tracing::error;

use crate::{
    clock::Clock,
    event::{headers, id},
    guard, http,
};

/// The largest request that API Gateway hands on to Lambda.
const MAX_BODY_BYTES: usize = 6 * 1024 * 1024;

/// The function, and what its events tell of this machine.
pub(crate) struct Rest {
    pub function: Function,
    pub clock: Clock,
    pub address: SocketAddr,
}

/// To programs, wherever they are: who asks shows a signature. No page has one.
pub(crate) fn router(rest: Rest) -> Router {
    Router::new()
        .route("/v4", any(command))
        .route("/v4/{*command}", any(command))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(http::log))
        .layer(middleware::from_fn(guard::programs))
        .with_state(Arc::new(rest))
}

async fn command(
    State(rest): State<Arc<Rest>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // Not in the future of this request, which ends when its client goes away: Lambda goes on.
    let answer = tokio::spawn(async move {
        let event = rest.event(peer, &method, &uri, &headers, &body);
        match serde_json::from_value(event) {
            Ok(event) => Some(rest.function.respond(event, &id()).await),
            Err(error) => {
                error!(%error, "the event has a wrong shape");
                None
            }
        }
    });
    match answer.await {
        Ok(Some(answer)) => response(&answer),
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl Rest {
    fn event(
        &self,
        peer: SocketAddr,
        method: &Method,
        uri: &Uri,
        headers_in: &HeaderMap,
        body: &[u8],
    ) -> Value {
        let now = self.clock.now();
        let text = |name| headers_in.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let plain = is_text(text(header::CONTENT_TYPE)).then(|| std::str::from_utf8(body).ok()).flatten();
        json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": uri.path(),
            "rawQueryString": uri.query().unwrap_or_default(),
            "headers": headers(headers_in),
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "local",
                "domainName": self.address.to_string(),
                "domainPrefix": "local",
                "http": {
                    "method": method.as_str(),
                    "path": uri.path(),
                    "protocol": "HTTP/1.1",
                    "sourceIp": peer.ip().to_string(),
                    "userAgent": text(header::USER_AGENT),
                },
                "requestId": id(),
                "routeKey": "$default",
                "stage": "$default",
                "timeEpoch": now,
            },
            "body": plain.map_or_else(|| STANDARD.encode(body), str::to_owned),
            "isBase64Encoded": plain.is_none(),
        })
    }
}

/// Whether API Gateway hands on a body of this type as it is.
fn is_text(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.starts_with("text/")
        || ["application/json", "application/javascript", "application/xml"].contains(&kind)
}

fn response(answer: &Value) -> Response {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let status =
        answer.get("statusCode").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    let kind = answer.pointer("/headers/content-type").and_then(Value::as_str).unwrap_or_default().to_owned();
    (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), [(header::CONTENT_TYPE, kind)], text("body"))
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::is_text;

    #[test]
    fn what_has_no_type_or_an_unknown_one_comes_in_base64() {
        for text in
            ["application/json", "application/json; charset=utf-8", "text/plain", "text/html;charset=gbk"]
        {
            assert!(is_text(text), "{text}");
        }
        for other in ["", "application/octet-stream", "application/x-www-form-urlencoded", "json"] {
            assert!(!is_text(other), "{other}");
        }
    }
}
