//! What may happen: the transitions of the machine, one kind of action a line, as a page of a failure shows them.

use std::fmt;

use proptest::{prelude::*, sample::select};

/// The three users, in the order of their names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum User {
    Alice,
    Bob,
    Carol,
}

impl User {
    pub const ALL: [Self; 3] = [Self::Alice, Self::Bob, Self::Carol];

    pub fn name(self) -> &'static str {
        match self {
            Self::Alice => "alice",
            Self::Bob => "bob",
            Self::Carol => "carol",
        }
    }

    /// The conversation with this user, as the other one calls it.
    pub fn conversation_id(self) -> String {
        format!("C2C{}", self.name())
    }
}

/// What a user has in the hand. A phone says which one it is, so it comes back silently; a browser does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Phone,
    Browser,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Device {
    pub user: User,
    pub kind: Kind,
}

/// One thing that happens.
#[derive(Clone)]
pub enum Transition {
    /// A device sends a frame.
    Frame { by: Device, action: Action, how: How },
    /// A device connects, whether it is connected or not.
    Connect(Device),
    /// Its connection ends, and `$disconnect` says so.
    Disconnect(Device),
    /// Its connection ends, and nobody is told.
    Cut(Device),
    /// `$disconnect` of a connection that it had before comes in late, or once more.
    LateDisconnect(Device),
    /// The clock goes on by so many seconds.
    Later(u64),
    /// A business server imports that the one has said something to the other: so many seconds ago, or before anything that is
    /// there where messages expire.
    Import { from: User, to: User, ago: u64, seq: u32 },
    /// DynamoDB sweeps what has expired.
    Sweep,
}

/// Under which circumstances a frame is served.
#[derive(Clone, Copy, Default)]
pub struct How {
    /// By the other sandbox, whose clock may be ahead.
    pub elsewhere: bool,
    /// No push of it gets through.
    pub pushes_lost: bool,
}

#[derive(Clone)]
pub enum Action {
    Send {
        to: User,
        base: Base,
        options: Options,
        fate: Fate,
    },
    /// Several messages at once, so that the conversation gets longer than one query looks.
    SendMany {
        to: User,
        messages: u64,
    },
    /// Sends again what this device's user has sent, so many messages ago, as it was.
    Retry {
        back: usize,
        fate: Fate,
    },
    /// Uses the name of it for another text.
    Misname {
        back: usize,
    },
    /// Sends again what was refused for its base, with the last number as the protocol says.
    Rebase {
        back: usize,
    },
    /// A message for those who are online.
    Hint {
        to: User,
    },
    Read {
        peer: User,
        up_to: Place,
    },
    Recall {
        peer: User,
        at: Place,
    },
    Delete {
        peer: User,
        at: Vec<Place>,
    },
    Clear {
        peer: User,
        up_to: Place,
    },
    Unlist {
        peer: User,
        up_to: Place,
    },
    Pin {
        peer: User,
        is_pinned: bool,
    },
    Block {
        users: Vec<User>,
    },
    Unblock {
        users: Vec<User>,
    },
    Watch {
        users: Vec<User>,
    },
    Unwatch {
        users: Vec<User>,
    },
    Statuses,
    Login,
    Logout,
}

/// What the sender has seen of the conversation.
#[derive(Clone, Copy)]
pub enum Base {
    /// All of it but so many of the newest.
    Behind(u64),
    /// More than there is: the tables were restored from a backup.
    Beyond(u64),
}

#[derive(Clone, Copy, Default)]
pub struct Options {
    pub is_uncounted: bool,
    pub is_unlisted: bool,
}

/// What becomes of the function that writes a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Lives,
    /// The connection to DynamoDB breaks when the message has been written: the SDK writes it again.
    WritesTwice,
    /// It is killed before the message is written, and nobody gets an answer.
    DiesBefore,
    /// It is killed when the message has been written.
    DiesAfter,
}

/// A message of a conversation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nothing is named, which means the last one.
    Unnamed,
    /// The last one, or so many before it.
    Back(u64),
    /// A number that is not given out yet.
    Ahead(u64),
}

impl Transition {
    /// Anything, whatever came before: the model says what becomes of it.
    pub fn any(devices: Vec<Device>) -> BoxedStrategy<Self> {
        let some_device = || (user(), kind()).prop_map(|(user, kind)| Device { user, kind });
        let around = prop_oneof![
            3 => some_device().prop_map(Self::Connect),
            2 => some_device().prop_map(Self::Disconnect),
            2 => some_device().prop_map(Self::Cut),
            1 => some_device().prop_map(Self::LateDisconnect),
            3 => select(vec![1, 31, 121, 300, 600]).prop_map(Self::Later),
            1 => select(vec![2 * HOUR, 2 * HOUR + 300, 40 * 24 * HOUR]).prop_map(Self::Later),
            1 => Just(Self::Sweep),
            3 => import(),
        ];
        if devices.is_empty() {
            return around.boxed();
        }
        let frame = (select(devices), how()).prop_flat_map(|(by, how)| {
            Action::of(by.user).prop_map(move |action| Self::Frame { by, action, how })
        });
        prop_oneof![4 => frame, 1 => around].boxed()
    }
}

const HOUR: u64 = 60 * 60;

impl Action {
    fn of(me: User) -> BoxedStrategy<Self> {
        let peers: Vec<User> = User::ALL.into_iter().filter(|user| *user != me).collect();
        // Most of it happens between two of the three, or nothing would come of it.
        let peer = {
            let (first, second) = (peers[0], peers[1]);
            move || prop_oneof![3 => Just(first), 1 => Just(second)]
        };
        let some = move || prop_oneof![3 => peer().prop_map(|user| vec![user]), 1 => Just(peers.clone())];
        prop_oneof![
            10 => (peer(), base(), options(), fate())
                .prop_map(|(to, base, options, fate)| Self::Send { to, base, options, fate }),
            1 => (peer(), select(vec![9, 17, 33])).prop_map(|(to, messages)| Self::SendMany { to, messages }),
            3 => (0_usize..4, fate()).prop_map(|(back, fate)| Self::Retry { back, fate }),
            1 => (0_usize..4).prop_map(|back| Self::Misname { back }),
            1 => (0_usize..4).prop_map(|back| Self::Rebase { back }),
            1 => peer().prop_map(|to| Self::Hint { to }),
            5 => (peer(), place()).prop_map(|(peer, up_to)| Self::Read { peer, up_to }),
            3 => (peer(), named()).prop_map(|(peer, at)| Self::Recall { peer, at }),
            2 => (peer(), prop::collection::vec(named(), 1..3)).prop_map(|(peer, at)| Self::Delete { peer, at }),
            2 => (peer(), place()).prop_map(|(peer, up_to)| Self::Clear { peer, up_to }),
            1 => (peer(), place()).prop_map(|(peer, up_to)| Self::Unlist { peer, up_to }),
            2 => (peer(), any::<bool>()).prop_map(|(peer, is_pinned)| Self::Pin { peer, is_pinned }),
            2 => some().prop_map(|users| Self::Block { users }),
            3 => some().prop_map(|users| Self::Unblock { users }),
            3 => some().prop_map(|users| Self::Watch { users }),
            1 => some().prop_map(|users| Self::Unwatch { users }),
            1 => Just(Self::Statuses),
            1 => Just(Self::Login),
            1 => Just(Self::Logout),
        ]
        .boxed()
    }
}

fn import() -> impl Strategy<Value = Transition> {
    let between = (user(), user()).prop_filter("two users", |(from, to)| from != to);
    (between, select(vec![0, 1, 299, 599, 601, 5 * HOUR]), 0..3_u32)
        .prop_map(|((from, to), ago, seq)| Transition::Import { from, to, ago, seq })
}

fn user() -> impl Strategy<Value = User> {
    select(User::ALL.to_vec())
}

fn kind() -> impl Strategy<Value = Kind> {
    select(vec![Kind::Phone, Kind::Browser])
}

fn how() -> impl Strategy<Value = How> {
    prop_oneof![
        8 => Just(How::default()),
        4 => Just(How { elsewhere: true, ..How::default() }),
        1 => Just(How { pushes_lost: true, ..How::default() }),
    ]
}

fn base() -> impl Strategy<Value = Base> {
    prop_oneof![
        6 => Just(Base::Behind(0)),
        3 => (1_u64..4).prop_map(Base::Behind),
        1 => (1_u64..3).prop_map(Base::Beyond),
    ]
}

fn options() -> impl Strategy<Value = Options> {
    prop_oneof![
        4 => Just(Options::default()),
        1 => Just(Options { is_uncounted: true, ..Options::default() }),
        1 => Just(Options { is_unlisted: true, ..Options::default() }),
        1 => Just(Options { is_uncounted: true, is_unlisted: true }),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        12 => Just(Fate::Lives),
        1 => Just(Fate::WritesTwice),
        1 => Just(Fate::DiesBefore),
        1 => Just(Fate::DiesAfter),
    ]
}

fn named() -> impl Strategy<Value = Place> {
    prop_oneof![8 => (0_u64..4).prop_map(Place::Back), 1 => (1_u64..3).prop_map(Place::Ahead)]
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![2 => Just(Place::Unnamed), 3 => named()]
}

impl fmt::Debug for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame { by, action, how } => write!(f, "{by:?}: {action:?}{how:?}"),
            Self::Connect(device) => write!(f, "{device:?} connects"),
            Self::Disconnect(device) => write!(f, "{device:?} disconnects"),
            Self::Cut(device) => write!(f, "{device:?} is cut off"),
            Self::LateDisconnect(device) => write!(f, "{device:?}: a late $disconnect"),
            Self::Later(seconds) => write!(f, "{seconds} s later"),
            Self::Import { from, to, ago, seq } => {
                write!(f, "{from:?} has said to {to:?}, {ago} s ago, as number {seq}")
            }
            Self::Sweep => f.write_str("sweep"),
        }
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send { to, base, options, fate } => {
                write!(f, "send to {to:?}{base:?}{options:?}{fate:?}")
            }
            Self::SendMany { to, messages } => write!(f, "send {messages} messages to {to:?}"),
            Self::Retry { back, fate } => write!(f, "retry the last but {back}{fate:?}"),
            Self::Misname { back } => write!(f, "another text under the name of the last but {back}"),
            Self::Rebase { back } => write!(f, "rebase the last but {back}"),
            Self::Hint { to } => write!(f, "hint to {to:?}"),
            Self::Read { peer, up_to } => write!(f, "read {peer:?}, {up_to:?}"),
            Self::Recall { peer, at } => write!(f, "recall to {peer:?}, {at:?}"),
            Self::Delete { peer, at } => write!(f, "delete of {peer:?}, {at:?}"),
            Self::Clear { peer, up_to } => write!(f, "clear {peer:?}, {up_to:?}"),
            Self::Unlist { peer, up_to } => write!(f, "unlist {peer:?}, {up_to:?}"),
            Self::Pin { peer, is_pinned: true } => write!(f, "pin {peer:?}"),
            Self::Pin { peer, is_pinned: false } => write!(f, "unpin {peer:?}"),
            Self::Block { users } => write!(f, "block {users:?}"),
            Self::Unblock { users } => write!(f, "unblock {users:?}"),
            Self::Watch { users } => write!(f, "watch {users:?}"),
            Self::Unwatch { users } => write!(f, "unwatch {users:?}"),
            Self::Statuses => f.write_str("statuses"),
            Self::Login => f.write_str("login"),
            Self::Logout => f.write_str("logout"),
        }
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Phone => write!(f, "{:?}", self.user),
            Kind::Browser => write!(f, "{:?}'s browser", self.user),
        }
    }
}

impl fmt::Debug for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.elsewhere { ", in the other sandbox" } else { "" })?;
        f.write_str(if self.pushes_lost { ", pushes lost" } else { "" })
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_uncounted { ", uncounted" } else { "" })?;
        f.write_str(if self.is_unlisted { ", no last message" } else { "" })
    }
}

impl fmt::Debug for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Behind(0) => Ok(()),
            Self::Behind(messages) => write!(f, ", base {messages} behind"),
            Self::Beyond(messages) => write!(f, ", base {messages} beyond the end"),
        }
    }
}

impl fmt::Debug for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lives => "",
            Self::WritesTwice => ", written twice",
            Self::DiesBefore => ", killed before it is written",
            Self::DiesAfter => ", killed when it is written",
        })
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unnamed => f.write_str("unnamed"),
            Self::Back(0) => f.write_str("the last"),
            Self::Back(messages) => write!(f, "the last but {messages}"),
            Self::Ahead(messages) => write!(f, "{messages} beyond the end"),
        }
    }
}
