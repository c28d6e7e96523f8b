//! `setMessageRead`, `deleteConversation` and `pinConversation`.

use serde_json::{Value, json};

use super::{Caller, Exchange, refused};
use crate::model::{
    action::{Place, User},
    reference::{Answer, Message, Model, Position, Standing},
};

impl Model {
    pub fn read(&mut self, caller: &Caller, peer: User, up_to: Place) -> Exchange {
        let (me, now) = (caller.user(), caller.now);
        let data = self.up_to(caller, peer, up_to);
        let reached = self.reached(caller, peer, up_to);
        let before = self.seen(me, peer).standing(me).read.at(now).sequence;
        if let Some(reached) = reached.filter(|message| message.sequence > before) {
            let is_blocked = self.is_blocked(me, peer);
            let standing = self.standing(me, peer);
            standing.noted = is_blocked.then(|| standing.noted.unwrap_or(standing.read));
            standing.read = reached.position();
            let to_peer = json!({
                "conversationID": me.conversation_id(), "sequence": reached.sequence, "time": reached.time / 1000,
            });
            if !self.is_blocked(me, peer) {
                self.push(caller, &[peer], &json!({ "event": "onMessageReadByPeer", "data": to_peer }));
            }
            let unread = self.seen(me, peer).unread(me, now);
            self.update(caller, json!({
                "conversationID": peer.conversation_id(), "readSequence": reached.sequence, "unreadCount": unread,
            }));
        }
        let chat = self.seen(me, peer);
        Exchange::new(
            "set-message-read",
            data,
            Answer::Data(json!({
                "conversationID": peer.conversation_id(),
                "readSequence": chat.standing(me).read.at(now).sequence,
                "unreadCount": chat.unread(me, now),
            })),
        )
    }

    /// With its history.
    pub fn clear(&mut self, caller: &Caller, peer: User, up_to: Place) -> Exchange {
        let data = self.up_to(caller, peer, up_to);
        self.remove(caller, peer, up_to, data, "clearedSequence", |standing| &mut standing.cleared)
    }

    /// Out of the list alone.
    pub fn unlist(&mut self, caller: &Caller, peer: User, up_to: Place) -> Exchange {
        let mut data = self.up_to(caller, peer, up_to);
        data["clearHistoryMessage"] = json!(false);
        self.remove(caller, peer, up_to, data, "unlistedSequence", |standing| &mut standing.unlisted)
    }

    fn remove(
        &mut self,
        caller: &Caller,
        peer: User,
        up_to: Place,
        data: Value,
        name: &str,
        position: impl Fn(&mut Standing) -> &mut Position,
    ) -> Exchange {
        let (me, now) = (caller.user(), caller.now);
        let reached = self.reached(caller, peer, up_to).map(|message| message.position());
        let newest = self.seen(me, peer).newest_imported(now);
        let has_numbers = self.seen(me, peer).last_live(now) > 0;
        let reached = reached.or(newest.filter(|_| !has_numbers));
        let before = position(self.standing(me, peer)).at(now);
        let is_farther = |reached: &Position| match reached.sequence {
            0 => before.sequence == 0 && reached.time > before.time,
            sequence => sequence > before.sequence,
        };
        if let Some(reached) = reached.filter(is_farther) {
            *position(self.standing(me, peer)) = reached;
            let unread = self.seen(me, peer).unread(me, now);
            let mut update = json!({ "conversationID": peer.conversation_id(), "unreadCount": unread });
            update[name] = json!(reached.sequence);
            self.update(caller, update);
        }
        let standing = self.seen(me, peer).standing(me);
        let mut reply = json!({
            "conversationID": peer.conversation_id(), "clearedSequence": standing.cleared.at(now).sequence,
        });
        let unlisted = standing.unlisted.at(now).sequence;
        if unlisted > 0 {
            reply["unlistedSequence"] = json!(unlisted);
        }
        Exchange::new("delete-conversation", data, Answer::Data(reply))
    }

    pub fn pin(&mut self, caller: &Caller, peer: User, is_pinned: bool) -> Exchange {
        let data = json!({ "conversationID": peer.conversation_id(), "isPinned": is_pinned });
        if self.seen(caller.user(), peer).listed_until_s == 0 {
            return Exchange::new("pin-conversation", data, refused(2500));
        }
        self.standing(caller.user(), peer).is_pinned = is_pinned;
        self.update(caller, data.clone());
        Exchange::new("pin-conversation", data.clone(), Answer::Data(data))
    }

    fn up_to(&self, caller: &Caller, peer: User, up_to: Place) -> Value {
        let mut data = json!({ "conversationID": peer.conversation_id() });
        if let Some(sequence) = self.seen(caller.user(), peer).number(up_to) {
            data["sequence"] = json!(sequence);
        }
        data
    }

    /// The newest message up to the named one, or of all.
    fn reached(&self, caller: &Caller, peer: User, up_to: Place) -> Option<Message> {
        let chat = self.seen(caller.user(), peer);
        let named = chat.number(up_to).unwrap_or(u64::MAX);
        chat.live(caller.now).rfind(|message| message.sequence <= named).cloned()
    }

    fn standing(&mut self, me: User, peer: User) -> &mut Standing {
        self.chat(me, peer).standings.entry(me).or_default()
    }

    /// Tells the caller's other devices.
    fn update(&mut self, caller: &Caller, update: Value) {
        self.push(
            caller,
            &[caller.user()],
            &json!({ "event": "onConversationListUpdated", "data": [update] }),
        );
    }
}
