//! What an attacker may try, as docs/security.md lists it, with the worst data that somebody could make.

mod blocks;
mod connections;
mod crowds;
mod expired_signatures;
mod groups;
mod kick;
mod media;
mod payload;
mod profile;
mod rate;
mod rows;
pub mod worst_frames;
pub mod worst_groups;
