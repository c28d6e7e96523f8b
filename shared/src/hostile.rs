//! What comes from outside, bent and broken: real signatures, frames and cursors, changed byte by byte and value by
//! value. It shrinks to the fewest changes. `make fuzz` tries many more than the tests do.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, clippy::panic)]

use std::{io::Write, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Map, Value, json};

use crate::{
    Error,
    media::{Fields, Folder, Kind, MediaKey, Owner, Signer, Upload, check, sign},
    model::{ConversationId, Elem, GroupId, Pair, UserId},
    protocol::*,
    sig::{Expectation, Key, Keys, verify},
};

/// In the environment: how many inputs each target gets.
const COUNT: &str = "HONGYAN_FUZZ";

/// How long the worst input may take.
const LONGEST: Duration = Duration::from_millis(500);

/// One change: what, where and with what.
type Change = (u8, u32, u32);

/// What numbers, texts and shapes are likely to be forgotten.
const ODD: [&str; 25] = [
    r#""a\nb\u0001c\\d\"e\/\u4f60""#,
    "null",
    "true",
    "0",
    "-1",
    "-0",
    "1.5",
    "1e999",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775808",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud83d\"",
    "\"\\ud83d\\ude00\"",
    "[]",
    "{}",
    "[[[[[[[[]]]]]]]]",
    "{\"\":{}}",
    "\"C2C\"",
    "\"C2Calice\"",
    "\"5.5\"",
    "\"+7\"",
    "\"\u{202e}\"",
    "\"·\"",
];

/// Where one of them is to stand.
const MARK: &str = "<odd>";

/// What a frame or a document is made of.
const PIECES: [&[u8]; 14] =
    [b"\"", b"\\", b"{", b"}", b"[", b"]", b":", b",", b"\\u0000", b"\\ud83d", b"\xff", b"\0", b" ", b"\n"];

/// Tries a target with real inputs, each changed up to eight times.
fn fuzz(
    inputs: &[Vec<u8>],
    usual: u32,
    bend: impl Fn(&[Vec<u8>], usize, &[Change]) -> Vec<u8>,
    target: impl Fn(usize, &[u8]),
) {
    let cases = std::env::var(COUNT).ok().and_then(|count| count.parse().ok()).unwrap_or(usual);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let inputs_and_changes = (0..inputs.len(), vec(any::<Change>(), 0..8));
    let mut runner = TestRunner::new(config);
    let verdict = runner.run(&inputs_and_changes, |(index, changes)| {
        let bent = bend(inputs, index, &changes);
        let before = on_cpu();
        target(index, &bent);
        let took = on_cpu().saturating_sub(before);
        assert!(took < LONGEST, "it took {took:?}: {}", bent.escape_ascii());
        Ok(())
    });
    if let Err(found) = verdict {
        panic!("{found}\n{runner}");
    }
}

/// For how long this thread has computed, which does not depend on what else the machine does. Linux knows it.
fn on_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

fn at(place: u32, length: usize) -> usize {
    place as usize % length.max(1)
}

/// Changes bytes, whatever they mean.
fn bytes(inputs: &[Vec<u8>], index: usize, changes: &[Change]) -> Vec<u8> {
    let mut bent = inputs[index].clone();
    for (what, place, value) in changes {
        change_bytes(inputs, &mut bent, (*what, *place, *value));
    }
    bent
}

fn change_bytes(inputs: &[Vec<u8>], bent: &mut Vec<u8>, (what, place, value): Change) {
    let start = at(place, bent.len() + 1);
    let end = bent.len().min(start + at(value, 16));
    match what % 7 {
        0 if start < bent.len() => bent[start] ^= 1 << (value % 8),
        1 if start < bent.len() => bent[start] = value.to_le_bytes()[0],
        2 => bent.truncate(start),
        3 => drop(bent.drain(start..end)),
        4 => drop(bent.splice(start..start, PIECES[at(value, PIECES.len())].iter().copied())),
        5 => {
            let again = bent[start..end].repeat(1 + at(place, 40));
            bent.splice(start..start, again);
        }
        _ => {
            let other = &inputs[at(value, inputs.len())];
            bent.truncate(start);
            bent.extend_from_slice(&other[at(place, other.len())..]);
        }
    }
}

/// Changes members and values of an object, and now and then bytes.
fn json_or_bytes(inputs: &[Vec<u8>], index: usize, changes: &[Change]) -> Vec<u8> {
    let mut bent = inputs[index].clone();
    for change in changes {
        let (what, place, value) = *change;
        match serde_json::from_slice::<Value>(&bent) {
            Ok(mut json) if what < 192 => {
                let mut left = at(place, size_of_json(&json));
                change_value(inputs, &mut json, &mut left, change);
                bent = json.to_string().into_bytes();
                // Texts of JSON that no value holds: a number that is too large, half of a character.
                if what >= 160 {
                    let odd = ODD[at(value, ODD.len())];
                    bent = String::from_utf8(bent).unwrap().replace(&format!("\"{MARK}\""), odd).into_bytes();
                }
            }
            _ => change_bytes(inputs, &mut bent, (what, place, value)),
        }
    }
    bent
}

fn size_of_json(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size_of_json).sum(),
        Value::Object(members) => members.values().map(size_of_json).sum(),
        _ => 0,
    }
}

fn change_value(inputs: &[Vec<u8>], value: &mut Value, left: &mut usize, change: &Change) {
    if *left == 0 {
        let (what, _, with) = *change;
        *left = usize::MAX;
        *value = match (what, &value) {
            (160.., _) => json!(MARK),
            (120.., Value::String(text)) => json!(text.repeat(at(with, 9000) / text.len().max(1))),
            (100.., _) => Value::Array(vec![value.clone(); at(with, 40)]),
            (80.., _) => (0..at(with, 130)).fold(value.clone(), |inner, _| json!([inner])),
            (60.., Value::Object(members)) => members
                .iter()
                .filter(|(name, _)| name.len() % 3 != at(with, 3))
                .map(|(n, v)| (n.clone(), v.clone()))
                .collect(),
            (40.., Value::Number(_)) => json!(with),
            // Members of another input, beside these or in their place.
            (20.., Value::Object(members)) => {
                let other: Value =
                    serde_json::from_slice(&inputs[at(with, inputs.len())]).unwrap_or_default();
                let others = other.get("data").unwrap_or(&other).as_object().cloned().unwrap_or_default();
                let (first, last) =
                    if with % 2 == 0 { (members.clone(), others) } else { (others, members.clone()) };
                first.into_iter().chain(last).collect()
            }
            (10.., _) => json!(format!("{}{}", "x".repeat(at(with, 4)), "你😀\n".repeat(at(with, 60)))),
            _ => serde_json::from_str(ODD[at(with, ODD.len())]).unwrap_or(Value::Null),
        };
        return;
    }
    *left -= 1;
    let inner: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(members) => members.values_mut().collect(),
        _ => Vec::new(),
    };
    for value in inner {
        if *left == usize::MAX {
            return;
        }
        change_value(inputs, value, left, change);
    }
}

/// What those do not show: every option at once.
const FULL: [&str; 5] = [
    r#"{"action":"getUploadForm","requestID":"8","data":{"kind":"file","type":"PDF","size":123456,"name":"报价 1.pdf","previews":[]}}"#,
    r#"{"action":"getMessageList","requestID":"8","data":{"conversationID":"C2Cbob","fromSequence":2,"toSequence":9,"count":5}}"#,
    r#"{"action":"getMessageList","requestID":"8","data":{"conversationID":"C2Cbob","nextReqMessageID":"120.57","count":5}}"#,
    r#"{"action":"sendMessage","requestID":"8","data":{"to":"bob","conversationType":"C2C","clientID":"a-1","base":7,"type":"TIMImageElem","payload":{"uuid":"1","imageFormat":1,"imageInfoArray":[{"url":"https://example.com/1.png","size":1,"width":2,"height":3}]},"cloudCustomData":"{}","priority":"High","needReadReceipt":true,"isSupportExtension":true,"messageControlInfo":{"excludedFromUnreadCount":true,"excludedFromLastMessage":true},"onlineUserOnly":false}}"#,
    r#"{"action":"updateMyProfile","requestID":"8","data":{"nick":"爱丽丝","avatar":"https://example.com/a.png","gender":"Gender_Type_Female","selfSignature":"a\nb","allowType":"AllowType_Type_AllowAny","birthday":19900101,"location":"深圳","language":1,"messageSettings":0,"profileCustomField":[{"key":"Tag_Profile_Custom_Test","value":"1"}]}}"#,
];

/// Every frame that `docs/protocol.md` shows, a body of `events/`, and some that have everything.
fn frames() -> Vec<Vec<u8>> {
    let page = include_str!("../../docs/protocol.md");
    let shown = page.split("```json ").skip(1).filter_map(|block| {
        let (title, rest) = block.split_once('\n')?;
        title.ends_with("sends").then(|| rest.split("```").next().unwrap().trim().as_bytes().to_vec())
    });
    let send = include_str!("../../events/send-message.json");
    let event: Value = serde_json::from_str(send).unwrap();
    let frames: Vec<Vec<u8>> = shown
        .chain([event["body"].as_str().unwrap().as_bytes().to_vec()])
        .chain(FULL.map(|frame| frame.as_bytes().to_vec()))
        .collect();
    assert!(frames.len() > 20, "{}", frames.len());
    frames
}

/// What is refused says by a code what it is, and by a short text what to do.
fn refused(error: &Error) {
    assert!(error.code() != 0 && !error.is_ours(), "{error:?}");
    let text = error.to_string();
    assert!((10..400).contains(&text.chars().count()), "{text}");
}

fn me() -> UserId {
    UserId::parse("me", "alice").unwrap()
}

/// A conversation of two is always the user's own. Of a group, nothing but its name is known yet.
fn mine(conversation: &ConversationId) {
    match conversation {
        ConversationId::C2c(pair) => {
            assert_eq!(pair.me(), &me());
            assert_eq!(Pair::of(&me(), pair.peer()).unwrap(), *pair);
        }
        ConversationId::Group(group) => assert_eq!(GroupId::parse(group.as_str()).unwrap(), *group),
    }
}

/// Reads a frame as the request that it says it is, and as every other one.
fn every_request(request: &Request) {
    fn read<'a, T: serde::Deserialize<'a>, R>(
        request: &'a Request,
        parse: impl FnOnce(T) -> crate::Result<R>,
    ) -> Option<R> {
        request.data::<T>().and_then(parse).inspect_err(refused).ok()
    }

    let me = me();
    if let Some((pair, draft, _)) = read(request, |data: SendMessage| data.parse(&me)) {
        mine(&pair);
        let payload = serde_json::from_str(draft.elem.payload().as_str()).unwrap();
        let again =
            Elem::parse(draft.elem.kind(), payload, Some(draft.elem.custom_data().to_owned())).unwrap();
        let again = again.mentioning(draft.elem.mentions().clone());
        assert!(again == draft.elem && again.says_what(&draft.elem));
        assert!(draft.elem.clone().recall().says_what(&draft.elem));
        let sent = request.data::<Value>().unwrap()["payload"].clone();
        assert_eq!(serde_json::from_str::<Value>(draft.elem.payload().as_str()).unwrap(), sent);
    }
    match read(request, |data: GetMessageList| data.parse(&me)) {
        Some(HistoryRequest::Of(pair, query, count)) => {
            mine(&pair);
            assert!((1..=RANGE_SIZE).contains(&count));
            if let HistoryQuery::Before(page_cursor) = query {
                assert_eq!(PageCursor::new(page_cursor.before, page_cursor.cleared), Some(page_cursor));
            }
        }
        Some(HistoryRequest::Ranges(ranges)) => {
            assert!((1..=100).contains(&ranges.len()));
            for (pair, from, to) in &ranges {
                mine(pair);
                assert!(from <= to);
            }
        }
        None => {}
    }
    match read(request, |data: GetConversationList| data.parse(&me)) {
        Some(ListRequest::Page(_, count)) => assert!((1..=MAX_CONVERSATIONS).contains(&count)),
        Some(ListRequest::Named(peers, groups)) => {
            assert!(peers.len() + groups.len() <= MAX_NAMED && !peers.contains(&me));
        }
        None => {}
    }
    if let Some(Some(page)) = read(request, |data: Login| data.parse(&me)) {
        assert!((1..=MAX_CONVERSATIONS).contains(&page.count) && page.named.len() <= MAX_NAMED);
        assert!(!page.named.contains(&me));
    }
    let pairs = [
        read(request, |data: SetMessageRead| data.parse(&me)).map(|(pair, _)| pair),
        read(request, |data: DeleteConversation| data.parse(&me)).map(|(conversation, ..)| conversation),
        read(request, |data: PinConversation| data.parse(&me)).map(|(pair, _)| pair),
        read(request, |data: RevokeMessage| data.parse(&me)).map(|(pair, _)| pair),
        read(request, |data: DeleteMessage| data.parse(&me)).map(|(pair, _)| ConversationId::C2c(pair)),
    ];
    pairs.iter().flatten().for_each(mine);
    if let Some(users) = read(request, |data: UserIdList| data.parse(MAX_USERS)) {
        assert!((1..=MAX_USERS).contains(&users.len()));
    }
    if let Some(upload) = read(request, GetUploadForm::parse) {
        let folder = Folder::new(&Owner::of(1_400_000_000, &me), |below| below - 1);
        let objects =
            std::iter::once(upload.original("media", &folder)).chain(upload.previews("media", &folder));
        for object in objects {
            assert_eq!(MediaKey::parse(object.key.as_str()).as_ref(), Some(&object.key));
            assert!((1..=104_857_600).contains(&object.max_bytes));
            let is_page =
                ["html", "xml", "svg", "text"].iter().any(|page| object.content_type.contains(page));
            assert!(!is_page, "{}", object.content_type);
            let disposition = object.content_disposition.unwrap_or_default();
            assert!(
                disposition.len() < 1_000 && disposition.bytes().all(|byte| (0x20..0x7f).contains(&byte))
            );
        }
        assert!(upload.counted_bytes() <= 104_857_600 + 2 * 2_097_152);
    }
    if let Some(profile) = read(request, ProfileFields::parse) {
        let shown = serde_json::to_value(ProfileFields::from(profile.clone())).unwrap();
        assert_eq!(serde_json::from_value::<ProfileFields>(shown).unwrap().parse(), Ok(profile));
    }
    read(request, Ok::<NoData, Error>);
}

#[test]
fn a_frame_that_was_bent_is_read_or_refused_with_a_code_and_a_text() {
    fuzz(&frames(), 5_000, json_or_bytes, |_, frame| {
        let request = Request::parse(frame);
        every_request(&request);
        let reply = request.envelope.reply(request.data::<Value>().map(|data| to_raw(&data)));
        let reply: Value = serde_json::from_str(&reply).unwrap();
        let name = request.envelope.request_id.clone().unwrap_or_default();
        assert_eq!(reply["requestID"], Value::from(name));
    });
}

#[test]
fn only_a_cursor_that_was_handed_out_is_taken() {
    let cursors =
        ["120", "120.57", "2.1", "18446744073709551615.18446744073709551614", "1795400001000.bob", "1.a.b"];
    let cursors = cursors.map(|cursor| cursor.as_bytes().to_vec());
    fuzz(&cursors, 10_000, bytes, |_, bent| {
        let cursor = String::from_utf8_lossy(bent);
        let list = json!({ "conversationID": "C2Cbob", "nextReqMessageID": cursor });
        match serde_json::from_value::<GetMessageList>(list).unwrap().parse(&me()) {
            Ok(HistoryRequest::Of(_, HistoryQuery::Before(page_cursor), _)) => {
                assert_eq!(page_cursor.to_string(), cursor);
            }
            Ok(HistoryRequest::Of(_, query, _)) => {
                assert!(query == HistoryQuery::Newest && cursor.is_empty())
            }
            Ok(HistoryRequest::Ranges(_)) => unreachable!("none are asked for"),
            Err(error) => refused(&error),
        }
        let list = json!({ "nextReqConversationID": cursor });
        match serde_json::from_value::<GetConversationList>(list).unwrap().parse(&me()) {
            Ok(ListRequest::Page(Some(list_cursor), _)) => assert_eq!(list_cursor.to_string(), cursor),
            Ok(ListRequest::Page(None, _)) => assert!(cursor.is_empty()),
            Ok(ListRequest::Named(..)) => unreachable!("nobody is named"),
            Err(error) => refused(&error),
        }
    });
}

#[test]
fn a_form_that_was_bent_is_refused_or_is_the_one_that_was_signed() {
    let signer = Signer {
        access_key_id: "local".to_owned(),
        secret_access_key: "local".to_owned(),
        session_token: Some("token".to_owned()),
        region: "local".to_owned(),
    };
    let uploads =
        [(Kind::Image, "png", 1_000), (Kind::File, "pdf", 2_000)].map(|(kind, name, bytes)| Upload {
            kind,
            format: kind.format(name).unwrap(),
            bytes,
            name: Some("报价.pdf".to_owned()),
            previews: vec![500],
        });
    let folder = Folder::new(&Owner::of(1_400_000_000, &me()), |below| below - 1);
    let now = 1_795_400_001;
    let objects = uploads.iter().flat_map(|upload| {
        [upload.original("media", &folder)].into_iter().chain(upload.previews("media", &folder))
    });
    let forms: Vec<Fields> = objects.map(|object| sign(&signer, &object, now)).collect();
    let inputs: Vec<Vec<u8>> = forms.iter().map(|form| serde_json::to_vec(form).unwrap()).collect();
    fuzz(&inputs, 2_000, json_or_bytes, |_, bent| {
        let Ok(fields) = serde_json::from_slice::<Fields>(bent) else { return };
        if check(&signer, "media", &fields, 500, now).is_ok() {
            let named = |form: &Fields| -> Fields {
                form.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect()
            };
            assert!(forms.iter().any(|form| named(form) == named(&fields)));
        }
    });
}

fn as_sig(document: &[u8]) -> String {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(document).unwrap();
    STANDARD.encode(zlib.finish().unwrap()).replace('+', "*").replace('/', "-").replace('=', "_")
}

fn document_of(sig: &str) -> Vec<u8> {
    let compressed = STANDARD.decode(sig.replace('*', "+").replace('-', "/").replace('_', "=")).unwrap();
    let mut document = Vec::new();
    std::io::Read::read_to_end(&mut ZlibDecoder::new(compressed.as_slice()), &mut document).unwrap();
    document
}

/// What the official libraries have signed, and what it is good for.
fn vectors() -> Vec<Map<String, Value>> {
    let all: Value = serde_json::from_str(include_str!("../testdata/usersig-vectors.json")).unwrap();
    all["positive"].as_array().unwrap().iter().map(|vector| vector.as_object().unwrap().clone()).collect()
}

/// A signature that was bent is refused, or it says what one of the real ones for this user says: nothing else was
/// signed.
fn signature(vectors: &[Map<String, Value>], index: usize, sig: &str) {
    let vector = &vectors[index];
    let text = |name: &str| vector[name].as_str().unwrap();
    let expected = Expectation {
        sdk_app_id: vector["sdkappid"].as_u64().unwrap(),
        identifier: text("userid"),
        now: vector["verify_at"].as_u64().unwrap(),
    };
    let keys = Keys::one(Key::parse(text("key")).unwrap());
    let verdict = verify(&keys, expected, sig);
    match &verdict {
        Ok(_) => assert!(
            vectors.iter().any(|real| verify(&keys, expected, real["usersig"].as_str().unwrap()) == verdict),
            "{verdict:?}"
        ),
        Err(refusal) => {
            assert!((70001..=70052).contains(&refusal.code()));
            let said = format!("{refusal} {refusal:?}");
            // Some vectors have keys and some bent signatures have texts that are words of any sentence.
            let quotes = |secret: &str| secret.len() >= 20 && said.contains(secret);
            assert!(!quotes(text("key")) && !quotes(sig), "{said}");
        }
    }
}

#[test]
fn a_signature_that_was_bent_is_refused_or_says_what_was_signed() {
    let vectors = vectors();
    let sig = |vector: &Map<String, Value>| vector["usersig"].as_str().unwrap().as_bytes().to_vec();
    let sigs: Vec<Vec<u8>> = vectors.iter().map(sig).collect();
    fuzz(&sigs, 2_000, bytes, |index, bent| signature(&vectors, index, &String::from_utf8_lossy(bent)));
}

#[test]
fn a_document_that_was_bent_is_refused_or_says_what_was_signed() {
    let vectors = vectors();
    let document = |vector: &Map<String, Value>| document_of(vector["usersig"].as_str().unwrap());
    let documents: Vec<Vec<u8>> = vectors.iter().map(document).collect();
    fuzz(&documents, 6_000, json_or_bytes, |index, bent| signature(&vectors, index, &as_sig(bent)));
}
