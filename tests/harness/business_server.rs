//! A business server as a test wants it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use hongyan_functions::config::{CallbackFailure, CallbackPlace, CallbackToken};
use hongyan_shared::callback::{CallbackUrl, Token};
use serde_json::{Value, json};

use super::SDK_APP_ID;

/// A call that it has got.
#[derive(Debug, Clone)]
pub struct Called {
    /// The query of its URL.
    pub query: String,
    pub body: Value,
}

/// What it does with a call.
#[derive(Debug, Clone)]
pub enum Reaction {
    /// It answers with status 200.
    Answer(Value),
    /// It answers with this, whatever it is.
    Raw(u16, String),
    /// It sends its caller elsewhere.
    Redirect(String),
    /// It never answers.
    Silence,
    /// The connection breaks.
    Break,
}

type React = Box<dyn FnMut(&Called) -> Reaction + Send>;

#[derive(Clone)]
pub struct BusinessServer {
    pub url: String,
    inner: Arc<Inner>,
}

struct Inner {
    calls: Mutex<Vec<Called>>,
    react: Mutex<React>,
}

impl Reaction {
    /// What Tencent's documents answer.
    pub fn ok() -> Self {
        Self::code(0)
    }

    pub fn code(code: i64) -> Self {
        Self::Answer(json!({ "ActionStatus": "OK", "ErrorCode": code, "ErrorInfo": "" }))
    }
}

impl BusinessServer {
    /// One that lets everything pass.
    pub async fn start() -> Self {
        let react: React = Box::new(|_| Reaction::ok());
        let inner = Arc::new(Inner { calls: Mutex::default(), react: Mutex::new(react) });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/im", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, inner }
    }

    /// From now on it does this.
    pub fn react(&self, react: impl FnMut(&Called) -> Reaction + Send + 'static) {
        *self.inner.react.lock().unwrap() = Box::new(react);
    }

    /// The same to every call.
    pub fn always(&self, reaction: Reaction) {
        self.react(move |_| reaction.clone());
    }

    /// The calls since the last time.
    pub fn take(&self) -> Vec<Called> {
        std::mem::take(&mut self.inner.calls.lock().unwrap())
    }

    pub fn place(&self) -> CallbackPlace {
        place(&self.url)
    }
}

impl Called {
    pub fn command(&self) -> String {
        self.body["CallbackCommand"].as_str().unwrap().to_owned()
    }
}

/// Where a business server is.
pub fn place(url: &str) -> CallbackPlace {
    CallbackPlace {
        sdk_app_id: SDK_APP_ID,
        url: CallbackUrl::parse(url, true).unwrap(),
        token: CallbackToken::Given(Token::new("xxxxyyyy")),
        failure: CallbackFailure::Send,
    }
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/im"));
    assert_eq!(request.headers()[header::CONTENT_TYPE], "application/json");
    let body: Bytes = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
    let called = Called { query, body: serde_json::from_slice(&body).unwrap() };
    let reaction = (inner.react.lock().unwrap())(&called);
    inner.calls.lock().unwrap().push(called);
    match reaction {
        Reaction::Answer(answer) => answer.to_string().into_response(),
        Reaction::Raw(status, body) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Reaction::Redirect(to) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response(),
        Reaction::Silence => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            StatusCode::OK.into_response()
        }
        Reaction::Break => {
            let broken = futures_util::stream::iter([Err::<Bytes, _>(std::io::Error::other("broken"))]);
            Response::new(Body::from_stream(broken))
        }
    }
}
