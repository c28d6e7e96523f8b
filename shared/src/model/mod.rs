//! The nouns of a chat, as types that cannot be wrong.

mod conversation;
mod device;
mod message;
mod timeline;
mod user;

pub use conversation::{Pair, Side};
pub use device::{Device, MultiDevice};
pub use message::{ClientId, Counts, Draft, Elem, MAX_MESSAGE_BYTES, Message};
pub use timeline::{After, Head, Position, Seq, floor_before, floor_of};
pub use user::{MAX_USER_ID_BYTES, UserId};
