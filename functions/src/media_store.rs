//! The objects that users have uploaded: the only part that knows S3.

use aws_sdk_s3::{
    Client,
    config::Builder,
    error::{ProvideErrorMetadata, SdkError},
};
use hongyan_shared::{Error, Result, media::MediaKey};

use crate::{
    aws::reason,
    config::{Config, Configured, Misconfigured},
};

/// The bucket of this deployment.
pub struct MediaStore {
    client: Client,
    bucket: String,
}

impl MediaStore {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        let bucket = config.media_bucket().ok_or(Misconfigured::Missing("MEDIA_BUCKET"))?;
        let sdk = config.sdk();
        // An emulator and a twin have one host for all buckets.
        let is_elsewhere = sdk.endpoint_url().is_some();
        let client = Client::from_conf(Builder::from(sdk).force_path_style(is_elsewhere).build());
        Ok(Self { client, bucket })
    }

    /// What lies under a prefix, at most a thousand objects.
    pub async fn list(&self, prefix: &str) -> Result<Vec<MediaKey>> {
        let listed = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix).send().await;
        let objects = listed.map_err(|error| failed(&error))?.contents.unwrap_or_default();
        Ok(objects.iter().filter_map(|object| MediaKey::parse(object.key.as_deref()?)).collect())
    }

    /// Deletes an object. That it is not there, or no longer, is no error: a delete may be made again.
    pub async fn delete(&self, key: &MediaKey) -> Result<()> {
        let deleted = self.client.delete_object().bucket(&self.bucket).key(key.as_str()).send().await;
        deleted.map(|_| ()).map_err(|error| failed(&error))
    }
}

fn failed<E>(error: &SdkError<E>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    match error.code() {
        Some("SlowDown" | "ServiceUnavailable" | "RequestLimitExceeded") => Error::Throttled,
        _ => Error::Internal(format!("S3: {}", reason(error))),
    }
}
