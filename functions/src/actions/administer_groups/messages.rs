//! What was said in a group, and what its members are told besides.

use hongyan_shared::{
    Error, Result,
    model::{GroupId, Message, Seq, UserId},
    protocol::{NoticeKind, WireNotice},
};

use super::{super::manage_group::World, members::roster_of};
use crate::{
    caller::Actor,
    store::{Consistency, Messages},
};

/// The messages of a group before that number, newest first, as many as are wanted or may be read; and whether that is all that
/// was wanted.
///
/// # Errors
/// [`Error::NoSuchGroup`], and [`Error::NotAllowedInGroup`] for anybody else than a business server.
pub async fn history(
    world: &World,
    actor: Actor<'_>,
    id: &GroupId,
    before: Seq,
    wanted: usize,
) -> Result<(Vec<Message>, bool)> {
    let access = actor.access(id).ok_or(Error::NotAllowedInGroup("a business server alone may do this"))?;
    world.log.messages.live_group(id).await?;
    let count = wanted.min(Messages::affordable(Consistency::Strong)).max(1);
    let key = access.log_key();
    let mut messages = world.log.messages.before(&key, before, count, Consistency::Strong).await?;
    let now = world.log.clock.now();
    messages.retain(|message| message.is_live(now));
    Ok((messages, count == wanted))
}

/// Tells members who have a connection something that is kept nowhere: these, or all of them if nobody is named.
///
/// # Errors
/// [`Error::NoSuchGroup`].
pub async fn notify(
    world: &World,
    actor: Actor<'_>,
    id: &GroupId,
    content: &str,
    to: &[UserId],
) -> Result<()> {
    let now = world.log.clock.now();
    let group = world.log.messages.live_group(id).await?;
    let roster = roster_of(world, &group).await?;
    let mut notice = WireNotice::new(NoticeKind::Custom, &group, actor.user, now);
    notice.user_defined_field = Some(content);
    let members = roster.members.keys().filter(|user| to.is_empty() || to.contains(user));
    world.log.audience.notice(members, None, notice).await;
    Ok(())
}
