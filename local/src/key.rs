//! The UserSig key of a laptop: each folder has one of its own, so that nobody who has not seen it signs for it.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use hongyan_shared::sig::Key;

use crate::error::StartError;

/// A key that nobody has seen.
pub fn fresh() -> Key {
    let bytes: [u8; 32] = rand::random();
    Key::from_bytes(&bytes)
}

/// The key of a folder, which is made if it has none yet.
///
/// # Errors
/// When the folder cannot be used, or its file holds no key.
pub fn of(folder: &Path) -> Result<Key, StartError> {
    let path = folder.join("key");
    let unusable = |source| StartError::Folder { path: folder.to_owned(), source };
    match fs::read_to_string(&path) {
        Ok(text) => Key::parse(&text).map_err(|source| StartError::Key { path, source }),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            fs::create_dir_all(folder).map_err(unusable)?;
            put(&path, &fresh()).map_err(unusable)?;
            of(folder)
        }
        Err(error) => Err(unusable(error)),
    }
}

/// Gives the file its name when it is complete, and leaves the one that somebody else was faster to put there.
fn put(path: &Path, key: &Key) -> std::io::Result<()> {
    let mut unfinished = PathBuf::from(path);
    unfinished.set_extension(std::process::id().to_string());
    write(&unfinished, key)?;
    let linked = fs::hard_link(&unfinished, path);
    fs::remove_file(&unfinished)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn write(path: &Path, key: &Key) -> std::io::Result<()> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{}", key.text())?;
    file.sync_all()
}
