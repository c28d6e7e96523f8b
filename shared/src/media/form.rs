//! Forms: POST policies of S3, in Signature Version 4. What S3 holds an upload to, and we with [`check`], is what the
//! policy says, and it has a condition for each field. So a form is good for one object and for no other.

use std::{collections::BTreeMap, fmt};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;

use super::{
    key::MediaKey,
    time::{compact, iso},
};

/// For how long a form is good.
pub const LIFETIME_S: u64 = 15 * 60;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// How long a browser, and whatever is on the way to it, may keep an object: none changes but by
/// the same form, and one may be recalled.
const CACHE_CONTROL: &str = "public, max-age=86400, immutable";

/// The names of the fields that carry the signature.
const POLICY: &str = "policy";
const SIGNATURE: &str = "x-amz-signature";

/// The fields of a form by their names: all but the file itself, which comes last.
pub type Fields = BTreeMap<String, String>;

/// Who signs.
#[derive(Clone, PartialEq, Eq)]
pub struct Signer {
    /// The name of the key.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: String,
    /// What comes with a key that is good for some hours, as a function's is. The form dies with it.
    pub session_token: Option<String>,
    /// Where the bucket is.
    pub region: String,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(..)")
    }
}

/// What a form is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// Where in it.
    pub key: MediaKey,
    /// What a browser is told it is.
    pub content_type: &'static str,
    /// What a browser is told to do with it, if not to show it.
    pub content_disposition: Option<String>,
    /// How many bytes it may have. It has one at least.
    pub max_bytes: u64,
}

/// Why an upload is refused, as S3 has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// A field is missing without which nothing can be looked at.
    InvalidRequest,
    /// Somebody else has signed it, or nobody.
    SignatureDoesNotMatch,
    /// The policy is none that [`sign`] makes.
    InvalidPolicyDocument,
    /// It has expired, or a field is not what the form said, or is one too many.
    AccessDenied,
    /// There is nothing in the file.
    EntityTooSmall,
    /// There is more in it than was said.
    EntityTooLarge,
}

impl Refused {
    /// S3's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "InvalidRequest",
            Self::SignatureDoesNotMatch => "SignatureDoesNotMatch",
            Self::InvalidPolicyDocument => "InvalidPolicyDocument",
            Self::AccessDenied => "AccessDenied",
            Self::EntityTooSmall => "EntityTooSmall",
            Self::EntityTooLarge => "EntityTooLarge",
        }
    }

    /// The status of S3's answer.
    pub fn status(self) -> u16 {
        match self {
            Self::SignatureDoesNotMatch | Self::AccessDenied => 403,
            Self::InvalidRequest
            | Self::InvalidPolicyDocument
            | Self::EntityTooSmall
            | Self::EntityTooLarge => 400,
        }
    }
}

/// What a browser is told of a file: to keep it, under this name, and never to show it.
pub(super) fn attachment(name: Option<&str>) -> String {
    let Some(name) = name else { return "attachment".to_owned() };
    let letter = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    format!("attachment; filename*=UTF-8''{}", name.bytes().map(letter).collect::<String>())
}

/// A form for one object, from `now` (Unix seconds) for [`LIFETIME_S`].
pub fn sign(signer: &Signer, object: &Object<'_>, now: u64) -> Fields {
    let date = compact(now);
    let optional = [
        ("Content-Disposition", object.content_disposition.clone()),
        ("x-amz-security-token", signer.session_token.clone()),
    ];
    let mut fields: Fields = [
        ("key", object.key.to_string()),
        ("Content-Type", object.content_type.to_owned()),
        ("Cache-Control", CACHE_CONTROL.to_owned()),
        ("success_action_status", "200".to_owned()),
        ("x-amz-algorithm", ALGORITHM.to_owned()),
        ("x-amz-credential", signer.credential(&date)),
        ("x-amz-date", date.clone()),
    ]
    .into_iter()
    .chain(optional.into_iter().filter_map(|(name, value)| Some((name, value?))))
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    let conditions: Vec<Value> = fields
        .iter()
        .map(|(name, value)| json!({ name: value }))
        .chain([json!({ "bucket": object.bucket }), json!(["content-length-range", 1, object.max_bytes])])
        .collect();
    let policy = json!({ "expiration": iso(now.saturating_add(LIFETIME_S)), "conditions": conditions });
    let policy = STANDARD.encode(policy.to_string());
    let signature = signer.mac(&date, &policy).finalize().into_bytes();
    fields.insert(SIGNATURE.to_owned(), signature.iter().map(|byte| format!("{byte:02x}")).collect());
    fields.insert(POLICY.to_owned(), policy);
    fields
}

/// What S3 does with a form: refuses it, or lets so many bytes in. `fields` are those that came before the file.
///
/// # Errors
/// [`Refused`].
pub fn check(
    signer: &Signer,
    bucket: &str,
    fields: &Fields,
    bytes: u64,
    now: u64,
) -> Result<MediaKey, Refused> {
    // S3 does not tell `Policy` from `policy`.
    let named: BTreeMap<String, &str> =
        fields.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.as_str())).collect();
    if named.len() != fields.len() {
        return Err(Refused::InvalidRequest);
    }
    let field = |name: &str| named.get(name).copied().ok_or(Refused::InvalidRequest);
    let (policy, date) = (field(POLICY)?, field("x-amz-date")?);

    let signature = from_hex(field(SIGNATURE)?).ok_or(Refused::SignatureDoesNotMatch)?;
    let is_ours =
        field("x-amz-algorithm")? == ALGORITHM && field("x-amz-credential")? == signer.credential(date);
    if !is_ours || signer.mac(date, policy).verify_slice(&signature).is_err() {
        return Err(Refused::SignatureDoesNotMatch);
    }

    let policy = STANDARD.decode(policy).map_err(|_| Refused::InvalidPolicyDocument)?;
    let policy: Policy = serde_json::from_slice(&policy).map_err(|_| Refused::InvalidPolicyDocument)?;
    if policy.expiration < iso(now) {
        return Err(Refused::AccessDenied);
    }
    // What S3 knows without a condition.
    let mut without = vec![POLICY.to_owned(), SIGNATURE.to_owned()];
    for condition in policy.conditions {
        match condition {
            Condition::Equal(expected) => {
                for (name, value) in expected {
                    let name = name.to_ascii_lowercase();
                    let actual = if name == "bucket" { bucket } else { field(&name).unwrap_or_default() };
                    if actual != value {
                        return Err(Refused::AccessDenied);
                    }
                    without.push(name);
                }
            }
            Condition::Length(name, ..) if name != "content-length-range" => {
                return Err(Refused::InvalidPolicyDocument);
            }
            Condition::Length(_, least, _) if bytes < least => return Err(Refused::EntityTooSmall),
            Condition::Length(_, _, most) if bytes > most => return Err(Refused::EntityTooLarge),
            Condition::Length(..) => {}
        }
    }
    if named.keys().any(|name| !without.contains(name)) {
        return Err(Refused::AccessDenied);
    }
    MediaKey::parse(field("key")?).ok_or(Refused::AccessDenied)
}

#[derive(Deserialize)]
struct Policy {
    expiration: String,
    conditions: Vec<Condition>,
}

/// S3 knows more of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Condition {
    Equal(BTreeMap<String, String>),
    Length(String, u64, u64),
}

impl Signer {
    fn credential(&self, date: &str) -> String {
        let Self { access_key_id, region, .. } = self;
        format!("{access_key_id}/{}/{region}/s3/aws4_request", day(date))
    }

    /// The MAC over a policy in base64, by a key that is good for a day, a region and S3 alone.
    fn mac(&self, date: &str, policy: &str) -> Hmac<Sha256> {
        let secret = format!("AWS4{}", self.secret_access_key);
        let scope = [day(date), &self.region, "s3", "aws4_request"];
        let key = scope.iter().fold(secret.into_bytes(), |key, part| {
            hmac_of(&key, part.as_bytes()).finalize().into_bytes().to_vec()
        });
        hmac_of(&key, policy.as_bytes())
    }
}

/// The first part of a date: `20151229` of `20151229T000000Z`.
fn day(date: &str) -> &str {
    date.split('T').next().unwrap_or_default()
}

// HMAC takes a key of any length; the error exists for MACs that do not.
#[allow(clippy::expect_used)]
fn hmac_of(key: &[u8], text: &[u8]) -> Hmac<Sha256> {
    let mut mac: Hmac<Sha256> = Hmac::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text);
    mac
}

/// Bytes in lower-case letters, so that a signature has one spelling.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use proptest::prelude::*;

    use super::*;
    use crate::{
        media::{Folder, Kind, Owner},
        model::UserId,
    };

    const NOW: u64 = 1_795_400_001;

    fn signer() -> Signer {
        Signer {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: Some("a+b/c=".to_owned()),
            region: "us-east-1".to_owned(),
        }
    }

    fn key(user: &str) -> MediaKey {
        let owner = Owner::of(1_400_000_000, &UserId::parse("userID", user).unwrap());
        Folder::new(&owner, |_| 7).original(&Kind::Image.format("png").unwrap())
    }

    /// A form for a picture of a thousand bytes.
    fn form() -> Fields {
        let object = Object {
            bucket: "media",
            key: key("alice"),
            content_type: "image/png",
            content_disposition: None,
            max_bytes: 1_000,
        };
        sign(&signer(), &object, NOW)
    }

    fn checked(fields: &Fields, bytes: u64) -> Result<MediaKey, Refused> {
        check(&signer(), "media", fields, bytes, NOW)
    }

    fn policy_of(fields: &Fields) -> Value {
        serde_json::from_slice(&STANDARD.decode(&fields[POLICY]).unwrap()).unwrap()
    }

    /// The example of AWS's reference of S3's API, "Browser-Based Upload using HTTP POST (Using AWS Signature
    /// Version 4)".
    #[test]
    fn the_signature_is_that_of_the_published_example() {
        let policy = concat!(
            "{ \"expiration\": \"2015-12-30T12:00:00.000Z\",\r\n",
            "  \"conditions\": [\r\n",
            "    {\"bucket\": \"sigv4examplebucket\"},\r\n",
            "    [\"starts-with\", \"$key\", \"user/user1/\"],\r\n",
            "    {\"acl\": \"public-read\"},\r\n",
            "    {\"success_action_redirect\": \"http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html\"},\r\n",
            "    [\"starts-with\", \"$Content-Type\", \"image/\"],\r\n",
            "    {\"x-amz-meta-uuid\": \"14365123651274\"},\r\n",
            "    {\"x-amz-server-side-encryption\": \"AES256\"},\r\n",
            "    [\"starts-with\", \"$x-amz-meta-tag\", \"\"],\r\n\r\n",
            "    {\"x-amz-credential\": \"AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request\"},\r\n",
            "    {\"x-amz-algorithm\": \"AWS4-HMAC-SHA256\"},\r\n",
            "    {\"x-amz-date\": \"20151229T000000Z\" }\r\n",
            "  ]\r\n",
            "}",
        );
        let signature = from_hex("8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e").unwrap();
        let mac = signer().mac("20151229T000000Z", &STANDARD.encode(policy));
        mac.verify_slice(&signature).unwrap();
        assert_eq!(
            signer().credential("20151229T000000Z"),
            "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"
        );
    }

    #[test]
    fn a_form_has_a_condition_for_every_field_and_for_where_and_how_much() {
        let fields = form();
        let policy = policy_of(&fields);
        assert_eq!(
            policy,
            json!({
                "expiration": "2026-11-23T02:28:21.000Z",
                "conditions": [
                    { "Cache-Control": "public, max-age=86400, immutable" },
                    { "Content-Type": "image/png" },
                    { "key": key("alice").as_str() },
                    { "success_action_status": "200" },
                    { "x-amz-algorithm": "AWS4-HMAC-SHA256" },
                    { "x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/s3/aws4_request" },
                    { "x-amz-date": "20261123T021321Z" },
                    { "x-amz-security-token": "a+b/c=" },
                    { "bucket": "media" },
                    ["content-length-range", 1, 1_000],
                ],
            })
        );
        for (name, value) in &fields {
            let is_condition = policy["conditions"].as_array().unwrap().contains(&json!({ name: value }));
            assert_eq!(is_condition, ![POLICY, SIGNATURE].contains(&name.as_str()), "{name}");
        }
        // A key that is good for ever comes with no token, and an attachment says so.
        let object = Object {
            bucket: "media",
            key: key("alice"),
            content_type: "application/octet-stream",
            content_disposition: Some(attachment(Some("报价 1.pdf"))),
            max_bytes: 1,
        };
        let fields = sign(&Signer { session_token: None, ..signer() }, &object, NOW);
        assert!(!fields.contains_key("x-amz-security-token"));
        assert_eq!(fields["Content-Disposition"], "attachment; filename*=UTF-8''%E6%8A%A5%E4%BB%B7%201.pdf");
        assert_eq!(attachment(None), "attachment");
    }

    #[test]
    fn a_form_is_good_for_what_it_says_from_one_byte_to_all_of_them() {
        for bytes in [1, 500, 1_000] {
            assert_eq!(checked(&form(), bytes), Ok(key("alice")));
        }
        assert_eq!(checked(&form(), 0), Err(Refused::EntityTooSmall));
        assert_eq!(checked(&form(), 1_001), Err(Refused::EntityTooLarge));
        // The names of fields in any case.
        let loud = form().into_iter().map(|(name, value)| (name.to_uppercase(), value)).collect();
        assert_eq!(checked(&loud, 1), Ok(key("alice")));
    }

    #[test]
    fn a_form_is_good_for_a_quarter_of_an_hour() {
        let at = |now: u64| check(&signer(), "media", &form(), 1, now);
        assert_eq!(at(NOW + 900), Ok(key("alice")));
        assert_eq!(at(NOW + 901), Err(Refused::AccessDenied));
        assert_eq!(at(NOW + 400 * 86_400), Err(Refused::AccessDenied));
    }

    #[test]
    fn a_form_is_good_for_nothing_else() {
        let with = |name: &str, value: &str| {
            let mut fields = form();
            fields.insert(name.to_owned(), value.to_owned());
            checked(&fields, 1)
        };
        for (name, value) in [
            ("key", key("bob").as_str()),
            ("key", "m/x"),
            ("key", ""),
            ("Content-Type", "text/html"),
            ("Content-Type", "image/svg+xml"),
            ("Content-Type", "image/jpeg"),
            ("Content-Type", "image/png "),
            ("success_action_status", "201"),
            ("x-amz-security-token", "other"),
            ("Content-Disposition", "inline"),
            ("acl", "public-read"),
            ("bucket2", "media"),
            ("x-amz-meta-x", ""),
            ("success_action_redirect", "https://example.com"),
            ("Cache-Control", "no-store"),
        ] {
            assert_eq!(with(name, value), Err(Refused::AccessDenied), "{name}: {value}");
        }
        for (name, value) in [
            ("x-amz-algorithm", "AWS4-HMAC-SHA1"),
            ("x-amz-credential", "AKIAIOSFODNN7EXAMPLE/20261124/us-east-1/s3/aws4_request"),
            ("x-amz-credential", "OTHER/20261123/us-east-1/s3/aws4_request"),
            ("x-amz-date", "20261124T021321Z"),
            (SIGNATURE, ""),
            (SIGNATURE, "0"),
            (SIGNATURE, "zz"),
            (SIGNATURE, &form()[SIGNATURE].to_uppercase()),
            (SIGNATURE, &"0".repeat(64)),
            (POLICY, ""),
            (POLICY, "e30="),
        ] {
            assert_eq!(with(name, value), Err(Refused::SignatureDoesNotMatch), "{name}: {value}");
        }
        // The date of the signature is a condition, too, where the day is the same.
        assert_eq!(with("x-amz-date", "20261123T021322Z"), Err(Refused::AccessDenied));
        assert_eq!(with("KEY", key("alice").as_str()), Err(Refused::InvalidRequest), "a field twice");
        assert_eq!(check(&signer(), "other", &form(), 1, NOW), Err(Refused::AccessDenied));
    }

    #[test]
    fn a_field_that_is_missing_is_missed() {
        for name in form().keys() {
            let mut fields = form();
            fields.remove(name);
            assert!(checked(&fields, 1).is_err(), "{name}");
        }
    }

    #[test]
    fn another_key_signs_nothing() {
        for other in [
            Signer { secret_access_key: "x".to_owned(), ..signer() },
            Signer { access_key_id: "x".to_owned(), ..signer() },
            Signer { region: "eu-west-1".to_owned(), ..signer() },
        ] {
            assert_eq!(check(&other, "media", &form(), 1, NOW), Err(Refused::SignatureDoesNotMatch));
        }
    }

    /// Who could sign could still not say more than `sign` does.
    #[test]
    fn a_policy_that_we_do_not_make_is_none() {
        let signed = |policy: &str| {
            let mut fields = form();
            let policy = STANDARD.encode(policy);
            let signature = signer().mac(&fields["x-amz-date"], &policy).finalize().into_bytes();
            fields.insert(SIGNATURE.to_owned(), signature.iter().map(|byte| format!("{byte:02x}")).collect());
            fields.insert(POLICY.to_owned(), policy);
            checked(&fields, 1)
        };
        let policy = policy_of(&form()).to_string();
        assert_eq!(signed(&policy), Ok(key("alice")));
        for bad in [
            "",
            "[]",
            "{}",
            &policy.replace("content-length-range", "starts-with"),
            &policy.replace(r#"["content-length-range",1,1000]"#, r#"["starts-with","$key","m/"]"#),
            &policy.replace("1000]", "1000,5]"),
        ] {
            assert_eq!(signed(bad), Err(Refused::InvalidPolicyDocument), "{bad}");
        }
    }

    #[test]
    fn the_names_are_those_of_s3_and_a_secret_shows_in_no_log() {
        for (refused, name, status) in [
            (Refused::InvalidRequest, "InvalidRequest", 400),
            (Refused::SignatureDoesNotMatch, "SignatureDoesNotMatch", 403),
            (Refused::InvalidPolicyDocument, "InvalidPolicyDocument", 400),
            (Refused::AccessDenied, "AccessDenied", 403),
            (Refused::EntityTooSmall, "EntityTooSmall", 400),
            (Refused::EntityTooLarge, "EntityTooLarge", 400),
        ] {
            assert_eq!((refused.name(), refused.status()), (name, status));
        }
        assert_eq!(format!("{:?}", signer()), "Signer(..)");
    }

    proptest! {
        /// A form for any object lets that one in and no other, and whatever is changed in it is found.
        #[test]
        fn a_form_that_was_changed_is_refused(
            user in "[ -~]{1,32}", name in "\\PC{1,40}", most in 1_u64..200_000_000, token in "[ -~]{1,20}",
            field in 0_usize..10, value in "\\PC{0,20}",
        ) {
            let signer = Signer { session_token: Some(token), ..signer() };
            let key = key(&user);
            let object = Object {
                bucket: "media", key: key.clone(), content_type: "application/octet-stream",
                content_disposition: Some(attachment(Some(&name))), max_bytes: most,
            };
            let mut fields = sign(&signer, &object, NOW);
            let disposition = &fields["Content-Disposition"];
            prop_assert!(disposition.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b'"'));
            prop_assert_eq!(check(&signer, "media", &fields, most, NOW), Ok(key));
            prop_assert_eq!(check(&signer, "media", &fields, most + 1, NOW), Err(Refused::EntityTooLarge));
            let changed = fields.keys().nth(field % fields.len()).unwrap().clone();
            let before = fields.insert(changed, value.clone());
            prop_assert_eq!(check(&signer, "media", &fields, 1, NOW).is_ok(), before == Some(value));
        }
    }
}
