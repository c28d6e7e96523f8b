//! A function behind the stream of a table: from Lambda's batch of records to an action for each.

use std::{
    collections::{BTreeMap, VecDeque},
    future::Future,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_lambda_events::{
    dynamodb::{Event, EventRecord},
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use futures_util::{StreamExt, future::join_all, stream};
use hongyan_shared::Error;
use tracing::error;

use super::failing::FailingRecords;
use crate::{
    clock::Clock,
    config::{Config, Configured},
    failure::Failure,
    record::{InvocationRecord, Metric, MetricCounts, Refused, Report},
    store::{RowChange, allowance::one_frame},
    undelivered::Undelivered,
};

/// In which order the records of a batch are dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turns {
    /// In none.
    AllAtOnce,
    /// Those of a partition one after the other, and none behind one that has failed and is not given up.
    InOrder,
}

/// How many partitions are dealt with at once.
const PARTITIONS: usize = 16;

/// For how long another record is begun with, in milliseconds. What is left of the function's time (template.yaml) is enough
/// for the last ones, whatever they take.
const BEGUN_FOR_MS: u64 = 40_000;

/// After how many failures no other record is begun with: whatever they need is not there.
const FAILURES: usize = 5;

/// How many records are remembered that come again without need.
const REMEMBERED: usize = 1_000;

/// A function in its sandbox.
pub struct Consumer<World> {
    /// What stands in its lines where others have their route.
    name: &'static str,
    turns: Turns,
    world: World,
    clock: Clock,
    report: Report,
    /// What has been dealt with and comes again, because something before it has failed. Who forgets it does it twice.
    done: Mutex<VecDeque<String>>,
    failing: FailingRecords,
    /// Where that goes which is given up here, where order matters. All else Lambda gives up.
    undelivered: Option<Undelivered>,
}

impl<World> Consumer<World> {
    /// A function with a world of its own.
    pub fn new(
        config: &Config,
        name: &'static str,
        turns: Turns,
        world: impl FnOnce(&Config) -> Configured<World>,
    ) -> Configured<Self> {
        let undelivered = match turns {
            Turns::AllAtOnce => None,
            Turns::InOrder => Some(Undelivered::new(config)?),
        };
        Ok(Self {
            name,
            turns,
            world: world(config)?,
            clock: config.clock.clone(),
            report: config.report.clone(),
            done: Mutex::default(),
            failing: FailingRecords::default(),
            undelivered,
        })
    }

    /// Does something for each record, for many at once, and says for which it has failed: Lambda tells of
    /// those again, and of all that are behind the first of them.
    ///
    /// So an action is done at least once, and one record that nobody can ever make anything of keeps none of the others in
    /// its batch from being done. Lambda reads no other batch of the shard before this one is dealt with: that is why a record is
    /// given up that fails while others pass. What the template says of the stream ends all other attempts.
    pub async fn consume<'a, Action, Done>(
        &'a self,
        event: Event,
        request_id: &str,
        action: Action,
    ) -> DynamoDbEventResponse
    where
        Action: Fn(&'a World, RowChange) -> Done + Copy,
        Done: Future<Output = Result<(), Failure>>,
    {
        let failed: Vec<String> = match self.turns {
            Turns::AllAtOnce => {
                let each = event.records.iter().map(|record| async move {
                    let done = self.one(record, request_id, action).await;
                    done.err().map(|_| number(record))
                });
                join_all(each).await.into_iter().flatten().collect()
            }
            Turns::InOrder => self.in_order(event.records, request_id, action).await,
        };
        let mut response = DynamoDbEventResponse::default();
        response.batch_item_failures.extend(failed.into_iter().map(|number| {
            let mut failure = DynamoDbBatchItemFailure::default();
            failure.item_identifier = Some(number);
            failure
        }));
        response
    }

    /// The numbers of the records that have to come again.
    async fn in_order<'a, Action, Done>(
        &'a self,
        records: Vec<EventRecord>,
        request_id: &str,
        action: Action,
    ) -> Vec<String>
    where
        Action: Fn(&'a World, RowChange) -> Done + Copy,
        Done: Future<Output = Result<(), Failure>>,
    {
        let until_ms = self.clock.now().saturating_add(BEGUN_FOR_MS);
        let failures = AtomicUsize::new(0);
        let mut partitions: BTreeMap<String, Vec<EventRecord>> = BTreeMap::new();
        for record in records {
            partitions.entry(row_change(&record).partition()).or_default().push(record);
        }
        // Whether others pass is known before it is tried again what has failed.
        let mut partitions: Vec<Vec<EventRecord>> = partitions.into_values().collect();
        partitions
            .sort_by_key(|records| records.iter().any(|record| self.failing.is_failing(&record.event_id)));
        let each = partitions.into_iter().map(async |records| {
            let mut done = Vec::new();
            for record in records {
                if self.is_done(&record.event_id) {
                    continue;
                }
                let is_in_vain = failures.load(Ordering::Relaxed) >= FAILURES || self.clock.now() >= until_ms;
                if is_in_vain || !self.is_dealt_with(&record, request_id, action).await {
                    failures.fetch_add(1, Ordering::Relaxed);
                    return (done, Some(number(&record)));
                }
                done.push(record.event_id);
            }
            (done, None)
        });
        let outcomes: Vec<(Vec<String>, Option<String>)> =
            stream::iter(each.collect::<Vec<_>>()).buffer_unordered(PARTITIONS).collect().await;
        let (done, failed): (Vec<_>, Vec<_>) = outcomes.into_iter().unzip();
        let failed: Vec<String> = failed.into_iter().flatten().collect();
        if !failed.is_empty() {
            self.remember(done.into_iter().flatten());
        }
        failed
    }

    fn is_done(&self, id: &String) -> bool {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }

    fn remember(&self, ids: impl Iterator<Item = String>) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.extend(ids);
        let too_many = done.len().saturating_sub(REMEMBERED);
        done.drain(..too_many);
    }

    /// Whether the record need not come again: it is done, or given up.
    async fn is_dealt_with<'a, Action, Done>(
        &'a self,
        record: &EventRecord,
        request_id: &str,
        action: Action,
    ) -> bool
    where
        Action: Fn(&'a World, RowChange) -> Done,
        Done: Future<Output = Result<(), Failure>>,
    {
        let id = &record.event_id;
        if let Err(failure) = self.one(record, request_id, action).await
            && !self.is_given_up(record, &failure).await
        {
            return false;
        }
        self.failing.forget(id);
        true
    }

    /// Whether a record that has failed is given up, and kept elsewhere.
    async fn is_given_up(&self, record: &EventRecord, failure: &Failure) -> bool {
        let Some(undelivered) = &self.undelivered else { return false };
        if !self.failing.should_give_up(&record.event_id, failure.kind, self.clock.now()) {
            return false;
        }
        // The function can be given it once more. To a sandbox that still knows this record it is another one.
        let mut event = Event::default();
        let mut again = record.clone();
        again.event_id = format!("again-{}", record.event_id);
        event.records.push(again);
        let kept = match serde_json::to_string(&event) {
            Ok(event) => undelivered.keep(event, &record.event_id, &failure.error).await,
            Err(error) => Err(Error::Internal(error.to_string())),
        };
        kept.inspect_err(|why| error!(?why, "what is to be given up cannot be kept, and comes again")).is_ok()
    }

    async fn one<'a, Action, Done>(
        &'a self,
        record: &EventRecord,
        request_id: &str,
        action: Action,
    ) -> Result<(), Failure>
    where
        Action: Fn(&'a World, RowChange) -> Done,
        Done: Future<Output = Result<(), Failure>>,
    {
        let started = self.clock.now();
        let (done, metrics) = MetricCounts::of(one_frame(action(&self.world, row_change(record)))).await;
        if metrics.counts().any(|(what, _)| what == Metric::Callbacks) {
            self.failing.passed(self.clock.now());
        }
        (self.report)(&InvocationRecord {
            route: self.name,
            request_id,
            user: "",
            connection: "",
            ms: self.clock.now().saturating_sub(started),
            refused: done.as_ref().err().map(|failure| Refused::from(&failure.error)),
            metrics,
        });
        done
    }
}

/// What Lambda knows the record by. One without a number is the whole batch to it.
fn number(record: &EventRecord) -> String {
    record.change.sequence_number.clone().unwrap_or_default()
}

fn row_change(record: &EventRecord) -> RowChange {
    let change = &record.change;
    let at_ms = u64::try_from(change.approximate_creation_date_time.timestamp_millis()).unwrap_or_default();
    RowChange::new(change.old_image.clone(), change.new_image.clone(), at_ms)
}
