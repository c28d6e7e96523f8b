//! Which function serves which command.

use hongyan_shared::rest::{Command, Error, Result};

use super::{Event, Reply, World, accounts, blacklists, contacts, messages, profiles, speech, status};

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
