//! All tests of the server, as one binary.
//!
//! # Layout
//!
//! - `harness`: a twin, its clock, its users, and proxies that count and break calls.
//! - `routes`: a file per verb, and one for those of groups, against the real engine, told by the events in `events/`.
//! - `promises`, `budgets`: what `docs/tables.md` promises, each line by a test of its name.
//! - `imported`: history that was said elsewhere, before.
//! - `list`, `groups`: what lists and groups promise there, each line by a test of its name.
//! - `media`: files, from the form to the recall.
//! - `races`: orders of calls that broke a promise once, found by the model in `numbers`.
//! - `faults`: what breaks, and what must not break with it.
//! - `bad_input`: what nobody should send, sent.
//! - `rest`: the commands of business servers, told by `events/rest.json`, and as libraries send them.
//! - `journeys`: two users over real sockets. `gateway`: the twin against API Gateway's rules.
//! - `contract`: template, binaries, events and documents agree. `cli`: the program `hongyan`.
//! - `documents`: what the documents say of versions, decisions, metrics and one another.
//! - `security`: what an attacker may try, as docs/security.md lists it.
//! - `callbacks`: what a business server is asked and told, and what it may do to users.
//! - `record`: what an operator learns of an invocation.
//! - `model`: random sequences of actions, against a model that is the specification.
//! - `architecture`: the invariants of docs/architecture.md, read from the code.
//! - `lambda`: the real binaries under AWS's runtime emulator.

mod architecture;
mod bad_input;
mod budgets;
mod callbacks;
mod cli;
mod contract;
mod documents;
mod faults;
mod gateway;
mod groups;
mod harness;
mod imported;
mod journeys;
mod lambda;
mod list;
mod media;
mod model;
mod promises;
mod races;
mod record;
mod rest;
mod routes;
mod security;
