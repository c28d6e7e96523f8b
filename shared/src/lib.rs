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
//! - [`media`]: pictures, voice, video and files, and the forms by which they are uploaded.
//! - [`protocol`]: the frames on the socket.
//! - [`rest`]: the commands of a business server, which are Tencent's.
//! - [`callback`]: what a business server is asked and told.
//! - [`error`]: everything that can be refused, with its code.
//! - [`gateway`]: what API Gateway allows a connection.

#[macro_use]
mod codes;
pub mod callback;
mod decode;
pub mod error;
pub mod gateway;
#[cfg(test)]
mod hostile;
pub mod media;
pub mod model;
pub mod protocol;
pub mod rest;
mod seq;
pub mod sig;

pub use error::{Error, Result};
