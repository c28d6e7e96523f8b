//! A change of the table, as its stream tells of it.

use std::collections::BTreeSet;

use hongyan_shared::{
    Error, Result,
    model::{Payload, UserId},
};

use super::row::MessageRow;

/// A row as a change has left it.
#[derive(Debug, Clone)]
pub struct RowChange(serde_dynamo::Item);

/// What those have to know of a recalled message who clean up behind it, and no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecalledMessage {
    /// Who had sent it.
    pub from: UserId,
    /// Where its files are, as the sender had said it: [`Payload::files`].
    pub files: BTreeSet<String>,
}

impl RowChange {
    /// The row that a record of the stream shows.
    pub(crate) fn new(row: serde_dynamo::Item) -> Self {
        Self(row)
    }

    /// The message that this is, if it is recalled.
    ///
    /// # Errors
    /// [`Error::Internal`] when the row is none of ours. It will not be one the next time either.
    pub fn recalled(self) -> Result<Option<RecalledMessage>> {
        // The error of serde_dynamo may quote the row, which must not reach a log.
        let row: MessageRow = serde_dynamo::from_item(self.0)
            .map_err(|_| Error::Internal("a record of the stream is no message".to_owned()))?;
        if row.r.is_none() {
            return Ok(None);
        }
        let wrong = |what: &str| Error::Internal(format!("{what} of message {} is wrong", row.s));
        let from = UserId::parse("f", &row.f).map_err(|_| wrong("the sender"))?;
        let said = Payload::restore(row.d).ok_or_else(|| wrong("the payload"))?;
        Ok(Some(RecalledMessage { from, files: said.files(&row.y) }))
    }
}
