//! What is asked before a message is sent, and what the answer means.

use serde::{Deserialize, Serialize};

use super::{
    Call, Command,
    after::{Said, platform_of},
    to_text,
};
use crate::{
    Error, Result,
    decode::decode,
    model::{Draft, Elem, Message, Pair},
    rest::{MsgElement, Number},
};

/// The codes that are handed on to the sender, with their texts.
const OWN_CODES: std::ops::RangeInclusive<i64> = 120_001..=130_000;

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
}

/// What an answer means for a draft.
///
/// # Errors
/// Why nothing can be made of it. What wants to rewrite the message and cannot is refused instead: something in it was not
/// to be sent as it is.
pub fn answer(draft: &Draft, body: &[u8]) -> std::result::Result<Answer, String> {
    let text = std::str::from_utf8(body).map_err(|_| "the answer is no UTF-8".to_owned())?;
    let text = text.trim_start_matches('\u{feff}');
    let reply: Reply = decode(text, "the answer", "a callback")?;
    match reply.error_code.0 {
        0 => Ok(match rewritten(draft, reply.msg_body, reply.cloud_custom_data) {
            Ok(None) => Answer::Send,
            Ok(Some(elem)) => Answer::SendInstead(elem),
            Err(why) => {
                Answer::Refuse(Error::BusinessServer(format!("the message cannot be rewritten so: {why}")))
            }
        }),
        1 => Ok(Answer::Refuse(Error::Refused)),
        2 => Ok(Answer::Withhold),
        code if OWN_CODES.contains(&code) => {
            let text: String = reply.error_info.unwrap_or_default().chars().take(MAX_TEXT).collect();
            let text = if text.is_empty() { Error::Refused.to_string() } else { text };
            let code = i32::try_from(code).unwrap_or_default();
            Ok(Answer::Refuse(Error::RefusedWith { code, text }))
        }
        code => Err(format!("the answer has the ErrorCode {code}")),
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
    elem.fits_with(draft.callbacks.push_info.as_ref())?;
    Ok(Some(elem).filter(|elem| elem != old))
}
