//! `hongyan import`: users and messages out of Tencent's files, through the API for business servers.
//!
//! - [`run`](run()): reads, calls, counts, and remembers how far it is. `options`: what is imported. `error`: why it ends early.
//! - `files`: the records of the files, one after another. `record`: what is called for one.
//! - `server`: the calls, and when one is made again. `journal`: how far it is, in a file.
//!
//! A call that is made again changes nothing, so what was under way when the program was killed is simply done again.

mod error;
mod files;
mod journal;
mod options;
mod record;
mod run;
mod server;

pub use error::ImportError;
pub use files::Unreadable;
pub use journal::{Counts, Refusal};
pub use options::Options;
pub use run::{Status, run};
