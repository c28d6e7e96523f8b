//! The business server is asked before a message is sent.

use hongyan_shared::{
    Error, Result,
    callback::{Answer, answer, before_send},
    model::{CallbackNotes, Draft, Message, Pair, Verdict},
};
use tracing::warn;

use crate::{
    business_server::BusinessServer,
    caller::Actor,
    config::CallbackFailure,
    record::{Metric, count},
};

/// The draft as callbacks want to know of it: what only they want to know is left out where there are none.
pub(super) fn noted(server: Option<&BusinessServer>, actor: Actor<'_>, draft: &Draft) -> Draft {
    let callbacks = match server {
        None => CallbackNotes::default(),
        Some(_) => CallbackNotes {
            platform: actor.connection.map(|caller| caller.device.platform),
            ..draft.callbacks.clone()
        },
    };
    Draft { callbacks, ..draft.clone() }
}

/// The draft as it may be sent. `message` is what would become of it at this moment.
///
/// # Errors
/// [`Error::Refused`], [`Error::RefusedWith`], and
/// [`Error::BusinessServer`] when the answer cannot be had or used and the operator wants to send nothing then.
pub(super) async fn ask_before_sending(
    server: &BusinessServer,
    pair: &Pair,
    draft: Draft,
    message: &Message,
) -> Result<Draft> {
    if draft.callbacks.is_unasked {
        return Ok(draft);
    }
    let call = before_send(pair, message);
    let answered = match server.failure() {
        CallbackFailure::Send => server.call_unless_dead(&call).await,
        CallbackFailure::Refuse => server.call(&call).await.map(Some),
    };
    let meant = answered.and_then(|body| match body {
        None => Ok(Answer::Send),
        Some(body) => answer(&draft, &body).map_err(|why| {
            count(Metric::FailedCallbacks);
            Error::BusinessServer(why)
        }),
    });
    match meant {
        Ok(Answer::Send) => Ok(draft),
        Ok(Answer::SendInstead(elem)) => Ok(Draft { elem, ..judged(draft, Verdict::Rewritten) }),
        Ok(Answer::Withhold) => {
            let draft = judged(draft, Verdict::Withheld);
            let callbacks = CallbackNotes { is_untold: true, ..draft.callbacks.clone() };
            Ok(Draft { callbacks, ..draft })
        }
        Ok(Answer::Refuse(refused)) => Err(refused),
        Err(error) if server.failure() == CallbackFailure::Refuse => Err(error),
        Err(error) => {
            warn!(%error, detail = detail(&error), "a message is sent that the business server was not asked about");
            Ok(draft)
        }
    }
}

fn judged(draft: Draft, verdict: Verdict) -> Draft {
    let callbacks = CallbackNotes { verdict, ..draft.callbacks.clone() };
    Draft { callbacks, ..draft }
}

fn detail(error: &Error) -> &str {
    match error {
        Error::BusinessServer(detail) => detail,
        _ => "",
    }
}
