//! What a business server does with accounts.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use hongyan_shared::{
    Result,
    model::{Mute, MuteChange, Platform, Profile, UserId},
    rest::Account,
};
use tokio::time::timeout;
use tracing::warn;

use super::{
    MAX_BATCH,
    deadline::{Deadline, TIMEOUT},
    each, kick, manage_user,
    manage_user::update_my_profile,
    mute,
};
use crate::{
    caller::Administrator,
    clock::Clock,
    config::{Config, Configured},
    notify::Notifier,
    store::{Accounts, Consistency, Users},
};

/// What it takes.
pub struct World {
    accounts: Accounts,
    users: Users,
    notifier: Notifier,
    clock: Clock,
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self {
            accounts: Accounts::new(config)?,
            users: Users::new(config)?,
            notifier: Notifier::new(config)?,
            clock: config.clock.clone(),
        })
    }

    /// What time it is, in seconds.
    pub fn now_s(&self) -> u64 {
        self.clock.now() / 1000
    }
}

/// How far something has come that takes longer than anybody waits for now and then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// All of it is done.
    Done,
    /// Not yet: to ask for it again goes on with it.
    Unfinished,
    /// There is no such account.
    NoSuchUser,
}

/// Enters a user, with a name and a picture if they are given, which replace those that they had.
pub async fn import(
    world: &World,
    users: &manage_user::World,
    administrator: &Administrator,
    account: &Account,
) -> Result<()> {
    world.accounts.enter(&account.user, world.clock.now()).await?;
    if let Some(profile) = &account.profile {
        update_my_profile(users, administrator.acting_for(&account.user), profile).await?;
    }
    Ok(())
}

/// Enters many, and returns those with whom it has failed, or for whom there was no time. To import somebody twice does nothing
/// more.
pub async fn import_all(
    world: &World,
    users: &manage_user::World,
    administrator: &Administrator,
    accounts: &[Account],
) -> Vec<UserId> {
    let until = Deadline::new(&world.clock);
    let imports = accounts.iter().map(async |account| {
        let imported = match until.check() {
            Ok(()) => import(world, users, administrator, account).await,
            late => late,
        };
        imported.err().map(|error| {
            warn!(user = %account.user, %error, "an account was not imported");
            account.user.clone()
        })
    });
    each(imports).await.into_iter().flatten().collect()
}

/// Returns which of these users there are.
pub async fn check(world: &World, users: &BTreeSet<UserId>) -> Result<BTreeSet<UserId>> {
    let users: Vec<UserId> = users.iter().cloned().collect();
    let found = try_join_all(users.chunks(MAX_BATCH).map(|users| world.accounts.among(users))).await?;
    Ok(found.into_iter().flatten().collect())
}

/// Whether there is this user, by an account or by whatever they have done here.
async fn is_there(world: &World, user: &UserId) -> Result<bool> {
    Ok(world.accounts.is_there(user).await? || world.notifier.connections.is_known(user).await?)
}

/// Kicks a user: [`kick::kick`].
pub async fn kick(world: &World, user: &UserId) -> Result<Progress> {
    if !is_there(world, user).await? {
        return Ok(Progress::NoSuchUser);
    }
    within(kick::kick(&world.notifier, user)).await
}

/// Mutes a user, or lifts a mute: [`mute::mute`].
pub async fn mute(world: &World, change: &MuteChange) -> Result<Progress> {
    if !is_there(world, &change.user).await? {
        return Ok(Progress::NoSuchUser);
    }
    within(mute::mute(&world.notifier, change)).await
}

/// Returns until when a user may not speak, as far as the last second is known, if there is this user.
pub async fn mute_of(world: &World, user: &UserId) -> Result<Option<Mute>> {
    if !is_there(world, user).await? {
        return Ok(None);
    }
    Ok(Some(mute::restrictions(&world.notifier, user).await?.mute))
}

/// What a handshake that is under way lasts longer than is given up, and can be asked for again.
pub(super) async fn within(ending: impl Future<Output = Result<()>>) -> Result<Progress> {
    match timeout(TIMEOUT, ending).await {
        Ok(ended) => ended.map(|()| Progress::Done),
        Err(_) => Ok(Progress::Unfinished),
    }
}

/// Returns the devices that are online of each of these users whom there is, as far as the last second is known.
pub async fn platforms(world: &World, users: &BTreeSet<UserId>) -> Result<BTreeMap<UserId, Vec<Platform>>> {
    let all: Vec<UserId> = users.iter().cloned().collect();
    let (connections, now) = (&world.notifier.connections, world.clock.now());
    let batches = all.chunks(MAX_BATCH).map(|users| connections.of_all(users, Consistency::Eventual, now));
    let mut found: BTreeMap<UserId, Vec<Platform>> = BTreeMap::new();
    for (user, presence) in try_join_all(batches).await?.into_iter().flatten() {
        found.insert(user, presence.connections.iter().map(|connection| connection.platform).collect());
    }
    let others = users.iter().filter(|user| !found.contains_key(*user)).cloned().collect();
    found.extend(check(world, &others).await?.into_iter().map(|user| (user, Vec::new())));
    Ok(found)
}

/// Returns the profile of each of these users, at most 100, whom there is.
pub async fn profiles(world: &World, users: &BTreeSet<UserId>) -> Result<BTreeMap<UserId, Profile>> {
    let all: Vec<UserId> = users.iter().cloned().collect();
    let (there, mut found) = tokio::try_join!(check(world, users), world.users.profiles(&all))?;
    let profile = |user: UserId| {
        let (profile, _) = found.remove(&user).unwrap_or_default();
        (user, profile)
    };
    Ok(there.into_iter().map(profile).collect())
}

/// Changes a user's profile, and says whether there is this user.
///
/// # Errors
/// Custom fields for which there is no room.
pub async fn set_profile(
    world: &World,
    users: &manage_user::World,
    administrator: &Administrator,
    user: &UserId,
    changes: &Profile,
) -> Result<bool> {
    let is_there = world.accounts.is_there(user).await?;
    if is_there {
        update_my_profile(users, administrator.acting_for(user), changes).await?;
    }
    Ok(is_there)
}
