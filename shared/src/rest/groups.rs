//! `group_open_http_svc`: groups, and who is in them.

use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::{Map, Value, json};

use super::{Error, Number, Result, Said, accounts::count, messages::is};
use crate::{
    model::{
        Group, GroupId, GroupType, InfoChange, MAX_MEMBERS, Member, MyGroup, ReadMarker, RemindType, Role,
        Roster, Seq, UserId,
    },
    protocol::{GroupFields, NewGroup, name_card, words},
};

/// How many groups one command may name.
pub const MAX_GROUPS_NAMED: usize = 50;

/// How many members a group may have from its beginning.
pub const MAX_FIRST_MEMBERS: usize = 100;

/// How many users one command about a group may name.
pub const MAX_GROUP_USERS: usize = 500;

/// How many groups one answer to `get_appid_group_list` is to have: then no further part of the table is begun with.
pub const MAX_LISTED: usize = 500;

/// What an app has defined itself, of a group or of a member: there is none of it here.
type OwnFields = Said<Vec<IgnoredAny>>;

fn without(own: &OwnFields, member: &str) -> Result<()> {
    if own.0.is_some() {
        return Err(Error::Parameter(format!(
            "there is no `{member}`: groups have no fields of your own, so keep them beside the GroupId"
        )));
    }
    Ok(())
}

/// What is more than a group may have is as much as it may have: libraries have other numbers by default.
fn limit(Said(members): Said<Number<u64>>) -> Option<u64> {
    members
        .map(|Number(members)| members)
        .filter(|members| *members > 0)
        .map(|members| members.min(MAX_MEMBERS))
}

/// Tencent's word for it, where it is another one.
fn invite_option(Said(text): Said<String>) -> Option<String> {
    text.map(|text| if text == "DisableApply" { "DisableInvite".to_owned() } else { text })
}

fn is_on(Said(text): Said<String>) -> Result<Option<bool>> {
    match text.as_deref() {
        None => Ok(None),
        Some("On") => Ok(Some(true)),
        Some("Off") => Ok(Some(false)),
        Some(_) => Err(Error::Parameter("`ShutUpAllMember` must be On or Off".to_owned())),
    }
}

fn users(member: &'static str, names: &[String], at_most: usize) -> Result<Vec<UserId>> {
    count(&format!("`{member}`"), names.len(), at_most)?;
    let mut users: Vec<UserId> = Vec::new();
    for name in names {
        let user = UserId::parse(member, name)?;
        if !users.contains(&user) {
            users.push(user);
        }
    }
    Ok(users)
}

/// `create_group`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateGroup {
    #[serde(rename = "Owner_Account")]
    owner_account: Said<String>,
    #[serde(rename = "Type")]
    kind: String,
    name: String,
    group_id: Said<String>,
    introduction: Said<String>,
    notification: Said<String>,
    face_url: Said<String>,
    #[serde(alias = "MaxMemberNum")]
    max_member_count: Said<Number<u64>>,
    apply_join_option: Said<String>,
    invite_join_option: Said<String>,
    app_defined_data: OwnFields,
    member_list: Said<Vec<FirstMember>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FirstMember {
    #[serde(rename = "Member_Account")]
    member_account: String,
    role: Said<String>,
    app_member_defined_data: OwnFields,
}

fn role(Said(text): Said<String>) -> Result<Option<Role>> {
    match text.as_deref() {
        None => Ok(None),
        Some("Admin") => Ok(Some(Role::Admin)),
        Some("Member") => Ok(Some(Role::Member)),
        Some(_) => Err(Error::Parameter(
            "`Role` must be Admin or Member: change_group_owner makes an owner".to_owned(),
        )),
    }
}

impl CreateGroup {
    /// The group that is wanted, under an ID that is drawn if none is given.
    ///
    /// # Errors
    /// What is wrong with which member.
    pub fn parse(self, draw: impl FnOnce() -> GroupId) -> Result<NewGroup> {
        without(&self.app_defined_data, "AppDefinedData")?;
        let id = self.group_id.0.map_or_else(|| Ok(draw()), |text| GroupId::parse(&text))?;
        let owner = self.owner_account.0.map(|name| UserId::parse("Owner_Account", &name)).transpose()?;
        let members = self.member_list.0.unwrap_or_default();
        if members.len() > MAX_FIRST_MEMBERS {
            return Err(Error::Parameter(format!(
                "`MemberList` may name {MAX_FIRST_MEMBERS}: bring the others with add_group_member"
            )));
        }
        let members = members.into_iter().map(|member| {
            without(&member.app_member_defined_data, "AppMemberDefinedData")?;
            let user = UserId::parse("Member_Account", &member.member_account)?;
            Ok((user, role(member.role)?.unwrap_or_default()))
        });
        let fields = GroupFields {
            name: Some(self.name),
            avatar: self.face_url.0,
            introduction: self.introduction.0,
            notification: self.notification.0,
            join_option: self.apply_join_option.0,
            invite_option: invite_option(self.invite_join_option),
            max_member_num: limit(self.max_member_count),
            mute_all_members: None,
        };
        let members = members.collect::<Result<_>>()?;
        Ok(NewGroup::new(id, group_type(&self.kind)?, fields, owner, members)?)
    }
}

/// The answer to it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreatedGroup {
    /// Which.
    pub group_id: GroupId,
}

/// A command that names a group and nothing else.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OneGroup {
    group_id: String,
}

impl OneGroup {
    /// The group.
    ///
    /// # Errors
    /// What can be none.
    pub fn parse(self) -> Result<GroupId> {
        Ok(GroupId::parse(&self.group_id)?)
    }
}

/// `modify_group_base_info`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ModifyGroup {
    group_id: String,
    name: Said<String>,
    // An empty text is one: a group may say nothing of itself any more.
    introduction: Option<String>,
    notification: Option<String>,
    face_url: Option<String>,
    #[serde(alias = "MaxMemberCount")]
    max_member_num: Said<Number<u64>>,
    apply_join_option: Said<String>,
    invite_join_option: Said<String>,
    #[serde(alias = "MuteAllMember")]
    shut_up_all_member: Said<String>,
    app_defined_data: OwnFields,
}

impl ModifyGroup {
    /// The group, and what is to change.
    ///
    /// # Errors
    /// What is wrong with which member.
    pub fn parse(self) -> Result<(GroupId, InfoChange)> {
        without(&self.app_defined_data, "AppDefinedData")?;
        let fields = GroupFields {
            name: self.name.0,
            avatar: self.face_url,
            introduction: self.introduction,
            notification: self.notification,
            join_option: self.apply_join_option.0,
            invite_option: invite_option(self.invite_join_option),
            max_member_num: limit(self.max_member_num),
            mute_all_members: is_on(self.shut_up_all_member)?,
        };
        Ok((GroupId::parse(&self.group_id)?, fields.parse()?))
    }
}

/// `add_group_member`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AddMembers {
    group_id: String,
    silence: Said<Number<u32>>,
    member_list: Vec<AddedMember>,
}

#[derive(Debug, Deserialize)]
struct AddedMember {
    #[serde(rename = "Member_Account")]
    member_account: String,
}

impl AddMembers {
    /// The group, the names of who is to come, and whether nobody is told.
    ///
    /// # Errors
    /// What is wrong with which member.
    pub fn parse(self) -> Result<(GroupId, Vec<String>, bool)> {
        count("`MemberList`", self.member_list.len(), MAX_GROUP_USERS)?;
        let mut names: Vec<String> = Vec::new();
        for AddedMember { member_account } in self.member_list {
            if !names.contains(&member_account) {
                names.push(member_account);
            }
        }
        Ok((GroupId::parse(&self.group_id)?, names, is(self.silence)))
    }
}

/// What has become of somebody who was to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coming {
    /// They are not in it.
    Failed = 0,
    /// They are in it now.
    Came = 1,
    /// They were in it.
    WasThere = 2,
}

/// The answer to `add_group_member`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AddedMembers {
    /// What has become of whom.
    pub member_list: Vec<Outcome>,
}

/// What has become of one user.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Outcome {
    #[serde(rename = "Member_Account")]
    member_account: String,
    result: u8,
}

impl Outcome {
    /// That of a user of this name.
    pub fn new(member_account: String, coming: Coming) -> Self {
        Self { member_account, result: coming as u8 }
    }
}

/// `delete_group_member`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteMembers {
    group_id: String,
    silence: Said<Number<u32>>,
    reason: Said<String>,
    #[serde(rename = "MemberToDel_Account")]
    members: Vec<String>,
}

impl DeleteMembers {
    /// The group, who is to go, why, and whether nobody else is told.
    ///
    /// # Errors
    /// What is wrong with which member.
    pub fn parse(self) -> Result<(GroupId, Vec<UserId>, String, bool)> {
        let users = users("MemberToDel_Account", &self.members, MAX_GROUP_USERS)?;
        let reason = words("Reason", self.reason.0)?;
        Ok((GroupId::parse(&self.group_id)?, users, reason, is(self.silence)))
    }
}

/// `modify_group_member_info`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ModifyMember {
    group_id: String,
    #[serde(rename = "Member_Account")]
    member_account: String,
    role: Said<String>,
    msg_flag: Said<RemindType>,
    // An empty text is one: they may go by no name any more.
    name_card: Option<String>,
    /// For how many seconds, whatever it is called.
    #[serde(alias = "ShutUpTime", alias = "MuteTime")]
    shut_up_until: Said<Number<u32>>,
    app_member_defined_data: OwnFields,
}

/// What is to become of a member. What is not said stays as it is.
#[derive(Debug, PartialEq, Eq)]
pub struct MemberWish {
    /// What they are.
    pub role: Option<Role>,
    /// What they want to hear.
    pub remind: Option<RemindType>,
    /// By which name they go.
    pub card: Option<String>,
    /// For how many seconds they may not speak.
    pub mute_seconds: Option<u64>,
}

impl ModifyMember {
    /// The group, the member, and what is to become of them.
    ///
    /// # Errors
    /// What is wrong with which member.
    pub fn parse(self) -> Result<(GroupId, UserId, MemberWish)> {
        without(&self.app_member_defined_data, "AppMemberDefinedData")?;
        let wish = MemberWish {
            role: role(self.role)?,
            remind: self.msg_flag.0,
            card: self.name_card.map(|name| name_card("NameCard", name)).transpose()?,
            mute_seconds: self.shut_up_until.0.map(|Number(seconds)| seconds.into()),
        };
        Ok((GroupId::parse(&self.group_id)?, UserId::parse("Member_Account", &self.member_account)?, wish))
    }
}

/// `change_group_owner`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ChangeOwner {
    group_id: String,
    #[serde(rename = "NewOwner_Account")]
    new_owner: String,
}

impl ChangeOwner {
    /// The group, and whose it is to be.
    ///
    /// # Errors
    /// What is wrong with which member.
    pub fn parse(self) -> Result<(GroupId, UserId)> {
        Ok((GroupId::parse(&self.group_id)?, UserId::parse("NewOwner_Account", &self.new_owner)?))
    }
}

/// `forbid_send_msg`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ForbidSendMsg {
    group_id: String,
    #[serde(rename = "Members_Account")]
    members: Vec<String>,
    #[serde(alias = "MuteTime")]
    shut_up_time: Number<u32>,
}

impl ForbidSendMsg {
    /// The group, who may not speak, and for how many seconds.
    ///
    /// # Errors
    /// What is wrong with which member.
    pub fn parse(self) -> Result<(GroupId, Vec<UserId>, u64)> {
        let users = users("Members_Account", &self.members, MAX_GROUP_USERS)?;
        Ok((GroupId::parse(&self.group_id)?, users, self.shut_up_time.0.into()))
    }
}

/// The answer to `get_group_muted_account`, under its two names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MutedMembers {
    group_id: GroupId,
    muted_account_list: Vec<Value>,
    shutted_uin_list: Vec<Value>,
}

impl MutedMembers {
    /// Who may not speak at that time.
    pub fn of(roster: &Roster, now_ms: u64) -> Self {
        let list = |name: &str| {
            let muted = roster.members.iter().filter(|(_, member)| member.is_muted(now_ms));
            muted.map(|(user, member)| json!({ "Member_Account": user, name: member.muted_until })).collect()
        };
        Self {
            group_id: roster.group.clone(),
            muted_account_list: list("MutedUntil"),
            shutted_uin_list: list("ShuttedUntil"),
        }
    }
}

/// `get_role_in_group`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetRoles {
    group_id: String,
    #[serde(rename = "User_Account")]
    users: Vec<String>,
}

impl GetRoles {
    /// The group, and who is asked about.
    ///
    /// # Errors
    /// What is wrong with which member.
    pub fn parse(self) -> Result<(GroupId, Vec<String>)> {
        count("`User_Account`", self.users.len(), MAX_GROUP_USERS)?;
        Ok((GroupId::parse(&self.group_id)?, self.users))
    }
}

/// The answer to it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Roles {
    user_id_list: Vec<Value>,
}

impl Roles {
    /// What these are in a group.
    pub fn of(roster: &Roster, names: &[String]) -> Self {
        let role_of = |name: &String| {
            let role = UserId::parse("User_Account", name).ok().and_then(|user| roster.role(&user));
            json!({ "Member_Account": name, "Role": role.map_or(json!("NotMember"), |role| json!(role)) })
        };
        Self { user_id_list: names.iter().map(role_of).collect() }
    }
}

/// Which members of an answer are wanted.
#[derive(Debug, Default, Deserialize)]
pub struct ResponseFilter {
    #[serde(rename = "GroupBaseInfoFilter")]
    base: Option<Vec<String>>,
    #[serde(rename = "MemberInfoFilter")]
    members: Option<Vec<String>>,
    #[serde(rename = "SelfInfoFilter")]
    own: Option<Vec<String>>,
}

/// An object with the members that are wanted, if anything is said of that.
fn only(object: Value, wanted: Option<&Vec<String>>) -> Value {
    match (object, wanted.filter(|wanted| !wanted.is_empty())) {
        (Value::Object(object), Some(wanted)) => {
            object.into_iter().filter(|(name, _)| wanted.contains(name)).collect::<Map<_, _>>().into()
        }
        (object, _) => object,
    }
}

fn with(mut object: Value, more: &[(&str, Value)]) -> Value {
    if let Value::Object(object) = &mut object {
        object.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    }
    object
}

/// `get_group_info`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetGroups {
    group_id_list: Vec<String>,
    response_filter: Said<ResponseFilter>,
}

impl GetGroups {
    /// The groups in the order asked for, each with what is wrong with its ID, and what is wanted of them.
    ///
    /// # Errors
    /// None or too many.
    #[allow(clippy::type_complexity)]
    pub fn parse(self) -> Result<(Vec<(String, crate::Result<GroupId>)>, WantedOfGroups)> {
        count("`GroupIdList`", self.group_id_list.len(), MAX_GROUPS_NAMED)?;
        let groups = self.group_id_list.into_iter().map(|text| {
            let group = GroupId::parse(&text);
            (text, group)
        });
        let shows_members = self.response_filter.0.as_ref().is_none_or(|filter| filter.members.is_some());
        let wanted = WantedOfGroups { filter: self.response_filter.0.unwrap_or_default(), shows_members };
        Ok((groups.collect(), wanted))
    }
}

/// What is wanted of groups.
#[derive(Debug)]
pub struct WantedOfGroups {
    filter: ResponseFilter,
    /// Their members as well.
    pub shows_members: bool,
}

/// The answer to `get_group_info`.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GroupInfos {
    /// What there is to say of each.
    pub group_info: Vec<Value>,
}

impl WantedOfGroups {
    /// What there is to say of a group whose log ends there.
    pub fn shown(&self, group: &Group, end: &ReadMarker, sdk_app_id: u64, roster: Option<&Roster>) -> Value {
        let info = only(base_info(group, (end.seq, end.time)), self.filter.base.as_ref());
        let info = match roster {
            None => info,
            Some(roster) => {
                let members = roster.members.iter();
                let members =
                    members.map(|(user, member)| member_info(user, member, self.filter.members.as_ref()));
                with(info, &[("MemberList", members.collect())])
            }
        };
        let no_error = [("ErrorCode", json!(0)), ("ErrorInfo", json!(""))];
        let ids = [("GroupId", json!(group.id)), ("Appid", json!(sdk_app_id))];
        with(with(info, &no_error), &ids)
    }

    /// What is answered for one that cannot be shown.
    pub fn refused(text: &str, error: &crate::Error) -> Value {
        json!({ "GroupId": text, "ErrorCode": error.code(), "ErrorInfo": error.to_string() })
    }
}

/// What a group says about itself, whose last message has that number and was sent at that time, in milliseconds.
fn base_info(group: &Group, (last, time): (Seq, u64)) -> Value {
    let info = &group.info;
    json!({
        "Type": group.kind,
        "Name": info.name,
        "Introduction": info.introduction,
        "Notification": info.notification,
        "FaceUrl": info.avatar,
        "Owner_Account": group.owner.as_ref().map_or("", UserId::as_str),
        "CreateTime": group.created_at / 1000,
        "LastInfoTime": group.changed_at / 1000,
        "LastMsgTime": time / 1000,
        "NextMsgSeq": last.next(),
        "MemberNum": group.members,
        "MaxMemberNum": info.limit,
        "ApplyJoinOption": info.join,
        "InviteJoinOption": info.invite,
        "ShutUpAllMember": if info.mutes_all { "On" } else { "Off" },
    })
}

fn member_info(user: &UserId, member: &Member, wanted: Option<&Vec<String>>) -> Value {
    let info = json!({
        "Role": member.role,
        "JoinTime": member.joined_at,
        "NameCard": member.card,
        "ShutUpUntil": member.muted_until,
    });
    with(only(info, wanted), &[("Member_Account", json!(user))])
}

/// `get_group_member_info`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetMembers {
    group_id: String,
    limit: Said<Number<u32>>,
    offset: Said<Number<u32>>,
    member_info_filter: Said<Vec<String>>,
    member_role_filter: Said<Vec<Role>>,
}

impl GetMembers {
    /// The group.
    ///
    /// # Errors
    /// What can be none.
    pub fn group(&self) -> Result<GroupId> {
        Ok(GroupId::parse(&self.group_id)?)
    }

    /// What is wanted of its members.
    pub fn shown(&self, roster: &Roster) -> GroupMembers {
        let roles = self.member_role_filter.0.as_ref();
        let members = roster.members.iter();
        let members = members.filter(|(_, member)| roles.is_none_or(|roles| roles.contains(&member.role)));
        let (from, count) = part(self.offset, self.limit);
        let members = members.skip(from).take(count);
        let shown =
            members.map(|(user, member)| member_info(user, member, self.member_info_filter.0.as_ref()));
        GroupMembers { member_num: roster.members.len(), member_list: shown.collect() }
    }
}

/// From which one on, and how many; none is all.
fn part(offset: Said<Number<u32>>, limit: Said<Number<u32>>) -> (usize, usize) {
    let number = |Said(number): Said<Number<u32>>| number.map_or(0, |Number(number)| number as usize);
    let limit = number(limit);
    (number(offset), if limit == 0 { usize::MAX } else { limit })
}

/// The answer to `get_group_member_info`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GroupMembers {
    member_num: usize,
    member_list: Vec<Value>,
}

/// `get_joined_group_list`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetJoinedGroups {
    #[serde(rename = "Member_Account")]
    member_account: String,
    limit: Said<Number<u32>>,
    offset: Said<Number<u32>>,
    group_type: Said<String>,
    response_filter: Said<ResponseFilter>,
}

/// A group that somebody is in.
#[derive(Debug)]
pub struct JoinedGroup<'a> {
    /// The group.
    pub group: &'a Group,
    /// What they have of it.
    pub mine: &'a MyGroup,
    /// The number of its last message.
    pub last: Seq,
    /// When that was sent, in milliseconds.
    pub last_time: u64,
}

impl GetJoinedGroups {
    /// Whose groups are wanted.
    ///
    /// # Errors
    /// What can be no user.
    pub fn user(&self) -> Result<UserId> {
        Ok(UserId::parse("Member_Account", &self.member_account)?)
    }

    /// What is wanted of them.
    ///
    /// # Errors
    /// A type that there is not.
    pub fn shown<'a>(&self, groups: impl Iterator<Item = JoinedGroup<'a>>) -> Result<JoinedGroups> {
        let kind = self.group_type.0.as_deref().map(group_type).transpose()?;
        let groups: Vec<_> =
            groups.filter(|joined| kind.is_none_or(|kind| kind == joined.group.kind)).collect();
        let nothing = ResponseFilter::default();
        let ResponseFilter { base, own, .. } = self.response_filter.0.as_ref().unwrap_or(&nothing);
        let names_alone = self.response_filter.0.is_none();
        let (from, count) = part(self.offset, self.limit);
        let shown = groups.iter().skip(from).take(count).map(|joined| {
            let id = ("GroupId", json!(joined.group.id));
            if names_alone {
                return with(json!({}), &[id]);
            }
            let info = base.as_ref().map_or(json!({}), |base| {
                only(base_info(joined.group, (joined.last, joined.last_time)), Some(base))
            });
            let mine = json!({
                "Role": joined.mine.role,
                "JoinTime": joined.mine.joined_at,
                "MsgFlag": joined.mine.remind,
                "MsgSeq": joined.mine.state.read.seq,
            });
            let info = with(info, &[id]);
            match own {
                Some(own) => with(info, &[("SelfInfo", only(mine, Some(own)))]),
                None => info,
            }
        });
        Ok(JoinedGroups { total_count: groups.len(), group_id_list: shown.collect() })
    }
}

/// A type by its name on the wire, or by the one that newer libraries have for the same.
fn group_type(text: &str) -> Result<GroupType> {
    match text {
        "Work" => Ok(GroupType::Work),
        "Meeting" => Ok(GroupType::Meeting),
        text => Ok(GroupType::parse(text)?),
    }
}

/// The answer to `get_joined_group_list`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct JoinedGroups {
    total_count: usize,
    group_id_list: Vec<Value>,
}

/// `get_appid_group_list`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetAllGroups {
    limit: Said<Number<u32>>,
    next: Said<Number<u32>>,
    group_type: Said<String>,
}

impl GetAllGroups {
    /// With how many groups there are enough, in which part of the table to begin, and of which type they are to be.
    ///
    /// # Errors
    /// A type that there is not.
    pub fn parse(self) -> Result<(usize, u32, Option<GroupType>)> {
        let limit = self.limit.0.map_or(MAX_LISTED, |Number(limit)| limit as usize);
        let next = self.next.0.map_or(0, |Number(next)| next);
        let kind = self.group_type.0.as_deref().map(group_type).transpose()?;
        Ok((limit.clamp(1, MAX_LISTED), next, kind))
    }
}

/// The answer to it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AllGroups {
    next: u32,
    group_id_list: Vec<Value>,
}

impl AllGroups {
    /// Some groups, and where it goes on, 0 if it does not.
    pub fn new(groups: &[GroupId], next: u32) -> Self {
        Self { next, group_id_list: groups.iter().map(|group| json!({ "GroupId": group })).collect() }
    }
}

/// The answer to `get_online_member_num`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OnlineMembers {
    /// How many.
    pub online_member_num: usize,
}
