//! `updateMyProfile`: a user says something about themselves, or their server does.

use hongyan_shared::{
    Result,
    model::{Profile, UserId},
    protocol::{Push, WireProfile},
};

use super::World;
use crate::{caller::Actor, store::Names};

/// Changes what is given, tells the actor's other devices, and returns the profile as it is then, and when
/// it was changed.
///
/// # Errors
/// Custom fields for which there is no room.
pub async fn update_my_profile(world: &World, actor: Actor<'_>, changes: &Profile) -> Result<(Profile, u64)> {
    let now = world.clock.now();
    let names = Names { nick: changes.nick.clone(), avatar: changes.avatar.clone() };
    let (profile, others) = tokio::join!(
        world.users.update_profile(actor.user, changes, actor.is_administrator, now),
        world.notifier.other_connections(actor)
    );
    let profile = profile?;
    let push = Push::ProfileUpdated([WireProfile::new(actor.user, profile.clone(), now)]).frame();
    let (renamed, ()) =
        tokio::join!(rename(world, actor.user, &names), world.notifier.deliver(&others, &push));
    renamed?;
    Ok((profile, now))
}

/// Pushes carry the name and the picture, from where a send finds them.
async fn rename(world: &World, user: &UserId, names: &Names) -> Result<()> {
    if *names == Names::default() {
        return Ok(());
    }
    world.notifier.connections.rename(user, names, world.clock.now()).await
}
