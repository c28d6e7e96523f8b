//! The rows of one conversation in the table `Messages`, as far as numbers depend on them, and the
//! conditional writes of `store::Messages`.

use std::sync::LazyLock;

use hongyan_shared::model::{
    ClientId, Counts, Draft, Elem, Floor, Hidden, Message, Options, Pair, ReadMarker, Seq, Stamp, UserId,
    floor_before,
};
use serde_json::json;

use super::bounds::Mutant;

/// As in `store::Messages`.
pub const SWEPT_LATER_S: u64 = 3600;
pub const FLOOR_KEPT_LONGER_S: u64 = 30 * 24 * 60 * 60;

/// `M` and twelve digits. Times are whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageRow {
    pub seq: u64,
    /// Sender and client ID in one.
    pub draft: u8,
    pub time: u64,
    pub end: Option<u64>,
    pub kept_until: Option<u64>,
}

/// `F`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FloorRow {
    pub n: u64,
    pub l: u64,
    pub e: u64,
    pub x: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Table {
    /// By number.
    pub messages: Vec<MessageRow>,
    pub floor: Option<FloorRow>,
}

/// A call that changes the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Write {
    LayFloor { before: Option<FloorRow>, floor: FloorRow },
    KeepFloor { x: u64 },
    RaiseFloor { n: u64 },
    Append(MessageRow),
}

/// What it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Done,
    Refused,
    /// By this one.
    Taken(MessageRow),
}

impl Table {
    pub fn write(&mut self, write: Write, mutant: Option<Mutant>) -> Written {
        let floor = self.floor;
        let holds = match write {
            Write::LayFloor { before: None, .. } => floor.is_none(),
            Write::LayFloor { before: Some(before), floor: laid } => {
                floor.is_some_and(|floor| floor.n == before.n && floor.e == before.e && floor.x <= laid.x)
            }
            // An update makes the row when there is none; a condition on an attribute that is missing does not hold.
            Write::KeepFloor { x } => floor.is_some_and(|floor| floor.x < x),
            Write::RaiseFloor { n } => floor.is_some_and(|floor| floor.n < n),
            Write::Append(message) => {
                if let Some(taken) =
                    self.message(message.seq).filter(|_| mutant != Some(Mutant::PutIsUnconditional))
                {
                    return Written::Taken(taken);
                }
                true
            }
        };
        let holds = holds
            || matches!(write, Write::LayFloor { .. }) && mutant == Some(Mutant::FloorIsLaidUnconditionally);
        if !holds {
            return Written::Refused;
        }
        match write {
            Write::LayFloor { floor, .. } => self.floor = Some(floor),
            Write::KeepFloor { x } => self.floor = floor.map(|floor| FloorRow { x, ..floor }),
            Write::RaiseFloor { n } => self.floor = floor.map(|floor| FloorRow { n, ..floor }),
            Write::Append(message) => {
                self.messages.retain(|row| row.seq != message.seq);
                self.messages.push(message);
                self.messages.sort_unstable();
            }
        }
        Written::Done
    }

    pub fn message(&self, seq: u64) -> Option<MessageRow> {
        self.messages.iter().find(|row| row.seq == seq).copied()
    }
}

impl MessageRow {
    /// When it may be swept.
    pub fn x(&self, mutant: Option<Mutant>) -> Option<u64> {
        let later = if mutant == Some(Mutant::SweptAtOnce) { 0 } else { SWEPT_LATER_S };
        self.end.map(|end| end + later)
    }

    /// The product's own type, so that the product's own rules are what is checked.
    pub fn message(&self) -> Message {
        let Draft { client_id, from, elem, options, callbacks, .. } = draft(self.draft);
        Message {
            seq: Seq(self.seq),
            imported: None,
            client_id,
            from,
            time: self.time * 1000,
            elem,
            options,
            counts: Counts::default(),
            listed: Seq(self.seq),
            expires_at: self.end,
            kept_until: self.kept_until,
            moved_up: Stamp::default(),
            revoked_at: None,
            revoked_by: None,
            hidden: Hidden::default(),
            callbacks,
        }
    }

    pub fn of(draft: u8, message: &Message) -> Self {
        Self {
            seq: message.seq.0,
            draft,
            time: message.time / 1000,
            end: message.expires_at,
            kept_until: message.kept_until,
        }
    }

    pub fn is_live(&self, now: u64) -> bool {
        ReadMarker { expires_at: self.end, ..ReadMarker::default() }.is_live(now * 1000)
    }

    pub fn first_of_a_block(&self) -> Option<u64> {
        floor_before(Seq(self.seq)).map(|floor| floor.0)
    }
}

impl FloorRow {
    pub fn floor(&self) -> Floor {
        Floor {
            reserved: Seq(self.n),
            begun_behind: Seq(self.l),
            first_expiry: self.e,
            kept_until: self.x - FLOOR_KEPT_LONGER_S,
        }
    }

    pub fn of(floor: Floor) -> Self {
        let x = floor.kept_until + FLOOR_KEPT_LONGER_S;
        Self { n: floor.reserved.0, l: floor.begun_behind.0, e: floor.first_expiry, x }
    }
}

/// The two users.
pub fn pair() -> &'static Pair {
    static PAIR: LazyLock<Pair> = LazyLock::new(|| {
        let [alice, bob] = ["alice", "bob"].map(|name| UserId::parse("userID", name).unwrap());
        Pair::of(&alice, &bob).unwrap()
    });
    &PAIR
}

/// The drafts of both users, by turns.
pub fn draft(index: u8) -> Draft {
    static ELEM: LazyLock<Elem> = LazyLock::new(|| {
        let payload = hongyan_shared::protocol::to_raw(&json!({ "text": "x" }));
        Elem::parse("TIMTextElem", &payload, None).unwrap()
    });
    let from = if index.is_multiple_of(2) { pair().me() } else { pair().peer() };
    Draft::new(ClientId::parse(&index.to_string()).unwrap(), from.clone(), ELEM.clone(), Options::default())
}
