//! `handleGroupApplication`: somebody who has applied is let in, or is not.

use hongyan_shared::{
    Error, Result,
    model::{Op, TipKind, may},
    protocol::{Decision, NoticeKind, WireNotice},
};

use super::{
    World,
    change::{Asked, Changed, Plan, Read, Told, What, change, has_room, join_now, tip},
};
use crate::{caller::Actor, store::MemberStep};

/// Lets somebody in who has applied, or does not.
///
/// # Errors
/// Those of every change; [`Error::ApplicationHandled`], [`Error::GroupFull`].
pub async fn handle_group_application(
    world: &World,
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
                steps: vec![join_now(read, applicant), accept],
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
        let is_deleted = world.log.rosters.delete_application(id, applicant, authentication).await?;
        if !is_deleted {
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
