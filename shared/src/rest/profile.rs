//! `profile`: what is known of users.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Command, Error, Number, Result, Said, accounts::count};
use crate::{
    model::{Profile, ProfileKey, UserId},
    protocol::ProfileFields,
};

/// How many profiles one command may ask for.
const MAX_PROFILES: usize = 100;

/// Tencent's names of the fields, ours, and whether they are numbers.
const TAGS: [(&str, &str, bool); 12] = [
    ("Tag_Profile_IM_Nick", "nick", false),
    ("Tag_Profile_IM_Gender", "gender", false),
    ("Tag_Profile_IM_BirthDay", "birthday", true),
    ("Tag_Profile_IM_Location", "location", false),
    ("Tag_Profile_IM_SelfSignature", "selfSignature", false),
    ("Tag_Profile_IM_AllowType", "allowType", false),
    ("Tag_Profile_IM_Language", "language", true),
    ("Tag_Profile_IM_Image", "avatar", false),
    ("Tag_Profile_IM_MsgSettings", "messageSettings", true),
    ("Tag_Profile_IM_AdminForbidType", "adminForbidType", false),
    ("Tag_Profile_IM_Level", "level", true),
    ("Tag_Profile_IM_Role", "role", true),
];

/// Our name of the list of what teams have made up.
const CUSTOM: &str = "profileCustomField";

/// `portrait_get`.
#[derive(Debug, Deserialize)]
pub struct PortraitGet {
    #[serde(rename = "To_Account")]
    to_account: Vec<String>,
    /// All, if it names none.
    #[serde(rename = "TagList")]
    tag_list: Said<Vec<String>>,
}

impl PortraitGet {
    /// The names in the order asked for, as they were given, and the tags that are wanted of each.
    ///
    /// # Errors
    /// None or too many, and a tag that there is not.
    pub fn parse(self) -> Result<(Vec<String>, Vec<String>)> {
        count("`To_Account`", self.to_account.len(), MAX_PROFILES)?;
        let tags = self.tag_list.0.unwrap_or_default();
        for tag in &tags {
            known(tag)?;
        }
        Ok((self.to_account, tags))
    }
}

/// `portrait_set`.
#[derive(Debug, Deserialize)]
pub struct PortraitSet {
    #[serde(rename = "From_Account")]
    from_account: String,
    #[serde(rename = "ProfileItem")]
    profile_item: Vec<ProfileItem>,
}

/// A field of a profile.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ProfileItem {
    tag: String,
    value: Value,
}

impl PortraitSet {
    /// Whose profile it is, and what is to change.
    ///
    /// # Errors
    /// What is wrong with which of it.
    pub fn parse(self) -> Result<(UserId, Profile)> {
        let user = UserId::parse("From_Account", &self.from_account)?;
        let (mut fields, mut custom) = (Map::new(), Vec::new());
        // Of a field that its caller does not know, libraries of some languages write `null`: it stays as it is.
        for ProfileItem { tag, value } in self.profile_item.into_iter().filter(|item| !item.value.is_null()) {
            let wrong =
                |error: serde_json::Error| Error::Parameter(format!("the value of {tag} is wrong: {error}"));
            match known(&tag)? {
                Some((name, true)) => {
                    let Number(number): Number<u32> = serde_json::from_value(value).map_err(wrong)?;
                    fields.insert(name.to_owned(), json!(number));
                }
                Some((name, false)) => {
                    fields.insert(name.to_owned(), value);
                }
                None => {
                    let text = match value {
                        Value::String(text) => text,
                        Value::Number(_) | Value::Bool(_) => value.to_string(),
                        _ => {
                            return Err(Error::Parameter(format!(
                                "the value of {tag} must be a text or a number"
                            )));
                        }
                    };
                    custom.push(json!({ "key": tag, "value": text }));
                }
            }
        }
        if !custom.is_empty() {
            fields.insert(CUSTOM.to_owned(), Value::Array(custom));
        }
        let fields: ProfileFields = serde_json::from_value(Value::Object(fields))
            .map_err(|error| Error::Parameter(format!("a value of ProfileItem is wrong: {error}")))?;
        Ok((user, fields.parse()?))
    }
}

/// Our name for a tag, and whether its value is a number; nothing if a team has made it up.
fn known(tag: &str) -> Result<Option<(&'static str, bool)>> {
    match TAGS.iter().find(|(name, ..)| *name == tag) {
        Some((_, name, is_number)) => Ok(Some((name, *is_number))),
        None if ProfileKey::parse(tag).is_ok() => Ok(None),
        None => Err(Error::NoSuchTag(tag.to_owned())),
    }
}

/// The answer to `portrait_get`.
#[derive(Debug, Serialize)]
pub struct Portraits {
    /// In the order asked for.
    #[serde(rename = "UserProfileItem")]
    pub user_profile_item: Vec<Portrait>,
    /// Those whom there are not.
    #[serde(rename = "Fail_Account", skip_serializing_if = "Vec::is_empty")]
    pub fail_account: Vec<String>,
}

/// What is known of a user: what nobody has set is left out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Portrait {
    #[serde(rename = "To_Account")]
    to_account: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_item: Option<Vec<ProfileItem>>,
    result_code: i32,
    result_info: String,
}

impl Portrait {
    /// A user's, with these tags of it, or all.
    pub fn new(user: &UserId, profile: Profile, tags: &[String]) -> Self {
        let mut items = Vec::new();
        if let Ok(Value::Object(fields)) = serde_json::to_value(ProfileFields::from(profile)) {
            for (tag, name, _) in TAGS {
                items.extend(
                    fields.get(name).map(|value| ProfileItem { tag: tag.to_owned(), value: value.clone() }),
                );
            }
            let custom = fields.get(CUSTOM).and_then(Value::as_array).into_iter().flatten();
            items.extend(custom.filter_map(|field| {
                Some(ProfileItem {
                    tag: field.get("key")?.as_str()?.to_owned(),
                    value: field.get("value")?.clone(),
                })
            }));
        }
        items.retain(|item| tags.is_empty() || tags.contains(&item.tag));
        Self {
            to_account: user.to_string(),
            profile_item: Some(items),
            result_code: 0,
            result_info: String::new(),
        }
    }

    /// There is nobody of this name.
    pub fn no_such_user(name: String) -> Self {
        let error = Error::NoSuchUser(name.clone());
        Self {
            to_account: name,
            profile_item: None,
            result_code: error.code(Some(Command::PortraitGet)),
            result_info: error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn set(items: Value) -> Result<Profile> {
        let body = json!({ "From_Account": "alice", "ProfileItem": items });
        serde_json::from_value::<PortraitSet>(body).unwrap().parse().map(|(_, profile)| profile)
    }

    #[test]
    fn every_tag_is_shown_as_it_was_set() {
        let items = json!([
            { "Tag": "Tag_Profile_IM_Nick", "Value": "爱丽丝" },
            { "Tag": "Tag_Profile_IM_Gender", "Value": "Gender_Type_Female" },
            { "Tag": "Tag_Profile_IM_BirthDay", "Value": 19_900_101 },
            { "Tag": "Tag_Profile_IM_Location", "Value": "x" },
            { "Tag": "Tag_Profile_IM_SelfSignature", "Value": "a\nb" },
            { "Tag": "Tag_Profile_IM_AllowType", "Value": "AllowType_Type_DenyAny" },
            { "Tag": "Tag_Profile_IM_Language", "Value": 1 },
            { "Tag": "Tag_Profile_IM_Image", "Value": "https://x/y.png" },
            { "Tag": "Tag_Profile_IM_MsgSettings", "Value": 0 },
            { "Tag": "Tag_Profile_IM_AdminForbidType", "Value": "AdminForbid_Type_SendOut" },
            { "Tag": "Tag_Profile_IM_Level", "Value": 2 },
            { "Tag": "Tag_Profile_IM_Role", "Value": 3 },
            { "Tag": "Tag_Profile_Custom_Team", "Value": "blue" },
        ]);
        let profile = set(items.clone()).unwrap();
        let alice = UserId::parse("", "alice").unwrap();
        let shown = serde_json::to_value(Portrait::new(&alice, profile.clone(), &[])).unwrap();
        assert_eq!(shown["ProfileItem"], items);
        let tags = ["Tag_Profile_IM_Role", "Tag_Profile_Custom_Team"].map(str::to_owned);
        let shown = serde_json::to_value(Portrait::new(&alice, profile, &tags)).unwrap();
        assert_eq!(shown["ProfileItem"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn numbers_may_be_texts_and_made_up_fields_numbers() {
        let level = json!({ "Tag": "Tag_Profile_IM_Level", "Value": "7" });
        let team = json!({ "Tag": "Tag_Profile_Custom_Team", "Value": 5 });
        let profile = set(json!([level, team])).unwrap();
        assert_eq!(profile.level, Some(7));
        assert_eq!(profile.custom.into_values().collect::<Vec<_>>(), ["5"]);
    }

    #[test]
    fn a_field_whose_value_is_null_stays_as_it_is() {
        let nick = json!({ "Tag": "Tag_Profile_IM_Nick", "Value": "Alice" });
        for tag in ["Tag_Profile_IM_Image", "Tag_Profile_IM_Level", "Tag_Profile_Custom_Team"] {
            let nothing = json!({ "Tag": tag, "Value": null });
            let profile = set(json!([nick, nothing])).unwrap();
            assert_eq!(profile, set(json!([nick])).unwrap(), "{tag}");
            assert!(set(json!([nothing])).is_err(), "there is nothing to change then");
        }
    }

    #[test]
    fn what_is_no_tag_or_no_value_is_refused() {
        for (tag, value, code) in [
            ("Tag_Profile_IM_Nonsense", json!("x"), 40009),
            ("Tag_Profile_Custom_toolonganame", json!("x"), 40009),
            ("Tag_Profile_IM_Nick", json!("x".repeat(501)), 40001),
            ("Tag_Profile_IM_Nick", json!(5), 40001),
            ("Tag_Profile_IM_Gender", json!("female"), 40001),
            ("Tag_Profile_IM_Level", json!("x"), 40001),
            ("Tag_Profile_Custom_Team", json!([]), 40001),
            ("Tag_Profile_Custom_Team", json!({ "a": 1 }), 40001),
        ] {
            let refused = set(json!([{ "Tag": tag, "Value": value }])).unwrap_err();
            assert_eq!(refused.code(Some(Command::PortraitSet)), code, "{tag}");
        }
        assert!(set(json!([])).is_err());
    }
}
