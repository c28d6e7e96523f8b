//! Histories: what twenty users on thirty devices see who talk to each other, and forty who talk in groups, over real
//! sockets, while everything around them breaks, and a checker that says whether the promises of docs/tables.md allow it.
//! docs/proofs.md has the figures.
//!
//! # Layout
//!
//! - [`history`]: the format. [`checker`]: the twelve points, in linear time.
//! - [`run`]: episodes, each with a seed. [`workload`]: what two users do; [`groups`]: what members do; [`reading`]:
//!   what both do. [`device`]: one of their connections.
//! - [`nemesis`]: what is done to them. [`twin`]: the server, a process that can be killed; [`serve`]: the same from
//!   inside, with sandboxes ([`sandboxes`]) on calls that break ([`calls`]). [`proxy`]: the network.

pub mod calls;
pub mod checker;
pub mod device;
pub mod groups;
pub mod history;
pub mod nemesis;
pub mod proxy;
pub mod reading;
pub mod run;
pub mod sandboxes;
pub mod serve;
pub mod twin;
pub mod weather;
pub mod workload;
