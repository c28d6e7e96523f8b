//! The log of every conversation: its partition is the conversation, and the sort key orders
//!
//! | sort key | what | where |
//! |---|---|---|
//! | `F` | the floor: no number up to it is given out again | `floor` |
//! | `H` + 12 digits, 10 and 10 | a message that was imported as history, by its time | `log`, `row` |
//! | `M` + 12 digits | a message | `log`, `row` |
//! | `P` | of a group: what is kept of it as a whole | `group`, `group_row` |
//! | `R#` + user | what is kept of a user: how far they have read and cleared, whether they block the other one | `member` |
//!
//! so that one descending query returns what is kept of both users of a pair and then the newest messages.
//! The log knows a partition key and nothing of two sides; those are in `one_to_one`.

mod floor;
mod group;
mod group_row;
mod log;
mod member;
mod one_to_one;
mod pages;
mod recall;
mod row;
mod row_change;
mod search;

use aws_sdk_dynamodb::{
    Client,
    operation::{query::builders::QueryFluentBuilder, update_item::builders::UpdateItemFluentBuilder},
    types::ReturnConsumedCapacity,
};
use hongyan_shared::model::{Address, Imported, LogKey, Seq};

pub use group::GroupTail;
pub(super) use group::{Fence, GROUP_BYTES, change_of_members, creation};
pub use log::{Appended, Earlier, Newer, Part};
pub(super) use member::mark;
pub use recall::Recalled;
pub use row_change::{GroupChange, LogChange, RecalledMessage};

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
const IMPORTED: &str = "H";
const NUMBER: &str = "M";
const GROUP: &str = "P";
const MEMBER: &str = "R#";
const LAST_NUMBER: u64 = 999_999_999_999;

fn message_key(address: impl Into<Address>) -> String {
    match address.into() {
        Address::Number(seq) => format!("{NUMBER}{:012}", seq.0.min(LAST_NUMBER)),
        Address::Imported(Imported { second, seq, random }) => {
            format!("{IMPORTED}{:012}{seq:010}{random:010}", second.min(LAST_NUMBER))
        }
    }
}

/// The highest sort key that a message before this one may have.
fn key_before(address: Address) -> String {
    match address {
        Address::Number(seq) => message_key(seq.prev()),
        Address::Imported(Imported { second, seq, random }) => {
            let before = match (second, seq, random) {
                (second, seq, 1..) => Imported { second, seq, random: random - 1 },
                (second, 1.., 0) => Imported { second, seq: seq - 1, random: u32::MAX },
                (1.., 0, 0) => Imported { second: second - 1, seq: u32::MAX, random: u32::MAX },
                (0, 0, 0) => return IMPORTED.to_owned(),
            };
            message_key(Address::Imported(before))
        }
    }
}

/// Where the message lies whose sort key this is, if it is one of a message.
fn address_of(sort_key: &str) -> Option<Address> {
    if let Some(digits) = sort_key.strip_prefix(NUMBER) {
        return digits.parse().ok().map(|number| Address::Number(Seq(number)));
    }
    let digits = sort_key.strip_prefix(IMPORTED)?;
    let (second, rest) = digits.split_at_checked(12)?;
    let (seq, random) = rest.split_at_checked(10)?;
    let place =
        Imported { second: second.parse().ok()?, seq: seq.parse().ok()?, random: random.parse().ok()? };
    Some(Address::Imported(place))
}

impl Messages {
    /// The table of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self { client: config.dynamodb.clone(), table: config.messages_table()? })
    }

    fn update(&self, key: &LogKey, sort_key: String) -> UpdateItemFluentBuilder {
        self.update_row(key.as_str(), sort_key)
    }

    fn update_row(&self, partition_key: &str, sort_key: String) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("p", text(partition_key))
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
