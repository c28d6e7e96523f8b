//! What a business server does with accounts.

use std::collections::BTreeSet;

use hongyan_shared::{Result, model::UserId, rest::Account};

use tracing::warn;

use super::{each, manage_user, manage_user::update_my_profile};
use crate::{
    caller::Administrator,
    clock::Clock,
    config::{Config, Configured},
    store,
};

/// What it takes.
pub struct World {
    accounts: store::Accounts,
    clock: Clock,
}

impl World {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self { accounts: store::Accounts::new(config)?, clock: config.clock.clone() })
    }
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

/// Enters many, and returns those with whom it has failed. To import somebody twice does nothing more.
pub async fn import_all(
    world: &World,
    users: &manage_user::World,
    administrator: &Administrator,
    accounts: &[Account],
) -> Vec<UserId> {
    let imports = accounts.iter().map(async |account| {
        let imported = import(world, users, administrator, account).await;
        imported.err().map(|error| {
            warn!(user = %account.user, %error, "an account was not imported");
            account.user.clone()
        })
    });
    each(imports).await.into_iter().flatten().collect()
}

/// Returns which of these users, at most 100, there are.
pub async fn check(world: &World, users: &BTreeSet<UserId>) -> Result<BTreeSet<UserId>> {
    let users: Vec<UserId> = users.iter().cloned().collect();
    world.accounts.among(&users).await
}
