//! `sendMessage` to a group: one conditional write gives the message its number, and nothing is written per member.

use futures_util::future::try_join_all;
use hongyan_shared::{
    Error, Result,
    callback::{Asked, before_send_in_group},
    model::{Draft, Group, GroupId, LogTail, Member, Mentions, Message, Role, Verdict},
    protocol::Sending,
};
use tracing::warn;

use super::{
    super::{
        append::{TIMEOUT_MS, once_more},
        ask_before_sending::{ask_before_sending, with_callback_notes},
    },
    log::{GroupLog, Snapshot, TAIL},
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
    let draft = &with_callback_notes(log.business_server.as_ref(), actor, draft);
    let Sending::Stored { base } = sending else { return push_only(log, actor, group, draft).await };
    let mut deadline = log.clock.now().saturating_add(TIMEOUT_MS);
    let mut approved = None;
    while log.clock.now() < deadline {
        let snapshot = log.snapshot(group, actor).await?;
        let Snapshot { member, tail, .. } = &snapshot;
        if let Some(sent) = tail.find(draft) {
            return again(log, &snapshot, draft, sent.clone()).await;
        }
        may_speak(log, actor, &snapshot)?;
        is_not_crowded(log, tail)?;
        // What they tell of has happened before.
        match log.publish_stale(&snapshot).await {
            Ok(true) => continue,
            Ok(false) => {}
            // The next one who sends keeps it.
            Err(error) => warn!(%error, "what somebody has promised waits"),
        }
        if let Some(sent) = log.find_duplicate(member, tail, draft, base).await? {
            return again(log, &snapshot, draft, sent).await;
        }
        let written = match approved.take() {
            Some(approved) => approved,
            None => {
                let asked_at = log.clock.now();
                let preview = log.preview(tail, draft);
                let approved = approve(log, &snapshot.group, draft.clone(), &preview).await?;
                // That may have taken two seconds, which are none of the group's.
                deadline = deadline.saturating_add(log.clock.now().saturating_sub(asked_at));
                approved
            }
        };
        if written.callbacks.verdict == Verdict::Withheld {
            return Ok(written.online_only(log.clock.now()));
        }
        // Who is connected is looked up meanwhile: it may be some seconds old in any case.
        let (appended, present) = tokio::join!(
            log.append(member, tail, (draft, &written), base, deadline),
            log.audience.of(&snapshot.roster, Some(actor))
        );
        let Some(message) = appended? else {
            approved = Some(written);
            continue;
        };
        let (noted, ()) = tokio::join!(
            note(log, &snapshot, &message),
            log.tell(&present, &snapshot.roster, actor, &message)
        );
        noted?;
        return Ok(message);
    }
    Err(Error::Busy)
}

/// The draft as the business server, if there is one, lets it be sent; `message` is what would become of it. One that it withholds
/// is kept nowhere and handed to nobody: a log that all read has no place for what one alone may see.
async fn approve(log: &GroupLog, group: &Group, draft: Draft, message: &Message) -> Result<Draft> {
    match &log.business_server {
        Some(server) => {
            let call = before_send_in_group(group, message);
            ask_before_sending(server, draft, Asked::InGroup, &call).await
        }
        None => Ok(draft),
    }
}

/// The earlier attempt may have been cut off before it noted whom it concerns.
async fn again(log: &GroupLog, snapshot: &Snapshot, draft: &Draft, sent: Message) -> Result<Message> {
    let sent = once_more(draft, sent)?;
    note(log, snapshot, &sent).await?;
    Ok(sent)
}

/// What members have to know of a message who are not told: it is the sender's own, and it concerns these by name.
async fn note(log: &GroupLog, snapshot: &Snapshot, message: &Message) -> Result<()> {
    let Snapshot { group, roster, member, .. } = snapshot;
    let Mentions { users, all } = message.elem.mentions();
    let others = users.iter().filter(|user| *user != member.user() && roster.role(user).is_some());
    let named = others.map(|user| log.mine.mention(member, user, message.seq));
    let name_all = async { if *all { log.messages.mention_all(member, message.seq).await } else { Ok(()) } };
    let own = async {
        // A business server is in no group, and neither need be whom it speaks for.
        let is_member = roster.role(member.user()).is_some();
        if is_member { log.note_own(group, member, message).await } else { Ok(()) }
    };
    tokio::try_join!(own, try_join_all(named), name_all)?;
    Ok(())
}

async fn push_only(log: &GroupLog, actor: Actor<'_>, group: &GroupId, draft: &Draft) -> Result<Message> {
    let snapshot = log.snapshot(group, actor).await?;
    may_speak(log, actor, &snapshot)?;
    let message = draft.online_only(log.clock.now());
    let approved = approve(log, &snapshot.group, draft.clone(), &message).await?;
    let message = approved.online_only(log.clock.now());
    if approved.callbacks.verdict == Verdict::Withheld {
        return Ok(message);
    }
    let present: Present = log.audience.of(&snapshot.roster, Some(actor)).await;
    log.tell(&present, &snapshot.roster, actor, &message).await;
    Ok(message)
}

/// The operator may keep a user from speaking in any group, and a group its members from speaking in it. What a business server
/// says gets through all the same.
fn may_speak(log: &GroupLog, actor: Actor<'_>, Snapshot { group, roster, .. }: &Snapshot) -> Result<()> {
    if actor.is_administrator {
        return Ok(());
    }
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
    // Where the clock is behind what was sent long ago, one of the two is wrong, and says nothing of how much is sent.
    let since = oldest.and_then(|oldest| log.clock.now().checked_sub(oldest.time));
    if since.is_some_and(|since| since < CROWDED_MS) {
        return Err(Error::GroupTooFast { seconds: 1 });
    }
    Ok(())
}
