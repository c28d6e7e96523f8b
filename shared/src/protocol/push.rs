use std::collections::BTreeSet;

use serde::Serialize;

use super::{MessageName, UserStatus, WireMessage, WireNotice, WireProfile, to_text};
use crate::model::{Mark, Pair, Seq, UserId};

/// A frame that nobody asked for. The names are the official SDK's event values.
#[derive(Debug, Serialize)]
#[serde(tag = "event", content = "data")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Push<'a> {
    /// Messages have come in, from the peer or from another device of the user.
    #[serde(rename = "onMessageReceived")]
    MessageReceived([WireMessage<'a>; 1]),
    /// The sender of these messages has recalled them.
    #[serde(rename = "onMessageRevoked")]
    MessageRevoked([WireMessage<'a>; 1]),
    /// Another device of the user has deleted messages.
    #[serde(rename = "onMessageDeleted")]
    MessageDeleted(&'a DeletedMessages),
    /// The peer has read.
    #[serde(rename = "onMessageReadByPeer")]
    MessageReadByPeer(ReadByPeer),
    /// Another device of the user has changed a conversation.
    #[serde(rename = "onConversationListUpdated")]
    ConversationListUpdated([ConversationUpdate; 1]),
    /// Another device of the user has changed their profile.
    #[serde(rename = "onProfileUpdated")]
    ProfileUpdated([WireProfile<'a>; 1]),
    /// Another device of the user has changed their blacklist, which is this now.
    #[serde(rename = "blacklistUpdated")]
    BlacklistUpdated(&'a BTreeSet<UserId>),
    /// Something has happened to the user in a group, or to the group.
    #[serde(rename = "onGroupNotice")]
    GroupNotice(WireNotice<'a>),
    /// Users whom this connection watches have come or gone.
    #[serde(rename = "onUserStatusUpdated")]
    UserStatusUpdated(&'a [UserStatus]),
    /// This connection ends because another one has taken its place, or the user was kicked.
    #[serde(rename = "kickedOut")]
    KickedOut {
        /// Why.
        #[serde(rename = "type")]
        kind: KickedOut,
    },
}

/// How far the peer has read.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ReadByPeer {
    /// The conversation in the eyes of the one who is told.
    #[serde(rename = "conversationID")]
    pub conversation_id: String,
    /// The last message that the peer has read.
    pub sequence: Seq,
    /// That message's time, in seconds.
    pub time: u64,
}

/// Which messages are gone for the user: the reply to `deleteMessage`, and what other devices are told.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DeletedMessages {
    /// The conversation.
    #[serde(rename = "conversationID")]
    pub conversation_id: String,
    /// The messages.
    pub messages: Vec<MessageName>,
}

/// What another device has changed. What it has not is left out.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct ConversationUpdate {
    /// The conversation.
    #[serde(rename = "conversationID")]
    pub conversation_id: String,
    /// How far the user has read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_sequence: Option<Seq>,
    /// What is left unread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_count: Option<u64>,
    /// Up to which message the user has deleted the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cleared_sequence: Option<Seq>,
    /// Up to which message the user has taken it out of the list, with its history kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlisted_sequence: Option<Seq>,
    /// The user keeps it on top.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_pinned: Option<bool>,
}

impl ConversationUpdate {
    /// A mark has come so far, and so many messages are unread then, if that is known.
    pub fn marked(conversation_id: String, mark: Mark, seq: Seq, unread_count: Option<u64>) -> Self {
        let at = |other| (mark == other).then_some(seq);
        Self {
            conversation_id,
            read_sequence: at(Mark::Read),
            unread_count,
            cleared_sequence: at(Mark::Cleared),
            unlisted_sequence: at(Mark::Unlisted),
            is_pinned: None,
        }
    }

    /// The conversation is on top, or no longer.
    pub fn pinned(conversation_id: String, is_pinned: bool) -> Self {
        Self { conversation_id, is_pinned: Some(is_pinned), ..Self::default() }
    }
}

/// Why a connection is kicked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum KickedOut {
    /// The same account on the same kind of device, elsewhere.
    #[serde(rename = "multipleAccount")]
    MultipleAccount,
    /// The same account on another kind of device.
    #[serde(rename = "multipleDevice")]
    MultipleDevice,
    /// The operator has kicked the user.
    #[serde(rename = "REST_API_Kick")]
    RestApiKick,
}

impl Push<'_> {
    /// The text of the frame.
    pub fn frame(&self) -> String {
        to_text(self)
    }
}

/// What the peer of a reader is told.
pub fn read_by_peer(reader: &Pair, sequence: Seq, time_ms: u64) -> Push<'static> {
    Push::MessageReadByPeer(ReadByPeer {
        conversation_id: reader.of_peer().conversation_id(),
        sequence,
        time: time_ms / 1000,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_peer_of_a_reader_is_told_in_their_own_words_and_in_seconds() {
        let user = |text: &str| UserId::parse("test", text).unwrap();
        let pair = Pair::of(&user("alice"), &user("bob")).unwrap();
        assert_eq!(
            read_by_peer(&pair, Seq(7), 1_795_400_001_999).frame(),
            r#"{"event":"onMessageReadByPeer","data":{"conversationID":"C2Calice","sequence":7,"time":1795400001}}"#
        );
    }
}
