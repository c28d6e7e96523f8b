use serde::Serialize;

use crate::{Error, Result};

/// The longest user ID, as the official SDK has it.
pub const MAX_USER_ID_BYTES: usize = 32;

/// A user ID: 1 to 32 printable ASCII characters.
///
/// The ID says nothing about whether such a user exists. There is no register of users: who
/// comes with a signature of the team's server is one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct UserId(String);

impl UserId {
    /// Takes an ID from outside. `field` is where it stood, for the error.
    ///
    /// # Errors
    /// [`Error::InvalidUserId`].
    pub fn parse(field: &'static str, text: &str) -> Result<Self> {
        let printable = text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        if text.is_empty() || text.len() > MAX_USER_ID_BYTES || !printable {
            return Err(Error::InvalidUserId { field });
        }
        Ok(Self(text.to_owned()))
    }

    /// The ID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for UserId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_1_to_32_printable_ascii_characters() {
        for good in ["a", "o6zAJs4_wxOpenId-0123456789abcd", "a b", "@TIM#SYSTEM", &"x".repeat(32)] {
            let user = UserId::parse("to", good);
            assert_eq!(user.as_ref().map(UserId::as_str), Ok(good));
            assert_eq!(user.map(|user| user.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "张三", "a\nb", "a\0", "tab\t", "\u{7f}", &"x".repeat(33)] {
            assert_eq!(UserId::parse("to", bad), Err(Error::InvalidUserId { field: "to" }), "{bad}");
        }
    }
}
