//! The URL and the body of a request, in whatever form a library sends them.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;

use super::{Command, Error, Result, said::is_empty_list};
use crate::decode::decode;

/// The largest body, in bytes: 500 users and a message, with every character escaped, are a tenth of it.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Which command a path names. A stage of API Gateway's, or of a proxy's, may stand before it.
///
/// # Errors
/// [`Error::Url`] when it has another form, [`Error::UnknownCommand`].
pub fn parse_path(path: &str) -> Result<Command> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [.., "v4", service, command] => Command::parse(service, command).ok_or(Error::UnknownCommand),
        _ => Err(Error::Url),
    }
}

/// The query of a request: whatever the case of its names, and in any order. What is not listed here is ignored.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The app.
    pub sdk_app_id: Option<String>,
    /// Who asks, by their own account.
    pub identifier: Option<String>,
    /// The signature that proves it.
    pub user_sig: Option<String>,
}

impl Query {
    /// Reads a query as it stands in the URL. Of a name that is there twice, the first one counts.
    pub fn parse(raw: &str) -> Self {
        let mut query = Self::default();
        for pair in raw.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let field = match unescaped(name).to_ascii_lowercase().as_str() {
                "sdkappid" => &mut query.sdk_app_id,
                "identifier" => &mut query.identifier,
                "usersig" => &mut query.user_sig,
                _ => continue,
            };
            if field.is_none() {
                *field = Some(unescaped(value));
            }
        }
        query
    }
}

/// What a text in a query means. An escape that is none stands for itself.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        let escaped = match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => {
                hex(*high).zip(hex(*low)).map(|(high, low)| (16 * high + low, tail))
            }
            (b'+', tail) => Some((b' ', tail)),
            _ => None,
        };
        let (byte, tail) = escaped.unwrap_or((*byte, tail));
        bytes.push(byte);
        rest = tail;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// The body of a request: a JSON object. None at all is an empty one, and so is an empty list, which is what PHP makes of it.
#[derive(Debug, Clone)]
pub struct Body(String);

impl Body {
    /// Reads a body, whatever its content type says. API Gateway hands on in base64 what has none, or one that it does not know.
    ///
    /// # Errors
    /// [`Error::Json`].
    pub fn parse(body: &[u8], is_base64: bool) -> Result<Self> {
        let bad = |why: &str| Error::Json(why.to_owned());
        let decoded = match is_base64 {
            true => &STANDARD.decode(body).map_err(|_| bad("it is no base64"))?,
            false => body,
        };
        if decoded.len() > MAX_BODY_BYTES {
            return Err(bad("it is larger than 1 MB"));
        }
        let text = decoded.strip_prefix("\u{feff}".as_bytes()).unwrap_or(decoded);
        let text = std::str::from_utf8(text).map_err(|_| bad("it is not UTF-8"))?.trim();
        if text.is_empty() || is_empty_list(text) {
            return Ok(Self("{}".to_owned()));
        }
        // Looked at once, so that what is no JSON at all is told apart from what is no request.
        serde_json::from_str::<serde::de::IgnoredAny>(text)
            .map_err(|error| Error::Json(error.to_string()))?;
        if !text.starts_with('{') {
            return Err(bad("it is no object"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The body as the type of a command.
    ///
    /// # Errors
    /// [`Error::Parameter`] with the member that is wrong.
    pub fn data<'a, T: Deserialize<'a>>(&'a self, command: Command) -> Result<T> {
        decode(&self.0, "the body", command.path()).map_err(Error::Parameter)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_path_names_a_command_wherever_the_api_is() {
        for path in [
            "/v4/im_open_login_svc/account_import",
            "/prod/v4/im_open_login_svc/account_import",
            "//v4//im_open_login_svc/account_import/",
        ] {
            assert_eq!(parse_path(path), Ok(Command::AccountImport), "{path}");
        }
        for path in [
            "/v4/im_open_login_svc/nonsense",
            "/v4/nonsense/account_import",
            "/v4/IM_OPEN_LOGIN_SVC/account_import",
        ] {
            assert_eq!(parse_path(path), Err(Error::UnknownCommand), "{path}");
        }
        for path in
            ["", "/", "/v4", "/v4/im_open_login_svc", "/v5/im_open_login_svc/account_import", "/v4/a/b/c"]
        {
            assert_eq!(parse_path(path), Err(Error::Url), "{path}");
        }
    }

    #[test]
    fn a_query_is_read_in_any_case_and_order_and_form() {
        let expected = Query {
            sdk_app_id: Some("1400000000".to_owned()),
            identifier: Some("administrator".to_owned()),
            user_sig: Some("eJ*-_".to_owned()),
        };
        for raw in [
            "sdkappid=1400000000&identifier=administrator&usersig=eJ*-_&random=99999999&contenttype=json",
            "usersig=eJ%2A-_&identifier=administrator&sdkappid=1400000000&contenttype=json",
            "sdkAppId=1400000000&identifier=administrator&userSig=eJ%2a-_&contentType=json",
            "SDKAPPID=1400000000&Identifier=administrator&USERSIG=eJ*%2D%5f",
            "&&sdkappid=1400000000&sdkappid=2&identifier=administrator&usersig=eJ*-_&usersig=",
        ] {
            assert_eq!(Query::parse(raw), expected, "{raw}");
        }
        assert_eq!(Query::parse(""), Query::default());
        let odd = Query::parse("identifier=a+b%20c%&usersig=%zz%E4%B8&sdkappid");
        assert_eq!(odd.identifier.as_deref(), Some("a b c%"));
        assert_eq!(odd.user_sig.as_deref(), Some("%zz\u{fffd}"));
        assert_eq!(odd.sdk_app_id.as_deref(), Some(""));
    }

    #[test]
    fn a_body_is_read_with_a_mark_in_base64_or_not_at_all() {
        let text = r#"{"UserID":"alice","Nick":"爱丽丝"}"#;
        let expected = json!({ "UserID": "alice", "Nick": "爱丽丝" });
        let read = |bytes: &[u8], is_base64| {
            Body::parse(bytes, is_base64).and_then(|body| body.data::<Value>(Command::AccountImport))
        };
        assert_eq!(read(text.as_bytes(), false), Ok(expected.clone()));
        assert_eq!(read(format!("\u{feff} {text}\r\n").as_bytes(), false), Ok(expected.clone()));
        assert_eq!(read(STANDARD.encode(text).as_bytes(), true), Ok(expected.clone()));
        assert_eq!(read(STANDARD.encode(format!("\u{feff}{text}")).as_bytes(), true), Ok(expected));
        for nothing in ["", " ", "\u{feff}", "[]", " [ ]\n"] {
            assert_eq!(read(nothing.as_bytes(), false), Ok(json!({})));
        }
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_BODY_BYTES));
        let deep = "[".repeat(100_000);
        for bad in ["[5]", "5", "{", "{}{}", "hello", "\"\u{0}\"", &large, &deep] {
            assert!(matches!(read(bad.as_bytes(), false), Err(Error::Json(_))), "{bad:.20}");
        }
        assert!(matches!(read(b"\xff\xfe{}", false), Err(Error::Json(_))));
        assert!(matches!(read(b"%%%", true), Err(Error::Json(_))));
    }

    #[test]
    fn a_member_that_is_wrong_is_named() {
        #[derive(Debug, Deserialize)]
        struct Names {
            #[allow(dead_code)]
            names: Vec<String>,
        }
        let body = Body::parse(br#"{"names":["a",5]}"#, false).unwrap();
        let refused = body.data::<Names>(Command::AccountCheck).unwrap_err();
        let text = refused.to_string();
        assert!(text.contains("`names[1]`") && text.contains("im_open_login_svc/account_check"), "{text}");
        assert_eq!(refused.code(Some(Command::AccountCheck)), 70402);
    }

    proptest! {
        #[test]
        fn whatever_is_escaped_is_read_as_it_was(text in "\\PC{0,40}") {
            let escaped: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(unescaped(&escaped), text);
        }

        #[test]
        fn nothing_in_a_query_path_or_body_takes_the_reader_down(bytes: Vec<u8>, is_base64: bool) {
            let text = String::from_utf8_lossy(&bytes);
            let _ = (Query::parse(&text), parse_path(&text), Body::parse(&bytes, is_base64));
        }
    }
}
