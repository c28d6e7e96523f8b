//! What was uploaded for a message goes when the message is recalled.

use std::collections::BTreeSet;

use hongyan_shared::media::{MediaKey, Owner};

use super::all;
use crate::{
    config::{Config, Configured},
    failure::Failure,
    media_store::MediaStore,
    store::RowChange,
};

/// What it takes to delete media.
pub struct World {
    media: MediaStore,
    sdk_app_id: u64,
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self { media: MediaStore::new(config)?, sdk_app_id: config.sdk_app_id()? })
    }
}

/// Deletes what was uploaded for a recalled message: what its payload names in the folders of its `uuid`s, as far as
/// they are its sender's. A payload is what its sender says, and may name anybody's media; one that was forwarded has
/// the URLs and no `uuid`, because the objects are another message's. It may be done again: what is gone already
/// stays so.
///
/// # Errors
/// A row that is no message, and an object that cannot be deleted now.
pub async fn delete_media(world: &World, row: RowChange) -> Result<(), Failure> {
    let Some(message) = row.recalled().map_err(Failure::permanently)? else { return Ok(()) };
    let owner = Owner::of(world.sdk_app_id, &message.from);
    let own: Vec<MediaKey> = message.files.iter().filter_map(|text| MediaKey::parse(text)).collect();
    let is_own = |key: &MediaKey| key.is_of(&owner) && own.iter().any(|own| own.folder() == key.folder());
    let keys: BTreeSet<MediaKey> =
        message.files.iter().filter_map(|text| key_in(text)).filter(is_own).collect();
    Ok(all(keys.iter().map(|key| world.media.delete(key))).await?)
}

/// The key that a text names: it is one, or it is a URL with one as its path, whatever the host. A deployment may have
/// had another domain when the message was sent.
fn key_in(text: &str) -> Option<MediaKey> {
    let path = match text.split_once("://") {
        Some((_, host_and_path)) => host_and_path.split_once('/')?.1,
        None => text,
    };
    MediaKey::parse(path.split(['?', '#']).next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_and_a_url_name_an_object_and_nothing_else_does() {
        let key = "m/0123456789abcdef/abcdefghijklmnopqrstuvwxyz/o.png";
        for text in [
            key.to_owned(),
            format!("https://media.example.com/{key}"),
            format!("http://127.0.0.1:8420/{key}?x=1"),
            format!("https://media.example.com/{key}#1"),
        ] {
            assert_eq!(key_in(&text), MediaKey::parse(key), "{text}");
        }
        for text in [
            String::new(),
            format!("/{key}"),
            format!("https://{key}"),
            format!("https://media.example.com//{key}"),
            format!("https://media.example.com/a/../{key}"),
            format!("https://media.example.com/x/{key}"),
            format!("https://media.example.com/?{key}"),
            "https://media.example.com".to_owned(),
        ] {
            assert_eq!(key_in(&text), None, "{text}");
        }
    }
}
