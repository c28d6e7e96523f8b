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
use hongyan_shared::Result;

use crate::{
    clock::Clock,
    config::{Config, Configured},
    record::{InvocationRecord, MetricCounts, Refused, Report},
    store::{RowChange, allowance::one_frame},
};

/// In which order the records of a batch are dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turns {
    /// In none.
    AllAtOnce,
    /// Those of a partition one after the other, and none behind one that has failed.
    InOrder,
}

/// How many partitions are dealt with at once.
const PARTITIONS: usize = 16;

/// For how long another record is begun with, in milliseconds. What is left of the function's time (template.yaml) is enough
/// for the last ones.
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
}

impl<World> Consumer<World> {
    /// A function with a world of its own.
    pub fn new(
        config: &Config,
        name: &'static str,
        turns: Turns,
        world: impl FnOnce(&Config) -> Configured<World>,
    ) -> Configured<Self> {
        let (clock, report) = (config.clock.clone(), config.report.clone());
        Ok(Self { name, turns, world: world(config)?, clock, report, done: Mutex::default() })
    }

    /// Does something for each record, for many at once, and says for which it has failed: Lambda tells of
    /// those again, and of all that are behind the first of them.
    ///
    /// So an action is done at least once, and one record that nobody can ever make anything of keeps none of the others in
    /// its batch from being done. What the template says of the stream ends its own attempts.
    pub async fn consume<'a, Action, Done>(
        &'a self,
        event: Event,
        request_id: &str,
        action: Action,
    ) -> DynamoDbEventResponse
    where
        Action: Fn(&'a World, RowChange) -> Done + Copy,
        Done: Future<Output = Result<()>>,
    {
        let failed: Vec<String> = match self.turns {
            Turns::AllAtOnce => {
                let each = event.records.into_iter().map(|record| self.one(record, request_id, action));
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
        Done: Future<Output = Result<()>>,
    {
        let until_ms = self.clock.now().saturating_add(BEGUN_FOR_MS);
        let failures = AtomicUsize::new(0);
        let mut partitions: BTreeMap<String, Vec<EventRecord>> = BTreeMap::new();
        for record in records {
            partitions.entry(row_change(&record).partition()).or_default().push(record);
        }
        let each = partitions.into_values().map(async |records| {
            let mut done = Vec::new();
            for record in records {
                let (id, number) = (record.event_id.clone(), record.change.sequence_number.clone());
                if self.is_done(&id) {
                    continue;
                }
                let is_in_vain = failures.load(Ordering::Relaxed) >= FAILURES || self.clock.now() >= until_ms;
                let failed = match is_in_vain {
                    true => Some(number.unwrap_or_default()),
                    false => self.one(record, request_id, action).await,
                };
                if failed.is_some() {
                    failures.fetch_add(1, Ordering::Relaxed);
                    return (done, failed);
                }
                done.push(id);
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

    /// The number of the record, if it has to come again.
    async fn one<'a, Action, Done>(
        &'a self,
        record: EventRecord,
        request_id: &str,
        action: Action,
    ) -> Option<String>
    where
        Action: Fn(&'a World, RowChange) -> Done,
        Done: Future<Output = Result<()>>,
    {
        let started = self.clock.now();
        let change = row_change(&record);
        let (done, metrics) = MetricCounts::of(one_frame(action(&self.world, change))).await;
        (self.report)(&InvocationRecord {
            route: self.name,
            request_id,
            user: "",
            connection: "",
            ms: self.clock.now().saturating_sub(started),
            refused: done.as_ref().err().map(Refused::from),
            metrics,
        });
        // One without a number is the whole batch to Lambda.
        done.err().map(|_| record.change.sequence_number.unwrap_or_default())
    }
}

fn row_change(record: &EventRecord) -> RowChange {
    let change = &record.change;
    let at_ms = u64::try_from(change.approximate_creation_date_time.timestamp_millis()).unwrap_or_default();
    RowChange::new(change.old_image.clone(), change.new_image.clone(), at_ms)
}
