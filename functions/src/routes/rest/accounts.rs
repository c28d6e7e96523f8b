//! `im_open_login_svc`: who there is.

use hongyan_shared::{
    model::UserId,
    rest::{
        AccountCheck, AccountDelete, AccountImport, CheckedAccount, CheckedAccounts, DeletedAccount,
        DeletedAccounts, Done, Error, ImportedAccounts, Kick, MultiaccountImport, Result,
    },
};

use super::{Event, Reply, World, done_with, users};
use crate::actions::{accounts as actions, delete_account::delete_accounts};

pub async fn account_import(world: &World, event: &Event) -> Result<Reply> {
    let request: AccountImport = event.data()?;
    let account = request.parse()?;
    actions::import(&world.accounts, &world.users, &event.administrator, &account).await?;
    Ok(event.reply(&Done {}))
}

pub async fn multiaccount_import(world: &World, event: &Event) -> Result<Reply> {
    let request: MultiaccountImport = event.data()?;
    let (accounts, mut fail_accounts) = request.parse()?;
    let failed = actions::import_all(&world.accounts, &world.users, &event.administrator, &accounts).await;
    fail_accounts.extend(failed.iter().map(UserId::to_string));
    Ok(event.reply(&ImportedAccounts { fail_accounts }))
}

pub async fn account_check(world: &World, event: &Event) -> Result<Reply> {
    let request: AccountCheck = event.data()?;
    let names = request.parse()?;
    // A name that can be nobody's is not imported either.
    let there = actions::check(&world.accounts, &users(&names)).await?;
    let is_there = |name: &str| there.iter().any(|user| user.as_str() == name);
    let checked = |name: String| {
        let is_there = is_there(&name);
        CheckedAccount::new(name, is_there)
    };
    Ok(event.reply(&CheckedAccounts { result_item: names.into_iter().map(checked).collect() }))
}

pub async fn kick(world: &World, event: &Event) -> Result<Reply> {
    let request: Kick = event.data()?;
    let user = request.parse()?;
    let progress = actions::kick(&world.accounts, &user).await?;
    event.progress(&user, progress)
}

pub async fn account_delete(world: &World, event: &Event) -> Result<Reply> {
    let request: AccountDelete = event.data()?;
    let names = request.parse()?;
    let named: Vec<UserId> = users(&names).into_iter().collect();
    let outcomes = delete_accounts(&world.delete_account, &event.administrator, &named).await;
    let deleted = |name: String| {
        let outcome = outcomes.iter().find(|(user, _)| user.as_str() == name);
        let outcome = match outcome {
            Some((user, Ok(progress))) => done_with(user, *progress),
            Some((_, Err(error))) => Err(error.clone().into()),
            None => Err(Error::NoSuchUser(name.clone())),
        };
        DeletedAccount::new(name, outcome)
    };
    Ok(event.reply(&DeletedAccounts { result_item: names.into_iter().map(deleted).collect() }))
}
