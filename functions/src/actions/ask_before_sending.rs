//! The business server is asked before a message is sent, and before a group changes.

use std::collections::BTreeSet;

use hongyan_shared::{
    Error, Result,
    callback::{Answer, Asked, Call, answer, permission},
    model::{CallbackNotes, Draft, UserId, Verdict},
};
use tracing::warn;

use crate::{business_server::BusinessServer, caller::Actor, config::CallbackFailure};

/// The draft as callbacks want to know of it: what only they want to know is left out where there are none.
pub(super) fn with_callback_notes(server: Option<&BusinessServer>, actor: Actor<'_>, draft: &Draft) -> Draft {
    let callbacks = match server {
        None => CallbackNotes::default(),
        Some(_) => CallbackNotes { platform: actor.platform(), ..draft.callbacks.clone() },
    };
    Draft { callbacks, ..draft.clone() }
}

/// What the answer to a call means. Nothing if it cannot be had or used and the operator wants things to go on then.
async fn ask<Meant>(
    server: &BusinessServer,
    call: &Call,
    meaning: impl Fn(&[u8]) -> std::result::Result<Meant, String>,
) -> Result<Option<Meant>> {
    let meant = match server.failure() {
        CallbackFailure::Send => server.ask_unless_dead(call, meaning).await,
        CallbackFailure::Refuse => server.ask(call, meaning).await.map(Some),
    };
    match meant {
        Err(error) if server.failure() == CallbackFailure::Send => {
            warn!(%error, detail = detail(&error), "something is done that the business server was not asked about");
            Ok(None)
        }
        meant => meant,
    }
}

/// Whom of those that are to come the business server wants left out, if the call lets the group be changed at all.
///
/// # Errors
/// [`Error::RefusedInGroup`], [`Error::RefusedWith`], and [`Error::BusinessServer`] when the answer cannot be had or used and the
/// operator wants nothing done then.
pub(super) async fn ask_before_changing(server: &BusinessServer, call: &Call) -> Result<BTreeSet<UserId>> {
    match ask(server, call, permission).await? {
        None => Ok(BTreeSet::new()),
        Some(permitted) => permitted,
    }
}

/// The draft as it may be sent. The call says what would become of it at this moment.
///
/// # Errors
/// [`Error::Refused`] or [`Error::RefusedInGroup`], [`Error::RefusedWith`], and [`Error::BusinessServer`] as for a change.
pub(super) async fn ask_before_sending(
    server: &BusinessServer,
    draft: Draft,
    asked: Asked,
    call: &Call,
) -> Result<Draft> {
    if draft.callbacks.is_unasked {
        return Ok(draft);
    }
    match ask(server, call, |body| answer(&draft, body, asked)).await?.unwrap_or(Answer::Send) {
        Answer::Send => Ok(draft),
        Answer::SendInstead(elem) => Ok(Draft { elem, ..with_verdict(draft, Verdict::Rewritten) }),
        Answer::Withhold => {
            let draft = with_verdict(draft, Verdict::Withheld);
            let callbacks = CallbackNotes { is_untold: true, ..draft.callbacks.clone() };
            Ok(Draft { callbacks, ..draft })
        }
        Answer::Refuse(refused) => Err(refused),
    }
}

fn with_verdict(draft: Draft, verdict: Verdict) -> Draft {
    let callbacks = CallbackNotes { verdict, ..draft.callbacks.clone() };
    Draft { callbacks, ..draft }
}

fn detail(error: &Error) -> &str {
    match error {
        Error::BusinessServer(detail) => detail,
        _ => "",
    }
}
