use serde::Serialize;

use crate::{Error, Result};

/// The longest ID of a group.
pub const MAX_GROUP_ID_BYTES: usize = 48;

/// What IDs begin with that nobody has chosen. As many letters and digits follow; behind those of Tencent's there are fewer.
const DRAWN: &str = "@TGS#";
const DRAWN_CHARACTERS: usize = 12;

/// The ID of a group, made by who creates it, so that they can ask once more: `@TGS#` and 12 capital letters or digits that
/// they have drawn, or 1 to 48 printable ASCII characters of their own. A group that a business server brings from Tencent
/// keeps its ID: `@TGS#` and up to 12 letters or digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct GroupId(String);

impl GroupId {
    /// Takes an ID from outside.
    ///
    /// # Errors
    /// [`Error::InvalidGroupId`].
    pub fn parse(text: &str) -> Result<Self> {
        let is_printable = text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        let is_one = text.strip_prefix(DRAWN).is_none_or(|rest| {
            (1..=DRAWN_CHARACTERS).contains(&rest.len())
                && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if text.is_empty() || text.len() > MAX_GROUP_ID_BYTES || !is_printable || !is_one {
            return Err(Error::InvalidGroupId);
        }
        Ok(Self(text.to_owned()))
    }

    /// Takes the ID under which a user wants to make a group. It is none of Tencent's: a group that has one may still be on its
    /// way, and an ID is given away once.
    ///
    /// # Errors
    /// [`Error::InvalidGroupId`].
    pub fn parse_new(text: &str) -> Result<Self> {
        let is_drawn = |rest: &str| {
            rest.len() == DRAWN_CHARACTERS && !rest.bytes().any(|byte| byte.is_ascii_lowercase())
        };
        Self::parse(text).and_then(|id| match text.strip_prefix(DRAWN).is_none_or(is_drawn) {
            true => Ok(id),
            false => Err(Error::InvalidGroupId),
        })
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
        assert_eq!(GroupId::parse(drawn.as_str()), Ok(drawn.clone()));
        assert_eq!(GroupId::parse_new(drawn.as_str()), Ok(drawn));
    }

    #[test]
    fn an_id_is_drawn_or_has_1_to_48_printable_ascii_characters() {
        for good in ["@TGS#0123456789AZ", "a", "my group", "@TGS", "@tgs#x", "GROUPa", &"x".repeat(48)] {
            assert_eq!(GroupId::parse(good).map(|group| group.to_string()), Ok(good.to_owned()));
            assert_eq!(GroupId::parse_new(good).map(|group| group.to_string()), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "群",
            "a\n",
            "a·b",
            "@TGS#",
            "@TGS#0123456789ABC",
            "@TGS#_0123456789A",
            "@TGS#@TGS#1",
            &"x".repeat(49),
        ] {
            assert_eq!(GroupId::parse(bad), Err(Error::InvalidGroupId), "{bad}");
            assert_eq!(GroupId::parse_new(bad), Err(Error::InvalidGroupId), "{bad}");
        }
    }

    #[test]
    fn tencents_own_are_ids_and_no_user_takes_one() {
        for theirs in ["@TGS#2CLUZEAEJ", "@TGS#aC5SZEAEF", "@TGS#1", "@TGS#0123456789A", "@TGS#0123456789Az"]
        {
            assert_eq!(GroupId::parse(theirs).map(|group| group.to_string()), Ok(theirs.to_owned()));
            assert_eq!(GroupId::parse_new(theirs), Err(Error::InvalidGroupId), "{theirs}");
        }
    }
}
