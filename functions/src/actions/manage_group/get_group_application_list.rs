//! `getGroupApplicationList`: who has applied to the groups that a user looks after.

use hongyan_shared::{
    Result,
    model::{GroupId, Role, UserId},
    protocol::{MAX_REPLY_BYTES, WireApplication},
};

use super::World;
use crate::store::{Application, MyGroups, allowance};

/// How many read units a look at the applications to one group may cost.
const LOOK_UNITS: u64 = 16;

/// Who has applied to the groups that a user looks after, by the IDs of those and behind that one: of as many of them as one request
/// may look at, and as its reply has room for. The last one of these, if there are more.
pub async fn get_group_application_list(
    world: &World,
    me: &UserId,
    after: Option<&GroupId>,
) -> Result<(Vec<WireApplication>, Option<GroupId>)> {
    let now = world.log.clock.now();
    let at_most = MyGroups::affordable(LOOK_UNITS);
    let (all, go_on) = world.log.mine.all(me, after, at_most, now).await?;
    let (mut open, mut room, mut seen) = (Vec::new(), MAX_REPLY_BYTES, after);
    for (member, mine) in &all {
        if mine.role >= Role::Admin {
            if allowance::read_units_left() < LOOK_UNITS {
                return Ok((open, seen.cloned()));
            }
            let found = applications_to(world, member.group(), now).await?;
            let size = found.iter().map(WireApplication::size).sum();
            // Those of one group always have room.
            if size > room && !open.is_empty() {
                return Ok((open, seen.cloned()));
            }
            room = room.saturating_sub(size);
            open.extend(found);
        }
        seen = Some(member.group());
    }
    Ok((open, seen.filter(|_| go_on).cloned()))
}

async fn applications_to(world: &World, group: &GroupId, now_ms: u64) -> Result<Vec<WireApplication>> {
    let applications = world.log.rosters.applications(group, now_ms).await?;
    if applications.is_empty() {
        return Ok(Vec::new());
    }
    let found = world.log.messages.group(group).await?;
    let Some(group) = found.filter(|group| group.dismissed_at.is_none()) else { return Ok(Vec::new()) };
    let shown = |Application { user, words, token, at }| WireApplication {
        applicant: user.clone(),
        group_id: group.id.clone(),
        group_name: group.info.name.clone(),
        apply_message: words,
        authentication: token,
        message_key: at,
        application_type: 0,
        user_id: user,
        time: at / 1000,
    };
    Ok(applications.into_iter().map(shown).collect())
}
