//! The code that runs in Lambda.
//!
//! # Layout
//!
//! - [`routes`]: one file per verb, all of one shape.
//! - [`event`]: what a route is told; [`app`]: the world that it may use, built once per sandbox.
//! - [`store`]: the tables, one file each. The only part that knows DynamoDB.
//! - [`push`]: frames to other connections. The only part that knows `@connections`.
//! - [`kick`]: a user is put out.
//! - [`limits`]: how much one user may do.
//! - [`presence`]: who watches a user is told that they come or go.
//! - [`telemetry`]: the line that an operator gets of each invocation, and what it counts.
//! - [`authorizer`]: the door, which verifies UserSigs, and asks one table who was put out.
//! - [`runtime`]: from Lambda's invocation to a route and back. The only part that knows Lambda.
//! - `bin/`: one program per function, three lines each.

pub mod app;
pub mod authorizer;
pub mod event;
pub mod kick;
pub mod limits;
pub mod presence;
pub mod push;
pub mod routes;
pub mod runtime;
pub mod store;
pub mod telemetry;
