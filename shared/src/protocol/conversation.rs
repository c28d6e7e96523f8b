use serde::{Deserialize, Serialize};

use super::{WireMessage, to_text};
use crate::{
    Result,
    model::{ConversationId, Pair, Seq, UserId},
};

/// `getConversationList`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct GetConversationList {
    /// Where the previous part ended, if that was not the end.
    #[serde(rename = "nextReqConversationID")]
    next_req_conversation_id: Option<String>,
}

impl GetConversationList {
    /// The peer after whom to go on.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, me: &UserId) -> Result<Option<UserId>> {
        match self.next_req_conversation_id.as_deref() {
            None | Some("") => Ok(None),
            Some(id) => Ok(Some(ConversationId::parse(me, id)?.one_to_one()?.peer().clone())),
        }
    }
}

/// A conversation in the list.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct WireConversation<'a> {
    /// `C2C` and the peer.
    #[serde(rename = "conversationID")]
    pub conversation_id: String,
    /// Always `C2C` for now.
    #[serde(rename = "type")]
    #[cfg_attr(test, ts(type = "\"C2C\""))]
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
}

impl WireConversation<'_> {
    /// How many bytes of a frame it takes.
    pub fn size(&self) -> usize {
        to_text(self).len()
    }
}

/// The reply to `getConversationList`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ConversationPage<'a> {
    /// Newest first.
    pub conversation_list: Vec<WireConversation<'a>>,
    /// What to ask for the next part with. Opaque.
    #[serde(rename = "nextReqConversationID")]
    pub next_req_conversation_id: String,
    /// There is no further part.
    pub is_completed: bool,
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
    pub fn parse(self, me: &UserId) -> Result<(Pair, Option<Seq>)> {
        Ok((ConversationId::parse(me, &self.conversation_id)?.one_to_one()?, self.sequence.map(Seq)))
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
    /// What it asks for.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, me: &UserId) -> Result<Deletion> {
        Ok(Deletion {
            pair: ConversationId::parse(me, &self.conversation_id)?.one_to_one()?,
            up_to: self.sequence.map(Seq),
            keeps_history: self.clear_history_message == Some(false),
        })
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
    pub fn parse(self, me: &UserId) -> Result<(Pair, bool)> {
        Ok((ConversationId::parse(me, &self.conversation_id)?.one_to_one()?, self.is_pinned))
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
    use crate::Error;

    fn alice() -> UserId {
        UserId::parse("test", "alice").unwrap()
    }

    fn read<T: DeserializeOwned>(data: Value) -> T {
        serde_json::from_value(data).unwrap()
    }

    #[test]
    fn a_list_begins_at_its_beginning_unless_it_goes_on() {
        let after = |data| read::<GetConversationList>(data).parse(&alice());
        assert_eq!(after(json!({})), Ok(None));
        assert_eq!(after(json!({ "nextReqConversationID": "" })), Ok(None));
        assert_eq!(
            after(json!({ "nextReqConversationID": "C2Cbob" })),
            Ok(Some(UserId::parse("test", "bob").unwrap()))
        );
        assert!(matches!(after(json!({ "nextReqConversationID": "bob" })), Err(Error::BadRequest(_))));
    }

    #[test]
    fn a_conversation_is_read_to_its_end_unless_a_number_is_given() {
        let up_to = |data| {
            read::<SetMessageRead>(data).parse(&alice()).map(|(pair, up_to)| (pair.peer().to_string(), up_to))
        };
        assert_eq!(up_to(json!({ "conversationID": "C2Cbob" })), Ok(("bob".to_owned(), None)));
        assert_eq!(
            up_to(json!({ "conversationID": "C2Cbob", "sequence": 7 })),
            Ok(("bob".to_owned(), Some(Seq(7))))
        );
    }

    #[test]
    fn a_conversation_is_deleted_with_its_history_unless_that_is_to_stay() {
        let keeps = |data| read::<DeleteConversation>(data).parse(&alice()).unwrap().keeps_history;
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
        };
        assert_eq!(
            conversation.size(),
            r#"{"conversationID":"C2C鸿雁","type":"C2C","unreadCount":1,"lastSequence":2,"readSequence":1,"peerReadSequence":0,"peerReadTime":0,"clearedSequence":0,"isPinned":false}"#
                .len()
        );
    }
}
