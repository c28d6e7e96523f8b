//! `setMessageRead`: the reader names the last message that he has seen.

use hongyan_shared::{
    Result,
    model::{Head, Message, Pair, Position, Seq},
    protocol::{ConversationUpdate, Push, ReadReply, SetMessageRead, read_by_peer},
};

use crate::{
    app::App,
    event::Event,
    push::Audience,
    runtime::Reply,
    store::Consistency,
};

const HEAD: usize = 8;

/// Moves the read position forward, to the last message at the most, and tells the peer and the
/// reader's other devices.
///
/// A request without a `requestID` gets no answer: the client that marks what it shows has nothing
/// to do with one, and the frame would cost as much as the mark.
///
/// # Errors
/// A bad request, or a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: SetMessageRead = event.request.data()?;
    let (pair, named) = request.parse(&event.caller.user)?;
    let (looked_up, audience) =
        tokio::join!(look_up(app, &pair, named), app.audience(&pair, &event));
    let (mut head, reached) = looked_up?;

    let mine = pair.mine();
    if let Some(reached) = reached.filter(|message| message.seq > head.standing(mine).read.seq) {
        let position = Position::at(&reached, mine);
        let told = head.is_blocked().then(|| head.told(mine));
        let before = head.clone();
        head.standing_mut(mine).read = position;
        // They have read it, whatever becomes of the write: a mark that is lost is made again by the
        // client, and never goes back. So the peer need not wait for it.
        let (stored, ()) = tokio::join!(
            app.messages.advance(&pair, &before, mine, position, told, app.now()),
            tell(app, &pair, &head, &audience)
        );
        if stored?.read.seq > position.seq {
            // Another device was faster, and has read further.
            head = app.messages.head(&pair, 1, Consistency::Strong, app.now()).await?;
        }
    }

    if event.request.envelope.request_id.is_none() {
        return Ok(Reply::Silence);
    }
    let unread = app.messages.unread(&pair, &head, mine, app.now()).await?;
    Ok(Reply::data(&ReadReply {
        conversation_id: pair.conversation_id(mine),
        read_sequence: head.standing(mine).read.seq,
        unread_count: unread.unwrap_or_else(|| head.unread(mine)),
    }))
}

/// The end of the conversation, and the last message up to the named one.
async fn look_up(app: &App, pair: &Pair, named: Option<Seq>) -> Result<(Head, Option<Message>)> {
    // A client that names a message has seen it, so a read that may be a second old will do, unless
    // that message is not in it.
    let consistency = if named.is_some() { Consistency::Eventual } else { Consistency::Strong };
    let mut head = app.messages.head(pair, HEAD, consistency, app.now()).await?;
    if named.is_some_and(|named| named > head.last_seq()) {
        head = app.messages.head(pair, HEAD, Consistency::Strong, app.now()).await?;
    }
    let named = named.unwrap_or_else(|| head.last_seq()).min(head.last_seq());
    let reached = match head.messages.iter().find(|message| message.seq <= named) {
        Some(message) => Some(message.clone()),
        None if named <= head.standing(pair.mine()).read.seq => None,
        None => app
            .messages
            .before(pair, named.next(), 1, Consistency::Strong)
            .await?
            .into_iter()
            .find(|message| message.is_live(app.now())),
    };
    Ok((head, reached))
}

async fn tell(app: &App, pair: &Pair, head: &Head, audience: &Audience) {
    let position = head.standing(pair.mine()).read;
    let to_peer = read_by_peer(pair, pair.mine(), position.seq, position.time).frame();
    let to_others = Push::ConversationListUpdated([ConversationUpdate {
        conversation_id: pair.conversation_id(pair.mine()),
        read_sequence: Some(position.seq),
        unread_count: Some(head.unread(pair.mine())),
        ..ConversationUpdate::default()
    }])
    .frame();
    let peer = if head.is_blocked() { &[] } else { audience.peer.as_slice() };
    tokio::join!(app.deliver(peer, &to_peer), app.deliver(&audience.others, &to_others));
}
