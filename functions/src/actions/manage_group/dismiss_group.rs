//! `dismissGroup`: a group ends.

use hongyan_shared::{
    Error, Result,
    model::{GroupId, Op, may},
    protocol::{NoticeKind, WireNotice},
};

use super::{
    World,
    change::{ATTEMPTS, back_off},
};
use crate::caller::Actor;

/// Ends a group. Its owner, and a business server, may say so again.
///
/// # Errors
/// [`Error::NoSuchGroup`], [`Error::NotAllowedInGroup`], [`Error::GroupBusy`].
pub async fn dismiss_group(world: &World, actor: Actor<'_>, id: &GroupId) -> Result<()> {
    for attempt in 0..ATTEMPTS {
        back_off(attempt).await;
        let now = world.log.clock.now();
        let group = world.log.messages.group(id).await?.ok_or(Error::NoSuchGroup)?;
        if group.dismissed_at.is_some() {
            let may_know = actor.is_administrator || group.owner.as_ref() == Some(actor.user);
            return if may_know { Ok(()) } else { Err(Error::NoSuchGroup) };
        }
        let roster = world.log.rosters.of(id, group.version).await?;
        may(group.kind, actor.who(&roster), Op::Dismiss)?;
        match world.log.messages.dismiss(&group, now).await {
            Ok(true) => {
                let notice = WireNotice::new(NoticeKind::Dismissed, &group, actor.user, now);
                world.log.audience.notice(roster.members.keys(), Some(actor), notice).await;
                return Ok(());
            }
            Ok(false) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::GroupBusy)
}
