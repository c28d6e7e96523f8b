//! What forty users do in groups: they write, mention, read and mark, come and go, and look after each other.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use crate::{
    device::Device,
    history::History,
    reading::pause,
    workload::{MAX_CONCURRENCY, ask, name, read_log},
};

/// So many users write to each of the large groups at once.
pub const WRITERS: usize = 40;

/// Another one than those with which they talk to each other.
const PLATFORM: &str = "Android";

/// What a group of each type allows from its beginning.
const LARGE: [(&str, &str); 3] = [("work", "Private"), ("public", "Public"), ("meeting", "ChatRoom")];

/// How many members a public group may have: less than want to be in it.
const ROOM: usize = 36;

/// Of so many more becomes than of the others.
const FEW: usize = 8;

/// One in so many hears of each message.
const LISTENERS: usize = 4;

/// How often something is asked for again that has had no good answer.
const ATTEMPTS: u32 = 8;

/// How many groups a member makes at most.
const OWN_GROUPS: usize = 2;

const ALL: &str = "__kImSDK_MesssageAtALL__";

/// The groups that there are, with their types, as everybody knows.
type Directory = Arc<Mutex<BTreeMap<String, &'static str>>>;

struct Member {
    device: Device,
    random: StdRng,
    number: usize,
    directory: Directory,
    /// What they are where, as far as they know.
    roles: HashMap<String, String>,
    /// What they have asked for under a name, and when.
    asked: Vec<(&'static str, Value, u64)>,
    made: usize,
    retention: Option<u64>,
    think_ms: u64,
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
    let directory = Directory::default();
    let mut people = tokio::task::JoinSet::new();
    for number in 0..WRITERS {
        let mut member = Member {
            device: Device::new(&name(number), PLATFORM, port, Arc::clone(history)),
            random: StdRng::seed_from_u64(seed ^ ((1_000 + number) as u64) << 32),
            number,
            directory: Arc::clone(&directory),
            roles: HashMap::new(),
            asked: Vec::new(),
            made: 0,
            retention,
            think_ms,
        };
        let stop = Arc::clone(stop);
        people.spawn(async move {
            member.begin().await;
            while !stop.load(Ordering::Relaxed) {
                let begun = Instant::now();
                member.act().await;
                member.think(begun.elapsed()).await;
            }
        });
    }
    people.join_all().await;
}

/// In each group somebody says a last word, behind which everything is that was promised.
pub async fn complete(port: u16, history: &Arc<History>) {
    let completed = Mutex::new(HashSet::new());
    let complete = async |number: usize| {
        let mut device = Device::patient(&name(number), PLATFORM, port, Arc::clone(history));
        for group in groups_of(&mut device).await {
            // Whose it is may always speak, and in a group of the other type everybody may.
            let profile = &group["groupProfile"];
            let may_speak = profile["type"] == "Private" || profile["ownerID"] == device.user.as_str();
            let id = profile["groupID"].as_str().unwrap_or_default();
            if may_speak && completed.lock().unwrap().insert(id.to_owned()) {
                let word = message(id, &format!("last-{id}"), group["lastSequence"].clone(), "");
                ask(&mut device, "sendMessage", word).await;
            }
        }
    };
    stream::iter(0..WRITERS).for_each_concurrent(MAX_CONCURRENCY, complete).await;
}

/// Everybody reads everything, when nothing goes wrong any more.
pub async fn read_all(port: u16, history: &Arc<History>) {
    let counted = Mutex::new(HashSet::new());
    let read = async |number: usize| {
        let mut device = Device::patient(&name(number), PLATFORM, port, Arc::clone(history));
        for group in groups_of(&mut device).await {
            read_log(&mut device, &group["conversationID"]).await;
            let id = &group["groupProfile"]["groupID"];
            let is_first = counted.lock().unwrap().insert(id.to_string());
            if is_first {
                ask(&mut device, "getGroupMemberList", json!({ "groupID": id, "count": 100 })).await;
            }
        }
    };
    stream::iter(0..WRITERS).for_each_concurrent(MAX_CONCURRENCY, read).await;
}

/// The groups that somebody is in, when nothing goes wrong any more.
async fn groups_of(device: &mut Device) -> Vec<Value> {
    let (mut groups, mut next) = (Vec::new(), json!(""));
    while let Some(page) = ask(device, "getConversationList", json!({ "nextReqConversationID": next })).await
    {
        let listed = page["conversationList"].as_array().into_iter().flatten();
        groups.extend(listed.filter(|listed| listed["type"] == "GROUP").cloned());
        next = page["nextReqConversationID"].clone();
        if page["isCompleted"] == true {
            break;
        }
    }
    groups
}

fn conversation(group: &str) -> String {
    format!("GROUP{group}")
}

fn is_large(group: &str) -> bool {
    LARGE.iter().any(|(large, _)| *large == group)
}

fn message(group: &str, client_id: &str, base: Value, more: &str) -> Value {
    json!({
        "to": group, "conversationType": "GROUP", "clientID": client_id, "base": base,
        "type": "TIMTextElem", "payload": { "text": format!("{client_id}: {more}") },
    })
}

impl Member {
    /// The first three make the large groups, and everybody comes into each that they may come into.
    async fn begin(&mut self) {
        if let Some((id, kind)) = LARGE.get(self.number).copied() {
            let role = |step| if step < 5 && kind != "Private" { "Admin" } else { "Member" };
            let member = |step| json!({ "userID": name((self.number + step) % WRITERS), "role": role(step) });
            self.create(id.to_owned(), kind, (1..=6).map(member).collect()).await;
        }
    }

    async fn act(&mut self) {
        let Some((group, kind)) = self.somewhere() else { return };
        let role = self.roles.get(&group).cloned().unwrap_or_default();
        // A group that is not full yet is filled first.
        if role.is_empty() && kind != "Private" && self.random.random_range(0..4) > 0 {
            return self.change("joinGroup", &group, json!({})).await;
        }
        let looks_after = ["Owner", "Admin"].contains(&role.as_str()) && self.random.random_range(0..2) == 0;
        match self.random.random_range(0..1000) {
            _ if looks_after => self.look_after(&group, &role).await,
            0..=349 => self.send(&group).await,
            350..=409 => self.once_more().await,
            410..=509 => self.device.range(&mut self.random, &conversation(&group)).await,
            510..=549 => self.device.pages(&mut self.random, &conversation(&group)).await,
            550..=649 => self.device.mark(&mut self.random, &conversation(&group)).await,
            650..=739 => self.list().await,
            740..=769 => {
                self.device.ask("getGroupMemberList", json!({ "groupID": group, "count": 100 })).await;
            }
            770..=779 => {
                self.device.ask("getGroupProfile", json!({ "groupIDList": [group] })).await;
            }
            780..=799 => self.recall(&group).await,
            800..=829 => self.change("quitGroup", &group, json!({})).await,
            830..=849 if self.made < OWN_GROUPS => {
                let (id, kind) = (format!("{}-{}", self.device.user, self.made), LARGE[self.made + 1].1);
                self.made += 1;
                let members = self.somebody(4).into_iter().map(|user| json!({ "userID": user })).collect();
                self.create(id, kind, members).await;
            }
            // The others try it at times.
            850..=869 => self.look_after(&group, &role).await,
            870..=979 if kind == "Private" => self.look_after(&group, &role).await,
            870..=979 => self.send(&group).await,
            _ => self.device.hang_up(),
        }
    }

    /// Where they are mostly, and sometimes where they are not.
    fn somewhere(&mut self) -> Option<(String, &'static str)> {
        let directory = self.directory.lock().unwrap();
        let is_mine = |(group, _): &(&String, &&str)| self.roles.contains_key(*group);
        let mine: Vec<_> = directory.iter().filter(is_mine).collect();
        let joinable = directory.iter().filter(|(_, kind)| **kind != "Private");
        let all = match self.random.random_range(0..10) {
            0 => directory.iter().collect(),
            1 | 2 => joinable.collect(),
            _ if mine.is_empty() => joinable.collect(),
            _ => mine,
        };
        let (group, kind) = all.get(self.random.random_range(0..all.len().max(1)))?;
        Some(((*group).clone(), **kind))
    }

    /// What is mostly for those who have a role, who are few.
    async fn look_after(&mut self, group: &str, role: &str) {
        if !is_large(group) && role == "Owner" && self.random.random_range(0..5) == 0 {
            return self.dismiss(group).await;
        }
        if !is_large(group) && self.random.random_range(0..3) == 0 {
            return self.decide().await;
        }
        let some = self.random.random_range(1..=3);
        match self.random.random_range(0..100) {
            0..=29 => {
                let users = self.somebody(some + 2);
                self.change("addGroupMember", group, json!({ "userIDList": users })).await;
            }
            30..=44 => {
                let users = self.somebody(some);
                self.change("deleteGroupMember", group, json!({ "userIDList": users })).await;
            }
            45..=59 => {
                let role = ["Admin", "Member"][self.random.random_range(0..2)];
                let user = self.somebody(1).remove(0);
                self.change("setGroupMember", group, json!({ "userID": user, "role": role })).await;
            }
            60..=74 => {
                let seconds = [0, 5, 60, 600][self.random.random_range(0..4)];
                let user = self.somebody(1).remove(0);
                self.change("setGroupMember", group, json!({ "userID": user, "muteTime": seconds })).await;
            }
            75..=81 => {
                let new = format!("{group}, {}", self.random.random_range(0..1000));
                self.change("updateGroupProfile", group, json!({ "name": new })).await;
            }
            82..=87 => {
                let option = ["FreeAccess", "DisableInvite"][self.random.random_range(0..2)];
                self.change("updateGroupProfile", group, json!({ "inviteOption": option })).await;
            }
            // Not for long, so that others have something to say.
            88..=94 => {
                self.change("updateGroupProfile", group, json!({ "muteAllMembers": true })).await;
                tokio::time::sleep(Duration::from_millis(500)).await;
                self.change("updateGroupProfile", group, json!({ "muteAllMembers": false })).await;
            }
            _ => {
                let user = self.somebody(1).remove(0);
                self.change("changeGroupOwner", group, json!({ "newOwnerID": user })).await;
            }
        }
    }

    /// Lets those in who have applied, or does not.
    async fn decide(&mut self) {
        let Some((0, open)) = self.device.ask("getGroupApplicationList", json!({})).await else { return };
        for open in open["applicationList"].as_array().into_iter().flatten() {
            let group = open["groupID"].as_str().unwrap_or_default().to_owned();
            let action = if self.random.random_range(0..4) == 0 { "Reject" } else { "Agree" };
            let decision = json!({
                "userID": open["userID"], "authentication": open["authentication"], "handleAction": action,
            });
            self.change("handleGroupApplication", &group, decision).await;
        }
    }

    /// Up to so many, each once.
    fn somebody(&mut self, many: usize) -> Vec<String> {
        // Half of it concerns a few, so that changes meet.
        let mut one = || match self.random.random_range(0..2) {
            0 => self.random.random_range(0..FEW),
            _ => self.random.random_range(0..WRITERS),
        };
        let users: BTreeSet<usize> = (0..many).map(|_| one()).collect();
        users.into_iter().map(name).collect()
    }

    /// As long as it took besides, so that a machine that is slow has less to do.
    async fn think(&mut self, took: Duration) {
        let ms = self.random.random_range(0..=2 * self.think_ms);
        tokio::time::sleep(took + Duration::from_millis(ms)).await;
    }

    fn new_name(&self) -> String {
        format!("{}-g-{}", self.device.user, self.asked.len())
    }

    /// Something under a name, until it is known what has become of it. Returns a good answer.
    async fn until_known(&mut self, action: &'static str, data: Value) -> Option<Value> {
        let begun = self.device.history.clock_s();
        self.asked.push((action, data.clone(), begun));
        for _ in 0..ATTEMPTS {
            if !self.is_young(begun) {
                return None;
            }
            match self.device.ask(action, data.clone()).await {
                Some((0, answer)) => return Some(answer),
                // The group is in a hurry, or something has failed.
                Some((10006 | 10023 | 20005 | 60007, _)) | None => pause(&mut self.random, 50..500).await,
                Some((20004, answer)) if answer["lastSequence"].is_null() => {
                    pause(&mut self.random, 50..500).await
                }
                Some(_) => return None,
            }
        }
        None
    }

    /// What has expired would be something new.
    fn is_young(&self, begun: u64) -> bool {
        self.retention.is_none_or(|retention| self.device.history.clock_s() <= begun + retention / 2)
    }

    async fn create(&mut self, id: String, kind: &'static str, members: Vec<Value>) {
        let mut data = json!({ "groupID": id, "type": kind, "name": id, "memberList": members });
        if kind == "Public" {
            // To a small one they apply.
            data["joinOption"] = json!(if is_large(&id) { "FreeAccess" } else { "NeedPermission" });
            data["maxMemberNum"] = json!(ROOM);
        }
        for _ in 0..10 * ATTEMPTS {
            if let Some((code, _)) = self.device.ask("createGroup", data.clone()).await
                && code == 0
            {
                self.roles.insert(id.clone(), "Owner".to_owned());
                self.directory.lock().unwrap().insert(id, kind);
                return;
            }
            pause(&mut self.random, 50..500).await;
        }
    }

    async fn dismiss(&mut self, group: &str) {
        for _ in 0..ATTEMPTS {
            match self.device.ask("dismissGroup", json!({ "groupID": group })).await {
                Some((0 | 10010, _)) => break,
                Some((10007, _)) => return,
                _ => pause(&mut self.random, 50..500).await,
            }
        }
        // They knock themselves, and others for a while.
        self.send(group).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        self.directory.lock().unwrap().remove(group);
    }

    async fn change(&mut self, action: &'static str, group: &str, mut data: Value) {
        data["groupID"] = json!(group);
        data["clientID"] = json!(self.new_name());
        data["base"] = json!(self.device.seen(&conversation(group)));
        let done = self.until_known(action, data).await;
        match (action, done) {
            ("joinGroup", Some(answer)) if answer["status"] != "WaitAdminApproval" => {
                self.roles.insert(group.to_owned(), "Member".to_owned());
                // Pushes to all of them at each message would be most of what there is to do.
                if !self.number.is_multiple_of(LISTENERS) {
                    let quiet = json!({ "groupID": group, "messageRemindType": "Discard" });
                    self.device.ask("setGroupMember", quiet).await;
                }
            }
            ("quitGroup", Some(_)) => _ = self.roles.remove(group),
            _ => {}
        }
    }

    async fn send(&mut self, group: &str) {
        let length = match self.random.random_range(0..50) {
            0 => 2_000,
            _ => self.random.random_range(0..60),
        };
        let base = json!(self.device.seen(&conversation(group)));
        let mut data = message(group, &self.new_name(), base, &"雁".repeat(length));
        match self.random.random_range(0..20) {
            0 => data["messageControlInfo"] = json!({ "excludedFromUnreadCount": true }),
            1..=3 => data["atUserList"] = json!(self.somebody(2)),
            4 => data["atUserList"] = json!([ALL]),
            _ => {}
        }
        if let Some(answer) = self.until_known("sendMessage", data).await {
            let number = answer["message"]["sequence"].as_u64().unwrap_or_default();
            self.device.saw(&conversation(group), number);
        }
    }

    /// What was asked for some time ago, as it was.
    async fn once_more(&mut self) {
        let Some(newest) = self.asked.len().checked_sub(1) else { return };
        let index = newest - self.random.random_range(0..=newest.min(20));
        let (action, data, begun) = self.asked[index].clone();
        if self.is_young(begun) {
            self.device.ask(action, data).await;
        }
    }

    async fn list(&mut self) {
        let Some((0, page)) = self.device.ask("getConversationList", json!({})).await else { return };
        if page["isCompleted"] == true {
            self.roles.clear();
        }
        for listed in page["conversationList"].as_array().into_iter().flatten() {
            let profile = &listed["groupProfile"];
            let (Some(group), Some(role)) =
                (profile["groupID"].as_str(), profile["selfInfo"]["role"].as_str())
            else {
                continue;
            };
            self.roles.insert(group.to_owned(), role.to_owned());
            self.device.saw(&conversation(group), listed["lastSequence"].as_u64().unwrap_or_default());
        }
    }

    async fn recall(&mut self, group: &str) {
        let id = conversation(group);
        let number = self.device.seen(&id).saturating_sub(self.random.random_range(0..20)).max(1);
        let recall = json!({ "conversationID": id, "sequence": number });
        self.device.ask("revokeMessage", recall).await;
    }
}
