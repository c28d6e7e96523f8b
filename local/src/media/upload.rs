//! A form with a file, as S3 takes it.

use std::sync::Arc;

use axum::{
    extract::{
        Multipart, State,
        multipart::{Field, MultipartError},
    },
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use hongyan_shared::media::{Fields, MediaKey, Refused, check};

use super::{
    bucket::{BUCKET, Media, error, failed},
    files::{Description, Upload, etag},
};

/// How many bytes the fields before the file may have together, as S3 has it.
const MAX_FIELD_BYTES: usize = 20 * 1024;

/// The fields that an object keeps as headers.
const KEPT: [&str; 3] = ["content-type", "content-disposition", "cache-control"];

/// Why an upload is not taken.
enum Fault {
    Refused(Refused),
    /// The form is not one, or did not get here as a whole.
    Broken,
    Disk(std::io::Error),
}

pub(super) async fn upload(State(media): State<Arc<Media>>, mut form: Multipart) -> Response {
    let taken = take(&media, &mut form).await;
    // Who is still sending would not hear what is said to them.
    while let Ok(Some(mut field)) = form.next_field().await {
        while let Ok(Some(_)) = field.chunk().await {}
    }
    match taken {
        // With `success_action_status` 200, which every form has.
        Ok(etag) => {
            let etag = HeaderValue::try_from(format!("\"{etag}\""));
            let mut response = StatusCode::OK.into_response();
            response.headers_mut().extend(etag.map(|etag| (header::ETAG, etag)));
            response
        }
        Err(Fault::Refused(refused)) => {
            let status = StatusCode::from_u16(refused.status()).unwrap_or(StatusCode::FORBIDDEN);
            error(status, refused.name())
        }
        Err(Fault::Broken) => error(StatusCode::BAD_REQUEST, "MalformedPOSTRequest"),
        Err(Fault::Disk(why)) => failed(&why),
    }
}

/// The ETag of what has come in.
async fn take(media: &Media, form: &mut Multipart) -> Result<String, Fault> {
    let (now, mut fields, mut room) = (media.clock.now(), Fields::new(), MAX_FIELD_BYTES);
    let (upload, key, etag) = loop {
        // S3 looks at nothing that comes behind the file.
        let mut field = form.next_field().await?.ok_or(Fault::Refused(Refused::InvalidRequest))?;
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            break receive(media, &fields, field, now).await?;
        }
        let mut value = Vec::new();
        while let Some(chunk) = field.chunk().await? {
            room = room.checked_sub(chunk.len()).ok_or(Fault::Broken)?;
            value.extend_from_slice(&chunk);
        }
        let value = String::from_utf8(value).map_err(|_| Fault::Broken)?;
        if fields.insert(name, value).is_some() {
            return Err(Fault::Refused(Refused::InvalidRequest));
        }
    };
    // A form that breaks off behind the file was not sent as a whole.
    while form.next_field().await?.is_some() {}
    upload.finish(&key).await?;
    Ok(etag)
}

/// The file, when all of it is there.
async fn receive<'a>(
    media: &'a Media,
    fields: &Fields,
    mut file: Field<'_>,
    now: u64,
) -> Result<(Upload<'a>, MediaKey, String), Fault> {
    let check = |bytes: u64| check(&media.signer, BUCKET, fields, bytes, now / 1000);
    // Who may not bring it in is told so before any of it is kept.
    check(1)?;
    let kept = |name: &&String| KEPT.contains(&name.to_ascii_lowercase().as_str());
    let headers = fields.iter().filter(|(name, _)| kept(name));
    let description = Description {
        headers: headers.map(|(name, value)| (name.clone(), value.clone())).collect(),
        etag: etag(),
        modified: now,
    };
    let etag = description.etag.clone();
    let mut upload = media.files.begin(description).await?;
    let mut bytes = 0;
    while let Some(chunk) = file.chunk().await? {
        bytes += chunk.len() as u64;
        check(bytes)?;
        upload.write(&chunk).await?;
    }
    Ok((upload, check(bytes)?, etag))
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<MultipartError> for Fault {
    fn from(_: MultipartError) -> Self {
        Self::Broken
    }
}

impl From<std::io::Error> for Fault {
    fn from(why: std::io::Error) -> Self {
        Self::Disk(why)
    }
}
