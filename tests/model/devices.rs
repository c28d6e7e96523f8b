//! What stands in for `@connections`: it takes what is pushed to a device, and says 410 of one that is gone.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::Value;

#[derive(Clone, Default)]
pub struct Devices {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    /// What has come in on each open connection.
    open: BTreeMap<String, Vec<Value>>,
    /// What had come in on those that have ended since the last look.
    ended: Vec<(String, Value)>,
    loses_pushes: bool,
}

impl Devices {
    /// Begins to serve them, and says where.
    pub async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router =
            Router::new().route("/{connections}/{id}", axum::routing::any(take)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    pub fn open(&self, id: &str) {
        self.inner.lock().unwrap().open.insert(id.to_owned(), Vec::new());
    }

    pub fn close(&self, id: &str) {
        self.inner.lock().unwrap().close(id);
    }

    pub fn lose_pushes(&self, loses_pushes: bool) {
        self.inner.lock().unwrap().loses_pushes = loses_pushes;
    }

    /// The connections that are open.
    pub fn connected(&self) -> Vec<String> {
        self.inner.lock().unwrap().open.keys().cloned().collect()
    }

    /// The reply among what has come in on a connection, which may have ended with it.
    pub fn take_reply(&self, id: &str) -> Value {
        let mut inner = self.inner.lock().unwrap();
        let is_reply = |frame: &Value| frame.get("requestID").is_some();
        if let Some(frames) = inner.open.get_mut(id) {
            return frames.iter().position(is_reply).map(|index| frames.remove(index)).unwrap_or_default();
        }
        let index = inner.ended.iter().position(|(other, frame)| other == id && is_reply(frame));
        index.map(|index| inner.ended.remove(index).1).unwrap_or_default()
    }

    /// What has come in since the last time.
    pub fn take(&self) -> Vec<(String, Value)> {
        let mut inner = self.inner.lock().unwrap();
        let mut all = std::mem::take(&mut inner.ended);
        for (id, frames) in &mut inner.open {
            all.extend(frames.drain(..).map(|frame| (id.clone(), frame)));
        }
        all
    }
}

impl Inner {
    fn close(&mut self, id: &str) -> bool {
        let frames = self.open.remove(id);
        let was_open = frames.is_some();
        self.ended.extend(frames.into_iter().flatten().map(|frame| (id.to_owned(), frame)));
        was_open
    }
}

async fn take(
    State(devices): State<Devices>,
    Path((_, id)): Path<(String, String)>,
    method: Method,
    body: Bytes,
) -> Response {
    let mut inner = devices.inner.lock().unwrap();
    let is_there = match method {
        Method::POST if inner.loses_pushes => return refuse(StatusCode::FORBIDDEN, "ForbiddenException"),
        Method::POST => inner
            .open
            .get_mut(&id)
            .map(|frames| frames.push(serde_json::from_slice(&body).unwrap()))
            .is_some(),
        _ => inner.close(&id),
    };
    if is_there { StatusCode::OK.into_response() } else { refuse(StatusCode::GONE, "GoneException") }
}

fn refuse(status: StatusCode, kind: &'static str) -> Response {
    (status, [("x-amzn-errortype", kind)], "{}").into_response()
}
