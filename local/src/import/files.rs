//! The records of the files, one after another, however large the files are.
//!
//! What Tencent gives out has four shapes, and all of them are lists in an object, or what such a list has: a file of an
//! hour (`MsgList`), answers of `admin_getroammsg` (`MsgList`) and of `portrait_get` (`UserProfileItem`), bodies of
//! `multiaccount_import` (`AccountList`, `Accounts`). Any number of objects may follow one another in a file, each on a line for
//! example, or stand in an array.

use std::{
    fmt, fs,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use flate2::bufread::MultiGzDecoder;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use tokio::sync::mpsc::Sender;

use super::error::ImportError;

/// The members whose elements are records.
const LISTS: [&str; 4] = ["MsgList", "UserProfileItem", "AccountList", "Accounts"];

/// How a compressed file begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A file that is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub path: PathBuf,
    pub bytes: u64,
}

/// A record, and where it was.
#[derive(Debug, Clone)]
pub struct Found {
    pub path: PathBuf,
    /// The size of the file, by which it is told from another one of its name.
    pub bytes: u64,
    /// How many records there are before it.
    pub number: u64,
    pub value: Value,
}

/// A file that is no JSON, or not to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Which.
    pub path: PathBuf,
    /// What is wrong, and where.
    pub why: String,
}

/// The files, and all files in the folders, in the order of their names, which are those of hours. What in a folder has a name that
/// begins with a dot was put there by a system or an editor, and is left out.
///
/// # Errors
/// [`ImportError::File`], [`ImportError::NoFiles`].
pub fn find(paths: &[PathBuf]) -> Result<Vec<File>, ImportError> {
    let mut files = Vec::new();
    for path in paths {
        let unusable = |source| ImportError::File { path: path.clone(), source };
        // Under one name however it was given, or it would be imported twice.
        let path = path.canonicalize().map_err(unusable)?;
        add(&path, &mut files).map_err(unusable)?;
    }
    files.sort_by(|a: &File, b| a.path.cmp(&b.path));
    files.dedup();
    if files.is_empty() { Err(ImportError::NoFiles) } else { Ok(files) }
}

fn add(path: &Path, files: &mut Vec<File>) -> io::Result<()> {
    let about = fs::metadata(path)?;
    if !about.is_dir() {
        files.push(File { path: path.to_owned(), bytes: about.len() });
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            add(&entry.path(), files)?;
        }
    }
    Ok(())
}

/// Sends the records of each file but for as many as are done, until there are no more or nobody wants them. Returns the files that
/// cannot be read to their end: one that is cut off, or none of Tencent's, keeps none of the others from being imported.
pub fn read(files: &[(u64, File)], read: &AtomicU64, to: &Sender<Found>) -> Vec<Unreadable> {
    let mut unreadable = Vec::new();
    for (done, file) in files {
        let (mut number, mut is_wanted) = (0, true);
        let ended = open(file, read).map_err(serde_json::Error::io).and_then(|plain| {
            records(plain, &mut |value| {
                if number >= *done {
                    let found = Found { path: file.path.clone(), bytes: file.bytes, number, value };
                    is_wanted = to.blocking_send(found).is_ok();
                }
                number += 1;
                is_wanted
            })
        });
        match ended {
            Ok(()) => {}
            Err(_) if !is_wanted => break,
            Err(error) => unreadable.push(Unreadable { path: file.path.clone(), why: error.to_string() }),
        }
    }
    unreadable
}

/// What is in a file, compressed or not.
fn open<'a>(file: &File, read: &'a AtomicU64) -> io::Result<Box<dyn BufRead + 'a>> {
    let mut counted = BufReader::new(Counted { file: fs::File::open(&file.path)?, read });
    let is_gzip = counted.fill_buf()?.starts_with(&GZIP);
    Ok(if is_gzip { Box::new(BufReader::new(MultiGzDecoder::new(counted))) } else { Box::new(counted) })
}

/// Counts what is read of a file, for those who wait.
struct Counted<'a> {
    file: fs::File,
    read: &'a AtomicU64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Hands each record on, until there are no more or `take` says that it wants none.
fn records(plain: impl BufRead, take: &mut dyn FnMut(Value) -> bool) -> serde_json::Result<()> {
    let mut plain = Separated(plain);
    loop {
        if plain.is_at_end().map_err(serde_json::Error::io)? {
            return Ok(());
        }
        let mut reader = serde_json::Deserializer::from_reader(&mut plain);
        Document(take).deserialize(&mut reader)?;
    }
}

/// A reader between whose values there may be space, commas and the mark of an encoding.
struct Separated<R>(R);

impl<R: BufRead> Separated<R> {
    fn is_at_end(&mut self) -> io::Result<bool> {
        loop {
            let waiting = self.0.fill_buf()?;
            let Some(byte) = waiting.first() else { return Ok(true) };
            if !(byte.is_ascii_whitespace() || b",\xef\xbb\xbf".contains(byte)) {
                return Ok(false);
            }
            self.0.consume(1);
        }
    }
}

impl<R: BufRead> Read for Separated<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

/// An object with lists of records, one that is a record itself, or an array of such objects.
struct Document<'a>(&'a mut dyn FnMut(Value) -> bool);

/// A list of records.
struct List<'a>(&'a mut dyn FnMut(Value) -> bool);

fn hand_on<E: de::Error>(take: &mut dyn FnMut(Value) -> bool, record: Value) -> Result<(), E> {
    if take(record) { Ok(()) } else { Err(E::custom("nobody wants more")) }
}

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a MsgList, a message, or a user")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while array.next_element_seed(Document(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let (mut rest, mut is_list) = (Map::new(), false);
        while let Some(name) = object.next_key::<String>()? {
            if LISTS.contains(&name.as_str()) {
                is_list = true;
                object.next_value_seed(List(&mut *self.0))?;
            } else {
                rest.insert(name, object.next_value()?);
            }
        }
        if is_list { Ok(()) } else { hand_on(self.0, Value::Object(rest)) }
    }
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of messages or users")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while let Some(record) = array.next_element()? {
            hand_on(self.0, record)?;
        }
        Ok(())
    }

    // An answer without any has null.
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    use serde_json::json;
    use tokio::sync::mpsc;

    use super::*;

    fn all(text: &str) -> Vec<Value> {
        let mut all = Vec::new();
        records(text.as_bytes(), &mut |record| {
            all.push(record);
            true
        })
        .unwrap();
        all
    }

    #[test]
    fn records_are_found_in_every_shape_that_tencent_gives_out() {
        let (one, two) = (json!({ "MsgSeq": 1 }), json!({ "MsgSeq": 2 }));
        for text in [
            r#"{"MsgSeq":1}{"MsgSeq":2}"#,
            "\u{feff}{\"MsgSeq\":1}\r\n{\"MsgSeq\":2}\n\n",
            "{\"MsgSeq\":1},\n{\"MsgSeq\":2},\n",
            r#"[{"MsgSeq":1},{"MsgSeq":2}]"#,
            "{\"ChatType\":\"C2C\",\"MsgList\":[\n{\"MsgSeq\":1},\n{\"MsgSeq\":2}\n]}",
            r#"{"MsgList":[{"MsgSeq":1}],"Complete":0}{"MsgList":[{"MsgSeq":2}],"Complete":1}"#,
            r#"[{"MsgList":[{"MsgSeq":1}]},{"MsgList":null},{"MsgList":[]},{"MsgSeq":2}]"#,
        ] {
            assert_eq!(all(text), [one.clone(), two.clone()], "{text}");
        }
        assert_eq!(all(r#"{"Accounts":["alice","bob"]}"#), [json!("alice"), json!("bob")]);
        assert_eq!(all(" \n"), Vec::<Value>::new());
    }

    #[test]
    fn what_is_no_record_is_an_error_that_says_where() {
        for (text, why) in [
            ("{\"MsgList\":[{\"MsgSeq\":1},\n{\"MsgSeq\"", "line 2"),
            ("<html>", "line 1"),
            (r#"{"MsgList":"none"}"#, "a list of messages or users"),
            ("[1]", "an object with a MsgList"),
        ] {
            let error = records(text.as_bytes(), &mut |_| true).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    /// What is sent of these files from these records on, and which could not be read.
    fn sent(files: &[(u64, File)]) -> (Vec<(u64, Value)>, Vec<Unreadable>) {
        let (sender, mut found) = mpsc::channel(16);
        let unreadable = read(files, &AtomicU64::new(0), &sender);
        drop(sender);
        (
            std::iter::from_fn(|| found.blocking_recv()).map(|found| (found.number, found.value)).collect(),
            unreadable,
        )
    }

    #[test]
    fn a_folder_is_read_in_the_order_of_its_names_compressed_or_not_from_where_it_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        fs::create_dir(folder.path().join("2026112500")).unwrap();
        write("2026112500/b", br#"{"MsgList":[{"MsgSeq":1},{"MsgSeq":2}]}"#);
        // Two parts, as `cat` makes them of two files.
        let mut gzip = Vec::new();
        for part in [r#"{"MsgList":[{"MsgSeq":3}]}"#, r#"{"MsgList":[{"MsgSeq":4}]}"#] {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(part.as_bytes()).unwrap();
            gzip.extend(encoder.finish().unwrap());
        }
        write("2026112501.gz", &gzip);
        let inner = folder.path().join("2026112500");
        let files = find(&[folder.path().into(), inner]).unwrap();
        assert_eq!(files.len(), 2, "what is named twice is there once: {files:?}");

        let from = |begin: [u64; 2]| begin.into_iter().zip(files.clone()).collect::<Vec<_>>();
        let (all, unreadable) = sent(&from([0, 0]));
        let seqs: Vec<_> =
            all.iter().map(|(number, value)| (*number, value["MsgSeq"].as_u64().unwrap())).collect();
        assert_eq!(seqs, [(0, 1), (1, 2), (0, 3), (1, 4)]);
        assert_eq!(unreadable, []);
        let (rest, _) = sent(&from([1, 2]));
        assert_eq!(rest, [(1, json!({ "MsgSeq": 2 }))]);
    }

    #[test]
    fn a_file_that_is_none_of_tencents_or_cut_off_is_named_and_keeps_no_other_from_being_read() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        for name in [".DS_Store", ".git/HEAD"] {
            write(name, b"\0\0\0\x01Bud1");
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(br#"{"MsgList":[{"MsgSeq":1}]}"#).unwrap();
        let gzip = encoder.finish().unwrap();
        write("1.gz", &gzip[..gzip.len() - 12]);
        write("2.txt", b"read me");
        write("3", br#"{"MsgList":[{"MsgSeq":3}]}"#);
        let found = find(&[folder.path().into()]).unwrap();
        let (all, unreadable) = sent(&found.into_iter().map(|file| (0, file)).collect::<Vec<_>>());
        let names: Vec<_> = unreadable.iter().map(|file| file.path.file_name().unwrap()).collect();
        assert_eq!(names, ["1.gz", "2.txt"]);
        assert!(unreadable[1].why.contains("line 1"), "{unreadable:?}");
        assert_eq!(all.last().unwrap().1, json!({ "MsgSeq": 3 }));
        let named = find(&[folder.path().join(".DS_Store")]).unwrap();
        assert_eq!(named.len(), 1, "what is named is meant");
    }

    #[test]
    fn nothing_to_read_is_said() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(find(&[folder.path().into()]), Err(ImportError::NoFiles)));
        let missing = find(&[folder.path().join("missing")]).unwrap_err().to_string();
        assert!(missing.contains("missing cannot be used"), "{missing}");
    }
}
