//! A message as an item.

use hongyan_shared::{
    Error, Result,
    model::{
        Address, CallbackNotes, ClientId, Counts, Elem, Hidden, LogKey, Mentions, Message, Options, Payload,
        Platform, Priority, PushInfo, Seq, Stamp, UserId, Verdict,
    },
};
use serde::{Deserialize, Serialize};

use super::{
    super::{Item, from_item},
    SWEPT_LATER_S, address_of, message_key,
};

/// A message. Attribute names are one letter long, so that fifteen texts fit one read unit.
#[derive(Serialize, Deserialize)]
pub(super) struct MessageRow {
    /// Conversation.
    p: String,
    /// `M` + sequence number, or `H` + where it lies among what was imported.
    pub(super) s: String,
    /// From.
    pub(super) f: String,
    /// Client ID.
    c: String,
    /// Time, milliseconds.
    t: u64,
    /// Type.
    pub(super) y: String,
    /// Payload, as JSON.
    pub(super) d: String,
    /// Cloud custom data.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    k: String,
    /// How many that can be unread the low side has sent.
    a: u64,
    /// How many the high side has.
    z: u64,
    /// Priority, unless it is the usual one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    o: Option<Priority>,
    /// Wants a read receipt.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    q: bool,
    /// Takes extensions.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    e: bool,
    /// Is never unread.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    u: bool,
    /// Is no last message in a list: this one before it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    l: Option<u64>,
    /// Recalled at, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) r: Option<u64>,
    /// Recalled by, if that was not the sender.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    rb: Option<String>,
    /// Of a group: the members whom it concerns by name.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    m: Vec<String>,
    /// Of a group: it concerns all of them.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    ma: bool,
    /// Hidden from the low side.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    ha: bool,
    /// Hidden from the high side.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    hz: bool,
    /// What the business server has made of it, unless that is nothing: 1, it has rewritten it; 2, it has withheld it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    j: Option<u8>,
    /// The business server is not told of it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    nc: bool,
    /// The kind of device that it was sent from, for the business server.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pf: Option<String>,
    /// What a notification is to be like, as JSON, for the business server.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pi: Option<String>,
    /// Until when what stands beside it is kept, seconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    v: Option<u64>,
    /// When the conversation was last moved up in the lists, milliseconds.
    #[serde(default)]
    w: u64,
    /// Swept at, seconds: the TTL attribute.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    x: Option<u64>,
}

const REWRITTEN: u8 = 1;
const WITHHELD: u8 = 2;

impl MessageRow {
    pub(super) fn new(key: &LogKey, message: &Message) -> Self {
        Self {
            p: key.as_str().to_owned(),
            s: message_key(message.address()),
            f: message.from.to_string(),
            c: message.client_id.as_str().to_owned(),
            t: message.time,
            y: message.elem.kind().to_owned(),
            d: message.elem.payload().as_str().to_owned(),
            k: message.elem.custom_data().to_owned(),
            a: message.counts.low,
            z: message.counts.high,
            o: Some(message.options.priority).filter(|priority| *priority != Priority::default()),
            q: message.options.needs_read_receipt,
            e: message.options.supports_extension,
            u: message.options.excluded_from_unread_count,
            l: message.options.excluded_from_last_message.then_some(message.listed.0),
            r: message.revoked_at,
            rb: message.revoked_by.as_ref().map(UserId::to_string),
            m: message.elem.mentions().users.iter().map(UserId::to_string).collect(),
            ma: message.elem.mentions().all,
            ha: message.hidden.from_low,
            hz: message.hidden.from_high,
            j: match message.callbacks.verdict {
                Verdict::Untouched => None,
                Verdict::Rewritten => Some(REWRITTEN),
                Verdict::Withheld => Some(WITHHELD),
            },
            nc: message.callbacks.is_untold,
            pf: message.callbacks.platform.map(|platform| platform.as_str().to_owned()),
            pi: message.callbacks.push_info.as_ref().map(|info| info.as_str().to_owned()),
            v: message.kept_until,
            w: message.moved_up.0,
            x: message.expires_at.map(|second| second.saturating_add(SWEPT_LATER_S)),
        }
    }
}

pub(super) fn parse(item: Item) -> Result<Message> {
    message(from_item(item)?)
}

/// The message of a row.
pub(super) fn message(row: MessageRow) -> Result<Message> {
    let wrong = |what: &str| Error::Internal(format!("{what} of message {} is wrong", row.s));
    let payload =
        Payload::restore(row.d).ok_or_else(|| Error::Internal("a payload is no JSON".to_owned()))?;
    let named = row.m.iter().map(|user| UserId::parse("m", user));
    let users = named.collect::<Result<_>>().map_err(|_| wrong("a name"))?;
    let elem = Elem::restore(row.y, payload, row.k).mentioning(Mentions { users, all: row.ma });
    // Here, so that no route can tell by mistake what a recalled message said.
    let elem = if row.r.is_some() { elem.recall() } else { elem };
    let (seq, imported) = match address_of(&row.s).ok_or_else(|| wrong("the key"))? {
        Address::Number(seq) => (seq, None),
        Address::Imported(place) => (Seq(0), Some(place)),
    };
    Ok(Message {
        seq,
        imported,
        client_id: ClientId::parse(&row.c).map_err(|_| wrong("the client ID"))?,
        from: UserId::parse("f", &row.f).map_err(|_| wrong("the sender"))?,
        time: row.t,
        elem,
        options: Options {
            priority: row.o.unwrap_or_default(),
            needs_read_receipt: row.q,
            supports_extension: row.e,
            excluded_from_unread_count: row.u,
            excluded_from_last_message: row.l.is_some(),
        },
        counts: Counts { low: row.a, high: row.z },
        listed: row.l.map_or(seq, Seq),
        expires_at: row.x.map(|second| second.saturating_sub(SWEPT_LATER_S)),
        kept_until: row.v,
        moved_up: Stamp(row.w),
        revoked_at: row.r,
        revoked_by: row.rb.as_deref().and_then(|user| UserId::parse("rb", user).ok()),
        hidden: Hidden { from_low: row.ha, from_high: row.hz },
        callbacks: CallbackNotes {
            verdict: match row.j {
                Some(REWRITTEN) => Verdict::Rewritten,
                Some(WITHHELD) => Verdict::Withheld,
                _ => Verdict::Untouched,
            },
            // Those were for the send.
            is_unasked: false,
            is_untold: row.nc,
            platform: row.pf.as_deref().map(Platform::named),
            push_info: row.pi.map(PushInfo::restore),
        },
    })
}
