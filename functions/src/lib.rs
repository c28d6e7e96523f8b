//! The code that runs in Lambda.
//!
//! # Layout
//!
//! From the outside in:
//!
//! - `bin/`: one program per function, three lines each.
//! - [`runtime`]: from a sandbox's start to its invocations. [`functions`]: all of them, for a laptop.
//! - [`trigger`]: what starts a function. The only part that knows the types of Lambda's events.
//! - [`routes`]: decode, act, encode, for frames and for commands of business servers.
//! - [`actions`]: what each verb does, a file for each or for a small family.
//! - [`caller`]: who asks. [`limits`]: how much one user may do, and [`meter`], what a sandbox has seen of it.
//! - [`audience`]: those of a group who are connected, and how they are told.
//! - [`notify`]: who is told of what has changed. [`presence`]: who is told that a user comes or goes.
//! - [`connections_api`]: frames to connections. The only part that knows `@connections`.
//! - [`business_server`]: calls to it. The only part that knows where it is. `breaker`: whether it is worth it. [`secret`]: the only
//!   part that knows the parameter store.
//! - [`failure`]: why something is not done, and whether it may be yet. [`undelivered`]: where that is kept of which the business
//!   server is not told. The only part that knows SQS.
//! - [`media_store`]: the objects that users have uploaded. The only part that knows S3.
//! - [`store`]: the tables. The only part that knows DynamoDB.
//! - [`record`]: what an operator learns of an invocation. The only part that knows CloudWatch.
//! - [`config`], `environment`, [`aws`], [`clock`], [`random`]: what a function is built from, once per sandbox.

pub mod actions;
pub mod audience;
pub mod aws;
mod breaker;
pub mod business_server;
pub mod caller;
pub mod clock;
pub mod config;
pub mod connections_api;
mod environment;
pub mod failure;
pub mod functions;
pub mod limits;
pub mod media_store;
pub mod meter;
pub mod notify;
pub mod presence;
pub mod random;
pub mod record;
pub mod routes;
pub mod runtime;
pub mod secret;
pub mod store;
pub mod trigger;
pub mod undelivered;
