//! Document to text and back: zlib, then base64 in which `*`, `-` and `_` stand for `+`, `/` and
//! `=`. This is not the base64url of RFC 4648: there, `-` is `+` and `_` is `/`.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};

use super::{MAX_CHARS, MAX_INFLATED, UserSigError};

pub(super) fn encode(document: &[u8]) -> String {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing into a Vec cannot fail; were it to, the signature would simply not verify.
    let _ = zlib.write_all(document);
    STANDARD.encode(zlib.finish().unwrap_or_default()).replace('+', "*").replace('/', "-").replace('=', "_")
}

/// The caps come first: of a text that inflates to 10 MB, no more than [`MAX_INFLATED`] bytes are
/// ever made.
pub(super) fn decode(sig: &str) -> Result<Vec<u8>, UserSigError> {
    if sig.len() > MAX_CHARS {
        return Err(UserSigError::Malformed("it is longer than 4096 characters"));
    }
    let compressed = STANDARD
        .decode(standard_alphabet(sig)?)
        .map_err(|_| UserSigError::Malformed("it is not base64: was it cut off?"))?;
    inflate(&compressed)
}

/// The official verifiers take the standard alphabet too, by accident; a signature has one
/// spelling here.
fn standard_alphabet(sig: &str) -> Result<Vec<u8>, UserSigError> {
    sig.bytes()
        .map(|byte| match byte {
            b'*' => Ok(b'+'),
            b'-' => Ok(b'/'),
            b'_' => Ok(b'='),
            byte if byte.is_ascii_alphanumeric() => Ok(byte),
            _ => Err(UserSigError::Malformed(
                "it has a character that no UserSig has: send it as the library made it, percent-encoded once",
            )),
        })
        .collect()
}

fn inflate(compressed: &[u8]) -> Result<Vec<u8>, UserSigError> {
    let mut zlib = ZlibDecoder::new(compressed);
    let mut document = Vec::with_capacity(512);
    let limit = u64::try_from(MAX_INFLATED).unwrap_or(u64::MAX);
    zlib.by_ref()
        .take(limit)
        .read_to_end(&mut document)
        .map_err(|_| UserSigError::Malformed("it does not inflate: was it cut off?"))?;

    // Reading once more is what makes the decoder look at the checksum, and what shows a document
    // that goes on behind the limit.
    match zlib.read(&mut [0]) {
        Ok(0) if zlib.total_in() == u64::try_from(compressed.len()).unwrap_or(u64::MAX) => Ok(document),
        Ok(0) => Err(UserSigError::Malformed("something follows the compressed document")),
        Ok(_) => Err(UserSigError::Malformed("it inflates to more than 8 KB")),
        Err(_) => Err(UserSigError::Malformed("its checksum is wrong")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const TOO_LONG: UserSigError = UserSigError::Malformed("it is longer than 4096 characters");
    const TOO_LARGE: UserSigError = UserSigError::Malformed("it inflates to more than 8 KB");
    const FOLLOWED: UserSigError = UserSigError::Malformed("something follows the compressed document");

    #[test]
    fn a_signature_of_4096_characters_is_looked_at_and_a_longer_one_is_not() {
        assert_ne!(decode(&"A".repeat(4096)), Err(TOO_LONG));
        assert_eq!(decode(&"A".repeat(4097)), Err(TOO_LONG));
    }

    #[test]
    fn a_document_of_8_kb_is_inflated_and_a_larger_one_is_not() {
        let longest = vec![b' '; 8192];
        assert_eq!(decode(&encode(&longest)), Ok(longest));
        assert_eq!(decode(&encode(&[b' '; 8193])), Err(TOO_LARGE));
    }

    #[test]
    fn a_signature_has_one_spelling() {
        // So many different bytes that every character of base64 is there.
        let document: Vec<u8> = (1..=255).collect();
        let sig = encode(&document);
        assert!(["*", "-", "_"].iter().all(|character| sig.contains(character)), "{sig}");
        assert_eq!(decode(&sig), Ok(document.clone()));
        for (ours, standard) in [("*", "+"), ("-", "/"), ("_", "=")] {
            assert!(decode(&sig.replace(ours, standard)).is_err(), "{standard}");
        }

        let mut compressed = STANDARD.decode(standard_alphabet(&sig).unwrap()).unwrap();
        compressed.push(0);
        assert_eq!(inflate(&compressed), Err(FOLLOWED));
    }
}
