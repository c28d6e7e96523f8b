//! What twenty users do: write, write again when they are not sure, read in all ways, mark, and block each other.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use crate::{device::Device, history::History, reading::pause};

pub const USERS: usize = 20;
/// Every other user has a second device.
const PLATFORMS: [&str; 2] = ["MiniProgram", "Web"];

/// How often something is asked for again that has had no good answer.
const ATTEMPTS: u32 = 12;

/// So many read at once in the end, so that a slow machine has an answer for each.
pub const MAX_CONCURRENCY: usize = 4;

struct Person {
    device: Device,
    random: StdRng,
    /// Their number, and whether this device is the one that they block others with.
    number: usize,
    is_first: bool,
    peers: Vec<usize>,
    /// What this device has sent.
    sent: Vec<Value>,
    retention: Option<u64>,
    think_ms: u64,
}

pub fn name(user: usize) -> String {
    format!("u{user:02}")
}

/// The users with whom a user has a conversation.
fn peers(user: usize) -> Vec<usize> {
    [1, 3, 7, USERS - 7, USERS - 3, USERS - 1].map(|step| (user + step) % USERS).into()
}

/// So many users do not stop to think, and have eyes for their neighbour alone.
const HASTY: usize = 4;

fn conversation(peer: usize) -> String {
    format!("C2C{}", name(peer))
}

/// Everybody does something until they are told to stop, and completes what they have begun.
pub async fn work(
    port: u16,
    history: &Arc<History>,
    seed: u64,
    retention: Option<u64>,
    think_ms: u64,
    stop: &Arc<AtomicBool>,
) {
    let mut people = tokio::task::JoinSet::new();
    for number in 0..USERS {
        for (index, platform) in PLATFORMS.into_iter().enumerate().take(1 + number % 2) {
            let mut person = Person {
                device: Device::new(&name(number), platform, port, Arc::clone(history)),
                random: StdRng::seed_from_u64(seed ^ ((number * 2 + index) as u64) << 32),
                number,
                is_first: index == 0,
                peers: peers(number),
                sent: Vec::new(),
                retention,
                think_ms,
            };
            let stop = Arc::clone(stop);
            people.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    person.act().await;
                    person.think().await;
                }
            });
        }
    }
    people.join_all().await;
}

/// Everybody reads everything, when nothing goes wrong any more.
pub async fn read_all(port: u16, history: &Arc<History>) {
    let read = async |number: usize| {
        let mut device = Device::patient(&name(number), PLATFORMS[0], port, Arc::clone(history));
        ask(&mut device, "getConversationList", json!({})).await;
        ask(&mut device, "getBlacklist", json!({})).await;
        for peer in peers(number) {
            read_log(&mut device, &json!(conversation(peer))).await;
        }
    };
    stream::iter(0..USERS).for_each_concurrent(MAX_CONCURRENCY, read).await;
}

/// All of a conversation, when nothing goes wrong any more.
pub async fn read_log(device: &mut Device, conversation: &Value) {
    let mut from = json!(1);
    loop {
        let range = json!({ "conversationID": conversation, "fromSequence": from });
        match ask(device, "getMessageList", range).await {
            Some(part) if part["isCompleted"] != true => from = part["nextSequence"].clone(),
            _ => return,
        }
    }
}

/// Until there is a good answer, which there has to be now. If not, what it would say is missing in the history, and found to be.
pub async fn ask(device: &mut Device, action: &str, data: Value) -> Option<Value> {
    for _ in 0..5 * ATTEMPTS {
        if let Some((0, data)) = device.ask(action, data.clone()).await {
            return Some(data);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    None
}

impl Person {
    async fn act(&mut self) {
        // Mostly their neighbour: some conversations become long, and many devices write to them at once.
        let peer = match self.random.random_range(0..3) {
            0 if self.number >= HASTY => self.peers[self.random.random_range(0..self.peers.len())],
            _ => self.number ^ 1,
        };
        match self.random.random_range(0..100) {
            0..=39 => self.send(peer).await,
            40..=46 => self.send_once_more().await,
            47..=61 => self.device.range(&mut self.random, &conversation(peer)).await,
            62..=69 => self.device.pages(&mut self.random, &conversation(peer)).await,
            70..=85 => self.device.mark(&mut self.random, &conversation(peer)).await,
            86..=94 => {
                self.device.ask("getConversationList", json!({})).await;
            }
            95..=97 if self.is_first && self.number >= HASTY => self.block(peer).await,
            95..=97 => {
                self.device.ask("getBlacklist", json!({})).await;
            }
            _ => self.device.hang_up(),
        }
    }

    async fn think(&mut self) {
        if self.number < HASTY {
            return;
        }
        pause(&mut self.random, 0..2 * self.think_ms + 1).await;
    }

    /// A message of a new name, until it is known what has become of it.
    async fn send(&mut self, peer: usize) {
        let device = usize::from(!self.is_first);
        let client_id = format!("{}-{device}-{}", self.device.user, self.sent.len());
        let length = match self.random.random_range(0..50) {
            0 => 3_000,
            _ => self.random.random_range(0..60),
        };
        let mut data = json!({
            "to": name(peer), "conversationType": "C2C", "clientID": client_id,
            "base": self.device.seen(&conversation(peer)),
            "type": "TIMTextElem", "payload": { "text": format!("{client_id}: {}", "雁".repeat(length)) },
        });
        match self.random.random_range(0..20) {
            0 | 1 => data["messageControlInfo"] = json!({ "excludedFromUnreadCount": true }),
            2 => data["messageControlInfo"] = json!({ "excludedFromLastMessage": true }),
            _ => {}
        }
        self.sent.push(data.clone());
        self.send_until_known(peer, data).await;
    }

    async fn send_until_known(&mut self, peer: usize, mut data: Value) {
        let begun = self.device.history.clock_s();
        for _ in 0..ATTEMPTS {
            // What has expired would be a new message.
            if self.retention.is_some_and(|retention| self.device.history.clock_s() > begun + retention / 2) {
                return;
            }
            match self.device.ask("sendMessage", data.clone()).await {
                Some((0, answer)) => {
                    let number = answer["message"]["sequence"].as_u64().unwrap_or_default();
                    return self.device.saw(&conversation(peer), number);
                }
                Some((20004, answer)) => {
                    // As the protocol says: look for it behind the base, and send again from there.
                    let Some(last) = answer["lastSequence"].as_u64() else { continue };
                    let base = data["base"].as_u64().unwrap_or_default();
                    match self.is_behind(peer, base, &data["clientID"]).await {
                        Some(false) => data["base"] = json!(last),
                        Some(true) => return,
                        None => {}
                    }
                }
                Some((20007, _)) => return,
                Some((code, answer)) => {
                    assert!([20005, 60007].contains(&code), "{data}: {code} {answer}");
                }
                None => {}
            }
            pause(&mut self.random, 20..200).await;
        }
    }

    /// Whether a message of this name is behind a number, if that can be told.
    async fn is_behind(&mut self, peer: usize, base: u64, client_id: &Value) -> Option<bool> {
        let mut from = base + 1;
        loop {
            let part = self.device.read(&conversation(peer), json!({ "fromSequence": from })).await?;
            let list = part["messageList"].as_array()?;
            if list
                .iter()
                .any(|message| message["clientID"] == *client_id && message["from"] == *self.device.user)
            {
                return Some(true);
            }
            if part["isCompleted"] == true {
                return Some(false);
            }
            from = part["nextSequence"].as_u64()?;
        }
    }

    /// What was sent some time ago, as it was.
    async fn send_once_more(&mut self) {
        if self.sent.is_empty() {
            return;
        }
        let newest = self.sent.len() - 1;
        let index = newest - self.random.random_range(0..=newest.min(30));
        let data = self.sent[index].clone();
        self.device.ask("sendMessage", data).await;
    }

    async fn block(&mut self, peer: usize) {
        for action in ["addToBlacklist", "removeFromBlacklist"] {
            for _ in 0..ATTEMPTS {
                let done = self.device.ask(action, json!({ "userIDList": [name(peer)] })).await;
                if done.is_some_and(|(code, _)| code == 0) {
                    break;
                }
                pause(&mut self.random, 20..200).await;
            }
            pause(&mut self.random, 100..1_500).await;
        }
    }
}
