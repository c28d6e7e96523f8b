//! A change of a table, as its stream tells of it.

use super::Item;

/// A row before a change and after it. What was not there, or is there no more, has no attribute.
#[derive(Debug, Clone, Default)]
pub struct RowChange {
    pub(super) old: Item,
    pub(super) new: Item,
    pub(super) at_ms: u64,
}

impl RowChange {
    /// The change that a record of the stream shows, and its time in milliseconds.
    pub(crate) fn new(old: serde_dynamo::Item, new: serde_dynamo::Item, at_ms: u64) -> Self {
        Self { old: old.into(), new: new.into(), at_ms }
    }

    /// The partition of the row, as far as it is known from others. In it, order matters.
    pub(crate) fn partition(&self) -> String {
        ["p", "u"].into_iter().find_map(|name| self.text(name)).unwrap_or_default().to_owned()
    }

    /// A key of the row.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let value = self.new.get(name).or_else(|| self.old.get(name))?;
        value.as_s().ok().map(String::as_str)
    }
}
