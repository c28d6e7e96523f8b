//! `revokeMessage`: the sender takes back what they have just said.

use hongyan_shared::{
    Error, Result,
    model::{Address, Message, Pair, Verdict},
    protocol::{Push, WireMessage},
};

use super::World;
use crate::{
    caller::Actor,
    store::{Consistency, Recalled},
};

/// Recalls a message, tells both users' devices, and returns what is left of it. For a business server none is too old.
///
/// # Errors
/// A message that is not there, not the actor's or too old.
pub async fn revoke_message(world: &World, actor: Actor<'_>, pair: &Pair, at: Address) -> Result<Message> {
    let now = world.clock.now();
    let recall_seconds = if actor.is_administrator { u64::MAX } else { world.recall_seconds };
    let oldest = now.saturating_sub(recall_seconds.saturating_mul(1000));
    let key = pair.log_key();
    let (recalled, recipients) = tokio::join!(
        world.messages.revoke(&key, actor.user, at, oldest, now),
        world.notifier.recipients(pair, actor, Consistency::Eventual)
    );
    match recalled? {
        Recalled::Now(message) => {
            let push = Push::MessageRevoked([WireMessage::new(pair, &message)]);
            // Who has never seen the message learns nothing of its end.
            let is_withheld = message.callbacks.verdict == Verdict::Withheld;
            world.notifier.deliver(recipients.all(is_withheld), &push.frame()).await;
            Ok(message)
        }
        Recalled::Refused(None) => Err(Error::BadRequest(
            "`sequence` is of no message in this conversation: it may have expired".to_owned(),
        )),
        Recalled::Refused(Some(message)) if message.from != *actor.user => Err(Error::NotSender),
        // It was recalled before, by a request whose answer was lost or from another device.
        Recalled::Refused(Some(message)) if message.revoked_at.is_some() => Ok(message),
        Recalled::Refused(Some(_)) => Err(Error::RecallTooLate),
    }
}
