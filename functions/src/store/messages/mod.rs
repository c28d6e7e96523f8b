//! The log of every conversation: its partition is the conversation, and the sort key orders
//!
//! | sort key | what | where |
//! |---|---|---|
//! | `F` | the floor: no number up to it is given out again | `floor` |
//! | `M` + 12 digits | a message | `log`, `row` |
//! | `R#` + user | what is kept of a user: how far they have read and cleared, whether they block the other one | `member` |
//!
//! so that one descending query returns what is kept of both users of a pair and then the newest messages.
//! The log knows a partition key and nothing of two sides; those are in `one_to_one`.

mod floor;
mod log;
mod member;
mod one_to_one;
mod row;
mod row_change;

use aws_sdk_dynamodb::{
    Client,
    operation::{query::builders::QueryFluentBuilder, update_item::builders::UpdateItemFluentBuilder},
    types::ReturnConsumedCapacity,
};
use hongyan_shared::model::{LogKey, Seq};

pub use log::{Appended, Behind, Part, Recalled, Search};
pub(super) use member::mark;
pub use row_change::{RecalledMessage, RowChange};

use super::{Consistency, text};
use crate::config::{Config, Configured};

/// The table of logs. This type is the only way to one.
pub struct Messages {
    client: Client,
    table: String,
}

/// How much later than its end a message may be swept. Clocks differ: a function whose clock is slow
/// must not find a message alive when newer ones have been swept already.
pub(super) const SWEPT_LATER_S: u64 = 3600;

/// The largest row of a message: what one may weigh, with names and numbers.
const MESSAGE_BYTES: u64 = 12_800;

/// What all the other rows of a conversation have together, at most.
const OTHER_ROWS_BYTES: u64 = 512;

const FLOOR: &str = "F";
const MEMBER: &str = "R#";
const LAST_NUMBER: u64 = 999_999_999_999;

fn message_key(seq: Seq) -> String {
    format!("M{:012}", seq.0.min(LAST_NUMBER))
}

impl Messages {
    /// The table of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self { client: config.dynamodb.clone(), table: config.messages_table()? })
    }

    fn update(&self, key: &LogKey, sort_key: String) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("p", text(key.as_str()))
            .key("s", text(sort_key))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }

    fn query(&self, consistency: Consistency) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .consistent_read(consistency == Consistency::Strong)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }
}
