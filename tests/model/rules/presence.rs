//! Who is connected, who is told of it, and who is pushed to.

use serde_json::{Value, json};

use super::{Caller, Exchange};
use crate::model::{
    action::{Device, Kind, User},
    reference::{Answer, Connection, Model, Watch},
};

/// So young a connection is not taken for dead.
const HANDSHAKE_MS: u64 = 30_000;

impl Model {
    pub fn connect(&mut self, device: Device) -> Connection {
        let now = self.now;
        let number = self.connections.iter().filter(|former| former.device == device).count() + 1;
        let was_online = self.is_online(device.user, now);
        for index in self.connections_of(device.user, |former| former.device == device && former.has_slot) {
            // A browser is told that it was kicked out. A phone says which one it is, and comes back silently.
            let former = &mut self.connections[index];
            if former.counts(now) && former.is_open && device.kind == Kind::Browser {
                let frame = json!({ "event": "kickedOut", "data": { "type": "multipleAccount" } });
                self.happened.pushes.push((former.id.clone(), frame));
            }
            former.is_open = false;
            former.has_slot = false;
        }
        let connection = Connection::new(device, number, now);
        self.connections.push(connection.clone());
        if !was_online {
            self.tell(device.user, true, now);
        }
        connection
    }

    pub fn disconnect(&mut self, index: usize) -> Connection {
        self.connections[index].is_open = false;
        self.free(index, self.now);
        self.connections[index].clone()
    }

    pub fn login(&mut self, caller: &Caller) -> Exchange {
        let platform = if caller.connection.device.kind == Kind::Phone { "MiniProgram" } else { "Web" };
        Exchange::new(
            "login",
            json!({}),
            Answer::Data(json!({
                "userID": caller.user().name(), "platform": platform,
                "serverTime": caller.now / 1000, "userSigExpireTime": 3_372_200_000_u64,
                "connectedTime": caller.connection.connected_at / 1000, "connectionSeconds": 7200,
                "heartbeatSeconds": 240, "pageSize": 15, "maxMessageBytes": 12288, "recallSeconds": 120,
                "version": env!("CARGO_PKG_VERSION"),
            })),
        )
    }

    pub fn logout(&mut self, caller: &Caller) -> Exchange {
        let id = &caller.connection.id;
        let index = self.connections.iter().position(|connection| connection.id == *id).unwrap();
        self.free(index, caller.now);
        self.connections[index].is_open = false;
        Exchange::new("logout", json!({}), Answer::Data(json!({})))
    }

    pub fn statuses(&mut self, caller: &Caller) -> Exchange {
        let others: Vec<User> = User::ALL.into_iter().filter(|user| *user != caller.user()).collect();
        let (seen, hidden) = self.visible(caller, &others);
        let answer = json!({ "successUserList": seen, "failureUserList": hidden });
        Exchange::new("get-user-status", json!({ "userIDList": names(&others) }), Answer::Data(answer))
    }

    /// This connection is told how it stands, and from then on.
    pub fn watch(&mut self, caller: &Caller, users: &[User]) -> Exchange {
        let (seen, hidden) = self.visible(caller, users);
        let Connection { id, device, .. } = &caller.connection;
        for status in &seen {
            let user = User::ALL.into_iter().find(|user| status["userID"] == user.name()).unwrap();
            self.watches.retain(|watch| watch.user != user || watch.watcher != *device);
            let ends_s = caller.connection.ends_s();
            self.watches.push(Watch { user, watcher: *device, connection: id.clone(), ends_s });
        }
        if !seen.is_empty() && !caller.how.pushes_lost {
            let frame = json!({ "event": "onUserStatusUpdated", "data": seen });
            self.happened.pushes.push((id.clone(), frame));
        }
        let answer = Answer::Data(json!({ "failureUserList": hidden }));
        Exchange::new("subscribe-user-status", json!({ "userIDList": names(users) }), answer)
    }

    pub fn unwatch(&mut self, caller: &Caller, users: &[User]) -> Exchange {
        let id = &caller.connection.id;
        self.watches.retain(|watch| watch.connection != *id || !users.contains(&watch.user));
        let answer = Answer::Data(json!({ "failureUserList": [] }));
        Exchange::new("unsubscribe-user-status", json!({ "userIDList": names(users) }), answer)
    }

    /// The status of those whom a user has a conversation with and who do not block the user, and why not of
    /// the others.
    fn visible(&self, caller: &Caller, users: &[User]) -> (Vec<Value>, Vec<Value>) {
        let (mut seen, mut hidden) = (Vec::new(), Vec::new());
        for user in users {
            let mut refuse = |code: i64| hidden.push(json!({ "userID": user.name(), "code": code }));
            if self.blocks.contains(&(*user, caller.user())) {
                refuse(20007);
            } else if self.seen(caller.user(), *user).listed_until_s == 0 {
                refuse(2500);
            } else {
                seen.push(status(*user, self.is_online(*user, caller.now)));
            }
        }
        (seen, hidden)
    }

    /// A frame to all devices of these users but the caller's. A connection that is gone is forgotten.
    pub fn push(&mut self, caller: &Caller, to: &[User], frame: &Value) {
        if caller.how.pushes_lost {
            return;
        }
        for user in to {
            let mut gone = Vec::new();
            for index in self.connections_of(*user, |connection| connection.counts(caller.now)) {
                let connection = &self.connections[index];
                if connection.id == caller.connection.id {
                    continue;
                }
                if connection.is_open {
                    self.happened.pushes.push((connection.id.clone(), frame.clone()));
                } else if caller.now >= connection.connected_at + HANDSHAKE_MS {
                    gone.push(index);
                }
            }
            for index in gone {
                self.free(index, caller.now);
            }
        }
    }

    /// A connection has no row any more. If it was the last one of its user, those who watch are told.
    fn free(&mut self, index: usize, now: u64) {
        let user = self.connections[index].device.user;
        if std::mem::take(&mut self.connections[index].has_slot) && !self.is_online(user, now) {
            self.tell(user, false, now);
        }
    }

    /// Who watches a user is told, unless they are on the user's blacklist.
    fn tell(&mut self, user: User, is_online: bool, now: u64) {
        let frame = json!({ "event": "onUserStatusUpdated", "data": [status(user, is_online)] });
        for watch in self.watches.clone() {
            let is_welcome = !self.blocks.contains(&(user, watch.watcher.user));
            if watch.user != user || watch.ends_s <= now / 1000 || !is_welcome {
                continue;
            }
            let is_open = |connection: &Connection| connection.id == watch.connection && connection.is_open;
            if self.connections.iter().any(is_open) {
                self.happened.pushes.push((watch.connection, frame.clone()));
            } else {
                self.watches.retain(|other| other.user != user || other.connection != watch.connection);
            }
        }
    }

    fn connections_of(&self, user: User, which: impl Fn(&Connection) -> bool) -> Vec<usize> {
        let of_them =
            |index: &usize| self.connections[*index].device.user == user && which(&self.connections[*index]);
        (0..self.connections.len()).filter(of_them).collect()
    }
}

fn status(user: User, is_online: bool) -> Value {
    json!({ "userID": user.name(), "statusType": if is_online { 1 } else { 2 }, "customStatus": "" })
}

fn names(users: &[User]) -> Vec<&'static str> {
    users.iter().map(|user| user.name()).collect()
}
