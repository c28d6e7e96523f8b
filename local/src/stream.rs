//! The streams of the tables and the functions behind them: what Lambda's event source mappings do in an account.
//!
//! The engine has streams. It keeps all that it has recorded, and looks through it for the number of the next record: with
//! a stream that is always on, the thousandth write takes five times as long as without, and every later one longer still.
//! That is why a stream is on while something is written that a function could want to hear of, and off again.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use dynoxide::{
    Database, DynoxideError,
    actions::{get_records::GetRecordsRequest, get_shard_iterator::encode_shard_iterator},
    streams::{shard_id, stream_arn},
};
use futures_util::future::{join_all, try_join_all};
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tracing::{error, info, warn};

use crate::{clock::Clock, lambda::Lambda, shutdown::shutdown_requested};

/// For how long a stream keeps a record. A twin that starts again tells of what it has told of already, as Lambda may.
const RECORDS_ARE_KEPT_MS: u64 = 24 * 60 * 60 * 1000;

/// How long a function that has failed is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// The same where a test has the clock in its hand.
const PAUSE_OF_A_TEST: Duration = Duration::from_millis(5);

/// A function behind a stream, as the template has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EventSource {
    pub table: String,
    pub function: &'static str,
    /// What of a row the stream shows.
    pub view_type: String,
    /// The function hears of what one of these patterns fits.
    pub filters: Vec<Value>,
    /// Of how many records at once.
    pub batch_size: usize,
    /// How often it hears again of what has failed; as often as may be if nothing is said.
    pub retries: Option<u64>,
    /// How old a record may be, in milliseconds, of which it hears; as old as may be if nothing is said.
    pub max_age_ms: Option<u64>,
}

/// What the tables' writes are recorded with.
#[derive(Clone)]
pub(crate) struct Streams {
    engine: Database,
    sources: Arc<[EventSource]>,
    /// Who has switched a stream on has it until the stream is off again.
    recording: Arc<Mutex<()>>,
    /// Says to each of the sources that something was recorded for it.
    recorded: Arc<[Notify]>,
}

/// What tells the functions.
pub(crate) struct Delivery {
    streams: Streams,
    lambda: Lambda,
    clock: Clock,
    /// Up to where each of them has been told.
    told: Vec<tokio::sync::Mutex<String>>,
}

impl Streams {
    pub fn new(engine: Database, sources: &[EventSource]) -> Result<Self, DynoxideError> {
        let recorded = sources.iter().map(|_| Notify::new()).collect();
        let streams = Self { engine, sources: sources.into(), recording: Arc::default(), recorded };
        // A twin that was killed has left them on.
        streams.switch(&streams.of(|_| true), false)?;
        // What was recorded before this twin has begun.
        streams.recorded.iter().for_each(Notify::notify_one);
        Ok(streams)
    }

    /// Makes a write, and has it recorded if a function could want to hear of it.
    pub fn record<T>(
        &self,
        request: &[u8],
        write: impl FnOnce() -> Result<T, DynoxideError>,
    ) -> Result<T, DynoxideError> {
        let wanted = self.of(|source| source.may_want(request));
        if wanted.is_empty() {
            return write();
        }
        let _recording = self.recording.lock().unwrap_or_else(PoisonError::into_inner);
        self.switch(&wanted, true)?;
        let written = write();
        self.switch(&wanted, false)?;
        let sources = self.sources.iter().zip(self.recorded.iter());
        sources
            .filter(|(source, _)| wanted.contains_key(source.table.as_str()))
            .for_each(|(_, of)| of.notify_one());
        written
    }

    /// The tables of some sources, and what their streams show. Two functions behind one stream see the same.
    fn of(&self, which: impl Fn(&EventSource) -> bool) -> BTreeMap<&str, &str> {
        let sources = self.sources.iter().filter(|source| which(source));
        sources.map(|source| (source.table.as_str(), source.view_type.as_str())).collect()
    }

    fn switch(&self, streams: &BTreeMap<&str, &str>, on: bool) -> Result<(), DynoxideError> {
        for (table, view_type) in streams {
            let specification = if on {
                json!({ "StreamEnabled": true, "StreamViewType": view_type })
            } else {
                json!({ "StreamEnabled": false })
            };
            let request = json!({ "TableName": table, "StreamSpecification": specification });
            let request = serde_json::from_value(request)
                .map_err(|error| DynoxideError::InternalServerError(error.to_string()))?;
            self.engine.update_table(request)?;
        }
        Ok(())
    }
}

impl Delivery {
    pub fn new(streams: Streams, lambda: Lambda, clock: Clock) -> Self {
        let begin = |source: &EventSource| encode_shard_iterator(&source.table, &shard_id(&source.table), 0);
        let told = streams.sources.iter().map(begin).map(tokio::sync::Mutex::new).collect();
        Self { streams, lambda, clock, told }
    }

    /// Tells the functions whenever there is something, until the twin is to stop.
    pub async fn run(&self, mut stopped: watch::Receiver<bool>) {
        let pause = if matches!(self.clock, Clock::System) { PAUSE } else { PAUSE_OF_A_TEST };
        let sources = self.streams.sources.iter().enumerate();
        let tell_each = sources.map(async |(at, source)| {
            loop {
                if let Some(recorded) = self.streams.recorded.get(at) {
                    recorded.notified().await;
                }
                if let Err(error) = self.tell_one(at, source, Some(pause)).await {
                    warn!(%error, "a stream cannot be read");
                }
            }
        });
        tokio::select! {
            _ = join_all(tell_each) => {}
            () = shutdown_requested(&mut stopped) => {}
        }
    }

    /// Tells every function what it has not heard of yet, and says what has failed again after such a pause; if there is none, at
    /// the next start. Returns how many records a function has dealt with.
    pub async fn tell_all(&self, pause: Option<Duration>) -> Result<usize, DynoxideError> {
        let sources = self.streams.sources.iter().enumerate();
        let told = sources.map(|(at, source)| self.tell_one(at, source, pause));
        Ok(try_join_all(told).await?.into_iter().sum())
    }

    async fn tell_one(
        &self,
        at: usize,
        source: &EventSource,
        pause: Option<Duration>,
    ) -> Result<usize, DynoxideError> {
        let Some(told) = self.told.get(at) else { return Ok(0) };
        let mut told = told.lock().await;
        let mut done = 0;
        loop {
            let request = GetRecordsRequest { shard_iterator: told.clone(), limit: Some(source.batch_size) };
            let page = self.streams.engine.get_records(request)?;
            if page.records.is_empty() {
                return Ok(done);
            }
            let records = page.records.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>();
            let mut records =
                records.map_err(|error| DynoxideError::InternalServerError(error.to_string()))?;
            records.retain(|record| self.age(record) < RECORDS_ARE_KEPT_MS && source.wants(record));
            done += self.tell(source, records, pause).await;
            *told = page.next_shard_iterator.unwrap_or_default();
        }
    }

    /// Tells a function of some records, until it has dealt with all of them or has had its attempts.
    async fn tell(&self, source: &EventSource, mut records: Vec<Value>, pause: Option<Duration>) -> usize {
        let all = records.len();
        for record in &mut records {
            if let Some(record) = record.as_object_mut() {
                record.insert("eventSourceARN".to_owned(), json!(stream_arn(&source.table, "local")));
            }
        }
        let mut given_up = 0;
        for attempt in 0.. {
            let is_too_old = |record: &Value| source.max_age_ms.is_some_and(|age| self.age(record) > age);
            let before = records.len();
            records.retain(|record| !is_too_old(record));
            given_up += before - records.len();
            if records.is_empty() || source.retries.is_some_and(|retries| attempt > retries) {
                break;
            }
            match pause {
                Some(pause) if attempt > 0 => tokio::time::sleep(pause).await,
                None if attempt > 0 => break,
                _ => {}
            }
            let event = json!({ "Records": records });
            let Some(answer) = (self.lambda.streams)(source.function, event).await else { continue };
            // Of what has failed, and of all that is behind it, Lambda tells again.
            let failed = first_failure(&records, &answer);
            records.drain(..failed.unwrap_or(records.len()));
        }
        let (function, left) = (source.function, records.len() + given_up);
        if left > 0 {
            error!(function, left, "given up: in an account this goes to the queue of what has failed");
        } else if all > 0 {
            info!(function, records = all, "told");
        }
        all - left
    }

    /// How old a record is, in milliseconds.
    fn age(&self, record: &Value) -> u64 {
        let second = record.pointer("/dynamodb/ApproximateCreationDateTime").and_then(Value::as_f64);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let created_ms = second.map_or(0, |second| (second * 1000.0) as u64);
        self.clock.now().saturating_sub(created_ms)
    }
}

/// Which of the records is the first that has failed. A number that is none of theirs stands for all of them.
fn first_failure(records: &[Value], answer: &Value) -> Option<usize> {
    let failures = answer.get("batchItemFailures").and_then(Value::as_array)?;
    let place = |failure: &Value| {
        let number = failure.get("itemIdentifier");
        records.iter().position(|record| record.pointer("/dynamodb/SequenceNumber") == number).unwrap_or(0)
    };
    failures.iter().map(place).min()
}

impl EventSource {
    /// Whether a function could want to hear of a write, as far as its request shows: it names the table, each
    /// attribute that a filter asks for, and the key. Requests in which these are words of a text are taken for such ones too.
    fn may_want(&self, request: &[u8]) -> bool {
        let is_in_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let words = || request.split(|byte| !is_in_word(byte));
        let has = |word: &str| words().any(|other| other == word.as_bytes());
        let is_key = |rule: &Value| match rule.get("prefix").and_then(Value::as_str) {
            Some(prefix) => words().any(|word| word.starts_with(prefix.trim_end_matches('#').as_bytes())),
            None => rule.as_str().is_none_or(has),
        };
        has(&self.table)
            && self.filters.iter().any(|filter| {
                let row = filter.pointer("/dynamodb/NewImage").and_then(Value::as_object);
                let key = filter.pointer("/dynamodb/Keys/s/S").and_then(Value::as_array);
                let is_asked_for = |pattern: &Value| !fits(pattern, None);
                row.is_none_or(|row| row.iter().all(|(name, pattern)| !is_asked_for(pattern) || has(name)))
                    && key.is_none_or(|rules| rules.iter().any(is_key))
            })
    }

    fn wants(&self, record: &Value) -> bool {
        self.filters.iter().any(|filter| fits(filter, Some(record)))
    }
}

/// Whether a value fits a pattern, in the part of Lambda's language that the template speaks: values, how they begin, and
/// whether there is one at all.
fn fits(pattern: &Value, value: Option<&Value>) -> bool {
    match pattern {
        Value::Object(members) => {
            members.iter().all(|(name, pattern)| fits(pattern, value.and_then(|value| value.get(name))))
        }
        Value::Array(rules) => rules.iter().any(|rule| match (rule.get("exists"), rule.get("prefix")) {
            (Some(exists), _) => exists == value.is_some(),
            (None, Some(prefix)) => {
                let text = value.and_then(Value::as_str).zip(prefix.as_str());
                text.is_some_and(|(text, prefix)| text.starts_with(prefix))
            }
            (None, None) => value == Some(rule),
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use std::sync::atomic::Ordering;

    use futures_util::FutureExt;

    use super::*;
    use crate::{
        database::{Data, Database as Tables},
        template::Template,
    };

    const NOW_MS: u64 = 1_795_400_000_000;

    struct Laptop {
        tables: Tables,
        delivery: Delivery,
        clock: Clock,
        heard: Arc<Mutex<Vec<Value>>>,
    }

    impl Laptop {
        /// With a function that answers its events like this. Where it does not, it has died.
        async fn new(answer: impl Fn(&Value) -> Option<Value> + Send + Sync + 'static) -> Self {
            let clock = Clock::manual(NOW_MS);
            let tables =
                Tables::open(&Data::Memory, 0, &clock, &Template::read(false).unwrap(), None).await.unwrap();
            let heard: Arc<Mutex<Vec<Value>>> = Arc::default();
            let events = Arc::clone(&heard);
            let lambda = Lambda {
                routes: Arc::new(|_, _| std::future::ready(None).boxed()),
                streams: Arc::new(move |name, event| {
                    assert_eq!(name, "delete-media");
                    let answer = answer(&event);
                    events.lock().unwrap().push(event);
                    std::future::ready(answer).boxed()
                }),
            };
            let delivery = Delivery::new(tables.api.streams.clone(), lambda, clock.clone());
            Self { tables, delivery, clock, heard }
        }

        fn put(&self, number: usize) {
            let item = json!({ "p": { "S": "a·b" }, "s": { "S": format!("M{number:012}") } });
            let request = json!({ "TableName": "Messages", "Item": item });
            let streams = &self.tables.api.streams;
            let put = || streams.engine.put_item(serde_json::from_value(request.clone()).unwrap());
            streams.record(request.to_string().as_bytes(), put).unwrap();
        }

        fn recall(&self, number: usize) {
            let request = json!({
                "TableName": "Messages",
                "Key": { "p": { "S": "a·b" }, "s": { "S": format!("M{number:012}") } },
                "UpdateExpression": "SET r = :now",
                "ExpressionAttributeValues": { ":now": { "N": "1" } },
            });
            let streams = &self.tables.api.streams;
            let update = || streams.engine.update_item(serde_json::from_value(request.clone()).unwrap());
            streams.record(request.to_string().as_bytes(), update).unwrap();
        }

        fn send_and_recall(&self, number: usize) {
            self.put(number);
            self.recall(number);
        }

        async fn tell(&self) -> usize {
            self.delivery.tell_all(Some(Duration::ZERO)).await.unwrap()
        }

        /// The numbers of the messages in each event.
        fn heard(&self) -> Vec<Vec<usize>> {
            let number = |record: &Value| {
                record["dynamodb"]["NewImage"]["s"]["S"].as_str().unwrap()[1..].parse().unwrap()
            };
            let numbers = |event: &Value| event["Records"].as_array().unwrap().iter().map(number).collect();
            self.heard.lock().unwrap().iter().map(numbers).collect()
        }
    }

    /// The answer of a function that has failed at the records of these places of an event.
    fn failing(event: &Value, places: &[usize]) -> Value {
        let number = |place: &usize| event["Records"][*place]["dynamodb"]["SequenceNumber"].clone();
        let failures: Vec<Value> =
            places.iter().map(|place| json!({ "itemIdentifier": number(place) })).collect();
        json!({ "batchItemFailures": failures })
    }

    fn done(_: &Value) -> Option<Value> {
        Some(json!({ "batchItemFailures": [] }))
    }

    #[tokio::test]
    async fn a_function_hears_of_what_its_filter_fits_once_and_of_nothing_else() {
        let laptop = Laptop::new(done).await;
        (0..50).for_each(|number| laptop.put(number));
        assert_eq!(laptop.tell().await, 0);
        laptop.recall(7);
        laptop.recall(9);
        // Has no message behind it, so it is an insert.
        laptop.recall(50);
        assert_eq!((laptop.tell().await, laptop.heard()), (2, vec![vec![7, 9]]));
        assert_eq!(laptop.tell().await, 0);
        let event = laptop.heard.lock().unwrap()[0].clone();
        assert_eq!(event["Records"][0]["eventName"], "MODIFY");
        assert_eq!(event["Records"][0]["dynamodb"]["NewImage"]["r"], json!({ "N": "1" }));
        assert!(event["Records"][0]["dynamodb"]["OldImage"].get("r").is_none(), "{event}");
    }

    #[tokio::test]
    async fn what_no_function_could_want_to_hear_of_is_not_recorded() {
        let laptop = Laptop::new(done).await;
        (0..50).for_each(|number| laptop.put(number));
        let begin = encode_shard_iterator("Messages", &shard_id("Messages"), 0);
        let request = GetRecordsRequest { shard_iterator: begin, limit: None };
        let recorded = laptop.tables.api.streams.engine.get_records(request).unwrap();
        assert_eq!(recorded.records.len(), 0, "it would be looked through at every write from now on");
    }

    #[tokio::test]
    async fn a_function_hears_of_ten_records_at_once() {
        let laptop = Laptop::new(done).await;
        (0..25).for_each(|number| laptop.send_and_recall(number));
        assert_eq!(laptop.tell().await, 25);
        assert_eq!(laptop.heard().iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
    }

    #[tokio::test]
    async fn what_has_failed_comes_again_with_all_that_is_behind_it() {
        let attempt = std::sync::atomic::AtomicUsize::new(0);
        let laptop = Laptop::new(move |event| match attempt.fetch_add(1, Ordering::Relaxed) {
            0 => Some(failing(event, &[3, 1])),
            // It dies.
            1 => None,
            2 => Some(failing(event, &[1])),
            _ => done(event),
        })
        .await;
        (0..4).for_each(|number| laptop.send_and_recall(number));
        assert_eq!(laptop.tell().await, 4);
        assert_eq!(laptop.heard(), [vec![0, 1, 2, 3], vec![1, 2, 3], vec![1, 2, 3], vec![2, 3]]);
    }

    #[tokio::test]
    async fn what_always_fails_is_given_up_and_the_stream_goes_on_behind_it() {
        let laptop = Laptop::new(|event| match event["Records"].as_array().unwrap().len() {
            10 => Some(json!({ "batchItemFailures": [{ "itemIdentifier": "none of theirs" }] })),
            _ => done(event),
        })
        .await;
        (0..11).for_each(|number| laptop.send_and_recall(number));
        assert_eq!(laptop.tell().await, 1);
        let heard = laptop.heard();
        let attempts = 1 + laptop.delivery.streams.sources[0].retries.unwrap();
        assert_eq!((heard.len() as u64, heard.last()), (attempts + 1, Some(&vec![10])));
        assert_eq!(laptop.tell().await, 0);
    }

    #[tokio::test]
    async fn a_twin_that_starts_again_tells_of_a_day() {
        let laptop = Laptop::new(done).await;
        laptop.send_and_recall(1);
        laptop.clock.advance(Duration::from_millis(RECORDS_ARE_KEPT_MS - 1000));
        laptop.send_and_recall(2);
        assert_eq!(laptop.tell().await, 2);
        let again = |streams: &Streams| {
            Delivery::new(streams.clone(), laptop.delivery.lambda.clone(), laptop.clock.clone())
        };
        assert_eq!(again(&laptop.tables.api.streams).tell_all(Some(Duration::ZERO)).await.unwrap(), 2);
        laptop.clock.advance(Duration::from_secs(1));
        assert_eq!(again(&laptop.tables.api.streams).tell_all(Some(Duration::ZERO)).await.unwrap(), 1);
        assert_eq!(laptop.heard(), [vec![1, 2], vec![1, 2], vec![2]]);
    }

    #[tokio::test]
    async fn a_stream_that_a_killed_twin_has_left_on_is_off_again() {
        let laptop = Laptop::new(done).await;
        let streams = &laptop.tables.api.streams;
        streams.switch(&streams.of(|_| true), true).unwrap();
        let is_on = || streams.engine.get_table_metadata("Messages").unwrap().unwrap().stream_enabled;
        assert!(is_on());
        Streams::new(streams.engine.clone(), &streams.sources).unwrap();
        assert!(!is_on());
    }

    #[test]
    fn a_pattern_fits_as_in_an_account() {
        let pattern =
            json!({ "eventName": ["INSERT", "MODIFY"], "row": { "r": { "N": [{ "exists": true }] } } });
        let with = |name: &str, row: Value| fits(&pattern, Some(&json!({ "eventName": name, "row": row })));
        assert!(with("MODIFY", json!({ "r": { "N": "1" }, "s": { "S": "" } })));
        assert!(with("INSERT", json!({ "r": { "N": "" } })));
        assert!(!with("REMOVE", json!({ "r": { "N": "1" } })));
        assert!(!with("MODIFY", json!({ "r": { "S": "1" } })));
        assert!(!with("MODIFY", json!({})));
        let begins = json!({ "s": { "S": [{ "prefix": "M" }, "C"] } });
        let key = |key: Value| fits(&begins, Some(&json!({ "s": { "S": key } })));
        assert!(key(json!("M1")) && key(json!("C")) && key(json!("M")));
        assert!(!key(json!("C1")) && !key(json!("RM")) && !key(json!(1)) && !fits(&begins, Some(&json!({}))));
        let absent = json!({ "r": [{ "exists": false }, "x"] });
        assert!(fits(&absent, Some(&json!({}))) && fits(&absent, Some(&json!({ "r": "x" }))));
        assert!(!fits(&absent, Some(&json!({ "r": "y" }))));
    }
}
