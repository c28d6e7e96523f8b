//! What is asked of groups.

use std::collections::HashSet;

use serde::Deserialize;

use super::super::{
    MAX_USERS,
    user::{LINE, LINK, TEXT, checked},
};
use crate::{
    Error, Result,
    model::{
        ClientId, ConversationId, GroupId, GroupInfo, GroupType, InfoChange, InviteOption, JoinOption,
        MAX_ADMINS, MAX_MEMBERS, RemindType, Role, Seq, UserId,
    },
};

/// How many members one change of a group may name. It is written in one transaction, at four write units for each, and two more
/// for each who has had no group before.
pub const MAX_MEMBERS_CHANGED: usize = 6;

/// How many groups one request may name.
pub const MAX_GROUPS: usize = 20;

/// How many members' profiles one request may ask for.
pub const MAX_MEMBER_PROFILES: usize = 50;

/// The size of a page of members unless another one is asked for.
const MEMBER_PAGE: usize = 15;

/// The longest reason, application or answer to one, in bytes.
const MAX_WORDS_BYTES: usize = 300;

/// The longest name in a group, in bytes.
const MAX_CARD_BYTES: usize = 50;

/// A change of a group by its name: a tip of it has this name as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeName {
    /// New for every change, the same for every retry.
    pub client_id: ClientId,
    /// The last message of the group that was known when the change was first asked for.
    pub base: Option<Seq>,
}

impl ChangeName {
    fn parse(client_id: &str, base: Option<u64>) -> Result<Self> {
        Ok(Self { client_id: ClientId::parse(client_id)?, base: base.map(Seq) })
    }
}

/// `createGroup`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct CreateGroup {
    #[serde(rename = "groupID")]
    group_id: String,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    avatar: Option<String>,
    introduction: Option<String>,
    notification: Option<String>,
    join_option: Option<String>,
    invite_option: Option<String>,
    max_member_num: Option<u64>,
    member_list: Option<Vec<FirstMember>>,
}

/// Somebody who is in a group from its beginning.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct FirstMember {
    #[serde(rename = "userID")]
    user_id: String,
    role: Option<Role>,
}

/// A group that is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGroup {
    /// Which.
    pub id: GroupId,
    /// What kind.
    pub kind: GroupType,
    /// What it says about itself.
    pub info: GroupInfo,
    /// Whose it is. Only a business server makes one that is nobody's.
    pub owner: Option<UserId>,
    /// Who is in it besides its owner, each once.
    pub members: Vec<(UserId, Role)>,
}

impl NewGroup {
    /// A group of this type that is to be, and says this.
    ///
    /// # Errors
    /// A role that there is not in it, and more members or admins than there may be.
    pub fn new(
        id: GroupId,
        kind: GroupType,
        fields: GroupFields,
        owner: Option<UserId>,
        others: Vec<(UserId, Role)>,
    ) -> Result<Self> {
        let info = GroupInfo::new(kind, String::new()).with(&fields.parse()?, kind);
        let mut seen: HashSet<UserId> = owner.clone().into_iter().collect();
        let mut members = Vec::new();
        for (user, role) in others {
            if role == Role::Owner {
                return Err(Error::BadRequest("`role` of a member must be Admin or Member".to_owned()));
            }
            if role == Role::Admin && kind == GroupType::Work {
                return Err(Error::NoAdminsInWorkGroup);
            }
            if seen.insert(user.clone()) {
                members.push((user, role));
            }
        }
        if seen.len() as u64 > info.limit {
            return Err(Error::GroupFull { at_most: info.limit });
        }
        if members.iter().filter(|(_, role)| *role == Role::Admin).count() > MAX_ADMINS {
            return Err(Error::BadRequest(format!(
                "a group has {MAX_ADMINS} admins at most: give the others the role Member"
            )));
        }
        Ok(Self { id, kind, info, owner, members })
    }
}

impl CreateGroup {
    /// The group that is wanted.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, me: &UserId) -> Result<NewGroup> {
        let kind = GroupType::parse(&self.kind)?;
        let id = GroupId::parse_new(&self.group_id)?;
        let fields = GroupFields {
            name: Some(self.name),
            avatar: self.avatar,
            introduction: self.introduction,
            notification: self.notification,
            join_option: self.join_option,
            invite_option: self.invite_option,
            max_member_num: self.max_member_num,
            mute_all_members: None,
        };
        let members =
            self.member_list.unwrap_or_default().into_iter().map(|FirstMember { user_id, role }| {
                Ok((UserId::parse("memberList", &user_id)?, role.unwrap_or_default()))
            });
        let new = NewGroup::new(id, kind, fields, Some(me.clone()), members.collect::<Result<_>>()?)?;
        at_most("memberList", new.members.len(), MAX_MEMBERS_CHANGED)?;
        Ok(new)
    }
}

/// What a group is to say about itself, as somebody has written it.
#[derive(Debug, Default)]
pub struct GroupFields {
    /// Its name.
    pub name: Option<String>,
    /// The URL of its picture.
    pub avatar: Option<String>,
    /// What it is about.
    pub introduction: Option<String>,
    /// What its members should know.
    pub notification: Option<String>,
    /// How others come into it.
    pub join_option: Option<String>,
    /// Who may bring them.
    pub invite_option: Option<String>,
    /// How many members it may have.
    pub max_member_num: Option<u64>,
    /// Only the owner and the admins may speak.
    pub mute_all_members: Option<bool>,
}

impl GroupFields {
    /// What is to change.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self) -> Result<InfoChange> {
        let name = checked("name", 30, LINE, self.name)?;
        if name.as_deref() == Some("") {
            return Err(Error::BadRequest("`name` must not be empty".to_owned()));
        }
        Ok(InfoChange {
            name,
            avatar: checked("avatar", 100, LINK, self.avatar)?,
            introduction: checked("introduction", 240, TEXT, self.introduction)?,
            notification: checked("notification", 300, TEXT, self.notification)?,
            join: join_option(self.join_option.as_deref())?,
            invite: invite_option(self.invite_option.as_deref())?,
            limit: limit(self.max_member_num)?,
            mutes_all: self.mute_all_members,
        })
    }
}

fn join_option(text: Option<&str>) -> Result<Option<JoinOption>> {
    match text {
        None => Ok(None),
        Some("FreeAccess") => Ok(Some(JoinOption::FreeAccess)),
        Some("NeedPermission") => Ok(Some(JoinOption::NeedPermission)),
        Some("DisableApply") => Ok(Some(JoinOption::DisableApply)),
        Some(_) => Err(Error::BadRequest(
            "`joinOption` must be FreeAccess, NeedPermission or DisableApply".to_owned(),
        )),
    }
}

fn invite_option(text: Option<&str>) -> Result<Option<InviteOption>> {
    match text {
        None => Ok(None),
        Some("FreeAccess") => Ok(Some(InviteOption::FreeAccess)),
        Some("DisableInvite") => Ok(Some(InviteOption::DisableInvite)),
        Some(_) => Err(Error::BadRequest(
            "`inviteOption` must be FreeAccess (every member invites) or DisableInvite (owner and admins do)"
                .to_owned(),
        )),
    }
}

fn limit(members: Option<u64>) -> Result<Option<u64>> {
    match members {
        Some(members) if !(2..=MAX_MEMBERS).contains(&members) => {
            Err(Error::BadRequest(format!("`maxMemberNum` must be a number from 2 to {MAX_MEMBERS}")))
        }
        members => Ok(members),
    }
}

fn at_most(field: &str, length: usize, at_most: usize) -> Result<()> {
    if length > at_most {
        return Err(Error::BadRequest(format!("`{field}` may name {at_most}: split a longer list")));
    }
    Ok(())
}

/// `dismissGroup`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DismissGroup {
    #[serde(rename = "groupID")]
    group_id: String,
}

impl DismissGroup {
    /// The group.
    ///
    /// # Errors
    /// [`Error::InvalidGroupId`].
    pub fn parse(self) -> Result<GroupId> {
        GroupId::parse(&self.group_id)
    }
}

/// `joinGroup`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct JoinGroup {
    #[serde(rename = "groupID")]
    group_id: String,
    apply_message: Option<String>,
    #[serde(rename = "clientID")]
    client_id: String,
    #[cfg_attr(test, ts(optional, type = "number"))]
    base: Option<u64>,
}

impl JoinGroup {
    /// The group, the change, and what an application would say.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self) -> Result<(GroupId, ChangeName, String)> {
        let words = words("applyMessage", self.apply_message)?;
        Ok((GroupId::parse(&self.group_id)?, ChangeName::parse(&self.client_id, self.base)?, words))
    }
}

/// What somebody says with a change.
///
/// # Errors
/// A text that is too long, or none that can be shown.
pub(crate) fn words(field: &str, text: Option<String>) -> Result<String> {
    Ok(checked(field, MAX_WORDS_BYTES, TEXT, text)?.unwrap_or_default())
}

/// By which name somebody is to go in a group.
pub(crate) fn name_card(field: &str, text: String) -> Result<String> {
    Ok(checked(field, MAX_CARD_BYTES, LINE, Some(text))?.unwrap_or_default())
}

/// `quitGroup`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct QuitGroup {
    #[serde(rename = "groupID")]
    group_id: String,
    #[serde(rename = "clientID")]
    client_id: String,
    #[cfg_attr(test, ts(optional, type = "number"))]
    base: Option<u64>,
}

impl QuitGroup {
    /// The group, and the change.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self) -> Result<(GroupId, ChangeName)> {
        Ok((GroupId::parse(&self.group_id)?, ChangeName::parse(&self.client_id, self.base)?))
    }
}

/// `addGroupMember` and `deleteGroupMember`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct ChangeGroupMembers {
    #[serde(rename = "groupID")]
    group_id: String,
    /// 1 to 6 users.
    #[serde(rename = "userIDList")]
    user_id_list: Vec<String>,
    /// Why, when they are put out.
    reason: Option<String>,
    #[serde(rename = "clientID")]
    client_id: String,
    #[cfg_attr(test, ts(optional, type = "number"))]
    base: Option<u64>,
}

impl ChangeGroupMembers {
    /// The group, the change, the users, each once, and why.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self) -> Result<(GroupId, ChangeName, Vec<UserId>, String)> {
        let users = users(&self.user_id_list, MAX_MEMBERS_CHANGED)?;
        let reason = words("reason", self.reason)?;
        Ok((GroupId::parse(&self.group_id)?, ChangeName::parse(&self.client_id, self.base)?, users, reason))
    }
}

fn users(texts: &[String], at_most: usize) -> Result<Vec<UserId>> {
    if !(1..=at_most).contains(&texts.len()) {
        return Err(Error::BadRequest(format!(
            "`userIDList` must name 1 to {at_most} users: split a longer list"
        )));
    }
    let mut users: Vec<UserId> = Vec::new();
    for text in texts {
        let user = UserId::parse("userIDList", text)?;
        if !users.contains(&user) {
            users.push(user);
        }
    }
    Ok(users)
}

/// `getGroupProfile`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GetGroupProfile {
    /// 1 to 20 groups.
    #[serde(rename = "groupIDList")]
    group_id_list: Vec<String>,
}

impl GetGroupProfile {
    /// The groups in the order asked for, each once, with what is wrong with their IDs.
    ///
    /// # Errors
    /// Too many of them.
    pub fn parse(self) -> Result<Vec<(String, Result<GroupId>)>> {
        if !(1..=MAX_GROUPS).contains(&self.group_id_list.len()) {
            return Err(Error::BadRequest(format!(
                "`groupIDList` must name 1 to {MAX_GROUPS} groups: split a longer list"
            )));
        }
        let mut seen = HashSet::new();
        let once = self.group_id_list.into_iter().filter(|text| seen.insert(text.clone()));
        Ok(once
            .map(|text| {
                let group = GroupId::parse(&text);
                (text, group)
            })
            .collect())
    }
}

/// `updateGroupProfile`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct UpdateGroupProfile {
    #[serde(rename = "groupID")]
    group_id: String,
    name: Option<String>,
    avatar: Option<String>,
    introduction: Option<String>,
    notification: Option<String>,
    join_option: Option<String>,
    invite_option: Option<String>,
    mute_all_members: Option<bool>,
    max_member_num: Option<u64>,
    #[serde(rename = "clientID")]
    client_id: String,
    #[cfg_attr(test, ts(optional, type = "number"))]
    base: Option<u64>,
}

impl UpdateGroupProfile {
    /// The group, the change by its name, and what it is.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self) -> Result<(GroupId, ChangeName, InfoChange)> {
        let fields = GroupFields {
            name: self.name,
            avatar: self.avatar,
            introduction: self.introduction,
            notification: self.notification,
            join_option: self.join_option,
            invite_option: self.invite_option,
            max_member_num: self.max_member_num,
            mute_all_members: self.mute_all_members,
        };
        let change = fields.parse()?;
        if change == InfoChange::default() {
            return Err(Error::BadRequest(
                "there is nothing to change: give at least one field of the group".to_owned(),
            ));
        }
        Ok((GroupId::parse(&self.group_id)?, ChangeName::parse(&self.client_id, self.base)?, change))
    }
}

/// `getGroupMemberList`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct GetGroupMemberList {
    #[serde(rename = "groupID")]
    group_id: String,
    /// How many members the page may have: 15 unless it is a number from 1 to 100.
    count: Option<i64>,
    /// Where the previous page ended, if that was not the end.
    next: Option<String>,
    /// Only those who are this.
    role: Option<Role>,
}

/// Which members are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberPage {
    /// Of which group.
    pub group: GroupId,
    /// Behind this one, by their IDs.
    pub after: Option<UserId>,
    /// How many.
    pub count: usize,
    /// Of this role alone.
    pub role: Option<Role>,
}

impl GetGroupMemberList {
    /// The page that is wanted.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self) -> Result<MemberPage> {
        let count = self.count.and_then(|count| usize::try_from(count).ok());
        let after = match self.next.as_deref() {
            None | Some("") => None,
            Some(next) => Some(UserId::parse("next", next)?),
        };
        Ok(MemberPage {
            group: GroupId::parse(&self.group_id)?,
            after,
            count: count.filter(|count| (1..=MAX_USERS).contains(count)).unwrap_or(MEMBER_PAGE),
            role: self.role,
        })
    }
}

/// `getGroupApplicationList`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct GetGroupApplicationList {
    /// Where the previous reply ended, if that was not the end.
    next: Option<String>,
}

impl GetGroupApplicationList {
    /// The group behind which to go on, if there was one.
    ///
    /// # Errors
    /// [`Error::InvalidGroupId`].
    pub fn parse(self) -> Result<Option<GroupId>> {
        match self.next.as_deref() {
            None | Some("") => Ok(None),
            Some(next) => GroupId::parse(next).map(Some),
        }
    }
}

/// `getGroupMemberProfile`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GetGroupMemberProfile {
    #[serde(rename = "groupID")]
    group_id: String,
    /// 1 to 50 users.
    #[serde(rename = "userIDList")]
    user_id_list: Vec<String>,
}

impl GetGroupMemberProfile {
    /// The group, and the users, each once.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self) -> Result<(GroupId, Vec<UserId>)> {
        Ok((GroupId::parse(&self.group_id)?, users(&self.user_id_list, MAX_MEMBER_PROFILES)?))
    }
}

/// `setGroupMember`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct SetGroupMember {
    #[serde(rename = "groupID")]
    group_id: String,
    /// Whom it concerns: the user themselves unless it says otherwise.
    #[serde(rename = "userID")]
    user_id: Option<String>,
    /// What they are to be, if that is to change: Admin or Member.
    role: Option<Role>,
    /// For how many seconds they may not speak from now on, if that is to change; 0 lets them.
    mute_time: Option<u64>,
    /// By which name they go in the group, if that is to change.
    name_card: Option<String>,
    /// What the user themselves wants to hear of the group, if that is to change.
    message_remind_type: Option<RemindType>,
    /// For a role or a mute, of which there is a tip.
    #[serde(rename = "clientID")]
    client_id: Option<String>,
    #[cfg_attr(test, ts(optional, type = "number"))]
    base: Option<u64>,
}

/// What is to become of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberChange {
    /// They are this then.
    Role(ChangeName, Role),
    /// They may not speak for so many seconds.
    Mute(ChangeName, u64),
    /// They go by this name.
    Card(String),
    /// They want to hear this.
    Remind(RemindType),
}

impl SetGroupMember {
    /// The group, the member, and what is to become of them.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, me: &UserId) -> Result<(GroupId, UserId, MemberChange)> {
        let group = GroupId::parse(&self.group_id)?;
        let user = match &self.user_id {
            None => me.clone(),
            Some(user) => UserId::parse("userID", user)?,
        };
        let named = || ChangeName::parse(&self.client_id.clone().unwrap_or_default(), self.base);
        let card = self.name_card.map(|card| name_card("nameCard", card)).transpose()?;
        let change = match (self.role, self.mute_time, card, self.message_remind_type) {
            (Some(Role::Owner), None, None, None) => {
                return Err(Error::BadRequest(
                    "`role` must be Admin or Member: changeGroupOwner makes an owner".to_owned(),
                ));
            }
            (Some(role), None, None, None) => MemberChange::Role(named()?, role),
            (None, Some(seconds), None, None) => {
                MemberChange::Mute(named()?, seconds.min(u64::from(u32::MAX)))
            }
            (None, None, Some(card), None) => MemberChange::Card(card),
            (None, None, None, Some(_)) if user != *me => {
                return Err(Error::BadRequest("`messageRemindType` is each member's own".to_owned()));
            }
            (None, None, None, Some(remind)) => MemberChange::Remind(remind),
            _ => {
                return Err(Error::BadRequest(
                    "give one of `role`, `muteTime`, `nameCard` and `messageRemindType`".to_owned(),
                ));
            }
        };
        Ok((group, user, change))
    }
}

/// `changeGroupOwner`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChangeGroupOwner {
    #[serde(rename = "groupID")]
    group_id: String,
    #[serde(rename = "newOwnerID")]
    new_owner_id: String,
    #[serde(rename = "clientID")]
    client_id: String,
    #[cfg_attr(test, ts(optional, type = "number"))]
    base: Option<u64>,
}

impl ChangeGroupOwner {
    /// The group, the change, and whose it is to be.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self) -> Result<(GroupId, ChangeName, UserId)> {
        let owner = UserId::parse("newOwnerID", &self.new_owner_id)?;
        Ok((GroupId::parse(&self.group_id)?, ChangeName::parse(&self.client_id, self.base)?, owner))
    }
}

/// `handleGroupApplication`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct HandleGroupApplication {
    #[serde(rename = "groupID")]
    group_id: String,
    /// Who has applied.
    #[serde(rename = "userID")]
    user_id: String,
    /// As the notice or the list of applications says.
    authentication: String,
    #[cfg_attr(test, ts(type = "\"Agree\" | \"Reject\""))]
    handle_action: String,
    handle_message: Option<String>,
    #[serde(rename = "clientID")]
    client_id: String,
    #[cfg_attr(test, ts(optional, type = "number"))]
    base: Option<u64>,
}

/// What is decided of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// To which group.
    pub group: GroupId,
    /// Whose.
    pub applicant: UserId,
    /// Which of theirs.
    pub authentication: String,
    /// Whether they may come.
    pub agrees: bool,
    /// What they are told.
    pub words: String,
    /// The change, if they may.
    pub name: ChangeName,
}

impl HandleGroupApplication {
    /// What is decided.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self) -> Result<Decision> {
        let agrees = match self.handle_action.as_str() {
            "Agree" => true,
            "Reject" => false,
            _ => return Err(Error::BadRequest("`handleAction` must be Agree or Reject".to_owned())),
        };
        Ok(Decision {
            group: GroupId::parse(&self.group_id)?,
            applicant: UserId::parse("userID", &self.user_id)?,
            authentication: self.authentication,
            agrees,
            words: words("handleMessage", self.handle_message)?,
            name: ChangeName::parse(&self.client_id, self.base)?,
        })
    }
}

/// The groups among the conversations of these names, each once, and the users of the others.
pub(in crate::protocol) fn apart(names: Vec<ConversationId>) -> (Vec<UserId>, Vec<GroupId>) {
    let (mut users, mut groups) = (Vec::new(), Vec::new());
    for name in names {
        match name {
            ConversationId::C2c(pair) if !users.contains(pair.peer()) => users.push(pair.peer().clone()),
            ConversationId::Group(group) if !groups.contains(&group) => groups.push(group),
            _ => {}
        }
    }
    (users, groups)
}
