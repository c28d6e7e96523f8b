//! What starts a function: the only part that knows the types of Lambda's events.

pub mod authorizer;
mod failing;
pub mod rest;
pub mod signatures;
pub mod stream;
pub mod websocket;
