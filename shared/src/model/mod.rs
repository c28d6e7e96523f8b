//! The nouns of a chat, as types that cannot be wrong.

mod conversation;
mod device;
mod message;
mod payload;
mod profile;
pub(crate) mod text;
mod timeline;
mod user;

pub use conversation::{Pair, Side};
pub use device::{Device, MultiDevice, Platform};
pub use message::{
    ClientId, Counts, Draft, Elem, FOREVER_S, Hidden, MAX_MESSAGE_BYTES, Message, Options, Priority,
};
pub use payload::Payload;
pub use profile::{AdminForbid, AllowType, Gender, MAX_CUSTOM_FIELDS, Profile, ProfileKey};
pub use timeline::{After, Floor, Head, Position, Seq, Standing, floor_before};
pub use user::{MAX_USER_ID_BYTES, UserId};
