//! The folder that keeps a chat: one twin at a time, and a file that is whole or not there.

use std::{
    fs::{self, File, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags};

use crate::error::StartError;

/// A folder that nobody else uses while this is held.
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Takes the folder for this process, and makes it if it is not there.
    pub fn take(path: &Path) -> Result<Self, StartError> {
        let unusable = |source| StartError::Folder { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(unusable)?;
        let mut lock = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join("lock"))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                // Who it is helps; that it is somebody is enough to stop.
                let _ = lock.read_to_string(&mut owner);
                return Err(StartError::FolderTaken {
                    path: path.to_owned(),
                    owner: owner.trim().to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        // The system lets go of it when the process ends, however it ends. The number is for people.
        let write = |lock: &mut File| {
            lock.set_len(0)?;
            lock.rewind()?;
            writeln!(lock, "{}", std::process::id())
        };
        write(&mut lock).map_err(unusable)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// The database of the folder: the one that is there, or a new one that `fill` has put the tables into.
    ///
    /// A new one gets its name when it is complete. So a file of this name that is empty, or lacks a part,
    /// has been damaged, and is not taken for the beginning of a chat.
    pub fn open(
        &self,
        fill: impl Fn(&dynoxide::Database) -> Result<(), StartError>,
    ) -> Result<dynoxide::Database, StartError> {
        let path = self.path.join("hongyan.db");
        let broken =
            |why: &dyn std::fmt::Display| StartError::DataFile { path: path.clone(), why: why.to_string() };
        let open = |path: &Path| dynoxide::Database::new(&path.to_string_lossy()).map_err(|why| broken(&why));
        if path.exists() {
            check(&path).map_err(|why| broken(&why))?;
        } else {
            if sibling(&path, "-wal").exists() {
                return Err(broken(
                    &"its file is gone, but not what was to be written into it, hongyan.db-wal",
                ));
            }
            let unfinished = self.path.join("hongyan.db.new");
            for file in [unfinished.clone(), sibling(&unfinished, "-wal"), sibling(&unfinished, "-shm")] {
                match fs::remove_file(&file) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(broken(&error)),
                    _ => {}
                }
            }
            // The last one to close it writes everything into the one file.
            fill(&open(&unfinished)?)?;
            fs::rename(&unfinished, &path).map_err(|why| broken(&why))?;
        }
        let engine = open(&path)?;
        // A later version of Hongyan has more tables.
        fill(&engine)?;
        Ok(engine)
    }
}

/// Reads all of a file that should be a database of ours. SQLite takes an empty one for a new one, and
/// finds out about a missing part when somebody asks for it.
fn check(path: &Path) -> Result<(), String> {
    let failed = |error: rusqlite::Error| error.to_string();
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(path, flags).map_err(failed)?;
    let verdict: String =
        database.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if verdict != "ok" {
        return Err(verdict);
    }
    let tables: u64 =
        database.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if tables == 0 { Err("there is nothing in it".to_owned()) } else { Ok(()) }
}

fn sibling(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
