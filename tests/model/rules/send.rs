//! `sendMessage`.

use serde_json::{Value, json};

use super::{Caller, Exchange, refused};
use crate::model::{
    action::{Base, Fate, Options, User},
    reference::{Answer, Draft, Model},
};

impl Model {
    pub fn send(&mut self, caller: &Caller, to: User, base: Base, options: Options, fate: Fate) -> Exchange {
        let last = self.seen(caller.user(), to).log.last().map_or(0, |message| message.sequence);
        let base = match base {
            Base::Behind(messages) => last.saturating_sub(messages),
            Base::Beyond(messages) => last + messages,
        };
        let name = format!("m{}", self.drafts.len() + 1);
        let draft = Draft { from: caller.user(), to, client_id: name.clone(), base, text: name, options };
        self.drafts.push(draft.clone());
        self.post(caller, draft, fate)
    }

    pub fn send_many(&mut self, caller: &Caller, to: User, messages: u64) -> Vec<Exchange> {
        let send = |_| self.send(caller, to, Base::Behind(0), Options::default(), Fate::Lives);
        (0..messages).map(send).collect()
    }

    pub fn retry(&mut self, caller: &Caller, back: usize, fate: Fate) -> Exchange {
        let draft = self.drafts[self.draft(caller.user(), back)].clone();
        self.post(caller, draft, fate)
    }

    pub fn misname(&mut self, caller: &Caller, back: usize) -> Exchange {
        let mut draft = self.drafts[self.draft(caller.user(), back)].clone();
        draft.text = format!("not {}", draft.text);
        self.post(caller, draft, Fate::Lives)
    }

    /// It is not in the log, so it was never sent, and what has been seen of the log is all of it.
    pub fn rebase(&mut self, caller: &Caller, back: usize) -> Exchange {
        let index = self.draft(caller.user(), back);
        let to = self.drafts[index].to;
        self.drafts[index].base = self.seen(caller.user(), to).last_live(caller.now);
        self.post(caller, self.drafts[index].clone(), Fate::Lives)
    }

    pub fn hint(&mut self, caller: &Caller, to: User) -> Exchange {
        let text = "typing".to_owned();
        let draft = Draft {
            from: caller.user(),
            to,
            client_id: text.clone(),
            base: 0,
            text,
            options: Options::default(),
        };
        let mut data = draft.request();
        data["onlineUserOnly"] = json!(true);
        if self.is_blocked(caller.user(), to) {
            return Exchange::new("send-message", data, refused(20007));
        }
        let mut message = draft.on_the_wire(0, caller.now);
        message["onlineUserOnly"] = json!(true);
        self.push(caller, &[to, caller.user()], &json!({ "event": "onMessageReceived", "data": [message] }));
        Exchange::new("send-message", data, Answer::Data(json!({ "message": message })))
    }

    fn post(&mut self, caller: &Caller, draft: Draft, fate: Fate) -> Exchange {
        let data = draft.request();
        let answer = self.answer_to(caller, draft, fate);
        Exchange { event: "send-message", data, fate, answer }
    }

    fn answer_to(&mut self, caller: &Caller, draft: Draft, fate: Fate) -> Answer {
        let (from, to) = (draft.from, draft.to);
        let chat = self.seen(from, to);
        if let Some(sent) = chat.sent(&draft, caller.now) {
            if sent.draft.text != draft.text {
                return refused(70402);
            }
            return Answer::Data(json!({ "message": sent.on_the_wire() }));
        }
        let last = chat.last_live(caller.now);
        if last > 0 && draft.base > last {
            return Answer::Refused(20004, json!({ "lastSequence": last }));
        }
        if self.is_blocked(from, to) {
            return refused(20007);
        }
        let chat = self.seen(from, to);
        if chat.is_settling(caller.now) {
            return refused(20004);
        }
        let begins_behind = chat.begins_behind(caller.now);
        if last == 0 && draft.base > begins_behind {
            return Answer::Refused(20004, json!({ "lastSequence": begins_behind }));
        }
        let retention = self.retention;
        let message = self.chat(from, to).place(draft, caller.now, retention);
        if fate == Fate::DiesBefore {
            return Answer::Nothing;
        }
        self.chat(from, to).log.push(message.clone());
        if fate == Fate::DiesAfter {
            return Answer::Nothing;
        }
        let message = message.on_the_wire();
        self.push(caller, &[to, from], &json!({ "event": "onMessageReceived", "data": [message] }));
        Answer::Data(json!({ "message": message }))
    }
}

impl Draft {
    fn request(&self) -> Value {
        let mut data = json!({
            "to": self.to.name(), "conversationType": "C2C", "clientID": self.client_id, "base": self.base,
            "type": "TIMTextElem", "payload": { "text": self.text },
        });
        if let Some(control) = self.options.on_the_wire() {
            data["messageControlInfo"] = control;
        }
        data
    }
}
