//! `create_group`.

use serde::{Deserialize, Serialize};

use super::{
    super::{Error, Number, Result, Said},
    fields::{OwnFields, group_type, invite_option, limit, role, without},
};
use crate::{
    model::{GroupId, UserId},
    protocol::{GroupFields, NewGroup},
};

/// How many members a group may have from its beginning.
pub const MAX_FIRST_MEMBERS: usize = 100;

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
    max_member_count: Said<Number<u64>>,
    max_member_num: Said<Number<u64>>,
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
            max_member_num: limit(self.max_member_count.or(self.max_member_num)),
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
