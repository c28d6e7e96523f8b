//! `sns/black_list_…`: who does not want to hear whom.

use std::collections::BTreeSet;

use hongyan_shared::{
    model::UserId,
    rest::{
        BlackList, BlackListChange, BlackListCheck, BlackListGet, ChangedBlackList, CheckedBlackList,
        CheckedBlock, Error, Result,
    },
};

use super::{Event, Reply, World, users};
use crate::actions::manage_user as actions;

pub async fn black_list_add(world: &World, event: &Event) -> Result<Reply> {
    let request: BlackListChange = event.data()?;
    let (me, names) = request.parse()?;
    let others = others(&me, &names);
    if !others.is_empty() {
        actions::add_to_blacklist(&world.users, event.administrator.acting_for(&me), &others).await?;
    }
    Ok(event.reply(&ChangedBlackList::new(event.command, outcomes(&me, names))))
}

pub async fn black_list_delete(world: &World, event: &Event) -> Result<Reply> {
    let request: BlackListChange = event.data()?;
    let (me, names) = request.parse()?;
    let others = others(&me, &names);
    if !others.is_empty() {
        actions::remove_from_blacklist(&world.users, event.administrator.acting_for(&me), &others).await?;
    }
    Ok(event.reply(&ChangedBlackList::new(event.command, outcomes(&me, names))))
}

/// The users of a list who can be on it.
fn others(me: &UserId, names: &[String]) -> Vec<UserId> {
    users(names).into_iter().filter(|user| user != me).collect()
}

/// What has become of each name.
fn outcomes(me: &UserId, names: Vec<String>) -> Vec<(String, Result<()>)> {
    let outcome = |name: &str| match UserId::parse("To_Account", name) {
        Ok(user) if user == *me => {
            Err(Error::Parameter("nobody can be on their own blacklist: leave them out".to_owned()))
        }
        Ok(_) => Ok(()),
        Err(_) => Err(Error::NoSuchUser(name.to_owned())),
    };
    let with_outcome = |name: String| {
        let outcome = outcome(&name);
        (name, outcome)
    };
    names.into_iter().map(with_outcome).collect()
}

pub async fn black_list_get(world: &World, event: &Event) -> Result<Reply> {
    let request: BlackListGet = event.data()?;
    let (me, start, limit) = request.parse()?;
    let list = actions::get_blacklist(&world.users, &me).await?;
    Ok(event.reply(&BlackList::new(list, start, limit)))
}

pub async fn black_list_check(world: &World, event: &Event) -> Result<Reply> {
    let request: BlackListCheck = event.data()?;
    let (me, names, is_both) = request.parse()?;
    let others: Vec<UserId> = if is_both { users(&names).into_iter().collect() } else { Vec::new() };
    let (mine, theirs) = tokio::try_join!(
        actions::get_blacklist(&world.users, &me),
        actions::blocked_by(&world.users, &me, &others)
    )?;
    let checked = |name: String| {
        let is_in = |list: &BTreeSet<UserId>| list.iter().any(|user| user.as_str() == name);
        let (blocks, is_blocked) = (is_in(&mine), is_in(&theirs));
        CheckedBlock::new(name, blocks, is_blocked)
    };
    Ok(event.reply(&CheckedBlackList { black_list_check_item: names.into_iter().map(checked).collect() }))
}
