//! What API Gateway tells Lambda, as the JSON that it sends. `events/` holds the same shapes.

use std::collections::HashMap;

use axum::http::HeaderMap;
use serde_json::{Map, Value, json};

/// The parts of an event that stay the same while a connection lasts.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionContext {
    pub connection_id: String,
    pub connected_at: u64,
    pub stage: String,
    pub domain: String,
    pub source_ip: String,
    pub user_agent: String,
    /// What the authorizer has said about the caller.
    pub authorizer: Value,
}

/// The handshake as the authorizer and `$connect` see it.
#[derive(Debug, Clone)]
pub(crate) struct Handshake {
    pub query: HashMap<String, String>,
    pub headers: HeaderMap,
}

/// What an event is about.
pub(crate) enum EventKind<'a> {
    Connect(&'a Handshake),
    Text(&'a str),
    Binary(&'a str),
    Disconnect { code: u16, reason: &'a str },
}

impl ConnectionContext {
    /// The event of the REQUEST authorizer.
    pub fn authorizer_event(&self, handshake: &Handshake, now_ms: u64) -> Value {
        json!({
            "type": "REQUEST",
            "methodArn": format!("arn:aws:execute-api:local:000000000000:local/{}/$connect", self.stage),
            "headers": headers(&handshake.headers),
            "queryStringParameters": handshake.query,
            "requestContext": self.request_context("$connect", "CONNECT", now_ms),
        })
    }

    /// The event of a route.
    pub fn event(&self, route: &str, kind: EventKind<'_>, now_ms: u64) -> Value {
        let event_type = match kind {
            EventKind::Connect(_) => "CONNECT",
            EventKind::Disconnect { .. } => "DISCONNECT",
            EventKind::Text(_) | EventKind::Binary(_) => "MESSAGE",
        };
        let mut context = self.request_context(route, event_type, now_ms);
        context.insert("authorizer".to_owned(), self.authorizer.clone());
        let mut event = Map::new();
        match kind {
            EventKind::Connect(handshake) => {
                event.insert("headers".to_owned(), headers(&handshake.headers));
                event.insert("queryStringParameters".to_owned(), json!(handshake.query));
            }
            EventKind::Text(body) => {
                context.insert("messageId".to_owned(), json!(id()));
                event.insert("body".to_owned(), json!(body));
            }
            EventKind::Binary(base64) => {
                context.insert("messageId".to_owned(), json!(id()));
                event.insert("body".to_owned(), json!(base64));
            }
            EventKind::Disconnect { code, reason } => {
                context.insert("disconnectStatusCode".to_owned(), json!(code));
                context.insert("disconnectReason".to_owned(), json!(reason));
            }
        }
        event.insert("isBase64Encoded".to_owned(), json!(matches!(kind, EventKind::Binary(_))));
        event.insert("requestContext".to_owned(), Value::Object(context));
        Value::Object(event)
    }

    fn request_context(&self, route: &str, event_type: &str, now_ms: u64) -> Map<String, Value> {
        let request_id = id();
        let context = json!({
            "routeKey": route,
            "eventType": event_type,
            "messageDirection": "IN",
            "stage": self.stage,
            "apiId": "local",
            "domainName": self.domain,
            "connectionId": self.connection_id,
            "connectedAt": self.connected_at,
            "requestTimeEpoch": now_ms,
            "requestId": request_id,
            "extendedRequestId": request_id,
            "identity": { "sourceIp": self.source_ip, "userAgent": self.user_agent },
        });
        match context {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }
}

/// A name of API Gateway's kind: fifteen letters, digits, `-` or `_`, and a `=` that has to be
/// escaped in a URL.
pub(crate) fn id() -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let letter =
        |_| ALPHABET.get(rand::random_range(0..ALPHABET.len())).map_or('A', |byte| char::from(*byte));
    (0..15).map(letter).chain(['=']).collect()
}

pub(crate) fn headers(headers: &HeaderMap) -> Value {
    let texts =
        headers.iter().filter_map(|(name, value)| Some((name.to_string(), json!(value.to_str().ok()?))));
    Value::Object(texts.collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    fn real(name: &str) -> Value {
        let path = format!("{}/../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    fn names(value: &Value) -> Vec<&String> {
        // What no function reads and the twin does not make up.
        let left_out =
            ["requestTime", "multiValueHeaders", "multiValueQueryStringParameters", "stageVariables"];
        value.as_object().unwrap().keys().filter(|name| !left_out.contains(&name.as_str())).collect()
    }

    #[test]
    fn the_twin_tells_what_api_gateway_tells() {
        let context = ConnectionContext {
            connection_id: id(),
            connected_at: 1,
            stage: "prod".to_owned(),
            domain: "localhost".to_owned(),
            source_ip: "127.0.0.1".to_owned(),
            user_agent: "test".to_owned(),
            authorizer: json!({ "userID": "alice" }),
        };
        let handshake = Handshake { query: HashMap::new(), headers: HeaderMap::new() };
        let disconnect = EventKind::Disconnect { code: 1001, reason: "Going away" };
        let mut disconnected = context.event("$disconnect", disconnect, 2);
        assert_eq!(disconnected["requestContext"]["disconnectStatusCode"], 1001);
        assert_eq!(disconnected["requestContext"]["disconnectReason"], "Going away");
        // A connection that has ended has no headers worth telling.
        disconnected["headers"] = json!({});

        for (name, told) in [
            ("authorizer", context.authorizer_event(&handshake, 2)),
            ("connect", context.event("$connect", EventKind::Connect(&handshake), 2)),
            ("send-message", context.event("sendMessage", EventKind::Text("{}"), 2)),
            ("disconnect", disconnected),
        ] {
            let real = real(name);
            assert_eq!(names(&told), names(&real), "{name}");
            assert_eq!(names(&told["requestContext"]), names(&real["requestContext"]), "{name}");
        }
    }
}
