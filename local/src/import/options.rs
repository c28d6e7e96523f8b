use std::path::PathBuf;

use hongyan_shared::sig::Keys;

/// What is imported, and where to.
#[derive(Debug, Clone)]
pub struct Options {
    /// Files, and folders of files.
    pub paths: Vec<PathBuf>,
    /// The API: `https://…/v4`.
    pub url: String,
    /// The app.
    pub sdk_app_id: u64,
    /// Who asks.
    pub administrator: String,
    /// What their UserSigs are signed with.
    pub keys: Keys,
    /// How many calls there may be at once.
    pub at_once: usize,
    /// The second from which on messages are imported.
    pub from: u64,
    /// The second before which they are.
    pub until: Option<u64>,
    /// Where it is written down how far the import is. Without it everything is read and nothing called.
    pub journal: Option<PathBuf>,
}
