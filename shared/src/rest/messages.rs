//! `openim`: what two users say to each other.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Error, MsgElement, MsgKey, Number, Result, Said};
use crate::{
    model::{
        CallbackNotes, ClientId, Draft, Elem, Imported, Message, Options, Pair, PushInfo, Repeats, UserId,
        number_of,
    },
    protocol::Sending,
};

/// To how many users one `batchsendmsg` may send.
pub const MAX_RECIPIENTS: usize = 500;

/// For how long what says the same under the same random number is one message: as long as libraries go on repeating a
/// request that was not answered.
pub(super) const REPEATED_MS: u64 = 30_000;

/// By how much the clock of a business server may be ahead.
const AHEAD_S: u64 = 60;

/// `sendmsg`, `batchsendmsg` and `importmsg`, which differ in whom they name and in what they do not know.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Msg<To> {
    #[serde(rename = "From_Account")]
    from_account: Said<String>,
    #[serde(rename = "To_Account")]
    to_account: To,
    sync_other_machine: Said<Number<u32>>,
    sync_from_old_system: Said<Number<u32>>,
    online_only_flag: Said<Number<u32>>,
    msg_life_time: Said<Number<i64>>,
    msg_seq: Said<Number<i64>>,
    msg_random: Said<Number<i64>>,
    msg_time_stamp: Said<Number<u64>>,
    msg_timestamp: Said<Number<u64>>,
    msg_body: Option<Box<RawValue>>,
    cloud_custom_data: Said<String>,
    forbid_callback_control: Said<Vec<String>>,
    send_msg_control: Said<Vec<String>>,
    offline_push_info: Said<Box<RawValue>>,
    is_need_read_receipt: Said<Number<u32>>,
    support_message_extension: Said<Number<u32>>,
}

/// `sendmsg`.
pub type SendMsg = Msg<String>;

/// `batchsendmsg`.
pub type BatchSendMsg = Msg<Vec<String>>;

/// `importmsg`.
pub type ImportMsg = Msg<String>;

/// A message of which nobody knows yet to whom it goes.
#[derive(Debug)]
struct Content {
    from: UserId,
    elem: Elem,
    options: Options,
    callbacks: CallbackNotes,
    is_hidden_from_sender: bool,
    sending: Sending,
    random: u32,
    /// What it is told apart by besides what it says.
    named: String,
    repeats: Repeats,
    now_s: u64,
}

/// What an import is to become.
#[derive(Debug)]
pub enum Import {
    /// It was said then, and lies in the history.
    History(Pair, Imported, Elem),
    /// It is said now.
    Live(Pair, Draft),
}

/// What the libraries write of a message wherever it goes.
pub(super) struct Written {
    pub body: Option<Box<RawValue>>,
    pub custom_data: Said<String>,
    pub send_msg_control: Said<Vec<String>>,
    pub forbid_callback_control: Said<Vec<String>>,
    pub offline_push_info: Said<Box<RawValue>>,
    pub needs_read_receipt: Said<Number<u32>>,
    pub supports_extension: Said<Number<u32>>,
}

/// Whether a flag is set.
pub(super) fn is(Said(flag): Said<Number<u32>>) -> bool {
    flag.is_some_and(|Number(flag)| flag == 1)
}

/// A number of a message that tells it apart. Languages whose numbers are always something write 0 for none.
fn seq_of(Said(seq): Said<Number<i64>>) -> Option<u32> {
    seq.map(Number::low_bits).filter(|seq| *seq > 0)
}

/// As [`seq_of`]: when it was sent, in seconds, or in whatever a library takes for seconds.
fn second_of(Said(second): Said<Number<u64>>) -> Option<u64> {
    second.map(|Number(second)| second).filter(|second| *second > 0)
}

impl Written {
    /// What it says, what else its sender wants of it, and what is kept of it for callbacks.
    pub fn parse(self) -> Result<(Elem, Options, CallbackNotes)> {
        let elem = MsgElement::parse(&elements(self.body)?, self.custom_data.0)?;
        let has = |list: &Said<Vec<String>>, word: &str| list.0.iter().flatten().any(|each| each == word);
        let push_info = self.offline_push_info.0.map(|info| PushInfo::parse(&info)).transpose();
        let push_info =
            push_info.map_err(|_| Error::Parameter("`OfflinePushInfo` must be an object".to_owned()))?;
        elem.fits_with(push_info.as_ref())?;
        let options = Options {
            needs_read_receipt: is(self.needs_read_receipt),
            supports_extension: is(self.supports_extension),
            excluded_from_unread_count: has(&self.send_msg_control, "NoUnread"),
            excluded_from_last_message: has(&self.send_msg_control, "NoLastMsg"),
            ..Options::default()
        };
        let callbacks = CallbackNotes {
            is_unasked: has(&self.forbid_callback_control, "ForbidBeforeSendMsgCallback"),
            is_untold: has(&self.forbid_callback_control, "ForbidAfterSendMsgCallback"),
            push_info,
            ..CallbackNotes::default()
        };
        Ok((elem, options, callbacks))
    }
}

impl<To> Msg<To> {
    fn content(self, administrator: &UserId, now_ms: u64) -> Result<(To, Content)> {
        let from = match &self.from_account.0 {
            None => administrator.clone(),
            Some(name) => user(90008, "From_Account", name)?,
        };
        let Said(Some(random)) = self.msg_random else {
            return Err(wrong(90005, "`MsgRandom` is missing: a message needs a random number of 32 bits"));
        };
        let written = Written {
            body: self.msg_body,
            custom_data: self.cloud_custom_data,
            send_msg_control: self.send_msg_control,
            forbid_callback_control: self.forbid_callback_control,
            offline_push_info: self.offline_push_info,
            needs_read_receipt: self.is_need_read_receipt,
            supports_extension: self.support_message_extension,
        };
        let (elem, options, callbacks) = written.parse()?;
        let life_time = self.msg_life_time.0.map(|Number(seconds)| seconds);
        if life_time.is_some_and(|seconds| seconds < 0) {
            return Err(wrong(
                90026,
                "`MsgLifeTime` must be a number of seconds, and 0 for who is online alone",
            ));
        }
        let is_online_only = is(self.online_only_flag) || life_time == Some(0);
        let (seq, second) = (seq_of(self.msg_seq), second_of(self.msg_time_stamp.or(self.msg_timestamp)));
        let text = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        let said_at = second.map_or(now_ms, |second| second.saturating_mul(1000));
        let content = Content {
            from,
            elem,
            options,
            callbacks,
            is_hidden_from_sender: self.sync_other_machine.0.is_some_and(|Number(sync)| sync == 2),
            sending: if is_online_only { Sending::OnlineOnly } else { Sending::Stored { base: None } },
            random: random.low_bits(),
            named: format!("{}-{}", text(seq.map(u64::from)), text(second)),
            repeats: Repeats::Since(said_at.min(now_ms).saturating_sub(REPEATED_MS)),
            now_s: now_ms / 1000,
        };
        Ok((self.to_account, content))
    }
}

impl Content {
    fn to(&self, to: &str) -> Result<(Pair, Draft)> {
        let to = user(90003, "To_Account", to)?;
        let pair = Pair::of(&self.from, &to)
            .map_err(|_| wrong(90003, "`To_Account` must be another user than `From_Account`"))?;
        let elem = &self.elem;
        let said = [to.as_str(), &self.named, elem.kind(), elem.payload().as_str(), elem.custom_data()];
        let client_id = ClientId::of(number_of(&said), self.now_s, self.random);
        let draft = Draft {
            repeats: self.repeats,
            callbacks: self.callbacks.clone(),
            is_hidden_from_sender: self.is_hidden_from_sender,
            ..Draft::new(client_id, self.from.clone(), elem.clone(), self.options)
        };
        Ok((pair, draft))
    }
}

impl Msg<String> {
    /// The message of a `sendmsg`, and what is to become of it. Who asks sends it if nobody else is said to.
    ///
    /// # Errors
    /// What is wrong with which member, with a code of its own.
    pub fn parse(self, administrator: &UserId, now_ms: u64) -> Result<(Pair, Draft, Sending)> {
        let (to, content) = self.content(administrator, now_ms)?;
        let (pair, draft) = content.to(&to)?;
        Ok((pair, draft, content.sending))
    }

    /// What an `importmsg` is to become.
    ///
    /// # Errors
    /// As [`Msg::parse`]; a time that is missing, or that is yet to come.
    pub fn parse_import(self, administrator: &UserId, now_ms: u64) -> Result<Import> {
        let kind = self.sync_from_old_system.0.map(|Number(kind)| kind);
        let (seq, second) = (seq_of(self.msg_seq), second_of(self.msg_time_stamp.or(self.msg_timestamp)));
        let (to, content) = self.content(administrator, now_ms)?;
        let (pair, draft) = content.to(&to)?;
        match kind {
            Some(2) => {
                let second = second.ok_or_else(|| {
                    Error::Parameter(
                        "`MsgTimeStamp` is missing: say when the message was sent, in seconds".to_owned(),
                    )
                })?;
                if second > (now_ms / 1000).saturating_add(AHEAD_S) {
                    return Err(Error::Parameter(
                        "`MsgTimeStamp` is in the future: it must be when the message was sent, in seconds"
                            .to_owned(),
                    ));
                }
                let place = Imported { second, seq: seq.unwrap_or_default(), random: content.random };
                Ok(Import::History(pair, place, draft.elem))
            }
            // The older name of the same.
            None | Some(1 | 5) => {
                // It has been told of where it came from.
                let callbacks = CallbackNotes { is_unasked: true, is_untold: true, ..draft.callbacks };
                Ok(Import::Live(pair, Draft { callbacks, ..draft }))
            }
            Some(_) => Err(Error::Parameter(
                "`SyncFromOldSystem` must be 2 for what was said before, or 5 for what is said now"
                    .to_owned(),
            )),
        }
    }
}

impl Msg<Vec<String>> {
    /// The messages of a `batchsendmsg`, each with its recipient as it was named, once, and what is to become of them.
    ///
    /// # Errors
    /// What is wrong with which member; with a recipient, in their place.
    #[allow(clippy::type_complexity)]
    pub fn parse_batch(
        self,
        administrator: &UserId,
        now_ms: u64,
    ) -> Result<(Vec<(String, Result<(Pair, Draft)>)>, Sending)> {
        let (mut to, mut content) = self.content(administrator, now_ms)?;
        if !(1..=MAX_RECIPIENTS).contains(&to.len()) {
            return Err(wrong(90011, "`To_Account` must name 1 to 500 users: split a longer list"));
        }
        // Nobody is told of what goes to many.
        (content.callbacks.is_unasked, content.callbacks.is_untold) = (true, true);
        let mut seen = std::collections::BTreeSet::new();
        to.retain(|name| seen.insert(name.clone()));
        let messages = to.into_iter().map(|name| {
            let message = content.to(&name);
            (name, message)
        });
        Ok((messages.collect(), content.sending))
    }
}

fn elements(body: Option<Box<RawValue>>) -> Result<Vec<MsgElement>> {
    let body = body.filter(|body| body.get().starts_with('['));
    let body = body.ok_or_else(|| wrong(90007, "`MsgBody` must be a list with one element"))?;
    serde_json::from_str(body.get()).map_err(|_| {
        wrong(90010, "each element of `MsgBody` must have `MsgType`, a text, and `MsgContent`, an object")
    })
}

fn user(code: i32, member: &'static str, name: &str) -> Result<UserId> {
    UserId::parse(member, name).map_err(|refused| wrong(code, &refused.to_string()))
}

pub(super) fn wrong(code: i32, text: &str) -> Error {
    Error::Member(code, text.to_owned())
}

/// The answer to `sendmsg`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SentMsg {
    msg_time: u64,
    msg_key: MsgKey,
    msg_id: String,
}

impl SentMsg {
    /// That of a message.
    pub fn of(message: &Message) -> Self {
        Self {
            msg_time: message.time / 1000,
            msg_key: MsgKey::of(message),
            msg_id: message.client_id.as_str().to_owned(),
        }
    }
}

/// The answer to `batchsendmsg`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SentMsgs {
    /// That of the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub msg_key: Option<MsgKey>,
    /// To whom it was not sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub error_list: Vec<NotSent>,
}

/// To whom a message was not sent, and why.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NotSent {
    /// Who.
    #[serde(rename = "To_Account")]
    pub to_account: String,
    /// Why.
    pub error_code: i32,
}

/// Two users, as commands about their conversation name them.
fn pair(from: &str, to: &str) -> Result<Pair> {
    let (from, to) = (user(90008, "From_Account", from)?, user(90003, "To_Account", to)?);
    Pair::of(&from, &to).map_err(|_| wrong(90003, "a conversation needs two users"))
}

/// `admin_msgwithdraw`.
#[derive(Debug, Deserialize)]
pub struct WithdrawMsg {
    #[serde(rename = "From_Account")]
    from_account: String,
    #[serde(rename = "To_Account")]
    to_account: String,
    #[serde(rename = "MsgKey")]
    msg_key: String,
}

impl WithdrawMsg {
    /// The conversation in the eyes of who has sent the message, and the message.
    ///
    /// # Errors
    /// What is wrong with which member.
    pub fn parse(self) -> Result<(Pair, MsgKey)> {
        let pair = pair(&self.from_account, &self.to_account)?;
        Ok((pair, key(&self.msg_key)?))
    }
}

fn key(text: &str) -> Result<MsgKey> {
    MsgKey::parse(text).map_err(|refused| wrong(90054, &refused.to_string()))
}

/// `admin_getroammsg`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetRoamMsg {
    #[serde(rename = "Operator_Account")]
    operator_account: Said<String>,
    #[serde(rename = "From_Account")]
    from_account: Said<String>,
    #[serde(rename = "Peer_Account")]
    peer_account: Said<String>,
    #[serde(rename = "To_Account")]
    to_account: Said<String>,
    max_cnt: Said<Number<u32>>,
    min_time: Said<Number<u64>>,
    max_time: Said<Number<u64>>,
    last_msg_key: Said<String>,
}

/// Which part of a history is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryOf {
    /// From this second on.
    pub from: u64,
    /// Up to this one.
    pub to: u64,
    /// Before this message, which is one of that second.
    pub before: Option<MsgKey>,
    /// At most so many messages.
    pub count: usize,
}

/// How many messages a part of a history has at most.
pub const MAX_HISTORY: usize = 100;

impl GetRoamMsg {
    /// The conversation in the eyes of who asks, and what is wanted of it.
    ///
    /// # Errors
    /// What is wrong with which member.
    pub fn parse(self) -> Result<(Pair, HistoryOf)> {
        let operator = self.operator_account.or(self.from_account).0.unwrap_or_default();
        let peer = self.peer_account.or(self.to_account).0.unwrap_or_default();
        let pair = pair(&operator, &peer)?;
        let second = |Said(time): Said<Number<u64>>| time.map(|Number(second)| second);
        let count = self.max_cnt.0.map_or(MAX_HISTORY, |Number(count)| count as usize);
        let before = self.last_msg_key.0.map(|text| key(&text)).transpose()?;
        let from = second(self.min_time).unwrap_or_default();
        let to = second(self.max_time).unwrap_or(u64::MAX / 1000 - 1).min(u64::MAX / 1000 - 1);
        Ok((pair, HistoryOf { from, to, before, count: count.clamp(1, MAX_HISTORY) }))
    }
}

/// The answer to `admin_getroammsg`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoamMsgs {
    /// Whether nothing is left between the two times.
    pub complete: u8,
    /// How many messages there are here.
    pub msg_cnt: usize,
    /// When the oldest one was sent that was looked at, 0 if there is none. Behind it goes on who turns the pages.
    pub last_msg_time: u64,
    /// Its key.
    pub last_msg_key: String,
    /// The messages, oldest first.
    pub msg_list: Vec<RoamMsg>,
}

/// A message of a history.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoamMsg {
    #[serde(rename = "From_Account")]
    from_account: String,
    #[serde(rename = "To_Account")]
    to_account: String,
    msg_seq: u64,
    msg_random: u32,
    msg_time_stamp: u64,
    msg_flag_bits: u32,
    is_peer_read: u8,
    msg_key: MsgKey,
    msg_body: [MsgElement; 1],
    #[serde(skip_serializing_if = "String::is_empty")]
    cloud_custom_data: String,
}

/// What `MsgFlagBits` says of a message that was recalled.
const RECALLED: u32 = 8;

impl RoamMsg {
    /// A message of two users that its recipient has read or not.
    pub fn of(pair: &Pair, message: &Message, is_read: bool) -> Self {
        let msg_key = MsgKey::of(message);
        Self {
            from_account: message.from.to_string(),
            to_account: pair.user(pair.side_of(&message.from).other()).to_string(),
            msg_seq: msg_key.seq,
            msg_random: msg_key.random,
            msg_time_stamp: msg_key.second,
            msg_flag_bits: if message.revoked_at.is_some() { RECALLED } else { 0 },
            is_peer_read: u8::from(is_read),
            msg_key,
            msg_body: MsgElement::of(&message.elem),
            cloud_custom_data: message.elem.custom_data().to_owned(),
        }
    }

    /// How many bytes of an answer it takes.
    pub fn size(&self) -> usize {
        super::to_text(self).len()
    }
}

/// `admin_set_msg_read`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SetMsgRead {
    #[serde(rename = "Report_Account")]
    report_account: String,
    #[serde(rename = "Peer_Account")]
    peer_account: String,
    msg_read_time: Said<Number<u64>>,
}

impl SetMsgRead {
    /// The conversation in the eyes of who has read it, and up to which second; to its end when nothing is said.
    ///
    /// # Errors
    /// What is wrong with which member.
    pub fn parse(self) -> Result<(Pair, Option<u64>)> {
        let pair = pair(&self.report_account, &self.peer_account)?;
        Ok((pair, self.msg_read_time.0.map(|Number(second)| second).filter(|second| *second > 0)))
    }
}

/// `get_c2c_unread_msg_num`.
#[derive(Debug, Deserialize)]
pub struct GetUnreadMsgNum {
    #[serde(rename = "To_Account")]
    to_account: String,
    #[serde(rename = "Peer_Account")]
    peer_account: Said<Vec<String>>,
}

/// Of how many conversations one command may ask what is unread.
pub const MAX_UNREAD: usize = 10;

impl GetUnreadMsgNum {
    /// Whose unread messages are counted, and with whom; with all if nobody is named.
    ///
    /// # Errors
    /// What is wrong with which member.
    pub fn parse(self) -> Result<(UserId, Option<Vec<String>>)> {
        let me = user(90003, "To_Account", &self.to_account)?;
        let peers = self.peer_account.0;
        if peers.as_ref().is_some_and(|peers| peers.len() > MAX_UNREAD) {
            return Err(Error::Parameter("`Peer_Account` may name 10 users: split a longer list".to_owned()));
        }
        Ok((me, peers))
    }
}

/// The answer to `get_c2c_unread_msg_num`.
#[derive(Debug, Default, Serialize)]
pub struct UnreadMsgNum {
    /// With all together.
    #[serde(rename = "AllC2CUnreadMsgNum", skip_serializing_if = "Option::is_none")]
    pub all: Option<u64>,
    /// With each who was named.
    #[serde(rename = "C2CUnreadMsgNumList", skip_serializing_if = "Vec::is_empty")]
    pub list: Vec<UnreadOf>,
    /// With whom they could not be counted.
    #[serde(rename = "ErrorList", skip_serializing_if = "Vec::is_empty")]
    pub error_list: Vec<NotCounted>,
}

/// How many messages of a user are unread.
#[derive(Debug, Serialize)]
pub struct UnreadOf {
    /// Whose.
    #[serde(rename = "Peer_Account")]
    pub peer_account: String,
    /// How many.
    #[serde(rename = "C2CUnreadMsgNum")]
    pub unread: u64,
}

/// Whose messages could not be counted, and why.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NotCounted {
    /// Whose.
    #[serde(rename = "Peer_Account")]
    pub peer_account: String,
    /// Why.
    pub error_code: i32,
}
