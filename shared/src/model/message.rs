use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::{
    Address, CallbackNotes, Counts, Hidden, Imported, Pair, Payload, Position, PushInfo, Seq, Stamp, TIP,
    UserId, Verdict, payload::KINDS,
};
use crate::{Error, Result};

/// The second in which nothing ends that has no end.
pub const FOREVER_S: u64 = 9_999_999_999;

/// What a message may weigh: its payload as JSON and its custom data together.
pub const MAX_MESSAGE_BYTES: usize = 12 * 1024;

const MAX_CLIENT_ID_BYTES: usize = 64;

/// The name that the sender gave a message when they composed it. Together with the sender it is
/// the message's identity, for ever: a retry under the same name is the same message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ClientId(String);

impl ClientId {
    /// Takes an ID from outside.
    ///
    /// # Errors
    /// [`Error::BadRequest`] unless it has 1 to 64 printable ASCII characters.
    pub fn parse(text: &str) -> Result<Self> {
        let printable = text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        if text.is_empty() || text.len() > MAX_CLIENT_ID_BYTES || !printable {
            return Err(Error::BadRequest(
                "`clientID` must have 1 to 64 printable ASCII characters, new for every message and the same for every retry"
                    .to_owned(),
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The ID of a message that a program sends which names none, in the form in which clients name theirs: what it says, the
    /// second in which it is sent, and a random number.
    pub fn of(what: u64, second: u64, random: u32) -> Self {
        Self(format!("{what}-{second}-{random}"))
    }

    /// The ID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The random number by which business servers know a message: what clients end their IDs with, or else the first
    /// four bytes of the ID's hash.
    pub fn random(&self) -> u32 {
        let own = self.parts().and_then(|(_, _, random)| random.parse().ok());
        own.unwrap_or_else(|| {
            let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(&self.0).into();
            u32::from_be_bytes([a, b, c, d])
        })
    }

    /// Whether the other one is the same but for the second.
    fn is_but_for_the_second(&self, other: &Self) -> bool {
        let without_second =
            |id: &Self| id.parts().map(|(what, _, random)| (what.to_owned(), random.to_owned()));
        without_second(self).is_some_and(|parts| Some(parts) == without_second(other))
    }

    fn parts(&self) -> Option<(&str, &str, &str)> {
        let (what, rest) = self.0.split_once('-')?;
        let (second, random) = rest.split_once('-')?;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        [what, second, random].into_iter().all(is_number).then_some((what, second, random))
    }
}

/// The ID of a message that is imported between these two: no other message anywhere has it. It says where the message lies, so
/// that a client can name it by what it knows.
pub fn imported_id(pair: &Pair, Imported { second, seq, random }: Imported) -> ClientId {
    let between = u128::from(number_of(&[pair.log_key().as_str()])) << u32::BITS;
    ClientId(format!("{}-{second}-{random}", between | u128::from(seq)))
}

/// Where the message lies that was imported between these two and has this ID; nothing if no such message can have it.
pub fn imported_place(pair: &Pair, id: &ClientId) -> Option<Imported> {
    let (what, second, random) = id.parts()?;
    let seq = what.parse::<u128>().ok()? & u128::from(u32::MAX);
    let place = Imported {
        second: second.parse().ok()?,
        seq: u32::try_from(seq).ok()?,
        random: random.parse().ok()?,
    };
    (imported_id(pair, place) == *id).then_some(place)
}

/// A number that stands for some texts.
pub fn number_of(texts: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    for text in texts {
        // What is in front of it says where it ends.
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = hash.finalize().into();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// What a message holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Elem {
    kind: String,
    content: Content,
    /// What it was before its sender recalled it, for comparison only.
    recalled: Option<Box<Content>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Content {
    payload: Payload,
    custom_data: String,
    /// In a group: whom it concerns by name.
    mentions: Mentions,
}

/// Whom a message of a group concerns by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mentions {
    /// These.
    pub users: Vec<UserId>,
    /// Everybody.
    pub all: bool,
}

impl Mentions {
    /// Nobody.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && !self.all
    }
}

impl Elem {
    /// Takes the content of a message from outside.
    ///
    /// # Errors
    /// [`Error::InvalidMessage`] or [`Error::MessageTooLarge`].
    pub fn parse(kind: &str, payload: &RawValue, custom_data: Option<String>) -> Result<Self> {
        let custom_data = custom_data.unwrap_or_default();
        if !KINDS.contains(&kind) {
            return Err(Error::InvalidMessage(format!("`type` must be one of {}", KINDS.join(", "))));
        }
        if custom_data.contains('\0') {
            return Err(Error::InvalidMessage(
                "`cloudCustomData` contains a NUL character: remove it".to_owned(),
            ));
        }
        let payload = Payload::parse(kind, payload)?;
        let elem = Self::restore(kind.to_owned(), payload, custom_data);
        elem.fits_with(None)?;
        Ok(elem)
    }

    /// Takes content back from the store, which held only what [`Elem::parse`] had let in.
    pub fn restore(kind: String, payload: Payload, custom_data: String) -> Self {
        let content = Content { payload, custom_data, mentions: Mentions::default() };
        Self { kind, content, recalled: None }
    }

    /// The same, which concerns these.
    #[must_use]
    pub fn mentioning(self, mentions: Mentions) -> Self {
        Self { content: Content { mentions, ..self.content }, ..self }
    }

    /// What is left of it when it is recalled: the fields of its type, all of them empty. Clients read
    /// them without asking whether there are any.
    #[must_use]
    pub fn recall(self) -> Self {
        let nothing = Content {
            payload: Payload::empty(&self.kind),
            custom_data: String::new(),
            mentions: Mentions::default(),
        };
        Self { kind: self.kind, content: nothing, recalled: Some(Box::new(self.content)) }
    }

    /// Whether this is the content of the same message, sent again: [`Payload::says_what`] the other says,
    /// with the same custom data. One that was recalled is compared as it was.
    pub fn says_what(&self, other: &Self) -> bool {
        let (mine, others) = (self.said(), other.said());
        self.kind == other.kind
            && mine.custom_data == others.custom_data
            && mine.payload.says_what(&others.payload, &self.kind)
    }

    /// Whether it is small enough, together with whom it names and what a notification of it is to be like.
    ///
    /// # Errors
    /// [`Error::MessageTooLarge`].
    pub fn fits_with(&self, push_info: Option<&PushInfo>) -> Result<()> {
        let Content { payload, custom_data, mentions } = &self.content;
        let texts = [payload.as_str(), custom_data, push_info.map_or("", PushInfo::as_str)];
        let names = mentions.users.iter().map(UserId::as_str);
        let size =
            texts.into_iter().chain(names).fold(0, |size: usize, text| size.saturating_add(text.len()));
        if size > MAX_MESSAGE_BYTES {
            return Err(Error::MessageTooLarge { size, at_most: MAX_MESSAGE_BYTES });
        }
        Ok(())
    }

    fn said(&self) -> &Content {
        self.recalled.as_deref().unwrap_or(&self.content)
    }

    /// `TIMTextElem` and so on.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The payload.
    pub fn payload(&self) -> &Payload {
        &self.content.payload
    }

    /// Whom it concerns by name.
    pub fn mentions(&self) -> &Mentions {
        &self.content.mentions
    }

    /// `cloudCustomData`, empty when there is none.
    pub fn custom_data(&self) -> &str {
        &self.content.custom_data
    }
}

/// How much a message matters. Everything is delivered at once all the same: it is the clients' to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Priority {
    /// More than usual.
    High,
    /// As usual.
    #[default]
    Normal,
    /// Less than usual.
    Low,
    /// Least.
    Lowest,
}

/// What the sender wants done with a message besides having it delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// How much it matters.
    pub priority: Priority,
    /// The sender wants to know who has read it.
    pub needs_read_receipt: bool,
    /// It takes extensions.
    pub supports_extension: bool,
    /// It is never unread.
    pub excluded_from_unread_count: bool,
    /// No list shows it as the last message.
    pub excluded_from_last_message: bool,
}

/// Which message is the same as a draft, sent before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Repeats {
    /// The one that its sender has called the same, however long ago.
    #[default]
    Name,
    /// The one that says the same under the same random number, since that time in milliseconds: a business server
    /// has no names for what it sends.
    Since(u64),
}

/// A message that wants to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The sender's name for it.
    pub client_id: ClientId,
    /// Who sends it.
    pub from: UserId,
    /// What it says.
    pub elem: Elem,
    /// What else there is to know about it.
    pub options: Options,
    /// What becomes of it at the business server, and before it.
    pub callbacks: CallbackNotes,
    /// Which message it may be already.
    pub repeats: Repeats,
    /// The sender's own devices do not get to see it. Only a business server can want that.
    pub is_hidden_from_sender: bool,
}

impl Draft {
    /// What a user sends.
    pub fn new(client_id: ClientId, from: UserId, elem: Elem, options: Options) -> Self {
        Self {
            client_id,
            from,
            elem,
            options,
            callbacks: CallbackNotes::default(),
            repeats: Repeats::default(),
            is_hidden_from_sender: false,
        }
    }

    /// Whether it is unread until the other user has read it.
    pub fn is_counted(&self) -> bool {
        is_counted(self.options, &self.callbacks)
    }

    /// What goes to those who are connected at this moment and is stored nowhere: it has no number.
    pub fn online_only(&self, now_ms: u64) -> Message {
        Message {
            seq: Seq(0),
            imported: None,
            client_id: self.client_id.clone(),
            from: self.from.clone(),
            time: now_ms,
            elem: self.elem.clone(),
            options: self.options,
            counts: Counts::default(),
            listed: Seq(0),
            expires_at: None,
            kept_until: None,
            moved_up: Stamp::default(),
            revoked_at: None,
            revoked_by: None,
            hidden: Hidden::default(),
            callbacks: self.callbacks.clone(),
        }
    }
}

/// A message that has been sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its place in the conversation. 0 if it has no number.
    pub seq: Seq,
    /// Its place before all numbers, if it was imported as history.
    pub imported: Option<Imported>,
    /// The sender's name for it.
    pub client_id: ClientId,
    /// Who sent it.
    pub from: UserId,
    /// The server's time in milliseconds. It never decreases along the sequence.
    pub time: u64,
    /// What it says.
    pub elem: Elem,
    /// What else there is to know about it.
    pub options: Options,
    /// How many messages that can be unread each side has sent, this one included.
    pub counts: Counts,
    /// The newest message up to here that a list may show: this one, unless its sender has excluded
    /// it; 0 if there is none.
    pub listed: Seq,
    /// The Unix second in which it ceases to exist, if it ever does. It never decreases along the
    /// sequence either, and "never" is the latest of all.
    pub expires_at: Option<u64>,
    /// The second until which what stands beside the messages is kept: the rows of the lists, and the
    /// floor behind that. Nothing is said in a conversation in which nothing has ever expired.
    pub kept_until: Option<u64>,
    /// When the conversation was last moved up in the lists of its users: neither has it lower.
    pub moved_up: Stamp,
    /// When the sender has recalled it, in milliseconds. From then on `elem` is as [`Elem::recall`] leaves
    /// it: what was said is kept, and handed to nobody.
    pub revoked_at: Option<u64>,
    /// Who has recalled it, if it was not its sender.
    pub revoked_by: Option<UserId>,
    /// Who has deleted it for themselves.
    pub hidden: Hidden,
    /// What is kept of it for callbacks.
    pub callbacks: CallbackNotes,
}

impl Message {
    /// Whether retention has ended its life, even if the store has not swept it yet.
    pub fn is_live(&self, now_ms: u64) -> bool {
        self.expires_at.is_none_or(|second| second.saturating_mul(1000) > now_ms)
    }

    /// Whether what stands beside it is kept as long as it lives.
    pub fn is_kept(&self) -> bool {
        match (self.kept_until, self.expires_at) {
            (None, _) => true,
            (Some(kept), Some(end)) => end <= kept,
            (Some(kept), None) => kept == FOREVER_S,
        }
    }

    /// Whether it is unread until the other user has read it.
    pub fn is_counted(&self) -> bool {
        is_counted(self.options, &self.callbacks)
    }

    /// Whether it was sent once and is not in the history.
    pub fn is_online_only(&self) -> bool {
        self.seq == Seq(0) && self.imported.is_none()
    }

    /// Whether this is the message that the draft became. A tip has the name of a change, and no message is one.
    pub fn is(&self, draft: &Draft) -> bool {
        self.from == draft.from
            && (self.elem.kind() == TIP) == (draft.elem.kind() == TIP)
            && match draft.repeats {
                Repeats::Name => self.client_id == draft.client_id,
                Repeats::Since(ms) => {
                    self.time >= ms && self.client_id.is_but_for_the_second(&draft.client_id)
                }
            }
    }

    /// Where it lies.
    pub fn address(&self) -> Address {
        self.imported.map_or(Address::Number(self.seq), Address::Imported)
    }

    /// How far who has reached it is.
    pub fn position(&self) -> Position {
        Position::at(self.seq, self.time)
    }
}

/// What its sender has excluded from the count is not counted, nor is what the other user never sees.
fn is_counted(options: Options, callbacks: &CallbackNotes) -> bool {
    !options.excluded_from_unread_count && callbacks.verdict != Verdict::Withheld
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    fn parse(kind: &str, payload: &Value, custom_data: Option<&str>) -> Result<Elem> {
        let payload = RawValue::from_string(payload.to_string()).unwrap();
        Elem::parse(kind, &payload, custom_data.map(str::to_owned))
    }

    fn draft(from: &str, client_id: &str) -> Draft {
        Draft::new(
            ClientId::parse(client_id).unwrap(),
            UserId::parse("test", from).unwrap(),
            parse("TIMTextElem", &json!({ "text": "x" }), None).unwrap(),
            Options::default(),
        )
    }

    fn message(from: &str, client_id: &str) -> Message {
        draft(from, client_id).online_only(1000)
    }

    proptest! {
        #[test]
        fn where_an_imported_message_lies_can_be_read_from_its_id_by_the_two_alone(
            second: u64, seq: u32, random: u32
        ) {
            let [alice, bob, carol] =
                ["alice", "bob", "carol"].map(|name| UserId::parse("user", name).unwrap());
            let pair = |me: &UserId, peer: &UserId| Pair::of(me, peer).unwrap();
            let place = Imported { second, seq, random };
            let id = imported_id(&pair(&alice, &bob), place);
            prop_assert_eq!(ClientId::parse(id.as_str()), Ok(id.clone()));
            prop_assert_eq!(imported_place(&pair(&bob, &alice), &id), Some(place));
            prop_assert_eq!(imported_place(&pair(&alice, &carol), &id), None);
        }
    }

    #[test]
    fn the_id_of_a_message_with_a_number_is_no_place() {
        let pair =
            Pair::of(&UserId::parse("me", "alice").unwrap(), &UserId::parse("peer", "bob").unwrap()).unwrap();
        for id in ["x", "1-2-3", "144115198577104124-1700000000-7", "0-0-0"] {
            assert_eq!(imported_place(&pair, &ClientId::parse(id).unwrap()), None, "{id}");
        }
    }

    #[test]
    fn a_client_id_has_1_to_64_printable_ascii_characters() {
        for good in ["a", "~ !", &"x".repeat(64)] {
            assert_eq!(ClientId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "é", "a\n", "\u{7f}", &"x".repeat(65)] {
            assert!(matches!(ClientId::parse(bad), Err(Error::BadRequest(_))), "{bad}");
        }
    }

    #[test]
    fn a_message_is_what_its_sender_has_named_it() {
        let sent = message("alice", "a");
        let is = |from, client_id| sent.is(&draft(from, client_id));
        assert!(is("alice", "a"));
        assert!(!is("bob", "a"), "the other user may have chosen the same name");
        assert!(!is("alice", "b"));
    }

    #[test]
    fn what_a_business_server_repeats_is_known_by_what_it_says_and_its_random_number_for_a_while() {
        let sent = Message { time: 30_000, ..message("alice", "7-30-9") };
        let is = |from, client_id, since| {
            sent.is(&Draft { repeats: Repeats::Since(since), ..draft(from, client_id) })
        };
        assert!(is("alice", "7-59-9", 29_000) && is("alice", "7-30-9", 30_000));
        assert!(!is("alice", "7-61-9", 30_001), "it was too long ago");
        assert!(!is("bob", "7-59-9", 0) && !is("alice", "8-59-9", 0) && !is("alice", "7-59-8", 0));
        let named = Message { time: 30_000, ..message("alice", "own name") };
        let repeated = Draft { repeats: Repeats::Since(0), ..draft("alice", "own name") };
        assert!(!named.is(&repeated), "such a message is never found");
    }

    #[test]
    fn a_message_has_the_random_number_that_its_client_has_given_it_or_one_that_follows_from_its_name() {
        let random = |id: &str| ClientId::parse(id).unwrap().random();
        assert_eq!(ClientId::of(u64::MAX, u64::MAX, u32::MAX).random(), u32::MAX);
        assert_eq!(
            [random("144115-1795400001-77"), random("1-2-4294967295"), random("1-2-0")],
            [77, u32::MAX, 0]
        );
        // The first four bytes of their SHA-256.
        assert_eq!(random("abc"), 0xba78_16bf);
        let hashed = |id: &str| u32::from_be_bytes(Sha256::digest(id)[..4].try_into().unwrap());
        for other in ["1-2-4294967296", "1-2", "1-2-", "1--2", "-1-2-3", "a-1-2", "1-2-3-4", "1-2-+3"] {
            assert_eq!(random(other), hashed(other), "{other}");
        }
    }

    #[test]
    fn a_message_has_a_number_unless_it_was_for_those_who_are_connected() {
        let online = message("alice", "a");
        assert!(online.is_online_only());
        assert!(!Message { seq: Seq(1), ..online.clone() }.is_online_only());
        let place = Imported { second: 1, seq: 2, random: 3 };
        assert!(!Message { imported: Some(place), ..online }.is_online_only());
    }

    #[test]
    fn a_message_lives_until_the_second_in_which_it_expires_begins() {
        let lives = |expires_at, now_ms| Message { expires_at, ..message("alice", "a") }.is_live(now_ms);
        assert!(lives(Some(60), 59_999));
        assert!(!lives(Some(60), 60_000));
        assert!(!lives(Some(60), 60_001));
        assert!(lives(None, u64::MAX));
    }

    #[test]
    fn what_stands_beside_a_message_is_kept_as_long_as_the_message_lives() {
        let is_kept =
            |kept_until, expires_at| Message { kept_until, expires_at, ..message("alice", "a") }.is_kept();
        assert!(is_kept(None, Some(60)) && is_kept(None, None), "nothing beside it expires");
        assert!(is_kept(Some(61), Some(60)) && is_kept(Some(60), Some(60)));
        assert!(!is_kept(Some(59), Some(60)));
        assert!(is_kept(Some(FOREVER_S), None));
        assert!(!is_kept(Some(60), None), "what expires is not kept with a message that never does");
    }

    #[test]
    fn a_message_of_12_kb_is_taken_and_one_byte_more_is_not() {
        let scaffold = json!({ "text": "" }).to_string().len();
        let text = |bytes: usize| json!({ "text": "x".repeat(bytes - scaffold) });
        assert!(parse("TIMTextElem", &text(12_288), None).is_ok());
        assert_eq!(
            parse("TIMTextElem", &text(12_288), Some("y")),
            Err(Error::MessageTooLarge { size: 12_289, at_most: 12_288 })
        );
    }

    #[test]
    fn push_info_is_an_object_and_weighs_with_its_message() {
        let json = |value: Value| RawValue::from_string(value.to_string()).unwrap();
        let info = PushInfo::parse(&json(json!({ "Title": "x" }))).unwrap();
        assert_eq!(info.as_str(), r#"{"Title":"x"}"#);
        let elem = |bytes: usize| {
            let scaffold = json!({ "text": "" }).to_string().len();
            parse("TIMTextElem", &json!({ "text": "x".repeat(bytes - scaffold) }), None).unwrap()
        };
        let largest = MAX_MESSAGE_BYTES - info.as_str().len();
        assert_eq!(elem(largest).fits_with(Some(&info)), Ok(()));
        let too_large = Error::MessageTooLarge { size: MAX_MESSAGE_BYTES + 1, at_most: MAX_MESSAGE_BYTES };
        assert_eq!(elem(largest + 1).fits_with(Some(&info)), Err(too_large));
        for bad in [json!("x"), json!([]), json!(null), json!(1)] {
            assert!(matches!(PushInfo::parse(&json(bad)), Err(Error::BadRequest(_))));
        }
    }

    #[test]
    fn every_type_keeps_its_fields_when_it_is_recalled_and_is_known_again() {
        let payload = json!({ "text": "x", "index": 1, "longitude": 1, "latitude": 1, "imageInfoArray": [{ "size": 1 }] });
        for kind in KINDS {
            let said = parse(kind, &payload, Some("{}")).unwrap();
            assert_eq!((said.kind(), said.custom_data()), (kind, "{}"));
            let left = said.clone().recall();
            assert_eq!(left.kind(), kind);
            let fields: Map<String, Value> = serde_json::from_str(left.payload().as_str()).unwrap();
            assert!(!fields.is_empty() && left.custom_data().is_empty(), "{kind}");
            for (field, value) in fields {
                assert!([json!(""), json!(0), json!([]), json!(false)].contains(&value), "{kind}.{field}");
            }
            assert!(left.says_what(&said));
            assert!(!left.says_what(&parse(kind, &payload, None).unwrap()));
            let more = {
                let mut more = payload.clone();
                more["data"] = json!("y");
                more
            };
            assert!(!left.says_what(&parse(kind, &more, Some("{}")).unwrap()));
            let other = if kind == "TIMTextElem" { "TIMCustomElem" } else { "TIMTextElem" };
            assert!(!left.says_what(&parse(other, &payload, Some("{}")).unwrap()));
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for (kind, payload) in [
            ("TIMGroupTipElem", json!({})),
            ("text", json!({ "text": "x" })),
            ("TIMTextElem", json!("x")),
            ("TIMTextElem", json!({ "text": "" })),
            ("TIMTextElem", json!({ "text": 5 })),
            ("TIMTextElem", json!({ "text": "a\0b" })),
            ("TIMCustomElem", json!({ "data": ["\0"] })),
        ] {
            assert!(matches!(parse(kind, &payload, None), Err(Error::InvalidMessage(_))), "{kind}");
        }
        assert!(
            parse("TIMTextElem", &json!({ "text": "\\u0000" }), None).is_ok(),
            "a backslash is not a NUL"
        );
        assert!(parse("TIMTextElem", &json!({ "text": "x" }), Some("\0")).is_err());
    }
}
