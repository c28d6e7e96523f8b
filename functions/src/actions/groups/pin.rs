//! Which groups a member has on top of their list.

use hongyan_shared::{
    Error, Result,
    model::{GroupId, UserId},
    protocol::{ConversationUpdate, Push},
};

use super::not_in_it;
use crate::{
    caller::Actor,
    notify::Notifier,
    store::{MAX_PINS, MyGroups},
};

/// Pins or unpins, and tells the actor's other devices.
///
/// # Errors
/// [`Error::NotAllowedInGroup`], [`Error::TooManyPins`].
pub async fn pin(
    mine: &MyGroups,
    notifier: &Notifier,
    actor: Actor<'_>,
    group: &GroupId,
    is_pinned: bool,
    pinned_peers: usize,
    now_ms: u64,
) -> Result<()> {
    if is_pinned {
        let pinned = pinned_groups(mine, actor.user, now_ms).await?;
        if pinned_peers.saturating_add(pinned.len()) >= MAX_PINS && !pinned.contains(group) {
            return Err(Error::TooManyPins { at_most: MAX_PINS });
        }
    }
    let (done, others) =
        tokio::join!(mine.pin(actor.user, group, is_pinned), notifier.other_connections(actor));
    not_in_it(done?.then_some(()))?;
    let push =
        Push::ConversationListUpdated([ConversationUpdate::pinned(group.conversation_id(), is_pinned)]);
    notifier.deliver(&others, &push.frame()).await;
    Ok(())
}

/// Which of their groups a user keeps on top.
///
/// # Errors
/// [`Error::Throttled`] when one request may not look at all of them.
pub async fn pinned_groups(mine: &MyGroups, user: &UserId, now_ms: u64) -> Result<Vec<GroupId>> {
    let (mut pinned, mut after) = (Vec::new(), None);
    loop {
        // At least one: where nothing is left, reading it says so.
        let at_most = MyGroups::affordable(0).max(1);
        let (part, goes_on) = mine.all(user, after.as_ref(), at_most, now_ms).await?;
        let last = part.last().map(|(member, _)| member.group().clone());
        let on_top = part.into_iter().filter(|(_, mine)| mine.is_pinned);
        pinned.extend(on_top.map(|(member, _)| member.group().clone()));
        match last.filter(|_| goes_on) {
            Some(last) => after = Some(last),
            None => return Ok(pinned),
        }
    }
}
