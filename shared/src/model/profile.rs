use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How many custom fields a profile has.
pub const MAX_CUSTOM_FIELDS: usize = 20;

const CUSTOM: &str = "Tag_Profile_Custom_";

/// What is known of a user, as far as anything is. The same type says what is to change. The last three
/// are not the user's: only your server may change them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profile {
    /// The user's name for others to see.
    pub nick: Option<String>,
    /// The URL of their picture.
    pub avatar: Option<String>,
    /// Their gender.
    pub gender: Option<Gender>,
    /// A text about themselves.
    pub self_signature: Option<String>,
    /// Who may become their friend.
    pub allow_type: Option<AllowType>,
    /// A number of the app's own making, `19900101` for example.
    pub birthday: Option<u32>,
    /// Where they are, in the app's own notation.
    pub location: Option<String>,
    /// A number of the app's own making.
    pub language: Option<u32>,
    /// A number of the app's own making.
    pub message_settings: Option<u32>,
    /// Fields that the team has made up.
    pub custom: BTreeMap<ProfileKey, String>,
    /// Whether they may ask others to become their friends.
    pub admin_forbid_type: Option<AdminForbid>,
    /// A number of the app's own making.
    pub level: Option<u32>,
    /// A number of the app's own making.
    pub role: Option<u32>,
}

/// A gender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Gender {
    /// Not said.
    #[serde(rename = "Gender_Type_Unknown")]
    Unknown,
    /// Female.
    #[serde(rename = "Gender_Type_Female")]
    Female,
    /// Male.
    #[serde(rename = "Gender_Type_Male")]
    Male,
}

/// Who may become a friend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum AllowType {
    /// Anybody.
    #[serde(rename = "AllowType_Type_AllowAny")]
    AllowAny,
    /// Who is confirmed.
    #[serde(rename = "AllowType_Type_NeedConfirm")]
    NeedConfirm,
    /// Nobody.
    #[serde(rename = "AllowType_Type_DenyAny")]
    DenyAny,
}

/// Whether a user may ask others to become their friends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum AdminForbid {
    /// They may.
    #[serde(rename = "AdminForbid_Type_None")]
    None,
    /// They may not.
    #[serde(rename = "AdminForbid_Type_SendOut")]
    SendOut,
}

/// The name of a custom field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProfileKey(String);

impl ProfileKey {
    /// Takes a name from outside.
    ///
    /// # Errors
    /// [`Error::BadRequest`] unless it is `Tag_Profile_Custom_` and 1 to 8 letters or digits.
    pub fn parse(text: &str) -> Result<Self> {
        let name = text.strip_prefix(CUSTOM).unwrap_or_default();
        if !(1..=8).contains(&name.len()) || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Error::BadRequest(format!(
                "the `key` of a custom field must be {CUSTOM} and 1 to 8 letters or digits"
            )));
        }
        Ok(Self(text.to_owned()))
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_custom_field_has_a_name_of_its_kind() {
        for good in ["Tag_Profile_Custom_a", "Tag_Profile_Custom_Team0123"] {
            assert_eq!(ProfileKey::parse(good).as_ref().map(ProfileKey::as_str), Ok(good));
        }
        for bad in [
            "",
            "u",
            "Tag_Profile_Custom_",
            "Tag_Profile_Custom_123456789",
            "Tag_Profile_Custom_a-b",
            "Tag_Profile_Custom_é",
        ] {
            assert!(ProfileKey::parse(bad).is_err(), "{bad}");
        }
    }
}
