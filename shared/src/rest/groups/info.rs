//! What groups are like, and their members: as much of it as is wanted.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::{Number, Result, Said, accounts::count};
use crate::model::{Group, GroupId, Member, ReadMarker, Role, Roster, Seq, UserId};

/// How many groups one command may name.
pub const MAX_GROUPS_NAMED: usize = 50;

/// Which members of an answer are wanted.
#[derive(Debug, Default, Deserialize)]
pub struct ResponseFilter {
    #[serde(rename = "GroupBaseInfoFilter")]
    pub(super) base: Option<Vec<String>>,
    #[serde(rename = "MemberInfoFilter")]
    members: Option<Vec<String>>,
    #[serde(rename = "SelfInfoFilter")]
    pub(super) own: Option<Vec<String>>,
}

/// An object with the members that are wanted, if anything is said of that.
pub(super) fn only(object: Value, wanted: Option<&Vec<String>>) -> Value {
    match (object, wanted.filter(|wanted| !wanted.is_empty())) {
        (Value::Object(object), Some(wanted)) => {
            object.into_iter().filter(|(name, _)| wanted.contains(name)).collect::<Map<_, _>>().into()
        }
        (object, _) => object,
    }
}

pub(super) fn with(mut object: Value, more: &[(&str, Value)]) -> Value {
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
pub(super) fn base_info(group: &Group, (last, time): (Seq, u64)) -> Value {
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
pub(super) fn part(offset: Said<Number<u32>>, limit: Said<Number<u32>>) -> (usize, usize) {
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
