//! What is answered and told of groups.

use serde::Serialize;

use super::super::to_text;
use crate::{
    Error,
    model::{
        Group, GroupId, GroupType, InviteOption, JoinOption, Member, Mention, MyGroup, RemindType, Role, Seq,
        UserId,
    },
};

/// A group on the wire.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct WireGroup<'a> {
    #[serde(rename = "groupID")]
    group_id: &'a GroupId,
    #[serde(rename = "type")]
    kind: GroupType,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    introduction: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notification: Option<&'a str>,
    /// A Private group may have none.
    #[serde(rename = "ownerID", skip_serializing_if = "Option::is_none")]
    owner_id: Option<&'a UserId>,
    /// Seconds.
    create_time: u64,
    /// When it last changed what it says about itself, in seconds.
    last_info_time: u64,
    /// How often it has done so.
    info_sequence: u64,
    member_count: u64,
    max_member_count: u64,
    join_option: JoinOption,
    /// Every member invites, or the owner and the admins do.
    invite_option: InviteOption,
    /// Only the owner and the admins may speak.
    #[serde(skip_serializing_if = "Option::is_none")]
    mute_all_members: Option<bool>,
    /// The number that the next message gets.
    next_message_seq: Seq,
    /// What the user has of it, if they are in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_info: Option<SelfInfo<'a>>,
}

impl<'a> WireGroup<'a> {
    /// A group whose last message is this one.
    pub fn new(group: &'a Group, last: Seq) -> Self {
        fn set(text: &str) -> Option<&str> {
            Some(text).filter(|text| !text.is_empty())
        }

        let info = &group.info;
        Self {
            group_id: &group.id,
            kind: group.kind,
            name: &info.name,
            avatar: set(&info.avatar),
            introduction: set(&info.introduction),
            notification: set(&info.notification),
            owner_id: group.owner.as_ref(),
            create_time: group.created_at / 1000,
            last_info_time: group.changed_at / 1000,
            info_sequence: group.info_version,
            member_count: group.members,
            max_member_count: info.limit,
            join_option: info.join,
            invite_option: info.invite,
            mute_all_members: info.mutes_all.then_some(true),
            next_message_seq: last.next(),
            self_info: None,
        }
    }

    /// The same with what a member has of it.
    #[must_use]
    pub fn with(self, mine: Option<&'a MyGroup>) -> Self {
        Self { self_info: mine.map(SelfInfo::from), ..self }
    }

    /// How many bytes of a frame it takes.
    pub fn size(&self) -> usize {
        to_text(self).len()
    }
}

/// What a member has of a group.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct SelfInfo<'a> {
    role: Role,
    /// Seconds.
    join_time: u64,
    /// By which name they go in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    name_card: Option<&'a str>,
    message_remind_type: RemindType,
}

impl<'a> From<&'a MyGroup> for SelfInfo<'a> {
    fn from(mine: &'a MyGroup) -> Self {
        Self {
            role: mine.role,
            join_time: mine.joined_at,
            name_card: Some(mine.card.as_str()).filter(|card| !card.is_empty()),
            message_remind_type: mine.remind,
        }
    }
}

/// A member of a group on the wire.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct WireMember<'a> {
    #[serde(rename = "userID")]
    user_id: &'a UserId,
    role: Role,
    /// Seconds.
    join_time: u64,
    /// By which name they go in the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    name_card: Option<&'a str>,
    /// Until which second they may not speak.
    #[serde(skip_serializing_if = "Option::is_none")]
    mute_until: Option<u64>,
}

impl<'a> WireMember<'a> {
    /// A member at that time.
    pub fn new(user_id: &'a UserId, member: &'a Member, now_ms: u64) -> Self {
        Self {
            user_id,
            role: member.role,
            join_time: member.joined_at,
            name_card: Some(member.card.as_str()).filter(|card| !card.is_empty()),
            mute_until: member.is_muted(now_ms).then_some(member.muted_until),
        }
    }
}

/// The reply to what changes a group.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GroupReply<'a> {
    /// The group as it is now.
    pub group: WireGroup<'a>,
}

/// How an attempt to join has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum JoinStatus {
    /// They are in it now.
    JoinedSuccess,
    /// The owner or an admin has to agree.
    WaitAdminApproval,
    /// They were in it.
    AlreadyInGroup,
}

/// The reply to `joinGroup`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct JoinReply<'a> {
    /// How it has ended.
    pub status: JoinStatus,
    /// The group as it is now.
    pub group: WireGroup<'a>,
}

/// The reply to `addGroupMember`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AddedMembers<'a> {
    /// Who has come by it.
    #[serde(rename = "successUserIDList")]
    pub success_user_id_list: Vec<UserId>,
    /// Who was in it.
    #[serde(rename = "existedUserIDList")]
    pub existed_user_id_list: Vec<UserId>,
    /// The group as it is now.
    pub group: WireGroup<'a>,
}

/// The reply to `deleteGroupMember`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RemovedMembers<'a> {
    /// Who has gone by it.
    #[serde(rename = "userIDList")]
    pub user_id_list: Vec<UserId>,
    /// The group as it is now.
    pub group: WireGroup<'a>,
}

/// The reply to `getGroupProfile`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GroupList<'a> {
    /// In the order asked for.
    pub group_list: Vec<WireGroup<'a>>,
    /// Those that are not there, or not for the user to see.
    pub failure_group_list: Vec<FailedGroup>,
}

/// A group for which a part of a request was refused.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FailedGroup {
    #[serde(rename = "groupID")]
    group_id: String,
    code: i32,
    message: String,
}

impl FailedGroup {
    /// Why it was refused.
    pub fn new(group_id: String, error: &Error) -> Self {
        Self { group_id, code: error.code(), message: error.to_string() }
    }
}

/// The reply to `getGroupMemberList`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MemberList<'a> {
    /// By their IDs.
    pub member_list: Vec<WireMember<'a>>,
    /// What to ask for the next page with; empty at the end.
    pub next: String,
}

/// The reply to `getGroupMemberProfile`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MemberProfiles<'a> {
    /// In the order asked for, without those who are not in it.
    pub member_list: Vec<WireMember<'a>>,
}

/// The reply to `setGroupMember`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct MemberReply<'a> {
    /// The member as they are now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<WireMember<'a>>,
    /// What the user has of the group, when that has changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_info: Option<SelfInfo<'a>>,
}

/// Somebody who wants to join a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct WireApplication {
    /// Who.
    pub applicant: UserId,
    /// Which group.
    #[serde(rename = "groupID")]
    pub group_id: GroupId,
    /// What that is called.
    pub group_name: String,
    /// What they say.
    pub apply_message: String,
    /// To be given back with the decision.
    pub authentication: String,
    /// When they have applied, in milliseconds.
    pub message_key: u64,
    /// They want to join themselves: 0.
    pub application_type: u8,
    /// Who.
    #[serde(rename = "userID")]
    pub user_id: UserId,
    /// When they have applied, in seconds.
    pub time: u64,
}

impl WireApplication {
    /// How many bytes of a frame it takes.
    pub fn size(&self) -> usize {
        to_text(self).len()
    }
}

/// The reply to `getGroupApplicationList`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct ApplicationList {
    /// Of groups that the user looks after, by the IDs of those.
    pub application_list: Vec<WireApplication>,
    /// What to ask for those of further groups with, if not all have been looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<GroupId>,
}

/// What single users are told of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// Somebody applies.
    Applies = 1,
    /// An application was accepted.
    Accepted = 2,
    /// It was not.
    Rejected = 3,
    /// The user was put out.
    Kicked = 4,
    /// The group was dismissed.
    Dismissed = 5,
    /// Another device of the user has created it.
    Created = 6,
    /// The user was added, or has joined on another device.
    Added = 7,
    /// The user has quit on another device.
    Quit = 8,
    /// The user is an admin.
    Appointed = 9,
    /// They are no more.
    Demoted = 10,
    /// Another device has changed what the user wants to hear.
    Remind = 20,
    /// A business server says something.
    Custom = 255,
}

/// A notice on the wire.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct WireNotice<'a> {
    operation_type: u8,
    #[serde(rename = "groupID")]
    group_id: &'a GroupId,
    group_name: &'a str,
    #[serde(rename = "type")]
    kind: GroupType,
    #[serde(rename = "operatorID")]
    operator_id: &'a UserId,
    /// Seconds.
    time: u64,
    /// What was said with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle_message: Option<&'a str>,
    /// Of an application: to be given back with the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication: Option<&'a str>,
    /// Of an application: when it was made, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_key: Option<u64>,
    /// What the user wants to hear now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_remind_type: Option<RemindType>,
    /// What the business server says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_defined_field: Option<&'a str>,
}

impl<'a> WireNotice<'a> {
    /// A notice of a group, by whom, at a time in milliseconds.
    pub fn new(kind: NoticeKind, group: &'a Group, operator_id: &'a UserId, now_ms: u64) -> Self {
        Self {
            operation_type: kind as u8,
            group_id: &group.id,
            group_name: &group.info.name,
            kind: group.kind,
            operator_id,
            time: now_ms / 1000,
            handle_message: None,
            authentication: None,
            message_key: None,
            message_remind_type: None,
            user_defined_field: None,
        }
    }

    /// The same with what was said, if anything was.
    #[must_use]
    pub fn saying(self, words: &'a str) -> Self {
        Self { handle_message: Some(words).filter(|words| !words.is_empty()), ..self }
    }
}

/// A message that concerns the user by name, in the list.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GroupAtInfo {
    from: String,
    message_sequence: Seq,
    /// 1: the user, 2: all, 3: both.
    at_type_array: [u8; 1],
}

impl From<Mention> for GroupAtInfo {
    fn from(mention: Mention) -> Self {
        let kind = u8::from(mention.me) | u8::from(mention.all) << 1;
        let from = mention.from.map(|from| from.to_string()).unwrap_or_default();
        Self { from, message_sequence: mention.seq, at_type_array: [kind] }
    }
}
