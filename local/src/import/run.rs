//! An import, from the first record to the last.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{sync::mpsc, time::interval};

use super::{
    error::ImportError,
    files::{self, Found, Unreadable},
    journal::{Counts, Journal, Outcome},
    options::Options,
    record::{self, Work},
    server::{self, Answer, Ask, Server},
};

/// How many records are read ahead, so that nobody waits for the disk.
const AHEAD: usize = 1024;

/// How often it is written down how far the import is, and said.
const TICK: Duration = Duration::from_millis(500);

/// How far an import is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// How many bytes of the files have been read, of how many.
    pub bytes: (u64, u64),
    /// What has become of the records, those of earlier runs included.
    pub counts: Counts,
    /// The files that cannot be read to their end, when it has ended.
    pub unreadable: Vec<Unreadable>,
}

/// Imports what is not imported yet, tells how far it is twice a second, and returns that at the end.
///
/// # Errors
/// [`ImportError`]. To run it once more goes on.
pub async fn run(options: &Options, tell: impl FnMut(&Status)) -> Result<Status, ImportError> {
    let server = Server::new(options);
    import(options, &server, tell).await
}

async fn import(
    options: &Options,
    server: &impl Ask,
    mut tell: impl FnMut(&Status),
) -> Result<Status, ImportError> {
    let files = files::find(&options.paths)?;
    let mut journal = Journal::open(options)?;
    let total = files.iter().map(|file| file.bytes).sum();
    let read = Arc::new(AtomicU64::new(0));
    let (sender, mut found) = mpsc::channel(AHEAD);
    // What is imported already is read and not looked at.
    let begin: Vec<_> = files.into_iter().map(|file| (journal.done(&file), file)).collect();
    let reader = tokio::task::spawn_blocking({
        let read = Arc::clone(&read);
        move || files::read(&begin, &read, &sender)
    });
    let mut calls = FuturesUnordered::new();
    let (mut tick, mut is_read) = (interval(TICK), false);
    let status = |journal: &Journal| {
        let bytes = (read.load(Ordering::Relaxed), total);
        Status { bytes, counts: journal.counts(), unreadable: Vec::new() }
    };
    while !is_read || !calls.is_empty() {
        tokio::select! {
            next = found.recv(), if !is_read && calls.len() < options.at_once => match next {
                Some(next) => calls.push(do_one(options, server, next)),
                None => is_read = true,
            },
            Some(done) = calls.next() => {
                let (found, outcome): (Found, _) = done;
                match outcome {
                    Ok(outcome) => journal.note(&found, outcome),
                    Err(error) => {
                        journal.save()?;
                        return Err(error);
                    }
                }
            },
            _ = tick.tick() => {
                journal.save()?;
                tell(&status(&journal));
            },
        }
    }
    journal.save()?;
    let status = status(&journal);
    tell(&status);
    // It has ended, for it holds the other end of the channel.
    match reader.await {
        Ok(unreadable) => Ok(Status { unreadable, ..status }),
        Err(panic) => Err(ImportError::Refused(panic.to_string())),
    }
}

/// Makes the calls of a record, one after another.
async fn do_one(options: &Options, server: &impl Ask, found: Found) -> (Found, Result<Outcome, ImportError>) {
    let work = record::work(&found.value, &(options.from..options.until.unwrap_or(u64::MAX)));
    let outcome = match work {
        Work::Skip(why) => Ok(Outcome::Skipped(why)),
        Work::Message(calls) => make(options, server, &calls, Outcome::Message).await,
        Work::User(calls) => make(options, server, &calls, Outcome::User).await,
    };
    (found, outcome)
}

async fn make(
    options: &Options,
    server: &impl Ask,
    calls: &[record::Call],
    done: Outcome,
) -> Result<Outcome, ImportError> {
    if options.journal.is_none() {
        return Ok(done);
    }
    for call in calls {
        match server::until_answered(server, call).await? {
            Answer::Done => {}
            Answer::Refused { code, info } if server::is_about_the_caller(code) => {
                return Err(ImportError::Refused(format!("{info} ({code})")));
            }
            Answer::Refused { code, info } => return Ok(Outcome::Refused(code, info)),
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use std::{cell::RefCell, collections::BTreeMap, fs, path::Path};

    use hongyan_shared::sig::Keys;
    use serde_json::{Value, json};
    use tempfile::TempDir;

    use super::{super::server::Unanswered, *};

    /// How often each message was imported, by its number; and after how many calls nothing more is answered.
    #[derive(Default)]
    struct Imported(RefCell<BTreeMap<u64, u64>>, Option<u64>);

    /// The number that the server refuses, and the one that it says is about the caller.
    const REFUSED: u64 = 7;
    const FORBIDDEN: u64 = 100_000;

    impl Ask for Imported {
        async fn ask(&self, call: &record::Call) -> Result<Answer, Unanswered> {
            // The later ones overtake the first ones.
            let seq = call.body["MsgSeq"].as_u64().unwrap_or_default();
            for _ in 0..(17 - seq % 17) {
                tokio::task::yield_now().await;
            }
            if self.1.is_some_and(|calls| self.0.borrow().len() as u64 >= calls) {
                std::future::pending::<()>().await;
            }
            *self.0.borrow_mut().entry(seq).or_default() += 1;
            Ok(match seq {
                REFUSED => Answer::Refused { code: 90010, info: "no".to_owned() },
                FORBIDDEN => Answer::Refused { code: 60010, info: "no administrator".to_owned() },
                _ => Answer::Done,
            })
        }
    }

    fn message(seq: u64) -> Value {
        json!({
            "From_Account": "alice", "To_Account": "bob", "MsgTimestamp": 1, "MsgSeq": seq, "MsgRandom": 1,
            "MsgBody": [{ "MsgType": "TIMTextElem", "MsgContent": { "Text": "x" } }],
        })
    }

    /// A folder with a file for each of these ranges of messages, and how they are imported.
    fn folder(files: &[(u64, u64)]) -> (TempDir, Options) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("files")).unwrap();
        for (number, (first, end)) in files.iter().enumerate() {
            let list: Vec<_> = (*first..*end).map(message).collect();
            let text = json!({ "ChatType": "C2C", "MsgList": list }).to_string();
            fs::write(folder.path().join(format!("files/{number}")), text).unwrap();
        }
        let options = Options {
            paths: vec![folder.path().join("files")],
            url: "http://127.0.0.1:1/v4/".to_owned(),
            sdk_app_id: 1,
            administrator: "administrator".to_owned(),
            keys: Keys::parse("key").unwrap(),
            at_once: 8,
            from: 0,
            until: None,
            journal: Some(folder.path().join("journal.json")),
        };
        (folder, options)
    }

    fn journal(folder: &Path) -> Value {
        serde_json::from_slice(&fs::read(folder.join("journal.json")).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn each_record_is_imported_once_and_another_run_finds_nothing_to_do() {
        let (folder, options) = folder(&[(0, 50), (50, 120)]);
        let (server, mut told) = (Imported::default(), Vec::new());
        let status = import(&options, &server, |status| told.push(status.clone())).await.unwrap();
        assert_eq!(status.counts, Counts { messages: 119, refused: 1, ..Counts::default() });
        assert_eq!(status.bytes.0, status.bytes.1);
        assert_eq!(told.last(), Some(&status));
        assert!(server.0.borrow().values().eq(std::iter::repeat_n(&1, 120)), "{:?}", server.0);
        let refusal = &journal(folder.path())["refusals"][0];
        assert_eq!((&refusal["record"], &refusal["code"]), (&json!(7), &json!(90010)));

        let again = Imported::default();
        assert_eq!(import(&options, &again, |_| {}).await.unwrap(), status);
        assert!(again.0.borrow().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_was_killed_goes_on_and_counts_nothing_twice() {
        let (_folder, options) = folder(&[(0, 50), (50, 120)]);
        let mut times = BTreeMap::new();
        for calls in [Some(30), Some(20), None] {
            let server = Imported(RefCell::default(), calls);
            // Long enough for the journal to be written once more.
            let ended = tokio::time::timeout(10 * TICK, import(&options, &server, |_| {})).await;
            assert_eq!(ended.is_ok(), calls.is_none());
            for (seq, count) in server.0.into_inner() {
                *times.entry(seq).or_default() += count;
            }
            if let Ok(status) = ended {
                let expected = Counts { messages: 119, refused: 1, ..Counts::default() };
                assert_eq!(status.unwrap().counts, expected);
            }
        }
        assert!(times.keys().copied().eq(0..120), "{times:?}");
        let again: u64 = times.values().map(|count: &u64| count - 1).sum();
        assert!(again <= 2 * options.at_once as u64 * 2, "{again} were done again");
    }

    #[tokio::test]
    async fn a_refusal_of_the_caller_ends_it_with_what_was_done() {
        let (folder, options) = folder(&[(0, 50), (FORBIDDEN, FORBIDDEN + 1)]);
        let server = Imported::default();
        let error = import(&options, &server, |_| {}).await.unwrap_err().to_string();
        assert!(error.contains("no administrator (60010)"), "{error}");
        assert!(journal(folder.path())["counts"]["messages"].as_u64().unwrap() > 30);
    }

    #[tokio::test]
    async fn a_journal_of_another_deployment_and_a_file_that_changed_are_noticed() {
        let (folder, options) = folder(&[(0, 5)]);
        import(&options, &Imported::default(), |_| {}).await.unwrap();
        let elsewhere = Options { url: "http://127.0.0.1:2/v4".to_owned(), ..options.clone() };
        let error = import(&elsewhere, &Imported::default(), |_| {}).await.unwrap_err().to_string();
        assert!(error.contains("http://127.0.0.1:1/v4") && error.contains("--journal"), "{error}");

        let shorter = Options { until: Some(5), ..options.clone() };
        let error = import(&shorter, &Imported::default(), |_| {}).await.unwrap_err().to_string();
        assert!(error.contains("--until was another one"), "{error}");

        let list = [message(20), message(21)];
        fs::write(folder.path().join("files/0"), json!({ "MsgList": list }).to_string()).unwrap();
        let server = Imported::default();
        assert_eq!(import(&options, &server, |_| {}).await.unwrap().counts.messages, 7);
        assert!(server.0.borrow().keys().eq(&[20, 21]));
    }

    #[tokio::test]
    async fn what_was_said_at_another_time_is_counted_and_not_imported() {
        let (folder, options) = folder(&[(0, 5)]);
        let at = |seq| {
            let mut message = message(seq);
            message["MsgTimestamp"] = json!(100 + seq);
            message
        };
        let list: Vec<_> = (0..5).map(at).collect();
        fs::write(folder.path().join("files/0"), json!({ "MsgList": list }).to_string()).unwrap();
        let server = Imported::default();
        let some = Options { from: 101, until: Some(103), ..options };
        let status = import(&some, &server, |_| {}).await.unwrap();
        assert_eq!(status.counts, Counts { messages: 2, outside: 3, ..Counts::default() });
        assert!(server.0.borrow().keys().eq(&[1, 2]));
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_is_said_at_the_end_and_the_others_are_imported() {
        let (folder, options) = folder(&[(0, 5), (10, 15)]);
        fs::write(folder.path().join("files/0"), "no JSON").unwrap();
        let server = Imported::default();
        let status = import(&options, &server, |_| {}).await.unwrap();
        assert_eq!((status.counts.messages, status.unreadable.len()), (5, 1));
        assert!(status.unreadable[0].path.ends_with("files/0"));
        assert!(server.0.borrow().keys().copied().eq(10..15));
    }

    #[tokio::test]
    async fn a_dry_run_reads_everything_and_does_nothing() {
        let (folder, options) = folder(&[(0, 50)]);
        let dry = Options { journal: None, ..options };
        let server = Imported::default();
        assert_eq!(import(&dry, &server, |_| {}).await.unwrap().counts.messages, 50);
        assert!(server.0.borrow().is_empty() && !folder.path().join("journal.json").exists());
    }
}
