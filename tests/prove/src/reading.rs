//! How a device reads and marks what two users or a group have said: in all ways, from what it has seen on.

use std::{ops::Range, time::Duration};

use rand::{RngExt, rngs::StdRng};
use serde_json::{Value, json};

use crate::device::Device;

/// Does nothing for so many milliseconds.
pub async fn pause(random: &mut StdRng, ms: Range<u64>) {
    tokio::time::sleep(Duration::from_millis(random.random_range(ms))).await;
}

impl Device {
    /// The highest number that it has seen of a conversation; 0 if none.
    pub fn seen(&self, conversation: &str) -> u64 {
        self.seen.get(conversation).copied().unwrap_or_default()
    }

    pub fn saw(&mut self, conversation: &str, number: u64) {
        let seen = self.seen.entry(conversation.to_owned()).or_default();
        *seen = number.max(*seen);
    }

    pub async fn range(&mut self, random: &mut StdRng, conversation: &str) {
        let from = self.seen(conversation).saturating_sub(random.random_range(0..30)).max(1);
        let mut range = json!({ "fromSequence": from });
        if random.random_range(0..4) == 0 {
            range["toSequence"] = json!(from + random.random_range(0..20));
        }
        self.read(conversation, range).await;
    }

    pub async fn pages(&mut self, random: &mut StdRng, conversation: &str) {
        let mut next = json!("");
        for _ in 0..random.random_range(1..=3) {
            let page = self.read(conversation, json!({ "nextReqMessageID": next })).await;
            let Some(page) = page.filter(|page| page["isCompleted"] != true) else { return };
            next = page["nextReqMessageID"].clone();
        }
    }

    /// A page or a range, if there is a good answer.
    pub async fn read(&mut self, conversation: &str, mut what: Value) -> Option<Value> {
        what["conversationID"] = json!(conversation);
        let (code, part) = self.ask("getMessageList", what).await?;
        let newest = part["messageList"].as_array().and_then(|list| list.last()?["sequence"].as_u64());
        self.saw(conversation, newest.unwrap_or_default());
        (code == 0).then_some(part)
    }

    pub async fn mark(&mut self, random: &mut StdRng, conversation: &str) {
        let mut mark = json!({ "conversationID": conversation });
        let seen = self.seen(conversation);
        match random.random_range(0..10) {
            0 => {}
            1 | 2 => mark["sequence"] = json!(seen.saturating_sub(random.random_range(0..10)).max(1)),
            3 => mark["sequence"] = json!(seen + 2),
            _ => mark["sequence"] = json!(seen.max(1)),
        }
        if random.random_range(0..4) == 0 {
            self.say("setMessageRead", mark).await;
        } else {
            self.ask("setMessageRead", mark).await;
        }
    }
}
