//! `group_open_http_svc`: groups, who is in them, and what is said there.

mod create;
mod fields;
mod info;
mod lists;
mod members;
mod messages;
mod profile;

pub use create::*;
pub use fields::{MAX_GROUP_USERS, OneGroup};
pub use info::*;
pub use lists::*;
pub use members::*;
pub use messages::*;
pub use profile::*;
