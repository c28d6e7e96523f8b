//! A second look at a frame that is not valid JSON: what it wants to be called, and what is wrong.

use std::fmt;

use serde::{
    Deserialize,
    de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The longest name of an action or a request.
pub(super) const MAX_NAME_BYTES: usize = 64;

/// The action and the ID of the request, as far as they can be read. Values are passed over without
/// being understood: to that, half of a character or a number of any size is no obstacle, and it
/// takes no stack. What stood before the place where even that fails counts.
pub(super) fn names(frame: &[u8]) -> (Option<String>, Option<String>) {
    let mut names = Names::default();
    let mut frame = serde_json::Deserializer::from_slice(frame);
    // That it is unreadable is known.
    let _ = frame.deserialize_map(&mut names);
    (names.action, names.request_id)
}

/// What is wrong with the frame. Nothing of it is quoted: it may be what somebody wrote.
pub(super) fn why(error: &serde_json::Error) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    let text = error.to_string();
    let is = |what: &str| text.starts_with(what);
    if is("lone leading surrogate") || is("unexpected end of hex escape") {
        format!(
            "it has half of a character, a surrogate without its other half, at {place}: send whole characters"
        )
    } else if is("invalid unicode code point") {
        format!("it is not UTF-8 at {place}")
    } else if is("recursion limit") {
        format!("it is nested too deep at {place}: 127 levels are the most")
    } else if is("number out of range") {
        format!("it has a number that is too large at {place}")
    } else {
        format!("it is not valid JSON at {place}")
    }
}

#[derive(Default)]
struct Names {
    action: Option<String>,
    request_id: Option<String>,
}

impl<'de> Visitor<'de> for &mut Names {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = members.next_key()? {
            match name.as_slice() {
                b"action" => self.action = text(members.next_value()?),
                b"requestID" => self.request_id = text(members.next_value()?),
                _ => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok().filter(|text: &String| text.len() <= MAX_NAME_BYTES)
}

/// The name of a member, which may be no text.
struct Name(Vec<u8>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(name: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Name, E> {
                Ok(Name(bytes.to_vec()))
            }
        }

        name.deserialize_bytes(Bytes)
    }
}
