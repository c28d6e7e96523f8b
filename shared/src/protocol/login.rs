use serde::{Deserialize, Serialize};

use super::{
    ConversationPage, WireProfile,
    conversation::{named, page_size},
};
use crate::{Result, model::UserId};

/// `login`: with a `count` the reply has a page of the list, of so many conversations besides those that are pinned.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Login {
    /// How many conversations the page may hold. Without it there is none.
    count: Option<i64>,
    /// The `serverTime` of the last reply behind which nothing is missing: the page has what changed since then.
    #[cfg_attr(test, ts(optional, type = "number"))]
    since: Option<u64>,
    /// Conversations that the page has besides, whether they have changed or not: at most 50.
    #[serde(rename = "conversationIDList")]
    conversation_id_list: Option<Vec<String>>,
}

/// Which part of a list is wanted with a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstPage {
    /// How many conversations, at most.
    pub count: usize,
    /// What changed since then, in seconds; the newest if nothing is said.
    pub since: Option<u64>,
    /// Other conversations that are wanted in any case, each once. Groups are there anyway.
    pub named: Vec<UserId>,
}

impl Login {
    /// The page that is wanted, if one is.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self, me: &UserId) -> Result<Option<FirstPage>> {
        let (named, _) = named(me, &self.conversation_id_list.unwrap_or_default())?;
        let page = |count| FirstPage { count: page_size(Some(count)), since: self.since, named };
        Ok(self.count.map(page))
    }
}

/// The reply to `login`: what a client needs to start.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct LoginReply<'a> {
    /// The user.
    #[serde(rename = "userID")]
    pub user_id: &'a UserId,
    /// The kind of device.
    pub platform: &'a str,
    /// Unix seconds.
    pub server_time: u64,
    /// When a new UserSig is needed.
    pub user_sig_expire_time: u64,
    /// When this connection was made.
    pub connected_time: u64,
    /// How long a connection lasts at the most.
    pub connection_seconds: u64,
    /// How often to say `ping`.
    pub heartbeat_seconds: u64,
    /// The most messages of a page.
    pub page_size: usize,
    /// The most bytes of a message.
    pub max_message_bytes: usize,
    /// For how long a message can be recalled.
    pub recall_seconds: u64,
    /// The version of the server, such as `1.2.3`.
    pub version: &'a str,
    /// What the user says about themselves, with the newest page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<WireProfile<'a>>,
    /// A page of the list, if the request has a `count`. Left out as well when it is more than this request may
    /// read: `getConversationList` has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_page: Option<ConversationPage<'a>>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_login_asks_for_a_page_when_it_says_how_large_it_may_be() {
        let page = |data: Value| {
            serde_json::from_value::<Login>(data).unwrap().parse(&UserId::parse("test", "alice").unwrap())
        };
        let user = |text: &str| UserId::parse("test", text).unwrap();
        assert_eq!(page(json!({})), Ok(None));
        assert_eq!(page(json!({ "since": 5, "conversationIDList": ["C2Cbob"] })), Ok(None));
        let fresh = FirstPage { count: 20, since: None, named: Vec::new() };
        assert_eq!(page(json!({ "count": 20 })), Ok(Some(fresh.clone())));
        assert_eq!(page(json!({ "count": 0 })), Ok(Some(FirstPage { count: 100, ..fresh })));
        let again =
            json!({ "count": 20, "since": 5, "conversationIDList": ["C2Cbob", "C2Ccarol", "C2Cbob"] });
        let named = vec![user("bob"), user("carol")];
        assert_eq!(page(again), Ok(Some(FirstPage { count: 20, since: Some(5), named })));
        let names = |count: usize| (0..count).map(|number| format!("C2Cuser-{number}")).collect::<Vec<_>>();
        assert!(page(json!({ "count": 20, "conversationIDList": names(50) })).is_ok());
        for bad in [json!(names(51)), json!(["C2Calice"]), json!(["bob"])] {
            assert!(page(json!({ "count": 20, "conversationIDList": bad })).is_err());
        }
    }
}
