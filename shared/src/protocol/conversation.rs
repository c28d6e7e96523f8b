use serde::{Deserialize, Serialize};

use super::{GroupAtInfo, WireGroup, WireMessage, WireProfile, group::apart, to_text};
use crate::{
    Error, Result,
    model::{ConversationId, GroupId, Pair, Seq, UserId},
};

/// How many conversations a page holds at most, besides those that are pinned.
pub const MAX_CONVERSATIONS: usize = 100;

/// How many conversations `login` may name.
pub const MAX_NAMED: usize = 50;

/// `getConversationList`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct GetConversationList {
    /// Where the previous page ended, if that was not the end.
    #[serde(rename = "nextReqConversationID")]
    next_req_conversation_id: Option<String>,
    /// How many conversations the page may hold besides those that are pinned: 100 unless it is a number from 1 to 100.
    count: Option<i64>,
    /// Instead of a page: these, at most 50.
    #[serde(rename = "conversationIDList")]
    conversation_id_list: Option<Vec<String>>,
}

/// What is wanted of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListRequest {
    /// A page from there on, or from the beginning, of so many conversations.
    Page(Option<ListCursor>, usize),
    /// The conversations with these users, and those of these groups, each once.
    Named(Vec<UserId>, Vec<GroupId>),
}

/// Where a page of the list ended, as `nextReqConversationID` carries it: `1795400001000.bob`, or `GROUP.` and a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListCursor {
    /// At a conversation of two.
    Peer {
        /// Its place in the list.
        place: u64,
        /// The other user.
        peer: UserId,
    },
    /// At a group. The other groups are next, by their IDs, and then the rest from its beginning.
    Group(GroupId),
}

/// What the cursor at a group begins with. A place has no letters.
const AT_GROUP: &str = "GROUP.";

impl ListCursor {
    fn parse(text: &str) -> Result<Self> {
        let cursor = match text.strip_prefix(AT_GROUP) {
            Some(group) => GroupId::parse(group).ok().map(Self::Group),
            None => text.split_once('.').and_then(|(place, peer)| {
                // The store keeps numbers of 38 digits, and a place has 14.
                let place = place.parse().ok().filter(|place| *place < PLACES)?;
                Some(Self::Peer { place, peer: UserId::parse("peer", peer).ok()? })
            }),
        };
        cursor.filter(|cursor| cursor.to_string() == text).ok_or_else(|| {
            Error::BadRequest("`nextReqConversationID` must be the one of the previous page".to_owned())
        })
    }
}

/// No place is so high.
const PLACES: u64 = 100_000_000_000_000;

impl std::fmt::Display for ListCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Peer { place, peer } => write!(f, "{place}.{peer}"),
            Self::Group(group) => write!(f, "{AT_GROUP}{group}"),
        }
    }
}

impl GetConversationList {
    /// What is wanted.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, me: &UserId) -> Result<ListRequest> {
        if let Some(names) = self.conversation_id_list {
            return named(me, &names).map(|(users, groups)| ListRequest::Named(users, groups));
        }
        let after = match self.next_req_conversation_id.as_deref() {
            None | Some("") => None,
            Some(text) => Some(ListCursor::parse(text)?),
        };
        Ok(ListRequest::Page(after, page_size(self.count)))
    }
}

/// With whom the conversations of these names are, and of which groups, each once.
pub(super) fn named(me: &UserId, names: &[String]) -> Result<(Vec<UserId>, Vec<GroupId>)> {
    if names.len() > MAX_NAMED {
        return Err(Error::BadRequest(format!(
            "`conversationIDList` may name {MAX_NAMED} conversations: name the rest with further requests"
        )));
    }
    let names = names.iter().map(|name| ConversationId::parse(me, name));
    names.collect::<Result<_>>().map(apart)
}

/// As for a page of messages, anything that is not a number from 1 to 100 means 100.
pub(super) fn page_size(count: Option<i64>) -> usize {
    let count = count.and_then(|count| usize::try_from(count).ok());
    count.filter(|count| (1..=MAX_CONVERSATIONS).contains(count)).unwrap_or(MAX_CONVERSATIONS)
}

/// A conversation in the list.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct WireConversation<'a> {
    /// `C2C` and the peer, or `GROUP` and the group.
    #[serde(rename = "conversationID")]
    pub conversation_id: String,
    /// Which of the two.
    #[serde(rename = "type")]
    #[cfg_attr(test, ts(type = "\"C2C\" | \"GROUP\""))]
    pub kind: &'static str,
    /// The peer's messages behind what the user has read and cleared.
    pub unread_count: u64,
    /// The newest message that the user has neither deleted nor cleared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message: Option<WireMessage<'a>>,
    /// The newest message's number, whatever the user has deleted.
    pub last_sequence: Seq,
    /// How far the user has read.
    pub read_sequence: Seq,
    /// How far the peer has read.
    pub peer_read_sequence: Seq,
    /// The time of the message up to which the peer has read, in seconds.
    pub peer_read_time: u64,
    /// Up to which message the user has deleted the conversation.
    pub cleared_sequence: Seq,
    /// Up to which message the user has taken it out of the list, with its history kept. It is in the list when
    /// there is a message behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlisted_sequence: Option<Seq>,
    /// The user keeps it on top.
    pub is_pinned: bool,
    /// Of a group: up to this message nothing is shown to the user, who came behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined_sequence: Option<Seq>,
    /// Of a group: what it is, and what the user has of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_profile: Option<WireGroup<'a>>,
    /// Of a group: the unread messages that concern the user by name, oldest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_at_info_list: Option<Vec<GroupAtInfo>>,
}

impl WireConversation<'_> {
    /// How many bytes of a frame it takes.
    pub fn size(&self) -> usize {
        to_text(self).len()
    }
}

/// The reply to `getConversationList`, and what `login` says of the list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct ConversationPage<'a> {
    /// What is pinned, and then the rest, newest first.
    pub conversation_list: Vec<WireConversation<'a>>,
    /// The peers in it who have a profile.
    pub profile_list: Vec<WireProfile<'a>>,
    /// What to ask for the next part with. Opaque.
    #[serde(rename = "nextReqConversationID")]
    pub next_req_conversation_id: String,
    /// There is no further part.
    pub is_completed: bool,
    /// No conversation is missing that has a message from this second on or later; 0 if none is missing.
    pub complete_from: u64,
    /// The user is in further groups, which the next part begins with. Groups come first, all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups_go_on: Option<bool>,
}

/// `setMessageRead`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct SetMessageRead {
    #[serde(rename = "conversationID")]
    conversation_id: String,
    sequence: Option<u64>,
}

impl SetMessageRead {
    /// The conversation, and how far it has been read: to its end when nothing is said.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, me: &UserId) -> Result<(ConversationId, Option<Seq>)> {
        Ok((ConversationId::parse(me, &self.conversation_id)?, self.sequence.map(Seq)))
    }
}

/// The reply to `setMessageRead`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ReadReply {
    /// The conversation.
    #[serde(rename = "conversationID")]
    pub conversation_id: String,
    /// How far the user has read.
    pub read_sequence: Seq,
    /// What is left unread.
    pub unread_count: u64,
}

/// `deleteConversation`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DeleteConversation {
    #[serde(rename = "conversationID")]
    conversation_id: String,
    #[cfg_attr(test, ts(optional, type = "number"))]
    sequence: Option<u64>,
    /// Its history goes as well, unless this is false.
    #[serde(rename = "clearHistoryMessage")]
    #[cfg_attr(test, ts(optional, type = "boolean"))]
    clear_history_message: Option<bool>,
}

/// What is to become of a conversation that is deleted.
#[derive(Debug)]
pub struct Deletion {
    /// The conversation.
    pub pair: Pair,
    /// Up to where: to its end when nothing is said.
    pub up_to: Option<Seq>,
    /// Its history is kept.
    pub keeps_history: bool,
}

impl DeleteConversation {
    /// The conversation, up to where it goes (to its end when nothing is said), and whether its history is kept.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, me: &UserId) -> Result<(ConversationId, Option<Seq>, bool)> {
        let conversation = ConversationId::parse(me, &self.conversation_id)?;
        Ok((conversation, self.sequence.map(Seq), self.clear_history_message == Some(false)))
    }
}

/// The reply to `deleteConversation`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct ClearedReply {
    /// The conversation.
    #[serde(rename = "conversationID")]
    pub conversation_id: String,
    /// The last message that is gone for the user.
    pub cleared_sequence: Seq,
    /// The last one that is gone from the list alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlisted_sequence: Option<Seq>,
}

/// `pinConversation`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PinConversation {
    #[serde(rename = "conversationID")]
    conversation_id: String,
    is_pinned: bool,
}

impl PinConversation {
    /// The conversation, and whether it is to be pinned.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, me: &UserId) -> Result<(ConversationId, bool)> {
        Ok((ConversationId::parse(me, &self.conversation_id)?, self.is_pinned))
    }
}

/// The reply to `pinConversation`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PinnedReply {
    /// The conversation.
    #[serde(rename = "conversationID")]
    pub conversation_id: String,
    /// Whether it is on top now.
    pub is_pinned: bool,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    fn alice() -> UserId {
        UserId::parse("test", "alice").unwrap()
    }

    fn read<T: DeserializeOwned>(data: Value) -> T {
        serde_json::from_value(data).unwrap()
    }

    #[test]
    fn a_list_begins_at_its_beginning_unless_it_goes_on() {
        let after = |data| read::<GetConversationList>(data).parse(&alice());
        assert_eq!(after(json!({})), Ok(ListRequest::Page(None, 100)));
        assert_eq!(after(json!({ "nextReqConversationID": "", "count": 7 })), Ok(ListRequest::Page(None, 7)));
        let peer = UserId::parse("test", "a.b").unwrap();
        let cursor = ListCursor::Peer { place: 1_795_400_001_000, peer };
        let next = json!({ "nextReqConversationID": "1795400001000.a.b", "count": 101 });
        assert_eq!(after(next), Ok(ListRequest::Page(Some(cursor.clone()), 100)));
        let named = json!({ "conversationIDList": ["C2Cbob", "GROUPg", "C2Cbob", "GROUPg"] });
        let group = GroupId::parse("g").unwrap();
        let bob = UserId::parse("test", "bob").unwrap();
        assert_eq!(after(named), Ok(ListRequest::Named(vec![bob], vec![group.clone()])));
        for cursor in [cursor, ListCursor::Group(group)] {
            assert_eq!(ListCursor::parse(&cursor.to_string()), Ok(cursor));
        }
        for bad in [
            "bob",
            "C2Cbob",
            "1",
            "1.",
            ".bob",
            "01.bob",
            "+1.bob",
            "1.0.\u{e9}",
            "100000000000000.bob",
            "-1.bob",
        ] {
            let refused = after(json!({ "nextReqConversationID": bad }));
            assert!(matches!(refused, Err(Error::BadRequest(_))), "{bad}");
        }
    }

    #[test]
    fn a_conversation_is_read_to_its_end_unless_a_number_is_given() {
        let up_to = |data| {
            let parsed = read::<SetMessageRead>(data).parse(&alice());
            parsed.map(|(conversation, up_to)| (conversation.one_to_one().unwrap().peer().to_string(), up_to))
        };
        assert_eq!(up_to(json!({ "conversationID": "C2Cbob" })), Ok(("bob".to_owned(), None)));
        assert_eq!(
            up_to(json!({ "conversationID": "C2Cbob", "sequence": 7 })),
            Ok(("bob".to_owned(), Some(Seq(7))))
        );
    }

    #[test]
    fn a_conversation_is_deleted_with_its_history_unless_that_is_to_stay() {
        let keeps = |data| read::<DeleteConversation>(data).parse(&alice()).unwrap().2;
        assert!(!keeps(json!({ "conversationID": "C2Cbob" })));
        assert!(!keeps(json!({ "conversationID": "C2Cbob", "clearHistoryMessage": true })));
        assert!(keeps(json!({ "conversationID": "C2Cbob", "clearHistoryMessage": false })));
    }

    #[test]
    fn a_conversation_is_pinned_or_not_as_the_request_says() {
        for is_pinned in [true, false] {
            let request: PinConversation = read(json!({ "conversationID": "C2Cbob", "isPinned": is_pinned }));
            assert_eq!(request.parse(&alice()).unwrap().1, is_pinned);
        }
    }

    #[test]
    fn a_conversation_takes_as_many_bytes_of_a_frame_as_it_is_written_with() {
        let conversation = WireConversation {
            conversation_id: "C2C鸿雁".to_owned(),
            kind: "C2C",
            unread_count: 1,
            last_message: None,
            last_sequence: Seq(2),
            read_sequence: Seq(1),
            peer_read_sequence: Seq(0),
            peer_read_time: 0,
            cleared_sequence: Seq(0),
            unlisted_sequence: None,
            is_pinned: false,
            joined_sequence: None,
            group_profile: None,
            group_at_info_list: None,
        };
        assert_eq!(
            conversation.size(),
            r#"{"conversationID":"C2C鸿雁","type":"C2C","unreadCount":1,"lastSequence":2,"readSequence":1,"peerReadSequence":0,"peerReadTime":0,"clearedSequence":0,"isPinned":false}"#
                .len()
        );
    }
}
