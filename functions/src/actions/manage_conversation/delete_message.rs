//! `deleteMessage`: a user wants some messages out of their sight. The other one keeps them.

use hongyan_shared::{
    Result,
    model::{Address, Pair},
    protocol::{DeletedMessages, MessageName, Push},
};

use super::{super::all, World};
use crate::{caller::Actor, store::Messages};

/// Hides messages from the actor, as many of them as one request may write, and returns which. Tells the
/// actor's other devices as well.
pub async fn delete_message(
    world: &World,
    actor: Actor<'_>,
    pair: &Pair,
    messages: &[Address],
) -> Result<DeletedMessages> {
    let (hidden, others) = tokio::join!(hide(world, pair, messages), world.notifier.other_connections(actor));
    let messages = hidden?.iter().map(|at| MessageName::of(pair, *at)).collect();
    let deleted = DeletedMessages { conversation_id: pair.conversation_id(), messages };
    world.notifier.deliver(&others, &Push::MessageDeleted(&deleted).frame()).await;
    Ok(deleted)
}

/// Hides the first of them, and returns those.
async fn hide<'a>(world: &World, pair: &Pair, messages: &'a [Address]) -> Result<&'a [Address]> {
    let mut hidden = 0;
    // A large message costs as much to hide as to write, and how large it is shows only then.
    loop {
        let rest = messages.get(hidden..).unwrap_or_default();
        let wave = rest.get(..Messages::affordable_deletions()).unwrap_or(rest);
        if wave.is_empty() {
            return Ok(messages.get(..hidden).unwrap_or(messages));
        }
        all(wave.iter().map(|at| world.messages.hide(pair, *at))).await?;
        hidden += wave.len();
    }
}
