//! The WebSocket front of the twin. It behaves like API Gateway: a handshake goes through the
//! authorizer and `$connect`, a frame to the route that its `action` selects, and the answer of a
//! route with a route response back to the client.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    Json, Router,
    body::Body,
    extract::{ConnectInfo, Path, Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use hongyan_functions::trigger::authorizer::Authorizer;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
};
use tokio_tungstenite::tungstenite::handshake::server::create_response;
use tokio_util::task::TaskTracker;
use tracing::{error, info};

use crate::{
    Lambda,
    clock::Clock,
    connection::{self, Connection, Ended, Frame, Order, Register},
    event::{Handshake, Happened, Origin, id},
    guard, http, management,
    template::{Target, Template},
};

pub(crate) struct Gateway {
    pub register: Register,
    pub clock: Clock,
    template: Template,
    lambda: Lambda,
    authorizer: Authorizer,
    pub address: SocketAddr,
    stopped: watch::Receiver<bool>,
    connections: TaskTracker,
}

/// What came back from a function.
struct Answer {
    status: StatusCode,
    body: Option<String>,
}

/// Serves it and the page until it is stopped, then until every frame is answered and every connection has said its
/// `$disconnect`.
pub(crate) async fn serve(gateway: Arc<Gateway>, page: Router, listener: TcpListener) {
    let connections = gateway.connections.clone();
    let stopped = gateway.stopped.clone();
    let functions_own = middleware::from_fn_with_state(Arc::clone(&gateway), management::from_this_machine);
    let for_functions = Router::new()
        .route(
            "/{stage}/@connections/{id}",
            post(management::post).get(management::get).delete(management::delete),
        )
        .layer(management::body_limit())
        .layer(functions_own)
        .layer(middleware::from_fn(guard::programs));
    let for_clients = Router::new()
        .route("/{stage}", get(handshake))
        .with_state(Arc::clone(&gateway))
        .merge(page)
        .layer(middleware::from_fn(guard::pages_of_this_machine));
    let router = for_functions.with_state(gateway).merge(for_clients);
    http::serve(listener, router, stopped).await;
    connections.close();
    connections.wait().await;
}

async fn handshake(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(stage): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    mut request: Request,
) -> Response {
    let upgrade = hyper::upgrade::on(&mut request);
    let Ok(switching) = create_response(&request.map(|_| ())) else {
        let text = "This is a WebSocket endpoint: connect to it with ws://, SDKAppID, userID and userSig in the query.\n";
        return (StatusCode::UPGRADE_REQUIRED, text).into_response();
    };
    if stage != gateway.template.stage {
        return refuse(StatusCode::FORBIDDEN, "Forbidden");
    }
    let handshake = Handshake { query, headers };
    let (verdict, heard) = oneshot::channel();
    // Not in the future of this request, which ends when its client goes away: `$connect` would be cut off in the
    // middle, and `$disconnect` never said.
    gateway.connections.clone().spawn(async move {
        let (connection, inbox) = match gateway.let_in(&handshake, peer.ip()).await {
            Ok(admitted) => admitted,
            Err(refusal) => {
                // Who has gone away does not hear it.
                let _ = verdict.send(refusal);
                return;
            }
        };
        let _ = verdict.send(switching.map(|()| Body::empty()));
        let ended = match upgrade.await {
            Ok(upgraded) => {
                gateway.register.add(&connection);
                let socket = connection::accept(TokioIo::new(upgraded)).await;
                let receive = |frame| gateway.receive(Arc::clone(&connection), frame);
                let stopped = gateway.stopped.clone();
                connection::run(socket, Arc::clone(&connection), inbox, &gateway.clock, stopped, receive)
                    .await
            }
            Err(_) => Ended::lost(),
        };
        gateway.register.remove(&connection.origin.connection_id);
        gateway.say_it_has_ended(&connection.origin, &ended).await;
    });
    heard.await.unwrap_or_else(|_| internal_server_error())
}

type Admitted = (Arc<Connection>, tokio::sync::mpsc::UnboundedReceiver<Order>);

impl Gateway {
    pub fn new(
        template: Template,
        lambda: Lambda,
        authorizer: Authorizer,
        clock: Clock,
        address: SocketAddr,
        stopped: watch::Receiver<bool>,
    ) -> Self {
        Self {
            register: Register::default(),
            clock,
            template,
            lambda,
            authorizer,
            address,
            stopped,
            connections: TaskTracker::new(),
        }
    }

    /// The authorizer, then `$connect`.
    async fn let_in(&self, handshake: &Handshake, source_ip: IpAddr) -> Result<Admitted, Response> {
        let given = |name: &String| handshake.query.get(name).is_some_and(|value| !value.is_empty());
        if !self.template.identity_source.iter().all(given) {
            info!(route = "$connect", status = 401, "the URL lacks a part of the identity");
            return Err(refuse(StatusCode::UNAUTHORIZED, "Unauthorized"));
        }
        let user_agent = handshake.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        let now = self.clock.now();
        let mut origin = Origin {
            connection_id: id(),
            connected_at: now,
            stage: self.template.stage.clone(),
            domain: self.address.to_string(),
            source_ip: source_ip.to_string(),
            user_agent: user_agent.unwrap_or_default().to_owned(),
            authorizer: Value::Null,
        };
        origin.authorizer = self.authorize(&origin, handshake).await?;
        let event = origin.event("$connect", Happened::Connect(handshake), now);
        let answer = self.invoke("$connect", &event).await;
        match answer {
            Some(answer) if answer.status.is_success() => Ok(Connection::new(origin, now)),
            Some(answer) => Err(refuse(answer.status, "Forbidden")),
            None => Err(internal_server_error()),
        }
    }

    async fn authorize(&self, origin: &Origin, handshake: &Handshake) -> Result<Value, Response> {
        let event = origin.authorizer_event(handshake, self.clock.now());
        let event = serde_json::from_value(event).map_err(|error| {
            error!(%error, "the authorizer's event has a wrong shape");
            internal_server_error()
        })?;
        let verdict = self.authorizer.handle(event, "").await.map_err(|_| internal_server_error())?;
        if verdict.pointer("/policyDocument/Statement/0/Effect") != Some(&json!("Allow")) {
            return Err(refuse(
                StatusCode::FORBIDDEN,
                "User is not authorized to access this resource with an explicit deny",
            ));
        }
        let mut context = verdict.get("context").cloned().unwrap_or_default();
        if let (Some(members), Some(principal)) = (context.as_object_mut(), verdict.get("principalId")) {
            members.insert("principalId".to_owned(), principal.clone());
        }
        Ok(context)
    }

    /// One frame from a client. It is handled beside whatever else that client has sent.
    fn receive(self: &Arc<Self>, connection: Arc<Connection>, frame: Frame) {
        let gateway = Arc::clone(self);
        self.connections.spawn(async move {
            let now = gateway.clock.now();
            let (route, event) = match &frame {
                Frame::Text(text) => {
                    let route = gateway.select(text);
                    (route, connection.origin.event(route, Happened::Text(text), now))
                }
                Frame::Binary(bytes) => {
                    let base64 = base64(bytes);
                    ("$default", connection.origin.event("$default", Happened::Binary(&base64), now))
                }
            };
            match gateway.template.routes.get(route) {
                Some(Target::Function { responds: true, .. }) => {
                    let id = &connection.origin.connection_id;
                    let body = match gateway.invoke(route, &event).await {
                        // As API Gateway does: an empty response is an empty frame.
                        Some(answer) => answer.body.unwrap_or_default(),
                        None => json!({ "message": "Internal server error", "connectionId": id }).to_string(),
                    };
                    // It may have gone away meanwhile, and then nobody can be told.
                    let _ = connection.order(Order::Say(body));
                }
                Some(Target::Function { responds: false, .. }) => {
                    gateway.invoke(route, &event).await;
                }
                Some(Target::Mock) => {
                    let Origin { connection_id, authorizer, .. } = &connection.origin;
                    let user = authorizer.get("userID").and_then(Value::as_str).unwrap_or_default();
                    info!(route, user, connection = connection_id, code = 0, ms = 0);
                }
                None => error!(route, "template.yaml has no such route"),
            }
        });
    }

    /// `$request.body.action`, or `$default` when there is no such thing or no such route.
    fn select(&self, frame: &str) -> &str {
        let body: Value = serde_json::from_str(frame).unwrap_or_default();
        let action = body.get("action").and_then(Value::as_str).unwrap_or_default();
        let is_predefined = action.starts_with('$');
        self.template
            .routes
            .get_key_value(action)
            .filter(|_| !is_predefined)
            .map_or("$default", |(route, _)| route.as_str())
    }

    async fn say_it_has_ended(&self, origin: &Origin, ended: &Ended) {
        let happened = Happened::Disconnect { code: ended.code, reason: &ended.reason };
        let event = origin.event("$disconnect", happened, self.clock.now());
        self.invoke("$disconnect", &event).await;
    }

    /// What Lambda does: the event as JSON into the function, its response out.
    async fn invoke(&self, route: &str, event: &Value) -> Option<Answer> {
        let Some(Target::Function { name, .. }) = self.template.routes.get(route) else {
            error!(route, "template.yaml has no such route");
            return None;
        };
        let request = match lambda_http::request::from_str(&event.to_string()) {
            Ok(request) => request,
            Err(error) => {
                error!(route, %error, "the event has a wrong shape");
                return None;
            }
        };
        let response = (self.lambda)(name, request).await?;
        let status = response.status();
        let body = match response.into_body() {
            lambda_http::Body::Text(text) => Some(text),
            _ => None,
        };
        Some(Answer { status, body })
    }
}

fn refuse(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}

fn internal_server_error() -> Response {
    refuse(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
