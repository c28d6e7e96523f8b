//! What may happen to the model, and what then happens.

use proptest::{prelude::*, sample::select};
use proptest_state_machine::ReferenceStateMachine;

use super::{
    action::{Action, Device, How, Transition, User},
    reference::{CONNECTION_S, Call, Connection, Event, Imported, Model, SWEPT_LATER_S},
    rules::Caller,
};

/// How long each step takes.
pub const STEP_MS: u64 = 1;

/// For how long a message lives in worlds with a retention: short, so that connections see it end.
const RETENTION_S: u64 = 600;

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Transition;

    fn init_state() -> BoxedStrategy<Self> {
        // A clock that is ahead and messages that expire do not mix: for as long as it is ahead, two sandboxes
        // would not agree on what there is.
        select(vec![(None, 0), (None, 5), (Some(RETENTION_S), 0)])
            .prop_map(|(retention, ahead)| Self::new(retention, ahead))
            .boxed()
    }

    fn transitions(model: &Self) -> BoxedStrategy<Transition> {
        let open = model.connections.iter().filter(|connection| connection.is_open);
        Transition::any(open.map(|connection| connection.device).collect())
    }

    fn preconditions(model: &Self, transition: &Transition) -> bool {
        match transition {
            Transition::Frame { by, action, how } => {
                let composed = model.drafts.iter().filter(|draft| draft.from == by.user).count();
                model.open(*by).is_some()
                    && match action {
                        Action::Retry { back, .. } | Action::Misname { back } => *back < composed,
                        Action::Rebase { back } => *back < composed && !model.was_sent(by.user, *back),
                        // The answer comes as a push.
                        Action::Logout => !how.pushes_lost,
                        _ => true,
                    }
            }
            Transition::Cut(device) => model.open(*device).is_some(),
            Transition::Disconnect(device) => model.slot(*device).is_some(),
            Transition::LateDisconnect(device) => model.former(*device).is_some(),
            Transition::Connect(_) | Transition::Later(_) | Transition::Import { .. } | Transition::Sweep => {
                true
            }
        }
    }

    fn apply(mut model: Self, transition: &Transition) -> Self {
        model.now += STEP_MS;
        model.happened.pushes.clear();
        model.happened.event = match transition {
            Transition::Frame { by, action, how } => Event::Calls(model.frame(*by, action, *how)),
            Transition::Connect(device) => Event::Connects(model.connect(*device)),
            Transition::Disconnect(device) => {
                let id = model.slot(*device).unwrap();
                Event::Disconnects(model.disconnect(id))
            }
            Transition::LateDisconnect(device) => {
                let id = model.former(*device).unwrap();
                Event::Disconnects(model.disconnect(id))
            }
            Transition::Cut(device) => {
                let id = model.open(*device).unwrap();
                model.connections[id].is_open = false;
                Event::IsCut(model.connections[id].clone())
            }
            Transition::Later(seconds) => Event::Later(*seconds, model.later(*seconds)),
            Transition::Import { from, to, ago, seq } => model.import(*from, *to, *ago, *seq),
            Transition::Sweep => {
                model.sweep();
                Event::Sweeps
            }
        };
        model
    }
}

impl Model {
    fn was_sent(&self, from: User, back: usize) -> bool {
        let draft = &self.drafts[self.draft(from, back)];
        self.seen(from, draft.to).sent(draft, self.now).is_some()
    }

    /// The connection that a device has at this moment.
    fn open(&self, device: Device) -> Option<usize> {
        self.connections.iter().rposition(|connection| connection.device == device && connection.is_open)
    }

    /// The connection whose row is in the device's slot.
    fn slot(&self, device: Device) -> Option<usize> {
        self.connections.iter().rposition(|connection| connection.device == device && connection.has_slot)
    }

    /// A connection that the device had before.
    fn former(&self, device: Device) -> Option<usize> {
        self.connections.iter().rposition(|connection| connection.device == device && !connection.has_slot)
    }

    fn frame(&mut self, by: Device, action: &Action, how: How) -> Vec<Call> {
        let connection = self.connections[self.open(by).unwrap()].clone();
        let ahead = if how.elsewhere { self.ahead * 1000 } else { 0 };
        let caller = Caller { connection, now: self.now + ahead, how };
        self.calls(&caller, action)
    }

    fn later(&mut self, seconds: u64) -> Vec<Connection> {
        self.now += seconds * 1000;
        let now = self.now;
        let old = self
            .connections
            .iter_mut()
            .filter(|connection| connection.is_open && now >= connection.connected_at + CONNECTION_S * 1000);
        old.map(|connection| {
            connection.is_open = false;
            connection.clone()
        })
        .collect()
    }

    /// What is there at that place is never replaced, whichever of the two has said it.
    fn import(&mut self, from: User, to: User, ago: u64, seq: u32) -> Event {
        let (now_s, retention) = (self.now / 1000, self.retention);
        let chat = self.chat(from, to);
        // What is older than something with a number goes before it.
        let oldest = chat.log.first().filter(|_| retention.is_some());
        let second = oldest.map_or(now_s, |oldest| oldest.time / 1000) - ago;
        let text = format!("{from:?} {second} {seq}");
        let ends_s = retention.map(|seconds| second + seconds);
        if ends_s.is_none_or(|end| now_s < end) {
            chat.imported.entry((second, seq)).or_insert(Imported { from, to, text: text.clone(), ends_s });
            let kept = retention.map_or(u64::MAX / 2, |seconds| now_s + seconds + seconds / 2);
            chat.listed_until_s = chat.listed_until_s.max(kept);
        }
        Event::Imports(from, to, (second, seq), text)
    }

    fn sweep(&mut self) {
        let now_s = self.now / 1000;
        for chat in self.chats.values_mut() {
            chat.log.retain(|message| message.ends_s.is_none_or(|end| end + SWEPT_LATER_S >= now_s));
            chat.imported.retain(|_, message| message.ends_s.is_none_or(|end| end + SWEPT_LATER_S >= now_s));
            if chat.listed_until_s + SWEPT_LATER_S < now_s {
                chat.listed_until_s = 0;
                chat.standings.values_mut().for_each(|standing| standing.is_pinned = false);
            }
            chat.floor = chat.floor.filter(|floor| floor.ends_s >= now_s);
        }
    }
}
