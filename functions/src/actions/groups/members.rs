//! What becomes of a group's members, verb by verb.

use hongyan_shared::{
    Error, Result,
    model::{
        Group, GroupId, GroupType, JoinOption, Member, MyGroup, Op, ReadMarker, RemindType, Role, Seq, Tip,
        TipKind, UserId, may,
    },
    protocol::{ChangeName, JoinStatus, MemberChange, NoticeKind, WireNotice},
};

use super::{
    change::{Asked, Changed, Coming, Plan, Read, Told, What, ask, change},
    conversation::not_in_it,
    world::ManageWorld,
};
use crate::{
    caller::Actor,
    store::{Application, Consistency, MemberStep},
};

pub(super) fn come(user: &UserId, role: Role, joined: Seq, marker: ReadMarker, now_ms: u64) -> MemberStep {
    let member = Member { role, joined_at: now_ms / 1000, ..Member::default() };
    MemberStep::Come { user: user.clone(), member, joined, marker }
}

/// Who comes sees what is said from then on; in a meeting all that was said before as well.
pub(super) fn come_now(read: &Read<'_>, user: &UserId) -> MemberStep {
    come_as(read, user, Role::Member)
}

/// The same of somebody who is to be this.
pub(super) fn come_as(read: &Read<'_>, user: &UserId, role: Role) -> MemberStep {
    let joined = if read.group.kind.is_meeting() { Seq(0) } else { read.end.seq };
    come(user, role, joined, read.end, read.now_ms)
}

pub(super) fn has_room(group: &Group, more: usize) -> Result<()> {
    if group.members.saturating_add(more as u64) > group.info.limit {
        return Err(Error::GroupFull { at_most: group.info.limit });
    }
    Ok(())
}

/// A tip of a change of members.
pub(super) fn tip<'a>(
    kind: TipKind,
    operator: &'a UserId,
    group: &'a Group,
    users: &'a [UserId],
    members: Option<u64>,
) -> Tip<'a> {
    Tip { users, members, ..Tip::new(kind, operator, &group.id, &group.info.name) }
}

/// Comes into a group, or applies.
///
/// # Errors
/// Those of every change; [`Error::WorkGroupIsJoinedByInvitation`], [`Error::GroupFull`], [`Error::TooManyConversations`].
pub async fn join_group(
    world: &ManageWorld,
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
            what: What::Members { steps: vec![come_now(read, actor.user)], owner: None, is_free },
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

/// Goes. Who is not in it has gone.
///
/// # Errors
/// Those of every change; [`Error::OwnerMayNotQuit`].
pub async fn quit_group(
    world: &ManageWorld,
    actor: Actor<'_>,
    id: &GroupId,
    name: &ChangeName,
) -> Result<Changed> {
    let asked = Asked { name, told: Told::Themselves(TipKind::Quit) };
    let quit = change(world, actor, id, Some(asked), |Read { group, roster, .. }| {
        let Some(role) = roster.role(actor.user) else { return Ok(None) };
        may(group.kind, Some(role), Op::Quit)?;
        let users = vec![actor.user.clone()];
        let is_owner = role == Role::Owner;
        let members = Some(group.members.saturating_sub(1));
        let told =
            Tip { owner: is_owner.then_some(None), ..tip(TipKind::Quit, actor.user, group, &users, members) };
        let is_free = group.kind.is_meeting();
        // What they are is a condition of the row that goes: nobody becomes the owner of a group that they leave.
        let steps = vec![MemberStep::Go { user: actor.user.clone(), role }];
        Ok(Some(Plan {
            tip: (!is_free).then(|| told.payload()),
            what: What::Members { steps, owner: is_owner.then_some(None), is_free },
            users,
        }))
    })
    .await?;
    if quit.is_new {
        world.log.audience.notice_others(actor, NoticeKind::Quit, &quit.group).await;
    }
    Ok(quit)
}

/// Brings others. Returns whom it has brought; the others were there, or a business server wants them left out, or it has asked
/// for more than there is room for. There is no tip of it if that is to be silent.
///
/// # Errors
/// Those of every change; [`Error::GroupFull`], [`Error::TooManyConversations`]; a business server that wants nobody of them.
pub async fn add_group_member(
    world: &ManageWorld,
    actor: Actor<'_>,
    id: &GroupId,
    name: &ChangeName,
    users: &[UserId],
    is_silent: bool,
) -> Result<Changed> {
    let asked = Asked { name, told: Told::Members(TipKind::Joined, users) };
    let added = change(world, actor, id, Some(asked), |read| {
        let Read { group, roster, .. } = read;
        may(group.kind, actor.who(roster), Op::Invite(group.info.invite))?;
        let new = users.iter().filter(|user| roster.role(user).is_none());
        let (refused, mut new): (Vec<UserId>, Vec<UserId>) =
            new.cloned().partition(|user| read.refused.contains(user));
        if new.is_empty() {
            return if refused.is_empty() { Ok(None) } else { Err(Error::RefusedInGroup) };
        }
        // A business server brings as many as there is room for.
        if actor.is_administrator {
            let room = usize::try_from(group.info.limit.saturating_sub(group.members)).unwrap_or_default();
            let is_somebody_there = users.iter().any(|user| roster.role(user).is_some());
            if room == 0 && is_somebody_there {
                return Ok(None);
            }
            new.truncate(room.max(1));
        }
        has_room(group, new.len())?;
        let members = group.members.saturating_add(new.len() as u64);
        let told = tip(TipKind::Joined, actor.user, group, &new, Some(members));
        Ok(Some(Plan {
            tip: (!is_silent && !group.kind.is_meeting()).then(|| told.payload()),
            what: What::Members {
                steps: new.iter().map(|user| come_now(read, user)).collect(),
                owner: None,
                is_free: false,
            },
            users: new,
        }))
    })
    .await?;
    if added.is_new {
        let notice = WireNotice::new(NoticeKind::Added, &added.group, actor.user, world.log.clock.now());
        world.log.audience.notice(&added.users, None, notice).await;
    }
    Ok(added)
}

/// Puts members out. Returns whom. There is no tip of it if that is to be silent.
///
/// # Errors
/// Those of every change.
pub async fn delete_group_member(
    world: &ManageWorld,
    actor: Actor<'_>,
    id: &GroupId,
    name: &ChangeName,
    users: &[UserId],
    (reason, is_silent): (&str, bool),
) -> Result<Changed> {
    let asked = Asked { name, told: Told::Members(TipKind::Kicked, users) };
    let gone = change(world, actor, id, Some(asked), |Read { group, roster, .. }| {
        let mine = actor.who(roster);
        may(group.kind, mine, Op::Speak)?;
        let (mut steps, mut out) = (Vec::new(), Vec::new());
        for user in users {
            let Some(role) = roster.role(user) else { continue };
            may(group.kind, mine, Op::Kick(role))?;
            steps.push(MemberStep::Go { user: user.clone(), role });
            out.push(user.clone());
        }
        if out.is_empty() {
            return Ok(None);
        }
        let members = group.members.saturating_sub(out.len() as u64);
        let told = Tip {
            reason: Some(reason).filter(|reason| !reason.is_empty()),
            ..tip(TipKind::Kicked, actor.user, group, &out, Some(members))
        };
        Ok(Some(Plan {
            tip: (!is_silent && !group.kind.is_meeting()).then(|| told.payload()),
            what: What::Members { steps, owner: None, is_free: false },
            users: out,
        }))
    })
    .await?;
    if gone.is_new {
        let now = world.log.clock.now();
        let notice = WireNotice::new(NoticeKind::Kicked, &gone.group, actor.user, now).saying(reason);
        world.log.audience.notice(&gone.users, None, notice).await;
    }
    Ok(gone)
}

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
    world: &ManageWorld,
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
        let steps = vec![MemberStep::Become { user: user.clone(), member: becomes, shows: true }];
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

fn no_member() -> Error {
    Error::BadRequest("the user must be a member of the group".to_owned())
}

/// By how many seconds the end of a mute may differ that a business server asks for again.
const SAME_MUTE_S: u64 = 30;

/// Keeps members from speaking for so many seconds, or lets them; who is not in the group is passed over.
///
/// # Errors
/// Those of every change.
pub async fn mute_group_member(
    world: &ManageWorld,
    actor: Actor<'_>,
    id: &GroupId,
    name: &ChangeName,
    users: &[UserId],
    seconds: u64,
) -> Result<Changed> {
    let asked = Asked { name, told: Told::Muted(users, seconds) };
    change(world, actor, id, Some(asked), |Read { group, roster, now_ms, .. }| {
        let mine = actor.who(roster);
        may(group.kind, mine, Op::Speak)?;
        let until = if seconds == 0 { 0 } else { (now_ms / 1000).saturating_add(seconds) };
        let is_so = |member: &Member| {
            let difference = member.muted_until.abs_diff(until);
            difference <= if actor.is_administrator { SAME_MUTE_S } else { 0 }
        };
        let (mut steps, mut muted) = (Vec::new(), Vec::new());
        let members = users.iter().filter_map(|user| roster.members.get_key_value(user));
        let members: Vec<_> = members.collect();
        if members.is_empty() {
            return Err(no_member());
        }
        for (user, member) in members {
            may(group.kind, mine, Op::Mute(member.role))?;
            if is_so(member) {
                continue;
            }
            let member = Member { muted_until: until, ..member.clone() };
            steps.push(MemberStep::Become { user: user.clone(), member, shows: false });
            muted.push(user.clone());
        }
        if muted.is_empty() {
            return Ok(None);
        }
        let told =
            Tip { mute_seconds: Some(seconds), ..tip(TipKind::Muted, actor.user, group, &muted, None) };
        Ok(Some(Plan {
            tip: Some(told.payload()),
            what: What::Members { steps, owner: None, is_free: false },
            users: muted,
        }))
    })
    .await
}

async fn remind_of(
    world: &ManageWorld,
    actor: Actor<'_>,
    id: &GroupId,
    remind: RemindType,
) -> Result<MyGroup> {
    // Whether anything is pushed to them is in the roster: with its version, no sandbox goes on by an older one.
    let reminded = change(world, actor, id, None, |Read { group, roster, .. }| {
        may(group.kind, actor.who(roster), Op::Speak)?;
        let users = vec![actor.user.clone()];
        let steps = vec![MemberStep::Hear { user: actor.user.clone(), remind }];
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
