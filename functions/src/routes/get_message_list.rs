//! `getMessageList`: pages of history, going back, and ranges to fill a gap.

use hongyan_shared::{
    Result,
    model::{Message, Pair, Seq},
    protocol::{
        Bookmark, GetMessageList, MAX_REPLY_BYTES, MessagePage, MessageRange, Span, WireMessage,
    },
};

use crate::{app::App, event::Event, runtime::Reply, store::Consistency};

/// Answers with messages, oldest first.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: GetMessageList = event.request.data()?;
    let (pair, span, count) = request.parse(&event.caller.user)?;
    match span {
        Span::Newest => {
            // The query that a send makes as well: it says what the user has cleared on the way.
            let head = app.messages.head(&pair, count, Consistency::Eventual, app.now()).await?;
            let cleared = head.standing(pair.mine()).cleared.seq;
            Ok(page(&pair, &head.messages, count, cleared))
        }
        Span::Before(Bookmark { before, cleared }) => {
            let mut found = app.messages.before(&pair, before, count, Consistency::Eventual).await?;
            found.retain(|message| message.is_live(app.now()));
            Ok(page(&pair, &found, count, cleared))
        }
        Span::Range(from, to) => range(app, &pair, from, to, count).await,
    }
}

/// What the user may see of the newest `count` messages among those that were found, newest first.
/// When there are fewer, nothing is before them, or it has expired.
fn page(pair: &Pair, found: &[Message], count: usize, cleared: Seq) -> Reply {
    let looked_at = found.get(..count).unwrap_or(found);
    let visible = |message: &&Message| message.seq > cleared && !message.is_hidden_from(pair.mine());
    // Newest first, so that what does not fit is the older part.
    let (mut page, cut) = fit(pair, looked_at.iter().filter(visible));
    // Behind what was looked at, even if the user sees none of it, the next page goes on.
    let oldest = if cut { page.last().copied() } else { looked_at.last() };
    let goes_on = |oldest: &&Message| cut || (looked_at.len() == count && oldest.seq > cleared.next());
    let next = oldest.filter(goes_on).map(|oldest| Bookmark { before: oldest.seq, cleared });
    page.reverse();
    Reply::data(&MessagePage {
        message_list: on_the_wire(pair, &page),
        next_req_message_id: next.map(|bookmark| bookmark.to_string()).unwrap_or_default(),
        is_completed: next.is_none(),
    })
}

async fn range(app: &App, pair: &Pair, from: Seq, to: Seq, count: usize) -> Result<Reply> {
    let part = app.messages.range(pair, from, to, count, app.now()).await?;
    let visible: Vec<&Message> =
        part.messages.iter().filter(|message| !message.is_hidden_from(pair.mine())).collect();
    let (page, cut) = fit(pair, visible.iter().copied());
    let next = if cut { visible.get(page.len()).map(|message| message.seq) } else { part.next };
    Ok(Reply::data(&MessageRange {
        message_list: on_the_wire(pair, &page),
        next_sequence: next.unwrap_or_default(),
        is_completed: next.is_none(),
    }))
}

/// As many messages as one frame holds, and whether some had to be left out.
fn fit<'a>(pair: &Pair, messages: impl Iterator<Item = &'a Message>) -> (Vec<&'a Message>, bool) {
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

fn on_the_wire<'a>(pair: &'a Pair, page: &[&'a Message]) -> Vec<WireMessage<'a>> {
    page.iter().map(|message| WireMessage::new(pair, message)).collect()
}
