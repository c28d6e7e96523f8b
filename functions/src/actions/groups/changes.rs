//! What changes a group or its members, verb by verb.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use hongyan_shared::{
    Error, Result,
    callback::before_create,
    model::{
        Group, GroupId, GroupType, InfoChange, JoinOption, Member, MyGroup, Op, ReadMarker, RemindType, Role,
        Seq, Tip, TipKind, UserId, may,
    },
    protocol::{
        ChangeName, Decision, JoinStatus, MemberChange, NewGroup, NoticeKind, WireApplication, WireNotice,
    },
};

use super::{
    super::ask_before_sending::ask_before_changing,
    change::{ATTEMPTS, Changed, Coming, Plan, Read, What, ask, change, let_others_go_first},
    conversation::not_in_it,
    world::ManageWorld,
};
use crate::{
    caller::Actor,
    store::{Application, Consistency, MemberStep, MyGroups, allowance},
};

/// Makes a group. The same group of the same creator, made once more, is answered as it is.
///
/// # Errors
/// [`Error::GroupIdTaken`], [`Error::GroupBusy`], [`Error::TooManyConversations`]; a business server that does not want it.
pub async fn create_group(world: &ManageWorld, actor: Actor<'_>, new: NewGroup) -> Result<(Group, Seq)> {
    world.count(actor).await?;
    // One that is there was asked about when it was made.
    if let Some(server) = &world.log.business_server
        && world.log.messages.group(&new.id).await?.is_none()
    {
        ask_before_changing(server, &before_create(actor.user, &new, actor.platform())).await?;
    }
    let now = world.log.clock.now();
    let owner = new.owner.clone().map(|owner| (owner, Role::Owner));
    let members: Vec<(UserId, Role)> = owner.into_iter().chain(new.members).collect();
    let group = Group {
        id: new.id,
        kind: new.kind,
        info: new.info,
        owner: new.owner,
        creator: actor.user.clone(),
        created_at: now,
        changed_at: now,
        info_version: 1,
        members: members.len() as u64,
        version: 1,
        dismissed_at: None,
        mentioned_all: None,
        outbox: BTreeMap::new(),
    };
    try_join_all(members.iter().map(|(user, _)| world.log.mine.announce(user))).await?;
    let steps: Vec<MemberStep> =
        members.iter().map(|(user, role)| come(user, *role, Seq(0), ReadMarker::default(), now)).collect();
    for attempt in 0..ATTEMPTS {
        let_others_go_first(attempt).await;
        match world.changes.create(&group, &steps, now).await {
            Ok(true) => {
                let others = members.iter().map(|(user, _)| user).filter(|user| *user != actor.user);
                let added = WireNotice::new(NoticeKind::Added, &group, actor.user, now);
                tokio::join!(
                    world.log.audience.notice(others, None, added),
                    world.log.audience.notice_others(actor, NoticeKind::Created, &group)
                );
                return Ok((group, Seq(0)));
            }
            // There is one of this ID, or somebody else is at one of the rows at this moment.
            Ok(false) | Err(Error::Throttled) => {}
            Err(error) => return Err(error),
        }
        let found = world.log.messages.group_tail(&group.id, 1, Consistency::Strong, now).await?;
        let Some(found) = found else { continue };
        let is_mine = found.group.creator == *actor.user && found.group.dismissed_at.is_none();
        return if is_mine { Ok((found.group.clone(), found.last_seq())) } else { Err(Error::GroupIdTaken) };
    }
    Err(Error::GroupBusy)
}

fn come(user: &UserId, role: Role, joined: Seq, marker: ReadMarker, now_ms: u64) -> MemberStep {
    let member = Member { role, joined_at: now_ms / 1000, ..Member::default() };
    MemberStep::Come { user: user.clone(), member, joined, marker }
}

/// Who comes sees what is said from then on; in a meeting all that was said before as well.
fn come_now(read: &Read<'_>, user: &UserId) -> MemberStep {
    let joined = if read.group.kind.is_meeting() { Seq(0) } else { read.end.seq };
    come(user, Role::Member, joined, read.end, read.now_ms)
}

fn has_room(group: &Group, more: usize) -> Result<()> {
    if group.members.saturating_add(more as u64) > group.info.limit {
        return Err(Error::GroupFull { at_most: group.info.limit });
    }
    Ok(())
}

/// A tip of a change of members.
fn tip<'a>(
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
    world.count(actor).await?;
    let joined = change(world, actor, id, Some(name), |read| {
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
    let quit = change(world, actor, id, Some(name), |Read { group, roster, .. }| {
        let Some(role) = roster.role(actor.user) else { return Ok(None) };
        may(group.kind, Some(role), Op::Quit)?;
        let users = vec![actor.user.clone()];
        let told = tip(TipKind::Quit, actor.user, group, &users, Some(group.members.saturating_sub(1)));
        let is_free = group.kind.is_meeting();
        // What they are is a condition of the row that goes: nobody becomes the owner of a group that they leave.
        let steps = vec![MemberStep::Go { user: actor.user.clone(), role }];
        let owner = (role == Role::Owner).then_some(None);
        Ok(Some(Plan {
            tip: (!is_free).then(|| told.payload()),
            what: What::Members { steps, owner, is_free },
            users,
        }))
    })
    .await?;
    if quit.is_new {
        world.log.audience.notice_others(actor, NoticeKind::Quit, &quit.group).await;
    }
    Ok(quit)
}

/// Ends a group. Its owner, and a business server, may say so again.
///
/// # Errors
/// [`Error::NoSuchGroup`], [`Error::NotAllowedInGroup`], [`Error::GroupBusy`].
pub async fn dismiss_group(world: &ManageWorld, actor: Actor<'_>, id: &GroupId) -> Result<()> {
    for attempt in 0..ATTEMPTS {
        let_others_go_first(attempt).await;
        let now = world.log.clock.now();
        let group = world.log.messages.group(id).await?.ok_or(Error::NoSuchGroup)?;
        if group.dismissed_at.is_some() {
            let may_know = actor.is_administrator || group.owner.as_ref() == Some(actor.user);
            return if may_know { Ok(()) } else { Err(Error::NoSuchGroup) };
        }
        let roster = world.log.rosters.of(id, group.version).await?;
        may(group.kind, actor.who(&roster), Op::Dismiss)?;
        match world.log.messages.dismiss(&group, now).await {
            Ok(true) => {
                let notice = WireNotice::new(NoticeKind::Dismissed, &group, actor.user, now);
                world.log.audience.notice(roster.members.keys(), Some(actor), notice).await;
                return Ok(());
            }
            Ok(false) | Err(Error::Throttled) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::GroupBusy)
}

/// Brings others. Returns whom it has brought; the others were there, or a business server wants them left out. There is no tip
/// of it if that is to be silent.
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
    world.count(actor).await?;
    let added = change(world, actor, id, Some(name), |read| {
        let Read { group, roster, .. } = read;
        may(group.kind, actor.who(roster), Op::Invite(group.info.invite))?;
        let new = users.iter().filter(|user| roster.role(user).is_none());
        let (refused, new): (Vec<UserId>, _) = new.cloned().partition(|user| read.refused.contains(user));
        if new.is_empty() {
            return if refused.is_empty() { Ok(None) } else { Err(Error::RefusedInGroup) };
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
    let gone = change(world, actor, id, Some(name), |Read { group, roster, .. }| {
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

/// Lets a group say something else about itself.
///
/// # Errors
/// Those of every change.
pub async fn update_group_profile(
    world: &ManageWorld,
    actor: Actor<'_>,
    id: &GroupId,
    name: &ChangeName,
    wanted: &InfoChange,
) -> Result<Changed> {
    change(world, actor, id, Some(name), |Read { group, roster, .. }| {
        let mine = actor.who(roster);
        may(group.kind, mine, Op::Describe)?;
        if wanted.mutes_all.is_some() {
            may(group.kind, mine, Op::MuteAll)?;
        }
        // What a business server repeats has no name by which it would be known.
        if actor.is_administrator && group.info.clone().with(wanted, group.kind) == group.info {
            return Ok(None);
        }
        if wanted.limit.is_some_and(|limit| limit < group.members) {
            return Err(Error::BadRequest("`maxMemberNum` is less than there are members".to_owned()));
        }
        let told = Tip {
            change: Some(wanted),
            ..Tip::new(
                TipKind::Described,
                actor.user,
                &group.id,
                wanted.name.as_ref().unwrap_or(&group.info.name),
            )
        };
        Ok(Some(Plan { tip: Some(told.payload()), what: What::Info(wanted.clone()), users: Vec::new() }))
    })
    .await
}

/// Makes a member the owner. Who was it is a member then.
///
/// # Errors
/// Those of every change.
pub async fn change_group_owner(
    world: &ManageWorld,
    actor: Actor<'_>,
    id: &GroupId,
    name: &ChangeName,
    new: &UserId,
) -> Result<Changed> {
    change(world, actor, id, Some(name), |Read { group, roster, .. }| {
        let mine = actor.who(roster);
        may(group.kind, mine, Op::Speak)?;
        let Some(next) = roster.members.get(new) else {
            return Err(Error::BadRequest("the new owner must be a member of the group".to_owned()));
        };
        if actor.is_administrator && next.role == Role::Owner {
            return Ok(None);
        }
        may(group.kind, mine, Op::HandOver(next.role))?;
        let becomes = |user: &UserId, member: &Member, role| MemberStep::Become {
            user: user.clone(),
            member: Member { role, muted_until: 0, ..member.clone() },
            shows: true,
        };
        let old = group.owner.as_ref().and_then(|owner| Some((owner, roster.members.get(owner)?)));
        let old = old.map(|(owner, old)| becomes(owner, old, Role::Member));
        let steps = old.into_iter().chain([becomes(new, next, Role::Owner)]).collect();
        let told =
            Tip { owner: Some(new), ..Tip::new(TipKind::Described, actor.user, &group.id, &group.info.name) };
        Ok(Some(Plan {
            tip: Some(told.payload()),
            what: What::Members { steps, owner: Some(Some(new.clone())), is_free: false },
            users: vec![new.clone()],
        }))
    })
    .await
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
    let name = match wanted {
        MemberChange::Remind(remind) => {
            return remind_of(world, actor, id, *remind).await.map(MemberChanged::Mine);
        }
        MemberChange::Mute(name, seconds) => {
            let users = std::slice::from_ref(user);
            let muted = mute_group_member(world, actor, id, name, users, *seconds).await?;
            return Ok(MemberChanged::Member(muted, world.log.clock.now()));
        }
        MemberChange::Role(name, _) => Some(name),
        MemberChange::Card(_) => None,
    };
    let changed = change(world, actor, id, name, |read| {
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
                let kind = if *role == Role::Admin { TipKind::Appointed } else { TipKind::Demoted };
                let told = tip(kind, actor.user, group, &users, None).payload();
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
    change(world, actor, id, Some(name), |Read { group, roster, now_ms, .. }| {
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
    let entered = world.log.enter(id, actor).await?;
    let now = world.log.clock.now();
    let mine = world.log.mine.remind(actor.user, id, remind, now).await?;
    let (member, mine) = not_in_it(mine)?;
    let discards = remind == RemindType::Discard;
    let knows = entered.roster.members.get(actor.user).map(|member| member.discards);
    if knows != Some(discards) {
        world.log.rosters.discard(&member, discards).await?;
    }
    let mut notice = WireNotice::new(NoticeKind::Remind, &entered.group, actor.user, now);
    notice.message_remind_type = Some(remind);
    world.log.audience.notice([actor.user], Some(actor), notice).await;
    Ok(mine)
}

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
    let decided = change(world, actor, id, Some(name), |read| {
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

/// Who has applied to the groups that a user looks after, of as many of them as one request may look at.
pub async fn get_group_application_list(world: &ManageWorld, me: &UserId) -> Result<Vec<WireApplication>> {
    let now = world.log.clock.now();
    let at_most = MyGroups::affordable(LOOK_UNITS);
    let (all, _) = world.log.mine.all(me, None, at_most, now).await?;
    let mut open = Vec::new();
    for (member, _) in all.iter().filter(|(_, mine)| mine.role >= Role::Admin) {
        if allowance::read_units_left() < LOOK_UNITS {
            break;
        }
        let applications = world.log.rosters.applications(member.group(), now).await?;
        if applications.is_empty() {
            continue;
        }
        let group = world.log.messages.group(member.group()).await?;
        let Some(group) = group.filter(|group| group.dismissed_at.is_none()) else { continue };
        open.extend(applications.into_iter().map(|Application { user, words, token, at }| WireApplication {
            applicant: user.clone(),
            group_id: group.id.clone(),
            group_name: group.info.name.clone(),
            apply_message: words,
            authentication: token,
            message_key: at,
            application_type: 0,
            user_id: user,
            time: at / 1000,
        }));
    }
    Ok(open)
}
