use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac;
use serde::Serialize;

use super::{Key, Signed, encoding};

/// Issues a UserSig for `identifier`, valid from `time` (Unix seconds) for `expire` seconds.
///
/// A team's own server does this with the official library; this is for the command line and for
/// tests.
pub fn issue(key: &Key, sdk_app_id: u64, identifier: &str, time: u64, expire: i64) -> String {
    sign(key, &Signed { identifier, sdk_app_id, time, expire, userbuf: None })
}

/// As [`issue`], with the signed user data that TRTC rooms use.
pub fn issue_with_userbuf(
    key: &Key,
    sdk_app_id: u64,
    identifier: &str,
    time: u64,
    expire: i64,
    userbuf: &[u8],
) -> String {
    let userbuf = STANDARD.encode(userbuf);
    sign(key, &Signed { identifier, sdk_app_id, time, expire, userbuf: Some(&userbuf) })
}

fn sign(key: &Key, signed: &Signed<'_>) -> String {
    let document = Document {
        ver: "2.0",
        identifier: signed.identifier,
        sdkappid: signed.sdk_app_id,
        expire: signed.expire,
        time: signed.time,
        userbuf: signed.userbuf,
        sig: STANDARD.encode(signed.mac(key).finalize().into_bytes()),
    };
    // A struct of strings and numbers always serializes.
    encoding::encode(&serde_json::to_vec(&document).unwrap_or_default())
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "TLS.ver")]
    ver: &'static str,
    #[serde(rename = "TLS.identifier")]
    identifier: &'a str,
    #[serde(rename = "TLS.sdkappid")]
    sdkappid: u64,
    #[serde(rename = "TLS.expire")]
    expire: i64,
    #[serde(rename = "TLS.time")]
    time: u64,
    #[serde(rename = "TLS.userbuf", skip_serializing_if = "Option::is_none")]
    userbuf: Option<&'a str>,
    #[serde(rename = "TLS.sig")]
    sig: String,
}
