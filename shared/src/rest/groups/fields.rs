//! What several of these commands have.

use serde::{Deserialize, de::IgnoredAny};

use super::super::{Error, Number, Result, Said, accounts::count};
use crate::model::{GroupId, GroupType, MAX_MEMBERS, Role, UserId};

/// How many users one command about a group may name.
pub const MAX_GROUP_USERS: usize = 500;

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

/// What an app has defined itself, of a group or of a member: there is none of it here.
pub(super) type OwnFields = Said<Vec<IgnoredAny>>;

pub(super) fn without(own: &OwnFields, member: &str) -> Result<()> {
    if own.0.is_some() {
        return Err(Error::Parameter(format!(
            "there is no `{member}`: groups have no fields of your own, so keep them beside the GroupId"
        )));
    }
    Ok(())
}

/// What is more than a group may have is as much as it may have: libraries have other numbers by default.
pub(super) fn limit(Said(members): Said<Number<u64>>) -> Option<u64> {
    members
        .map(|Number(members)| members)
        .filter(|members| *members > 0)
        .map(|members| members.min(MAX_MEMBERS))
}

/// Tencent's word for it, where it is another one.
pub(super) fn invite_option(Said(text): Said<String>) -> Option<String> {
    text.map(|text| if text == "DisableApply" { "DisableInvite".to_owned() } else { text })
}

pub(super) fn is_on(Said(text): Said<String>) -> Result<Option<bool>> {
    match text.as_deref() {
        None => Ok(None),
        Some("On") => Ok(Some(true)),
        Some("Off") => Ok(Some(false)),
        Some(_) => Err(Error::Parameter("`ShutUpAllMember` must be On or Off".to_owned())),
    }
}

pub(super) fn role(Said(text): Said<String>) -> Result<Option<Role>> {
    match text.as_deref() {
        None => Ok(None),
        Some("Admin") => Ok(Some(Role::Admin)),
        Some("Member") => Ok(Some(Role::Member)),
        Some(_) => Err(Error::Parameter(
            "`Role` must be Admin or Member: change_group_owner makes an owner".to_owned(),
        )),
    }
}

/// A type by its name on the wire, or by the one that newer libraries have for the same.
pub(super) fn group_type(text: &str) -> Result<GroupType> {
    match text {
        "Work" => Ok(GroupType::Work),
        "Meeting" => Ok(GroupType::Meeting),
        text => Ok(GroupType::parse(text)?),
    }
}

pub(super) fn users(member: &'static str, names: &[String], at_most: usize) -> Result<Vec<UserId>> {
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
