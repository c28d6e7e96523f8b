//! What is asked before a message is sent, and what the answer means.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    Call, Command,
    after::{Said, platform_of},
    to_text,
};
use crate::{
    Error, Result,
    model::{Draft, Elem, Message, Pair, UserId},
    rest::{MsgElement, Number},
};

/// The codes that are handed on to the sender, with their texts.
const OWN_CODES: std::ops::RangeInclusive<i64> = 120_001..=130_000;

/// Those of groups, besides.
const OWN_CODES_IN_GROUPS: std::ops::RangeInclusive<i64> = 10_100..=10_200;

/// How much of a text the sender is told, in characters.
const MAX_TEXT: usize = 500;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Question<'a> {
    callback_command: &'static str,
    #[serde(flatten)]
    said: Said<'a>,
}

/// The question whether this message may be sent, as it would be written at this moment. Its number may be taken by another one
/// meanwhile.
pub fn before_send(pair: &Pair, message: &Message) -> Call {
    let command = Command::BeforeSend;
    let question = Question { callback_command: command.name(), said: Said::of(pair, message) };
    Call { command, platform: platform_of(message), body: to_text(&question) }
}

/// Where it is that something is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// A conversation of two users.
    OneToOne,
    /// A group.
    InGroup,
}

/// What the business server has answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Send it.
    Send,
    /// Send something else instead.
    SendInstead(Elem),
    /// Keep it from the other user, and let its sender know nothing of that.
    Withhold,
    /// Do not send it.
    Refuse(Error),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reply {
    error_code: Number<i64>,
    #[serde(default)]
    error_info: Option<String>,
    #[serde(default)]
    msg_body: Option<Vec<MsgElement>>,
    #[serde(default)]
    cloud_custom_data: Option<String>,
    #[serde(rename = "RefusedMembers_Account", default)]
    refused_members: Option<Vec<String>>,
}

impl Reply {
    fn parse(body: &[u8]) -> std::result::Result<Self, String> {
        let text = std::str::from_utf8(body).map_err(|_| "the answer is no UTF-8".to_owned())?;
        let text = text.trim_start_matches('\u{feff}');
        // What does not fit may be what somebody has written, and this goes to a log.
        serde_json::from_str(text).map_err(|error| {
            format!(
                "the answer is none to a callback, from column {} of line {} on",
                error.column(),
                error.line()
            )
        })
    }

    /// How it refuses what it was asked about, with a code that is neither 0 nor one of its own meaning.
    fn refusal(self, asked: Asked) -> std::result::Result<Error, String> {
        let refused = match asked {
            Asked::OneToOne => Error::Refused,
            Asked::InGroup => Error::RefusedInGroup,
        };
        let code = self.error_code.0;
        let is_own =
            OWN_CODES.contains(&code) || asked == Asked::InGroup && OWN_CODES_IN_GROUPS.contains(&code);
        match code {
            1 => Ok(refused),
            code if is_own => {
                let text: String = self.error_info.unwrap_or_default().chars().take(MAX_TEXT).collect();
                let text = if text.is_empty() { refused.to_string() } else { text };
                Ok(Error::RefusedWith { code: i32::try_from(code).unwrap_or_default(), text })
            }
            code => Err(format!("the answer has the ErrorCode {code}")),
        }
    }
}

/// What an answer means for a change of a group: whom of those that are to come it wants left out, or that it is not to be.
///
/// # Errors
/// Why nothing can be made of it.
pub fn permission(body: &[u8]) -> std::result::Result<Result<BTreeSet<UserId>>, String> {
    let reply = Reply::parse(body)?;
    if reply.error_code.0 != 0 {
        return reply.refusal(Asked::InGroup).map(Err);
    }
    let refused = reply.refused_members.unwrap_or_default();
    Ok(Ok(refused.iter().filter_map(|name| UserId::parse("RefusedMembers_Account", name).ok()).collect()))
}

/// What an answer means for a draft.
///
/// # Errors
/// Why nothing can be made of it. What wants to rewrite the message and cannot is refused instead: something in it was not
/// to be sent as it is.
pub fn answer(draft: &Draft, body: &[u8], asked: Asked) -> std::result::Result<Answer, String> {
    let reply = Reply::parse(body)?;
    match reply.error_code.0 {
        0 => Ok(match rewritten(draft, reply.msg_body, reply.cloud_custom_data) {
            Ok(None) => Answer::Send,
            Ok(Some(elem)) => Answer::SendInstead(elem),
            Err(why) => Answer::Refuse(Error::BusinessServer(format!(
                "the message cannot be rewritten so: it would be refused with {}",
                why.code()
            ))),
        }),
        2 => Ok(Answer::Withhold),
        _ => reply.refusal(asked).map(Answer::Refuse),
    }
}

/// What a message is to say instead, if that is anything else. An empty list of elements is none.
fn rewritten(
    draft: &Draft,
    body: Option<Vec<MsgElement>>,
    custom_data: Option<String>,
) -> Result<Option<Elem>> {
    let old = &draft.elem;
    let body = body.filter(|body| !body.is_empty());
    if body.is_none() && custom_data.is_none() {
        return Ok(None);
    }
    let custom_data = custom_data.unwrap_or_else(|| old.custom_data().to_owned());
    let as_it_is = MsgElement::of(old);
    // Elements that are the same as those that it was told of change nothing, even where the message says more.
    let same = |body: &[MsgElement]| to_text(body) == to_text(&as_it_is);
    let elem = match body {
        Some(body) if !same(&body) => MsgElement::parse(&body, Some(custom_data))?,
        _ => Elem::parse(old.kind(), old.payload().raw(), Some(custom_data))?,
    };
    // Whom it concerns by name is not the server's to say.
    let elem = elem.mentioning(old.mentions().clone());
    elem.fits_with(draft.callbacks.push_info.as_ref())?;
    Ok(Some(elem).filter(|elem| elem != old))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;
    use crate::{
        model::{ClientId, Options, UserId},
        protocol::to_raw,
    };

    fn elem() -> Elem {
        Elem::parse("TIMTextElem", &to_raw(&json!({ "text": "x", "own": 1 })), None).unwrap()
    }

    fn meant(reply: &str) -> std::result::Result<Answer, String> {
        let from = UserId::parse("from", "alice").unwrap();
        let draft = Draft::new(ClientId::parse("1").unwrap(), from, elem(), Options::default());
        answer(&draft, reply.as_bytes(), Asked::OneToOne)
    }

    fn text(text: &str) -> Value {
        json!({ "MsgType": "TIMTextElem", "MsgContent": { "Text": text } })
    }

    #[test]
    fn an_answer_is_read_in_whatever_form_it_comes() {
        for reply in [
            r#"{"ErrorCode":0}"#,
            r#"{"ErrorCode":"0","ErrorInfo":null,"MsgBody":[],"More":1}"#,
            "\u{feff}{\"ErrorCode\":0}",
        ] {
            assert_eq!(meant(reply), Ok(Answer::Send), "{reply}");
        }
        let echo = json!({ "ErrorCode": 0, "MsgBody": MsgElement::of(&elem()), "CloudCustomData": "" });
        assert_eq!(meant(&echo.to_string()), Ok(Answer::Send), "that is what it was told");
        let instead = json!({ "ErrorCode": 0, "CloudCustomData": "y" }).to_string();
        let Ok(Answer::SendInstead(elem)) = meant(&instead) else { panic!() };
        assert_eq!((elem.payload().as_str(), elem.custom_data()), (r#"{"own":1,"text":"x"}"#, "y"));
        assert_eq!(meant(r#"{"ErrorCode":2}"#), Ok(Answer::Withhold));
        assert_eq!(meant(r#"{"ErrorCode":1}"#), Ok(Answer::Refuse(Error::Refused)));
    }

    #[test]
    fn a_group_is_refused_with_codes_of_its_own_and_some_are_left_out() {
        let allowed = |reply: &str| permission(reply.as_bytes());
        assert_eq!(allowed(r#"{"ErrorCode":0}"#), Ok(Ok(BTreeSet::new())));
        let left_out = allowed(r#"{"ErrorCode":0,"RefusedMembers_Account":["bob","名"]}"#);
        assert_eq!(left_out, Ok(Ok([UserId::parse("", "bob").unwrap()].into())));
        assert_eq!(allowed(r#"{"ErrorCode":1}"#), Ok(Err(Error::RefusedInGroup)));
        for code in [10_100, 10_200, 120_001, 130_000] {
            let own = allowed(&json!({ "ErrorCode": code, "ErrorInfo": "no" }).to_string());
            assert_eq!(own, Ok(Err(Error::RefusedWith { code, text: "no".to_owned() })));
        }
        for code in [2, 10_099, 10_201, -1] {
            assert!(allowed(&json!({ "ErrorCode": code }).to_string()).is_err(), "{code}");
        }
        assert!(meant(r#"{"ErrorCode":10100}"#).is_err(), "between two users there is no such code");
    }

    #[test]
    fn a_text_of_its_own_is_handed_on_and_is_not_long() {
        let refused = |info: &str| {
            let reply = json!({ "ErrorCode": 120_001, "ErrorInfo": info }).to_string();
            let Ok(Answer::Refuse(Error::RefusedWith { code: 120_001, text })) = meant(&reply) else {
                panic!()
            };
            text
        };
        assert_eq!(refused("不行"), "不行");
        assert_eq!(refused(&"不".repeat(501)).chars().count(), 500);
        assert_eq!(refused(""), Error::Refused.to_string());
    }

    #[test]
    fn nothing_of_an_answer_that_cannot_be_used_reaches_a_log() {
        for reply in [
            json!("geheim").to_string(),
            json!({ "ErrorCode": "geheim" }).to_string(),
            json!({ "ErrorCode": 0, "MsgBody": "geheim" }).to_string(),
            json!({ "ErrorCode": 0, "MsgBody": [{ "MsgType": "geheim", "MsgContent": {} }] }).to_string(),
            r#"{"ErrorCode":0,"MsgBody":[{"MsgType":"TIMCustomElem","MsgContent":{"geheim":1,"geheim":2}}]}"#
                .to_owned(),
            json!({ "ErrorCode": 0, "MsgBody": [text("geheim"), text("geheim")] }).to_string(),
            "geheim".to_owned(),
        ] {
            let why = match meant(&reply) {
                Err(why) | Ok(Answer::Refuse(Error::BusinessServer(why))) => why,
                // Of a name that is there twice, the last one is taken.
                Ok(Answer::SendInstead(_)) => continue,
                other => panic!("{reply}: {other:?}"),
            };
            assert!(!why.contains("geheim"), "{why}");
        }
    }
}
