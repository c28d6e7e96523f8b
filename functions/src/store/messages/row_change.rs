//! What changes in a log, as the stream of the table tells of it.

use std::collections::BTreeSet;

use hongyan_shared::{
    Error, Result,
    model::{Message, Pair, Payload, ReadMarker, Seq, UserId},
};

use super::{
    super::{Item, RowChange, from_item},
    MEMBER,
    member::MemberRow,
    row::{MessageRow, message},
};

/// What those have to know of a recalled message who clean up behind it, and no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecalledMessage {
    /// Who had sent it.
    pub from: UserId,
    /// Where its files are, as the sender had said it: [`Payload::files`].
    pub files: BTreeSet<String>,
}

/// What has happened in a conversation of two users.
#[derive(Debug, Clone, PartialEq)]
pub enum LogChange {
    /// Its sender, for whom the pair is, has sent this.
    Sent(Pair, Box<Message>),
    /// Its sender, for whom the pair is, has recalled this.
    Recalled(Pair, Box<Message>),
    /// The user for whom the pair is has read up to there.
    Read(Pair, ReadMarker),
}

impl RowChange {
    /// The message that this is, if it is recalled.
    ///
    /// # Errors
    /// [`Error::Internal`] when the row is none of ours. It will not be one the next time either.
    pub fn recalled(self) -> Result<Option<RecalledMessage>> {
        let row = message_row(self.new)?;
        if row.r.is_none() {
            return Ok(None);
        }
        let wrong = |what: &str| Error::Internal(format!("{what} of message {} is wrong", row.s));
        let from = UserId::parse("f", &row.f).map_err(|_| wrong("the sender"))?;
        let said = Payload::restore(row.d).ok_or_else(|| wrong("the payload"))?;
        Ok(Some(RecalledMessage { from, files: said.files(&row.y) }))
    }

    /// What a business server is told, if that is what it is: a message that is new or recalled, unless it is not to be told of
    /// it, and a user who has read on. Groups are told of elsewhere.
    ///
    /// # Errors
    /// As [`RowChange::recalled`].
    pub fn in_log(&self) -> Result<Option<LogChange>> {
        let (Some(log), Some(key)) = (self.text("p"), self.text("s")) else { return Ok(None) };
        if self.new.is_empty() {
            return Ok(None);
        }
        if let Some(user) = key.strip_prefix(MEMBER) {
            let user = UserId::parse("user", user);
            let user = user.map_err(|_| Error::Internal("a row of the stream is of no user".to_owned()))?;
            let read = |item: &Item| Ok::<_, Error>(from_item::<MemberRow>(item.clone())?.read());
            let (before, now) = (read(&self.old)?, read(&self.new)?);
            let pair = Pair::of_log(&user, log).filter(|_| now.seq > before.seq);
            return Ok(pair.map(|pair| LogChange::Read(pair, now)));
        }
        if !key.starts_with('M') {
            return Ok(None);
        }
        let row = message_row(self.new.clone())?;
        let is_new = self.old.is_empty();
        let is_recalled = row.r.is_some() && !self.old.contains_key("r");
        let message = message(row)?;
        if message.callbacks.is_untold || message.seq == Seq(0) {
            return Ok(None);
        }
        let Some(pair) = Pair::of_log(&message.from, log) else { return Ok(None) };
        Ok(match (is_new, is_recalled) {
            (true, _) => Some(LogChange::Sent(pair, Box::new(message))),
            (false, true) => Some(LogChange::Recalled(pair, Box::new(message))),
            (false, false) => None,
        })
    }
}

fn message_row(item: Item) -> Result<MessageRow> {
    from_item(item).map_err(|_| Error::Internal("a record of the stream is no message".to_owned()))
}
