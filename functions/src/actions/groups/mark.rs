//! How far a member has read a group, has cleared it, or has it out of their list.

use hongyan_shared::{
    Result,
    model::{Group, GroupId, LogTail, Mark, Membership, MyGroup, ReadMarker, Seq, UserId, group_marker},
    protocol::{ConversationUpdate, Push},
};

use super::{super::look_up_to, log::TAIL, not_in_it};
use crate::{
    caller::Actor,
    clock::Clock,
    notify::Notifier,
    store::{Consistency, GroupTail, Messages, MyGroups},
};

/// Up to where a mark is, and what is unread then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cleared {
    /// How far the user has read.
    pub read: Seq,
    /// How far they have cleared it.
    pub cleared: Seq,
    /// How far it is out of their list.
    pub unlisted: Seq,
    /// What is unread.
    pub unread: u64,
}

/// What it takes to mark.
pub struct Marking<'a> {
    /// The logs.
    pub messages: &'a Messages,
    /// What members have of them.
    pub mine: &'a MyGroups,
    /// The way to their devices.
    pub notifier: &'a Notifier,
    /// The time.
    pub clock: &'a Clock,
}

/// Moves a mark forward, to the last message at the most, and tells the actor's other devices. Who is not in the group finds no
/// row to move it in.
///
/// # Errors
/// [`hongyan_shared::Error::NoSuchGroup`], [`hongyan_shared::Error::NotAllowedInGroup`].
pub async fn mark(
    world: Marking<'_>,
    actor: Actor<'_>,
    group: &GroupId,
    mark: Mark,
    named: Option<Seq>,
) -> Result<Cleared> {
    let now = world.clock.now();
    let look = |consistency| world.messages.live_group_tail(group, TAIL, consistency, now);
    let (looked_up, others) =
        tokio::join!(look_up_to(named, look, GroupTail::last_seq), world.notifier.other_connections(actor));
    let (found, named) = looked_up?;
    let marker = match found.marker_up_to(named) {
        Some(marker) => Some(marker),
        None if named > Seq(0) => marker_before(&world, actor.user, group, named).await?,
        None => None,
    };
    // Who is not in it has no row in which a mark could move.
    let mine = match marker {
        Some(marker) => world.mine.advance(actor.user, group, mark, marker, now).await?,
        None => world.mine.of(actor.user, group, Consistency::Strong, now).await?,
    };
    let (member, mine) = not_in_it(mine)?;
    let (group_state, tail) = (found.group.clone(), found.open(&member));
    let unread = unread(&world, &group_state, &member, &mine, &tail).await?;
    let state = mine.state;
    if state.at(mark).seq == named {
        let update = ConversationUpdate::marked(group.conversation_id(), mark, named, Some(unread));
        let push = Push::ConversationListUpdated([update]);
        world.notifier.deliver(&others, &push.frame()).await;
    }
    Ok(Cleared { read: state.read.seq, cleared: state.cleared.seq, unlisted: state.unlisted.seq, unread })
}

/// The marker of a message that is not among the newest.
async fn marker_before(
    world: &Marking<'_>,
    user: &UserId,
    group: &GroupId,
    named: Seq,
) -> Result<Option<ReadMarker>> {
    let now = world.clock.now();
    let (member, _) = not_in_it(world.mine.of(user, group, Consistency::Strong, now).await?)?;
    let found = world.messages.before(&member.log_key(), named.next(), 1, Consistency::Strong).await?;
    Ok(found.into_iter().find(|message| message.is_live(now)).map(|message| group_marker(&message)))
}

/// How much is unread, when the end of the log is this.
async fn unread(
    world: &Marking<'_>,
    group: &Group,
    member: &Membership,
    mine: &MyGroup,
    tail: &LogTail,
) -> Result<u64> {
    let oldest = world.messages.oldest_unread(member, mine, tail, world.clock.now()).await?.flatten();
    Ok(mine.unread(group.kind, tail.last(), oldest.as_ref()))
}
