//! Tips: what a group's log says of its members and of itself. They are messages as any other, and no client sends one.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{GroupId, InfoChange};
use crate::model::{ClientId, Draft, Elem, Options, Payload, TIP, UserId};

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TipKind {
    /// Users have come.
    Joined = 1,
    /// One has gone.
    Quit = 2,
    /// Some were put out.
    Kicked = 3,
    /// Members have become admins.
    Appointed = 4,
    /// They are no more.
    Demoted = 5,
    /// The group says something else about itself, or is somebody else's.
    Described = 6,
    /// Members may not speak, or may again.
    Muted = 7,
}

/// What a tip says.
#[derive(Debug, Clone)]
pub struct Tip<'a> {
    /// What has happened.
    pub kind: TipKind,
    /// By whom.
    pub operator: &'a UserId,
    /// Where.
    pub group: &'a GroupId,
    /// What that is called.
    pub name: &'a str,
    /// To whom.
    pub users: &'a [UserId],
    /// How many members there are then.
    pub members: Option<u64>,
    /// Why.
    pub reason: Option<&'a str>,
    /// What is different then.
    pub change: Option<&'a InfoChange>,
    /// Whose it is then, if that changes; it may be nobody's.
    pub owner: Option<Option<&'a UserId>>,
    /// For how many seconds they may not speak.
    pub mute_seconds: Option<u64>,
}

impl<'a> Tip<'a> {
    /// That this has happened to nobody in particular.
    pub fn new(kind: TipKind, operator: &'a UserId, group: &'a GroupId, name: &'a str) -> Self {
        Self {
            kind,
            operator,
            group,
            name,
            users: &[],
            members: None,
            reason: None,
            change: None,
            owner: None,
            mute_seconds: None,
        }
    }

    /// What it says, as JSON.
    pub fn payload(&self) -> String {
        let mut payload = Map::new();
        let mut say = |name: &str, value: Value| payload.insert(name.to_owned(), value);
        say("operationType", json!(self.kind as u8));
        say("operatorID", json!(self.operator));
        if self.kind != TipKind::Described {
            say("userIDList", json!(self.users));
        }
        if let Some(members) = self.members {
            say("memberNum", json!(members));
        }
        if let Some(reason) = self.reason {
            say("reason", json!(reason));
        }
        if let Some(seconds) = self.mute_seconds {
            let muted = |user: &UserId| json!({ "userID": user, "muteTime": seconds });
            say("memberList", self.users.iter().map(muted).collect());
        }
        if self.kind == TipKind::Described || self.owner.is_some() {
            say("newGroupProfile", self.described());
        }
        say("groupProfile", json!({ "groupID": self.group, "groupName": self.name }));
        Value::Object(payload).to_string()
    }

    fn described(&self) -> Value {
        fn set(profile: &mut Map<String, Value>, name: &str, value: Option<&impl Serialize>) {
            if let Some(value) = value {
                profile.insert(name.to_owned(), json!(value));
            }
        }

        let mut profile = Map::new();
        let owner = self.owner.map(|owner| owner.map_or("", UserId::as_str));
        set(&mut profile, "ownerID", owner.as_ref());
        if let Some(change) = self.change {
            set(&mut profile, "groupName", change.name.as_ref());
            set(&mut profile, "avatar", change.avatar.as_ref());
            set(&mut profile, "faceUrl", change.avatar.as_ref());
            set(&mut profile, "introduction", change.introduction.as_ref());
            set(&mut profile, "notification", change.notification.as_ref());
            set(&mut profile, "joinOption", change.join.as_ref());
            set(&mut profile, "inviteOption", change.invite.as_ref());
            set(&mut profile, "muteAllMembers", change.mutes_all.as_ref());
            set(&mut profile, "maxMemberCount", change.limit.as_ref());
        }
        Value::Object(profile)
    }

    /// The message that such a payload becomes: who keeps the promise sends it for the one who made it.
    pub fn draft(from: &UserId, client_id: &ClientId, payload: &str) -> Option<Draft> {
        let payload = Payload::restore(payload.to_owned())?;
        let elem = Elem::restore(TIP.to_owned(), payload, String::new());
        Some(Draft::new(client_id.clone(), from.clone(), elem, Options::default()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn said(tip: &Tip<'_>) -> Value {
        serde_json::from_str(&tip.payload()).unwrap()
    }

    #[test]
    fn a_tip_says_what_has_happened_to_whom_and_how_many_are_left() {
        let [alice, bob] = ["alice", "bob"].map(|name| UserId::parse("test", name).unwrap());
        let group = GroupId::parse("g").unwrap();
        let users = [bob.clone()];
        let tip = |kind| Tip { users: &users, ..Tip::new(kind, &alice, &group, "name") };
        let of_group = json!({ "groupID": "g", "groupName": "name" });
        let kicked = Tip { members: Some(2), reason: Some("why"), ..tip(TipKind::Kicked) };
        assert_eq!(
            said(&kicked),
            json!({
                "operationType": 3, "operatorID": "alice", "userIDList": ["bob"], "memberNum": 2, "reason": "why",
                "groupProfile": of_group
            })
        );
        let quit = Tip { members: Some(1), owner: Some(None), ..tip(TipKind::Quit) };
        assert_eq!(
            said(&quit),
            json!({
                "operationType": 2, "operatorID": "alice", "userIDList": ["bob"], "memberNum": 1,
                "newGroupProfile": { "ownerID": "" }, "groupProfile": of_group
            })
        );
        let muted = Tip { mute_seconds: Some(60), ..tip(TipKind::Muted) };
        assert_eq!(
            said(&muted),
            json!({
                "operationType": 7, "operatorID": "alice", "userIDList": ["bob"],
                "memberList": [{ "userID": "bob", "muteTime": 60 }], "groupProfile": of_group
            })
        );
        let change = InfoChange {
            avatar: Some("https://x".to_owned()),
            mutes_all: Some(false),
            ..InfoChange::default()
        };
        let described = Tip { change: Some(&change), owner: Some(Some(&bob)), ..tip(TipKind::Described) };
        assert_eq!(
            said(&described),
            json!({
                "operationType": 6, "operatorID": "alice",
                "newGroupProfile": {
                    "ownerID": "bob", "avatar": "https://x", "faceUrl": "https://x", "muteAllMembers": false
                },
                "groupProfile": of_group
            })
        );
    }

    #[test]
    fn a_tip_is_a_message_of_who_has_made_the_change() {
        let alice = UserId::parse("test", "alice").unwrap();
        let client_id = ClientId::parse("token").unwrap();
        let draft = Tip::draft(&alice, &client_id, "{}").unwrap();
        assert_eq!((draft.elem.kind(), draft.elem.payload().as_str(), draft.from), (TIP, "{}", alice));
        assert!(Elem::parse(TIP, &crate::protocol::to_raw(&json!({})), None).is_err(), "no client sends one");
    }
}
