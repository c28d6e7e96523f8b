//! One file per function.

mod authorizer;
mod connect;
mod default;
mod disconnect;
mod get_conversation_list;
mod get_message_list;
mod logout;
mod send_message;
mod set_message_read;
