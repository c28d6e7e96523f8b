//! One file per verb.

mod add_to_blacklist;
mod authorizer;
mod connect;
mod default;
mod delete_conversation;
mod delete_message;
mod disconnect;
mod get_blacklist;
mod get_conversation_list;
mod get_message_list;
mod get_upload_form;
mod get_user_profile;
mod get_user_status;
mod logout;
mod manage_group;
mod pin_conversation;
mod remove_from_blacklist;
mod revoke_message;
mod send_message;
mod set_message_read;
mod subscribe_user_status;
mod unsubscribe_user_status;
mod update_my_profile;
