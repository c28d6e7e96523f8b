//! The nouns of a chat, as types that cannot be wrong.

mod address;
mod callback;
mod conversation;
mod device;
mod group;
mod group_id;
mod group_rules;
mod log;
mod member;
mod message;
mod mute;
mod one_to_one;
mod payload;
mod profile;
mod side;
mod stamp;
pub(crate) mod text;
mod user;

pub use address::{Address, Imported, Position};
pub use callback::{CallbackNotes, PushInfo, Verdict};
pub use conversation::{ConversationId, LogKey, Membership, Pair};
pub use device::{Device, MultiDevice, Platform};
pub use group::{
    Group, GroupInfo, InfoChange, MAX_ADMINS, MAX_MEMBERS, Member, Mention, Moved, Movement, MyGroup,
    OWN_AT_MOST, Promised, RemindType, Roster, Tip, TipKind, group_marker, next_in_group,
};
pub use group_id::{GroupId, MAX_GROUP_ID_BYTES};
pub use group_rules::{GroupType, InviteOption, JoinOption, Op, Role, Who, may};
pub use log::{Floor, LogTail, Predecessor, floor_before};
pub use member::{Mark, MemberState, ReadMarker};
pub use message::{
    ClientId, Draft, Elem, FOREVER_S, MAX_MESSAGE_BYTES, Mentions, Message, Options, Priority, Repeats,
    imported_id, imported_place, number_of,
};
pub use mute::{Mute, MuteChange};
pub use one_to_one::OneToOne;
pub use payload::{Payload, TIP};
pub use profile::{AdminForbid, AllowType, Gender, MAX_CUSTOM_FIELDS, Profile, ProfileKey};
pub use side::{Counts, Hidden, Side};
pub use stamp::{LEEWAY_MS, STEP_MS, Stamp};
pub use user::{MAX_USER_ID_BYTES, UserId};

pub use crate::seq::Seq;
