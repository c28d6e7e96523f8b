//! `getConversationList`: conversations with their last message, unread count and marks, newest first. `login` has the
//! first page of it.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join_all, try_join_all};
use hongyan_shared::{
    Error, Result,
    model::{Address, GroupId, LEEWAY_MS, Message, OneToOne, Pair, Profile, Stamp, UserId},
    protocol::{ListCursor, PAGE_SIZE, WireMessage},
};
use tracing::warn;

use super::groups::{ListedGroups, Listing, list_groups, named_groups};
use crate::{
    clock::Clock,
    config::{Config, Configured},
    store::{
        Consistency, ConversationEntry, Conversations, ListPart, MAX_PINS, Messages, MyGroups, Place, Users,
        allowance,
    },
};

/// How many conversations are looked at at once.
const MAX_CONCURRENCY: usize = 32;

/// How many messages are looked at when the last one is not to be shown: few at first.
const LOOKS: [usize; 2] = [2, PAGE_SIZE - 2];

/// How many are left to be read until the first conversation is complete, so that every reply has one: all
/// of those, and ten more to find what has expired unread.
const KEPT_FOR_THE_FIRST: usize = PAGE_SIZE + 10;

/// How many conversations a request takes out of the list, in which there is nothing to show any more.
const MAX_TAKEN_OUT: usize = 10;

/// What there is to say about a conversation besides its last message, in bytes of a reply.
const OTHER_BYTES: usize = 300;

/// Which conversations are wanted.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// So many of the list, besides those that are pinned, from its beginning or from there on.
    Page(Option<&'a ListCursor>, usize),
    /// The same from the beginning, with nothing missing that was written before the request.
    Newest(usize),
    /// What changed since that second, so many, with nothing missing either, and others that are named.
    Since(u64, usize, &'a [UserId]),
    /// Those that are named.
    Named(&'a [UserId], &'a [GroupId]),
}

/// A part of the list.
#[derive(Default)]
pub struct Part {
    /// The user's groups, which come first.
    pub groups: ListedGroups,
    /// What was looked up.
    pub listed: Vec<Listed>,
    /// Whether the list goes on behind it.
    pub goes_on: bool,
    /// Profiles, with the time of their last change.
    pub profiles: BTreeMap<UserId, (Profile, u64)>,
    /// If the list does not go on: from which second on nothing is missing.
    pub complete_from: u64,
    /// When it was asked for, in milliseconds.
    pub asked_at: u64,
}

/// A conversation of the list, and what there is to say about it.
pub struct Listed {
    /// Its users, and its end. A conversation without a message was opened and never used, or retention has
    /// emptied it.
    pub conversation: OneToOne,
    /// How many messages are unread.
    pub unread: u64,
    /// The newest message that the user sees.
    pub shown: Option<Message>,
    /// The user keeps it on top.
    pub is_pinned: bool,
    /// Where it is in the list, unless it was named.
    pub place: Option<Place>,
}

/// What it takes to list conversations.
pub struct World {
    messages: Messages,
    groups: MyGroups,
    conversations: Conversations,
    users: Users,
    clock: Clock,
}

/// What is to be looked up.
struct Entry {
    pair: Pair,
    is_pinned: bool,
    consistency: Consistency,
    needs_profile: bool,
    /// Unless it was named.
    row: Option<ConversationEntry>,
}

/// All that is to be looked up.
#[derive(Default)]
struct Entries {
    entries: Vec<Entry>,
    /// The list has more behind them.
    goes_on: bool,
    /// The user is in groups, or was.
    has_groups: bool,
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            messages: Messages::new(config)?,
            groups: MyGroups::new(config)?,
            conversations: Conversations::new(config)?,
            users: Users::new(config)?,
            clock: config.clock.clone(),
        })
    }
}

/// Returns conversations of the list in its order, and before them those that are named: as many as may be read, and not
/// much more than have room in so many bytes. The user's own profile is among the others if the newest are wanted.
pub async fn get_conversation_list(
    world: &World,
    me: &UserId,
    wanted: Wanted<'_>,
    room: usize,
) -> Result<Part> {
    let now = world.clock.now();
    let Entries { entries, goes_on, has_groups } = entries(world, me, wanted, now).await?;
    let complete_from = if let Wanted::Since(second, ..) = wanted { second } else { 0 };
    let mut part = Part { goes_on, complete_from, asked_at: now, ..Part::default() };
    let listing = Listing { messages: &world.messages, mine: &world.groups, clock: &world.clock };
    part.groups = match wanted {
        Wanted::Named(_, groups) => named_groups(&listing, me, groups, room).await?,
        Wanted::Page(Some(ListCursor::Group(after)), _) => {
            list_groups(&listing, me, Some(after), room).await?
        }
        // Who goes on behind a conversation of two has passed them.
        Wanted::Page(Some(ListCursor::Peer { .. }), _) => ListedGroups::default(),
        _ if has_groups => list_groups(&listing, me, None, room).await?,
        _ => ListedGroups::default(),
    };
    if part.groups.go_on && !matches!(wanted, Wanted::Named(..)) {
        // The others are next.
        part.goes_on = true;
        return Ok(part);
    }
    let own = if matches!(wanted, Wanted::Newest(_)) { Some(me) } else { None };
    look_up(world, &entries, own, room, &mut part).await?;
    part.goes_on |= part.listed.len() < entries.len();
    take_out(world, me, &entries, &part, now).await;
    Ok(part)
}

/// The conversations to be looked up, and whether the list has more behind them.
async fn entries(world: &World, me: &UserId, wanted: Wanted<'_>, now: u64) -> Result<Entries> {
    let (after, count, since, named) = match wanted {
        Wanted::Page(after, count) => (after, count, None, &[][..]),
        Wanted::Newest(count) => (None, count, None, &[][..]),
        Wanted::Since(second, count, named) => (None, count, Some(second.saturating_mul(1000)), named),
        Wanted::Named(named, _) => (None, 0, None, named),
    };
    let is_whole = matches!(wanted, Wanted::Newest(_) | Wanted::Since(..));
    let of = |peer: &UserId, is_pinned| {
        Ok::<_, Error>(Entry {
            pair: Pair::of(me, peer)?,
            is_pinned,
            consistency: Consistency::Eventual,
            needs_profile: since.is_none(),
            row: None,
        })
    };
    if let Wanted::Named(..) = wanted {
        if named.is_empty() {
            return Ok(Entries::default());
        }
        let (pinned, _) = world.conversations.pinned(me).await?;
        let named = named.iter().map(|peer| of(peer, pinned.contains(peer)));
        return Ok(Entries { entries: named.collect::<Result<_>>()?, ..Entries::default() });
    }
    let after = after.and_then(|cursor| match cursor {
        ListCursor::Peer { place, peer } => Some((Place(*place), peer)),
        ListCursor::Group(_) => None,
    });
    // What is pinned comes first in any case.
    let pins = if after.is_some_and(|(place, _)| !place.is_pinned()) { 0 } else { MAX_PINS };
    let above = since.map(Stamp::before_changes_since);
    let consistency = if is_whole { Consistency::Strong } else { Consistency::Eventual };
    let ListPart { entries: mut rows, mut goes_on, has_groups } =
        world.conversations.list(me, after, above, pins.saturating_add(count), consistency).await?;
    let mut others = 0_usize;
    let end = rows.iter().position(|row| {
        others = others.saturating_add(usize::from(!row.place.is_pinned()));
        others > count
    });
    if let Some(end) = end {
        rows.truncate(end);
        goes_on = true;
    }
    let pinned: BTreeSet<UserId> =
        rows.iter().filter(|row| row.place.is_pinned()).map(|row| row.peer.clone()).collect();
    // What is pinned is always returned, changed or not.
    rows.retain(|row| above.is_none_or(|above| row.place.stamp() > above));
    let is_listed = |peer: &UserId| rows.iter().any(|row| row.peer == *peer);
    let mut entries: Vec<Entry> = named
        .iter()
        .filter(|peer| !is_listed(peer))
        .map(|peer| of(peer, pinned.contains(peer)))
        .collect::<Result<_>>()?;
    for row in rows {
        let entry = of(&row.peer, row.place.is_pinned())?;
        let is_warm = is_whole && row.place.stamp().is_warm(now);
        let is_new = since.is_some_and(|since| row.opened_at.saturating_add(LEEWAY_MS) >= since);
        entries.push(Entry {
            consistency: if is_warm { Consistency::Strong } else { Consistency::Eventual },
            needs_profile: entry.needs_profile || is_new,
            row: Some(row),
            ..entry
        });
    }
    Ok(Entries { entries, goes_on, has_groups })
}

/// Looks up the first of them: in waves, each as large as the frame may read if all that is in it is of the largest.
async fn look_up(
    world: &World,
    entries: &[Entry],
    mut own: Option<&UserId>,
    mut room: usize,
    part: &mut Part,
) -> Result<()> {
    while room > 0 && part.listed.len() < entries.len() || own.is_some() {
        let rest = entries.get(part.listed.len()..).unwrap_or_default();
        let kept = if part.listed.is_empty() && !rest.is_empty() {
            Messages::message_units(KEPT_FOR_THE_FIRST, Consistency::Eventual)
        } else {
            0
        };
        let wave = wave(rest, kept, own.is_some());
        let mut peers: Vec<UserId> = own.take().into_iter().cloned().collect();
        if wave.is_empty() && peers.is_empty() {
            break;
        }
        peers.extend(wave.iter().filter(|entry| entry.needs_profile).map(|entry| entry.pair.peer().clone()));
        let tails = wave.iter().map(async |entry| {
            let (key, now) = (entry.pair.log_key(), world.clock.now());
            let tail = world.messages.tail(&key, 1, entry.consistency, now).await?;
            Ok::<_, Error>(OneToOne { pair: entry.pair.clone(), tail })
        });
        let (conversations, profiles) = tokio::join!(try_join_all(tails), world.users.profiles(&peers));
        part.profiles.extend(profiles?);
        let mut conversations = conversations?.into_iter().zip(wave);
        if part.listed.is_empty()
            && let Some((conversation, entry)) = conversations.next()
        {
            let shown = newest_shown(world, &conversation).await?.flatten();
            let unread = world.messages.unread_at_most(&conversation, world.clock.now()).await?;
            part.listed.push(entry.listed(conversation, unread, shown));
        }
        let rest: Vec<_> = conversations.collect();
        let complete_all = rest.iter().map(|(conversation, _)| complete(world, conversation));
        let completed = join_all(complete_all).await;
        for ((conversation, entry), completed) in rest.into_iter().zip(completed) {
            // What the others have left may be enough.
            let completed = match completed? {
                None => complete(world, &conversation).await?,
                completed => completed,
            };
            let Some((unread, shown)) = completed else { return Ok(()) };
            let size = |shown| WireMessage::new(&conversation.pair, shown).size();
            room = room.saturating_sub(shown.as_ref().map_or(0, size).saturating_add(OTHER_BYTES));
            part.listed.push(entry.listed(conversation, unread, shown));
        }
    }
    Ok(())
}

/// As many of these as may be looked up at once, if so many read units are to be left.
fn wave(entries: &[Entry], kept: u64, with_own_profile: bool) -> &[Entry] {
    let profile = |is_needed| if is_needed { Users::profile_units() } else { 0 };
    let mut left = allowance::read_units_left().checked_sub(kept.saturating_add(profile(with_own_profile)));
    let fits = |entry: &&Entry| {
        let units = Messages::tail_units(entry.consistency).saturating_add(profile(entry.needs_profile));
        left = left.and_then(|left| left.checked_sub(units));
        left.is_some()
    };
    let fitting = entries.iter().take(MAX_CONCURRENCY).take_while(fits).count();
    entries.get(..fitting).unwrap_or_default()
}

impl Entry {
    fn listed(&self, conversation: OneToOne, unread: u64, shown: Option<Message>) -> Listed {
        let place = self.row.as_ref().map(|row| row.place);
        Listed { conversation, unread, shown, is_pinned: self.is_pinned, place }
    }
}

/// Lets go of conversations in which there is nothing to show: they were deleted, or have expired, or never began. The
/// next message puts them back.
async fn take_out(world: &World, me: &UserId, entries: &[Entry], part: &Part, now: u64) {
    let looked_up = entries.iter().filter_map(|entry| entry.row.as_ref());
    let listed = part.listed.iter().filter(|listed| listed.place.is_some());
    let gone = looked_up
        .zip(listed)
        .filter(|(row, listed)| row.place.stamp().is_settled(now) && listed.conversation.is_out_of_list(now));
    let taken_out = gone.take(MAX_TAKEN_OUT).map(|(row, _)| world.conversations.take_out(me, row));
    for failed in join_all(taken_out).await.into_iter().filter_map(Result::err) {
        warn!(%failed, "a conversation in which there is nothing to show stays in a list until the next time");
    }
}

/// What is unread in a conversation, and what it shows; nothing when the request may not read so much at
/// this moment.
async fn complete(world: &World, conversation: &OneToOne) -> Result<Option<(u64, Option<Message>)>> {
    let Some(shown) = newest_shown(world, conversation).await? else { return Ok(None) };
    let unread = world.messages.unread(conversation, world.clock.now()).await?;
    Ok(unread.map(|unread| (unread, shown)))
}

/// The newest message that the user has neither deleted nor cleared, and its sender not excluded. Who
/// has deleted a whole page of them sees no preview. Nothing when that is too much to read.
async fn newest_shown(world: &World, conversation: &OneToOne) -> Result<Option<Option<Message>>> {
    let OneToOne { pair, tail } = conversation;
    let me = conversation.me();
    let cleared = me.cleared.position();
    let is_shown = |message: &Message| {
        // A client can tell by the numbers what is out of the list, and what was imported has none.
        let gone = if message.imported.is_some() { me.out_of_list() } else { cleared };
        message.position() > gone
            && message.listed == message.seq
            && message.is_live(world.clock.now())
            && !pair.hides(message)
    };
    let Some(newest) = tail.newest() else { return Ok(Some(None)) };
    if is_shown(newest) {
        return Ok(Some(Some(newest.clone())));
    }
    // However many are excluded in a row, the last one says what is before them.
    let mut before = match newest.address() {
        Address::Number(seq) => Address::Number(newest.listed.next().min(seq)),
        imported => imported,
    };
    for look in LOOKS {
        if !cleared.is_before(before) {
            break;
        }
        if Messages::affordable(Consistency::Eventual) < look {
            return Ok(None);
        }
        let (key, now) = (pair.log_key(), world.clock.now());
        let earlier = world.messages.earlier(&key, before, look, Consistency::Eventual, now).await?;
        if let Some(shown) = earlier.messages.into_iter().find(is_shown) {
            return Ok(Some(Some(shown)));
        }
        let Some(end) = earlier.goes_on_before else { break };
        before = end;
    }
    Ok(Some(None))
}
