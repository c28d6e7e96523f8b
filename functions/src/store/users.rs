use std::collections::BTreeMap;

use aws_sdk_dynamodb::{
    Client,
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnConsumedCapacity, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use hongyan_shared::{
    Error, Result,
    model::{AdminForbid, AllowType, Gender, MAX_CUSTOM_FIELDS, Profile, ProfileKey, UserId},
};
use serde::{Deserialize, Serialize};
use tracing::error;

use super::{Consistency, Item, allowance, batch_get, failed, from_item, number, text, to_item, user_in};
use crate::config::{Config, Configured};

/// What concerns a user and no conversation: partition is the user, and the sort key is
///
/// | sort key | what |
/// |---|---|
/// | `A` | since when there is the account: [`super::Accounts`] |
/// | `P` | their profile |
/// | `B` and `B#` + user | their blacklist: [`super::Blacklists`] |
pub struct Users {
    client: Client,
    table: String,
}

/// A profile, with names as clients know them: it is read seldom, and by people who look into the
/// table. Custom fields are attributes of their own names besides, and `c` is the set of these names,
/// because a condition can ask how large a set is.
#[derive(Default, Serialize, Deserialize)]
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
    /// When it was last changed, milliseconds.
    #[serde(skip_serializing)]
    t: u64,
}

/// How a change of a profile went.
enum Written {
    /// This is the profile now.
    Now(Profile),
    /// Nothing has changed: there are more custom fields than that, of these names.
    NoRoom(Vec<String>),
    /// Nothing has changed: this field is not the user's, and has another value.
    NotTheirs(String),
}

const PROFILE: &str = "P";

/// The largest profile: with all custom fields, and their names in the set.
const PROFILE_BYTES: u64 = 13 * 1024;

impl Users {
    /// The table of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self { client: config.dynamodb.clone(), table: config.users_table()? })
    }

    /// How many units a profile costs at the worst.
    pub fn profile_units() -> u64 {
        allowance::read_units_of(PROFILE_BYTES, Consistency::Eventual)
    }

    /// How many profiles can be read at once: the largest are as many read units as the frame may still
    /// take.
    pub fn affordable_profiles() -> usize {
        allowance::times(PROFILE_BYTES, Consistency::Eventual, 0)
    }

    /// The profiles of these users, with the time of their last change. Who has none is not among them,
    /// and neither is one whose row cannot be read: that is nobody else's trouble.
    ///
    /// # Errors
    /// [`Error::Throttled`] when the store does not give all of them.
    pub async fn profiles(&self, users: &[UserId]) -> Result<BTreeMap<UserId, (Profile, u64)>> {
        let mut profiles = BTreeMap::new();
        let key = |user: &UserId| {
            Item::from([("u".to_owned(), text(user.as_str())), ("s".to_owned(), text(PROFILE))])
        };
        let keys = users.iter().map(key).collect();
        for item in batch_get(&self.client, &self.table, keys, PROFILE_BYTES, Consistency::Eventual).await? {
            let user = user_in(&item, "u")?;
            match parse(item) {
                Ok(profile) => {
                    profiles.insert(user, profile);
                }
                Err(refused) => error!(%user, ?refused, "a profile is shown as empty"),
            }
        }
        Ok(profiles)
    }

    /// Changes what is given as the user or their server wants it, and returns the whole profile. To a user, what only the
    /// server may change may be given as it is: programs send whole profiles back.
    ///
    /// # Errors
    /// Custom fields beyond the limit, or [`Error::OperatorOnly`], with nothing changed; when the store
    /// fails.
    pub async fn update_profile(
        &self,
        user: &UserId,
        changes: &Profile,
        is_administrator: bool,
        now_ms: u64,
    ) -> Result<Profile> {
        // Until the write says otherwise, all of them are new.
        let mut new = changes.custom.len();
        // It says so when others have come in between. No field is ever taken away, so each of them has
        // added one, and there is an end to that.
        for _ in 0..=MAX_CUSTOM_FIELDS {
            let room = MAX_CUSTOM_FIELDS.saturating_sub(new);
            let there = match self.write_profile(user, changes, is_administrator, room, now_ms).await? {
                Written::Now(profile) => return Ok(profile),
                Written::NoRoom(there) => there,
                Written::NotTheirs(field) => return Err(Error::OperatorOnly { field }),
            };
            new = changes.custom.keys().filter(|key| !there.iter().any(|name| name == key.as_str())).count();
            if there.len().saturating_add(new) > MAX_CUSTOM_FIELDS {
                return Err(Error::BadRequest(format!(
                    "a profile may have {MAX_CUSTOM_FIELDS} custom fields: use the ones that it has"
                )));
            }
        }
        Err(Error::Throttled)
    }

    /// Takes a profile away.
    pub async fn remove_profile(&self, user: &UserId) -> Result<()> {
        let writing = allowance::write(allowance::write_units_of(PROFILE_BYTES))?;
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("u", text(user.as_str()))
            .key("s", text(PROFILE))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        writing.cost(delete.send().await.map_err(failed)?.consumed_capacity());
        Ok(())
    }

    /// Writes if the profile has no more than so many custom fields yet.
    async fn write_profile(
        &self,
        user: &UserId,
        changes: &Profile,
        is_administrator: bool,
        room: usize,
        now_ms: u64,
    ) -> Result<Written> {
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("u", text(user.as_str()))
            .key("s", text(PROFILE))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .expression_attribute_values(":t", number(now_ms));
        let custom = changes.custom.iter().map(|(key, value)| (key.as_str().to_owned(), text(value)));
        let mut set = String::from("SET t = :t");
        for (index, (name, value)) in
            to_item(&ProfileRow::new(changes, is_administrator))?.into_iter().chain(custom).enumerate()
        {
            set.push_str(&format!(", #{index} = :{index}"));
            update = update
                .expression_attribute_names(format!("#{index}"), name)
                .expression_attribute_values(format!(":{index}"), value);
        }
        let mut conditions = Vec::new();
        let others = if is_administrator { ProfileRow::default() } else { ProfileRow::not_theirs(changes) };
        let (not_theirs, unset) = (to_item(&others)?, unset()?);
        for (name, value) in &not_theirs {
            let may_be_unset = if unset.get(name) == Some(value) {
                format!("attribute_not_exists(#{name}) OR ")
            } else {
                String::new()
            };
            conditions.push(format!("({may_be_unset}#{name} = :{name})"));
            update = update
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), value.clone());
        }
        if !changes.custom.is_empty() {
            set.push_str(" ADD c :c");
            let names = changes.custom.keys().map(|key| key.as_str().to_owned());
            conditions.push("(attribute_not_exists(c) OR size(c) <= :room)".to_owned());
            update = update
                .expression_attribute_values(":c", AttributeValue::Ss(names.collect()))
                .expression_attribute_values(":room", number(room as u64));
        }
        let condition = Some(conditions.join(" AND ")).filter(|condition| !condition.is_empty());
        let writing = allowance::write(allowance::write_units_of(PROFILE_BYTES))?;
        match update.update_expression(set).set_condition_expression(condition).send().await {
            Ok(output) => {
                writing.cost(output.consumed_capacity());
                Ok(Written::Now(parse(output.attributes.unwrap_or_default())?.0))
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(found)) => {
                    let found = found.item.as_ref();
                    let size = found.map_or(PROFILE_BYTES, allowance::size);
                    writing.cost_units(allowance::write_units_of(size));
                    let there = |name: &str| found.and_then(|item| item.get(name));
                    let other = not_theirs
                        .iter()
                        .find(|(name, value)| there(name).or_else(|| unset.get(*name)) != Some(value));
                    Ok(match other {
                        Some((name, _)) => Written::NotTheirs(name.clone()),
                        None => Written::NoRoom(
                            there("c").and_then(|names| names.as_ss().ok()).cloned().unwrap_or_default(),
                        ),
                    })
                }
                _ => Err(failed(error)),
            },
        }
    }
}

impl ProfileRow {
    /// What a user may change, or their server.
    fn new(profile: &Profile, is_administrator: bool) -> Self {
        match is_administrator {
            true => Self {
                admin_forbid_type: profile.admin_forbid_type,
                level: profile.level,
                role: profile.role,
                ..Self::from(profile)
            },
            false => Self::from(profile),
        }
    }

    /// The fields that a user may name but not change.
    fn not_theirs(profile: &Profile) -> Self {
        Self {
            admin_forbid_type: profile.admin_forbid_type,
            level: profile.level,
            role: profile.role,
            ..Self::default()
        }
    }
}

/// What those are while nobody has set them.
fn unset() -> Result<Item> {
    to_item(&ProfileRow {
        admin_forbid_type: Some(AdminForbid::None),
        level: Some(0),
        role: Some(0),
        ..ProfileRow::default()
    })
}

/// What a user may change.
impl From<&Profile> for ProfileRow {
    fn from(profile: &Profile) -> Self {
        Self {
            nick: profile.nick.clone(),
            avatar: profile.avatar.clone(),
            gender: profile.gender,
            self_signature: profile.self_signature.clone(),
            allow_type: profile.allow_type,
            birthday: profile.birthday,
            location: profile.location.clone(),
            language: profile.language,
            message_settings: profile.message_settings,
            admin_forbid_type: None,
            level: None,
            role: None,
            t: 0,
        }
    }
}

/// What the row of a profile says, and when it was changed.
fn parse(item: Item) -> Result<(Profile, u64)> {
    let custom = item
        .iter()
        .filter_map(|(name, value)| Some((ProfileKey::parse(name).ok()?, value.as_s().ok()?.clone())));
    let custom = custom.collect();
    let row: ProfileRow = from_item(item)?;
    let profile = Profile {
        custom,
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
    Ok((profile, row.t))
}
