//! Where the business server is, and how it knows who calls.

use sha2::{Digest, Sha256};

use super::Call;

/// What a call to this machine begins with.
const LOOPBACK: &str = "http://127.0.0.1";

/// The URL of the business server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackUrl(String);

impl CallbackUrl {
    /// Takes it from an operator. It begins with `https://`, because messages go there; for a laptop, `http://127.0.0.1` will do
    /// as well.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, is_laptop: bool) -> Result<Self, String> {
        let is_local = |text: &str| {
            text.strip_prefix(LOOPBACK)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/', '?']))
        };
        let has_host = |text: &str| {
            let host = text.strip_prefix("https://").and_then(|rest| rest.split(['/', '?']).next());
            host.is_some_and(|host| !host.is_empty() && !host.contains('@'))
        };
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        if is_plain && (has_host(text) || is_laptop && is_local(text)) {
            return Ok(Self(text.to_owned()));
        }
        let or = if is_laptop { " or http://127.0.0.1" } else { "" };
        Err(format!("the callback URL must begin with https://{or}, and have no space and no #"))
    }

    /// Where a call goes: the URL, what is called in its query, and the signature if there is a token.
    pub fn of(&self, call: &Call, sdk_app_id: u64, token: Option<&Token>, now_s: u64) -> String {
        let Call { command, platform, .. } = call;
        let joint = if self.0.contains('?') { '&' } else { '?' };
        let mut url = format!(
            "{}{joint}SdkAppid={sdk_app_id}&CallbackCommand={}&contenttype=json&ClientIP=&OptPlatform={platform}",
            self.0,
            command.name(),
        );
        if let Some(token) = token {
            url.push_str(&format!("&Sign={}&RequestTime={now_s}", token.sign(now_s)));
        }
        url
    }
}

/// What a call is signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Takes it from the parameter store.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// `Sign` of a call of this second.
    fn sign(&self, request_time: u64) -> String {
        let hash = Sha256::digest(format!("{}{request_time}", self.0));
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// It reaches no log.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::callback::Command;

    #[test]
    fn a_signature_is_tencents() {
        let sign = "17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061";
        assert_eq!(Token::new("xxxxyyyy\n").sign(1_669_872_112), sign);
        assert_eq!(format!("{:?}", Token::new("xxxxyyyy")), "Token");
    }

    #[test]
    fn what_is_called_stands_in_the_query() {
        let call = Call { command: Command::AfterSend, platform: "iOS", body: String::new() };
        let of =
            |url: &str, token| CallbackUrl::parse(url, false).unwrap().of(&call, 14, token, 1_669_872_112);
        let query =
            "SdkAppid=14&CallbackCommand=C2C.CallbackAfterSendMsg&contenttype=json&ClientIP=&OptPlatform=iOS";
        assert_eq!(of("https://x/im", None), format!("https://x/im?{query}"));
        assert_eq!(of("https://x/im?a=b", None), format!("https://x/im?a=b&{query}"));
        let sign = "17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061";
        assert_eq!(
            of("https://x", Some(&Token::new("xxxxyyyy"))),
            format!("https://x?{query}&Sign={sign}&RequestTime=1669872112")
        );
    }

    #[test]
    fn messages_go_by_https_and_on_a_laptop_to_the_laptop() {
        let is_taken = |url: &str, is_laptop| CallbackUrl::parse(url, is_laptop).is_ok();
        for url in [
            "https://example.com",
            "https://example.com:8443/im?x=1",
            "https://[::1]/",
            "https://example.com?a@b=c",
        ] {
            assert!(is_taken(url, false) && is_taken(url, true), "{url}");
        }
        for url in ["http://127.0.0.1", "http://127.0.0.1:80/x", "http://127.0.0.1/x", "http://127.0.0.1?x"] {
            assert!(is_taken(url, true) && !is_taken(url, false), "{url}");
        }
        for url in [
            "",
            "https://",
            "https:///x",
            "https://user@example.com",
            "https://example.com/#x",
            "https://example.com/ x",
            "https://example.com/\n",
            "https://例子.cn/im",
            "https://example.com/回调",
            "http://example.com",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1@example.com",
            "http://localhost",
            "ftp://example.com",
            "HTTPS://example.com",
        ] {
            assert!(!is_taken(url, false) && !is_taken(url, true), "{url}");
        }
    }
}
