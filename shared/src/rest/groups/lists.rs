//! The groups of a user, and all that there are.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    super::{Number, Result, Said},
    fields::group_type,
    info::{ResponseFilter, base_info, only, part, with},
};
use crate::model::{Group, GroupId, GroupType, MyGroup, Seq, UserId};

/// How many groups one answer to `get_appid_group_list` is to have: then no further part of the table is begun with.
pub const MAX_LISTED: usize = 500;

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
