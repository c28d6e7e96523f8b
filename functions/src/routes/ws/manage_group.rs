//! What is done with groups now and then: who is in them, who may do what, what they say about themselves. The routes share a
//! function, so that none of them is cold for itself alone.

use hongyan_shared::{
    Error, Result,
    protocol::{
        AddedMembers, ApplicationList, ChangeGroupMembers, ChangeGroupOwner, CreateGroup, DismissGroup,
        FailedGroup, GetGroupApplicationList, GetGroupMemberList, GetGroupMemberProfile, GetGroupProfile,
        GroupList, GroupReply, HandleGroupApplication, JoinGroup, JoinReply, MemberList, MemberProfiles,
        MemberReply, NoData, QuitGroup, RemovedMembers, SelfInfo, SetGroupMember, UpdateGroupProfile,
        WireGroup, WireMember, manage_group::Served,
    },
};

use super::{Event, Reply};
use crate::actions::manage_group as actions;
pub use crate::actions::manage_group::World;
use actions::{Changed, MemberChanged, Members};

/// Does what the event's route says.
///
/// # Errors
/// A bad request, and those of the action.
pub async fn handle(world: &World, event: Event) -> Result<Reply> {
    match Served::behind(&event.route).ok_or(Error::UnknownAction)? {
        Served::CreateGroup => create_group(world, &event).await,
        Served::JoinGroup => join_group(world, &event).await,
        Served::QuitGroup => quit_group(world, &event).await,
        Served::DismissGroup => dismiss_group(world, &event).await,
        Served::AddGroupMember => add_group_member(world, &event).await,
        Served::DeleteGroupMember => delete_group_member(world, &event).await,
        Served::GetGroupProfile => get_group_profile(world, &event).await,
        Served::UpdateGroupProfile => update_group_profile(world, &event).await,
        Served::GetGroupMemberList => get_group_member_list(world, &event).await,
        Served::GetGroupMemberProfile => get_group_member_profile(world, &event).await,
        Served::SetGroupMember => set_group_member(world, &event).await,
        Served::ChangeGroupOwner => change_group_owner(world, &event).await,
        Served::HandleGroupApplication => handle_group_application(world, &event).await,
        Served::GetGroupApplicationList => get_group_application_list(world, &event).await,
    }
}

async fn create_group(world: &World, event: &Event) -> Result<Reply> {
    let request: CreateGroup = event.request.data()?;
    let new = request.parse(&event.caller.user)?;
    let (group, last) = actions::create_group(world, event.caller.actor(), new).await?;
    Ok(Reply::data(&GroupReply { group: WireGroup::new(&group, last) }))
}

async fn join_group(world: &World, event: &Event) -> Result<Reply> {
    let request: JoinGroup = event.request.data()?;
    let (group, name, words) = request.parse()?;
    let (status, joined) = actions::join_group(world, event.caller.actor(), &group, &name, words).await?;
    Ok(Reply::data(&JoinReply { status, group: on_the_wire(&joined) }))
}

async fn quit_group(world: &World, event: &Event) -> Result<Reply> {
    let request: QuitGroup = event.request.data()?;
    let (group, name) = request.parse()?;
    actions::quit_group(world, event.caller.actor(), &group, &name).await?;
    Ok(Reply::data(&NoData {}))
}

async fn dismiss_group(world: &World, event: &Event) -> Result<Reply> {
    let request: DismissGroup = event.request.data()?;
    actions::dismiss_group(world, event.caller.actor(), &request.parse()?).await?;
    Ok(Reply::data(&NoData {}))
}

async fn add_group_member(world: &World, event: &Event) -> Result<Reply> {
    let request: ChangeGroupMembers = event.request.data()?;
    let (group, name, users, _) = request.parse()?;
    let added = actions::add_group_member(world, event.caller.actor(), &group, &name, &users, false).await?;
    let is_new = |user: &_| added.users.contains(user);
    let (success_user_id_list, others): (_, Vec<_>) = users.into_iter().partition(is_new);
    // The business server may want some left out.
    let existed_user_id_list = others.into_iter().filter(|user| added.roster.role(user).is_some()).collect();
    Ok(Reply::data(&AddedMembers { success_user_id_list, existed_user_id_list, group: on_the_wire(&added) }))
}

async fn delete_group_member(world: &World, event: &Event) -> Result<Reply> {
    let request: ChangeGroupMembers = event.request.data()?;
    let (group, name, users, reason) = request.parse()?;
    let actor = event.caller.actor();
    let gone = actions::delete_group_member(world, actor, &group, &name, &users, (&reason, false)).await?;
    Ok(Reply::data(&RemovedMembers { user_id_list: gone.users.clone(), group: on_the_wire(&gone) }))
}

async fn get_group_profile(world: &World, event: &Event) -> Result<Reply> {
    let request: GetGroupProfile = event.request.data()?;
    let wanted = request.parse()?;
    let ids: Vec<_> = wanted.iter().filter_map(|(_, group)| group.clone().ok()).collect();
    let mut found = actions::get_group_profile(world, event.caller.actor(), &ids).await?.into_iter();
    let seen: Vec<_> = wanted
        .into_iter()
        .filter_map(|(text, group)| match group {
            Ok(_) => found.next().map(|seen| (text, seen)),
            Err(error) => Some((text, Err(error))),
        })
        .collect();
    let (mut group_list, mut failure_group_list) = (Vec::new(), Vec::new());
    for (text, seen) in &seen {
        match seen {
            Ok((group, end, mine)) => group_list.push(WireGroup::new(group, end.seq).with(mine.as_ref())),
            Err(error) => failure_group_list.push(FailedGroup::new(text.clone(), error)),
        }
    }
    Ok(Reply::data(&GroupList { group_list, failure_group_list }))
}

async fn update_group_profile(world: &World, event: &Event) -> Result<Reply> {
    let request: UpdateGroupProfile = event.request.data()?;
    let (group, name, change) = request.parse()?;
    let changed = actions::update_group_profile(world, event.caller.actor(), &group, &name, &change).await?;
    Ok(Reply::data(&GroupReply { group: on_the_wire(&changed) }))
}

async fn get_group_member_list(world: &World, event: &Event) -> Result<Reply> {
    let request: GetGroupMemberList = event.request.data()?;
    let members = actions::get_group_member_list(world, event.caller.actor(), &request.parse()?).await?;
    let next = members.next.as_ref().map(ToString::to_string).unwrap_or_default();
    Ok(Reply::data(&MemberList { member_list: wire_members(&members), next }))
}

async fn get_group_member_profile(world: &World, event: &Event) -> Result<Reply> {
    let request: GetGroupMemberProfile = event.request.data()?;
    let (group, users) = request.parse()?;
    let members = actions::get_group_member_profile(world, event.caller.actor(), &group, users).await?;
    Ok(Reply::data(&MemberProfiles { member_list: wire_members(&members) }))
}

async fn set_group_member(world: &World, event: &Event) -> Result<Reply> {
    let request: SetGroupMember = event.request.data()?;
    let (group, user, change) = request.parse(&event.caller.user)?;
    match actions::set_group_member(world, event.caller.actor(), &group, &user, &change).await? {
        MemberChanged::Mine(mine) => {
            Ok(Reply::data(&MemberReply { member: None, self_info: Some(SelfInfo::from(&mine)) }))
        }
        MemberChanged::Member(changed, now_ms) => {
            let member = changed.roster.members.get(&user);
            let member = member.map(|member| WireMember::new(&user, member, now_ms));
            Ok(Reply::data(&MemberReply { member, self_info: None }))
        }
    }
}

async fn change_group_owner(world: &World, event: &Event) -> Result<Reply> {
    let request: ChangeGroupOwner = event.request.data()?;
    let (group, name, owner) = request.parse()?;
    let changed = actions::change_group_owner(world, event.caller.actor(), &group, &name, &owner).await?;
    Ok(Reply::data(&GroupReply { group: on_the_wire(&changed) }))
}

async fn handle_group_application(world: &World, event: &Event) -> Result<Reply> {
    let request: HandleGroupApplication = event.request.data()?;
    let decided = actions::handle_group_application(world, event.caller.actor(), &request.parse()?).await?;
    Ok(Reply::data(&GroupReply { group: on_the_wire(&decided) }))
}

async fn get_group_application_list(world: &World, event: &Event) -> Result<Reply> {
    let request: GetGroupApplicationList = event.request.data()?;
    let (me, after) = (&event.caller.user, request.parse()?);
    let (application_list, next) = actions::get_group_application_list(world, me, after.as_ref()).await?;
    Ok(Reply::data(&ApplicationList { application_list, next }))
}

fn on_the_wire(changed: &Changed) -> WireGroup<'_> {
    WireGroup::new(&changed.group, changed.last)
}

fn wire_members(members: &Members) -> Vec<WireMember<'_>> {
    members.iter().map(|(user, member)| WireMember::new(user, member, members.now_ms)).collect()
}
