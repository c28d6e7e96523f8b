//! `im_open_login_svc`: who there is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Command, Error, Result, Said};
use crate::{
    model::{Profile, UserId},
    protocol::ProfileFields,
};

/// How many accounts one command may name.
const MAX_ACCOUNTS: usize = 100;

/// `account_import`, and an entry of `multiaccount_import`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountImport {
    #[serde(rename = "UserID")]
    user_id: Option<String>,
    identifier: Option<String>,
    nick: Said<String>,
    face_url: Said<String>,
}

/// An account that is to be there, and what is to be known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// The user.
    pub user: UserId,
    /// What of the profile is given.
    pub profile: Option<Profile>,
}

impl AccountImport {
    /// # Errors
    /// What is wrong with which member.
    pub fn parse(self) -> Result<Account> {
        let (name, fields) = self.said()?;
        Account::of(&name, fields)
    }

    /// The name as it was given, and what is given of the profile.
    fn said(self) -> Result<(String, Option<ProfileFields>)> {
        let name = AccountItem { user_id: self.user_id, identifier: self.identifier }.name()?;
        Ok((name, ProfileFields::names(self.nick.0, self.face_url.0)))
    }
}

impl Account {
    fn of(name: &str, fields: Option<ProfileFields>) -> Result<Self> {
        let user = UserId::parse("UserID", name)?;
        Ok(Self { user, profile: fields.map(ProfileFields::parse).transpose()? })
    }
}

/// `kick`.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Kick(AccountItem);

impl Kick {
    /// # Errors
    /// What can be no user.
    pub fn parse(self) -> Result<UserId> {
        Ok(UserId::parse("UserID", &self.0.name()?)?)
    }
}

/// `multiaccount_import`: names alone, or with what is known of them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MultiaccountImport {
    accounts: Said<Vec<String>>,
    account_list: Said<Vec<AccountImport>>,
}

impl MultiaccountImport {
    /// The accounts, each once, and the names that can be none.
    ///
    /// # Errors
    /// None or too many.
    pub fn parse(self) -> Result<(Vec<Account>, Vec<String>)> {
        let named = self.accounts.0.unwrap_or_default().into_iter().map(|name| Ok((name, None)));
        let described = self.account_list.0.unwrap_or_default().into_iter().map(AccountImport::said);
        let all = named.chain(described).collect::<Result<Vec<_>>>()?;
        count("`Accounts` or `AccountList`", all.len(), MAX_ACCOUNTS)?;
        let (mut accounts, mut failed) = (BTreeMap::new(), Vec::new());
        for (name, fields) in all {
            match Account::of(&name, fields) {
                Ok(account) => drop(accounts.insert(account.user.clone(), account)),
                Err(_) => failed.push(name),
            }
        }
        Ok((accounts.into_values().collect(), failed))
    }
}

/// The answer to `multiaccount_import`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ImportedAccounts {
    /// Those that were not imported.
    pub fail_accounts: Vec<String>,
}

/// `account_check`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountCheck {
    check_item: Vec<AccountItem>,
}

/// A user, as commands about accounts name them: under the name of today, that of older libraries, or both.
#[derive(Debug, Deserialize)]
pub struct AccountItem {
    #[serde(rename = "UserID")]
    user_id: Option<String>,
    #[serde(rename = "Identifier")]
    identifier: Option<String>,
}

impl AccountItem {
    /// The name as it was given, which may be one that nobody can have.
    fn name(self) -> Result<String> {
        let Self { user_id, identifier } = self;
        let user_id = user_id.filter(|name| identifier.is_none() || !name.is_empty());
        user_id
            .or(identifier)
            .ok_or_else(|| Error::Parameter("`UserID` is missing: name the account".to_owned()))
    }
}

impl AccountCheck {
    /// The names in the order asked for, as they were given.
    ///
    /// # Errors
    /// None or too many.
    pub fn parse(self) -> Result<Vec<String>> {
        names("`CheckItem`", self.check_item)
    }
}

/// `account_delete`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountDelete {
    delete_item: Vec<AccountItem>,
}

impl AccountDelete {
    /// The names in the order asked for, as they were given.
    ///
    /// # Errors
    /// None or too many.
    pub fn parse(self) -> Result<Vec<String>> {
        names("`DeleteItem`", self.delete_item)
    }
}

/// The answer to `account_delete`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeletedAccounts {
    /// In the order asked for.
    pub result_item: Vec<DeletedAccount>,
}

/// What has become of an account.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeletedAccount {
    #[serde(rename = "UserID")]
    user_id: String,
    result_code: i32,
    result_info: String,
}

impl DeletedAccount {
    /// It is gone, or why not.
    pub fn new(user_id: String, outcome: Result<()>) -> Self {
        let told = |error: Error| (error.code(Some(Command::AccountDelete)), error.to_string());
        let (result_code, result_info) = outcome.err().map(told).unwrap_or_default();
        Self { user_id, result_code, result_info }
    }
}

fn names(member: &str, items: Vec<AccountItem>) -> Result<Vec<String>> {
    count(member, items.len(), MAX_ACCOUNTS)?;
    items.into_iter().map(AccountItem::name).collect()
}

/// Refuses a list that names nobody, or more than it may.
pub(super) fn count(member: &str, length: usize, at_most: usize) -> Result<()> {
    if (1..=at_most).contains(&length) {
        return Ok(());
    }
    Err(Error::Parameter(format!("{member} must name 1 to {at_most} users: split a longer list")))
}

/// The answer to `account_check`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CheckedAccounts {
    /// In the order asked for.
    pub result_item: Vec<CheckedAccount>,
}

/// Whether there is an account.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CheckedAccount {
    #[serde(rename = "UserID")]
    user_id: String,
    result_code: i32,
    result_info: String,
    account_status: &'static str,
}

impl CheckedAccount {
    /// Whether there is one of this name.
    pub fn new(user_id: String, is_there: bool) -> Self {
        let account_status = if is_there { "Imported" } else { "NotImported" };
        Self { user_id, result_code: 0, result_info: String::new(), account_status }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    fn import(body: Value) -> Result<Account> {
        serde_json::from_value::<AccountImport>(body).unwrap().parse()
    }

    #[test]
    fn an_account_has_an_old_and_a_new_name_and_perhaps_a_nick() {
        let bare = import(json!({ "UserID": "alice" })).unwrap();
        assert_eq!((bare.user.as_str(), &bare.profile), ("alice", &None));
        for (new, old) in [
            (json!(null), json!("alice")),
            (json!(""), json!("alice")),
            (json!("alice"), json!("bob")),
            (json!("alice"), json!("")),
            (json!("alice"), json!(null)),
        ] {
            assert_eq!(import(json!({ "UserID": new, "Identifier": old })).unwrap(), bare);
        }
        assert_eq!(import(json!({ "Identifier": "alice" })).unwrap(), bare);
        assert_eq!(
            import(json!({ "UserID": "alice", "Nick": "", "FaceUrl": null, "Type": 0 })).unwrap(),
            bare
        );
        let named =
            import(json!({ "UserID": "alice", "Nick": "爱丽丝", "FaceUrl": "https://x/y.png" })).unwrap();
        let profile = named.profile.unwrap();
        assert_eq!(
            (profile.nick.as_deref(), profile.avatar.as_deref()),
            (Some("爱丽丝"), Some("https://x/y.png"))
        );
        for bad in [
            json!({}),
            json!({ "UserID": "" }),
            json!({ "UserID": null, "Identifier": "" }),
            json!({ "UserID": "张三" }),
            json!({ "UserID": "alice", "FaceUrl": "javascript:x" }),
            json!({ "UserID": "alice", "Nick": "x".repeat(501) }),
        ] {
            assert!(matches!(import(bad.clone()), Err(Error::Parameter(_))), "{bad}");
        }
    }

    #[test]
    fn many_accounts_are_named_or_described_each_once_and_what_can_be_none_is_told() {
        let import = |body: Value| serde_json::from_value::<MultiaccountImport>(body).unwrap().parse();
        let (accounts, failed) = import(json!({ "Accounts": ["b", "a", "b", ""] })).unwrap();
        assert_eq!(accounts.iter().map(|account| account.user.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(failed, [""]);
        let (accounts, failed) = import(
            json!({ "Accounts": null, "AccountList": [{ "UserID": "a", "Nick": "A" }, { "UserID": "é" }] }),
        )
        .unwrap();
        assert_eq!(accounts[0].profile.as_ref().unwrap().nick.as_deref(), Some("A"));
        assert_eq!(failed, ["é"]);
        for length in [0, 101] {
            assert!(import(json!({ "Accounts": vec!["a"; length] })).is_err());
        }
    }
}
