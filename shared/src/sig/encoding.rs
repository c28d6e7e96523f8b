//! Document to text and back: zlib, then base64 in which `*`, `-` and `_` stand for `+`, `/` and
//! `=`. This is not the base64url of RFC 4648: there, `-` is `+` and `_` is `/`.

use std::cell::RefCell;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::{MAX_CHARS, MAX_INFLATED, UserSigError};

thread_local! {
    // Making a stream costs several times what a document does, so a thread keeps one of each.
    static COMPRESS: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), true));
    static DECOMPRESS: RefCell<Decompress> = RefCell::new(Decompress::new(true));
}

pub(super) fn encode(document: &[u8]) -> String {
    let compressed = COMPRESS.with_borrow_mut(|zlib| {
        zlib.reset();
        // What deflate cannot make smaller it stores, with a few bytes beside it.
        let mut compressed = Vec::with_capacity(document.len() + document.len() / 8 + 64);
        // With enough room this cannot fail; were it to, the signature would simply not verify.
        let _ = zlib.compress_vec(document, &mut compressed, FlushCompress::Finish);
        compressed
    });
    let mut text = STANDARD.encode(compressed).into_bytes();
    for byte in &mut text {
        *byte = match *byte {
            b'+' => b'*',
            b'/' => b'-',
            b'=' => b'_',
            byte => byte,
        };
    }
    String::from_utf8(text).unwrap_or_default()
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
    DECOMPRESS.with_borrow_mut(|zlib| {
        zlib.reset(true);
        // A vector is filled up to its capacity. One byte more than is allowed shows a document that goes on, and
        // most are a tenth of it.
        let mut document = Vec::with_capacity(512);
        loop {
            let seen = usize::try_from(zlib.total_in()).unwrap_or(usize::MAX);
            let rest = compressed.get(seen..).unwrap_or_default();
            let status = zlib
                .decompress_vec(rest, &mut document, FlushDecompress::Finish)
                .map_err(|_| UserSigError::Malformed("it does not inflate: was it cut off, or changed?"))?;
            let is_all = usize::try_from(zlib.total_in()).is_ok_and(|seen| seen == compressed.len());
            match status {
                _ if document.len() > MAX_INFLATED => {
                    return Err(UserSigError::Malformed("it inflates to more than 8 KB"));
                }
                Status::StreamEnd if is_all => return Ok(document),
                Status::StreamEnd => {
                    return Err(UserSigError::Malformed("something follows the compressed document"));
                }
                _ if document.len() < document.capacity() => {
                    return Err(UserSigError::Malformed("it does not inflate: was it cut off?"));
                }
                _ => document.reserve_exact(MAX_INFLATED + 1 - document.len()),
            }
        }
    })
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
