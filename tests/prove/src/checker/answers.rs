//! What answers say, and what they leave out: reads, marks, lists, refusals.

use std::collections::HashSet;

use serde_json::Value;

use super::{
    Checker, conversation,
    operations::{Anomaly, Answer, Operation, Point, group_of, is_range, list, name, peer_of, text},
};

impl Checker<'_> {
    pub(super) fn check_answers(&mut self) {
        for index in 0..self.operations.len() {
            let operation = &self.operations[index];
            let Some(answer) = &operation.answer else { continue };
            let mut wrong = Vec::new();
            match (operation.action, answer.code) {
                ("sendMessage", 20007) => self.check_refusal(operation, answer, &mut wrong),
                ("getMessageList", 0) => self.check_read(operation, answer, &mut wrong),
                ("setMessageRead", 0) => self.check_mark(operation, answer, &mut wrong),
                ("getConversationList", 0) => self.check_list(operation, answer, &mut wrong),
                ("getBlacklist" | "addToBlacklist" | "removeFromBlacklist", 0) => {
                    let there: HashSet<&str> =
                        list(answer.data, "blacklist").filter_map(Value::as_str).collect();
                    for why in self.blocks.contradict(operation.user, &there, operation.at, answer.at) {
                        wrong.push((Point::Blocks, format!("{} answers {why}", name(operation))));
                    }
                }
                _ => {}
            }
            if self.end.is_some_and(|(end, _)| operation.at > end) && is_range(operation) && answer.code == 0
            {
                let (me, peer) = (operation.user.to_owned(), peer_of(operation.data).to_owned());
                let numbers =
                    list(answer.data, "messageList").filter_map(|message| message["sequence"].as_u64());
                let numbers: Vec<u64> = numbers.collect();
                let key = conversation(&me, &peer);
                let side = usize::from(key.0 != me);
                self.logs.entry(key).or_default().last[side].get_or_insert_default().extend(numbers);
            }
            self.anomalies.extend(wrong.into_iter().map(|(point, what)| Anomaly { point, what }));
        }
    }

    fn check_refusal(&self, operation: &Operation, answer: &Answer, wrong: &mut Vec<(Point, String)>) {
        let to = text(operation.data, "to");
        if !self.blocks.may_forbid(operation.user, to, operation.at, answer.at) {
            let what = format!("{} is refused, but neither has the other on the blacklist", name(operation));
            wrong.push((Point::Blocks, what));
        }
    }

    /// Pages and ranges. What they show is in the log; this is about what they leave out.
    fn check_read(&self, operation: &Operation, answer: &Answer, wrong: &mut Vec<(Point, String)>) {
        let peer = peer_of(operation.data);
        let key = conversation(operation.user, peer);
        let shown: Vec<u64> =
            list(answer.data, "messageList").filter_map(|message| message["sequence"].as_u64()).collect();
        if shown.windows(2).any(|two| two[0] >= two[1]) {
            wrong.push((Point::Reads, format!("{} is out of order: {shown:?}", name(operation))));
            return;
        }
        let Some(log) = self.logs.get(&key) else { return };
        let is_completed = answer.data["isCompleted"] == true;
        let newest = shown.last().copied().unwrap_or_default();
        let (from, to) = if is_range(operation) {
            let from = operation.data["fromSequence"].as_u64().unwrap_or(1);
            let to = match answer.data["nextSequence"].as_u64() {
                Some(next) if !is_completed => next.saturating_sub(1),
                _ => operation.data["toSequence"].as_u64().unwrap_or(u64::MAX),
            };
            // Nothing that was there before may be missing, nor anything before what is there now.
            (from, to.min(newest.max(log.known.before(operation.at))))
        } else {
            let oldest = if is_completed { 1 } else { shown.first().copied().unwrap_or(u64::MAX) };
            if text(operation.data, "nextReqMessageID").is_empty() {
                let stale = operation.at.saturating_sub(self.rules.stale_ms * 1000);
                (oldest, newest.max(log.known.before(stale)))
            } else {
                (oldest, newest)
            }
        };
        if from > to {
            return;
        }
        let mut shown = shown.iter().peekable();
        for (number, message) in log.messages.range(from..=to) {
            while shown.next_if(|shown| **shown < *number).is_some() {}
            if shown.next_if(|shown| **shown == *number).is_none() && self.lives(message.time, answer.clock) {
                let missed = format!(
                    "{} lacks message {number} ('{}' of {}, seen by {})",
                    name(operation),
                    message.client_id,
                    message.from,
                    message.seen
                );
                wrong.push((Point::Reads, missed));
                return;
            }
        }
    }

    fn check_mark(&self, operation: &Operation, answer: &Answer, wrong: &mut Vec<(Point, String)>) {
        let peer = peer_of(operation.data);
        let key = conversation(operation.user, peer);
        let Some(log) = self.logs.get(&key) else { return };
        let read = answer.data["readSequence"].as_u64().unwrap_or_default();
        let named = operation.data["sequence"].as_u64().unwrap_or(u64::MAX);
        // Who names what they have read already is answered from a read that may be behind.
        let stale = operation.at.saturating_sub(self.rules.stale_ms * 1000);
        let then = if operation.data.get("sequence").is_some() { stale } else { operation.at };
        self.check_position(operation, answer, (peer, read, then), wrong);
        // With retention, not every number has a message.
        let least = log.messages.range(..=named.min(log.known.before(operation.at))).next_back();
        if let Some((least, _)) =
            least.filter(|(least, message)| read < **least && self.lives(message.time, answer.clock))
        {
            let short = format!("{} has read up to {read} only, but {least} was there", name(operation));
            wrong.push((Point::Positions, short));
        }
        let (known, possible) = (log.known.before(stale), self.possible(&key, log, answer.at));
        self.check_unread(operation, answer, (peer, read, known, possible), wrong);
    }

    fn check_list(&self, operation: &Operation, answer: &Answer, wrong: &mut Vec<(Point, String)>) {
        let me = operation.user;
        let stale = operation.at.saturating_sub(self.rules.stale_ms * 1000);
        let between_two = |shown: &&Value| group_of("", shown).is_none();
        for shown in list(answer.data, "conversationList").filter(between_two) {
            let peer = peer_of(shown);
            let number = |field: &str| shown[field].as_u64().unwrap_or_default();
            let (read, last, by_peer) =
                (number("readSequence"), number("lastSequence"), number("peerReadSequence"));
            self.check_position(operation, answer, (peer, read, stale), wrong);
            let key = conversation(me, peer);
            if let Some(log) = self.logs.get(&key) {
                let (known, possible) = (log.known.before(stale), self.possible(&key, log, answer.at));
                let lives =
                    log.messages.get(&known).is_some_and(|message| self.lives(message.time, answer.clock));
                if last < known && lives {
                    let seen = &log.messages[&known].seen;
                    let what = format!(
                        "{}: {peer} ends with {last}, but {known} was seen by {seen}",
                        name(operation)
                    );
                    wrong.push((Point::Reads, what));
                }
                if last > possible {
                    let what =
                        format!("{}: {peer} ends with {last}, which nobody has sent yet", name(operation));
                    wrong.push((Point::Reads, what));
                }
            }
            // The same query says both, so it is exact.
            self.check_unread(operation, answer, (peer, read, last, last), wrong);
            let wanted = self.positions.get(&(peer.to_owned(), me.to_owned()));
            if by_peer > wanted.map_or(0, |position| position.wanted.before(answer.at)) {
                let what = format!("{}: {peer} has read up to {by_peer}, and never said so", name(operation));
                wrong.push((Point::Positions, what));
            }
        }
    }

    /// Where a user is who has read, at least as far as was known then, and no farther than they said.
    fn check_position(
        &self,
        operation: &Operation,
        answer: &Answer,
        (peer, read, then): (&str, u64, u64),
        wrong: &mut Vec<(Point, String)>,
    ) {
        let key = conversation(operation.user, peer);
        let Some(log) = self.logs.get(&key) else { return };
        let position = self.positions.get(&(operation.user.to_owned(), peer.to_owned()));
        let known = position.map_or(0, |position| position.known.before(then));
        if read < known
            && self.lives_as_known(log.messages.get(&known).map(|message| message.time), answer.clock)
        {
            let back = format!(
                "{}: {} has read {peer} up to {read}, but had up to {known}",
                name(operation),
                operation.user
            );
            wrong.push((Point::Positions, back));
        }
        let wanted = position.map_or(0, |position| position.wanted.before(answer.at));
        let most = wanted.min(self.possible(&key, log, answer.at));
        if read > most {
            let far = format!(
                "{}: {} has read {peer} up to {read}, beyond {most}",
                name(operation),
                operation.user
            );
            wrong.push((Point::Positions, far));
        }
    }

    /// As brute force would count it, between what must be there and what can be.
    fn check_unread(
        &self,
        operation: &Operation,
        answer: &Answer,
        (peer, read, least, most): (&str, u64, u64, u64),
        wrong: &mut Vec<(Point, String)>,
    ) {
        let answered = if operation.action == "setMessageRead" {
            answer.data["unreadCount"].as_u64()
        } else {
            let shown = list(answer.data, "conversationList").find(|shown| peer_of(shown) == peer);
            shown.and_then(|shown| shown["unreadCount"].as_u64())
        };
        let unread = answered.unwrap_or(u64::MAX);
        let key = conversation(operation.user, peer);
        let Some(log) = self.logs.get(&key) else { return };
        let side = usize::from(key.0 == operation.user);
        // Time never decreases along the numbers, so what has expired is what comes first.
        let gone = log.last_of(|time| !self.may_live(time, operation.clock));
        let going = log.last_of(|time| !self.lives(time, answer.clock));
        let low = log.count(side, read.max(going), least);
        let high = log.count(side, read.max(gone), most)
            + log.missing(read.max(gone), most).min(self.unseen_before(peer, operation.user, answer.at));
        if unread < low || unread > high {
            let what = format!(
                "{}: {} has read {peer} up to {read} of {most}, which leaves {low} to {high} unread, not {unread}",
                name(operation),
                operation.user
            );
            wrong.push((Point::Positions, what));
        }
    }
}
