//! The objects of the bucket: in memory, or each in a file of its own that is whole or not there.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::body::{Body, Bytes};
use futures_util::stream;
use hongyan_shared::media::MediaKey;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::event::id;

/// How much of a file is in memory at once.
const CHUNK: usize = 64 * 1024;

/// What is known of an object besides its bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Description {
    /// The headers that the form has given it.
    pub headers: BTreeMap<String, String>,
    /// A name that no other upload has, of the same object neither.
    pub etag: String,
    /// When it came, in milliseconds.
    pub modified: u64,
}

/// All objects.
pub(crate) enum Files {
    Memory(Mutex<HashMap<MediaKey, (Description, Bytes)>>),
    /// In this folder, each under its key. Its first line is its description, and the rest is what it says.
    Folder(PathBuf),
}

/// An object, to be read.
pub(crate) struct Object {
    pub description: Description,
    /// How many bytes it has.
    pub bytes: u64,
    content: Content,
}

enum Content {
    Bytes(Bytes),
    File { file: tokio::fs::File, begins_at: u64 },
}

/// An object that comes in. Dropped before it is complete, it has never been there.
pub(crate) enum Upload<'a> {
    Memory { files: &'a Files, description: Description, bytes: Vec<u8> },
    File { folder: &'a Path, unfinished: Unfinished, file: tokio::fs::File },
}

/// A file that is removed again, unless it gets its name.
pub(crate) struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // It has its name, or it is swept when the twin starts again.
        let _ = fs::remove_file(&self.0);
    }
}

impl Files {
    /// Those of this folder, which nobody else uses. What had not come in completely when a twin was killed is removed.
    pub fn in_folder(path: PathBuf) -> io::Result<Self> {
        let unfinished = path.join(UNFINISHED);
        match fs::remove_dir_all(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::create_dir_all(unfinished)?;
        Ok(Self::Folder(path))
    }

    pub fn in_memory() -> Self {
        Self::Memory(Mutex::default())
    }

    /// Begins an object.
    pub async fn begin(&self, description: Description) -> io::Result<Upload<'_>> {
        Ok(match self {
            Self::Memory(_) => Upload::Memory { files: self, description, bytes: Vec::new() },
            Self::Folder(folder) => {
                let unfinished = Unfinished(folder.join(UNFINISHED).join(&description.etag));
                let mut file = tokio::fs::File::create(&unfinished.0).await?;
                file.write_all(&first_line(&description)?).await?;
                Upload::File { folder, unfinished, file }
            }
        })
    }

    /// An object, if it is there.
    pub fn get(&self, key: &MediaKey) -> io::Result<Option<Object>> {
        match self {
            Self::Memory(objects) => Ok(lock(objects).get(key).map(|(description, bytes)| Object {
                description: description.clone(),
                bytes: bytes.len() as u64,
                content: Content::Bytes(bytes.clone()),
            })),
            Self::Folder(folder) => match File::open(path(folder, key)) {
                Ok(file) => open(file).map(Some),
                Err(error) if is_absent(&error) => Ok(None),
                Err(error) => Err(error),
            },
        }
    }

    /// Deletes an object, whether it is there or not.
    pub fn delete(&self, key: &MediaKey) -> io::Result<()> {
        match self {
            Self::Memory(objects) => _ = lock(objects).remove(key),
            Self::Folder(folder) => {
                let file = path(folder, key);
                match fs::remove_file(&file) {
                    Err(error) if !is_absent(&error) => return Err(error),
                    _ => {}
                }
                // Those of one upload have a folder, which goes with the last of them.
                if let Some(folder) = file.parent() {
                    let _ = fs::remove_dir(folder);
                }
            }
        }
        Ok(())
    }

    /// Deletes what had come by this time, in milliseconds, and says how much that was.
    pub fn sweep(&self, by: u64) -> io::Result<usize> {
        let mut swept = 0;
        for key in self.keys()? {
            if self.get(&key)?.is_some_and(|object| object.description.modified <= by) {
                self.delete(&key)?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    /// The keys of all objects.
    pub fn keys(&self) -> io::Result<Vec<MediaKey>> {
        match self {
            Self::Memory(objects) => Ok(lock(objects).keys().cloned().collect()),
            Self::Folder(folder) => {
                let mut keys = Vec::new();
                collect(&folder.join("m"), "m", &mut keys)?;
                Ok(keys)
            }
        }
    }
}

impl Upload<'_> {
    pub async fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        match self {
            Self::Memory { bytes, .. } => bytes.extend_from_slice(chunk),
            Self::File { file, .. } => file.write_all(chunk).await?,
        }
        Ok(())
    }

    /// It is complete, and is there from now on, in the place of what has been there.
    pub async fn finish(self, key: &MediaKey) -> io::Result<()> {
        match self {
            Self::Memory { files: Files::Memory(objects), description, bytes } => {
                lock(objects).insert(key.clone(), (description, bytes.into()));
            }
            Self::Memory { .. } => {}
            Self::File { folder, unfinished, mut file } => {
                file.flush().await?;
                file.sync_all().await?;
                let place = path(folder, key);
                // A delete of the object beside it may take the folder away again.
                for _ in 0..ATTEMPTS {
                    if let Some(folder) = place.parent() {
                        fs::create_dir_all(folder)?;
                    }
                    match fs::rename(&unfinished.0, &place) {
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        result => return result,
                    }
                }
                return Err(io::Error::from(io::ErrorKind::NotFound));
            }
        }
        Ok(())
    }
}

impl Object {
    /// So many bytes of it, from this one on.
    pub async fn read(self, from: u64, bytes: u64) -> io::Result<Body> {
        match self.content {
            Content::Bytes(all) => {
                let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(all.len());
                Ok(Body::from(all.slice(place(from)..place(from.saturating_add(bytes)))))
            }
            Content::File { mut file, begins_at } => {
                file.seek(io::SeekFrom::Start(begins_at.saturating_add(from))).await?;
                Ok(Body::from_stream(stream::try_unfold(file.take(bytes), |mut file| async move {
                    let mut chunk = Vec::with_capacity(CHUNK);
                    let read = file.read_buf(&mut chunk).await?;
                    io::Result::Ok((read > 0).then(|| (Bytes::from(chunk), file)))
                })))
            }
        }
    }
}

const UNFINISHED: &str = "unfinished";

/// How often a folder is made that somebody else removes at the same time.
const ATTEMPTS: usize = 8;

/// The longest description.
const FIRST_LINE: u64 = 16 * 1024;

/// A key has no part that leads out of the folder: that is what makes it one.
fn path(folder: &Path, key: &MediaKey) -> PathBuf {
    folder.join(key.as_str())
}

fn first_line(description: &Description) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(description)?;
    line.push(b'\n');
    Ok(line)
}

fn open(mut file: File) -> io::Result<Object> {
    let mut beginning = Vec::new();
    (&mut file).take(FIRST_LINE).read_to_end(&mut beginning)?;
    let line = beginning.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let (begins_at, length) = (line.len() as u64 + 1, file.metadata()?.len());
    Ok(Object {
        description: serde_json::from_slice(line)?,
        bytes: length.saturating_sub(begins_at),
        content: Content::File { file: file.into(), begins_at },
    })
}

/// The keys below a folder. A file that was put there by hand has none.
fn collect(folder: &Path, prefix: &str, keys: &mut Vec<MediaKey>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &name, keys)?;
        } else {
            keys.extend(MediaKey::parse(&name));
        }
    }
    Ok(())
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn lock<T>(objects: &Mutex<T>) -> MutexGuard<'_, T> {
    objects.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name for one upload, which is a file name as well.
pub(crate) fn etag() -> String {
    id().trim_end_matches('=').to_owned()
}
