//! `pinConversation`: a user wants a conversation on top of their list, or no longer.

use hongyan_shared::{
    Error, Result,
    model::{Pair, Stamp},
    protocol::{ConversationUpdate, Push},
};

use super::{super::groups::pinned_groups, World};
use crate::{
    caller::Actor,
    store::{MAX_PINS, Pinned},
};

/// Pins or unpins, and tells the actor's other devices.
///
/// # Errors
/// [`Error::NoSuchConversation`], and [`Error::TooManyPins`]. Several devices that pin at the same moment may get past
/// that.
pub async fn pin_conversation(world: &World, actor: Actor<'_>, pair: &Pair, is_pinned: bool) -> Result<()> {
    if is_pinned {
        let (pinned, has_groups) = world.conversations.pinned(pair.me()).await?;
        let groups = if has_groups {
            pinned_groups(&world.groups, pair.me(), world.clock.now()).await?.len()
        } else {
            0
        };
        if pinned.len().saturating_add(groups) >= MAX_PINS && !pinned.contains(pair.peer()) {
            return Err(Error::TooManyPins { at_most: MAX_PINS });
        }
    }
    let now = Stamp(world.clock.now());
    let (pinned, others) =
        tokio::join!(world.conversations.pin(pair, is_pinned, now), world.notifier.other_connections(actor));
    if pinned? == Pinned::Absent {
        return Err(Error::NoSuchConversation);
    }
    let update = ConversationUpdate::pinned(pair.conversation_id(), is_pinned);
    let push = Push::ConversationListUpdated([update]);
    world.notifier.deliver(&others, &push.frame()).await;
    Ok(())
}
