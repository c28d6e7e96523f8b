//! `getUploadForm`: signs the form with which a client uploads a picture, voice, a video or a file.

use hongyan_shared::{
    Error, Result,
    media::{Fields, Folder, LIFETIME_S, Object, Owner, Upload, sign},
    model::UserId,
};

use crate::{
    aws::FormSigner,
    clock::Clock,
    config::{Config, Configured, MediaPlace},
    limits::MediaLimit,
    random::Random,
};

/// What it takes to sign forms.
pub struct World {
    place: Option<MediaPlace>,
    limit: MediaLimit,
    signer: FormSigner,
    random: Random,
    clock: Clock,
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            place: config.media()?,
            limit: MediaLimit::new(config)?,
            signer: config.form_signer()?,
            random: config.random.clone(),
            clock: config.clock.clone(),
        })
    }
}

/// What is to be uploaded, and how.
pub struct Forms<'a> {
    /// Where they are posted.
    pub url: &'a str,
    /// Until when, in Unix seconds.
    pub expires: u64,
    /// The form of what was chosen.
    pub original: Form,
    /// Those of its previews.
    pub previews: Vec<Form>,
}

/// The form of one object.
pub struct Form {
    /// Where it will lie.
    pub key: String,
    /// What shows it, once it is there.
    pub media_url: String,
    /// What is posted before the file.
    pub fields: Fields,
}

/// Forms for one upload, in a place that nobody can guess and that is the user's. What they allow is neither more nor
/// larger than what was asked for.
///
/// # Errors
/// [`Error::NoMedia`], [`Error::TooMuchMedia`].
pub async fn get_upload_form<'a>(world: &'a World, user: &UserId, upload: &Upload) -> Result<Forms<'a>> {
    let MediaPlace { sdk_app_id, bucket, url } = world.place.as_ref().ok_or(Error::NoMedia)?;
    world.limit.count(user, upload.counted_bytes()).await?;
    let signer = world.signer.signer().await?;
    let now = world.clock.now() / 1000;
    let form = |object: Object<'_>| Form {
        key: object.key.to_string(),
        media_url: format!("{url}{}", object.key),
        fields: sign(&signer, &object, now),
    };
    let folder = Folder::new(&Owner::of(*sdk_app_id, user), |below| world.random.below(below));
    Ok(Forms {
        url,
        expires: now.saturating_add(LIFETIME_S),
        original: form(upload.original(bucket, &folder)),
        previews: upload.previews(bucket, &folder).map(form).collect(),
    })
}
