//! A function behind the stream of a table: from Lambda's batch of records to an action for each.

use std::future::Future;

use aws_lambda_events::{
    dynamodb::{Event, EventRecord},
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use futures_util::future::join_all;
use hongyan_shared::Result;

use crate::{
    clock::Clock,
    config::{Config, Configured},
    record::{InvocationRecord, MetricCounts, Refused, Report},
    store::{RowChange, allowance::one_frame},
};

/// A function in its sandbox.
pub struct Consumer<World> {
    /// What stands in its lines where others have their route.
    name: &'static str,
    world: World,
    clock: Clock,
    report: Report,
}

impl<World> Consumer<World> {
    /// A function with a world of its own.
    pub fn new(
        config: &Config,
        name: &'static str,
        world: impl FnOnce(&Config) -> Configured<World>,
    ) -> Configured<Self> {
        Ok(Self { name, world: world(config)?, clock: config.clock.clone(), report: config.report.clone() })
    }

    /// Does something for each record, for all at once, and says for which it has failed: Lambda tells of
    /// those again, and of all that are behind the first of them.
    ///
    /// So an action is done at least once, and one record that nobody can ever make anything of keeps none of the others
    /// from being done. What the template says of the stream ends its own attempts.
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
        let each = event.records.into_iter().map(|record| self.one(record, request_id, action));
        let failed = join_all(each).await.into_iter().flatten();
        let mut response = DynamoDbEventResponse::default();
        response.batch_item_failures.extend(failed.map(|number| {
            let mut failure = DynamoDbBatchItemFailure::default();
            failure.item_identifier = Some(number);
            failure
        }));
        response
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
        let row = RowChange::new(record.change.new_image);
        let (done, metrics) = MetricCounts::of(one_frame(action(&self.world, row))).await;
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
