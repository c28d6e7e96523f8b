//! `getMessageList`.

use hongyan_shared::{
    Result,
    model::{ConversationId, GroupId, Message, Pair, Seq, UserId},
    protocol::{
        GetMessageList, HistoryQuery, HistoryRequest, MAX_REPLY_BYTES, MessagePage, MessageRange,
        MessageRanges, RangeInConversation, WireMessage,
    },
};

use super::{Event, Reply};
pub use crate::actions::get_message_list::World;
use crate::actions::{
    get_message_list::{Page, Range, Room, before, newest, range, ranges},
    groups,
};

/// Answers with messages, oldest first.
///
/// # Errors
/// [`hongyan_shared::Error::BadRequest`].
pub async fn handle(world: &World, event: Event) -> Result<Reply> {
    let request: GetMessageList = event.request.data()?;
    let me = &event.caller.user;
    match request.parse(me)? {
        HistoryRequest::Of(ConversationId::C2c(pair), span, messages) => {
            of_pair(world, &pair, span, Room { messages, bytes: MAX_REPLY_BYTES }).await
        }
        HistoryRequest::Of(ConversationId::Group(group), span, messages) => {
            of_group(world, me, &group, span, Room { messages, bytes: MAX_REPLY_BYTES }).await
        }
        HistoryRequest::Ranges(wanted) => of_several(world, me, wanted).await,
    }
}

/// Of which conversation messages are.
#[derive(Clone, Copy)]
enum Of<'a> {
    Pair(&'a Pair),
    Group(&'a GroupId),
}

impl<'a> Of<'a> {
    fn show(self, message: &'a Message) -> WireMessage<'a> {
        match self {
            Self::Pair(pair) => WireMessage::new(pair, message),
            Self::Group(group) => WireMessage::in_group(group, message),
        }
    }
}

async fn of_pair(world: &World, pair: &Pair, span: HistoryQuery, room: Room) -> Result<Reply> {
    let of = Of::Pair(pair);
    match span {
        HistoryQuery::Newest => newest(world, pair, room).await.map(|found| page(of, &found)),
        HistoryQuery::Before(at) => before(world, pair, at, room).await.map(|found| page(of, &found)),
        HistoryQuery::Range(from, to) => {
            let found = range(world, pair, from, to, room).await?;
            Ok(Reply::data(&message_range(of, &found)))
        }
    }
}

async fn of_group(
    world: &World,
    me: &UserId,
    group: &GroupId,
    span: HistoryQuery,
    room: Room,
) -> Result<Reply> {
    let of = Of::Group(group);
    match span {
        HistoryQuery::Newest => groups::newest(world, me, group, room).await.map(|found| page(of, &found)),
        HistoryQuery::Before(at) => {
            groups::before(world, me, group, at, room).await.map(|found| page(of, &found))
        }
        HistoryQuery::Range(from, to) => {
            let found = groups::range(world, me, group, (from, to), room).await?;
            Ok(Reply::data(&message_range(of, &found)))
        }
    }
}

/// Conversations of two have the room that they need, and groups what is left.
async fn of_several(world: &World, me: &UserId, wanted: Vec<(ConversationId, Seq, Seq)>) -> Result<Reply> {
    let (mut of_pairs, mut of_groups) = (Vec::new(), Vec::new());
    let (mut places, mut group_places) = (Vec::new(), Vec::new());
    for (place, (conversation, from, to)) in wanted.into_iter().enumerate() {
        match conversation {
            ConversationId::C2c(pair) => {
                places.push(place);
                of_pairs.push((pair, from, to));
            }
            ConversationId::Group(group) => {
                group_places.push(place);
                of_groups.push((group, from, to));
            }
        }
    }
    let found = ranges(world, &of_pairs, MAX_REPLY_BYTES).await?;
    let range_list = of_pairs.iter().zip(&found).map(|((pair, ..), found)| RangeInConversation {
        conversation_id: pair.conversation_id(),
        range: message_range(Of::Pair(pair), found),
    });
    let mut range_list: Vec<RangeInConversation<'_>> = range_list.collect();
    let room = MAX_REPLY_BYTES.saturating_sub(range_list.iter().map(RangeInConversation::size).sum());
    let found = groups::ranges(world, me, &of_groups, room).await?;
    range_list.extend(of_groups.iter().zip(&found).map(|((group, ..), found)| RangeInConversation {
        conversation_id: group.conversation_id(),
        range: message_range(Of::Group(group), found),
    }));
    // In the order asked for.
    places.extend(group_places);
    let mut in_order: Vec<_> = places.into_iter().zip(range_list).collect();
    in_order.sort_by_key(|(place, _)| *place);
    let range_list = in_order.into_iter().map(|(_, range)| range).collect();
    Ok(Reply::data(&MessageRanges { range_list }))
}

fn message_range<'a>(of: Of<'a>, found: &'a Range) -> MessageRange<'a> {
    MessageRange {
        message_list: found.messages.iter().map(|message| of.show(message)).collect(),
        next_sequence: found.next.unwrap_or_default(),
        is_completed: found.next.is_none(),
    }
}

fn page(of: Of<'_>, found: &Page) -> Reply {
    Reply::data(&MessagePage {
        message_list: found.messages.iter().map(|message| of.show(message)).collect(),
        next_req_message_id: found.next.map(|at| at.to_string()).unwrap_or_default(),
        is_completed: found.next.is_none(),
    })
}
