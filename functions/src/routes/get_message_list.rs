//! `getMessageList`: pages of history, going back, and ranges to fill a gap.

use hongyan_shared::{
    Result,
    model::{Message, Pair, Seq},
    protocol::{GetMessageList, MAX_REPLY_BYTES, Span, WireMessage},
};
use serde_json::{Value, json};

use crate::{app::App, event::Event, runtime::Reply, store::Consistency};

/// Answers with messages, oldest first.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: GetMessageList = event.request.data()?;
    let (pair, span, count) = request.parse(&event.caller.user)?;
    let now = app.now();
    match span {
        Span::Before(before) => {
            let found = app.messages.before(&pair, before, count, Consistency::Eventual).await?;
            let all_found = found.len() < count;
            // Newest first, so that what does not fit is the older part.
            let (page, cut) = fit(found.iter().filter(|message| message.is_live(now)), &pair);
            let expired = found.iter().any(|message| !message.is_live(now));
            let oldest = page.last().map(|message| message.seq);
            let is_completed = !cut && (all_found || expired || oldest == Some(Seq(1)));
            let next = oldest.filter(|_| !is_completed).map(|seq| seq.to_string()).unwrap_or_default();
            Ok(Reply::Data(json!({
                "messageList": on_the_wire(&pair, page.into_iter().rev()),
                "nextReqMessageID": next,
                "isCompleted": is_completed,
            })))
        }
        Span::Range(from, to) => {
            let part = app.messages.range(&pair, from, to, count, now).await?;
            let (page, cut) = fit(part.messages.iter(), &pair);
            let next = if cut { part.messages.get(page.len()).map(|message| message.seq) } else { part.next };
            Ok(Reply::Data(json!({
                "messageList": on_the_wire(&pair, page.into_iter()),
                "nextSequence": next.unwrap_or_default(),
                "isCompleted": next.is_none(),
            })))
        }
    }
}

/// As many messages as one frame holds, and whether some had to be left out.
fn fit<'a>(messages: impl Iterator<Item = &'a Message>, pair: &Pair) -> (Vec<&'a Message>, bool) {
    let mut room = MAX_REPLY_BYTES;
    let mut page = Vec::new();
    for message in messages {
        match room.checked_sub(WireMessage::new(pair, message).size()) {
            Some(left) => room = left,
            None => return (page, true),
        }
        page.push(message);
    }
    (page, false)
}

fn on_the_wire<'a>(pair: &Pair, page: impl Iterator<Item = &'a Message>) -> Vec<Value> {
    page.map(|message| json!(WireMessage::new(pair, message))).collect()
}
