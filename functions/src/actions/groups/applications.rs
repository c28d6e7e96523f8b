//! Who wants to come into a group, and who decides.

use hongyan_shared::{
    Error, Result,
    model::{GroupId, Op, Role, TipKind, UserId, may},
    protocol::{Decision, MAX_REPLY_BYTES, NoticeKind, WireApplication, WireNotice},
};

use super::{
    change::{Asked, Changed, Plan, Read, Told, What, change},
    members::{come_now, has_room, tip},
    world::ManageWorld,
};
use crate::{
    caller::Actor,
    store::{Application, MemberStep, MyGroups, allowance},
};

/// Lets somebody in who has applied, or does not.
///
/// # Errors
/// Those of every change; [`Error::ApplicationHandled`], [`Error::GroupFull`].
pub async fn handle_group_application(
    world: &ManageWorld,
    actor: Actor<'_>,
    decision: &Decision,
) -> Result<Changed> {
    let Decision { group: id, applicant, authentication, agrees, words, name } = decision;
    let now = world.log.clock.now();
    let open = world.log.rosters.application(id, applicant, now).await?;
    let is_open = open.is_some_and(|open| open.token == *authentication);
    // Who is not let in is not told of in the group.
    let let_in = Told::Members(TipKind::Joined, std::slice::from_ref(applicant));
    let asked = Asked { name, told: if *agrees { let_in } else { Told::Nothing } };
    let decided = change(world, actor, id, Some(asked), |read| {
        let Read { group, roster, .. } = read;
        may(group.kind, actor.who(roster), Op::Decide)?;
        if !is_open {
            return Err(Error::ApplicationHandled);
        }
        if !agrees || roster.role(applicant).is_some() {
            return Ok(None);
        }
        has_room(group, 1)?;
        let users = vec![applicant.clone()];
        let told = tip(TipKind::Joined, actor.user, group, &users, Some(group.members.saturating_add(1)));
        let accept = MemberStep::Accept { user: applicant.clone(), token: authentication.clone() };
        Ok(Some(Plan {
            tip: Some(told.payload()),
            what: What::Members {
                steps: vec![come_now(read, applicant), accept],
                owner: None,
                is_free: false,
            },
            users,
        }))
    })
    .await?;
    let is_decided = if decided.is_new || decided.users.contains(applicant) {
        decided.is_new
    } else {
        let is_struck = world.log.rosters.strike(id, applicant, authentication).await?;
        if !is_struck {
            return Err(Error::ApplicationHandled);
        }
        true
    };
    if is_decided {
        let kind = if *agrees { NoticeKind::Accepted } else { NoticeKind::Rejected };
        let notice = WireNotice::new(kind, &decided.group, actor.user, now).saying(words);
        world.log.audience.notice([applicant], None, notice).await;
    }
    Ok(decided)
}

/// How many read units a look at the applications to one group may cost.
const LOOK_UNITS: u64 = 16;

/// Who has applied to the groups that a user looks after, by the IDs of those and behind that one: of as many of them as one request
/// may look at, and as its reply has room for. The last one of these, if there are more.
pub async fn get_group_application_list(
    world: &ManageWorld,
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

async fn applications_to(world: &ManageWorld, group: &GroupId, now_ms: u64) -> Result<Vec<WireApplication>> {
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
