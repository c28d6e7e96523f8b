//! The bucket and what CloudFront does in front of it: forms come in, objects go out, at the twin's own address.
//!
//! Nothing is ever in memory as a whole that is kept in a file, and nothing is kept that the form has not let in.

mod bucket;
mod download;
mod files;
mod upload;

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Path, Query, State},
    http::{HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing,
};
use hongyan_shared::media::MediaKey;

pub(crate) use bucket::{BUCKET, Media};
use bucket::{error, failed};
pub(crate) use files::Files;

use crate::{guard, http};

/// How many objects S3 lists at once.
const MAX_LISTED: usize = 1_000;

/// What clients see.
pub(crate) fn router(media: Arc<Media>) -> Router {
    Router::new()
        .route("/", routing::post(upload::upload).options(preflight))
        .route("/m/{*key}", routing::get(download::download))
        // The form says how much may come.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::map_response(in_a_sandbox))
        .layer(middleware::from_fn(http::log))
        .with_state(media)
}

/// S3 itself, as far as the functions call it.
pub(crate) fn s3(files: Arc<Files>) -> Router {
    Router::new()
        .route("/{bucket}", routing::get(list))
        .route("/{bucket}/", routing::get(list))
        .route("/{bucket}/{*key}", routing::delete(delete))
        .layer(middleware::from_fn(guard::programs))
        .with_state(files)
}

async fn delete(State(files): State<Arc<Files>>, Path((bucket, key)): Path<(String, String)>) -> Response {
    if bucket != BUCKET {
        return error(StatusCode::NOT_FOUND, "NoSuchBucket");
    }
    // What cannot be there is not there.
    let Some(key) = MediaKey::parse(&key) else { return StatusCode::NO_CONTENT.into_response() };
    match files.delete(&key) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(why) => failed(&why),
    }
}

/// What lies under a prefix, a thousand objects at the most. All that a key is made of stands for itself in XML.
async fn list(
    State(files): State<Arc<Files>>,
    Path(bucket): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    if bucket != BUCKET {
        return error(StatusCode::NOT_FOUND, "NoSuchBucket");
    }
    let prefix = query.get("prefix").map_or("", String::as_str);
    let mut keys = match files.keys() {
        Ok(keys) => keys,
        Err(why) => return failed(&why),
    };
    keys.retain(|key| key.as_str().starts_with(prefix));
    keys.sort();
    let contents: String =
        keys.iter().take(MAX_LISTED).map(|key| format!("<Contents><Key>{key}</Key></Contents>")).collect();
    let is_truncated = keys.len() > MAX_LISTED;
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult><IsTruncated>{is_truncated}</IsTruncated>\
         {contents}</ListBucketResult>"
    );
    ([(header::CONTENT_TYPE, "application/xml")], xml).into_response()
}

/// A browser asks before it posts from a page of another origin. What is read needs no question, and CloudFront
/// answers none there.
async fn preflight() -> Response {
    let allowed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "*"),
        (header::ACCESS_CONTROL_MAX_AGE, "3600"),
    ];
    (StatusCode::OK, allowed).into_response()
}

/// What users upload is never run as a page, whatever is in it.
async fn in_a_sandbox(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
