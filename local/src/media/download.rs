//! Objects, whole or in part.

use std::{
    ops::RangeInclusive,
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_sdk_apigatewaymanagement::primitives::{DateTime, DateTimeFormat};
use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use hongyan_shared::media::MediaKey;

use super::bucket::{Media, error, failed};

/// What a request asks for, of an object of some size.
enum Span {
    Whole,
    Part(RangeInclusive<u64>),
    /// There is nothing of it.
    Outside,
}

pub(super) async fn download(
    State(media): State<Arc<Media>>,
    Path(key): Path<String>,
    method: Method,
    asked: HeaderMap,
) -> Response {
    // As in an account: what is not there tells nothing.
    let absent = || error(StatusCode::FORBIDDEN, "AccessDenied");
    let Some(key) = MediaKey::parse(&format!("m/{key}")) else { return absent() };
    let object = match media.files.get(&key) {
        Ok(Some(object)) => object,
        Ok(None) => return absent(),
        Err(why) => return failed(&why),
    };

    let size = object.bytes;
    let mut headers = HeaderMap::new();
    for (name, value) in &object.description.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    let etag = format!("\"{}\"", object.description.etag);
    let own = [
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::ETAG, etag),
        (header::LAST_MODIFIED, http_date(object.description.modified)),
    ];
    for (name, value) in own {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }

    let (status, from, length) = match span(asked.get(header::RANGE), size) {
        Span::Whole => (StatusCode::OK, 0, size),
        Span::Part(part) => {
            let range = format!("bytes {}-{}/{size}", part.start(), part.end());
            headers.extend(HeaderValue::try_from(range).map(|range| (header::CONTENT_RANGE, range)));
            (StatusCode::PARTIAL_CONTENT, *part.start(), part.end() - part.start() + 1)
        }
        Span::Outside => {
            let mut refused = error(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange");
            let range = HeaderValue::try_from(format!("bytes */{size}"));
            refused.headers_mut().extend(range.map(|range| (header::CONTENT_RANGE, range)));
            return refused;
        }
    };
    headers.insert(header::CONTENT_LENGTH, length.into());
    let body = if method == Method::HEAD { Ok(Body::empty()) } else { object.read(from, length).await };
    match body {
        Ok(body) => (status, headers, body).into_response(),
        Err(why) => failed(&why),
    }
}

/// One range. Of several, or of what cannot be read, S3 gives the whole object.
fn span(range: Option<&HeaderValue>, size: u64) -> Span {
    let range = range.and_then(|range| range.to_str().ok()?.strip_prefix("bytes=")?.split_once('-'));
    let Some((from, to)) = range else { return Span::Whole };
    let last = size.saturating_sub(1);
    let part = match (from.parse::<u64>(), to.parse::<u64>()) {
        (Ok(from), Ok(to)) if from <= to => from..=to.min(last),
        (Ok(from), Err(_)) if to.is_empty() => from..=last,
        (Err(_), Ok(0)) if from.is_empty() => return Span::Outside,
        (Err(_), Ok(suffix)) if from.is_empty() => size.saturating_sub(suffix)..=last,
        _ => return Span::Whole,
    };
    if *part.start() < size { Span::Part(part) } else { Span::Outside }
}

fn http_date(ms: u64) -> String {
    let time =
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(ms)).unwrap_or(SystemTime::UNIX_EPOCH);
    DateTime::from(time).fmt(DateTimeFormat::HttpDate).unwrap_or_default()
}
