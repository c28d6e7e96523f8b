//! What a group says about itself, and whose it is.

use serde::Deserialize;

use super::{
    super::{Number, Result, Said},
    fields::{OwnFields, invite_option, is_on, limit, without},
};
use crate::{
    model::{GroupId, InfoChange, UserId},
    protocol::GroupFields,
};

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
    max_member_num: Said<Number<u64>>,
    max_member_count: Said<Number<u64>>,
    apply_join_option: Said<String>,
    invite_join_option: Said<String>,
    shut_up_all_member: Said<String>,
    mute_all_member: Said<String>,
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
            max_member_num: limit(self.max_member_num.or(self.max_member_count)),
            mute_all_members: is_on(self.shut_up_all_member.or(self.mute_all_member))?,
        };
        Ok((GroupId::parse(&self.group_id)?, fields.parse()?))
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
