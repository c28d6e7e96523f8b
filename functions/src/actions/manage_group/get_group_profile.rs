//! `getGroupProfile`: what groups say about themselves.

use futures_util::future::try_join_all;
use hongyan_shared::{
    Error, Result,
    model::{Group, GroupId, GroupType, MyGroup, ReadMarker},
};

use super::World;
use crate::{
    caller::Actor,
    store::{Consistency, Messages, allowance},
};

/// A group, where its log ends, and what a user has of it if they are in it.
pub type Seen = (Group, ReadMarker, Option<MyGroup>);

/// What groups are like, each with what the user has of it. A Private group shows nothing to strangers.
pub async fn get_group_profile(
    world: &World,
    actor: Actor<'_>,
    groups: &[GroupId],
) -> Result<Vec<std::result::Result<Seen, Error>>> {
    let look = async |group: &GroupId| {
        let now = world.log.clock.now();
        let mine = async {
            match actor.is_administrator {
                true => Ok(None),
                false => world.log.mine.of(actor.user, group, Consistency::Strong, now).await,
            }
        };
        let (found, mine) =
            tokio::try_join!(world.log.messages.group_tail(group, 1, Consistency::Strong, now), mine)?;
        let Some(found) = found.filter(|found| found.group.dismissed_at.is_none()) else {
            return Ok(Err(Error::NoSuchGroup));
        };
        if mine.is_none() && found.group.kind == GroupType::Work && !actor.is_administrator {
            return Ok(Err(Error::NotAllowedInGroup("a Private group shows itself to its members alone")));
        }
        let end = found.end();
        Ok::<_, Error>(Ok((found.group, end, mine.map(|(_, mine)| mine))))
    };
    let mut seen = Vec::new();
    while let Some(left) = groups.get(seen.len()..).filter(|left| !left.is_empty()) {
        // As many at once as may be read at the worst: most cost less, and leave room for the others.
        let at_once =
            allowance::read_units_left() / Messages::group_tail_units(Consistency::Strong).saturating_add(1);
        let at_once = usize::try_from(at_once).unwrap_or_default().max(1);
        seen.extend(try_join_all(left.iter().take(at_once).map(&look)).await?);
    }
    Ok(seen)
}
