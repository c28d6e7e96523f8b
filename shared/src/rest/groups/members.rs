//! Who is in a group: who comes, who goes, what they are, and who may not speak.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    super::{Error, Number, Result, Said, accounts::count, messages::is},
    fields::{MAX_GROUP_USERS, OwnFields, role, users, without},
};
use crate::{
    model::{GroupId, RemindType, Role, Roster, UserId},
    protocol::{name_card, words},
};

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
    shut_up_until: Said<Number<u32>>,
    shut_up_time: Said<Number<u32>>,
    mute_time: Said<Number<u32>>,
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
        let mute = self.shut_up_until.or(self.shut_up_time).or(self.mute_time);
        let wish = MemberWish {
            role: role(self.role)?,
            remind: self.msg_flag.0,
            card: self.name_card.map(|name| name_card("NameCard", name)).transpose()?,
            mute_seconds: mute.0.map(|Number(seconds)| seconds.into()),
        };
        Ok((GroupId::parse(&self.group_id)?, UserId::parse("Member_Account", &self.member_account)?, wish))
    }
}

/// `forbid_send_msg`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ForbidSendMsg {
    group_id: String,
    #[serde(rename = "Members_Account")]
    members: Vec<String>,
    shut_up_time: Said<Number<u32>>,
    mute_time: Said<Number<u32>>,
}

impl ForbidSendMsg {
    /// The group, who may not speak, and for how many seconds.
    ///
    /// # Errors
    /// What is wrong with which member.
    pub fn parse(self) -> Result<(GroupId, Vec<UserId>, u64)> {
        let users = users("Members_Account", &self.members, MAX_GROUP_USERS)?;
        let Said(Some(Number(seconds))) = self.shut_up_time.or(self.mute_time) else {
            let text = "`ShutUpTime` is missing: say for how many seconds, 0 lets them speak again";
            return Err(Error::Parameter(text.to_owned()));
        };
        Ok((GroupId::parse(&self.group_id)?, users, seconds.into()))
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

/// The answer to `get_online_member_num`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OnlineMembers {
    /// How many.
    pub online_member_num: usize,
}
