//! The plain model: what docs/protocol.md and the promises of docs/tables.md say, with lists that are looked
//! through from the beginning each time. Nothing is counted ahead and nothing is kept twice.
//!
//! What a kind of action does is in `rules`; here is what there is, and what a user sees of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use hongyan_shared::model::{Pair, UserId, imported_id};
use serde_json::{Value, json};

use super::action::{Device, Kind, Options, User};
use crate::harness::START_MS;

/// How much longer than its end a row is there at least.
pub const SWEPT_LATER_S: u64 = 3600;

/// How much longer than all else the floor is.
const FLOOR_KEPT_LONGER_S: u64 = 30 * 24 * 3600;

/// For how long after the end of its last message a conversation cannot be begun again.
const SETTLING_S: u64 = 15;

/// How long API Gateway keeps a connection, and how much later a slot ends.
pub const CONNECTION_S: u64 = 2 * 3600;
const SLOT_S: u64 = CONNECTION_S + 300;

/// How far a list looks back for a message to show.
const PREVIEW: usize = 15;

/// All there is.
#[derive(Clone)]
pub struct Model {
    pub retention: Option<u64>,
    /// By how much the clock of the other sandbox is ahead, in seconds.
    pub ahead: u64,
    /// Milliseconds.
    pub now: u64,
    pub connections: Vec<Connection>,
    pub watches: Vec<Watch>,
    pub chats: BTreeMap<(User, User), Chat>,
    /// Who has whom on the blacklist.
    pub blocks: BTreeSet<(User, User)>,
    /// Everything that was ever composed, sent or not.
    pub drafts: Vec<Draft>,
    /// What the last transition was in detail, and what comes of it.
    pub happened: Happened,
}

/// A connection that was made at some time.
#[derive(Clone)]
pub struct Connection {
    pub device: Device,
    pub id: String,
    pub connected_at: u64,
    /// API Gateway still has it.
    pub is_open: bool,
    /// Its row is there.
    pub has_slot: bool,
}

/// A connection that is to be told when a user comes and goes.
#[derive(Clone)]
pub struct Watch {
    pub user: User,
    pub watcher: Device,
    pub connection: String,
    pub ends_s: u64,
}

#[derive(Clone)]
pub struct Draft {
    pub from: User,
    pub to: User,
    pub client_id: String,
    pub base: u64,
    pub text: String,
    pub options: Options,
}

#[derive(Clone)]
pub struct Message {
    pub draft: Draft,
    pub sequence: u64,
    /// Milliseconds.
    pub time: u64,
    /// The second from which on it is gone.
    pub ends_s: Option<u64>,
    /// Until when it knows the rows beside it to be there.
    pub kept_until_s: u64,
    pub is_recalled: bool,
    pub hidden_from: BTreeSet<User>,
}

/// A message that was imported. What it is told apart by is its key in the chat: its second, and its sender's number for it.
#[derive(Clone)]
pub struct Imported {
    pub from: User,
    pub to: User,
    pub text: String,
    pub ends_s: Option<u64>,
}

/// A message that somebody has come to. It says nothing any more when that has expired.
#[derive(Clone, Copy, Default)]
pub struct Position {
    pub sequence: u64,
    pub time: u64,
    pub ends_s: Option<u64>,
}

/// How a user stands in a conversation.
#[derive(Clone, Copy, Default)]
pub struct Standing {
    pub read: Position,
    /// How far that was when they read on behind a block, the last time that they read on: behind a block it is
    /// what the peer is shown.
    pub noted: Option<Position>,
    pub cleared: Position,
    pub unlisted: Position,
    pub is_pinned: bool,
}

/// A conversation. What has expired stays in the log until it is swept, and nobody sees it.
#[derive(Clone, Default)]
pub struct Chat {
    pub log: Vec<Message>,
    /// Before all of that.
    pub imported: BTreeMap<(u64, u32), Imported>,
    pub standings: BTreeMap<User, Standing>,
    /// Until when the conversation is in the lists of both; it is in none yet if that is 0.
    pub listed_until_s: u64,
    pub floor: Option<Floor>,
}

/// Which numbers may have been used, where messages expire.
#[derive(Clone, Copy)]
pub struct Floor {
    pub reserved: u64,
    /// The numbers went on behind this one, when nothing lived.
    pub begun_behind: u64,
    /// Before this second nothing that was written since can have expired.
    pub first_end_s: u64,
    pub ends_s: u64,
}

/// What comes back for a frame.
#[derive(Clone)]
pub enum Answer {
    Data(Value),
    Refused(i64, Value),
    /// The function was killed.
    Nothing,
}

impl Answer {
    /// As a page of a failure shows it.
    pub fn shown(&self) -> Value {
        match self {
            Self::Data(data) => data.clone(),
            Self::Refused(code, data) => json!({ "code": code, "data": data }),
            Self::Nothing => json!("no answer"),
        }
    }
}

/// A frame to be served.
#[derive(Clone)]
pub struct Call {
    pub by: Connection,
    pub event: &'static str,
    pub data: Value,
    pub fate: super::action::Fate,
    pub how: super::action::How,
    /// What comes back.
    pub answer: Answer,
}

/// What a transition was in detail.
#[derive(Clone)]
pub enum Event {
    Calls(Vec<Call>),
    Connects(Connection),
    Disconnects(Connection),
    IsCut(Connection),
    /// The clock goes on, and API Gateway ends these connections.
    Later(u64, Vec<Connection>),
    /// The one has said that to the other: in that second, under that number.
    Imports(User, User, (u64, u32), String),
    Sweeps,
}

#[derive(Clone)]
pub struct Happened {
    pub event: Event,
    /// The frames that come in, by connection.
    pub pushes: Vec<(String, Value)>,
}

impl Model {
    /// All three are there with their phones, and nothing has been said.
    pub fn new(retention: Option<u64>, ahead: u64) -> Self {
        let phones = User::ALL.map(|user| Connection::new(Device { user, kind: Kind::Phone }, 1, START_MS));
        Self {
            retention,
            ahead,
            now: START_MS,
            connections: phones.to_vec(),
            watches: Vec::new(),
            chats: BTreeMap::new(),
            blocks: BTreeSet::new(),
            drafts: Vec::new(),
            happened: Happened { event: Event::Sweeps, pushes: Vec::new() },
        }
    }

    pub fn chat(&mut self, a: User, b: User) -> &mut Chat {
        self.chats.entry((a.min(b), a.max(b))).or_default()
    }

    /// The same, of which nothing is to be changed.
    pub fn seen(&self, a: User, b: User) -> Chat {
        self.chats.get(&(a.min(b), a.max(b))).cloned().unwrap_or_default()
    }

    pub fn is_blocked(&self, a: User, b: User) -> bool {
        self.blocks.contains(&(a, b)) || self.blocks.contains(&(b, a))
    }

    /// The draft that a user composed so many drafts ago.
    pub fn draft(&self, from: User, back: usize) -> usize {
        let of_them = (0..self.drafts.len()).filter(|draft| self.drafts[*draft].from == from);
        of_them.rev().nth(back).unwrap()
    }

    /// The list of a user, by peer, each with the time that it is sorted by, in milliseconds, and whether it is
    /// certain which message it shows.
    pub fn list(&self, me: User) -> Vec<(Value, u64, bool)> {
        let peers = User::ALL.into_iter().filter(|user| *user != me);
        peers.filter_map(|peer| self.listed(me, peer)).collect()
    }

    fn listed(&self, me: User, peer: User) -> Option<(Value, u64, bool)> {
        let now = self.now;
        let chat = self.seen(me, peer);
        let Some(last) = chat.live(now).last().cloned() else { return self.listed_as_imported(me, peer) };
        let (mine, theirs) = (chat.standing(me), chat.standing(peer));
        let preview = chat
            .live(now)
            .filter(|message| message.sequence > mine.cleared.at(now).sequence)
            .filter(|message| !message.draft.options.is_unlisted)
            .rfind(|message| !message.hidden_from.contains(&me));
        let passed_over =
            preview.map_or(chat.log.len(), |preview| (last.sequence - preview.sequence) as usize);
        let old = chat.visible_imported(me, now).next_back().filter(|_| preview.is_none());
        let peer_read = theirs.noted.filter(|_| self.is_blocked(me, peer)).unwrap_or(theirs.read).at(now);
        let mut conversation = json!({
            "conversationID": peer.conversation_id(),
            "type": "C2C",
            "unreadCount": chat.unread(me, now),
            "lastSequence": last.sequence,
            "readSequence": mine.read.at(now).sequence,
            "peerReadSequence": peer_read.sequence,
            "peerReadTime": peer_read.time / 1000,
            "clearedSequence": mine.cleared.at(now).sequence,
            "isPinned": mine.is_pinned,
        });
        if let Some(preview) = preview {
            conversation["lastMessage"] = preview.on_the_wire();
        } else if let Some((at, old)) = old {
            conversation["lastMessage"] = old.on_the_wire(*at);
        }
        if mine.unlisted.at(now).sequence > 0 {
            conversation["unlistedSequence"] = json!(mine.unlisted.at(now).sequence);
        }
        let time = old.map_or(last.time, |((second, _), _)| second * 1000);
        Some((conversation, preview.map_or(time, |preview| preview.time), passed_over < PREVIEW))
    }

    /// Where there is nothing else.
    fn listed_as_imported(&self, me: User, peer: User) -> Option<(Value, u64, bool)> {
        let chat = self.seen(me, peer);
        let ((newest, _), _) = chat.live_imported(self.now).next_back()?;
        let standing = chat.standing(me);
        let shown = chat
            .visible_imported(me, self.now)
            .rfind(|((second, _), _)| second * 1000 > standing.unlisted.at(self.now).time);
        let mut conversation = json!({
            "conversationID": peer.conversation_id(),
            "type": "C2C",
            "unreadCount": 0,
            "lastSequence": 0,
            "readSequence": 0,
            "peerReadSequence": 0,
            "peerReadTime": 0,
            "clearedSequence": 0,
            "isPinned": standing.is_pinned,
        });
        if let Some((at, shown)) = shown {
            conversation["lastMessage"] = shown.on_the_wire(*at);
        }
        Some((conversation, shown.map_or(*newest, |((second, _), _)| *second) * 1000, true))
    }

    /// The history as the user pages through it.
    pub fn history(&self, me: User, peer: User) -> Vec<Value> {
        let chat = self.seen(me, peer);
        let cleared = chat.standing(me).cleared.at(self.now).sequence;
        let imported = chat.visible_imported(me, self.now).map(|(at, message)| message.on_the_wire(*at));
        imported.chain(self.range(me, peer, cleared + 1)).collect()
    }

    /// All from a number on.
    pub fn range(&self, me: User, peer: User, from: u64) -> Vec<Value> {
        let chat = self.seen(me, peer);
        let visible = chat
            .live(self.now)
            .filter(|message| message.sequence >= from && !message.hidden_from.contains(&me));
        visible.map(Message::on_the_wire).collect()
    }

    pub fn blacklist(&self, me: User) -> Vec<&'static str> {
        let of_me = self.blocks.iter().filter(|(owner, _)| *owner == me);
        of_me.map(|(_, blocked)| blocked.name()).collect()
    }

    pub fn is_online(&self, user: User, now: u64) -> bool {
        self.connections.iter().any(|connection| connection.device.user == user && connection.counts(now))
    }
}

impl Chat {
    /// What has not expired, oldest first.
    pub fn live(&self, now: u64) -> impl DoubleEndedIterator<Item = &Message> {
        self.log.iter().filter(move |message| is_live(message.ends_s, now))
    }

    /// What was imported and has not expired, oldest first.
    pub fn live_imported(&self, now: u64) -> impl DoubleEndedIterator<Item = (&(u64, u32), &Imported)> {
        self.imported.iter().filter(move |(_, message)| is_live(message.ends_s, now))
    }

    /// Where the newest of it is.
    pub fn newest_imported(&self, now: u64) -> Option<Position> {
        let ((second, _), message) = self.live_imported(now).next_back()?;
        Some(Position { sequence: 0, time: second * 1000, ends_s: message.ends_s })
    }

    /// What of it a user has not cleared. Who has cleared a number has cleared all of it.
    fn visible_imported(
        &self,
        me: User,
        now: u64,
    ) -> impl DoubleEndedIterator<Item = (&(u64, u32), &Imported)> {
        let cleared = self.standing(me).cleared.at(now);
        self.live_imported(now)
            .filter(move |((second, _), _)| cleared.sequence == 0 && second * 1000 > cleared.time)
    }

    pub fn last_live(&self, now: u64) -> u64 {
        self.live(now).last().map_or(0, |message| message.sequence)
    }

    pub fn standing(&self, user: User) -> Standing {
        self.standings.get(&user).copied().unwrap_or_default()
    }

    /// What a draft has become, if that lives.
    pub fn sent(&self, draft: &Draft, now: u64) -> Option<&Message> {
        self.live(now).find(|sent| sent.draft.from == draft.from && sent.draft.client_id == draft.client_id)
    }

    /// The number of the peer's messages behind what the user has read, cleared and taken out of the list.
    pub fn unread(&self, me: User, now: u64) -> usize {
        let Standing { read, cleared, unlisted, .. } = self.standing(me);
        let done =
            [read, cleared, unlisted].map(|position| position.at(now).sequence).into_iter().max().unwrap();
        self.live(now)
            .filter(|message| message.draft.from != me)
            .filter(|message| message.sequence > done)
            .filter(|message| !message.draft.options.is_uncounted)
            .count()
    }

    /// Gives a number to a message, and writes what has to be there before it is. Returns the message as it is
    /// to be put into the log.
    pub fn place(&mut self, draft: Draft, now: u64, retention: Option<u64>) -> Message {
        let end = retention.map(|seconds| now / 1000 + seconds);
        let half_longer = |end: Option<u64>| end.map_or(u64::MAX / 2, |end| end + retention.unwrap() / 2);
        let mut message = Message {
            draft,
            sequence: 0,
            time: now,
            ends_s: end,
            kept_until_s: half_longer(end),
            is_recalled: false,
            hidden_from: BTreeSet::new(),
        };
        match self.live(now).last().cloned() {
            // One higher, not earlier, and not sooner gone.
            Some(last) => {
                message.sequence = last.sequence + 1;
                message.time = now.max(last.time);
                message.ends_s = end.max(last.ends_s);
                if message.ends_s.is_none_or(|end| end <= last.kept_until_s) {
                    message.kept_until_s = last.kept_until_s;
                }
            }
            // The first of a block that nobody has used: so the numbers of those that have expired are not used
            // again, however many there were.
            None => message.sequence = self.begin(end, now) + 1,
        }
        self.listed_until_s = self.listed_until_s.max(message.kept_until_s);
        if let Some(floor) = &mut self.floor {
            floor.ends_s = floor.ends_s.max(message.kept_until_s + FLOOR_KEPT_LONGER_S);
            floor.reserved = floor.reserved.max(message.sequence.div_ceil(32) * 32);
        }
        message
    }

    /// Behind which number it goes on when nothing lives.
    pub fn begins_behind(&self, now: u64) -> u64 {
        match self.floor {
            None => 0,
            // Somebody has begun and got no further, for nothing that was sent could have expired.
            Some(floor) if now / 1000 < floor.first_end_s => floor.begun_behind,
            Some(floor) => floor.reserved,
        }
    }

    /// Whether the last message has had its end just now: somebody may still be writing behind it.
    pub fn is_settling(&self, now: u64) -> bool {
        let ends_s = self.log.last().and_then(|last| last.ends_s);
        self.last_live(now) == 0 && ends_s.is_some_and(|end| now < (end + SETTLING_S) * 1000)
    }

    /// Nothing lives: behind which number it goes on.
    fn begin(&mut self, end: Option<u64>, now: u64) -> u64 {
        let begun_behind = self.begins_behind(now);
        let Some(end) = end else { return begun_behind };
        let ends_s = self.floor.map_or(0, |floor| floor.ends_s);
        let first_end_s = match self.floor {
            Some(floor) if floor.begun_behind == begun_behind => floor.first_end_s.min(end),
            _ => end,
        };
        self.floor = Some(Floor { reserved: begun_behind + 32, begun_behind, first_end_s, ends_s });
        begun_behind
    }
}

impl Message {
    /// The message as anybody sees it.
    pub fn on_the_wire(&self) -> Value {
        let mut message = self.draft.on_the_wire(self.sequence, self.time);
        if self.is_recalled {
            message["payload"]["text"] = json!("");
            message["isRevoked"] = json!(true);
        }
        message
    }

    pub fn position(&self) -> Position {
        Position { sequence: self.sequence, time: self.time, ends_s: self.ends_s }
    }
}

impl Imported {
    fn on_the_wire(&self, (second, seq): (u64, u32)) -> Value {
        let user = |user: User| UserId::parse("user", user.name()).unwrap();
        let pair = Pair::of(&user(self.from), &user(self.to)).unwrap();
        let place = hongyan_shared::model::Imported { second, seq, random: 7 };
        json!({
            "from": self.from.name(), "to": self.to.name(), "conversationType": "C2C",
            "clientID": imported_id(&pair, place).as_str(), "sequence": 0, "time": second,
            "type": "TIMTextElem", "payload": { "text": self.text },
        })
    }
}

impl Draft {
    pub fn on_the_wire(&self, sequence: u64, time: u64) -> Value {
        let mut message = json!({
            "from": self.from.name(), "to": self.to.name(), "conversationType": "C2C",
            "clientID": self.client_id, "sequence": sequence, "time": time / 1000,
            "type": "TIMTextElem", "payload": { "text": self.text },
        });
        if let Some(control) = self.options.on_the_wire() {
            message["messageControlInfo"] = control;
        }
        message
    }
}

impl Options {
    pub fn on_the_wire(self) -> Option<Value> {
        let mut control = json!({});
        if self.is_uncounted {
            control["excludedFromUnreadCount"] = json!(true);
        }
        if self.is_unlisted {
            control["excludedFromLastMessage"] = json!(true);
        }
        Some(control).filter(|control| *control != json!({}))
    }
}

impl Position {
    /// As far as it says something at that time.
    pub fn at(self, now: u64) -> Self {
        if is_live(self.ends_s, now) { self } else { Self::default() }
    }
}

fn is_live(ends_s: Option<u64>, now: u64) -> bool {
    ends_s.is_none_or(|end| now < end * 1000)
}

impl Connection {
    pub fn new(device: Device, number: usize, connected_at: u64) -> Self {
        let kind = if device.kind == Kind::Phone { "phone" } else { "browser" };
        let id = format!("{}-{kind}-{number}", device.user.name());
        Self { device, id, connected_at, is_open: true, has_slot: true }
    }

    /// The second in which its slot ends.
    pub fn ends_s(&self) -> u64 {
        self.connected_at / 1000 + SLOT_S
    }

    /// Its row makes its user be online.
    pub fn counts(&self, now: u64) -> bool {
        self.has_slot && now / 1000 < self.ends_s()
    }
}

/// What a page of a failure says about the model.
impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.retention {
            Some(seconds) => write!(f, "messages live for {seconds} s"),
            None => write!(f, "messages live for ever, and the other sandbox is {} s ahead", self.ahead),
        }
    }
}
