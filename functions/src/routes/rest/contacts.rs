//! `recentcontact`: a user's list of conversations.

use hongyan_shared::rest::{Contacts, ContactsDelete, ContactsGetList, Done, Result};

use super::{Event, Reply, World};
use crate::actions::{contacts::contacts, manage_conversation::delete_conversation};

pub async fn get_list(world: &World, event: &Event) -> Result<Reply> {
    let request: ContactsGetList = event.data()?;
    let (user, after) = request.parse()?;
    let (part, next) = contacts(&world.list, &user, after).await?;
    Ok(event.reply(&Contacts::new(part, next)))
}

pub async fn delete(world: &World, event: &Event) -> Result<Reply> {
    let request: ContactsDelete = event.data()?;
    let (user, deletion) = request.parse()?;
    delete_conversation(&world.conversations, event.administrator.acting_for(&user), &deletion).await?;
    Ok(event.reply(&Done {}))
}
