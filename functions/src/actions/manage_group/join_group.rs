//! `joinGroup`: a user comes into a group, or applies.

use hongyan_shared::{
    Result,
    model::{GroupId, GroupType, JoinOption, Op, TipKind, may},
    protocol::{ChangeName, JoinStatus, NoticeKind, WireNotice},
};

use super::{
    World,
    change::{Asked, Changed, Coming, Plan, Read, Told, What, ask, change, has_room, join_now, tip},
};
use crate::{caller::Actor, store::Application};

/// Comes into a group, or applies.
///
/// # Errors
/// Those of every change; [`hongyan_shared::Error::WorkGroupIsJoinedByInvitation`], [`hongyan_shared::Error::GroupFull`],
/// [`hongyan_shared::Error::TooManyConversations`].
pub async fn join_group(
    world: &World,
    actor: Actor<'_>,
    id: &GroupId,
    name: &ChangeName,
    words: String,
) -> Result<(JoinStatus, Changed)> {
    let asked = Asked { name, told: Told::Themselves(TipKind::Joined) };
    let joined = change(world, actor, id, Some(asked), |read| {
        let Read { group, roster, .. } = read;
        if roster.role(actor.user).is_some() {
            return Ok(None);
        }
        may(group.kind, None, Op::Join(group.info.join))?;
        if group.kind == GroupType::Public && group.info.join == JoinOption::NeedPermission {
            return Ok(None);
        }
        has_room(group, 1)?;
        let users = vec![actor.user.clone()];
        let told = tip(TipKind::Joined, actor.user, group, &users, Some(group.members.saturating_add(1)));
        let is_free = group.kind.is_meeting();
        Ok(Some(Plan {
            tip: (!is_free).then(|| told.payload()),
            what: What::Members { steps: vec![join_now(read, actor.user)], owner: None, is_free },
            users,
        }))
    })
    .await?;
    let Changed { group, roster, .. } = &joined;
    if joined.is_new {
        world.log.audience.notice_others(actor, NoticeKind::Added, group).await;
        return Ok((JoinStatus::JoinedSuccess, joined));
    }
    if joined.users.contains(actor.user) {
        return Ok((JoinStatus::JoinedSuccess, joined));
    }
    if roster.role(actor.user).is_some() {
        return Ok((JoinStatus::AlreadyInGroup, joined));
    }
    let now = world.log.clock.now();
    world.count(actor).await?;
    ask(world, actor, group, Coming::Apply, &[]).await?;
    // Repeated, it is the same application.
    let token = name.client_id.as_str().to_owned();
    let application = Application { user: actor.user.clone(), words, token, at: now };
    world.log.rosters.apply(id, &application).await?;
    let mut notice = WireNotice::new(NoticeKind::Applies, group, actor.user, now).saying(&application.words);
    notice.authentication = Some(&application.token);
    notice.message_key = Some(now);
    world.log.audience.notice(roster.admins(), None, notice).await;
    Ok((JoinStatus::WaitAdminApproval, joined))
}
