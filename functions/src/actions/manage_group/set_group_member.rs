//! `setGroupMember`: what a member is, how they are called, what they want to hear.

use hongyan_shared::{
    Error, Result,
    model::{GroupId, Member, MyGroup, Op, RemindType, Role, TipKind, UserId, may},
    protocol::{MemberChange, NoticeKind, WireNotice},
};

use super::{
    super::groups::not_in_it,
    World,
    change::{Asked, Changed, Plan, Read, Told, What, change, no_member, tip},
    mute_group_member::mute_group_member,
};
use crate::{
    caller::Actor,
    store::{Consistency, MemberStep},
};

/// What a member is then.
pub enum MemberChanged {
    /// What all see, at that time in milliseconds.
    Member(Changed, u64),
    /// What they have of the group.
    Mine(MyGroup),
}

/// Changes what a member is, whether they may speak, how they are called, or what they want to hear.
///
/// # Errors
/// Those of every change.
pub async fn set_group_member(
    world: &World,
    actor: Actor<'_>,
    id: &GroupId,
    user: &UserId,
    wanted: &MemberChange,
) -> Result<MemberChanged> {
    let asked = match wanted {
        MemberChange::Remind(remind) => {
            return remind_of(world, actor, id, *remind).await.map(MemberChanged::Mine);
        }
        MemberChange::Mute(name, seconds) => {
            let users = std::slice::from_ref(user);
            let muted = mute_group_member(world, actor, id, name, users, *seconds).await?;
            return Ok(MemberChanged::Member(muted, world.log.clock.now()));
        }
        MemberChange::Role(name, role) => {
            Some(Asked { name, told: Told::Members(role_tip(*role), std::slice::from_ref(user)) })
        }
        MemberChange::Card(_) => None,
    };
    let changed = change(world, actor, id, asked, |read| {
        let Read { group, roster, .. } = read;
        let mine = actor.who(roster);
        may(group.kind, mine, Op::Speak)?;
        let member = roster.members.get(user).ok_or_else(no_member)?;
        let users = vec![user.clone()];
        let (becomes, told) = match wanted {
            MemberChange::Role(_, role) => {
                may(group.kind, mine, Op::Appoint(member.role))?;
                if *role == Role::Admin && member.role != Role::Admin && !roster.may_have_another_admin() {
                    return Err(Error::BadRequest(
                        "a group has ten admins at most: take one of them off first".to_owned(),
                    ));
                }
                let told = tip(role_tip(*role), actor.user, group, &users, None).payload();
                (Member { role: *role, ..member.clone() }, Some(told))
            }
            MemberChange::Card(card) => {
                if user != actor.user {
                    may(group.kind, mine, Op::NameCard(member.role))?;
                }
                (Member { card: card.clone(), ..member.clone() }, None)
            }
            MemberChange::Mute(..) | MemberChange::Remind(_) => return Ok(None),
        };
        if becomes == *member {
            return Ok(None);
        }
        let steps = vec![MemberStep::Update { user: user.clone(), member: becomes, shows: true }];
        Ok(Some(Plan { tip: told, what: What::Members { steps, owner: None, is_free: false }, users }))
    })
    .await?;
    if let MemberChange::Role(_, role) = wanted
        && changed.is_new
    {
        let kind = if *role == Role::Admin { NoticeKind::Appointed } else { NoticeKind::Demoted };
        let notice = WireNotice::new(kind, &changed.group, actor.user, world.log.clock.now());
        world.log.audience.notice([user], None, notice).await;
    }
    Ok(MemberChanged::Member(changed, world.log.clock.now()))
}

/// What is told of who becomes this.
fn role_tip(role: Role) -> TipKind {
    if role == Role::Admin { TipKind::Appointed } else { TipKind::Demoted }
}

async fn remind_of(world: &World, actor: Actor<'_>, id: &GroupId, remind: RemindType) -> Result<MyGroup> {
    // Whether anything is pushed to them is in the roster: with its version, no sandbox goes on by an older one.
    let reminded = change(world, actor, id, None, |Read { group, roster, .. }| {
        may(group.kind, actor.who(roster), Op::Speak)?;
        let users = vec![actor.user.clone()];
        let steps = vec![MemberStep::SetRemind { user: actor.user.clone(), remind }];
        Ok(Some(Plan { tip: None, what: What::Members { steps, owner: None, is_free: true }, users }))
    })
    .await?;
    let now = world.log.clock.now();
    let mine = world.log.mine.of(actor.user, id, Consistency::Strong, now).await?;
    let (_, mine) = not_in_it(mine)?;
    let mut notice = WireNotice::new(NoticeKind::Remind, &reminded.group, actor.user, now);
    notice.message_remind_type = Some(remind);
    world.log.audience.notice([actor.user], Some(actor), notice).await;
    Ok(mine)
}
