//! What changes in a log, as the stream of the table tells of it.

use std::collections::BTreeSet;

use hongyan_shared::{
    Error, Result,
    model::{Group, GroupId, GroupInfo, Message, Moved, Pair, Payload, ReadMarker, TIP, UserId, Verdict},
};

use super::{
    super::{Item, RowChange, from_item},
    GROUP, IMPORTED, MEMBER, NUMBER,
    group_row::moved_group_of,
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

/// What has happened in a conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum LogChange {
    /// Its sender, for whom the pair is, has sent this.
    Sent(Pair, Box<Message>),
    /// Its sender, for whom the pair is, has recalled this.
    Recalled(Pair, Box<Message>),
    /// The user for whom the pair is has read up to there.
    Read(Pair, ReadMarker),
    /// Its sender has sent this in a group.
    SentInGroup(GroupId, Box<Message>),
    /// This was recalled there.
    RecalledInGroup(GroupId, Box<Message>),
    /// A group is another one now.
    OfGroup(Box<Group>, Vec<GroupChange>),
}

/// What has become of a group.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupChange {
    /// It was made.
    Created,
    /// Members have come or gone.
    Moved(Moved),
    /// It has as many members as it may have.
    Full,
    /// A user has let it say something else than this.
    Described(UserId, GroupInfo),
    /// It was dismissed.
    Dismissed,
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

    /// What a business server is told, if that is what it is: a message that is new, unless that is not to be told or it was
    /// imported, one that is recalled, unless it had withheld it, a user who has read on, and what has become of a group.
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
        if key == GROUP {
            return Ok(Some(self.of_group()?)
                .filter(|(_, changes)| !changes.is_empty())
                .map(|(group, changes)| LogChange::OfGroup(Box::new(group), changes)));
        }
        if ![NUMBER, IMPORTED].iter().any(|kind| key.starts_with(*kind)) {
            return Ok(None);
        }
        let row = message_row(self.new.clone())?;
        let is_there = !self.old.is_empty();
        let is_recalled = is_there && row.r.is_some() && !self.old.contains_key("r");
        let message = message(row)?;
        // Who has withheld it has refused it. Who is not told of the send may have it from elsewhere, and is to learn of its end.
        let is_withheld = message.callbacks.verdict == Verdict::Withheld;
        let is_new = !is_there && !message.callbacks.is_untold && message.imported.is_none();
        if is_withheld || !(is_new || is_recalled) {
            return Ok(None);
        }
        let place = match Pair::of_log(&message.from, log) {
            Some(pair) => Ok(pair),
            // A tip tells of what the group's own row has told.
            None if message.elem.kind() == TIP => return Ok(None),
            None => match GroupId::parse(log) {
                Ok(group) => Err(group),
                Err(_) => return Ok(None),
            },
        };
        let message = Box::new(message);
        Ok(Some(match (place, is_recalled) {
            (Ok(pair), false) => LogChange::Sent(pair, message),
            (Ok(pair), true) => LogChange::Recalled(pair, message),
            (Err(group), false) => LogChange::SentInGroup(group, message),
            (Err(group), true) => LogChange::RecalledInGroup(group, message),
        }))
    }

    /// The group that this row is, and what has become of it.
    fn of_group(&self) -> Result<(Group, Vec<GroupChange>)> {
        let (now, moved) = moved_group_of(self.new.clone())?;
        if self.old.is_empty() {
            return Ok((now, vec![GroupChange::Created]));
        }
        let (before, moved_before) = moved_group_of(self.old.clone())?;
        let is_full = |group: &Group| group.members >= group.info.limit;
        let described = || {
            // Who has done it has promised a tip of it with the same write.
            let mut promises = now.outbox.iter().filter(|(token, _)| !before.outbox.contains_key(*token));
            promises.next().map(|(_, promised)| promised.from.clone())
        };
        let mut changes = Vec::new();
        changes.extend(moved.filter(|moved| moved_before.as_ref() != Some(moved)).map(GroupChange::Moved));
        if now.members > before.members && is_full(&now) && !is_full(&before) {
            changes.push(GroupChange::Full);
        }
        if now.info_version > before.info_version
            && let Some(by) = described()
        {
            changes.push(GroupChange::Described(by, before.info.clone()));
        }
        if now.dismissed_at.is_some() && before.dismissed_at.is_none() {
            changes.push(GroupChange::Dismissed);
        }
        Ok((now, changes))
    }
}

fn message_row(item: Item) -> Result<MessageRow> {
    from_item(item).map_err(|_| Error::Internal("a record of the stream is no message".to_owned()))
}
