//! What an answer says of a log, and what it leaves out: reads, marks, entries of lists.

use serde_json::Value;

use super::{
    log::{Fault, Log, Message},
    operations::{Answer, Operation, Point, is_range, name, numbers, text},
};

/// A log, as an answer shows it to somebody.
pub struct View<'l, F> {
    pub log: &'l Log<'l>,
    pub operation: &'l Operation<'l>,
    pub answer: &'l Answer<'l>,
    /// What they call it.
    pub called: &'l str,
    /// Up to where they may have read without saying so, because that was there when they came; and whether they may have
    /// come anew, which is where their position begins.
    pub came: u64,
    pub may_be_new: bool,
    /// In a meeting, nothing is unread.
    pub is_meeting: bool,
    /// How many of those that nobody has ever seen may be unread, and which of their own.
    pub unseen: u64,
    pub may_be_unread: F,
}

impl<F: Fn(&Message) -> bool> View<'_, F> {
    /// Pages and ranges. What they show is in the log; this is about what they leave out behind a number.
    pub fn check_read(&self, behind: u64, wrong: &mut Vec<Fault>) {
        let Self { log, operation, answer, .. } = self;
        let shown: Vec<u64> = numbers(answer.data).collect();
        if shown.windows(2).any(|two| two[0] >= two[1]) {
            wrong.push((Point::Reads, format!("{} is out of order: {shown:?}", name(operation))));
            return;
        }
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
            let is_first = text(operation.data, "nextReqMessageID").is_empty();
            (oldest, if is_first { newest.max(log.known.before(self.stale())) } else { newest })
        };
        let from = from.max(behind.saturating_add(1));
        if from > to {
            return;
        }
        let mut shown = shown.iter().peekable();
        for (number, message) in log.messages.range(from..=to) {
            while shown.next_if(|shown| **shown < *number).is_some() {}
            if shown.next_if(|shown| **shown == *number).is_none()
                && log.rules.lives(message.time, answer.clock)
            {
                let Message { client_id, from, seen, .. } = message;
                let what = format!(
                    "{} lacks message {number} ('{client_id}' of {from}, seen by {seen})",
                    name(operation)
                );
                wrong.push((Point::Reads, what));
                return;
            }
        }
    }

    pub fn check_mark(&self, wrong: &mut Vec<Fault>) {
        let Self { log, operation, answer, .. } = self;
        let read = answer.data["readSequence"].as_u64().unwrap_or_default();
        let named = operation.data["sequence"].as_u64();
        // Who names what they have read already is answered from a read that may be behind.
        let then = if named.is_some() { self.stale() } else { operation.at };
        self.check_position(read, then, wrong);
        // With retention, not every number has a message.
        let last = named.unwrap_or(u64::MAX).min(log.known.before(operation.at));
        let there = log.messages.range(..=last).next_back().map_or(0, |(there, _)| *there);
        if read < there && log.living(there, answer.clock).is_some() {
            let short = format!("{} has read up to {read} only, but {there} was there", name(operation));
            wrong.push((Point::Positions, short));
        }
        let (least, most) = (log.known.before(self.stale()), log.most(answer.at));
        self.check_unread((read, &answer.data["unreadCount"]), (least, most), wrong);
    }

    /// An entry of a list, which has the position that was there at a time.
    pub fn check_listed(&self, listed: &Value, then: u64, wrong: &mut Vec<Fault>) {
        let Self { log, operation, answer, called, .. } = self;
        let number = |field: &str| listed[field].as_u64().unwrap_or_default();
        let (read, last) = (number("readSequence"), number("lastSequence"));
        let known = log.known.before(self.stale());
        if let Some(message) = log.living(known, answer.clock).filter(|_| last < known) {
            let what = format!(
                "{}: {called} ends with {last}, but {known} was seen by {}",
                name(operation),
                message.seen
            );
            wrong.push((Point::Reads, what));
        }
        if last > log.most(answer.at) {
            let what = format!("{}: {called} ends with {last}, which nobody has sent yet", name(operation));
            wrong.push((Point::Reads, what));
        }
        self.check_position(read, then, wrong);
        // The same query says both, so it is exact.
        let behind = read.max(number("joinedSequence"));
        self.check_unread((behind, &listed["unreadCount"]), (last, last), wrong);
    }

    /// Where a user is who has read: at least as far as was known then, and no farther than they said or came.
    fn check_position(&self, read: u64, then: u64, wrong: &mut Vec<Fault>) {
        let Self { log, operation, answer, called, .. } = self;
        let me = operation.user;
        let known = log.has_read(me, then);
        // With retention nobody knows of what nobody has seen.
        let lives = log.rules.retention.is_none() || log.living(known, answer.clock).is_some();
        if read < known && lives && !self.may_be_new {
            let back =
                format!("{}: {me} has read {called} up to {read}, but had up to {known}", name(operation));
            wrong.push((Point::Positions, back));
        }
        let most = log.wanted(me, answer.at).min(log.most(answer.at)).max(self.came);
        if read > most {
            let far = format!("{}: {me} has read {called} up to {read}, beyond {most}", name(operation));
            wrong.push((Point::Positions, far));
        }
    }

    /// As brute force would count it, between what must be there and what can be. Of one's own messages those alone are
    /// certainly not unread whose sender has been told.
    fn check_unread(&self, (read, unread): (u64, &Value), (least, most): (u64, u64), wrong: &mut Vec<Fault>) {
        let Self { log, operation, answer, called, .. } = self;
        let (me, rules) = (operation.user, log.rules);
        let unread = unread.as_u64().unwrap_or(u64::MAX);
        if self.is_meeting {
            if unread != 0 {
                let what = format!("{}: {unread} unread in the meeting {called}", name(operation));
                wrong.push((Point::Positions, what));
            }
            return;
        }
        let gone = read.max(log.last_of(|time| !rules.may_live(time, operation.clock)));
        let going = read.max(log.last_of(|time| !rules.lives(time, answer.clock)));
        let others = |behind: u64, to: u64| log.count(behind, to) - log.own(me, behind, to).len() as u64;
        let own =
            log.own(me, gone, most).iter().filter(|number| (self.may_be_unread)(&log.messages[*number]));
        let low = others(going, least);
        let high = others(gone, most) + log.missing(gone, most).min(self.unseen) + own.count() as u64;
        if unread < low || unread > high {
            let what = format!(
                "{}: {me} has read {called} up to {read} of {most}, which leaves {low} to {high} unread, not {unread}",
                name(operation)
            );
            wrong.push((Point::Positions, what));
        }
    }

    /// From when on a read that is not strongly consistent may tell.
    fn stale(&self) -> u64 {
        self.log.rules.stale(self.operation.at)
    }
}
