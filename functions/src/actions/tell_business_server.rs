//! The business server is told of what has happened: messages that were sent, read or recalled, users who come and go, and groups.
//!
//! The tables are what it is told from, so nothing that is in them can be forgotten; and it may be told twice.

use hongyan_shared::{
    Error,
    callback::{
        Call, End, Receiver, StateChange, after_create, after_describe, after_dismiss, after_full,
        after_move, after_read, after_recall, after_recall_in_group, after_send, after_send_in_group,
    },
    model::{Group, GroupId},
};

use crate::{
    business_server::BusinessServer,
    clock::Clock,
    config::{Config, Configured, Misconfigured},
    failure::Failure,
    store::{
        Connections, Consistency, GroupChange, LogChange, Messages, PresenceChange, Rosters, RowChange,
        SlotChange,
    },
};

/// What it takes to tell it.
pub struct World {
    server: BusinessServer,
    messages: Messages,
    rosters: Rosters,
    connections: Connections,
    clock: Clock,
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            server: BusinessServer::new(config)?.ok_or(Misconfigured::Missing("CALLBACK_URL"))?,
            messages: Messages::new(config)?,
            rosters: Rosters::new(config)?,
            connections: Connections::new(config)?,
            clock: config.clock.clone(),
        })
    }
}

/// Tells it of a change of a row, if that is something for it. Whatever it answers with a status of success is all right.
///
/// # Errors
/// [`Error::BusinessServer`]: it has not heard of it, or nobody knows. A row that is none of ours, for good.
pub async fn tell_business_server(world: &World, change: RowChange) -> Result<(), Failure> {
    for call in calls(world, &change).await? {
        world.server.tell(&call).await?;
    }
    Ok(())
}

async fn calls(world: &World, change: &RowChange) -> Result<Vec<Call>, Failure> {
    let presence = change.of_presence().map_err(Failure::permanently)?;
    if let Some(PresenceChange { user, slots, at_ms }) = presence {
        let changes = slots.iter().flat_map(|slot| state_changes(slot, at_ms));
        return Ok(changes.map(|(state, at_ms)| state.call(&user, at_ms)).collect());
    }
    let now = world.clock.now();
    Ok(match change.in_log().map_err(Failure::permanently)? {
        None => Vec::new(),
        Some(LogChange::Sent(pair, message)) => {
            let peer = pair.peer().clone();
            let looked_up = world.connections.of(&peer, Consistency::Eventual, now);
            let receiver = pair.of_peer();
            let (unread, presence) = tokio::join!(world.messages.count_unread(&receiver, now), looked_up);
            let receiver = Receiver { unread: unread?, is_online: presence?.is_online() };
            vec![after_send(&pair, &message, receiver)]
        }
        Some(LogChange::Recalled(pair, message)) => {
            vec![after_recall(&pair, &message, world.messages.count_unread(&pair.of_peer(), now).await?)]
        }
        Some(LogChange::Read(pair, marker)) => {
            vec![after_read(&pair, marker.time, world.messages.count_unread(&pair, now).await?)]
        }
        Some(LogChange::SentInGroup(id, message)) => {
            let group = group(world, &id).await?;
            group.map(|group| after_send_in_group(&group, &message)).into_iter().collect()
        }
        Some(LogChange::RecalledInGroup(id, message)) => {
            let group = group(world, &id).await?;
            group.map(|group| after_recall_in_group(&group, &message)).into_iter().collect()
        }
        Some(LogChange::OfGroup(group, changes)) => {
            let mut calls = Vec::new();
            for change in changes {
                calls.push(match change {
                    GroupChange::Created => {
                        after_create(&group, &*world.rosters.of(&group.id, group.version).await?)
                    }
                    GroupChange::Dismissed => {
                        after_dismiss(&group, &*world.rosters.of(&group.id, group.version).await?)
                    }
                    GroupChange::Moved(moved) => after_move(&group, &moved),
                    GroupChange::Full => after_full(&group),
                    GroupChange::Described(by, before) => after_describe(&by, &group, &before),
                });
            }
            calls
        }
    })
}

/// A group as it is by now: what kind it is has not changed.
async fn group(world: &World, id: &GroupId) -> Result<Option<Group>, Error> {
    let now = world.clock.now();
    let found = world.messages.group_tail(id, 1, Consistency::Eventual, now).await?;
    Ok(found.map(|found| found.group))
}

/// What a change of a slot means, and when it has happened, in milliseconds. Whose connection ends without anybody's noticing is
/// told of when its place is taken, or swept. A stream has whole seconds: none ends before it has begun, or who goes by the time
/// would have it for one that is there.
fn state_changes(slot: &SlotChange, at_ms: u64) -> Vec<(StateChange, u64)> {
    let SlotChange { before, after, has_logged_out } = slot;
    let ended = |end| before.as_ref().map(|before| StateChange::Logout { platform: before.platform, end });
    match (before, after) {
        (Some(before), None) => {
            let end = match before.is_over(at_ms) {
                _ if *has_logged_out => End::LoggedOut,
                true => End::TimedOut,
                false => End::Closed,
            };
            let ended_at = at_ms.max(before.connected_at.saturating_add(1));
            ended(end).map(|change| (change, ended_at)).into_iter().collect()
        }
        (None, Some(after)) => {
            vec![(StateChange::Login { platform: after.platform, kicked: Vec::new() }, after.connected_at)]
        }
        (Some(before), Some(after)) => {
            let is_over = before.is_over(after.connected_at);
            let came_back = before.instance.is_some() && before.instance == after.instance;
            let kicked = if is_over || came_back { Vec::new() } else { vec![before.platform] };
            let timed_out = ended(End::TimedOut).filter(|_| is_over);
            let login = StateChange::Login { platform: after.platform, kicked };
            timed_out.into_iter().chain([login]).map(|change| (change, after.connected_at)).collect()
        }
        (None, None) => Vec::new(),
    }
}
