//! Those of a group who are connected, and how they are told.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures_util::future::try_join_all;
use hongyan_shared::{
    model::{Group, Message, Roster, UserId},
    protocol::{NoticeKind, Push, WireMessage, WireNotice},
};
use tracing::warn;

use crate::{
    caller::Actor,
    config::{Config, Configured},
    notify::Notifier,
    store::{Connection, Consistency, Presence, allowance},
};

/// For how long a sandbox believes what it has read of who is connected, in milliseconds: in a group that talks, the next
/// message follows at once. Who has connected meanwhile misses it, and finds it when they ask for the list once more.
const BELIEVED_MS: u64 = 3_000;

/// How many users are remembered, at most.
const REMEMBERED: usize = 4_096;

/// How many users one call looks up.
const BATCH: usize = 100;

/// The way to the connections of a group's members.
pub struct Audience {
    /// The way to those of users.
    pub notifier: Notifier,
    seen: Mutex<HashMap<UserId, Seen>>,
}

/// What was read of a user.
struct Seen {
    at: u64,
    presence: Presence,
}

/// Who of some users is connected.
#[derive(Default)]
pub struct Present(BTreeMap<UserId, Presence>);

impl Present {
    /// How many of them have a connection.
    pub fn online(&self) -> usize {
        self.0.values().filter(|presence| presence.is_online()).count()
    }

    /// Their connections, but for the one that asks.
    fn connections<'a>(&'a self, actor: Option<Actor<'a>>) -> impl Iterator<Item = &'a Connection> {
        let is_asking = move |connection: &Connection| actor.is_some_and(|actor| actor.is_at(&connection.id));
        let all = self.0.values().flat_map(|presence| &presence.connections);
        all.filter(move |connection| !is_asking(connection))
    }
}

impl Audience {
    /// The one of this deployment.
    pub fn new(config: &Config) -> Configured<Self> {
        Ok(Self { notifier: Notifier::new(config)?, seen: Mutex::default() })
    }

    /// Who of the members of a group is connected and wants to hear of it; of them all, if one is named who acts. Should
    /// looking fail, nobody is told, and all is found in the tables.
    pub async fn of(&self, roster: &Roster, actor: Option<Actor<'_>>) -> Present {
        let wants = |user: &UserId| actor.is_some_and(|actor| actor.user == user);
        let users = roster.members.iter().filter(|(user, member)| !member.discards || wants(user));
        let acting = actor.map(|actor| actor.user);
        let present = self.find(users.map(|(user, _)| user), acting).await;
        if let Some(actor) = actor
            && let Some(presence) = present.0.get(actor.user)
        {
            self.notifier.end_if_restricted(actor, presence).await;
        }
        present
    }

    /// Who of these users is connected.
    pub async fn look_up(&self, users: impl IntoIterator<Item = &UserId>) -> Present {
        self.find(users, None).await
    }

    /// The same. Who acts is read anew: what they are called, and whether they may still act, is never seconds old.
    async fn find(&self, users: impl IntoIterator<Item = &UserId>, acting: Option<&UserId>) -> Present {
        let now = self.notifier.clock.now();
        let (mut present, mut unknown) = (BTreeMap::new(), Vec::new());
        {
            let seen = self.seen();
            for user in users {
                let is_believed = |seen: &&Seen| now.saturating_sub(seen.at) < BELIEVED_MS;
                match seen.get(user).filter(is_believed).filter(|_| acting != Some(user)) {
                    Some(seen) => _ = present.insert(user.clone(), seen.presence.clone()),
                    None => unknown.push(user.clone()),
                }
            }
        }
        allowance::also_look_up(unknown.len());
        let batches = unknown
            .chunks(BATCH)
            .map(|batch| self.notifier.connections.of_all(batch, Consistency::Eventual, now));
        match try_join_all(batches).await {
            Ok(found) => {
                let mut found: BTreeMap<UserId, Presence> = found.into_iter().flatten().collect();
                let mut seen = self.seen();
                if seen.len().saturating_add(unknown.len()) > REMEMBERED {
                    seen.retain(|_, seen| now.saturating_sub(seen.at) < BELIEVED_MS);
                }
                if seen.len().saturating_add(unknown.len()) > REMEMBERED {
                    seen.clear();
                }
                for user in unknown {
                    let presence = found.remove(&user).unwrap_or_default();
                    seen.insert(user.clone(), Seen { at: now, presence: presence.clone() });
                    present.insert(user, presence);
                }
            }
            Err(error) => warn!(%error, "not all of a group can be told"),
        }
        Present(present)
    }

    /// Hands a message to those who are connected, with its sender's names.
    pub async fn receive(
        &self,
        present: &Present,
        roster: &Roster,
        actor: Option<Actor<'_>>,
        message: &Message,
    ) {
        fn set(text: Option<&String>) -> Option<&str> {
            text.map(String::as_str).filter(|text| !text.is_empty())
        }

        let mut named = WireMessage::in_group(&roster.group, message);
        let names = present.0.get(&message.from).map(|presence| &presence.names);
        named.nick = set(names.and_then(|names| names.nick.as_ref()));
        named.avatar = set(names.and_then(|names| names.avatar.as_ref()));
        named.name_card = set(roster.members.get(&message.from).map(|member| &member.card));
        self.notifier.deliver(present.connections(actor), &Push::MessageReceived([named]).frame()).await;
    }

    /// Tells them that a message was recalled.
    pub async fn recalled(&self, present: &Present, roster: &Roster, actor: Actor<'_>, message: &Message) {
        let push = Push::MessageRevoked([WireMessage::in_group(&roster.group, message)]);
        self.notifier.deliver(present.connections(Some(actor)), &push.frame()).await;
    }

    /// Tells some users of something that concerns them in a group.
    pub async fn notice<'a>(
        &self,
        users: impl IntoIterator<Item = &'a UserId>,
        actor: Option<Actor<'_>>,
        notice: WireNotice<'_>,
    ) {
        let present = self.look_up(users).await;
        self.notifier.deliver(present.connections(actor), &Push::GroupNotice(notice).frame()).await;
    }

    /// Tells the actor's other devices of something that concerns them in a group.
    pub async fn notice_others(&self, actor: Actor<'_>, kind: NoticeKind, group: &Group) {
        let notice = WireNotice::new(kind, group, actor.user, self.notifier.clock.now());
        self.notice([actor.user], Some(actor), notice).await;
    }

    // A panic while it was held leaves a map that is still a map.
    fn seen(&self) -> MutexGuard<'_, HashMap<UserId, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
