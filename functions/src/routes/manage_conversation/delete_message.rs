//! `deleteMessage`: a user wants some messages out of his sight. The other one keeps them.

use hongyan_shared::{
    Result,
    protocol::{DeleteMessage, DeletedMessages, NoData, Push},
};

use crate::{app::App, event::Event, routes::all, runtime::Reply};

/// Hides messages from the caller, and tells his other devices.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: DeleteMessage = event.request.data()?;
    let (pair, sequences) = request.parse(&event.caller.user)?;
    let hide = all(sequences.iter().map(|seq| app.messages.hide(&pair, pair.mine(), *seq)));
    let (hidden, others) = tokio::join!(hide, app.other_connections(pair.me(), &event.connection_id));
    hidden?;
    let conversation_id = pair.conversation_id(pair.mine());
    let push = Push::MessageDeleted(DeletedMessages { conversation_id, sequences });
    app.deliver(&others, &push.frame()).await;
    Ok(Reply::data(&NoData {}))
}
