//! `sendMessage` to a group: one conditional write gives the message its number, and nothing is written per member.

use futures_util::future::try_join_all;
use hongyan_shared::{
    Error, Result,
    model::{Draft, GroupId, LogTail, Member, Mentions, Message, Role},
    protocol::Sending,
};
use tracing::warn;

use super::{
    super::append::{TIMEOUT_MS, once_more},
    log::{Entered, GroupLog, TAIL},
};
use crate::{audience::Present, caller::Actor};

/// A group takes as many messages as its tail has within so long.
const CROWDED_MS: u64 = 300;

/// Persists, then notes and pushes, then returns the message as it is stored. What is for those who are online is not
/// persisted.
///
/// # Errors
/// A group that the sender is not in, or may not speak in; a `base` that says too little; too many messages.
pub async fn send_to_group(
    log: &GroupLog,
    actor: Actor<'_>,
    group: &GroupId,
    draft: &Draft,
    sending: Sending,
) -> Result<Message> {
    let Sending::Stored { base } = sending else { return hand_on(log, actor, group, draft).await };
    let deadline = log.clock.now().saturating_add(TIMEOUT_MS);
    while log.clock.now() < deadline {
        let entered = log.enter(group, actor.user).await?;
        let Entered { member, tail, .. } = &entered;
        if let Some(sent) = tail.find(draft) {
            return again(log, &entered, draft, sent.clone()).await;
        }
        may_speak(log, actor, &entered)?;
        is_not_crowded(log, tail)?;
        // What they tell of has happened before.
        match log.keep_broken(&entered).await {
            Ok(true) => continue,
            Ok(false) => {}
            // The next one who sends keeps it.
            Err(error) => warn!(%error, "what somebody has promised waits"),
        }
        if let Some(sent) = log.find_duplicate(member, tail, draft, base).await? {
            return again(log, &entered, draft, sent).await;
        }
        // Who is connected is looked up meanwhile: it may be some seconds old in any case.
        let (appended, present) = tokio::join!(
            log.append(member, tail, draft, base, deadline),
            log.audience.of(&entered.roster, Some(actor))
        );
        let Some(message) = appended? else { continue };
        let (noted, ()) =
            tokio::join!(note(log, &entered, &message), log.tell(&present, &entered.roster, actor, &message));
        noted?;
        return Ok(message);
    }
    Err(Error::Busy)
}

/// The earlier attempt may have been cut off before it noted whom it concerns.
async fn again(log: &GroupLog, entered: &Entered, draft: &Draft, sent: Message) -> Result<Message> {
    let sent = once_more(draft, sent)?;
    note(log, entered, &sent).await?;
    Ok(sent)
}

/// What members have to know of a message who are not told: it is the sender's own, and it concerns these by name.
async fn note(log: &GroupLog, entered: &Entered, message: &Message) -> Result<()> {
    let Entered { group, roster, member, .. } = entered;
    let Mentions { users, all } = message.elem.mentions();
    let others = users.iter().filter(|user| *user != member.user() && roster.role(user).is_some());
    let named = others.map(|user| log.mine.mention(member, user, message.seq));
    let name_all = async { if *all { log.messages.mention_all(member, message.seq).await } else { Ok(()) } };
    tokio::try_join!(log.note_own(group, member, message), try_join_all(named), name_all)?;
    Ok(())
}

async fn hand_on(log: &GroupLog, actor: Actor<'_>, group: &GroupId, draft: &Draft) -> Result<Message> {
    let entered = log.enter(group, actor.user).await?;
    may_speak(log, actor, &entered)?;
    let present: Present = log.audience.of(&entered.roster, Some(actor)).await;
    let message = draft.online_only(log.clock.now());
    log.tell(&present, &entered.roster, actor, &message).await;
    Ok(message)
}

/// The operator may keep a user from speaking in any group, and a group its members from speaking in it.
fn may_speak(log: &GroupLog, actor: Actor<'_>, Entered { group, roster, .. }: &Entered) -> Result<()> {
    let now = log.clock.now();
    if now / 1000 < actor.mute().group {
        return Err(Error::MutedInGroup);
    }
    let is_muted = |member: &Member| {
        member.is_muted(now) && member.role < Role::Owner || group.info.mutes_all && member.role < Role::Admin
    };
    if roster.members.get(actor.user).is_some_and(is_muted) {
        return Err(Error::MutedInGroup);
    }
    Ok(())
}

fn is_not_crowded(log: &GroupLog, tail: &LogTail) -> Result<()> {
    let oldest = tail.messages.get(TAIL - 1);
    let since = oldest.map(|oldest| log.clock.now().saturating_sub(oldest.time));
    if since.is_some_and(|since| since < CROWDED_MS) {
        return Err(Error::GroupTooFast { seconds: 1 });
    }
    Ok(())
}
