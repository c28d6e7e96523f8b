//! What a message says, as business servers write it: `MsgBody`, a list of elements, each with a `MsgType` and a `MsgContent`.
//! The same in both directions, so that what a business server has sent is what it reads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Error, Result, model::Elem, protocol::to_raw};

/// One element of a `MsgBody`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MsgElement {
    /// `TIMTextElem` and so on.
    msg_type: String,
    /// What it says, an object.
    msg_content: Box<RawValue>,
}

impl MsgElement {
    /// What the elements of a message say, with its custom data.
    ///
    /// # Errors
    /// [`Error::InvalidMessage`] unless it is one element, of a type that users can send, with the fields of that type; and
    /// [`Error::MessageTooLarge`].
    pub fn parse(body: &[Self], custom_data: Option<String>) -> Result<Elem> {
        let [element] = body else {
            return Err(Error::InvalidMessage(format!(
                "`MsgBody` must have one element and has {}: send each as a message of its own",
                body.len()
            )));
        };
        let fields = fields_of(&element.msg_type);
        let Ok(said) = serde_json::from_str::<Members>(element.msg_content.get()) else {
            return Err(Error::InvalidMessage("`MsgBody[0].MsgContent` must be an object".to_owned()));
        };
        let payload = to_raw(&taken(fields, said));
        Elem::parse(&element.msg_type, &payload, custom_data).map_err(|refused| match refused {
            Error::InvalidMessage(why) => Error::InvalidMessage(in_their_words(fields, &why)),
            refused => refused,
        })
    }

    /// The elements of a message.
    pub fn of(elem: &Elem) -> [Self; 1] {
        // The name of 2.0.9 for the same thing.
        let msg_type = if elem.kind() == "TIMVideoElem" { "TIMVideoFileElem" } else { elem.kind() };
        let said = serde_json::from_str(elem.payload().as_str()).unwrap_or_default();
        [Self { msg_type: msg_type.to_owned(), msg_content: to_raw(&given(fields_of(msg_type), said)) }]
    }
}

/// An object whose values are left as they were written: no number in it changes.
type Members = BTreeMap<String, Box<RawValue>>;

/// A field of `MsgContent`, what it is called in a payload, and how it is written there.
struct Field {
    theirs: &'static str,
    ours: &'static str,
    /// Others of ours that say the same, which readers of some version look at.
    twins: &'static [&'static str],
    how: How,
}

enum How {
    Text,
    /// Some programs write numbers as texts.
    Number,
    /// `Type` of a picture: 1 is the original, 2 the large one, 3 the small one.
    Picture,
    /// The pictures.
    Pictures,
}

const fn text(theirs: &'static str, ours: &'static str) -> Field {
    Field { theirs, ours, twins: &[], how: How::Text }
}

const fn number(theirs: &'static str, ours: &'static str) -> Field {
    Field { theirs, ours, twins: &[], how: How::Number }
}

const fn and(field: Field, twins: &'static [&'static str]) -> Field {
    Field { twins, ..field }
}

/// What is not listed is the app's own, and has the same name on both sides.
fn fields_of(kind: &str) -> &'static [Field] {
    match kind {
        "TIMTextElem" => const { &[text("Text", "text")] },
        "TIMCustomElem" => {
            const { &[text("Data", "data"), text("Desc", "description"), text("Ext", "extension")] }
        }
        "TIMFaceElem" => const { &[number("Index", "index"), text("Data", "data")] },
        "TIMLocationElem" => {
            const {
                &[
                    text("Desc", "description"),
                    number("Latitude", "latitude"),
                    number("Longitude", "longitude"),
                ]
            }
        }
        "TIMSoundElem" => {
            const {
                &[
                    text("UUID", "uuid"),
                    and(text("Url", "url"), &["remoteAudioUrl"]),
                    number("Size", "size"),
                    number("Second", "second"),
                    number("Download_Flag", "downloadFlag"),
                ]
            }
        }
        "TIMImageElem" => {
            const {
                &[
                    text("UUID", "uuid"),
                    number("ImageFormat", "imageFormat"),
                    Field {
                        theirs: "ImageInfoArray",
                        ours: "imageInfoArray",
                        twins: &[],
                        how: How::Pictures,
                    },
                ]
            }
        }
        "TIMFileElem" => {
            const {
                &[
                    text("UUID", "uuid"),
                    text("Url", "fileUrl"),
                    number("FileSize", "fileSize"),
                    text("FileName", "fileName"),
                    number("Download_Flag", "downloadFlag"),
                ]
            }
        }
        "TIMVideoFileElem" | "TIMVideoElem" => {
            const {
                &[
                    text("VideoUUID", "videoUUID"),
                    and(text("VideoUrl", "videoUrl"), &["remoteVideoUrl"]),
                    number("VideoSize", "videoSize"),
                    number("VideoSecond", "videoSecond"),
                    text("VideoFormat", "videoFormat"),
                    number("VideoDownloadFlag", "videoDownloadFlag"),
                    text("ThumbUUID", "thumbUUID"),
                    and(text("ThumbUrl", "thumbUrl"), &["snapshotUrl"]),
                    number("ThumbSize", "thumbSize"),
                    and(number("ThumbWidth", "thumbWidth"), &["snapshotWidth"]),
                    and(number("ThumbHeight", "thumbHeight"), &["snapshotHeight"]),
                    text("ThumbFormat", "thumbFormat"),
                    number("ThumbDownloadFlag", "thumbDownloadFlag"),
                ]
            }
        }
        "TIMRelayElem" => {
            const {
                &[
                    text("Title", "title"),
                    text("AbstractList", "abstractList"),
                    text("CompatibleText", "compatibleText"),
                ]
            }
        }
        _ => &[],
    }
}

const PICTURE: &[Field] = &[
    Field { theirs: "Type", ours: "type", twins: &["sizeType"], how: How::Picture },
    number("Size", "size"),
    number("Width", "width"),
    number("Height", "height"),
    and(text("URL", "url"), &["imageUrl"]),
];

/// What of the same picture is called how: `Type` there, and `type` here, which is also its place in the list. `sizeType` is `Type`.
const PICTURES: [(&str, &str); 3] = [("1", "0"), ("3", "1"), ("2", "2")];

/// A payload of what they say. Libraries write `null` in the place of what their caller has not said.
fn taken(fields: &[Field], mut said: Members) -> Members {
    let mut payload = Members::new();
    for Field { theirs, ours, twins, how } in fields {
        let Some(value) = said.remove(*theirs).filter(|value| value.get() != "null") else { continue };
        let (value, of_twins) = match how {
            How::Text => (value.clone(), value),
            How::Number => {
                let value = unquoted(value);
                (value.clone(), value)
            }
            How::Picture => {
                let kind = unquoted(value);
                let ours = PICTURES.iter().find(|(theirs, _)| kind.get() == *theirs);
                (ours.map_or(kind.clone(), |(_, ours)| raw_number(ours)), kind)
            }
            How::Pictures => {
                let value = pictures(&value, taken, "type").unwrap_or(value);
                (value.clone(), value)
            }
        };
        for twin in *twins {
            payload.insert((*twin).to_owned(), of_twins.clone());
        }
        payload.insert((*ours).to_owned(), value);
    }
    for (name, value) in said {
        payload.entry(name).or_insert(value);
    }
    payload
}

/// What they read of a payload.
fn given(fields: &[Field], mut payload: Members) -> Members {
    let mut said = Members::new();
    for Field { theirs, ours, twins, how } in fields {
        let own = payload.remove(*ours);
        let twin = twins.iter().filter_map(|twin| payload.remove(*twin)).next_back();
        let value = match how {
            How::Picture => twin.or_else(|| {
                let kind = own?;
                let theirs = PICTURES.iter().find(|(_, ours)| kind.get() == *ours);
                Some(theirs.map_or(kind, |(theirs, _)| raw_number(theirs)))
            }),
            How::Pictures => own.map(|value| pictures(&value, given, "Type").unwrap_or(value)),
            // A client may have filled in one of the two only.
            How::Text | How::Number => match (own, twin) {
                (Some(own), Some(twin)) if own.get() == EMPTY => Some(twin),
                (own, twin) => own.or(twin),
            },
        };
        said.extend(value.map(|value| ((*theirs).to_owned(), value)));
    }
    for (name, value) in payload {
        said.entry(name).or_insert(value);
    }
    said
}

/// A text without characters.
const EMPTY: &str = r#""""#;

/// The pictures, each put into other words, in the order of that field: readers on either side go by their place. Nothing if that is no list of objects.
fn pictures(list: &RawValue, put: fn(&[Field], Members) -> Members, order: &str) -> Option<Box<RawValue>> {
    let list: Vec<Members> = serde_json::from_str(list.get()).ok()?;
    let mut list: Vec<Members> = list.into_iter().map(|picture| put(PICTURE, picture)).collect();
    let place = |picture: &Members| picture.get(order).and_then(|kind| kind.get().parse::<u64>().ok());
    list.sort_by_key(|picture| place(picture).unwrap_or(u64::MAX));
    Some(to_raw(&list))
}

/// The number that a text is, if it is one.
fn unquoted(value: Box<RawValue>) -> Box<RawValue> {
    let number = serde_json::from_str::<String>(value.get()).ok().and_then(|text| {
        let number = text.trim();
        serde_json::from_str::<serde_json::Number>(number).ok()?;
        RawValue::from_string(number.to_owned()).ok()
    });
    number.unwrap_or(value)
}

fn raw_number(digits: &str) -> Box<RawValue> {
    RawValue::from_string(digits.to_owned()).unwrap_or_default()
}

/// What is wrong with a payload, of which its sender knows other names.
fn in_their_words(fields: &[Field], why: &str) -> String {
    let renamed = |text: String, fields: &[Field], before: &str| {
        let rename = |text: String, field: &Field| {
            text.replace(&format!("{before}.{}", field.ours), &format!("{before}.{}", field.theirs))
        };
        fields.iter().fold(text, rename)
    };
    renamed(renamed(why.to_owned(), fields, "payload"), PICTURE, "]")
        .replace("payload", "MsgBody[0].MsgContent")
        .replace("`type`", "`MsgBody[0].MsgType`")
        .replace("cloudCustomData", "CloudCustomData")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    const KINDS: [&str; 9] = [
        "TIMTextElem",
        "TIMCustomElem",
        "TIMFaceElem",
        "TIMLocationElem",
        "TIMSoundElem",
        "TIMImageElem",
        "TIMFileElem",
        "TIMVideoFileElem",
        "TIMRelayElem",
    ];

    fn parse(kind: &str, content: &Value) -> Result<Elem> {
        let body = json!([{ "MsgType": kind, "MsgContent": content }]).to_string();
        MsgElement::parse(&serde_json::from_str::<Vec<MsgElement>>(&body).unwrap(), None)
    }

    fn payload(elem: &Elem) -> Value {
        serde_json::from_str(elem.payload().as_str()).unwrap()
    }

    fn body(elem: &Elem) -> Value {
        serde_json::from_str(&serde_json::to_string(&MsgElement::of(elem)).unwrap()).unwrap()
    }

    /// What each type is on both sides, as Tencent's documents and Tencent's clients have it.
    #[test]
    fn each_type_has_its_fields_on_both_sides() {
        let url = "https://example.com/1";
        for (kind, content, expected) in [
            ("TIMTextElem", json!({ "Text": "你好" }), json!({ "text": "你好" })),
            (
                "TIMCustomElem",
                json!({ "Data": "a", "Desc": "b", "Ext": "c", "Sound": "dingdong.aiff" }),
                json!({ "data": "a", "description": "b", "extension": "c", "Sound": "dingdong.aiff" }),
            ),
            ("TIMFaceElem", json!({ "Index": 6, "Data": "tt" }), json!({ "index": 6, "data": "tt" })),
            (
                "TIMLocationElem",
                json!({ "Desc": "here", "Latitude": 29.340656774469956, "Longitude": 116.77497920478824 }),
                json!({ "description": "here", "latitude": 29.340656774469956, "longitude": 116.77497920478824 }),
            ),
            (
                "TIMSoundElem",
                json!({ "Url": url, "UUID": "u", "Size": 62351, "Second": 1, "Download_Flag": 2 }),
                json!({ "url": url, "remoteAudioUrl": url, "uuid": "u", "size": 62351, "second": 1, "downloadFlag": 2 }),
            ),
            (
                "TIMImageElem",
                json!({ "UUID": "u", "ImageFormat": 1, "ImageInfoArray": [
                    { "Type": 1, "Size": 9, "Width": 8, "Height": 7, "URL": url },
                    { "Type": 2, "Size": 6, "Width": 5, "Height": 4, "URL": "" },
                    { "Type": 3, "Size": 3, "Width": 2, "Height": 1, "URL": "" },
                ] }),
                json!({ "uuid": "u", "imageFormat": 1, "imageInfoArray": [
                    { "type": 0, "sizeType": 1, "size": 9, "width": 8, "height": 7, "url": url, "imageUrl": url },
                    { "type": 1, "sizeType": 3, "size": 3, "width": 2, "height": 1, "url": "", "imageUrl": "" },
                    { "type": 2, "sizeType": 2, "size": 6, "width": 5, "height": 4, "url": "", "imageUrl": "" },
                ] }),
            ),
            (
                "TIMFileElem",
                json!({ "Url": url, "UUID": "u", "FileSize": 1773552, "FileName": "a.pdf", "Download_Flag": 2 }),
                json!({ "fileUrl": url, "uuid": "u", "fileSize": 1773552, "fileName": "a.pdf", "downloadFlag": 2 }),
            ),
            (
                "TIMVideoFileElem",
                json!({
                    "VideoUrl": url, "VideoUUID": "u", "VideoSize": 1194603, "VideoSecond": 5, "VideoFormat": "mp4",
                    "VideoDownloadFlag": 2, "ThumbUrl": url, "ThumbUUID": "t", "ThumbSize": 13907, "ThumbWidth": 720,
                    "ThumbHeight": 1280, "ThumbFormat": "JPG", "ThumbDownloadFlag": 2,
                }),
                json!({
                    "videoUrl": url, "remoteVideoUrl": url, "videoUUID": "u", "videoSize": 1194603, "videoSecond": 5,
                    "videoFormat": "mp4", "videoDownloadFlag": 2, "thumbUrl": url, "snapshotUrl": url, "thumbUUID": "t",
                    "thumbSize": 13907, "thumbWidth": 720, "snapshotWidth": 720, "thumbHeight": 1280,
                    "snapshotHeight": 1280, "thumbFormat": "JPG", "thumbDownloadFlag": 2,
                }),
            ),
            (
                "TIMRelayElem",
                json!({ "Title": "t", "AbstractList": ["a"], "CompatibleText": "c", "MsgNum": 2 }),
                json!({ "title": "t", "abstractList": ["a"], "compatibleText": "c", "MsgNum": 2 }),
            ),
        ] {
            let elem = parse(kind, &content).unwrap();
            assert_eq!(payload(&elem), expected, "{kind}");
            assert_eq!(body(&elem), json!([{ "MsgType": kind, "MsgContent": content }]));
        }
    }

    /// Any content that has fields of a type, and others, with values that fit them.
    fn content() -> impl Strategy<Value = (&'static str, Value)> {
        fn value(how: &How) -> BoxedStrategy<Value> {
            match how {
                How::Text => prop_oneof![Just("https://例.com/a b".replace(' ', "")), Just(String::new())]
                    .prop_map(Value::from)
                    .boxed(),
                How::Number => {
                    prop_oneof![any::<u64>().prop_map(Value::from), (-180.0..180.0).prop_map(Value::from),]
                        .boxed()
                }
                How::Picture => Just(json!(1)).boxed(),
                How::Pictures => prop::collection::vec(members(PICTURE), 0..4)
                    .prop_map(|list| {
                        let numbered = list.into_iter().zip(1..).map(|(mut picture, number)| {
                            picture["Type"] = json!(number);
                            picture
                        });
                        Value::Array(numbered.collect())
                    })
                    .boxed(),
            }
        }
        fn members(fields: &'static [Field]) -> BoxedStrategy<Value> {
            let of = fields.iter().map(|field| {
                prop::option::of(value(&field.how)).prop_map(|value| (field.theirs.to_owned(), value))
            });
            let own = ("[a-z]{3}X[a-z]{2}", "\\PC{0,4}").prop_map(|(name, text)| (name, json!(text)));
            (of.collect::<Vec<_>>(), prop::collection::vec(own, 0..3))
                .prop_map(|(of, own)| {
                    let of = of.into_iter().filter_map(|(name, value)| Some((name, value?)));
                    Value::Object(of.chain(own).collect::<Map<_, _>>())
                })
                .boxed()
        }
        prop::sample::select(KINDS.to_vec())
            .prop_flat_map(|kind| members(fields_of(kind)).prop_map(move |content| (kind, content)))
    }

    proptest! {
        #[test]
        fn what_a_business_server_has_sent_is_what_it_reads((kind, content) in content()) {
            // Some of it lacks a field that is needed.
            let Ok(elem) = parse(kind, &content) else { return Ok(()) };
            prop_assert_eq!(body(&elem), json!([{ "MsgType": kind, "MsgContent": content }]));
            // And what a client has sent comes back as that, if a business server hands it on.
            let [element] = MsgElement::of(&elem);
            let again = MsgElement::parse(&[element], None).unwrap();
            prop_assert!(again.says_what(&elem) && again == elem);
        }
    }

    #[test]
    fn a_client_may_have_said_half_of_it() {
        let of = |kind: &str, payload: Value| {
            let payload = RawValue::from_string(payload.to_string()).unwrap();
            let [element] = MsgElement::of(&Elem::parse(kind, &payload, None).unwrap());
            (element.msg_type.clone(), serde_json::from_str::<Value>(element.msg_content.get()).unwrap())
        };
        let url = "https://example.com/1";
        assert_eq!(
            of("TIMSoundElem", json!({ "url": "", "remoteAudioUrl": url })),
            ("TIMSoundElem".to_owned(), json!({ "Url": url }))
        );
        assert_eq!(of("TIMSoundElem", json!({ "url": "" })).1, json!({ "Url": "" }));
        assert_eq!(
            of("TIMVideoElem", json!({ "videoUrl": url, "text": 5 })),
            ("TIMVideoFileElem".to_owned(), json!({ "VideoUrl": url, "text": 5 }))
        );
        let pictures =
            |list: Value| of("TIMImageElem", json!({ "imageInfoArray": list })).1["ImageInfoArray"].clone();
        assert_eq!(
            pictures(json!([{ "type": 0 }, { "type": 1 }, { "sizeType": 2 }, {}, { "type": 7 }])),
            json!([{ "Type": 1 }, { "Type": 2 }, { "Type": 3 }, { "Type": 7 }, {}])
        );
    }

    #[test]
    fn a_number_may_be_a_text_and_none_changes() {
        let elem = parse("TIMFaceElem", &json!({ "Index": " 6 ", "Data": "6" })).unwrap();
        assert_eq!(elem.payload().as_str(), r#"{"data":"6","index":6}"#);
        let body = r#"[{"MsgType":"TIMLocationElem","MsgContent":{"Latitude":29.3406567744699560001,"Longitude":"1e2"}}]"#;
        let body: Vec<MsgElement> = serde_json::from_str(body).unwrap();
        let elem = MsgElement::parse(&body, None).unwrap();
        assert_eq!(elem.payload().as_str(), r#"{"latitude":29.3406567744699560001,"longitude":1e2}"#);
    }

    #[test]
    fn what_is_null_is_as_good_as_not_there() {
        let elem =
            parse("TIMCustomElem", &json!({ "Data": "x", "Desc": null, "Ext": null, "own": null })).unwrap();
        assert_eq!(payload(&elem), json!({ "data": "x", "own": null }));
        let picture = json!({ "Type": 1, "URL": null, "Size": null, "Width": null });
        let elem = parse("TIMImageElem", &json!({ "UUID": null, "ImageInfoArray": [picture] })).unwrap();
        assert_eq!(payload(&elem), json!({ "imageInfoArray": [{ "type": 0, "sizeType": 1 }] }));
        assert!(parse("TIMTextElem", &json!({ "Text": null })).is_err(), "what is needed is missing then");
    }

    #[test]
    fn what_is_no_message_is_refused_in_the_words_of_its_sender() {
        let why = |kind: &str, content: Value| match parse(kind, &content) {
            Err(Error::InvalidMessage(why)) => why,
            other => panic!("{other:?}"),
        };
        assert!(why("TIMTextElem", json!({})).contains("`MsgBody[0].MsgContent.Text`"));
        assert!(why("TIMFaceElem", json!({ "Index": "six" })).contains("`MsgBody[0].MsgContent.Index`"));
        assert!(
            why("TIMImageElem", json!({ "ImageInfoArray": [{}, { "URL": "x" }] }))
                .contains("`MsgBody[0].MsgContent.ImageInfoArray[1].URL`")
        );
        assert!(why("TIMNoElem", json!({})).contains("`MsgBody[0].MsgType`"));
        assert!(why("TIMTextElem", json!([])).contains("must be an object"));
        let two = vec![MsgElement::of(&parse("TIMTextElem", &json!({ "Text": "x" })).unwrap()); 2].concat();
        for (body, elements) in [(&two[..], 2), (&[], 0)] {
            let Err(Error::InvalidMessage(why)) = MsgElement::parse(body, None) else { panic!("{elements}") };
            assert!(why.contains(&format!("has {elements}")), "{why}");
        }
        let one = &two[..1];
        assert!(
            MsgElement::parse(one, Some("\0".to_owned()))
                .unwrap_err()
                .to_string()
                .contains("`CloudCustomData`")
        );
        let large = "x".repeat(crate::model::MAX_MESSAGE_BYTES);
        assert!(matches!(MsgElement::parse(one, Some(large)), Err(Error::MessageTooLarge { .. })));
    }
}
