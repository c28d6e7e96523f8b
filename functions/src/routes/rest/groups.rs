//! `group_open_http_svc`: groups, who is in them, and what is said there.

use futures_util::future::{join_all, try_join_all};
use hongyan_shared::{
    Error,
    model::{GroupId, UserId},
    rest::{
        AddMembers, AddedMembers, AllGroups, ChangeOwner, Coming, CreateGroup, CreatedGroup, DeleteMembers,
        Done, ForbidSendMsg, GetAllGroups, GetGroupMsgs, GetGroups, GetJoinedGroups, GetMembers, GetRoles,
        GroupInfos, GroupMsgs, JoinedGroup, ModifyGroup, ModifyMember, MutedMembers, OneGroup, OnlineMembers,
        Outcome, RecallGroupMsgs, RecalledGroupMsgs, Result, Roles, SendGroupMsg, SendNotification,
        SentGroupMsg, WantedOfGroups,
    },
};

use super::{Event, Reply, World};
use crate::actions::{
    administer_groups, groups::send_to_group, manage_conversation::revoke_group_message, manage_group,
};

pub async fn create_group(world: &World, event: &Event) -> Result<Reply> {
    let request: CreateGroup = event.data()?;
    let new = request.parse(|| GroupId::drawn(|below| world.random.below(below)))?;
    let group_id = administer_groups::create(&world.groups, event.administrator.actor(), new).await?;
    Ok(event.reply(&CreatedGroup { group_id }))
}

pub async fn get_group_info(world: &World, event: &Event) -> Result<Reply> {
    let request: GetGroups = event.data()?;
    let (named, wanted) = request.parse()?;
    let ids: Vec<GroupId> = named.iter().filter_map(|(_, id)| id.clone().ok()).collect();
    let found = manage_group::get_group_profile(&world.groups, event.administrator.actor(), &ids).await?;
    let mut found = found.into_iter();
    let shown = named.into_iter().map(|(text, id)| {
        let found = id.and_then(|_| found.next().unwrap_or(Err(Error::NoSuchGroup)));
        (text, found)
    });
    let shown = shown.collect::<Vec<_>>().into_iter().map(async |(text, found)| {
        Ok::<_, Error>(match found {
            Err(refused) => WantedOfGroups::refused(&text, &refused),
            Ok((group, end, _)) if wanted.shows_members => {
                let roster = administer_groups::roster_of(&world.groups, &group).await?;
                wanted.shown(&group, &end, event.sdk_app_id, Some(&roster))
            }
            Ok((group, end, _)) => wanted.shown(&group, &end, event.sdk_app_id, None),
        })
    });
    Ok(event.reply(&GroupInfos { group_info: try_join_all(shown).await? }))
}

pub async fn get_group_member_info(world: &World, event: &Event) -> Result<Reply> {
    let request: GetMembers = event.data()?;
    let group = request.group()?;
    let roster = manage_group::get_group_roster(&world.groups, event.administrator.actor(), &group).await?;
    Ok(event.reply(&request.shown(&roster)))
}

pub async fn get_role_in_group(world: &World, event: &Event) -> Result<Reply> {
    let request: GetRoles = event.data()?;
    let (group, names) = request.parse()?;
    let roster = manage_group::get_group_roster(&world.groups, event.administrator.actor(), &group).await?;
    Ok(event.reply(&Roles::of(&roster, &names)))
}

pub async fn get_joined_group_list(world: &World, event: &Event) -> Result<Reply> {
    let request: GetJoinedGroups = event.data()?;
    let joined = administer_groups::joined_groups(&world.groups, &request.user()?).await?;
    let joined = joined.iter().map(|listed| JoinedGroup {
        group: &listed.group,
        mine: &listed.mine,
        last: listed.last,
        last_time: listed.last_time,
    });
    Ok(event.reply(&request.shown(joined)?))
}

pub async fn get_appid_group_list(world: &World, event: &Event) -> Result<Reply> {
    let request: GetAllGroups = event.data()?;
    let (enough, from, kind) = request.parse()?;
    let (groups, next) = administer_groups::all_groups(&world.groups, (enough, from), kind).await?;
    Ok(event.reply(&AllGroups::new(&groups, next)))
}

pub async fn modify_group_base_info(world: &World, event: &Event) -> Result<Reply> {
    let request: ModifyGroup = event.data()?;
    let (group, change) = request.parse()?;
    administer_groups::modify_group(&world.groups, event.administrator.actor(), &group, &change).await?;
    Ok(event.reply(&Done {}))
}

pub async fn add_group_member(world: &World, event: &Event) -> Result<Reply> {
    let request: AddMembers = event.data()?;
    let (group, names, is_silent) = request.parse()?;
    let named: Vec<Option<UserId>> =
        names.iter().map(|name| UserId::parse("Member_Account", name).ok()).collect();
    let users: Vec<UserId> = named.iter().flatten().cloned().collect();
    let actor = event.administrator.actor();
    let added = administer_groups::add_members(&world.groups, actor, &group, &users, is_silent).await?;
    let outcome = |(name, user): (String, Option<UserId>)| {
        let coming = match user {
            Some(user) if added.came.contains(&user) => Coming::Came,
            Some(user) if added.were_there.contains(&user) => Coming::WasThere,
            _ => Coming::Failed,
        };
        Outcome::new(name, coming)
    };
    Ok(event.reply(&AddedMembers { member_list: names.into_iter().zip(named).map(outcome).collect() }))
}

pub async fn delete_group_member(world: &World, event: &Event) -> Result<Reply> {
    let request: DeleteMembers = event.data()?;
    let (group, users, reason, is_silent) = request.parse()?;
    let actor = event.administrator.actor();
    administer_groups::delete_members(&world.groups, actor, &group, &users, (&reason, is_silent)).await?;
    Ok(event.reply(&Done {}))
}

pub async fn modify_group_member_info(world: &World, event: &Event) -> Result<Reply> {
    let request: ModifyMember = event.data()?;
    let (group, user, wish) = request.parse()?;
    let actors = (event.administrator.actor(), event.administrator.acting_for(&user));
    administer_groups::modify_member(&world.groups, actors, &group, wish).await?;
    Ok(event.reply(&Done {}))
}

pub async fn forbid_send_msg(world: &World, event: &Event) -> Result<Reply> {
    let request: ForbidSendMsg = event.data()?;
    let (group, users, seconds) = request.parse()?;
    administer_groups::mute_members(&world.groups, event.administrator.actor(), &group, &users, seconds)
        .await?;
    Ok(event.reply(&Done {}))
}

pub async fn get_group_muted_account(world: &World, event: &Event) -> Result<Reply> {
    let request: OneGroup = event.data()?;
    let group = request.parse()?;
    let roster = manage_group::get_group_roster(&world.groups, event.administrator.actor(), &group).await?;
    Ok(event.reply(&MutedMembers::of(&roster, world.clock.now())))
}

pub async fn change_group_owner(world: &World, event: &Event) -> Result<Reply> {
    let request: ChangeOwner = event.data()?;
    let (group, owner) = request.parse()?;
    administer_groups::hand_over(&world.groups, event.administrator.actor(), &group, &owner).await?;
    Ok(event.reply(&Done {}))
}

pub async fn destroy_group(world: &World, event: &Event) -> Result<Reply> {
    let request: OneGroup = event.data()?;
    let group = request.parse()?;
    Box::pin(manage_group::dismiss_group(&world.groups, event.administrator.actor(), &group)).await?;
    Ok(event.reply(&Done {}))
}

pub async fn send_group_msg(world: &World, event: &Event) -> Result<Reply> {
    let request: SendGroupMsg = event.data()?;
    let (group, draft, sending) = request.parse(event.administrator.account(), world.clock.now())?;
    let actor = event.administrator.acting_for(&draft.from);
    let log = world.groups.log();
    // Boxed as every change is: all commands share one future.
    let sent = Box::pin(send_to_group(log, actor, &group, &draft, sending)).await?;
    Ok(event.reply(&SentGroupMsg::of(&sent)))
}

pub async fn send_group_system_notification(world: &World, event: &Event) -> Result<Reply> {
    let request: SendNotification = event.data()?;
    let (group, content, to) = request.parse()?;
    administer_groups::notify(&world.groups, event.administrator.actor(), &group, &content, &to).await?;
    Ok(event.reply(&Done {}))
}

pub async fn group_msg_get_simple(world: &World, event: &Event) -> Result<Reply> {
    let request: GetGroupMsgs = event.data()?;
    let (group, before, count) = request.parse()?;
    let actor = event.administrator.actor();
    let (messages, is_all) = administer_groups::history(&world.groups, actor, &group, before, count).await?;
    Ok(event.reply(&GroupMsgs::new(group, &messages, is_all)))
}

pub async fn group_msg_recall(world: &World, event: &Event) -> Result<Reply> {
    let request: RecallGroupMsgs = event.data()?;
    let (group, seqs) = request.parse()?;
    let actor = event.administrator.actor();
    let recalled = seqs.into_iter().map(async |seq| {
        let recalled = revoke_group_message(&world.conversations, actor, &group, seq).await;
        (seq, recalled.err())
    });
    let mut outcomes = Vec::new();
    for (seq, refused) in join_all(recalled).await {
        match refused {
            // What may be repeated is not answered as if it were done, and without the group there is no message to speak of.
            Some(error) if error.is_ours() || error == Error::NoSuchGroup => return Err(error.into()),
            refused => outcomes.push((seq, refused.map_or(0, |error| error.code()))),
        }
    }
    Ok(event.reply(&RecalledGroupMsgs::new(&outcomes)))
}

pub async fn get_online_member_num(world: &World, event: &Event) -> Result<Reply> {
    let request: OneGroup = event.data()?;
    let group = request.parse()?;
    let online_member_num =
        administer_groups::online_members(&world.groups, event.administrator.actor(), &group).await?;
    Ok(event.reply(&OnlineMembers { online_member_num }))
}
