//! How far an import is, in a file that is whole whenever the program is killed.
//!
//! Records are done in any order. A file counts as done up to the first of its records that is not, and what became of those
//! behind it is not written down: they are done again, which changes nothing. So the counts are those of the records that
//! will not be looked at again.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    error::ImportError,
    files::{File, Found},
    options::Options,
    record::Skip,
};

/// How many refusals are written down. All are counted.
const REFUSALS: usize = 1000;

/// What has become of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Message,
    User,
    Refused(i64, String),
    Skipped(Skip),
}

/// What has become of how many records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Messages that are in the history.
    pub messages: u64,
    /// Users who are there with their profiles.
    pub users: u64,
    /// Records that the server has refused.
    pub refused: u64,
    /// Messages that had been recalled.
    pub recalled: u64,
    /// Messages to groups.
    pub group: u64,
    /// Messages of another time than that of which they are imported.
    #[serde(default)]
    pub outside: u64,
    /// Records that are neither a message nor a user.
    pub unknown: u64,
}

/// A record that the server has refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The file.
    pub file: PathBuf,
    /// How many records there are before it.
    pub record: u64,
    /// The code.
    pub code: i64,
    /// The text.
    pub info: String,
}

/// What is in the file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Saved {
    /// Where everything is imported to.
    url: String,
    sdk_app_id: u64,
    /// Of which seconds.
    #[serde(default)]
    from: u64,
    #[serde(default)]
    until: Option<u64>,
    counts: Counts,
    files: BTreeMap<PathBuf, Progress>,
    refusals: Vec<Refusal>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Progress {
    bytes: u64,
    done: u64,
}

/// How far an import is.
pub struct Journal {
    /// Nothing is written down where nothing is done.
    path: Option<PathBuf>,
    saved: Saved,
    /// What became of records before which there are some that are not done.
    ahead: HashMap<PathBuf, BTreeMap<u64, Outcome>>,
    is_changed: bool,
}

impl Journal {
    /// The journal in the file, or a new one where there is none.
    ///
    /// # Errors
    /// [`ImportError::Journal`], [`ImportError::File`].
    pub fn open(options: &Options) -> Result<Self, ImportError> {
        let (url, sdk_app_id) = (options.url.trim_end_matches('/').to_owned(), options.sdk_app_id);
        let (from, until) = (options.from, options.until);
        let new = Saved { url, sdk_app_id, from, until, ..Saved::default() };
        let saved = match &options.journal {
            Some(path) => read(path, &new)?.unwrap_or(new),
            None => new,
        };
        Ok(Self { path: options.journal.clone(), saved, ahead: HashMap::new(), is_changed: false })
    }

    /// How many records of a file are done. One of another size is another file.
    pub fn done(&self, file: &File) -> u64 {
        let progress = self.saved.files.get(&file.path);
        progress.filter(|progress| progress.bytes == file.bytes).map_or(0, |progress| progress.done)
    }

    pub fn counts(&self) -> Counts {
        self.saved.counts
    }

    /// Notes what has become of a record.
    pub fn note(&mut self, found: &Found, outcome: Outcome) {
        let ahead = self.ahead.entry(found.path.clone()).or_default();
        ahead.insert(found.number, outcome);
        let progress = self.saved.files.entry(found.path.clone()).or_default();
        if progress.bytes != found.bytes {
            *progress = Progress { bytes: found.bytes, done: 0 };
        }
        while let Some(outcome) = ahead.remove(&progress.done) {
            let counts = &mut self.saved.counts;
            let count = match &outcome {
                Outcome::Message => &mut counts.messages,
                Outcome::User => &mut counts.users,
                Outcome::Refused(..) => &mut counts.refused,
                Outcome::Skipped(Skip::Recalled) => &mut counts.recalled,
                Outcome::Skipped(Skip::Group) => &mut counts.group,
                Outcome::Skipped(Skip::Outside) => &mut counts.outside,
                Outcome::Skipped(Skip::Unknown) => &mut counts.unknown,
            };
            *count = count.saturating_add(1);
            if let Outcome::Refused(code, info) = outcome
                && self.saved.refusals.len() < REFUSALS
            {
                let (file, record) = (found.path.clone(), progress.done);
                self.saved.refusals.push(Refusal { file, record, code, info });
            }
            progress.done = progress.done.saturating_add(1);
            self.is_changed = true;
        }
    }

    /// Writes it down, if it has changed: whole into a file beside it, which then takes its place.
    ///
    /// # Errors
    /// [`ImportError::File`].
    pub fn save(&mut self) -> Result<(), ImportError> {
        let Some(path) = self.path.as_ref().filter(|_| self.is_changed) else { return Ok(()) };
        write(path, &self.saved).map_err(|source| ImportError::File { path: path.clone(), source })?;
        self.is_changed = false;
        Ok(())
    }
}

fn read(path: &Path, expected: &Saved) -> Result<Option<Saved>, ImportError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ImportError::File { path: path.to_owned(), source }),
    };
    let other = |why| ImportError::Journal { path: path.to_owned(), why };
    let saved: Saved = serde_json::from_str(&text).map_err(|error| other(error.to_string()))?;
    if (&saved.url, saved.sdk_app_id) != (&expected.url, expected.sdk_app_id) {
        return Err(other(format!("it is of {} and the app {}", saved.url, saved.sdk_app_id)));
    }
    // What was left out then counts as done, and would be left out now.
    if (saved.from, saved.until) != (expected.from, expected.until) {
        return Err(other("--from or --until was another one".to_owned()));
    }
    Ok(Some(saved))
}

fn write(path: &Path, saved: &Saved) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut file = fs::File::create(&beside)?;
    file.write_all(&serde_json::to_vec_pretty(saved)?)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}
