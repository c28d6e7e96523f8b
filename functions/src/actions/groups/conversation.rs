//! What a member does to the conversation of a group: how far they have read it, what they want out of their sight, whether it is
//! on top; and messages that are taken back.

use std::sync::Arc;

use hongyan_shared::{
    Error, Result,
    model::{
        Address, Group, GroupId, LogTail, Mark, Membership, Message, MyGroup, Op, ReadMarker, Role, Roster,
        Seq, TIP, UserId, group_marker, may,
    },
    protocol::{ConversationUpdate, Push},
};

use super::{super::look_up_to, log::TAIL};
use crate::{
    audience::Audience,
    caller::Actor,
    clock::Clock,
    notify::Notifier,
    store::{Consistency, GroupTail, MAX_PINS, Messages, MyGroups, Recalled, Rosters, membership},
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
/// [`Error::NoSuchGroup`], [`Error::NotAllowedInGroup`].
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

pub(super) fn not_in_it<T>(found: Option<T>) -> Result<T> {
    found.ok_or(Error::NotAllowedInGroup("you are not a member of it: join it first"))
}

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
