//! `group_open_http_svc`: what is said in groups.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};

use super::super::{
    Error, MsgElement, Number, Result, Said,
    messages::{REPEATED_MS, Written, is, wrong},
};
use crate::{
    model::{
        ClientId, Draft, GroupId, MAX_MESSAGE_BYTES, Message, Options, Priority, Repeats, Seq, UserId,
        number_of,
    },
    protocol::{ALL, Sending, mentions},
};

/// How many messages one command may recall, or ask for.
pub const MAX_GROUP_MESSAGES: usize = 20;

/// `send_group_msg`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SendGroupMsg {
    group_id: String,
    #[serde(rename = "From_Account")]
    from_account: Said<String>,
    #[serde(rename = "To_Account")]
    to_account: Said<Vec<String>>,
    random: Said<Number<i64>>,
    msg_random: Said<Number<i64>>,
    msg_priority: Said<Priority>,
    msg_body: Option<Box<RawValue>>,
    cloud_custom_data: Said<String>,
    online_only_flag: Said<Number<u32>>,
    msg_online_only_flag: Said<Number<u32>>,
    send_msg_control: Said<Vec<String>>,
    forbid_callback_control: Said<Vec<String>>,
    offline_push_info: Said<Box<RawValue>>,
    group_at_info: Said<Vec<GroupAt>>,
    is_need_read_receipt: Said<Number<u32>>,
    need_read_receipt: Said<Number<u32>>,
    support_message_extension: Said<Number<u32>>,
}

/// Whom a message concerns by name.
#[derive(Debug, Deserialize)]
struct GroupAt {
    #[serde(rename = "GroupAtAllFlag")]
    all: Said<Number<u32>>,
    #[serde(rename = "GroupAt_Account")]
    account: Said<String>,
}

impl SendGroupMsg {
    /// The group, the message, and what is to become of it. Who asks sends it if nobody else is said to.
    ///
    /// # Errors
    /// What is wrong with which member.
    pub fn parse(self, administrator: &UserId, now_ms: u64) -> Result<(GroupId, Draft, Sending)> {
        let group = GroupId::parse(&self.group_id)?;
        let from = match &self.from_account.0 {
            None => administrator.clone(),
            Some(name) => UserId::parse("From_Account", name)?,
        };
        if self.to_account.0.is_some() {
            return Err(Error::Parameter(
                "a message of a group is for all of it: leave `To_Account` out, or send it with batchsendmsg"
                    .to_owned(),
            ));
        }
        let Said(Some(random)) = self.random.or(self.msg_random) else {
            return Err(Error::Parameter(
                "`Random` is missing: a message needs a random number of 32 bits".to_owned(),
            ));
        };
        let written = Written {
            body: self.msg_body,
            custom_data: self.cloud_custom_data,
            send_msg_control: self.send_msg_control,
            forbid_callback_control: self.forbid_callback_control,
            offline_push_info: self.offline_push_info,
            needs_read_receipt: self.is_need_read_receipt.or(self.need_read_receipt),
            supports_extension: self.support_message_extension,
        };
        let (elem, options, callbacks) = written.parse()?;
        let named: Vec<String> =
            self.group_at_info.0.into_iter().flatten().filter_map(GroupAt::name).collect();
        let elem = elem.mentioning(mentions(&named)?);
        elem.fits_with(callbacks.push_info.as_ref())?;
        let said = [group.as_str(), from.as_str(), elem.kind(), elem.payload().as_str(), elem.custom_data()];
        let said: Vec<&str> = said.into_iter().chain(named.iter().map(String::as_str)).collect();
        let client_id = ClientId::of(number_of(&said), now_ms / 1000, random.low_bits());
        let options = Options { priority: self.msg_priority.0.unwrap_or_default(), ..options };
        let draft = Draft {
            repeats: Repeats::Since(now_ms.saturating_sub(REPEATED_MS)),
            callbacks,
            ..Draft::new(client_id, from, elem, options)
        };
        let is_online_only = is(self.online_only_flag.or(self.msg_online_only_flag));
        let sending = if is_online_only { Sending::OnlineOnly } else { Sending::Stored { base: None } };
        Ok((group, draft, sending))
    }
}

impl GroupAt {
    fn name(self) -> Option<String> {
        if is(self.all) { Some(ALL.to_owned()) } else { self.account.0 }
    }
}

/// The answer to `send_group_msg`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SentGroupMsg {
    msg_time: u64,
    msg_seq: Seq,
    msg_id: String,
}

impl SentGroupMsg {
    /// That of a message.
    pub fn of(message: &Message) -> Self {
        Self {
            msg_time: message.time / 1000,
            msg_seq: message.seq,
            msg_id: message.client_id.as_str().to_owned(),
        }
    }
}

/// `send_group_system_notification`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SendNotification {
    group_id: String,
    content: String,
    #[serde(rename = "ToMembers_Account")]
    to: Said<Vec<String>>,
}

impl SendNotification {
    /// The group, what is said, and to which of its members; to all of them if none is named.
    ///
    /// # Errors
    /// What is wrong with which member.
    pub fn parse(self) -> Result<(GroupId, String, Vec<UserId>)> {
        if self.content.len() > MAX_MESSAGE_BYTES {
            return Err(wrong(80002, "`Content` may have 12288 bytes: shorten it"));
        }
        let to = self.to.0.iter().flatten().map(|name| UserId::parse("ToMembers_Account", name));
        Ok((GroupId::parse(&self.group_id)?, self.content, to.collect::<crate::Result<_>>()?))
    }
}

/// `group_msg_recall`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RecallGroupMsgs {
    group_id: String,
    msg_seq_list: Vec<NamedMsg>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NamedMsg {
    msg_seq: Number<u64>,
}

impl RecallGroupMsgs {
    /// The group, and the numbers of the messages.
    ///
    /// # Errors
    /// What is wrong with which member.
    pub fn parse(self) -> Result<(GroupId, Vec<Seq>)> {
        if !(1..=MAX_GROUP_MESSAGES).contains(&self.msg_seq_list.len()) {
            return Err(Error::Parameter(format!(
                "`MsgSeqList` must name 1 to {MAX_GROUP_MESSAGES} messages: split a longer list"
            )));
        }
        let seqs = self.msg_seq_list.into_iter().map(|named| Seq(named.msg_seq.0)).collect();
        Ok((GroupId::parse(&self.group_id)?, seqs))
    }
}

/// The answer to it, under its two names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RecalledGroupMsgs {
    recall_ret_list: Vec<Value>,
    results: Vec<Value>,
}

impl RecalledGroupMsgs {
    /// What has become of each, as a code.
    pub fn new(outcomes: &[(Seq, i32)]) -> Self {
        let outcome = |(seq, code): &(Seq, i32)| json!({ "MsgSeq": seq, "RetCode": code });
        let outcomes: Vec<Value> = outcomes.iter().map(outcome).collect();
        Self { recall_ret_list: outcomes.clone(), results: outcomes }
    }
}

/// `group_msg_get_simple`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetGroupMsgs {
    group_id: String,
    req_msg_number: Number<u32>,
    req_msg_seq: Said<Number<u64>>,
}

impl GetGroupMsgs {
    /// The group, before which number, and how many.
    ///
    /// # Errors
    /// What can be no group.
    pub fn parse(self) -> Result<(GroupId, Seq, usize)> {
        let before = match self.req_msg_seq.0 {
            None | Some(Number(0)) => Seq(u64::MAX),
            Some(Number(seq)) => Seq(seq).next(),
        };
        let count = (self.req_msg_number.0 as usize).clamp(1, MAX_GROUP_MESSAGES);
        Ok((GroupId::parse(&self.group_id)?, before, count))
    }
}

/// The answer to it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GroupMsgs {
    group_id: GroupId,
    is_finished: u8,
    rsp_msg_list: Vec<GroupMsg>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct GroupMsg {
    #[serde(rename = "From_Account")]
    from_account: UserId,
    is_place_msg: u8,
    msg_body: Vec<MsgElement>,
    msg_priority: u8,
    msg_random: u32,
    msg_seq: Seq,
    msg_time_stamp: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    cloud_custom_data: String,
}

impl GroupMsgs {
    /// Messages of a group, newest first.
    pub fn new(group_id: GroupId, messages: &[Message], is_finished: bool) -> Self {
        let shown = |message: &Message| {
            let is_recalled = message.revoked_at.is_some();
            GroupMsg {
                from_account: message.from.clone(),
                is_place_msg: u8::from(is_recalled),
                msg_body: if is_recalled { Vec::new() } else { MsgElement::of(&message.elem).into() },
                msg_priority: match message.options.priority {
                    Priority::High => 1,
                    Priority::Normal => 2,
                    Priority::Low => 3,
                    Priority::Lowest => 4,
                },
                msg_random: message.client_id.random(),
                msg_seq: message.seq,
                msg_time_stamp: message.time / 1000,
                cloud_custom_data: message.elem.custom_data().to_owned(),
            }
        };
        let rsp_msg_list = messages.iter().map(shown).collect();
        Self { group_id, is_finished: u8::from(is_finished), rsp_msg_list }
    }
}
