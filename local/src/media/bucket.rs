//! What all parts of the bucket share.

use std::sync::Arc;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use hongyan_shared::media::Signer;
use tracing::warn;

use super::files::Files;
use crate::clock::Clock;

/// The name of the bucket.
pub(crate) const BUCKET: &str = "media";

/// The bucket of a twin.
pub(crate) struct Media {
    pub files: Arc<Files>,
    /// Who signs the forms.
    pub signer: Signer,
    pub clock: Clock,
}

/// An error as S3 says it.
pub(super) fn error(status: StatusCode, code: &str) -> Response {
    let xml = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code></Error>");
    (status, [(header::CONTENT_TYPE, "application/xml")], xml).into_response()
}

pub(super) fn failed(why: &std::io::Error) -> Response {
    warn!(%why, "a file of the bucket cannot be used");
    error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError")
}
