//! `revokeMessage` and `deleteMessage`.

use serde_json::json;

use super::{Caller, Exchange, refused};
use crate::model::{
    action::{Place, User},
    reference::{Answer, Model},
};

/// For how long a message can be recalled.
const RECALL_MS: u64 = 120_000;

impl Model {
    pub fn recall(&mut self, caller: &Caller, peer: User, at: Place) -> Exchange {
        let me = caller.user();
        let sequence = self.seen(me, peer).number(at).unwrap_or_default();
        let data = json!({ "conversationID": peer.conversation_id(), "sequence": sequence });
        let exchange = |answer| Exchange::new("revoke-message", data, answer);

        let chat = self.chat(me, peer);
        let is_there = chat.live(caller.now).any(|message| message.sequence == sequence);
        let message = chat.log.iter_mut().find(|message| message.sequence == sequence && is_there);
        let Some(message) = message else { return exchange(refused(70402)) };
        if message.draft.from != me {
            return exchange(refused(20002));
        }
        let is_new = !message.is_recalled;
        if is_new && message.time + RECALL_MS < caller.now {
            return exchange(refused(20016));
        }
        message.is_recalled = true;
        let message = message.on_the_wire();
        if is_new {
            self.push(caller, &[peer, me], &json!({ "event": "onMessageRevoked", "data": [message] }));
        }
        exchange(Answer::Data(json!({ "message": message })))
    }

    /// Out of the sight of one of the two.
    pub fn delete(&mut self, caller: &Caller, peer: User, at: &[Place]) -> Exchange {
        let me = caller.user();
        let chat = self.chat(me, peer);
        let mut sequences: Vec<u64> = at.iter().filter_map(|place| chat.number(*place)).collect();
        sequences.sort_unstable();
        sequences.dedup();
        for message in chat.log.iter_mut().filter(|message| sequences.contains(&message.sequence)) {
            message.hidden_from.insert(me);
        }
        let data = json!({ "conversationID": peer.conversation_id(), "messages": sequences });
        self.push(caller, &[me], &json!({ "event": "onMessageDeleted", "data": data }));
        Exchange::new("delete-message", data.clone(), Answer::Data(data))
    }
}
