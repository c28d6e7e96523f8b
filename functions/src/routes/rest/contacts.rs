//! `recentcontact`: a user's list of conversations.

use hongyan_shared::rest::{Contacts, ContactsDelete, ContactsGetList, Done, Going, Result};

use super::{Event, Reply, World};
use crate::actions::{
    contacts::contacts,
    manage_conversation::{delete_conversation, delete_group_conversation},
};

pub async fn get_list(world: &World, event: &Event) -> Result<Reply> {
    let request: ContactsGetList = event.data()?;
    let (user, after) = request.parse()?;
    let (part, next) = contacts(&world.list, &user, after).await?;
    Ok(event.reply(&Contacts::new(part, next)))
}

pub async fn delete(world: &World, event: &Event) -> Result<Reply> {
    let request: ContactsDelete = event.data()?;
    let (user, going) = request.parse()?;
    let (world, actor) = (&world.conversations, event.administrator.acting_for(&user));
    match going {
        Going::With(deletion) => _ = delete_conversation(world, actor, &deletion).await?,
        Going::Group(group, keeps_history) => {
            delete_group_conversation(world, actor, &group, None, keeps_history).await?;
        }
    }
    Ok(event.reply(&Done {}))
}
