//! `deleteMessage`: a user wants some messages out of their sight. The other one keeps them.

use hongyan_shared::{
    Result,
    model::{Pair, Seq},
    protocol::{DeleteMessage, DeletedMessages, Push},
};

use crate::{app::App, event::Event, routes::all, runtime::Reply, store::Messages};

/// Hides messages from the caller, as many of them as one frame may write, and says which. Tells the
/// caller's other devices as well.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: DeleteMessage = event.request.data()?;
    let (pair, sequences) = request.parse(&event.caller.user)?;
    let (hidden, others) = tokio::join!(
        hide(app, &pair, &sequences),
        app.other_connections(&event)
    );
    let deleted = DeletedMessages {
        conversation_id: pair.conversation_id(pair.mine()),
        sequences: hidden?.to_vec(),
    };
    let push = Push::MessageDeleted(&deleted);
    app.deliver(&others, &push.frame()).await;
    Ok(Reply::data(&deleted))
}

/// Hides the first of them, and returns those.
async fn hide<'a>(app: &App, pair: &Pair, sequences: &'a [Seq]) -> Result<&'a [Seq]> {
    let mut hidden = 0;
    // A large message costs as much to hide as to write, and how large it is shows only then.
    loop {
        let rest = sequences.get(hidden..).unwrap_or_default();
        let wave = rest.get(..Messages::affordable_deletions()).unwrap_or(rest);
        if wave.is_empty() {
            return Ok(sequences.get(..hidden).unwrap_or(sequences));
        }
        all(wave.iter().map(|seq| app.messages.hide(pair, pair.mine(), *seq))).await?;
        hidden += wave.len();
    }
}
