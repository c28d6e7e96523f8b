//! `sns/black_list_…`: who does not want to hear whom.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Command, Error, Number, Result, Said, accounts::count};
use crate::model::UserId;

/// How many users one command may name.
const MAX_BLOCKS: usize = 500;

/// `black_list_add` and `black_list_delete`.
#[derive(Debug, Deserialize)]
pub struct BlackListChange {
    #[serde(rename = "From_Account")]
    from_account: String,
    #[serde(rename = "To_Account")]
    to_account: Vec<String>,
}

impl BlackListChange {
    /// Whose list it is, and the names in the order asked for, as they were given.
    ///
    /// # Errors
    /// What can be no user, and none or too many.
    pub fn parse(self) -> Result<(UserId, Vec<String>)> {
        count("`To_Account`", self.to_account.len(), MAX_BLOCKS)?;
        Ok((UserId::parse("From_Account", &self.from_account)?, self.to_account))
    }
}

/// The answer to it.
#[derive(Debug, Serialize)]
pub struct ChangedBlackList {
    #[serde(rename = "ResultItem")]
    result_item: Vec<ChangedBlock>,
    #[serde(rename = "Fail_Account", skip_serializing_if = "Vec::is_empty")]
    fail_account: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ChangedBlock {
    #[serde(rename = "To_Account")]
    to_account: String,
    result_code: i32,
    result_info: String,
}

impl ChangedBlackList {
    /// What has become of each name, in the order asked for.
    pub fn new(command: Command, outcomes: Vec<(String, Result<()>)>) -> Self {
        let failed = outcomes.iter().filter(|(_, outcome)| outcome.is_err()).map(|(name, _)| name.clone());
        let fail_account = failed.collect();
        let item = |(to_account, outcome): (String, Result<()>)| {
            let (result_code, result_info) = outcome
                .err()
                .map_or((0, String::new()), |error| (error.code(Some(command)), error.to_string()));
            ChangedBlock { to_account, result_code, result_info }
        };
        Self { result_item: outcomes.into_iter().map(item).collect(), fail_account }
    }
}

/// `black_list_get`.
#[derive(Debug, Deserialize)]
pub struct BlackListGet {
    #[serde(rename = "From_Account")]
    from_account: String,
    #[serde(rename = "StartIndex")]
    start_index: Said<Number<u32>>,
    #[serde(rename = "MaxLimited")]
    max_limited: Said<Number<u32>>,
}

impl BlackListGet {
    /// Whose list it is, and which part of it: how many are passed over, and how many are wanted.
    ///
    /// # Errors
    /// What can be no user.
    pub fn parse(self) -> Result<(UserId, usize, usize)> {
        let user = UserId::parse("From_Account", &self.from_account)?;
        let number =
            |Said(given): Said<Number<u32>>| given.and_then(|Number(number)| usize::try_from(number).ok());
        let limit = number(self.max_limited).filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        Ok((user, number(self.start_index).unwrap_or_default(), limit))
    }
}

/// The answer to it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BlackList {
    black_list_item: Vec<Block>,
    /// Where the list goes on, or 0 when it does not.
    start_index: usize,
    /// Always 0: there are no changes to be asked for. The name is Tencent's.
    #[serde(rename = "CurruentSequence")]
    current_sequence: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Block {
    #[serde(rename = "To_Account")]
    to_account: UserId,
    /// Always 0: nobody has noted it.
    add_black_time_stamp: u64,
}

impl BlackList {
    /// A part of a list.
    pub fn new(list: BTreeSet<UserId>, start: usize, limit: usize) -> Self {
        let end = start.saturating_add(limit);
        let start_index = if end < list.len() { end } else { 0 };
        let part = list.into_iter().skip(start).take(limit);
        let black_list_item = part.map(|to_account| Block { to_account, add_black_time_stamp: 0 }).collect();
        Self { black_list_item, start_index, current_sequence: 0 }
    }
}

/// `black_list_check`.
#[derive(Debug, Deserialize)]
pub struct BlackListCheck {
    #[serde(rename = "From_Account")]
    from_account: String,
    #[serde(rename = "To_Account")]
    to_account: Vec<String>,
    #[serde(rename = "CheckType")]
    check_type: String,
}

impl BlackListCheck {
    /// Whose list it is, the names in the order asked for, as they were given, and whether the lists of these are to be
    /// looked at as well.
    ///
    /// # Errors
    /// What can be no user, none or too many, another type.
    pub fn parse(self) -> Result<(UserId, Vec<String>, bool)> {
        count("`To_Account`", self.to_account.len(), MAX_BLOCKS)?;
        let is_both = match self.check_type.as_str() {
            "BlackCheckResult_Type_Both" => true,
            "BlackCheckResult_Type_Single" => false,
            _ => {
                return Err(Error::Parameter(
                    "CheckType must be BlackCheckResult_Type_Single or BlackCheckResult_Type_Both".to_owned(),
                ));
            }
        };
        Ok((UserId::parse("From_Account", &self.from_account)?, self.to_account, is_both))
    }
}

/// The answer to it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CheckedBlackList {
    /// In the order asked for.
    pub black_list_check_item: Vec<CheckedBlock>,
}

/// Who of two blocks the other one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CheckedBlock {
    #[serde(rename = "To_Account")]
    to_account: String,
    relation: &'static str,
    result_code: i32,
    result_info: &'static str,
}

impl CheckedBlock {
    /// Whether the list has the other one, and whether theirs has the user.
    pub fn new(to_account: String, blocks: bool, is_blocked: bool) -> Self {
        let relation = match (blocks, is_blocked) {
            (true, true) => "BlackCheckResult_Type_BothWay",
            (true, false) => "BlackCheckResult_Type_AWithB",
            (false, true) => "BlackCheckResult_Type_BWithA",
            (false, false) => "BlackCheckResult_Type_NO",
        };
        Self { to_account, relation, result_code: 0, result_info: "" }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_given_in_parts() {
        let list: BTreeSet<UserId> =
            ["a", "b", "c"].iter().map(|name| UserId::parse("", name).unwrap()).collect();
        for (start, limit, names, next) in
            [(0, 2, &["a", "b"][..], 2), (2, 2, &["c"], 0), (0, 3, &["a", "b", "c"], 0), (5, 1, &[], 0)]
        {
            let part = serde_json::to_value(BlackList::new(list.clone(), start, limit)).unwrap();
            let there =
                part["BlackListItem"].as_array().unwrap().iter().map(|item| item["To_Account"].clone());
            assert_eq!(there.collect::<Vec<_>>(), names);
            assert_eq!(part["StartIndex"], next);
        }
        let get: BlackListGet =
            serde_json::from_value(json!({ "From_Account": "a", "StartIndex": "5", "MaxLimited": 0 }))
                .unwrap();
        assert_eq!(get.parse().unwrap().1, 5);
    }
}
