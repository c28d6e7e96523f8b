//! UserSig v2, the signature that `tls-sig-api-v2` makes: a JSON document with an HMAC over its
//! fields, zlib-compressed, in a base64 with its own alphabet.
//!
//! The official libraries differ in member order, escaping and compression level, so a verifier
//! never compares bytes: it inflates, parses, and computes the HMAC anew from what it parsed.

mod encoding;
mod issue;
mod outcome;
mod verify;

pub use issue::{issue, issue_with_userbuf};
pub use outcome::{Claims, UserSigError};
pub use verify::{Expectation, UnverifiedSig, verify};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The longest signature that is looked at, in characters. The libraries make 168 to 284.
pub const MAX_CHARS: usize = 4096;

/// The most bytes that a signature may inflate to. A document is some 200 bytes, so this leaves
/// room for a generous userbuf and none for a zip bomb.
pub const MAX_INFLATED: usize = 8 * 1024;

/// An app's secret key. It never shows in logs.
#[derive(Clone)]
pub struct Key(String);

impl Key {
    /// Takes the key as the console shows it. The text itself is the HMAC key: it looks like
    /// hexadecimal and must not be decoded.
    ///
    /// # Errors
    /// When there is no text, because an empty HMAC key would let everyone sign, or when it is a list.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let text = text.trim();
        match text {
            "" => Err(BadKey::Empty),
            list if list.contains(',') => Err(BadKey::TooMany),
            key => Ok(Self(key.to_owned())),
        }
    }

    /// Makes a key of random bytes, in the form that `openssl rand -hex 32` gives it.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The secret itself, for who has to hand it on. No log is among those.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// The key in the READMEs of the official libraries. It protects nothing, and is good for trying things out.
pub const SAMPLE_KEY: &str = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";

/// What is no key, each with the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// There is no character.
    #[error(
        "the UserSig key is empty: take it from your server's configuration, or make one with `openssl rand -hex 32`"
    )]
    Empty,
    /// It is a list of three or more.
    #[error("there are more than two UserSig keys: give the current one, or during a rotation `new,old`")]
    TooMany,
    /// Everybody has it.
    #[error(
        "the UserSig key is the published sample of the official libraries, with which everybody can sign for every \
         user: take that of your server's configuration, or make one with `openssl rand -hex 32`"
    )]
    Sample,
}

/// The keys that are good at this moment: the current one, and while it is being rotated the
/// previous one as well.
#[derive(Debug, Clone)]
pub struct Keys {
    current: Key,
    previous: Option<Key>,
}

impl Keys {
    /// One key.
    pub fn one(current: Key) -> Self {
        Self { current, previous: None }
    }

    /// Reads `current` or `current,previous`, the form in which the parameter store holds them.
    ///
    /// # Errors
    /// When a key is empty, or there are more than two.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        match text.split_once(',') {
            None => Ok(Self::one(Key::parse(text)?)),
            Some((current, previous)) => {
                Ok(Self { current: Key::parse(current)?, previous: Some(Key::parse(previous)?) })
            }
        }
    }

    /// As [`Keys::parse`], for what has to keep strangers out.
    ///
    /// # Errors
    /// Also when one of them is the published sample.
    pub fn parse_secret(text: &str) -> Result<Self, BadKey> {
        let keys = Self::parse(text)?;
        if keys.has_sample() { Err(BadKey::Sample) } else { Ok(keys) }
    }

    /// Whether everybody can sign.
    pub fn has_sample(&self) -> bool {
        self.iter().any(|key| key.text() == SAMPLE_KEY)
    }

    /// The key to sign with.
    pub fn current(&self) -> &Key {
        &self.current
    }

    fn iter(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(self.previous.as_ref())
    }
}

/// What the HMAC covers.
///
/// The text has no escaping, so an identifier with a newline could be taken for a different
/// identity. It cannot here: read from its end, the text has one reading only, because numbers
/// are canonical decimal and `userbuf` is canonical base64, which has no newline. [`verify()`]
/// enforces both, and a property test holds this against hostile identifiers.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Signed<'a> {
    identifier: &'a str,
    sdk_app_id: u64,
    time: u64,
    expire: i64,
    userbuf: Option<&'a str>,
}

impl Signed<'_> {
    fn text(&self) -> String {
        let Self { identifier, sdk_app_id, time, expire, userbuf } = self;
        let mut text = format!(
            "TLS.identifier:{identifier}\nTLS.sdkappid:{sdk_app_id}\nTLS.time:{time}\nTLS.expire:{expire}\n"
        );
        if let Some(userbuf) = userbuf {
            text.push_str("TLS.userbuf:");
            text.push_str(userbuf);
            text.push('\n');
        }
        text
    }

    fn mac(&self, key: &Key) -> Hmac<Sha256> {
        let mut mac = hmac_of(key);
        mac.update(self.text().as_bytes());
        mac
    }
}

// HMAC takes a key of any length; the error exists for MACs that do not.
#[allow(clippy::expect_used)]
fn hmac_of(key: &Key) -> Hmac<Sha256> {
    Hmac::new_from_slice(key.0.as_bytes()).expect("HMAC takes a key of any length")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Identifiers made of the very lines that the text is made of are the hostile case.
        #[test]
        fn two_identities_never_sign_the_same_text(a in identity(), b in identity()) {
            prop_assert_eq!(a == b, a.borrow().text() == b.borrow().text());
        }
    }

    #[derive(Debug, Clone, PartialEq)]
    struct Identity(String, u64, u64, i64, Option<String>);

    impl Identity {
        fn borrow(&self) -> Signed<'_> {
            Signed {
                identifier: &self.0,
                sdk_app_id: self.1,
                time: self.2,
                expire: self.3,
                userbuf: self.4.as_deref(),
            }
        }
    }

    fn identity() -> impl Strategy<Value = Identity> {
        let piece = prop_oneof![
            Just("a".to_owned()),
            Just("\n".to_owned()),
            (0_u64..2).prop_map(|n| format!("\nTLS.sdkappid:{n}")),
            (0_u64..2).prop_map(|n| format!("\nTLS.time:{n}")),
            (0_u64..2).prop_map(|n| format!("\nTLS.expire:{n}")),
            Just("\nTLS.userbuf:AA==".to_owned()),
        ];
        let identifier = prop::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat());
        let userbuf = prop_oneof![Just(None), Just(Some(String::new())), Just(Some("AA==".to_owned()))];
        (identifier, 0_u64..2, 0_u64..2, 0_i64..2, userbuf)
            .prop_map(|(a, b, c, d, e)| Identity(a, b, c, d, e))
    }

    #[test]
    fn a_key_shows_in_no_log() {
        let key = Key::from_bytes(&[0xab; 32]);
        assert_eq!(key.text(), "ab".repeat(32));
        assert_eq!(format!("{:?}", Keys::one(key)), "Keys { current: Key(..), previous: None }");
    }

    #[test]
    fn one_key_or_two_are_keys_and_nothing_else_is() {
        let texts = |text: &str| {
            Keys::parse(text).map(|keys| keys.iter().map(|key| key.text().to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(texts(" a\n"), Ok(vec!["a".to_owned()]));
        assert_eq!(texts("a, b"), Ok(vec!["a".to_owned(), "b".to_owned()]));
        for (text, why) in [
            ("", BadKey::Empty),
            (" ", BadKey::Empty),
            ("a,", BadKey::Empty),
            (",a", BadKey::Empty),
            ("a,b,c", BadKey::TooMany),
        ] {
            assert_eq!(texts(text), Err(why), "{text}");
        }
        assert!(matches!(Key::parse("a,b"), Err(BadKey::TooMany)), "a list is no key to sign with");
    }

    #[test]
    fn one_signs_with_the_new_key_of_a_rotation() {
        assert_eq!(Keys::parse("new,old").unwrap().current().text(), "new");
    }

    #[test]
    fn a_deployment_does_not_take_the_key_that_everybody_has() {
        assert!(Keys::parse_secret("a,b").is_ok());
        for sample in [SAMPLE_KEY.to_owned(), format!("a,{SAMPLE_KEY}"), format!("{SAMPLE_KEY},a")] {
            assert!(matches!(Keys::parse_secret(&sample), Err(BadKey::Sample)), "{sample}");
        }
    }
}
