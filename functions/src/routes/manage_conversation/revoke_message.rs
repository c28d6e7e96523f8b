//! `revokeMessage`: the sender takes back what he has just said.

use hongyan_shared::{
    Error, Result,
    protocol::{MessageReply, Push, RevokeMessage, WireMessage},
};

use crate::{app::App, event::Event, runtime::Reply, store::Recalled};

/// Recalls a message, and tells both users' devices.
///
/// # Errors
/// A message that is not there, not the caller's or too old; a store that fails.
pub async fn handle(app: &App, event: Event) -> Result<Reply> {
    let request: RevokeMessage = event.request.data()?;
    let (pair, seq) = request.parse(&event.caller.user)?;
    let now = app.now();
    let oldest = now.saturating_sub(app.settings.recall_seconds.saturating_mul(1000));
    let (recalled, audience) = tokio::join!(
        app.messages.revoke(&pair, pair.mine(), seq, oldest, now),
        app.audience(&pair, &event)
    );
    let message = match recalled? {
        Recalled::Now(message) => {
            let push = Push::MessageRevoked([WireMessage::new(&pair, &message)]);
            app.deliver(audience.peer.iter().chain(&audience.others), &push.frame()).await;
            message
        }
        Recalled::Refused(None) => {
            return Err(Error::BadRequest(
                "`sequence` is of no message in this conversation: it may have expired".to_owned(),
            ));
        }
        Recalled::Refused(Some(message)) if message.from != pair.mine() => return Err(Error::NotSender),
        // It was recalled before, by a request whose answer was lost or from another device.
        Recalled::Refused(Some(message)) if message.revoked_at.is_some() => message,
        Recalled::Refused(Some(_)) => return Err(Error::RecallTooLate),
    };
    Ok(Reply::data(&MessageReply { message: WireMessage::new(&pair, &message) }))
}
