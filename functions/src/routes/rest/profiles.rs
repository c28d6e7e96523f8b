//! `profile`: what is known of users.

use hongyan_shared::{
    model::UserId,
    rest::{Done, Error, Portrait, PortraitGet, PortraitSet, Portraits, Result},
};

use super::{Event, Reply, World, users};
use crate::actions::accounts as actions;

pub async fn portrait_get(world: &World, event: &Event) -> Result<Reply> {
    let request: PortraitGet = event.data()?;
    let (names, tags) = request.parse()?;
    let profiles = actions::profiles(&world.accounts, &users(&names)).await?;
    let (mut user_profile_item, mut fail_account) = (Vec::new(), Vec::new());
    for name in names {
        let user = UserId::parse("To_Account", &name).ok();
        match user.and_then(|user| profiles.get_key_value(&user)) {
            Some((user, profile)) => user_profile_item.push(Portrait::new(user, profile.clone(), &tags)),
            None => {
                fail_account.push(name.clone());
                user_profile_item.push(Portrait::no_such_user(name));
            }
        }
    }
    Ok(event.reply(&Portraits { user_profile_item, fail_account }))
}

pub async fn portrait_set(world: &World, event: &Event) -> Result<Reply> {
    let request: PortraitSet = event.data()?;
    let (user, changes) = request.parse()?;
    match actions::set_profile(&world.accounts, &world.users, &event.administrator, &user, &changes).await? {
        true => Ok(event.reply(&Done {})),
        false => Err(Error::NoSuchUser(user.to_string())),
    }
}
