//! `openconfigsvr`: who may not speak.

use hongyan_shared::rest::{Error, GetNoSpeaking, NoSpeaking, Result, SetNoSpeaking};

use super::{Event, Reply, World};
use crate::actions::accounts as actions;

pub async fn setnospeaking(world: &World, event: &Event) -> Result<Reply> {
    let request: SetNoSpeaking = event.data()?;
    let change = request.parse(world.accounts.now_s())?;
    let progress = actions::mute(&world.accounts, &change).await?;
    event.progress(&change.user, progress)
}

pub async fn getnospeaking(world: &World, event: &Event) -> Result<Reply> {
    let request: GetNoSpeaking = event.data()?;
    let user = request.parse()?;
    let mute = actions::mute_of(&world.accounts, &user).await?;
    let mute = mute.ok_or_else(|| Error::NoSuchUser(user.to_string()))?;
    Ok(event.reply(&NoSpeaking::new(mute, world.accounts.now_s())))
}
