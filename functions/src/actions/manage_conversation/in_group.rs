//! The same verbs where the conversation is a group's.

use hongyan_shared::{
    Result,
    model::{GroupId, Mark, Message, Seq},
};

use super::{
    super::groups::{Cleared, Marking, Recalling, mark, pin, revoke},
    World,
};
use crate::caller::Actor;

/// Clears a group for the actor alone, or takes it out of the list, and tells their other devices.
///
/// # Errors
/// A group that the actor is not in.
pub async fn delete_group_conversation(
    world: &World,
    actor: Actor<'_>,
    group: &GroupId,
    up_to: Option<Seq>,
    keeps_history: bool,
) -> Result<Cleared> {
    let World { messages, groups, notifier, clock, .. } = world;
    let marking = Marking { messages, mine: groups, notifier, clock };
    let which = if keeps_history { Mark::Unlisted } else { Mark::Cleared };
    mark(marking, actor, group, which, up_to).await
}

/// Pins or unpins a group, and tells the actor's other devices.
///
/// # Errors
/// A group that the actor is not in; [`hongyan_shared::Error::TooManyPins`].
pub async fn pin_group(world: &World, actor: Actor<'_>, group: &GroupId, is_pinned: bool) -> Result<()> {
    let peers = if is_pinned { world.conversations.pinned(actor.user).await?.0.len() } else { 0 };
    let now = world.clock.now();
    pin(&world.groups, &world.notifier, actor, group, is_pinned, peers, now).await
}

/// Recalls a message of a group, and tells all of it.
///
/// # Errors
/// A group that the actor is not in; a message that is not there, not theirs to recall, or too old.
pub async fn revoke_group_message(
    world: &World,
    actor: Actor<'_>,
    group: &GroupId,
    seq: Seq,
) -> Result<Message> {
    let World { messages, rosters, audience, recall_seconds, clock, .. } = world;
    let recalling = Recalling { messages, rosters, audience, recall_seconds: *recall_seconds, clock };
    revoke(recalling, actor, group, seq).await
}
