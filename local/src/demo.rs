//! The chat page of `client/demo/web`, with the client and a UserSig for anybody who wants to try it.
//!
//! In an account, signing is the work of the team's own server. Here there is none, and the key of a
//! laptop protects nothing.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use hongyan_shared::{
    model::UserId,
    sig::{Keys, issue},
};
use serde_json::json;

use crate::{clock::Clock, guard, http};

const DAY: i64 = 24 * 60 * 60;

/// What the page needs to connect.
pub(crate) struct Demo {
    pub sdk_app_id: u64,
    pub keys: Keys,
    pub clock: Clock,
    pub stage: String,
}

/// The files, in the program itself, so that it runs from any folder.
macro_rules! files {
    ($($name:literal => $path:literal, $kind:literal;)+) => {
        fn file(name: &str) -> Option<(&'static str, &'static str)> {
            match name {
                $($name => Some((concat!($kind, "; charset=utf-8"), include_str!(concat!("../../client/", $path)))),)+
                _ => None,
            }
        }
    };
}

files! {
    "index.html" => "demo/web/index.html", "text/html";
    "index.js" => "demo/web/index.js", "text/javascript";
    "chat.html" => "demo/web/chat.html", "text/html";
    "chat.js" => "demo/web/chat.js", "text/javascript";
    "display.js" => "demo/web/display.js", "text/javascript";
    "dom.js" => "demo/web/dom.js", "text/javascript";
    "language.js" => "demo/web/language.js", "text/javascript";
    "media.js" => "demo/web/media.js", "text/javascript";
    "overlay.js" => "demo/web/overlay.js", "text/javascript";
    "recorder.js" => "demo/web/recorder.js", "text/javascript";
    "texts.js" => "demo/web/texts.js", "text/javascript";
    "network.js" => "demo/web/network.js", "text/javascript";
    "style.css" => "demo/web/style.css", "text/css";
    "groups.js" => "demo/web/groups.js", "text/javascript";
    "icon.svg" => "demo/web/icon.svg", "image/svg+xml";
    "tim.js" => "dist/index.js", "text/javascript";
}

pub(crate) fn router(demo: Demo) -> Router {
    Router::new()
        .route("/", get(|| async { serve("index.html") }))
        .route("/demo/user", get(user))
        .route("/demo/{file}", get(|Path(name): Path<String>| async move { serve(&name) }))
        .layer(middleware::from_fn(http::log))
        .with_state(Arc::new(demo))
}

fn serve(name: &str) -> Response {
    match file(name) {
        Some((kind, text)) => ([(header::CONTENT_TYPE, kind)], text).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn user(
    State(demo): State<Arc<Demo>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    match UserId::parse("userID", query.get("userID").map_or("", String::as_str)) {
        Ok(user) => {
            let now = demo.clock.now() / 1000;
            Json(json!({
                "SDKAppID": demo.sdk_app_id,
                "userID": user,
                "userSig": issue(demo.keys.current(), demo.sdk_app_id, user.as_str(), now, DAY),
                // Under the name by which this client has found us: a phone has another one than this machine.
                "proxyServer": format!("ws://{}/{}", guard::host(&headers), demo.stage),
            }))
            .into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}
