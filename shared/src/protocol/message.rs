use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{PAGE_SIZE, RANGE_SIZE, to_text};
use crate::{
    Error, Result,
    model::{
        Address, CallbackNotes, ClientId, ConversationId, Draft, Elem, GroupId, Imported, Mentions, Message,
        Options, Pair, Payload, Position, Priority, PushInfo, Seq, UserId, Verdict, imported_id,
        imported_place,
    },
};

/// How many messages one `deleteMessage` may name.
const MAX_DELETIONS: usize = 30;

/// `sendMessage`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct SendMessage {
    to: String,
    conversation_type: String,
    #[serde(rename = "clientID")]
    client_id: String,
    base: Option<u64>,
    #[serde(rename = "type")]
    kind: String,
    #[cfg_attr(test, ts(type = "Record<string, unknown>"))]
    payload: Box<RawValue>,
    cloud_custom_data: Option<String>,
    /// In a group: up to 15 members whom it concerns by name, `__kImSDK_MesssageAtALL__` for all of them.
    at_user_list: Option<Vec<String>>,
    // The fields of `MessageOptions`, here by themselves: of what is flattened no error says where it stood.
    /// `Normal` unless it says otherwise.
    priority: Option<Priority>,
    need_read_receipt: Option<bool>,
    is_support_extension: Option<bool>,
    message_control_info: Option<MessageControlInfo>,
    /// It goes to those who are connected, and is not stored: its `sequence` is 0.
    online_user_only: Option<bool>,
    /// What a notification is to be like, for the business server.
    #[cfg_attr(test, ts(optional, type = "object"))]
    offline_push_info: Option<Box<RawValue>>,
}

/// What the sender wants done with a message besides having it delivered, wherever it is shown. What is
/// not set is left out.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct MessageOptions {
    /// `Normal` unless it says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<Priority>,
    #[serde(skip_serializing_if = "Option::is_none")]
    need_read_receipt: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_support_extension: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_control_info: Option<MessageControlInfo>,
    /// It goes to those who are connected, and is not stored: its `sequence` is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    online_user_only: Option<bool>,
}

/// What a message does not count for.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct MessageControlInfo {
    /// It is never unread.
    #[serde(skip_serializing_if = "Option::is_none")]
    excluded_from_unread_count: Option<bool>,
    /// No list shows it as the last message.
    #[serde(skip_serializing_if = "Option::is_none")]
    excluded_from_last_message: Option<bool>,
}

/// What becomes of a message that wants to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// It becomes part of the history. The number is that of the last message that the sender had
    /// seen when they first composed it.
    Stored {
        /// The number.
        base: Option<Seq>,
    },
    /// It goes to those who are connected.
    OnlineOnly,
}

impl SendMessage {
    /// The conversation, the message, and what is to become of it.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, me: &UserId) -> Result<(ConversationId, Draft, Sending)> {
        let conversation = match self.conversation_type.as_str() {
            "C2C" => ConversationId::C2c(Pair::of(me, &UserId::parse("to", &self.to)?)?),
            "GROUP" => ConversationId::Group(GroupId::parse(&self.to)?),
            _ => return Err(Error::BadRequest("`conversationType` must be C2C or GROUP".to_owned())),
        };
        let control = self.message_control_info.unwrap_or_default();
        let elem = Elem::parse(&self.kind, &self.payload, self.cloud_custom_data)?;
        let elem = match &conversation {
            ConversationId::C2c(_) => elem,
            ConversationId::Group(_) => elem.mentioning(mentions(&self.at_user_list.unwrap_or_default())?),
        };
        let push_info = self.offline_push_info.as_deref().map(PushInfo::parse).transpose()?;
        elem.fits_with(push_info.as_ref())?;
        let draft = Draft::new(
            ClientId::parse(&self.client_id)?,
            me.clone(),
            elem,
            Options {
                priority: self.priority.unwrap_or_default(),
                needs_read_receipt: self.need_read_receipt.unwrap_or_default(),
                supports_extension: self.is_support_extension.unwrap_or_default(),
                excluded_from_unread_count: control.excluded_from_unread_count.unwrap_or_default(),
                excluded_from_last_message: control.excluded_from_last_message.unwrap_or_default(),
            },
        );
        let callbacks = CallbackNotes { push_info, ..CallbackNotes::default() };
        let draft = Draft { callbacks, ..draft };
        let sending = match self.online_user_only {
            Some(true) => Sending::OnlineOnly,
            _ => Sending::Stored { base: self.base.map(Seq) },
        };
        Ok((conversation, draft, sending))
    }
}

/// How a message names everybody in a group.
pub(crate) const ALL: &str = "__kImSDK_MesssageAtALL__";

/// How many members a message may name. Each costs a write.
const MAX_MENTIONS: usize = 15;

pub(crate) fn mentions(names: &[String]) -> Result<Mentions> {
    let mut mentions = Mentions::default();
    for name in names {
        if name == ALL {
            mentions.all = true;
            continue;
        }
        let user = UserId::parse("atUserList", name)?;
        if !mentions.users.contains(&user) {
            mentions.users.push(user);
        }
    }
    if mentions.users.len() > MAX_MENTIONS {
        return Err(Error::BadRequest(format!(
            "`atUserList` may name {MAX_MENTIONS} members: name all of them with {ALL}"
        )));
    }
    Ok(mentions)
}

impl From<&Message> for MessageOptions {
    fn from(message: &Message) -> Self {
        let options = message.options;
        let set = |flag: bool| flag.then_some(true);
        let control = MessageControlInfo {
            excluded_from_unread_count: set(options.excluded_from_unread_count),
            excluded_from_last_message: set(options.excluded_from_last_message),
        };
        Self {
            priority: Some(options.priority).filter(|priority| *priority != Priority::Normal),
            need_read_receipt: set(options.needs_read_receipt),
            is_support_extension: set(options.supports_extension),
            message_control_info: (options.excluded_from_unread_count || options.excluded_from_last_message)
                .then_some(control),
            online_user_only: set(message.is_online_only()),
        }
    }
}

/// `getMessageList`: a page of history going back, a range to fill a gap, or ranges of several conversations.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct GetMessageList {
    #[serde(rename = "conversationID")]
    conversation_id: Option<String>,
    #[serde(rename = "nextReqMessageID")]
    next_req_message_id: Option<String>,
    count: Option<i64>,
    from_sequence: Option<u64>,
    to_sequence: Option<u64>,
    /// Instead of all these: what is missing of several conversations, at most 100.
    ranges: Option<Vec<RangeOf>>,
}

/// A part of a conversation that is missing.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RangeOf {
    #[serde(rename = "conversationID")]
    conversation_id: String,
    from_sequence: u64,
    to_sequence: u64,
}

/// How many ranges one request may name.
const MAX_RANGES: usize = 100;

/// What is wanted of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryRequest {
    /// A part of one conversation, and the most messages that the reply may hold.
    Of(ConversationId, HistoryQuery, usize),
    /// From one number to another, of several.
    Ranges(Vec<(ConversationId, Seq, Seq)>),
}

/// Which part of the history is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryQuery {
    /// The newest messages.
    Newest,
    /// The newest messages before those that an earlier page has shown.
    Before(PageCursor),
    /// All from this one to that one, oldest first.
    Range(Seq, Seq),
}

/// Where a page of history ended, as `nextReqMessageID` carries it: `120`, or `120.57`; and `h1700000000-5-9`, or
/// `h1700000000-5-9.h1690000000000`, among what was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageCursor {
    /// The messages before this one are next.
    pub before: Address,
    /// Up to there the user has deleted the conversation. The first page has read it, and the
    /// others would have to pay for reading it again.
    pub cleared: Position,
}

/// What stands before a place or a time of what was imported.
const IMPORTED: char = 'h';

impl PageCursor {
    /// The page before that message, if there may be one: nothing else is left to see of what a user has cleared up to there.
    pub fn new(before: Address, cleared: Position) -> Option<Self> {
        cleared.is_before(before).then_some(Self { before, cleared })
    }

    fn parse(text: &str) -> Result<Self> {
        let (before, cleared) = text.split_once('.').unwrap_or((text, "0"));
        let number = |text: &str| text.parse().ok();
        let before = match before.strip_prefix(IMPORTED) {
            Some(place) => Imported::parse(place).map(Address::Imported),
            None => number(before).filter(|number| *number > 0).map(|number| Address::Number(Seq(number))),
        };
        let cleared = match cleared.strip_prefix(IMPORTED) {
            Some(time) => number(time).map(|time| Position::at(Seq(0), time)),
            None => number(cleared).map(|seq| Position::at(Seq(seq), 0)),
        };
        before
            .zip(cleared)
            .and_then(|(before, cleared)| Self::new(before, cleared))
            .filter(|cursor| cursor.to_string() == text)
            .ok_or_else(|| {
                Error::BadRequest("`nextReqMessageID` must be the one of the previous page".to_owned())
            })
    }
}

impl std::fmt::Display for PageCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.before {
            Address::Number(seq) => write!(f, "{seq}")?,
            Address::Imported(place) => write!(f, "{IMPORTED}{place}")?,
        }
        match (self.cleared.time(), self.cleared.seq()) {
            (Some(0), _) => Ok(()),
            (Some(time), _) => write!(f, ".{IMPORTED}{time}"),
            (None, seq) => write!(f, ".{seq}"),
        }
    }
}

impl GetMessageList {
    /// What is wanted.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, me: &UserId) -> Result<HistoryRequest> {
        if let Some(ranges) = self.ranges {
            return ranges_of(me, &ranges);
        }
        let conversation = self.conversation_id.unwrap_or_default();
        let conversation = ConversationId::parse(me, &conversation)?;
        let (span, at_most) = match (self.next_req_message_id.as_deref(), self.from_sequence) {
            (None | Some(""), None) => (HistoryQuery::Newest, PAGE_SIZE),
            (Some(next), None) => (HistoryQuery::Before(PageCursor::parse(next)?), PAGE_SIZE),
            (None | Some(""), Some(from)) => {
                let to = self.to_sequence.unwrap_or(u64::MAX);
                if from > to {
                    return Err(Error::BadRequest(
                        "`fromSequence` must not be behind `toSequence`".to_owned(),
                    ));
                }
                (HistoryQuery::Range(Seq(from.max(1)), Seq(to)), RANGE_SIZE)
            }
            (Some(_), Some(_)) => {
                return Err(Error::BadRequest(
                    "ask either for a page (`nextReqMessageID`) or for a range (`fromSequence`)".to_owned(),
                ));
            }
        };
        // Anything that is not a number from 1 to 15 means 15, as in the official SDK.
        let count = self
            .count
            .and_then(|count| usize::try_from(count).ok())
            .filter(|count| (1..=at_most).contains(count))
            .unwrap_or(at_most);
        Ok(HistoryRequest::Of(conversation, span, count))
    }
}

fn ranges_of(me: &UserId, ranges: &[RangeOf]) -> Result<HistoryRequest> {
    if !(1..=MAX_RANGES).contains(&ranges.len()) {
        return Err(Error::BadRequest(format!(
            "`ranges` must name 1 to {MAX_RANGES} ranges: ask for the rest with further requests"
        )));
    }
    let mut parsed: Vec<(ConversationId, Seq, Seq)> = Vec::new();
    for range in ranges {
        let conversation = ConversationId::parse(me, &range.conversation_id)?;
        let (from, to) = (Seq(range.from_sequence.max(1)), Seq(range.to_sequence));
        if from > to {
            return Err(Error::BadRequest("`fromSequence` must not be behind `toSequence`".to_owned()));
        }
        if parsed.iter().any(|(other, ..)| *other == conversation) {
            return Err(Error::BadRequest("`ranges` must name each conversation once".to_owned()));
        }
        parsed.push((conversation, from, to));
    }
    Ok(HistoryRequest::Ranges(parsed))
}

/// `revokeMessage`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RevokeMessage {
    #[serde(rename = "conversationID")]
    conversation_id: String,
    sequence: u64,
}

impl RevokeMessage {
    /// The conversation, and the message.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, me: &UserId) -> Result<(ConversationId, Seq)> {
        Ok((ConversationId::parse(me, &self.conversation_id)?, Seq(self.sequence)))
    }
}

/// `deleteMessage`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DeleteMessage {
    #[serde(rename = "conversationID")]
    conversation_id: String,
    messages: Vec<MessageName>,
}

/// What a client knows a message by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(untagged, expecting = "the sequence of a message, or the clientID of one that was imported")]
pub enum MessageName {
    /// Its number.
    Sequence(u64),
    /// If it was imported, and has no number, its `clientID`.
    ClientId(String),
}

impl MessageName {
    /// The name of the message at that place of the pair's conversation.
    pub fn of(pair: &Pair, at: Address) -> Self {
        match at {
            Address::Number(seq) => Self::Sequence(seq.0),
            Address::Imported(place) => Self::ClientId(imported_id(pair, place).as_str().to_owned()),
        }
    }

    /// Where it lies in the pair's conversation; nothing if it can be nowhere there.
    fn address(&self, pair: &Pair) -> Option<Address> {
        match self {
            Self::Sequence(seq) => Some(Seq(*seq).into()),
            Self::ClientId(id) => {
                ClientId::parse(id).ok().and_then(|id| imported_place(pair, &id)).map(Address::Imported)
            }
        }
    }
}

impl DeleteMessage {
    /// The conversation, and the messages, each once. What can be nowhere in it is left out.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, me: &UserId) -> Result<(Pair, Vec<Address>)> {
        let ConversationId::C2c(pair) = ConversationId::parse(me, &self.conversation_id)? else {
            return Err(Error::BadRequest(
                "a message of a group is not hidden from one member alone: its sender recalls it with revokeMessage"
                    .to_owned(),
            ));
        };
        if !(1..=MAX_DELETIONS).contains(&self.messages.len()) {
            return Err(Error::BadRequest(format!(
                "`messages` must name 1 to {MAX_DELETIONS} messages: delete the rest with further requests"
            )));
        }
        let messages: BTreeSet<_> = self.messages.iter().filter_map(|name| name.address(&pair)).collect();
        Ok((pair, messages.into_iter().collect()))
    }
}

/// A message on the wire, the same for all of its conversation.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct WireMessage<'a> {
    from: &'a UserId,
    /// The other user, or the group.
    to: &'a str,
    #[cfg_attr(test, ts(type = "\"C2C\" | \"GROUP\""))]
    conversation_type: &'static str,
    #[serde(rename = "clientID")]
    client_id: &'a ClientId,
    sequence: Seq,
    /// Seconds, as everywhere in Tencent's API.
    time: u64,
    #[serde(rename = "type")]
    kind: &'a str,
    #[cfg_attr(test, ts(type = "Record<string, unknown>"))]
    payload: &'a Payload,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud_custom_data: Option<&'a str>,
    /// The sender's name for others to see, with a message that comes in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nick: Option<&'a str>,
    /// The URL of the sender's picture, as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<&'a str>,
    /// The sender's name in the group, as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_card: Option<&'a str>,
    /// Whom it concerns by name: members of the group, `__kImSDK_MesssageAtALL__` for all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_user_list: Option<Vec<&'a str>>,
    #[serde(flatten)]
    options: MessageOptions,
    /// The sender has recalled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_revoked: Option<bool>,
    /// Who has recalled it, when that was not the sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoker: Option<&'a UserId>,
    /// The business server has rewritten it before it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_modified: Option<bool>,
}

impl<'a> WireMessage<'a> {
    /// The message as clients see it.
    pub fn new(pair: &'a Pair, message: &'a Message) -> Self {
        Self::to(pair.user(pair.side_of(&message.from).other()).as_str(), "C2C", message)
    }

    /// A message of a group.
    pub fn in_group(group: &'a GroupId, message: &'a Message) -> Self {
        let mentions = message.elem.mentions();
        let mut names: Vec<&str> = mentions.users.iter().map(UserId::as_str).collect();
        names.extend(mentions.all.then_some(ALL));
        let at_user_list = Some(names).filter(|names| !names.is_empty());
        Self { at_user_list, ..Self::to(group.as_str(), "GROUP", message) }
    }

    fn to(to: &'a str, conversation_type: &'static str, message: &'a Message) -> Self {
        Self {
            from: &message.from,
            to,
            conversation_type,
            client_id: &message.client_id,
            sequence: message.seq,
            time: message.time / 1000,
            kind: message.elem.kind(),
            payload: message.elem.payload(),
            cloud_custom_data: Some(message.elem.custom_data()).filter(|text| !text.is_empty()),
            nick: None,
            avatar: None,
            name_card: None,
            at_user_list: None,
            options: message.into(),
            is_revoked: message.revoked_at.map(|_| true),
            revoker: message.revoked_by.as_ref(),
            is_modified: (message.callbacks.verdict == Verdict::Rewritten).then_some(true),
        }
    }

    /// How many bytes of a frame it takes.
    pub fn size(&self) -> usize {
        to_text(self).len()
    }
}

/// The reply to `sendMessage` and to `revokeMessage`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MessageReply<'a> {
    /// The message as it is now.
    pub message: WireMessage<'a>,
}

/// The reply to `getMessageList` for a page.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MessagePage<'a> {
    /// Oldest first.
    pub message_list: Vec<WireMessage<'a>>,
    /// What to ask for the page before this one with. Opaque.
    #[serde(rename = "nextReqMessageID")]
    pub next_req_message_id: String,
    /// Nothing is before this page.
    pub is_completed: bool,
}

/// The reply to `getMessageList` for a range.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MessageRange<'a> {
    /// Oldest first.
    pub message_list: Vec<WireMessage<'a>>,
    /// Where to go on from, unless it is completed.
    pub next_sequence: Seq,
    /// The range ends here.
    pub is_completed: bool,
}

impl RangeInConversation<'_> {
    /// How many bytes of a frame it takes.
    pub fn size(&self) -> usize {
        to_text(self).len()
    }
}

/// The reply to `getMessageList` for several ranges.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MessageRanges<'a> {
    /// In the order asked for. What is not completed goes on at its `nextSequence`, with the next request.
    pub range_list: Vec<RangeInConversation<'a>>,
}

/// What there is of one of them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RangeInConversation<'a> {
    /// The conversation.
    #[serde(rename = "conversationID")]
    pub conversation_id: String,
    /// What was found.
    #[serde(flatten)]
    pub range: MessageRange<'a>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    fn code<T: std::fmt::Debug>(result: Result<T>) -> i32 {
        result.unwrap_err().code()
    }

    #[test]
    fn a_count_that_is_none_means_15() {
        let me = UserId::parse("me", "alice").unwrap();
        for (count, expected) in [
            (json!(null), 15),
            (json!(0), 15),
            (json!(-3), 15),
            (json!(16), 15),
            (json!(15), 15),
            (json!(1), 1),
        ] {
            let data = json!({ "conversationID": "C2Cbob", "nextReqMessageID": "", "count": count });
            let list: GetMessageList = serde_json::from_value(data).unwrap();
            let of_bob = Pair::of(&me, &UserId::parse("to", "bob").unwrap()).unwrap();
            let of_bob = ConversationId::C2c(of_bob);
            assert_eq!(list.parse(&me), Ok(HistoryRequest::Of(of_bob, HistoryQuery::Newest, expected)));
        }
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let nothing = Position::default();
        let time = |time| Position::at(Seq(0), time);
        let imported = Address::Imported(Imported { second: 1_700_000_000, seq: 5, random: 9 });
        for (before, cleared, text) in [
            (Address::Number(Seq(120)), nothing, "120"),
            (Address::Number(Seq(1)), nothing, "1"),
            (Address::Number(Seq(120)), Position::at(Seq(57), 0), "120.57"),
            (Address::Number(Seq(1)), time(1_600_000_000_000), "1.h1600000000000"),
            (imported, nothing, "h1700000000-5-9"),
            (imported, time(1_699_999_999_999), "h1700000000-5-9.h1699999999999"),
        ] {
            let cursor = PageCursor { before, cleared };
            assert_eq!(PageCursor::new(before, cleared), Some(cursor));
            assert_eq!(cursor.to_string(), text);
            assert_eq!(PageCursor::parse(text), Ok(cursor));
        }
        for bad in [
            "x",
            "-1",
            "5.",
            ".5",
            "5.5",
            "5.6",
            "2.1",
            "9.5.1",
            "0",
            "1e3",
            "h",
            "h1700000000",
            "h1700000000-5-9.1",
            "h1700000000-5-9.h1700000000000",
            "h1700000000-5-9.h0",
            "1.h",
        ] {
            assert_eq!(code(PageCursor::parse(bad)), 70402, "{bad}");
        }
    }

    #[test]
    fn a_page_and_a_range_exclude_each_other() {
        let me = UserId::parse("me", "alice").unwrap();
        let of_bob = Pair::of(&me, &UserId::parse("to", "bob").unwrap()).unwrap();
        let of_bob = ConversationId::C2c(of_bob);
        let parse = |data: Value| serde_json::from_value::<GetMessageList>(data).unwrap().parse(&me);
        let of = |span, count| Ok(HistoryRequest::Of(of_bob.clone(), span, count));
        let range = json!({ "conversationID": "C2Cbob", "fromSequence": 3, "toSequence": 9 });
        assert_eq!(parse(range), of(HistoryQuery::Range(Seq(3), Seq(9)), RANGE_SIZE));
        let one = json!({ "conversationID": "C2Cbob", "fromSequence": 3, "toSequence": 3 });
        assert_eq!(parse(one), of(HistoryQuery::Range(Seq(3), Seq(3)), RANGE_SIZE));
        let page = json!({ "conversationID": "C2Cbob", "nextReqMessageID": "120.57" });
        let cleared = Position::at(Seq(57), 0);
        let cursor = PageCursor { before: Address::Number(Seq(120)), cleared };
        assert_eq!(parse(page), of(HistoryQuery::Before(cursor), PAGE_SIZE));
        let range = |peer: &str, from: u64, to: u64| json!({ "conversationID": format!("C2C{peer}"), "fromSequence": from, "toSequence": to });
        let ranges = |ranges: Vec<Value>| parse(json!({ "ranges": ranges }));
        assert_eq!(
            ranges(vec![range("bob", 0, 9)]),
            Ok(HistoryRequest::Ranges(vec![(of_bob.clone(), Seq(1), Seq(9))]))
        );
        let many = |count: u64| (0..count).map(|number| range(&number.to_string(), 1, 1)).collect();
        assert!(ranges(many(100)).is_ok());
        for bad in [vec![], many(101), vec![range("bob", 9, 3)], vec![range("bob", 1, 1); 2]] {
            assert_eq!(code(ranges(bad)), 70402);
        }
        for bad in [
            json!({ "conversationID": "C2Cbob", "fromSequence": 9, "toSequence": 3 }),
            json!({ "conversationID": "C2Cbob", "fromSequence": 1, "nextReqMessageID": "5" }),
            json!({ "conversationID": "C2Cbob", "nextReqMessageID": "x" }),
            json!({}),
        ] {
            assert_eq!(code(parse(bad)), 70402);
        }
    }

    fn send(more: Value) -> Result<(ConversationId, Draft, Sending)> {
        let mut data = json!({
            "to": "bob", "conversationType": "C2C", "clientID": "a", "type": "TIMTextElem", "payload": { "text": "x" },
        });
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        // Not from a value: a payload is taken as it was written.
        serde_json::from_str::<SendMessage>(&data.to_string())
            .unwrap()
            .parse(&UserId::parse("me", "alice").unwrap())
    }

    #[test]
    fn a_message_is_stored_behind_what_its_sender_had_seen_unless_it_is_for_those_who_are_online() {
        let sending = |more| send(more).unwrap().2;
        assert_eq!(sending(json!({})), Sending::Stored { base: None });
        assert_eq!(sending(json!({ "base": 7 })), Sending::Stored { base: Some(Seq(7)) });
        assert_eq!(sending(json!({ "onlineUserOnly": false })), Sending::Stored { base: None });
        assert_eq!(sending(json!({ "base": 7, "onlineUserOnly": true })), Sending::OnlineOnly);
    }

    #[test]
    fn a_message_goes_to_one_other_user_or_to_a_group() {
        let group = GroupId::parse("bob").unwrap();
        assert_eq!(send(json!({ "conversationType": "GROUP" })).unwrap().0, ConversationId::Group(group));
        assert_eq!(code(send(json!({ "conversationType": "@TIM#SYSTEM" }))), 70402);
        assert_eq!(code(send(json!({ "conversationType": "GROUP", "to": "@TGS#" }))), 10015);
        assert_eq!(code(send(json!({ "to": "alice" }))), 20003);
        assert_eq!(send(json!({})).unwrap().0.one_to_one().unwrap().peer().as_str(), "bob");
    }

    #[test]
    fn a_message_of_a_group_names_fifteen_members_or_all() {
        let named = |names: Vec<String>| {
            send(json!({ "conversationType": "GROUP", "atUserList": names }))
                .map(|sent| sent.1.elem.mentions().clone())
        };
        let users = |count: usize| (0..count).map(|number| format!("user-{number}")).collect::<Vec<_>>();
        let mut most = users(15);
        most.extend(["user-0".to_owned(), ALL.to_owned()]);
        let mentions = named(most).unwrap();
        assert_eq!((mentions.users.len(), mentions.all), (15, true));
        assert_eq!(code(named(users(16))), 70402);
        assert_eq!(code(named(vec!["张三".to_owned()])), 7003);
        let alone = send(json!({ "atUserList": ["carol"] })).unwrap().1;
        assert!(alone.elem.mentions().is_empty(), "there is nobody else in a conversation of two");

        let (group, draft, _) =
            send(json!({ "conversationType": "GROUP", "atUserList": ["carol", ALL] })).unwrap();
        let ConversationId::Group(group) = group else { unreachable!("it is one") };
        let message = Message { seq: Seq(1), ..draft.online_only(1_795_400_001_999) };
        let text =
            |message: &Message| serde_json::to_string(&WireMessage::in_group(&group, message)).unwrap();
        assert_eq!(
            text(&message),
            r#"{"from":"alice","to":"bob","conversationType":"GROUP","clientID":"a","sequence":1,"time":1795400001,"type":"TIMTextElem","payload":{"text":"x"},"atUserList":["carol","__kImSDK_MesssageAtALL__"]}"#
        );
        let recalled = Message { elem: message.elem.clone().recall(), ..message };
        assert!(!text(&recalled).contains("atUserList"), "it names nobody any more");
    }

    #[test]
    fn what_a_sender_has_set_is_shown_to_both_and_what_not_takes_no_byte() {
        let text = |more: Value| {
            let (conversation, draft, sending) = send(more).unwrap();
            let pair = conversation.one_to_one().unwrap();
            let message = Message {
                seq: Seq(u64::from(sending != Sending::OnlineOnly)),
                ..draft.online_only(1_795_400_001_999)
            };
            let wire = WireMessage::new(&pair, &message);
            let text = serde_json::to_string(&wire).unwrap();
            assert_eq!(wire.size(), text.len(), "what it takes of a frame");
            text
        };
        let plain = r#"{"from":"alice","to":"bob","conversationType":"C2C","clientID":"a","sequence":1,"time":1795400001,"type":"TIMTextElem","payload":{"text":"x"}}"#;
        assert_eq!(text(json!({})), plain);
        assert_eq!(
            text(json!({
                "priority": "Normal", "needReadReceipt": false, "isSupportExtension": false, "onlineUserOnly": false,
                "messageControlInfo": { "excludedFromUnreadCount": false, "excludedFromLastMessage": false },
            })),
            plain
        );
        for more in [
            json!({ "cloudCustomData": "y" }),
            json!({ "priority": "High" }),
            json!({ "needReadReceipt": true }),
            json!({ "isSupportExtension": true }),
            json!({ "messageControlInfo": { "excludedFromUnreadCount": true } }),
            json!({ "messageControlInfo": { "excludedFromLastMessage": true } }),
        ] {
            let mut shown: Value = serde_json::from_str(plain).unwrap();
            shown.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            assert_eq!(serde_json::from_str::<Value>(&text(more)).unwrap(), shown);
        }
        assert!(text(json!({ "onlineUserOnly": true })).contains(r#""sequence":0,"#));
        assert!(text(json!({ "onlineUserOnly": true })).contains(r#""onlineUserOnly":true"#));
    }

    #[test]
    fn messages_are_deleted_up_to_30_at_once_each_once() {
        let delete = |messages: Vec<u64>| {
            let data = json!({ "conversationID": "C2Cbob", "messages": messages });
            let request: DeleteMessage = serde_json::from_value(data).unwrap();
            request.parse(&UserId::parse("me", "alice").unwrap()).map(|(_, messages)| messages)
        };
        assert_eq!(delete(vec![3, 1, 3]), Ok(vec![Seq(1).into(), Seq(3).into()]));
        assert_eq!(delete((1..=30).collect()).unwrap().len(), 30);
        assert_eq!(code(delete((1..=31).collect())), 70402);
        assert_eq!(code(delete(Vec::new())), 70402);
    }
}
