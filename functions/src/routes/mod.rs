//! The functions behind the routes of the WebSocket API, one file for each verb, all of one shape:
//!
//! ```ignore
//! pub async fn handle(app: &App, event: Event) -> Result<Reply>
//! ```
//!
//! A function that serves several routes is a folder: `mod.rs` hands each event to the file of its
//! route. CONTRIBUTING.md shows how to add one.

use futures_util::{StreamExt, TryStreamExt, future::BoxFuture, stream};
use hongyan_shared::Result;

use crate::{app::App, event::Event, runtime::Reply};

/// A function, for a caller that picks it by name. The laptop twin does; a Lambda binary names its
/// one function itself and links no other.
pub type Handler = for<'a> fn(&'a App, Event) -> BoxFuture<'a, Result<Reply>>;

/// Whether a route has no route response in the template. API Gateway sends an empty frame for an
/// empty response, so a route that is often silent is better off without; its replies go through
/// `@connections`.
pub fn is_one_way(route_key: &str) -> bool {
    route_key == "setMessageRead"
}

/// How many writes of one request are under way at once.
const AT_ONCE: usize = 16;

/// Does all of it, some at once, and stops at the first that fails.
async fn all<Work: Future<Output = Result<()>>>(work: impl IntoIterator<Item = Work>) -> Result<()> {
    let work: Vec<Work> = work.into_iter().collect();
    stream::iter(work).buffer_unordered(AT_ONCE).try_collect().await
}

macro_rules! functions {
    ($($binary:literal => $module:ident),+ $(,)?) => {
        $(pub mod $module;)+

        /// The names of all functions, as their binaries are called.
        pub const NAMES: &[&str] = &[$($binary),+];

        /// The function of a binary.
        pub fn find(binary: &str) -> Option<Handler> {
            match binary {
                $($binary => Some(|app, event| Box::pin($module::handle(app, event))),)+
                _ => None,
            }
        }
    };
}

functions! {
    "connect" => connect,
    "disconnect" => disconnect,
    "send-message" => send_message,
    "get-message-list" => get_message_list,
    "set-message-read" => set_message_read,
    "get-conversation-list" => get_conversation_list,
    "manage-conversation" => manage_conversation,
    "manage-user" => manage_user,
    "logout" => logout,
    "default" => default,
}
