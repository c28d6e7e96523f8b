//! What a change is known by when it is asked for once more: its name, and what its tip tells of.

use hongyan_shared::{
    model::{Group, InfoChange, Tip, TipKind, UserId},
    protocol::ChangeName,
};
use serde_json::{Value, json};

use crate::caller::Actor;

/// A change by its name.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The name.
    pub name: &'a ChangeName,
    /// What its tip tells of.
    pub told: Told<'a>,
}

/// What somebody asks for by a name, as its tip tells of it: one and the same name may not stand for anything else.
#[derive(Debug, Clone, Copy)]
pub enum Told<'a> {
    /// That they have come, or gone, themselves.
    Themselves(TipKind),
    /// That this has happened to these, or some of them.
    Members(TipKind, &'a [UserId]),
    /// That these, or some of them, may not speak for so many seconds.
    Muted(&'a [UserId], u64),
    /// That the group says this about itself.
    Info(&'a InfoChange),
    /// That the group is theirs.
    Owner(&'a UserId),
    /// Nothing: it has no tip.
    Nothing,
}

impl Told<'_> {
    /// Whether that is what the payload of a tip tells of.
    pub(super) fn is_in(self, payload: &str, actor: Actor<'_>, group: &Group) -> bool {
        let said: Value = serde_json::from_str(payload).unwrap_or_default();
        let is_of = |kind: TipKind| said.get("operationType") == Some(&json!(kind as u8));
        let concerns = |kind: TipKind, users: &[UserId]| {
            let told = users_of(payload);
            is_of(kind) && !told.is_empty() && told.iter().all(|user| users.contains(user))
        };
        let says = |tip: Tip<'_>| {
            let tip: Value = serde_json::from_str(&tip.payload()).unwrap_or_default();
            is_of(TipKind::Described) && said.get("newGroupProfile") == tip.get("newGroupProfile")
        };
        let described = Tip::new(TipKind::Described, actor.user, &group.id, &group.info.name);
        match self {
            Self::Themselves(kind) => concerns(kind, std::slice::from_ref(actor.user)),
            Self::Members(kind, users) => concerns(kind, users),
            Self::Muted(users, seconds) => {
                concerns(TipKind::Muted, users)
                    && said.pointer("/memberList/0/muteTime") == Some(&json!(seconds))
            }
            Self::Info(change) => {
                let change = change.clone().allowed_in(group.kind);
                says(Tip { change: Some(&change), ..described })
            }
            Self::Owner(owner) => says(Tip { owner: Some(Some(owner)), ..described }),
            Self::Nothing => false,
        }
    }
}

pub(super) fn users_of(payload: &str) -> Vec<UserId> {
    let payload: Value = serde_json::from_str(payload).unwrap_or_default();
    let users = payload.get("userIDList").and_then(Value::as_array).into_iter().flatten();
    users.filter_map(|user| UserId::parse("user", user.as_str()?).ok()).collect()
}
