//! The pure part of Hongyan: what a signature, a user, a message and a frame *are*.
//!
//! **Architecture invariant:** nothing here is async and nothing here knows Lambda, DynamoDB or
//! a socket. Every rule can be tested in microseconds.
//!
//! # Layout
//!
//! - [`sig`]: UserSig, issued and verified.
//! - [`model`]: users, conversations, messages and the timeline that they form. A value of these
//!   types cannot be wrong: `parse` is the only door.
//! - [`protocol`]: the frames on the socket.
//! - [`error`]: everything that can be refused, with its code.

pub mod error;
#[cfg(test)]
mod hostile;
pub mod model;
pub mod protocol;
pub mod sig;

pub use error::{Error, Result};
