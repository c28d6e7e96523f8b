//! From a request to an action and back: decode, act, encode, and nothing else.

mod conversation_page;
pub mod rest;
pub mod ws;
