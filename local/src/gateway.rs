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
    routing::get,
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
    clock::Clock,
    connection::{self, CloseReason, Command, Connection, ConnectionRegistry, Frame},
    event::{ConnectionContext, EventKind, Handshake, id},
    guard, http,
    lambda::Lambda,
    management,
    template::{Target, Template},
};

pub(crate) struct Gateway {
    connections: Arc<ConnectionRegistry>,
    clock: Clock,
    template: Template,
    lambda: Lambda,
    authorizer: Authorizer,
    address: SocketAddr,
    stopped: watch::Receiver<bool>,
    tasks: TaskTracker,
}

/// What came back from a function.
struct Answer {
    status: StatusCode,
    body: Option<String>,
}

/// Serves it, the pages and what is for business servers until it is stopped, then until every frame is answered and every connection has said its
/// `$disconnect`.
pub(crate) async fn serve(gateway: Arc<Gateway>, pages: Router, for_servers: Router, listener: TcpListener) {
    let tasks = gateway.tasks.clone();
    let stopped = gateway.stopped.clone();
    let for_functions = management::router(Arc::clone(&gateway.connections), gateway.address.ip());
    let for_clients = Router::new()
        .route("/{stage}", get(handshake))
        .with_state(gateway)
        .merge(pages)
        .layer(middleware::from_fn(guard::pages_of_this_machine));
    http::serve(listener, for_functions.merge(for_servers).merge(for_clients), stopped).await;
    tasks.close();
    tasks.wait().await;
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
    let (verdict, received) = oneshot::channel();
    // Not in the future of this request, which ends when its client goes away: `$connect` would be cut off in the
    // middle, and `$disconnect` never said.
    gateway.tasks.clone().spawn(async move {
        // In boxes of their own, and the handshake with the first one: a connection that is silent holds nothing that was
        // only needed to begin it, or will be to end it.
        let admitted = Box::pin(gateway.authorize_and_connect(handshake, peer.ip())).await;
        let (connection, inbox) = match admitted {
            Ok(admitted) => admitted,
            Err(refusal) => {
                // Who has gone away does not hear it.
                let _ = verdict.send(refusal);
                return;
            }
        };
        let _ = verdict.send(switching.map(|()| Body::empty()));
        let reason = match upgrade.await {
            Ok(upgraded) => {
                gateway.connections.add(&connection);
                let socket = connection::accept(TokioIo::new(upgraded)).await;
                let receive = |frame| gateway.receive(Arc::clone(&connection), frame);
                let stopped = gateway.stopped.clone();
                connection::run(socket, Arc::clone(&connection), inbox, &gateway.clock, stopped, receive)
                    .await
            }
            Err(_) => CloseReason::lost(),
        };
        gateway.connections.remove(&connection.context.connection_id);
        Box::pin(gateway.send_disconnect(&connection.context, &reason)).await;
    });
    received.await.unwrap_or_else(|_| internal_server_error())
}

type Admitted = (Arc<Connection>, tokio::sync::mpsc::UnboundedReceiver<Command>);

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
            connections: Arc::default(),
            clock,
            template,
            lambda,
            authorizer,
            address,
            stopped,
            tasks: TaskTracker::new(),
        }
    }

    /// The authorizer, then `$connect`.
    async fn authorize_and_connect(
        &self,
        handshake: Handshake,
        source_ip: IpAddr,
    ) -> Result<Admitted, Response> {
        let given = |name: &String| handshake.query.get(name).is_some_and(|value| !value.is_empty());
        if !self.template.identity_source.iter().all(given) {
            info!(route = "$connect", status = 401, "the URL lacks a part of the identity");
            return Err(refuse(StatusCode::UNAUTHORIZED, "Unauthorized"));
        }
        let user_agent = handshake.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        let now = self.clock.now();
        let mut context = ConnectionContext {
            connection_id: id(),
            connected_at: now,
            stage: self.template.stage.clone(),
            domain: self.address.to_string(),
            source_ip: source_ip.to_string(),
            user_agent: user_agent.unwrap_or_default().to_owned(),
            authorizer: Value::Null,
        };
        context.authorizer = self.authorize(&context, &handshake).await?;
        let event = context.event("$connect", EventKind::Connect(&handshake), now);
        let answer = self.invoke("$connect", &event).await;
        match answer {
            Some(answer) if answer.status.is_success() => Ok(Connection::new(context, now)),
            Some(answer) => Err(refuse(answer.status, "Forbidden")),
            None => Err(internal_server_error()),
        }
    }

    async fn authorize(&self, context: &ConnectionContext, handshake: &Handshake) -> Result<Value, Response> {
        let event = context.authorizer_event(handshake, self.clock.now());
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
        self.tasks.spawn(async move {
            let now = gateway.clock.now();
            let (route, event) = match &frame {
                Frame::Text(text) => {
                    let route = gateway.select(text);
                    (route, connection.context.event(route, EventKind::Text(text), now))
                }
                Frame::Binary(bytes) => {
                    let base64 = base64(bytes);
                    ("$default", connection.context.event("$default", EventKind::Binary(&base64), now))
                }
            };
            match gateway.template.routes.get(route) {
                Some(Target::Function { responds: true, .. }) => {
                    let id = &connection.context.connection_id;
                    let body = match gateway.invoke(route, &event).await {
                        // As API Gateway does: an empty response is an empty frame.
                        Some(answer) => answer.body.unwrap_or_default(),
                        None => json!({ "message": "Internal server error", "connectionId": id }).to_string(),
                    };
                    // It may have gone away meanwhile, and then nobody can be told.
                    let _ = connection.send(Command::Send(body));
                }
                Some(Target::Function { responds: false, .. }) => {
                    gateway.invoke(route, &event).await;
                }
                Some(Target::Mock) => {
                    let ConnectionContext { connection_id, authorizer, .. } = &connection.context;
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

    async fn send_disconnect(&self, context: &ConnectionContext, closed: &CloseReason) {
        let kind = EventKind::Disconnect { code: closed.code, reason: &closed.reason };
        let event = context.event("$disconnect", kind, self.clock.now());
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
        let response = (self.lambda.routes)(name, request).await?;
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
