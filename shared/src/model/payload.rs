use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::Serialize;
use serde_json::{
    Map, Value,
    value::{RawValue, to_raw_value},
};

use super::text::is_link;
use crate::{Error, Result};

/// What a message of some type says: an object, as the text of JSON in which it is stored and delivered.
/// So no number changes on the way, however large or exact it is, and no field changes its place.
#[derive(Debug, Clone, Serialize)]
pub struct Payload(Box<RawValue>);

impl Payload {
    /// Takes a payload from outside, without the space between its parts and with every character
    /// written in its shortest form.
    ///
    /// # Errors
    /// [`Error::InvalidMessage`] when a field of this type is missing or of the wrong type, and when
    /// readers could understand it in two ways: a name that is there twice, a NUL character.
    pub fn parse(kind: &str, json: &RawValue) -> Result<Self> {
        let text = tidy(json.get())?;
        let Ok(members) = serde_json::from_str::<Map<String, Value>>(&text) else {
            return Err(refused("`payload` must be an object".to_owned()));
        };
        check(fields_of(kind), &members, "payload")?;
        Self::restore(text).ok_or_else(|| refused("`payload` cannot be read".to_owned()))
    }

    /// Takes it back from the store.
    pub fn restore(text: String) -> Option<Self> {
        RawValue::from_string(text).ok().map(Self)
    }

    /// The fields of a type, all of them empty.
    pub fn empty(kind: &str) -> Self {
        let members: Map<String, Value> =
            fields_of(kind).iter().map(|field| (field.name.to_owned(), field.of.empty())).collect();
        Self(to_raw_value(&members).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The JSON itself.
    pub fn raw(&self) -> &RawValue {
        &self.0
    }

    /// Whether another payload of this type says the same. The order of fields does not matter, nor does
    /// where a file lies: a client that sends a message again may have uploaded its file again.
    pub fn says_what(&self, other: &Self, kind: &str) -> bool {
        is_same(self.as_str(), other.as_str(), &|name| names_file(kind, name))
    }

    /// Where the files of a message of this type lie, each once, as its sender says: URLs and other names. A message
    /// whose content is no file has none, whatever its text says.
    pub fn files(&self, kind: &str) -> BTreeSet<String> {
        fn collect(value: Value, kind: &str, files: &mut BTreeSet<String>) {
            match value {
                Value::Object(members) => members.into_iter().for_each(|(name, value)| match value {
                    Value::String(text) if names_file(kind, &name) => _ = files.insert(text),
                    value => collect(value, kind, files),
                }),
                Value::Array(items) => items.into_iter().for_each(|item| collect(item, kind, files)),
                _ => {}
            }
        }

        let mut files = BTreeSet::new();
        collect(serde_json::from_str(self.as_str()).unwrap_or_default(), kind, &mut files);
        files.remove("");
        files
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

/// The type of a group's tips.
pub const TIP: &str = "TIMGroupTipElem";

/// The message types that a user can create. Group tips and system notices are not among them: a
/// server writes those, and a user who could would put words into its mouth.
pub(super) const KINDS: [&str; 10] = [
    "TIMTextElem",
    "TIMImageElem",
    "TIMSoundElem",
    "TIMFileElem",
    "TIMFaceElem",
    "TIMVideoFileElem",
    "TIMVideoElem",
    "TIMLocationElem",
    "TIMCustomElem",
    "TIMRelayElem",
];

/// Those of them whose content is a file.
const FILES: [&str; 5] = ["TIMImageElem", "TIMSoundElem", "TIMFileElem", "TIMVideoFileElem", "TIMVideoElem"];

/// Whether a field of this name says where a file lies, in a message of this type.
fn names_file(kind: &str, name: &str) -> bool {
    FILES.contains(&kind) && ["url", "uuid"].iter().any(|end| name.to_ascii_lowercase().ends_with(end))
}

/// A field that readers know. Others are the app's own, and nobody looks at them.
struct Field {
    name: &'static str,
    of: Type,
    is_needed: bool,
}

/// What a field holds.
enum Type {
    Text,
    /// A text that is not empty.
    Words,
    Number,
    Flag,
    /// Where a file lies.
    Link,
    Texts,
    /// Objects with these fields.
    Objects(&'static [Field]),
}

const fn needed(name: &'static str, of: Type) -> Field {
    Field { name, of, is_needed: true }
}

const fn known(name: &'static str, of: Type) -> Field {
    Field { name, of, is_needed: false }
}

fn fields_of(kind: &str) -> &'static [Field] {
    use Type::{Flag, Link, Number, Objects, Text, Texts, Words};

    match kind {
        "TIMTextElem" => const { &[needed("text", Words)] },
        "TIMCustomElem" => {
            const { &[known("data", Text), known("description", Text), known("extension", Text)] }
        }
        "TIMFaceElem" => const { &[needed("index", Number), known("data", Text)] },
        "TIMLocationElem" => {
            const { &[known("description", Text), needed("longitude", Number), needed("latitude", Number)] }
        }
        "TIMImageElem" => {
            const {
                &[
                    known("uuid", Text),
                    known("imageFormat", Number),
                    needed(
                        "imageInfoArray",
                        Objects(
                            const {
                                &[
                                    known("url", Link),
                                    known("imageUrl", Link),
                                    known("size", Number),
                                    known("width", Number),
                                    known("height", Number),
                                    known("type", Number),
                                    known("sizeType", Number),
                                ]
                            },
                        ),
                    ),
                ]
            }
        }
        "TIMSoundElem" => {
            const {
                &[
                    known("uuid", Text),
                    known("url", Link),
                    known("remoteAudioUrl", Link),
                    known("size", Number),
                    known("second", Number),
                ]
            }
        }
        "TIMFileElem" => {
            const {
                &[
                    known("uuid", Text),
                    known("fileName", Text),
                    known("fileUrl", Link),
                    known("fileSize", Number),
                ]
            }
        }
        "TIMVideoFileElem" | "TIMVideoElem" => {
            const {
                &[
                    known("videoUUID", Text),
                    known("videoUrl", Link),
                    known("remoteVideoUrl", Link),
                    known("videoFormat", Text),
                    known("videoSecond", Number),
                    known("videoSize", Number),
                    known("thumbUUID", Text),
                    known("thumbUrl", Link),
                    known("thumbSize", Number),
                    known("thumbWidth", Number),
                    known("thumbHeight", Number),
                    known("snapshotUrl", Link),
                ]
            }
        }
        "TIMRelayElem" => {
            const {
                &[
                    known("downloadKey", Text),
                    known("title", Text),
                    known("abstractList", Texts),
                    known("compatibleText", Text),
                    known("messageList", Objects(&[])),
                    known("version", Number),
                    known("layersOverLimit", Flag),
                ]
            }
        }
        _ => &[],
    }
}

impl Type {
    /// What is wrong with a value, unless nothing is.
    fn refuses(&self, value: &Value, path: &str) -> Option<String> {
        let must_be = match (self, value) {
            (Self::Text, Value::String(_))
            | (Self::Number, Value::Number(_))
            | (Self::Flag, Value::Bool(_)) => {
                return None;
            }
            (Self::Words, Value::String(text)) if !text.is_empty() => return None,
            (Self::Link, Value::String(text)) if is_link(text) => return None,
            (Self::Texts, Value::Array(items)) if items.iter().all(Value::is_string) => return None,
            (Self::Objects(fields), Value::Array(items)) if items.iter().all(Value::is_object) => {
                let members = items.iter().filter_map(Value::as_object).enumerate();
                return members
                    .filter_map(|(index, members)| wrong(fields, members, &format!("{path}[{index}]")))
                    .next();
            }
            (Self::Text, _) => "a text",
            (Self::Words, _) => "a text that is not empty",
            (Self::Number, _) => "a number",
            (Self::Flag, _) => "true or false",
            (Self::Link, _) => "empty, or a URL that begins with https://, http:// or cloud://",
            (Self::Texts, _) => "a list of texts",
            (Self::Objects(_), _) => "a list of objects",
        };
        Some(format!("`{path}` must be {must_be}"))
    }

    fn empty(&self) -> Value {
        match self {
            Self::Text | Self::Words | Self::Link => Value::from(""),
            Self::Number => Value::from(0),
            Self::Flag => Value::from(false),
            Self::Texts | Self::Objects(_) => Value::Array(Vec::new()),
        }
    }
}

fn check(fields: &[Field], members: &Map<String, Value>, path: &str) -> Result<()> {
    wrong(fields, members, path).map_or(Ok(()), |what| Err(refused(what)))
}

fn wrong(fields: &[Field], members: &Map<String, Value>, path: &str) -> Option<String> {
    fields
        .iter()
        .filter_map(|field| {
            let value = match members.get(field.name) {
                None if !field.is_needed => return None,
                value => value.unwrap_or(&Value::Null),
            };
            field.of.refuses(value, &format!("{path}.{}", field.name))
        })
        .next()
}

/// The same JSON without space between its parts, each text in the one form that JSON's own writer
/// gives it. Numbers are left alone.
fn tidy(json: &str) -> Result<String> {
    let mut tidy = String::with_capacity(json.len());
    // The names in each of the objects and arrays that are open.
    let mut names: Vec<HashSet<String>> = Vec::new();
    let mut rest = json;
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let text;
            (text, rest) = split_text(rest)?;
            // Clients that keep texts as C strings would show half of it.
            if text.contains('\0') {
                return Err(refused("it contains a NUL character: remove it".to_owned()));
            }
            tidy.push_str(&Value::from(text.as_str()).to_string());
            // Of two fields of a name, one reader takes the first and another one the last.
            let is_name = rest.trim_ascii_start().starts_with(':');
            if let Some(names) = names.last_mut().filter(|_| is_name)
                && let Some(twice) = names.replace(text)
            {
                return Err(refused(format!("`payload` has `{twice:.40}` twice")));
            }
            continue;
        }
        match first {
            '{' | '[' => names.push(HashSet::new()),
            '}' | ']' => _ = names.pop(),
            _ => {}
        }
        if !first.is_ascii_whitespace() {
            tidy.push(first);
        }
        rest = rest.strip_prefix(first).unwrap_or_default();
    }
    Ok(tidy)
}

/// The text that begins here, and what is behind it.
fn split_text(json: &str) -> Result<(String, &str)> {
    let mut texts = serde_json::Deserializer::from_str(json).into_iter();
    match texts.next() {
        Some(Ok(text)) => Ok((text, json.get(texts.byte_offset()..).unwrap_or_default())),
        _ => Err(refused("`payload` has a text that cannot be read".to_owned())),
    }
}

/// Whether two texts of tidy JSON say the same, members of some names aside.
fn is_same(one: &str, other: &str, but: &impl Fn(&str) -> bool) -> bool {
    type Members<'a> = BTreeMap<String, &'a RawValue>;

    fn both<'a, T: serde::Deserialize<'a>>(one: &'a str, other: &'a str) -> Option<(T, T)> {
        serde_json::from_str(one).ok().zip(serde_json::from_str(other).ok())
    }

    if one == other {
        return true;
    }
    if let Some((mut one, mut other)) = both::<Members<'_>>(one, other) {
        one.retain(|name, _| !but(name));
        other.retain(|name, _| !but(name));
        one.len() == other.len()
            && one.iter().zip(&other).all(|((name, one), (other_name, other))| {
                name == other_name && is_same(one.get(), other.get(), but)
            })
    } else if let Some((one, other)) = both::<Vec<&RawValue>>(one, other) {
        one.len() == other.len()
            && one.iter().zip(&other).all(|(one, other)| is_same(one.get(), other.get(), but))
    } else {
        false
    }
}

fn refused(why: String) -> Error {
    Error::InvalidMessage(why)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn parse(kind: &str, json: &str) -> Result<Payload> {
        Payload::parse(kind, serde_json::from_str(json).unwrap())
    }

    fn custom(json: &str) -> Payload {
        parse("TIMCustomElem", json).unwrap()
    }

    /// A payload that has every field of a type.
    fn full(kind: &str) -> Map<String, Value> {
        fn value(of: &Type) -> Value {
            match of {
                Type::Text | Type::Words => json!(" "),
                Type::Number => json!(0.5),
                Type::Flag => json!(true),
                Type::Link => json!("https://example.com/1.png"),
                Type::Texts => json!(["", "x"]),
                Type::Objects(fields) => json!([{}, members(fields)]),
            }
        }
        fn members(fields: &[Field]) -> Map<String, Value> {
            fields.iter().map(|field| (field.name.to_owned(), value(&field.of))).collect()
        }
        members(fields_of(kind))
    }

    #[test]
    fn where_the_files_of_a_message_lie_is_in_its_urls_and_uuids() {
        let payload = r#"{"uuid":"m/1","imageInfoArray":[{"url":"u/1","imageUrl":"u/2","size":1},{"url":"u/1"},{"url":""}],
            "text":"u/3","own":{"thumbUUID":"m/2","list":[{"SnapshotURL":"u/4"}],"urls":["u/5"]}}"#;
        let payload = custom(payload);
        let texts = |kind: &str| payload.files(kind).into_iter().collect::<Vec<_>>();
        for kind in FILES {
            assert_eq!(texts(kind), ["m/1", "m/2", "u/1", "u/2", "u/4"], "{kind}");
        }
        for kind in KINDS.into_iter().filter(|kind| !FILES.contains(kind)) {
            assert!(texts(kind).is_empty(), "{kind}");
        }
    }

    #[test]
    fn every_field_of_every_type_is_checked_and_named() {
        let odd = [
            json!(null),
            json!(true),
            json!(7),
            json!(""),
            json!("x"),
            json!([]),
            json!([null]),
            json!([{}]),
            json!({}),
            json!({ "toString": 1 }),
            json!("javascript:alert(1)"),
            json!([{ "url": "javascript:alert(1)" }]),
            json!([["x"]]),
        ];
        let mut refused = 0;
        for kind in KINDS {
            let full = full(kind);
            assert!(parse(kind, &json!(full).to_string()).is_ok(), "{kind}");
            assert!(!full.is_empty());
            for name in full.keys() {
                for value in &odd {
                    let mut payload = full.clone();
                    payload.insert(name.clone(), value.clone());
                    if let Err(error) = parse(kind, &json!(payload).to_string()) {
                        assert!(error.to_string().contains(&format!("`payload.{name}")), "{kind} {error}");
                        assert_eq!(error.code(), 90002);
                        refused += 1;
                    } else {
                        assert_eq!(kind_of(value), kind_of(full.get(name).unwrap()), "{kind}.{name} {value}");
                    }
                }
            }
        }
        assert!(refused > 400, "{refused}");
    }

    #[test]
    fn a_value_of_the_right_kind_is_refused_when_it_holds_what_nobody_could_show() {
        for (kind, field, value, what) in [
            ("TIMTextElem", "text", json!(""), "a text that is not empty"),
            ("TIMSoundElem", "url", json!("javascript:alert(1)"), "a URL that begins with"),
            ("TIMRelayElem", "abstractList", json!(["x", 7]), "a list of texts"),
            ("TIMRelayElem", "messageList", json!([{}, "x"]), "a list of objects"),
        ] {
            let mut payload = full(kind);
            payload.insert(field.to_owned(), value);
            let error = parse(kind, &json!(payload).to_string()).unwrap_err().to_string();
            assert!(error.contains(&format!("`payload.{field}` must be")) && error.contains(what), "{error}");
        }
    }

    fn kind_of(value: &Value) -> std::mem::Discriminant<Value> {
        std::mem::discriminant(value)
    }

    #[test]
    fn what_nobody_could_show_is_refused_and_what_the_app_adds_is_kept() {
        for (kind, payload) in [
            ("TIMTextElem", json!({})),
            ("TIMFaceElem", json!({ "data": "x" })),
            ("TIMLocationElem", json!({ "longitude": 1 })),
            ("TIMImageElem", json!({ "uuid": "x" })),
        ] {
            assert!(parse(kind, &payload.to_string()).is_err(), "{kind}");
        }
        let more = r#"{"text":" ","data":{"deep":[null,{"url":"javascript:"}]},"index":"x"}"#;
        assert_eq!(parse("TIMTextElem", more).unwrap().as_str(), more);
        assert_eq!(custom("{}").as_str(), "{}");
    }

    #[test]
    fn every_number_is_kept_as_it_was_written() {
        for number in [
            "9007199254740993",
            "18446744073709551617",
            "-0",
            "1.10",
            "1E5",
            "1e-400",
            "0.1234567890123456789012345",
            "123456789012345678901234567890",
        ] {
            let json = format!(r#"{{"z":{number},"a":[{number}]}}"#);
            assert_eq!(custom(&json).as_str(), json);
        }
    }

    #[test]
    fn a_payload_is_as_small_as_it_can_be_written() {
        let spaced = "{ \"data\" : \"\\u4f60\\u597d \\/ \\ud83d\\ude00\" ,\n\t\"more\":[ 1 , 2 ]\r\n}";
        assert_eq!(custom(spaced).as_str(), r#"{"data":"你好 / 😀","more":[1,2]}"#);
    }

    #[test]
    fn two_payloads_are_equal_as_they_are_written_and_may_say_the_same_all_the_same() {
        let (one, other) = (custom(r#"{"data":"x","a":1}"#), custom(r#"{"a":1,"data":"x"}"#));
        assert!(one != other && one == one.clone());
        assert!(one.says_what(&other, "TIMCustomElem"));
    }

    #[test]
    fn what_readers_could_understand_in_two_ways_is_refused() {
        for (json, why) in [
            (r#"{"data":"a","data":"b"}"#, "`data` twice"),
            (r#"{"data":"a","dat\u0061":"b"}"#, "`data` twice"),
            (r#"{"x":[{"y":{"a":1,"b":2,"a":3}}]}"#, "`a` twice"),
            (r#"{"data":"a\u0000b"}"#, "NUL"),
            (r#"{"x":[{"a\u0000":1}]}"#, "NUL"),
            (r#"["data"]"#, "object"),
            (r#""data""#, "object"),
        ] {
            let error = parse("TIMCustomElem", json).unwrap_err();
            assert!(error.to_string().contains(why), "{json} {error}");
        }
        assert!(parse("TIMCustomElem", r#"{"x":[{"a":1},{"a":{"a":["a","a"]}}],"data":"\\u0000"}"#).is_ok());
    }

    #[test]
    fn the_same_content_is_known_in_another_order_and_with_its_file_elsewhere() {
        let same = |kind: &str, one: &str, other: &str| {
            parse(kind, one).unwrap().says_what(&parse(kind, other).unwrap(), kind)
        };
        assert!(same(
            "TIMCustomElem",
            r#"{"data":"x","a":{"b":1,"c":[2]}}"#,
            r#"{"a":{"c":[2],"b":1},"data":"\u0078"}"#
        ));
        for (one, other) in [
            (r#"{"data":"x"}"#, r#"{"data":"y"}"#),
            (r#"{"data":"x"}"#, r#"{"data":"x","a":1}"#),
            (r#"{"a":9007199254740993}"#, r#"{"a":9007199254740992}"#),
            (r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#),
            (r#"{"a":[1]}"#, r#"{"a":[1,1]}"#),
            (r#"{"a":{}}"#, r#"{"a":[]}"#),
            (r#"{"url":"x"}"#, r#"{"url":"y"}"#),
        ] {
            assert!(!same("TIMCustomElem", one, other), "{one} {other}");
        }
        let image = |url: &str, size: u32| {
            json!({ "uuid": url, "imageInfoArray": [{ "url": url, "imageUrl": url, "size": size }] })
                .to_string()
        };
        assert!(same("TIMImageElem", &image("", 5), &image("https://example.com/2.png", 5)));
        assert!(!same("TIMImageElem", &image("", 5), &image("", 6)));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
            "[\\x01-\\x1f\"\\\\/{}\\[\\]:, ]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[a-c\"{}:\\\\ ]{0,4}", inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_taken_says_what_was_sent_and_taking_it_again_changes_nothing(value in any_json()) {
            let sent = json!({ "x": value });
            let spaced = serde_json::to_string_pretty(&sent).unwrap();
            let taken = custom(&spaced);
            prop_assert_eq!(&serde_json::from_str::<Value>(taken.as_str()).unwrap(), &sent);
            prop_assert_eq!(taken.as_str(), sent.to_string());
            prop_assert!(custom(taken.as_str()) == taken && taken.says_what(&custom(&spaced), "TIMCustomElem"));
        }

        #[test]
        fn no_payload_of_any_type_panics(value in any_json(), field in 0..12_usize) {
            for kind in KINDS {
                let mut payload = full(kind);
                if let Some(slot) = payload.values_mut().nth(field) {
                    *slot = value.clone();
                }
                let _ = parse(kind, &json!(payload).to_string());
            }
        }
    }
}
