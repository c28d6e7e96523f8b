//! A message of a group is taken back.

use std::sync::Arc;

use hongyan_shared::{
    Error, Result,
    model::{Address, GroupId, Message, Op, Role, Roster, Seq, TIP, may},
};

use crate::{
    audience::Audience,
    caller::Actor,
    clock::Clock,
    store::{Messages, Recalled, Rosters, membership},
};

/// What it takes to recall.
pub struct Recalling<'a> {
    /// The logs.
    pub messages: &'a Messages,
    /// Who is in which group.
    pub rosters: &'a Rosters,
    /// The way to their devices.
    pub audience: &'a Audience,
    /// For how long a sender may.
    pub recall_seconds: u64,
    /// The time.
    pub clock: &'a Clock,
}

/// Recalls a message: its sender for some time, and at any time the owner and the admins, of those below them, and a business
/// server. All are told.
///
/// # Errors
/// [`Error::NoSuchGroup`], [`Error::NotAllowedInGroup`], [`Error::NoSuchGroupMessage`], [`Error::GroupRecallTooLate`].
pub async fn revoke(world: Recalling<'_>, actor: Actor<'_>, group: &GroupId, seq: Seq) -> Result<Message> {
    let now = world.clock.now();
    let state = world.messages.live_group(group).await?;
    let roster: Arc<Roster> = world.rosters.of(group, state.version).await?;
    may(state.kind, actor.who(&roster), Op::Speak)?;
    let member = membership(&roster, actor.user).or_else(|| actor.access(group)).ok_or(Error::NoSuchGroup)?;
    let key = member.log_key();
    let recall_seconds = if actor.is_administrator { u64::MAX } else { world.recall_seconds };
    let oldest = now.saturating_sub(recall_seconds.saturating_mul(1000));
    let own = world.messages.revoke(&key, actor.user, Address::Number(seq), oldest, now).await?;
    let recalled = match own {
        Recalled::Refused(Some(message)) if message.elem.kind() == TIP => {
            return Err(Error::NotAllowedInGroup("a tip is not recalled"));
        }
        Recalled::Refused(Some(message)) if message.from != *actor.user => {
            // Who has left is a member to those who look after the group.
            let author = roster.role(&message.from).unwrap_or(Role::Member);
            may(state.kind, actor.who(&roster), Op::Recall(author))?;
            world.messages.revoke_as(&key, (&message.from, actor.user), seq, now).await?
        }
        own => own,
    };
    match recalled {
        Recalled::Now(message) => {
            let present = world.audience.of(&roster, Some(actor)).await;
            world.audience.recalled(&present, &roster, actor, &message).await;
            Ok(message)
        }
        Recalled::Refused(None) => Err(Error::NoSuchGroupMessage),
        Recalled::Refused(Some(message)) if message.revoked_at.is_some() => Ok(message),
        Recalled::Refused(Some(_)) => Err(Error::GroupRecallTooLate),
    }
}
