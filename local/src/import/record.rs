//! What is called for a record. What a message or a profile may be is for the server to say, and not looked at here.

use std::ops::Range;

use serde_json::{Map, Value, json};

/// A call of the API.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Such as `openim/importmsg`.
    pub command: &'static str,
    pub body: Value,
}

/// What is to be done about a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    Message(Vec<Call>),
    User(Vec<Call>),
    Skip(Skip),
}

/// Why nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// It was recalled, and has nothing to say any more.
    Recalled,
    /// It was said to a group.
    Group,
    /// It was said at another time than that of which messages are imported.
    Outside,
    /// It is neither a message nor a user.
    Unknown,
}

/// What `MsgFlagBits` says of a message that was recalled.
const RECALLED: u64 = 8;

/// History, of which nobody is told.
const HISTORY: u64 = 2;

const NICK: &str = "Tag_Profile_IM_Nick";
const FACE: &str = "Tag_Profile_IM_Image";

/// The calls for a record, in their order; of messages, for those that were said in these seconds.
pub fn work(record: &Value, seconds: &Range<u64>) -> Work {
    if let Some(user) = record.as_str() {
        return Work::User(vec![account(user, None, None)]);
    }
    let Some(members) = record.as_object() else { return Work::Skip(Skip::Unknown) };
    if members.contains_key("MsgBody") {
        return message(members, seconds);
    }
    user(members).unwrap_or(Work::Skip(Skip::Unknown))
}

fn message(members: &Map<String, Value>, seconds: &Range<u64>) -> Work {
    if number(members, &["MsgFlagBits"]).is_some_and(|bits| bits & RECALLED != 0) {
        return Work::Skip(Skip::Recalled);
    }
    if members.contains_key("GroupId")
        || members.contains_key("ToGroupId")
        || !members.contains_key("To_Account")
    {
        return Work::Skip(Skip::Group);
    }
    let needed = || {
        let elements = members.get("MsgBody")?.as_array().filter(|elements| !elements.is_empty())?;
        // The files of an hour spell the time in their own way.
        let time = number(members, &["MsgTimeStamp", "MsgTimestamp", "MsgTime"])?;
        let (seq, random) = (number(members, &["MsgSeq"])?, number(members, &["MsgRandom"])?);
        Some((text(members, "From_Account")?, text(members, "To_Account")?, elements, time, seq, random))
    };
    let Some((from, to, elements, time, seq, random)) = needed() else { return Work::Skip(Skip::Unknown) };
    if !seconds.contains(&time) {
        return Work::Skip(Skip::Outside);
    }
    let call = |(element, random): (&Value, u64)| {
        let mut body = json!({
            "SyncFromOldSystem": HISTORY, "From_Account": from, "To_Account": to,
            "MsgSeq": seq, "MsgRandom": random, "MsgTimeStamp": time, "MsgBody": [element],
        });
        if let (Some(body), Some(data)) = (body.as_object_mut(), members.get("CloudCustomData")) {
            body.insert("CloudCustomData".to_owned(), data.clone());
        }
        Call { command: "openim/importmsg", body }
    };
    // A message has one element here. Those of one that has several get random numbers one after another, which are
    // the same each time, so that each is there once.
    let randoms = (0..).map(|more| random.wrapping_add(more) & u64::from(u32::MAX));
    Work::Message(elements.iter().zip(randoms).map(call).collect())
}

fn user(members: &Map<String, Value>) -> Option<Work> {
    // Of somebody whom Tencent does not know there is a record as well.
    if number(members, &["ResultCode"]).is_some_and(|code| code != 0) {
        return None;
    }
    let Some(items) = members.get("ProfileItem").and_then(Value::as_array) else {
        let user = text(members, "UserID").or_else(|| text(members, "Identifier"))?;
        return Some(Work::User(vec![account(user, members.get("Nick"), members.get("FaceUrl"))]));
    };
    let user = text(members, "To_Account")?;
    let tag = |item: &&Value| item.get("Tag").and_then(Value::as_str).unwrap_or_default().to_owned();
    let value = |name| items.iter().find(|item| tag(item) == name).and_then(|item| item.get("Value"));
    let mut calls = vec![account(user, value(NICK), value(FACE))];
    let more: Vec<_> = items
        .iter()
        .filter(|item| {
            tag(item).starts_with("Tag_Profile_IM_") && ![NICK, FACE].contains(&tag(item).as_str())
        })
        .collect();
    if !more.is_empty() {
        let body = json!({ "From_Account": user, "ProfileItem": more });
        calls.push(Call { command: "profile/portrait_set", body });
    }
    Some(Work::User(calls))
}

fn account(user: &str, nick: Option<&Value>, face: Option<&Value>) -> Call {
    let mut body = Map::from_iter([("UserID".to_owned(), user.into())]);
    for (name, value) in [("Nick", nick), ("FaceUrl", face)] {
        // An empty one is none, and would take away what the user has chosen since.
        if let Some(value) = value.filter(|value| value.as_str().is_some_and(|text| !text.is_empty())) {
            body.insert(name.to_owned(), value.clone());
        }
    }
    Call { command: "im_open_login_svc/account_import", body: Value::Object(body) }
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name)?.as_str()
}

/// The first of these that is there. Some programs write numbers as text.
fn number(members: &Map<String, Value>, names: &[&str]) -> Option<u64> {
    let value = names.iter().find_map(|name| members.get(*name))?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    fn work(record: &Value) -> Work {
        super::work(record, &(0..u64::MAX))
    }

    #[test]
    fn a_message_of_an_hours_file_and_one_that_roams_become_the_same_call() {
        let expected = Call {
            command: "openim/importmsg",
            body: json!({
                "SyncFromOldSystem": 2, "From_Account": "alice", "To_Account": "bob",
                "MsgSeq": 93847636, "MsgRandom": 4004465802_u64, "MsgTimeStamp": 1557387418,
                "MsgBody": [{ "MsgType": "TIMTextElem", "MsgContent": { "Text": "你好" } }],
            }),
        };
        let body = json!([{ "MsgType": "TIMTextElem", "MsgContent": { "Text": "你好" } }]);
        for record in [
            json!({
                "From_Account": "alice", "To_Account": "bob", "MsgTimestamp": 1557387418, "MsgSeq": 93847636,
                "MsgRandom": 4004465802_u64, "MsgFromPlatform": "Web", "ClientIP": "192.0.2.1", "MsgBody": body,
            }),
            json!({
                "From_Account": "alice", "To_Account": "bob", "MsgTimeStamp": "1557387418", "MsgSeq": "93847636",
                "MsgRandom": 4004465802_u64, "MsgFlagBits": 0, "IsPeerRead": 1, "MsgKey": "93847636_4004465802_1557387418",
                "MsgBody": body,
            }),
        ] {
            assert_eq!(work(&record), Work::Message(vec![expected.clone()]));
        }
    }

    #[test]
    fn each_element_of_a_message_becomes_one_with_a_random_number_of_its_own() {
        let record = json!({
            "From_Account": "alice", "To_Account": "bob", "MsgTimeStamp": 1, "MsgSeq": 2, "MsgRandom": u32::MAX,
            "CloudCustomData": "x", "MsgBody": [{ "MsgType": "a" }, { "MsgType": "b" }],
        });
        let Work::Message(calls) = work(&record) else { panic!("no message") };
        let parts = |call: &Call| (call.body["MsgRandom"].clone(), call.body["MsgBody"].clone());
        let parts: Vec<_> = calls.iter().map(parts).collect();
        assert_eq!(
            parts,
            [(json!(u32::MAX), json!([{ "MsgType": "a" }])), (json!(0), json!([{ "MsgType": "b" }]))]
        );
        assert!(calls.iter().all(|call| call.body["CloudCustomData"] == "x"));
    }

    #[test]
    fn a_user_is_imported_under_the_name_of_any_shape_and_with_all_of_the_profile() {
        let account = |body| Call { command: "im_open_login_svc/account_import", body };
        for (record, calls) in [
            (json!("alice"), vec![account(json!({ "UserID": "alice" }))]),
            (json!({ "Identifier": "alice", "Nick": "" }), vec![account(json!({ "UserID": "alice" }))]),
            (
                json!({ "UserID": "alice", "Nick": "爱丽丝", "FaceUrl": "https://example.com/a" }),
                vec![account(
                    json!({ "UserID": "alice", "Nick": "爱丽丝", "FaceUrl": "https://example.com/a" }),
                )],
            ),
            (
                json!({
                    "To_Account": "alice", "ResultCode": 0, "ProfileItem": [
                        { "Tag": "Tag_Profile_IM_Nick", "Value": "爱丽丝" },
                        { "Tag": "Tag_Profile_IM_Gender", "Value": "Gender_Type_Female" },
                        { "Tag": "Tag_Profile_Custom_Test", "Value": "x" },
                    ],
                }),
                vec![
                    account(json!({ "UserID": "alice", "Nick": "爱丽丝" })),
                    Call {
                        command: "profile/portrait_set",
                        body: json!({
                            "From_Account": "alice",
                            "ProfileItem": [{ "Tag": "Tag_Profile_IM_Gender", "Value": "Gender_Type_Female" }],
                        }),
                    },
                ],
            ),
        ] {
            assert_eq!(work(&record), Work::User(calls), "{record}");
        }
    }

    #[test]
    fn what_cannot_be_imported_is_skipped_and_says_why() {
        let message = |more: Value| {
            let mut record = json!({
                "From_Account": "alice", "To_Account": "bob", "MsgTimeStamp": 1, "MsgSeq": 2, "MsgRandom": 3,
                "MsgBody": [{ "MsgType": "a" }],
            });
            record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            record
        };
        for (record, why) in [
            (message(json!({ "MsgFlagBits": 8 })), Skip::Recalled),
            (message(json!({ "GroupId": "@TGS#1" })), Skip::Group),
            (json!({ "From_Account": "alice", "MsgSeq": 1, "MsgBody": [] }), Skip::Group),
            (message(json!({ "MsgSeq": "many" })), Skip::Unknown),
            (message(json!({ "From_Account": 5 })), Skip::Unknown),
            (message(json!({ "MsgBody": [] })), Skip::Unknown),
            (json!({ "To_Account": "nobody", "ResultCode": 70107, "ProfileItem": [] }), Skip::Unknown),
            (json!({ "ActionStatus": "FAIL", "ErrorCode": 60010 }), Skip::Unknown),
            (json!(5), Skip::Unknown),
        ] {
            assert_eq!(work(&record), Work::Skip(why), "{record}");
        }
    }

    #[test]
    fn a_message_of_the_first_second_is_imported_and_one_of_the_second_behind_the_last_is_not() {
        for (second, is_in) in [(9, false), (10, true), (19, true), (20, false)] {
            let record = json!({
                "From_Account": "alice", "To_Account": "bob", "MsgTimeStamp": second, "MsgSeq": 2, "MsgRandom": 3,
                "MsgBody": [{ "MsgType": "a" }],
            });
            let is_left_out = super::work(&record, &(10..20)) == Work::Skip(Skip::Outside);
            assert_eq!(is_left_out, !is_in, "{second}");
        }
        let user = super::work(&json!("alice"), &(10..20));
        assert!(matches!(user, Work::User(_)), "users are of no time");
    }
}
