use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, Visitor},
};
use serde_json::value::RawValue;

/// A member that may be missing. Libraries write of what their caller has not said `null`, an empty text or, in PHP, where an
/// empty object is one, an empty list: all of these are nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said<T>(pub Option<T>);

impl<T> Default for Said<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Said<T> {
    /// The first of these that is something. A member that has had several names is one member for each of them: there are
    /// libraries that write the same under all of its names, or nothing under those that they do not use.
    pub fn or(self, other: Self) -> Self {
        Self(self.0.or(other.0))
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Said<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Member<T>(PhantomData<T>);

        impl<'de, T: DeserializeOwned> Visitor<'de> for Member<T> {
            type Value = Said<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or nothing")
            }

            fn visit_none<E: de::Error>(self) -> Result<Said<T>, E> {
                Ok(Said(None))
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Said<T>, D::Error> {
                let value = Box::<RawValue>::deserialize(deserializer)?;
                if value.get() == r#""""# || is_empty_list(value.get()) {
                    return Ok(Said(None));
                }
                let mut json = serde_json::Deserializer::from_str(value.get());
                serde_path_to_error::deserialize(&mut json).map(|value| Said(Some(value))).map_err(|error| {
                    match error.path().to_string().as_str() {
                        "." => de::Error::custom(error.inner()),
                        path => de::Error::custom(format_args!("in it `{path}` is wrong: {}", error.inner())),
                    }
                })
            }
        }
        deserializer.deserialize_option(Member(PhantomData))
    }
}

/// Whether that is a list without elements, which is what PHP makes of an object without members.
pub(super) fn is_empty_list(json: &str) -> bool {
    serde_json::from_str::<[(); 0]>(json).is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;
    use crate::rest::Number;

    #[derive(Debug, Deserialize)]
    struct Body {
        number: Said<Number<u32>>,
        text: Said<String>,
        list: Said<Vec<String>>,
        object: Said<std::collections::BTreeMap<String, u32>>,
        raw: Said<Box<RawValue>>,
    }

    #[test]
    fn nothing_may_be_written_in_any_way() {
        for nothing in [json!(null), json!(""), json!([])] {
            let each = |name: &str| (name.to_owned(), nothing.clone());
            let all: Value = ["number", "text", "list", "object", "raw"]
                .map(each)
                .into_iter()
                .collect::<serde_json::Map<_, _>>()
                .into();
            for body in [
                serde_json::from_str(&all.to_string()),
                serde_json::from_value(all),
                serde_json::from_str("{}"),
            ] {
                let body: Body = body.unwrap();
                assert_eq!((body.number.0, body.text.0, body.list.0), (None, None, None), "{nothing}");
                assert!(body.object.0.is_none() && body.raw.0.is_none(), "{nothing}");
            }
        }
        assert!(is_empty_list(" [ ] ") && !is_empty_list("[1]") && !is_empty_list("{}"));
    }

    #[test]
    fn what_is_nothing_under_one_name_may_be_something_under_another() {
        let (one, two, nothing) = (Said(Some(1)), Said(Some(2)), Said(None));
        assert_eq!(
            (one.or(two), nothing.or(two), one.or(nothing), nothing.or(nothing)),
            (one, two, one, nothing)
        );
    }

    #[test]
    fn what_is_said_is_read_and_what_is_wrong_in_it_is_named() {
        let body = r#"{"number":true,"text":" ","list":["a"],"object":{"a":1},"raw":{"a":1.10}}"#;
        let body: Body = serde_json::from_str(body).unwrap();
        assert_eq!(body.number, Said(Some(Number(1))));
        assert_eq!((body.text.0.unwrap(), body.list.0.unwrap()), (" ".to_owned(), vec!["a".to_owned()]));
        assert_eq!((body.object.0.unwrap()["a"], body.raw.0.unwrap().get()), (1, r#"{"a":1.10}"#));
        for (body, what) in [
            (r#"{"list":["a",5]}"#, "`[1]`"),
            (r#"{"object":{"a":"b"}}"#, "`a`"),
            (r#"{"object":[1]}"#, "expected a map"),
            (r#"{"number":"x"}"#, "no whole number"),
        ] {
            let refused = crate::decode::decode::<Body>(body, "the body", "a test").unwrap_err();
            assert!(refused.contains(what) && !refused.contains(" at line "), "{refused}");
        }
    }
}
