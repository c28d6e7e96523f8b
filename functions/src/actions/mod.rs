//! What each verb does: a function of the world that it needs, of who acts, and of parsed input.
//!
//! **Architecture invariant:** an action knows no transport. A frame of the WebSocket API and a command of
//! a business server do the same thing by calling the same function.
//!
//! Every action may fail as the [`store`](crate::store) does. `# Errors` names what else there is.

pub mod accounts;
mod append;
mod ask_before_sending;
pub mod connect;
pub mod contacts;
pub mod count_unread;
mod deadline;
pub mod delete_account;
pub mod delete_media;
pub mod get_conversation_list;
pub mod get_history;
pub mod get_message_list;
pub mod get_upload_form;
pub mod groups;
pub mod import_message;
pub mod kick;
pub mod leave;
pub mod login;
pub mod manage_conversation;
pub mod manage_user;
mod message_keys;
pub mod mute;
pub mod send_message;
pub mod set_message_read;
pub mod tell_business_server;

use futures_util::{StreamExt, TryStreamExt, stream};
use hongyan_shared::Result;

/// How many writes of one request are under way at once.
const MAX_CONCURRENCY: usize = 16;

/// How many users the store looks up at once.
const MAX_BATCH: usize = 100;

/// Does something for each, some at once, and returns what has become of it, in any order.
async fn each<Work: Future>(work: impl IntoIterator<Item = Work>) -> Vec<Work::Output> {
    let work: Vec<Work> = work.into_iter().collect();
    stream::iter(work).buffer_unordered(MAX_CONCURRENCY).collect().await
}

/// Does all of it, some at once, and stops at the first that fails.
async fn all<Work: Future<Output = Result<()>>>(work: impl IntoIterator<Item = Work>) -> Result<()> {
    let work: Vec<Work> = work.into_iter().collect();
    stream::iter(work).buffer_unordered(MAX_CONCURRENCY).try_collect().await
}
