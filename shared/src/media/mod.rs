//! Pictures, voice, video and files: what they may be, where they lie, and the form that brings them there.
//!
//! No function ever sees a byte of them. It signs a form, with which a client uploads one object of one type and at
//! most one size to one place. S3 checks that, and the laptop twin does with [`check`].
//!
//! # Layout
//!
//! - `kind`: the kinds, and what each may be.
//! - `key`: where an object lies, which says whose it is.
//! - `upload`: what somebody wants to upload.
//! - `form`: forms, signed and checked. `time`: the time as AWS writes it.

mod form;
mod key;
mod kind;
mod time;
mod upload;

pub use form::{Fields, LIFETIME_S, Object, Refused, Signer, check, sign};
pub use key::{Folder, MediaKey, Owner};
pub use kind::{Format, Kind, MAX_PREVIEW_BYTES};
pub use upload::Upload;
