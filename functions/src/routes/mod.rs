//! From a request to an action and back: decode, act, encode, and nothing else.

pub mod ws;
