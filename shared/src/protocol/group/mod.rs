//! Groups on the wire.

mod replies;
mod requests;

pub use replies::*;
pub use requests::*;
