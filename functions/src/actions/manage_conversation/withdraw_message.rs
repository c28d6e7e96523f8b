//! What a business server does for who has sent a message: it is recalled, however old it is.

use hongyan_shared::{Result, model::Pair, rest::MsgKey};

use super::{super::message_keys::find_by_key, World, revoke_message};
use crate::caller::Actor;

/// What has become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawal {
    /// It is recalled.
    Done,
    /// It was recalled before.
    Before,
    /// The actor has sent no such message, or it has expired.
    Absent,
}

/// Recalls the actor's message that is called so, and tells both users' devices.
pub async fn withdraw_message(
    world: &World,
    actor: Actor<'_>,
    pair: &Pair,
    key: &MsgKey,
) -> Result<Withdrawal> {
    let found = find_by_key(&world.messages, pair, key, world.clock.now()).await?;
    let Some(message) = found.filter(|message| message.from == *actor.user) else {
        return Ok(Withdrawal::Absent);
    };
    if message.revoked_at.is_some() {
        return Ok(Withdrawal::Before);
    }
    revoke_message(world, actor, pair, message.address()).await?;
    Ok(Withdrawal::Done)
}
