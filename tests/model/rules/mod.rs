//! What each kind of action does to the model: a file for each kind, as docs/protocol.md has a chapter.

mod blacklist;
mod conversation;
mod message;
mod presence;
mod send;

use serde_json::{Value, json};

use super::{
    action::{Action, Fate, How, Place, User},
    reference::{Answer, Call, Chat, Connection, Model},
};

/// Who acts.
pub struct Caller {
    pub connection: Connection,
    /// The time of the sandbox that serves it, in milliseconds.
    pub now: u64,
    pub how: How,
}

/// A frame, and what comes back for it.
pub struct Exchange {
    event: &'static str,
    data: Value,
    fate: Fate,
    answer: Answer,
}

impl Exchange {
    fn new(event: &'static str, data: Value, answer: Answer) -> Self {
        Self { event, data, fate: Fate::Lives, answer }
    }
}

fn refused(code: i64) -> Answer {
    Answer::Refused(code, json!({}))
}

impl Caller {
    fn user(&self) -> User {
        self.connection.device.user
    }
}

impl Chat {
    /// The number of a place, if it is named.
    fn number(&self, place: Place) -> Option<u64> {
        let last = self.log.last().map_or(0, |message| message.sequence);
        match place {
            Place::Unnamed => None,
            Place::Back(messages) => Some(last.saturating_sub(messages)),
            Place::Ahead(messages) => Some(last + messages),
        }
    }
}

impl Model {
    /// The frames of an action.
    pub fn calls(&mut self, caller: &Caller, action: &Action) -> Vec<Call> {
        let exchanges = match action {
            Action::Send { to, base, options, fate } => vec![self.send(caller, *to, *base, *options, *fate)],
            Action::SendMany { to, messages } => self.send_many(caller, *to, *messages),
            Action::Retry { back, fate } => vec![self.retry(caller, *back, *fate)],
            Action::Misname { back } => vec![self.misname(caller, *back)],
            Action::Rebase { back } => vec![self.rebase(caller, *back)],
            Action::Hint { to } => vec![self.hint(caller, *to)],
            Action::Read { peer, up_to } => vec![self.read(caller, *peer, *up_to)],
            Action::Recall { peer, at } => vec![self.recall(caller, *peer, *at)],
            Action::Delete { peer, at } => vec![self.delete(caller, *peer, at)],
            Action::Clear { peer, up_to } => vec![self.clear(caller, *peer, *up_to)],
            Action::Unlist { peer, up_to } => vec![self.unlist(caller, *peer, *up_to)],
            Action::Pin { peer, is_pinned } => vec![self.pin(caller, *peer, *is_pinned)],
            Action::Block { users } => vec![self.block(caller, users)],
            Action::Unblock { users } => vec![self.unblock(caller, users)],
            Action::Watch { users } => vec![self.watch(caller, users)],
            Action::Unwatch { users } => vec![self.unwatch(caller, users)],
            Action::Statuses => vec![self.statuses(caller)],
            Action::Login => vec![self.login(caller)],
            Action::Logout => vec![self.logout(caller)],
        };
        let call = |Exchange { event, data, fate, answer }| Call {
            by: caller.connection.clone(),
            event,
            data,
            fate,
            how: caller.how,
            answer,
        };
        exchanges.into_iter().map(call).collect()
    }
}
