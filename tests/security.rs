//! What an attacker may try, as docs/security.md lists it: a file for each row, with the worst data that
//! somebody could make.

mod blocks;
mod crowds;
mod payload;
mod profile;
mod rate;
mod worst_frames;
