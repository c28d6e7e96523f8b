use std::{collections::BTreeMap, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    types::{KeysAndAttributes, ReturnValue},
};
use hongyan_shared::{
    Error, Result,
    model::{AdminForbid, AllowType, Gender, Profile, ProfileKey, UserId},
};
use serde::{Deserialize, Serialize};

use super::{Item, failed, from_item, number, text, to_item};

/// What concerns a user and no conversation: partition is the user, and the sort key is
///
/// | sort key | what |
/// |---|---|
/// | `P` | his profile |
/// | `B` and `B#` + user | his blacklist: [`super::Blacklists`] |
pub struct Users {
    client: Client,
    table: String,
}

/// A profile, with names as clients know them: it is read seldom, and by people who look into the
/// table. Custom fields are attributes of their own names.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProfileRow {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    nick: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    avatar: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    gender: Option<Gender>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    self_signature: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    allow_type: Option<AllowType>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    birthday: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    language: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    message_settings: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    admin_forbid_type: Option<AdminForbid>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    level: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    role: Option<u32>,
    #[serde(flatten)]
    custom: BTreeMap<String, String>,
}

/// What every row has besides.
#[derive(Deserialize)]
struct RowHead {
    /// User.
    u: String,
    /// When it was last changed, milliseconds.
    t: u64,
}

const PROFILE: &str = "P";

/// How often what a batch has left over is asked for again.
const ATTEMPTS: u32 = 4;

impl Users {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The profiles of these users, at most 100, with the time of their last change. Who has none is
    /// not among them.
    ///
    /// # Errors
    /// [`Error::Throttled`] when the store does not give all of them; when it fails.
    pub async fn profiles(&self, users: &[UserId]) -> Result<BTreeMap<UserId, (Profile, u64)>> {
        let mut profiles = BTreeMap::new();
        let key = |user: &UserId| {
            Item::from([("u".to_owned(), text(user.as_str())), ("s".to_owned(), text(PROFILE))])
        };
        let mut wanted = Some(
            KeysAndAttributes::builder()
                .set_keys(Some(users.iter().map(key).collect()))
                .build()
                .map_err(|_| Error::Internal("a batch has no keys".to_owned()))?,
        );
        for attempt in 0..ATTEMPTS {
            let Some(keys) = wanted.take() else { break };
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
            }
            let answer =
                self.client.batch_get_item().request_items(&self.table, keys).send().await.map_err(failed)?;
            for item in answer.responses.unwrap_or_default().into_values().flatten() {
                let (user, profile, changed_at) = parse(item)?;
                profiles.insert(user, (profile, changed_at));
            }
            wanted = answer.unprocessed_keys.unwrap_or_default().remove(&self.table);
        }
        if wanted.is_some() { Err(Error::Throttled) } else { Ok(profiles) }
    }

    /// Changes what is given, and returns the whole profile.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn update_profile(&self, user: &UserId, changes: Profile, now_ms: u64) -> Result<Profile> {
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("u", text(user.as_str()))
            .key("s", text(PROFILE))
            .return_values(ReturnValue::AllNew)
            .expression_attribute_values(":t", number(now_ms));
        let mut set = String::from("SET t = :t");
        for (index, (name, value)) in to_item(&ProfileRow::from(changes))?.into_iter().enumerate() {
            set.push_str(&format!(", #{index} = :{index}"));
            update = update
                .expression_attribute_names(format!("#{index}"), name)
                .expression_attribute_values(format!(":{index}"), value);
        }
        let answer = update.update_expression(set).send().await.map_err(failed)?;
        let (_, profile, _) = parse(answer.attributes.unwrap_or_default())?;
        Ok(profile)
    }
}

impl From<Profile> for ProfileRow {
    fn from(profile: Profile) -> Self {
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
            custom: profile.custom.into_iter().map(|(key, value)| (key.as_str().to_owned(), value)).collect(),
        }
    }
}

/// Whose profile a row is, what it says, and when it was changed.
fn parse(mut item: Item) -> Result<(UserId, Profile, u64)> {
    // What is left in the item behind these and the known fields are the custom ones.
    let head = ["u", "s", "t", "x"].iter().filter_map(|name| item.remove_entry(*name)).collect();
    let RowHead { u, t } = from_item(head)?;
    let row: ProfileRow = from_item(item)?;
    let user = UserId::parse("u", &u).map_err(|_| Error::Internal("a profile row has no user".to_owned()))?;
    let custom = row.custom.into_iter().map(|(key, value)| {
        let key = ProfileKey::parse(&key)
            .map_err(|_| Error::Internal(format!("the profile of {user} has a field of another kind")))?;
        Ok((key, value))
    });
    let profile = Profile {
        custom: custom.collect::<Result<_>>()?,
        nick: row.nick,
        avatar: row.avatar,
        gender: row.gender,
        self_signature: row.self_signature,
        allow_type: row.allow_type,
        birthday: row.birthday,
        location: row.location,
        language: row.language,
        message_settings: row.message_settings,
        admin_forbid_type: row.admin_forbid_type,
        level: row.level,
        role: row.role,
    };
    Ok((user, profile, t))
}
