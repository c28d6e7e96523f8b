//! `getMessageList` of a group: pages and ranges, from behind where the user came and what they have cleared.

use hongyan_shared::{
    Error, Result,
    model::{Address, GroupId, LogKey, Message, MyGroup, Position, Seq, UserId},
    protocol::{PageCursor, RANGE_SIZE, WireMessage},
};

use super::{
    super::get_message_list::{Page, Range, Room, World},
    not_in_it,
};
use crate::store::{Consistency, Messages};

/// How many messages have to be affordable for another range to be worth a look.
const AFFORDABLE: usize = 2;

/// The newest messages.
pub async fn newest(world: &World, me: &UserId, group: &GroupId, room: Room) -> Result<Page> {
    page(world, me, group, Seq(u64::MAX), room).await
}

/// The newest messages before those that an earlier page has shown. What the user may not see is not the cursor's to say.
pub async fn before(world: &World, me: &UserId, group: &GroupId, at: PageCursor, room: Room) -> Result<Page> {
    match at.before {
        Address::Number(before) => page(world, me, group, before, room).await,
        // Nothing is imported into a group.
        Address::Imported(_) => {
            Err(Error::BadRequest("`nextReqMessageID` must be the one of the previous page".to_owned()))
        }
    }
}

async fn page(world: &World, me: &UserId, group: &GroupId, before: Seq, room: Room) -> Result<Page> {
    let now = world.clock.now();
    let (key, mine) = mine(world, me, group).await?;
    let hidden = mine.hidden_up_to();
    let mut found = world.messages.before(&key, before, room.messages, Consistency::Eventual).await?;
    found.retain(|message| message.is_live(now));
    let looked_at_all = found.len() == room.messages;
    let mut oldest = found.last().map(|oldest| oldest.seq).filter(|_| looked_at_all);
    found.retain(|message| message.seq > hidden);
    let fitting = how_many_fit(group, &found, room);
    if fitting < found.len() {
        found.truncate(fitting);
        oldest = found.last().map(|oldest| oldest.seq);
    }
    let next = oldest.filter(|oldest| *oldest > hidden.next());
    found.reverse();
    let next = next.and_then(|before| PageCursor::new(Address::Number(before), Position::default()));
    Ok(Page { messages: found, next })
}

/// All messages from one number to another, to fill a gap.
pub async fn range(
    world: &World,
    me: &UserId,
    group: &GroupId,
    (from, to): (Seq, Seq),
    room: Room,
) -> Result<Range> {
    let (key, mine) = mine(world, me, group).await?;
    let from = from.max(mine.hidden_up_to().next());
    if from > to {
        return Ok(Range { messages: Vec::new(), next: None });
    }
    let now = world.clock.now();
    let part = world.messages.range(&key, from, to, room.messages, room.bytes, now).await?;
    let mut messages = part.messages;
    let next = match how_many_fit(group, &messages, room) {
        fitting if fitting < messages.len() => messages.drain(fitting..).next().map(|message| message.seq),
        _ => part.next,
    };
    Ok(Range { messages, next })
}

/// The messages of several ranges, as far as they may be read and have room in so many bytes. Where the user is not in the group
/// there is nothing for them.
pub async fn ranges(
    world: &World,
    me: &UserId,
    wanted: &[(GroupId, Seq, Seq)],
    mut bytes: usize,
) -> Result<Vec<Range>> {
    let mut found = Vec::new();
    for (group, from, to) in wanted {
        let nothing = |next| Range { messages: Vec::new(), next };
        if bytes == 0 || Messages::affordable(Consistency::Strong) < AFFORDABLE {
            found.push(nothing(Some(*from)));
            continue;
        }
        let room = Room { messages: RANGE_SIZE, bytes };
        let range = match range(world, me, group, (*from, *to), room).await {
            Err(Error::NotAllowedInGroup(_)) => nothing(None),
            range => range?,
        };
        let size = |message| WireMessage::in_group(group, message).size();
        bytes = bytes.saturating_sub(range.messages.iter().map(size).sum());
        found.push(range);
    }
    Ok(found)
}

async fn mine(world: &World, me: &UserId, group: &GroupId) -> Result<(LogKey, MyGroup)> {
    let mine = world.groups.of(me, group, Consistency::Strong, world.clock.now()).await?;
    let (member, mine) = not_in_it(mine)?;
    Ok((member.log_key(), mine))
}

fn how_many_fit(group: &GroupId, messages: &[Message], room: Room) -> usize {
    room.how_many(messages, |message| WireMessage::in_group(group, message).size())
}
