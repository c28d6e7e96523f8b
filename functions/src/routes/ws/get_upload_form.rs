//! `getUploadForm`.

use hongyan_shared::{
    Result,
    protocol::{GetUploadForm, PreviewForm, UploadFormReply},
};

use super::{Event, Reply};
pub use crate::actions::get_upload_form::World;
use crate::actions::get_upload_form::{Form, Forms, get_upload_form};

/// Answers with what is to be posted, and where.
///
/// # Errors
/// A bad request, and those of [`get_upload_form`].
pub async fn handle(world: &World, event: Event) -> Result<Reply> {
    let request: GetUploadForm = event.request.data()?;
    let upload = request.parse()?;
    let Forms { url, expires, original, previews } =
        get_upload_form(world, &event.caller.user, &upload).await?;
    let preview = |Form { key, media_url, fields }| PreviewForm { key, media_url, fields };
    Ok(Reply::data(&UploadFormReply {
        url: url.to_owned(),
        expires,
        key: original.key,
        media_url: original.media_url,
        fields: original.fields,
        previews: previews.into_iter().map(preview).collect(),
    }))
}
