//! A user's groups in the list of their conversations. They are few, and each is looked up every time: nothing is written per member
//! when a message comes.

use futures_util::future::{join_all, try_join_all};
use hongyan_shared::{
    Error, Result,
    model::{Group, GroupId, LogTail, Membership, Mention, Message, MyGroup, Seq, UserId},
    protocol::{WireGroup, WireMessage},
};
use tracing::warn;

use crate::{
    clock::Clock,
    store::{Consistency, GroupTail, Messages, MyGroups, allowance},
};

/// How many groups are looked at at once.
const MAX_CONCURRENCY: usize = 32;

/// How many rows of groups one request looks at, at most.
const MAX_GROUPS: usize = 100;

/// How many read units are left to the conversations behind the groups, or to the groups themselves when their rows are read.
const KEPT: u64 = 16;

/// How many groups that were dismissed a request lets go of.
const MAX_FORGOTTEN: usize = 10;

/// What there is to say about a conversation besides its last message and the group, in bytes of a reply.
const OTHER_BYTES: usize = 300;

/// A group of the list.
pub struct ListedGroup {
    /// The group.
    pub group: Group,
    /// What the user has of it.
    pub mine: MyGroup,
    /// The number of its last message.
    pub last: Seq,
    /// When that was sent, in milliseconds; 0 if there is none.
    pub last_time: u64,
    /// How many messages are unread.
    pub unread: u64,
    /// Which of them concern the user by name.
    pub mentions: Vec<Mention>,
    /// The newest message that the user sees.
    pub shown: Option<Message>,
}

/// Some of a user's groups.
#[derive(Default)]
pub struct ListedGroups {
    /// By their IDs.
    pub groups: Vec<ListedGroup>,
    /// Up to which one of all that the user is in, if there was any.
    pub end: Option<GroupId>,
    /// Whether there are more, or may be.
    pub go_on: bool,
}

/// What it takes to look at them.
pub struct Listing<'a> {
    /// The logs.
    pub messages: &'a Messages,
    /// What members have of them.
    pub mine: &'a MyGroups,
    /// The time.
    pub clock: &'a Clock,
}

/// A user's groups behind that one, as many as may be read and have room in so many bytes.
pub async fn list_groups(
    world: &Listing<'_>,
    me: &UserId,
    after: Option<&GroupId>,
    room: usize,
) -> Result<ListedGroups> {
    let at_most = MyGroups::affordable(KEPT).clamp(1, MAX_GROUPS);
    let (rows, go_on) = world.mine.all(me, after, at_most, world.clock.now()).await?;
    let mut listed = look_up(world, &rows, room).await?;
    listed.go_on |= go_on;
    Ok(listed)
}

/// Those of these groups that the user is in, as many as may be read and have room in so many bytes.
pub async fn named_groups(
    world: &Listing<'_>,
    me: &UserId,
    groups: &[GroupId],
    room: usize,
) -> Result<ListedGroups> {
    let mut named = groups.to_vec();
    named.sort_unstable();
    let (rows, go_on) = world.mine.among(me, &named, KEPT, world.clock.now()).await?;
    let ListedGroups { groups, go_on: more, .. } = look_up(world, &rows, room).await?;
    // Where they end is no place in the list.
    Ok(ListedGroups { groups, end: None, go_on: go_on || more })
}

async fn look_up(
    world: &Listing<'_>,
    rows: &[(Membership, MyGroup)],
    mut room: usize,
) -> Result<ListedGroups> {
    let mut listed = ListedGroups::default();
    let (mut seen, mut dismissed) = (0_usize, Vec::new());
    'waves: while seen < rows.len() {
        let each = Messages::group_tail_units(Consistency::Eventual);
        let left = allowance::read_units_left().saturating_sub(if seen == 0 { 0 } else { KEPT });
        let affordable = usize::try_from(left / each).unwrap_or(MAX_CONCURRENCY).min(MAX_CONCURRENCY);
        let wave = rows.get(seen..).unwrap_or_default();
        let wave = wave.get(..affordable).unwrap_or(wave);
        if wave.is_empty() || room == 0 {
            listed.go_on = true;
            break;
        }
        seen = seen.saturating_add(wave.len());
        let looked_at = wave.iter().map(async |(member, mine)| {
            let now = world.clock.now();
            let found = world.messages.group_tail(member.group(), 1, Consistency::Eventual, now).await?;
            Ok::<_, Error>((member, mine, found))
        });
        for (member, mine, found) in try_join_all(looked_at).await? {
            let found = match found {
                None if allowance::read_units_left() < Messages::group_tail_units(Consistency::Strong) => {
                    listed.go_on = true;
                    break 'waves;
                }
                None => new_group(world, member).await?,
                found => found,
            };
            let before = listed.end.replace(member.group().clone());
            let Some(found) = found else { continue };
            if found.group.dismissed_at.is_some() {
                dismissed.push(member);
                continue;
            }
            let (group, tail) = (found.group.clone(), found.open(member));
            let oldest = world.messages.oldest_unread(member, mine, &tail, world.clock.now()).await?;
            if oldest.is_none() && !listed.groups.is_empty() {
                // The next request has as much as it takes to tell what is unread.
                (listed.end, listed.go_on) = (before, true);
                break 'waves;
            }
            let oldest = oldest.flatten();
            let unread = mine.unread(group.kind, tail.last(), oldest.as_ref());
            let mentions = mine.unread_mentions(member.user(), group.mentioned_all.as_ref());
            let shown = shown(world, member, mine, &tail).await?;
            let message =
                shown.as_ref().map_or(0, |message| WireMessage::in_group(&group.id, message).size());
            let size = WireGroup::new(&group, tail.last_seq()).size();
            room = room.saturating_sub(size.saturating_add(message).saturating_add(OTHER_BYTES));
            listed.groups.push(ListedGroup {
                last: tail.last_seq(),
                last_time: tail.last().map_or(0, |last| last.time),
                group,
                mine: mine.clone(),
                unread,
                mentions,
                shown,
            });
        }
    }
    let forgotten = dismissed
        .into_iter()
        .take(MAX_FORGOTTEN)
        .map(|member| world.mine.forget(member.user(), member.group()));
    for failed in join_all(forgotten).await.into_iter().filter_map(Result::err) {
        warn!(%failed, "a group that was dismissed stays in a list until the next time");
    }
    Ok(listed)
}

/// A group that a read which may be a second old does not know. Its member's row was written with it, so it is there.
async fn new_group(world: &Listing<'_>, member: &Membership) -> Result<Option<GroupTail>> {
    world.messages.group_tail(member.group(), 1, Consistency::Strong, world.clock.now()).await
}

/// The newest message that the user may see, and its sender has not excluded.
async fn shown(
    world: &Listing<'_>,
    member: &Membership,
    mine: &MyGroup,
    tail: &LogTail,
) -> Result<Option<Message>> {
    let hidden = mine.hidden_up_to();
    let Some(last) = tail.last().filter(|last| last.listed > hidden) else { return Ok(None) };
    if last.listed == last.seq {
        return Ok(Some(last.clone()));
    }
    if Messages::affordable(Consistency::Eventual) == 0 {
        return Ok(None);
    }
    let before =
        world.messages.before(&member.log_key(), last.listed.next(), 1, Consistency::Eventual).await?;
    Ok(before.into_iter().find(|message| message.seq == last.listed && message.is_live(world.clock.now())))
}
