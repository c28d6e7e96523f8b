use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::to_text;
use crate::{
    Error, Result,
    model::{
        AdminForbid, AllowType, Gender, MAX_CUSTOM_FIELDS, Profile, ProfileKey, UserId,
        text::{is_link, is_plain_line, is_plain_text},
    },
};

/// How many users one request may name.
pub const MAX_USERS: usize = 100;

/// How many users one change of the blacklist may name. It is written in one transaction, at four
/// write units for each.
pub const MAX_BLACKLIST_CHANGE: usize = 15;

/// How many users' status one request may ask for: each costs one and a half read units.
pub const MAX_STATUSES: usize = 40;

/// How many users one request may begin to watch: each costs a write unit and two read units.
pub const MAX_WATCHED: usize = 30;

/// `getUserProfile`, `getUserStatus`, `subscribeUserStatus`, `unsubscribeUserStatus`, `addToBlacklist`
/// and `removeFromBlacklist`. A change of the blacklist may name 15 users, one of what is watched 30,
/// `getUserStatus` 40 and `getUserProfile` 100.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct UserIdList {
    #[serde(rename = "userIDList")]
    user_id_list: Vec<String>,
}

impl UserIdList {
    /// The users in the order asked for, each once.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, at_most: usize) -> Result<Vec<UserId>> {
        if !(1..=at_most).contains(&self.user_id_list.len()) {
            return Err(Error::BadRequest(format!(
                "`userIDList` must name 1 to {at_most} users: split a longer list"
            )));
        }
        let mut seen = HashSet::new();
        let mut users = Vec::new();
        for text in &self.user_id_list {
            let user = UserId::parse("userIDList", text)?;
            if seen.insert(user.clone()) {
                users.push(user);
            }
        }
        Ok(users)
    }
}

/// The fields of a profile, each left out when it is not set: what `updateMyProfile` changes, and
/// what a profile shows.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct ProfileFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    nick: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gender: Option<Gender>,
    #[serde(skip_serializing_if = "Option::is_none")]
    self_signature: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_type: Option<AllowType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    birthday: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_settings: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_forbid_type: Option<AdminForbid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_custom_field: Option<Vec<CustomField>>,
}

/// A field that the team has made up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CustomField {
    key: String,
    value: String,
}

impl ProfileFields {
    /// A name and a picture, if there is either.
    pub(crate) fn names(nick: Option<String>, avatar: Option<String>) -> Option<Self> {
        let fields = Self { nick, avatar, ..Self::default() };
        (fields != Self::default()).then_some(fields)
    }

    /// What is to change.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self) -> Result<Profile> {
        let custom_fields = self.profile_custom_field.unwrap_or_default();
        if custom_fields.len() > MAX_CUSTOM_FIELDS {
            return Err(Error::BadRequest(format!(
                "`profileCustomField` may have {MAX_CUSTOM_FIELDS} entries: set the rest with further requests"
            )));
        }
        let mut custom = BTreeMap::new();
        for CustomField { key, value } in custom_fields {
            let key = ProfileKey::parse(&key)?;
            let value = checked("profileCustomField", 500, VALUE, Some(value))?;
            custom.extend(value.map(|value| (key, value)));
        }
        let profile = Profile {
            nick: checked("nick", 500, LINE, self.nick)?,
            avatar: checked("avatar", 500, LINK, self.avatar)?,
            gender: self.gender,
            self_signature: checked("selfSignature", 500, TEXT, self.self_signature)?,
            allow_type: self.allow_type,
            birthday: self.birthday,
            location: checked("location", 16, LINE, self.location)?,
            language: self.language,
            message_settings: self.message_settings,
            admin_forbid_type: self.admin_forbid_type,
            level: self.level,
            role: self.role,
            custom,
        };
        if profile == Profile::default() {
            return Err(Error::BadRequest(
                "there is nothing to change: give at least one field of the profile".to_owned(),
            ));
        }
        Ok(profile)
    }
}

/// What a text has to be, and the error if it is not.
pub(super) type Rule = (fn(&str) -> bool, &'static str);

pub(super) const LINE: Rule =
    (is_plain_line, "must be one line without control characters, and without marks that turn its direction");
pub(super) const TEXT: Rule =
    (is_plain_text, "must have no control characters but line feeds, and no marks that turn its direction");
pub(super) const LINK: Rule =
    (is_link, "must be empty, or a URL that begins with https://, http:// or cloud://");
const VALUE: Rule = (|text| !text.contains('\0'), "must have no NUL characters");

pub(super) fn checked(
    field: &str,
    bytes: usize,
    (is_good, why): Rule,
    text: Option<String>,
) -> Result<Option<String>> {
    match text {
        Some(text) if text.len() > bytes => {
            Err(Error::BadRequest(format!("`{field}` may have {bytes} bytes: shorten it")))
        }
        Some(text) if !is_good(&text) => Err(Error::BadRequest(format!("`{field}` {why}"))),
        text => Ok(text),
    }
}

impl From<Profile> for ProfileFields {
    fn from(profile: Profile) -> Self {
        let custom: Vec<_> = profile
            .custom
            .into_iter()
            .map(|(key, value)| CustomField { key: key.as_str().to_owned(), value })
            .collect();
        Self {
            nick: profile.nick,
            avatar: profile.avatar,
            gender: profile.gender,
            self_signature: profile.self_signature,
            allow_type: profile.allow_type,
            birthday: profile.birthday,
            location: profile.location,
            language: profile.language,
            message_settings: profile.message_settings,
            admin_forbid_type: profile.admin_forbid_type,
            level: profile.level,
            role: profile.role,
            profile_custom_field: Some(custom).filter(|custom| !custom.is_empty()),
        }
    }
}

/// A user's profile.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct WireProfile<'a> {
    /// The user.
    #[serde(rename = "userID")]
    user_id: &'a UserId,
    /// When it was changed, in seconds; 0 if it never was.
    last_updated_time: u64,
    /// What is set.
    #[serde(flatten)]
    fields: ProfileFields,
}

impl<'a> WireProfile<'a> {
    /// A profile that was last changed at a time in milliseconds.
    pub fn new(user_id: &'a UserId, profile: Profile, changed_at: u64) -> Self {
        Self { user_id, last_updated_time: changed_at / 1000, fields: profile.into() }
    }

    /// How many bytes of a frame it takes.
    pub fn size(&self) -> usize {
        to_text(self).len()
    }
}

/// The reply to `getUserProfile`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ProfileList<'a> {
    /// In the order asked for.
    pub profile_list: Vec<WireProfile<'a>>,
}

/// The reply to `updateMyProfile`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ProfileReply<'a> {
    /// The profile as it is now.
    pub profile: WireProfile<'a>,
}

/// The reply to `getBlacklist`, `addToBlacklist` and `removeFromBlacklist`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct BlacklistReply {
    /// The whole list as it is now, sorted.
    pub blacklist: BTreeSet<UserId>,
}

/// The reply to `getUserStatus`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct StatusReply {
    /// In the order asked for.
    pub success_user_list: Vec<UserStatus>,
    /// Those whose status the user may not see.
    pub failure_user_list: Vec<FailedUser>,
}

/// The reply to `subscribeUserStatus` and `unsubscribeUserStatus`.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SubscriptionReply {
    /// Those whose status the user may not see.
    pub failure_user_list: Vec<FailedUser>,
}

/// A user for whom a part of a request was refused.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FailedUser {
    #[serde(rename = "userID")]
    user_id: UserId,
    code: i32,
    message: String,
}

impl FailedUser {
    /// The user, and why.
    pub fn new(user_id: UserId, refused: &Error) -> Self {
        Self { user_id, code: refused.code(), message: refused.to_string() }
    }
}

/// Whether a user is online.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct UserStatus {
    #[serde(rename = "userID")]
    user_id: UserId,
    /// 1 online, 2 offline.
    status_type: u8,
    /// Always empty for now.
    #[cfg_attr(test, ts(type = "string"))]
    custom_status: &'static str,
}

impl UserStatus {
    /// The status of a user.
    pub fn new(user_id: UserId, is_online: bool) -> Self {
        Self { user_id, status_type: if is_online { 1 } else { 2 }, custom_status: "" }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    fn profile(fields: Value) -> Result<Profile> {
        serde_json::from_value::<ProfileFields>(fields).unwrap().parse()
    }

    #[test]
    fn users_are_named_up_to_a_limit_each_once_and_in_the_order_asked_for() {
        let users = |names: &[&str]| {
            let list: UserIdList = serde_json::from_value(json!({ "userIDList": names })).unwrap();
            list.parse(3).map(|users| users.iter().map(UserId::to_string).collect::<Vec<_>>())
        };
        assert_eq!(users(&["bob", "alice", "bob"]).unwrap(), ["bob", "alice"]);
        assert!(matches!(users(&[]), Err(Error::BadRequest(_))));
        assert!(matches!(users(&["a", "b", "c", "d"]), Err(Error::BadRequest(_))));
        assert_eq!(users(&["a", ""]), Err(Error::InvalidUserId { field: "userIDList" }));
    }

    #[test]
    fn a_profile_that_is_taken_is_shown_as_it_was_given() {
        let given = json!({
            "nick": "小雁", "avatar": "https://x/y.png", "gender": "Gender_Type_Female", "selfSignature": "a\nb",
            "allowType": "AllowType_Type_NeedConfirm", "birthday": 19_900_101, "location": "x", "language": 1,
            "messageSettings": 0, "adminForbidType": "AdminForbid_Type_None", "level": 2, "role": 3,
            "profileCustomField": [{ "key": "Tag_Profile_Custom_a", "value": "b" }],
        });
        let parsed = profile(given.clone()).unwrap();
        assert_eq!(json!(ProfileFields::from(parsed.clone())), given);

        let user = UserId::parse("test", "alice").unwrap();
        let wire = WireProfile::new(&user, parsed, 1_795_400_001_999);
        assert_eq!(json!(wire).get("lastUpdatedTime"), Some(&json!(1_795_400_001)));
        assert_eq!(wire.size(), serde_json::to_vec(&wire).unwrap().len());

        let nothing = WireProfile::new(&user, Profile::default(), 0);
        assert_eq!(json!(nothing), json!({ "userID": "alice", "lastUpdatedTime": 0 }));
    }

    #[test]
    fn each_text_of_a_profile_has_its_length_and_its_kind() {
        for (field, bytes) in [("nick", 500), ("selfSignature", 500), ("location", 16)] {
            assert!(profile(json!({ field: "x".repeat(bytes) })).is_ok(), "{field}");
            let error = profile(json!({ field: "x".repeat(bytes + 1) })).unwrap_err();
            assert!(error.to_string().contains(&format!("`{field}` may have {bytes} bytes")), "{error}");
        }
        for (field, bad) in [
            ("nick", "a\nb"),
            ("avatar", "javascript:alert(1)"),
            ("selfSignature", "a\u{202e}b"),
            ("location", "a\nb"),
        ] {
            let error = profile(json!({ field: bad })).unwrap_err();
            assert!(error.to_string().contains(&format!("`{field}` must")), "{error}");
        }
        let custom = |value: &str| {
            profile(json!({ "profileCustomField": [{ "key": "Tag_Profile_Custom_a", "value": value }] }))
        };
        assert!(custom("a\n\u{202e}b").is_ok(), "it is the app's own");
        assert!(custom("a\0b").unwrap_err().to_string().contains("`profileCustomField` must have no NUL"));
        assert!(profile(json!({})).unwrap_err().to_string().contains("nothing to change"));
    }

    #[test]
    fn a_profile_has_20_fields_of_the_teams_own() {
        let with = |count: usize| {
            let fields: Vec<_> = (0..count)
                .map(|n| json!({ "key": format!("Tag_Profile_Custom_{n}"), "value": "x" }))
                .collect();
            profile(json!({ "profileCustomField": fields })).map(|profile| profile.custom.len())
        };
        assert_eq!(with(20), Ok(20));
        assert!(with(21).unwrap_err().to_string().contains("may have 20 entries"));
    }

    #[test]
    fn a_user_for_whom_a_part_was_refused_is_told_with_the_code_and_the_reason() {
        let user = UserId::parse("test", "bob").unwrap();
        assert_eq!(
            json!(FailedUser::new(user, &Error::Blacklisted)),
            json!({ "userID": "bob", "code": 20007, "message": Error::Blacklisted.to_string() })
        );
    }
}
