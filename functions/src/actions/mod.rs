//! What each verb does: a function of the world that it needs, of who acts, and of parsed input.
//!
//! **Architecture invariant:** an action knows no transport. A frame of the WebSocket API and a command of
//! a business server do the same thing by calling the same function.
//!
//! Every action may fail as the [`store`](crate::store) does. `# Errors` names what else there is.

pub mod accounts;
pub mod administer_groups;
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
pub mod manage_group;
pub mod manage_user;
mod message_keys;
pub mod mute;
pub mod send_message;
pub mod set_message_read;
pub mod tell_business_server;

use futures_util::{StreamExt, TryStreamExt, stream};
use hongyan_shared::{Result, model::Seq};

use crate::store::Consistency;

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

/// What a look at the end of a log has found, and the number up to which a user means it: that of the message that they name, or
/// of the last one.
///
/// A client that names a message has seen it, so a look that may be a second old will do, unless that message is not in it.
async fn look_up_to<Found, Look: Future<Output = Result<Found>>>(
    named: Option<Seq>,
    look: impl Fn(Consistency) -> Look,
    last: impl Fn(&Found) -> Seq,
) -> Result<(Found, Seq)> {
    let consistency = if named.is_some() { Consistency::Eventual } else { Consistency::Strong };
    let mut found = look(consistency).await?;
    if named.is_some_and(|named| named > last(&found)) {
        found = look(Consistency::Strong).await?;
    }
    let last = last(&found);
    Ok((found, named.unwrap_or(last).min(last)))
}
