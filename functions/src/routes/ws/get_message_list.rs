//! `getMessageList`.

use hongyan_shared::{
    Result,
    model::{Message, Pair},
    protocol::{
        GetMessageList, HistoryQuery, HistoryRequest, MAX_REPLY_BYTES, MessagePage, MessageRange,
        MessageRanges, RangeInConversation, WireMessage,
    },
};

use super::{Event, Reply};
pub use crate::actions::get_message_list::World;
use crate::actions::get_message_list::{Page, Range, Room, before, newest, range, ranges};

/// Answers with messages, oldest first.
///
/// # Errors
/// [`hongyan_shared::Error::BadRequest`].
pub async fn handle(world: &World, event: Event) -> Result<Reply> {
    let request: GetMessageList = event.request.data()?;
    let (pair, span, messages) = match request.parse(&event.caller.user)? {
        HistoryRequest::Of(pair, span, messages) => (pair, span, messages),
        HistoryRequest::Ranges(wanted) => {
            let found = ranges(world, &wanted, MAX_REPLY_BYTES).await?;
            let range_list = wanted.iter().zip(&found).map(|((pair, ..), found)| RangeInConversation {
                conversation_id: pair.conversation_id(),
                range: message_range(pair, found),
            });
            return Ok(Reply::data(&MessageRanges { range_list: range_list.collect() }));
        }
    };
    let room = Room { messages, bytes: MAX_REPLY_BYTES };
    match span {
        HistoryQuery::Newest => newest(world, &pair, room).await.map(|found| page(&pair, &found)),
        HistoryQuery::Before(at) => before(world, &pair, at, room).await.map(|found| page(&pair, &found)),
        HistoryQuery::Range(from, to) => {
            let found = range(world, &pair, from, to, room).await?;
            Ok(Reply::data(&message_range(&pair, &found)))
        }
    }
}

fn message_range<'a>(pair: &'a Pair, found: &'a Range) -> MessageRange<'a> {
    MessageRange {
        message_list: on_the_wire(pair, &found.messages),
        next_sequence: found.next.unwrap_or_default(),
        is_completed: found.next.is_none(),
    }
}

fn page(pair: &Pair, found: &Page) -> Reply {
    Reply::data(&MessagePage {
        message_list: on_the_wire(pair, &found.messages),
        next_req_message_id: found.next.map(|at| at.to_string()).unwrap_or_default(),
        is_completed: found.next.is_none(),
    })
}

fn on_the_wire<'a>(pair: &'a Pair, messages: &'a [Message]) -> Vec<WireMessage<'a>> {
    messages.iter().map(|message| WireMessage::new(pair, message)).collect()
}
