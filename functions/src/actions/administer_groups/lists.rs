//! The groups of a user, and all that there are.

use hongyan_shared::{
    Error, Result,
    model::{Group, GroupId, GroupType, UserId},
};

use super::super::{
    each,
    groups::{ListedGroup, Listing, list_groups},
    manage_group::World,
};

/// No list of groups of a business server is as large, in bytes.
const ROOM: usize = 4 * 1024 * 1024;

/// All groups that a user is in, by their IDs.
///
/// # Errors
/// [`Error::Throttled`] when they are more than may be read.
pub async fn joined_groups(world: &World, user: &UserId) -> Result<Vec<ListedGroup>> {
    let log = &world.log;
    let listing = Listing { messages: &log.messages, mine: &log.mine, clock: &log.clock };
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let part = list_groups(&listing, user, after.as_ref(), ROOM).await?;
        all.extend(part.groups);
        match (part.go_on, part.end) {
            (false, _) => return Ok(all),
            (true, None) => return Err(Error::Throttled),
            (true, end) => after = end,
        }
    }
}

/// In how many parts the table of groups is looked through.
const PARTS: u32 = 1024;

/// How many of them at once, at most.
const MAX_CONCURRENCY: usize = 16;

/// Groups that somebody is in, of a type if one is wanted, from a part of their table on: until there are as many as are enough.
/// Returns where it goes on, 0 if it does not.
///
/// There is no list of all groups that each of them would be written into: it is looked for where their members are, in one
/// part of the table after the other. A part is looked through as a whole, so that a number is all that one has to know to
/// go on.
///
/// # Errors
/// [`Error::Throttled`] when a part has more than may be read.
pub async fn all_groups(
    world: &World,
    (enough, from): (usize, u32),
    kind: Option<GroupType>,
) -> Result<(Vec<GroupId>, u32)> {
    let (mut groups, mut next, mut densest) = (Vec::new(), from, 0);
    let mut wave = 1;
    while next < PARTS && groups.len() < enough {
        let end = next.saturating_add(u32::try_from(wave).unwrap_or(1)).min(PARTS);
        for found in each((next..end).map(|part| world.log.rosters.groups_in(part, PARTS))).await {
            let found = found?;
            densest = densest.max(found.len());
            let looked_at = each(found.iter().map(|id| world.log.messages.group(id))).await;
            for group in looked_at {
                let lives = |group: &Group| group.dismissed_at.is_none();
                let group = group?.filter(lives);
                groups.extend(
                    group.filter(|group| kind.is_none_or(|kind| kind == group.kind)).map(|group| group.id),
                );
            }
        }
        next = end;
        // As many at once as are likely to be enough.
        let missing = enough.saturating_sub(groups.len());
        wave = missing.checked_div(densest).unwrap_or(MAX_CONCURRENCY).clamp(1, MAX_CONCURRENCY);
    }
    groups.sort();
    Ok((groups, if next < PARTS { next } else { 0 }))
}
