//! The five tables, a file for each kind of row, and one for the transactions that span tables. `docs/tables.md` says what is in
//! them and why.
//!
//! **Architecture invariant:** nothing outside this module knows DynamoDB, and row types do not
//! leave their file. There is one implementation: on a laptop the same calls go to another
//! endpoint.
//!
//! Every call may fail with [`hongyan_shared::Error::Throttled`], after which it may be repeated, and with
//! [`hongyan_shared::Error::Internal`]. `# Errors` names what else there is.

mod accounts;
pub mod allowance;
mod blacklists;
mod call;
mod connections;
mod conversations;
mod group_changes;
mod item;
mod messages;
mod my_groups;
mod rates;
mod rosters;
mod row_change;
mod users;
mod watchers;

pub use accounts::Accounts;
pub use allowance::Consistency;
pub use blacklists::{Blacklists, Blocks, Change};
pub use connections::{
    Connection, Connections, Names, Presence, PresenceChange, Registered, Registration, Restrictions,
    SlotChange,
};
pub use conversations::{ConversationEntry, Conversations, ListPart, MAX_PINS, Pinned, Place};
pub use group_changes::{GroupChanges, MembersChange, Step as MemberStep};
pub use messages::{
    Appended, Earlier, GroupChange, GroupTail, LogChange, Messages, Newer, Part, Recalled, RecalledMessage,
};
pub use my_groups::MyGroups;
pub use rates::{Counted, Rates, Reading, Step};
pub use rosters::{Application, Rosters, membership};
pub use row_change::RowChange;
pub use users::Users;
pub use watchers::{MAX_WATCHERS, Subscription, Watcher, Watchers};

use call::{CONFLICT, batch_get, failed, output_of, put_if_absent, took_place, update_if};
use item::{Item, from_item, number, sort_key, text, to_item, user_in};
