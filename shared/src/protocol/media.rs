use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    media::{Fields, Kind, MAX_PREVIEW_BYTES, Upload},
    model::text::is_plain_line,
};

/// The longest name of a file, in bytes: what file systems have room for.
const MAX_NAME_BYTES: usize = 255;

/// `getUploadForm`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct GetUploadForm {
    kind: Kind,
    /// An extension, or the second half of a MIME type.
    #[serde(rename = "type")]
    media_type: String,
    /// In bytes.
    size: u64,
    name: Option<String>,
    /// The sizes of JPEG pictures to be uploaded beside it, in bytes.
    previews: Option<Vec<u64>>,
}

impl GetUploadForm {
    /// What is to be uploaded.
    ///
    /// # Errors
    /// What is wrong with which field, or with what was chosen.
    pub fn parse(self) -> Result<Upload> {
        let Self { kind, media_type, size: bytes, name, previews } = self;
        let format = kind.format(&media_type).ok_or(match kind {
            Kind::Image => Error::ImageType,
            Kind::Audio => Error::AudioType,
            Kind::Video | Kind::File => Error::VideoType,
        })?;
        if bytes == 0 {
            return Err(Error::EmptyMedia);
        }
        if bytes > kind.max_bytes() {
            return Err(match kind {
                Kind::Image => Error::ImageTooLarge,
                Kind::Audio => Error::AudioTooLarge,
                Kind::Video => Error::VideoTooLarge,
                Kind::File => Error::FileTooLarge,
            });
        }
        let is_name = |name: &String| (1..=MAX_NAME_BYTES).contains(&name.len()) && is_plain_line(name);
        if !name.as_ref().is_none_or(is_name) {
            return Err(Error::BadRequest(format!(
                "`name` must be one line of 1 to {MAX_NAME_BYTES} bytes: shorten it"
            )));
        }
        let previews = previews.unwrap_or_default();
        let is_small = |bytes: &u64| (1..=MAX_PREVIEW_BYTES).contains(bytes);
        if previews.len() > kind.max_previews() || !previews.iter().all(is_small) {
            return Err(Error::BadRequest(format!(
                "`previews` must have at most 2 sizes for an image, 1 for a video and none otherwise, each from 1 to \
                 {MAX_PREVIEW_BYTES} bytes: leave out the others"
            )));
        }
        Ok(Upload { kind, format, bytes, name, previews })
    }
}

/// The reply to `getUploadForm`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct UploadFormReply {
    /// Where forms are posted.
    pub url: String,
    /// Until when, in Unix seconds.
    pub expires: u64,
    /// Where it will lie.
    pub key: String,
    /// What shows it, once it is there.
    pub media_url: String,
    /// What is posted before the `file`.
    pub fields: Fields,
    /// The same of each preview, in the order of the request.
    pub previews: Vec<PreviewForm>,
}

/// The form of a preview.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PreviewForm {
    /// Where it will lie.
    pub key: String,
    /// What shows it, once it is there.
    pub media_url: String,
    /// What is posted before the `file`.
    pub fields: Fields,
}
