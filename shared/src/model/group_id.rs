use serde::Serialize;

use crate::{Error, Result};

/// The longest ID of a group.
pub const MAX_GROUP_ID_BYTES: usize = 48;

/// What IDs begin with that nobody has chosen. As many letters and digits follow.
const DRAWN: &str = "@TGS#";
const DRAWN_CHARACTERS: usize = 12;

/// The ID of a group, made by the client that creates it, so that it can ask once more: `@TGS#` and 12 letters or digits that
/// it has drawn, or 1 to 48 printable ASCII characters of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct GroupId(String);

impl GroupId {
    /// Takes an ID from outside.
    ///
    /// # Errors
    /// [`Error::InvalidGroupId`].
    pub fn parse(text: &str) -> Result<Self> {
        let is_printable = text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        let is_drawn = |rest: &str| {
            let is_of_them = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
            rest.len() == DRAWN_CHARACTERS && rest.bytes().all(is_of_them)
        };
        let is_free = text.strip_prefix(DRAWN).is_none_or(is_drawn);
        if text.is_empty() || text.len() > MAX_GROUP_ID_BYTES || !is_printable || !is_free {
            return Err(Error::InvalidGroupId);
        }
        Ok(Self(text.to_owned()))
    }

    /// One that is drawn, with a number below another one for each character.
    pub fn drawn(mut below: impl FnMut(u64) -> u64) -> Self {
        let characters = (0..DRAWN_CHARACTERS).map(|_| {
            let digit = u32::try_from(below(36)).unwrap_or_default();
            char::from_digit(digit, 36).unwrap_or('0').to_ascii_uppercase()
        });
        Self(DRAWN.chars().chain(characters).collect())
    }

    /// The ID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for GroupId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_an_id() {
        let mut number = 0;
        let drawn = GroupId::drawn(|below| {
            number += 7;
            number % below
        });
        assert_eq!(drawn.as_str(), "@TGS#7ELSZ6DKRY5C");
        assert_eq!(GroupId::parse(drawn.as_str()), Ok(drawn));
    }

    #[test]
    fn an_id_is_drawn_or_has_1_to_48_printable_ascii_characters() {
        for good in ["@TGS#0123456789AZ", "a", "my group", "@TGS", "@tgs#x", "GROUPa", &"x".repeat(48)] {
            assert_eq!(GroupId::parse(good).map(|group| group.to_string()), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "群",
            "a\n",
            "a·b",
            "@TGS#",
            "@TGS#0123456789Az",
            "@TGS#0123456789A",
            "@TGS#0123456789ABC",
            "@TGS#_0123456789A",
            &"x".repeat(49),
        ] {
            assert_eq!(GroupId::parse(bad), Err(Error::InvalidGroupId), "{bad}");
        }
    }
}
