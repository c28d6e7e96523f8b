//! Which function serves which command.

use hongyan_shared::rest::{Command, Error, Result};

use super::{
    Event, Reply, World, accounts, blacklists, contacts, groups, messages, profiles, speech, status,
};

/// Does what a command says.
///
/// # Errors
/// A bad request, and those of the action.
pub async fn handle(world: &World, event: &Event) -> Result<Reply> {
    match event.command {
        Command::AccountImport => accounts::account_import(world, event).await,
        Command::MultiaccountImport => accounts::multiaccount_import(world, event).await,
        Command::AccountCheck => accounts::account_check(world, event).await,
        Command::AccountDelete => accounts::account_delete(world, event).await,
        Command::Kick => accounts::kick(world, event).await,
        Command::QueryOnlineStatus => status::query_online_status(world, event).await,
        Command::PortraitGet => profiles::portrait_get(world, event).await,
        Command::PortraitSet => profiles::portrait_set(world, event).await,
        Command::BlackListAdd => blacklists::black_list_add(world, event).await,
        Command::BlackListDelete => blacklists::black_list_delete(world, event).await,
        Command::BlackListGet => blacklists::black_list_get(world, event).await,
        Command::BlackListCheck => blacklists::black_list_check(world, event).await,
        Command::Friends => Err(Error::NoFriends),
        Command::ContactsGetList => contacts::get_list(world, event).await,
        Command::ContactsDelete => contacts::delete(world, event).await,
        Command::CreateGroup => groups::create_group(world, event).await,
        Command::GetGroupInfo => groups::get_group_info(world, event).await,
        Command::GetGroupMemberInfo => groups::get_group_member_info(world, event).await,
        Command::GetRoleInGroup => groups::get_role_in_group(world, event).await,
        Command::GetJoinedGroupList => groups::get_joined_group_list(world, event).await,
        Command::GetAppidGroupList => groups::get_appid_group_list(world, event).await,
        Command::ModifyGroupBaseInfo => groups::modify_group_base_info(world, event).await,
        Command::AddGroupMember => groups::add_group_member(world, event).await,
        Command::DeleteGroupMember => groups::delete_group_member(world, event).await,
        Command::ModifyGroupMemberInfo => groups::modify_group_member_info(world, event).await,
        Command::ForbidSendMsg => groups::forbid_send_msg(world, event).await,
        Command::GetGroupMutedAccount => groups::get_group_muted_account(world, event).await,
        Command::ChangeGroupOwner => groups::change_group_owner(world, event).await,
        Command::DestroyGroup => groups::destroy_group(world, event).await,
        Command::SendGroupMsg => groups::send_group_msg(world, event).await,
        Command::SendGroupSystemNotification => groups::send_group_system_notification(world, event).await,
        Command::GroupMsgGetSimple => groups::group_msg_get_simple(world, event).await,
        Command::GroupMsgRecall => groups::group_msg_recall(world, event).await,
        Command::GetOnlineMemberNum => groups::get_online_member_num(world, event).await,
        Command::NotOfGroups => Err(Error::NotOfGroups),
        Command::SetNoSpeaking => speech::setnospeaking(world, event).await,
        Command::GetNoSpeaking => speech::getnospeaking(world, event).await,
        Command::SendMsg => messages::sendmsg(world, event).await,
        Command::BatchSendMsg => messages::batchsendmsg(world, event).await,
        Command::ImportMsg => messages::importmsg(world, event).await,
        Command::AdminMsgWithdraw => messages::admin_msgwithdraw(world, event).await,
        Command::AdminGetRoamMsg => messages::admin_getroammsg(world, event).await,
        Command::AdminSetMsgRead => messages::admin_set_msg_read(world, event).await,
        Command::GetUnreadMsgNum => messages::get_c2c_unread_msg_num(world, event).await,
    }
}
