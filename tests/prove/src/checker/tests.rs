//! Histories by hand: a good one, and for each thing that can be wrong one that is bad in that alone.

use serde_json::{Value, json};

use super::{Point, check};
use crate::history::{Event, Invoke, Push, Return, Rules, What};

/// The second at which a story begins.
const START: u64 = 1_795_400_000;

/// A history in which a millisecond passes with each event.
pub(super) struct Story {
    events: Vec<Event>,
    at: u64,
    ahead_ms: u64,
}

impl Story {
    pub(super) fn new() -> Self {
        Self::with(Rules { stale_ms: 1_000, ..Rules::default() })
    }

    pub(super) fn with_retention() -> Self {
        Self::with(Rules { stale_ms: 1_000, retention: Some(600), ..Rules::default() })
    }

    fn with(rules: Rules) -> Self {
        let mut story = Self { events: Vec::new(), at: 0, ahead_ms: 0 };
        story.note(What::Begin(rules));
        story
    }

    pub(super) fn note(&mut self, what: What) {
        self.at += 1_000;
        let clock = START * 1000 + self.at / 1000 + self.ahead_ms;
        self.events.push(Event { at: self.at, clock, what });
    }

    pub(super) fn wait(&mut self, ms: u64) {
        self.at += ms * 1_000;
    }

    /// The second that the server's clock shows.
    pub(super) fn now_s(&self) -> u64 {
        START + (self.at / 1000 + self.ahead_ms) / 1000
    }

    pub(super) fn step_clock(&mut self, s: u64) {
        self.ahead_ms += s * 1000;
    }

    pub(super) fn asks(&mut self, user: &str, action: &str, data: Value) -> u64 {
        let op = self.events.len() as u64;
        self.note(What::Invoke(Invoke { op, user: user.to_owned(), action: action.to_owned(), data }));
        op
    }

    pub(super) fn answer(&mut self, op: u64, data: Value) {
        self.note(What::Return(Return { op, code: 0, data }));
    }

    pub(super) fn refuse(&mut self, op: u64, code: i64) {
        self.note(What::Return(Return { op, code, data: json!({}) }));
    }

    pub(super) fn pushes(&mut self, user: &str, event: &str, data: Value) {
        self.note(What::Push(Push { user: user.to_owned(), event: event.to_owned(), data }));
    }

    /// Alice or bob asks to send a message of this name, which is also what it says.
    fn sends(&mut self, from: &str, id: &str) -> u64 {
        self.asks(from, "sendMessage", message(from, id))
    }

    /// The same, and has the acknowledgement.
    fn sent(&mut self, from: &str, id: &str, number: u64) {
        let op = self.sends(from, id);
        self.acknowledge(op, from, id, number);
    }

    fn acknowledge(&mut self, op: u64, from: &str, id: &str, number: u64) {
        let message = self.message(from, id, number);
        self.answer(op, json!({ "message": message }));
    }

    /// A message as the server shows it, of this second.
    fn message(&self, from: &str, id: &str, number: u64) -> Value {
        let mut message = message(from, id);
        message["from"] = json!(from);
        message["sequence"] = json!(number);
        message["time"] = json!(self.now_s());
        message
    }

    /// Reads a range, and is shown these messages.
    fn reads(&mut self, user: &str, from: u64, shown: &[Value]) {
        let range = json!({ "conversationID": format!("C2C{}", peer(user)), "fromSequence": from });
        let op = self.asks(user, "getMessageList", range);
        self.answer(op, json!({ "messageList": shown, "nextSequence": 0, "isCompleted": true }));
    }

    /// Reads the newest page.
    fn looks(&mut self, user: &str, shown: &[Value]) {
        let page = json!({ "conversationID": format!("C2C{}", peer(user)), "nextReqMessageID": "" });
        let op = self.asks(user, "getMessageList", page);
        self.answer(op, json!({ "messageList": shown, "nextReqMessageID": "", "isCompleted": true }));
    }

    fn marks(&mut self, user: &str, named: u64, read: u64, unread: u64) {
        let id = format!("C2C{}", peer(user));
        let op = self.asks(user, "setMessageRead", json!({ "conversationID": id, "sequence": named }));
        self.answer(op, json!({ "conversationID": id, "readSequence": read, "unreadCount": unread }));
    }

    fn lists(&mut self, user: &str, read: u64, last: u64, unread: u64) {
        let op = self.asks(user, "getConversationList", json!({}));
        let shown = json!({
            "conversationID": format!("C2C{}", peer(user)), "readSequence": read, "lastSequence": last,
            "unreadCount": unread, "peerReadSequence": 0,
        });
        self.answer(op, json!({ "conversationList": [shown], "isCompleted": true }));
    }

    fn changes_the_blacklist(&mut self, user: &str, action: &str, then: &[&str]) {
        let op = self.asks(user, action, json!({ "userIDList": [peer(user)] }));
        self.answer(op, json!({ "blacklist": then }));
    }

    /// Everybody reads everything, and this is what the checker says: the points, and the words.
    fn ends_with(mut self, log: &[Value]) -> (Vec<Point>, String) {
        self.wait(2_000);
        self.note(What::End(Value::Null));
        for user in ["alice", "bob"] {
            self.reads(user, 1, log);
        }
        self.verdict()
    }

    pub(super) fn verdict(self) -> (Vec<Point>, String) {
        let anomalies = check(&self.events).anomalies;
        let words: Vec<String> = anomalies.iter().map(|anomaly| anomaly.what.clone()).collect();
        let mut points: Vec<Point> = anomalies.iter().map(|anomaly| anomaly.point).collect();
        points.dedup();
        (points, words.join("\n"))
    }
}

fn peer(user: &str) -> &'static str {
    if user == "alice" { "bob" } else { "alice" }
}

fn message(from: &str, id: &str) -> Value {
    json!({
        "to": peer(from), "conversationType": "C2C", "clientID": id, "base": 0,
        "type": "TIMTextElem", "payload": { "text": id },
    })
}

/// That it is refused for this alone, in words that name what is to be looked at.
#[track_caller]
pub(super) fn refused(verdict: (Vec<Point>, String), point: Point, named: &[&str]) {
    assert_eq!(verdict.0, [point], "{}", verdict.1);
    for name in named {
        assert!(verdict.1.contains(name), "{name} is not in: {}", verdict.1);
    }
}

#[track_caller]
pub(super) fn accepted(verdict: (Vec<Point>, String)) {
    assert_eq!(verdict.0, [], "{}", verdict.1);
}

#[test]
fn a_good_history_is_accepted() {
    let mut story = Story::new();
    let (one, two) = (story.message("alice", "a1", 1), story.message("bob", "b1", 2));
    story.sent("alice", "a1", 1);
    story.pushes("bob", "onMessageReceived", json!([one]));
    story.marks("bob", 1, 1, 0);
    story.pushes("alice", "onMessageReadByPeer", json!({ "conversationID": "C2Cbob", "sequence": 1 }));
    story.sent("bob", "b1", 2);
    story.sent("alice", "a1", 1);
    story.reads("alice", 1, &[one.clone(), two.clone()]);
    story.looks("alice", std::slice::from_ref(&one));
    story.lists("alice", 0, 2, 1);
    story.lists("alice", 0, 1, 0);
    accepted(story.ends_with(&[one, two]));
}

#[test]
fn a_message_has_one_number() {
    let mut story = Story::new();
    let log = [story.message("alice", "a1", 1), story.message("alice", "a1", 2)];
    story.sent("alice", "a1", 1);
    story.sent("alice", "a1", 2);
    refused(story.ends_with(&log), Point::OneNumber, &["'a1' of alice", "as 1", "as 2", "op 1 ", "op 3 "]);
}

#[test]
fn a_number_has_one_message() {
    let mut story = Story::new();
    let (first, second) = (story.sends("alice", "a1"), story.sends("bob", "b1"));
    story.acknowledge(first, "alice", "a1", 1);
    story.acknowledge(second, "bob", "b1", 1);
    let log = [story.message("bob", "b1", 1)];
    let (points, words) = story.ends_with(&log);
    assert!(points.contains(&Point::OneNumber), "{words}");
    assert!(words.contains("two messages 1: 'b1' of bob") && words.contains("'a1' of alice"), "{words}");
}

#[test]
fn an_acknowledgement_is_of_what_was_sent() {
    let mut story = Story::new();
    story.sent("alice", "a1", 1);
    let op = story.sends("alice", "a2");
    story.acknowledge(op, "alice", "a1", 1);
    let log = [story.message("alice", "a1", 1)];
    refused(story.ends_with(&log), Point::OneNumber, &["op 3 ", "another message"]);
}

#[test]
fn a_hole_is_found() {
    let mut story = Story::new();
    let log = [story.message("alice", "a1", 1), story.message("alice", "a2", 3)];
    story.sent("alice", "a1", 1);
    story.sent("alice", "a2", 3);
    refused(story.ends_with(&log), Point::NoHole, &["alice·bob has no message 2, but 3 ('a2'"]);
}

#[test]
fn time_does_not_go_back_along_the_numbers() {
    let mut story = Story::new();
    let mut late = story.message("alice", "a1", 1);
    late["time"] = json!(START + 5);
    let log = [late.clone(), story.message("alice", "a2", 2)];
    let op = story.sends("alice", "a1");
    story.answer(op, json!({ "message": late }));
    story.sent("alice", "a2", 2);
    refused(story.ends_with(&log), Point::NoHole, &["message 2 ('a2') is of", "and 1 ('a1') before it"]);
}

#[test]
fn what_was_acknowledged_is_there_at_the_end() {
    let mut story = Story::new();
    let log = [story.message("alice", "a1", 1)];
    story.sent("alice", "a1", 1);
    story.sent("alice", "a2", 2);
    let (points, words) = story.ends_with(&log);
    assert_eq!(points, [Point::NoHole, Point::Reads], "{words}");
    assert!(words.contains("at the end bob does not find message 2 of alice·bob ('a2'"), "{words}");
}

#[test]
fn a_history_without_an_end_proves_nothing() {
    let mut story = Story::new();
    story.sent("alice", "a1", 1);
    refused(story.verdict(), Point::NoHole, &["no end"]);
}

#[test]
fn what_was_seen_before_something_was_sent_has_a_lower_number() {
    let mut story = Story::new();
    let log = [story.message("bob", "b1", 1), story.message("alice", "a1", 2)];
    story.sent("alice", "a1", 2);
    story.sent("bob", "b1", 1);
    refused(
        story.ends_with(&log),
        Point::RealTime,
        &["'b1' was first sent", "number 1, but 2 ('a1')", "op 1 "],
    );
}

#[test]
fn a_range_has_what_was_acknowledged_before() {
    let mut story = Story::new();
    let log = [story.message("alice", "a1", 1), story.message("alice", "a2", 2)];
    story.sent("alice", "a1", 1);
    story.sent("alice", "a2", 2);
    story.reads("bob", 1, &log[..1]);
    refused(
        story.ends_with(&log),
        Point::Reads,
        &["op 5 (bob getMessageList alice", "lacks message 2 ('a2' of alice"],
    );
}

#[test]
fn a_range_has_what_is_before_its_last_message() {
    let mut story = Story::new();
    let log = [1, 2, 3].map(|number| story.message("alice", &format!("a{number}"), number));
    let asked = [1, 2, 3].map(|number| story.sends("alice", &format!("a{number}")));
    story.reads("bob", 1, &[log[0].clone(), log[2].clone()]);
    for (op, number) in asked.into_iter().zip(1..) {
        story.acknowledge(op, "alice", &format!("a{number}"), number);
    }
    refused(story.ends_with(&log), Point::Reads, &["op 4 ", "lacks message 2"]);
}

#[test]
fn a_page_has_what_is_older_than_a_second_and_may_lack_the_rest() {
    for (ms, is_good) in [(900, true), (1_100, false)] {
        let mut story = Story::new();
        let log = [story.message("alice", "a1", 1), story.message("alice", "a2", 2)];
        story.sent("alice", "a1", 1);
        story.sent("alice", "a2", 2);
        story.wait(ms);
        story.looks("bob", &log[..1]);
        let verdict = story.ends_with(&log);
        if is_good {
            accepted(verdict)
        } else {
            refused(verdict, Point::Reads, &["op 5 ", "lacks message 2"])
        }
    }
}

#[test]
fn a_read_is_in_order() {
    let mut story = Story::new();
    let log = [story.message("alice", "a1", 1), story.message("alice", "a2", 2)];
    story.sent("alice", "a1", 1);
    story.sent("alice", "a2", 2);
    story.reads("bob", 1, &[log[1].clone(), log[0].clone()]);
    refused(story.ends_with(&log), Point::Reads, &["op 5 ", "out of order: [2, 1]"]);
}

#[test]
fn a_list_ends_where_the_conversation_does() {
    let mut story = Story::new();
    let log = [story.message("alice", "a1", 1), story.message("alice", "a2", 2)];
    story.sent("alice", "a1", 1);
    story.sent("alice", "a2", 2);
    story.wait(1_500);
    story.lists("bob", 0, 1, 1);
    refused(story.ends_with(&log), Point::Reads, &["op 5 ", "alice ends with 1, but 2 was seen by op 3"]);
}

#[test]
fn what_had_no_answer_is_there_once_or_not_at_all_and_not_before_it_was_sent() {
    for (is_there, is_early) in [(false, false), (true, false), (true, true)] {
        let mut story = Story::new();
        let log = [story.message("alice", "a1", 1)];
        if is_early {
            story.reads("bob", 1, &log);
        }
        story.sends("alice", "a1");
        let verdict = story.ends_with(if is_there { &log } else { &[] });
        if is_early {
            refused(verdict, Point::Unanswered, &["op 1 ", "what op 3 sends only"])
        } else {
            accepted(verdict)
        }
    }
}

#[test]
fn what_nobody_has_sent_is_not_there() {
    let story = Story::new();
    let log = [story.message("alice", "a1", 1)];
    let (points, words) = story.ends_with(&log);
    assert_eq!(points, [Point::Reads], "{words}");
    assert!(words.contains("what nobody has sent"), "{words}");
}

fn story_of_a_read_position() -> (Story, [Value; 3]) {
    let mut story = Story::new();
    let log = [1, 2, 3].map(|number| story.message("alice", &format!("a{number}"), number));
    for number in 1..=3 {
        story.sent("alice", &format!("a{number}"), number);
    }
    (story, log)
}

#[test]
fn a_read_position_does_not_go_back() {
    let (mut story, log) = story_of_a_read_position();
    story.marks("bob", 3, 3, 0);
    story.wait(1_500);
    story.marks("bob", 2, 2, 1);
    refused(
        story.ends_with(&log),
        Point::Positions,
        &["op 9 ", "bob has read alice up to 2, but had up to 3"],
    );
}

#[test]
fn a_read_position_does_not_go_back_behind_what_a_list_has_shown() {
    for (then, is_good) in [(2, true), (1, false)] {
        let (mut story, log) = story_of_a_read_position();
        story.asks("bob", "setMessageRead", json!({ "conversationID": "C2Calice", "sequence": 2 }));
        story.lists("bob", 2, 3, 1);
        story.wait(1_500);
        story.lists("bob", then, 3, 3 - then);
        let verdict = story.ends_with(&log);
        if is_good {
            accepted(verdict)
        } else {
            refused(verdict, Point::Positions, &["op 10 ", "bob has read alice up to 1, but had up to 2"])
        }
    }
}

#[test]
fn a_read_position_is_as_far_as_was_asked_for_and_no_farther() {
    for (named, read, unread, words) in [
        (2, 1, 2, "op 7 (bob setMessageRead alice"),
        (2, 3, 0, "up to 3, beyond 2"),
        (9, 9, 0, "up to 9, beyond 3"),
    ] {
        let (mut story, log) = story_of_a_read_position();
        story.marks("bob", named, read, unread);
        refused(story.ends_with(&log), Point::Positions, &[words]);
    }
}

#[test]
fn unread_is_what_is_behind_the_read_position() {
    for (unread, is_good) in [(0, false), (1, true), (2, false)] {
        let (mut story, log) = story_of_a_read_position();
        story.marks("bob", 2, 2, 1);
        story.wait(1_500);
        story.lists("bob", 2, 3, unread);
        let verdict = story.ends_with(&log);
        if is_good {
            accepted(verdict)
        } else {
            refused(verdict, Point::Positions, &["op 9 ", "leaves 1 to 1 unread"])
        }
    }
}

#[test]
fn what_a_peer_has_read_they_have_said() {
    let (mut story, log) = story_of_a_read_position();
    story.marks("bob", 2, 2, 1);
    story.pushes("alice", "onMessageReadByPeer", json!({ "conversationID": "C2Cbob", "sequence": 3 }));
    refused(
        story.ends_with(&log),
        Point::Pushes,
        &["a push to alice", "bob has read up to 3, and never said so"],
    );
}

#[test]
fn nothing_gets_through_a_block() {
    for sent_before in [true, false] {
        let mut story = Story::new();
        let mut op = 0;
        if sent_before {
            op = story.sends("bob", "b1");
        }
        story.changes_the_blacklist("alice", "addToBlacklist", &["bob"]);
        if !sent_before {
            op = story.sends("bob", "b1");
        }
        story.acknowledge(op, "bob", "b1", 1);
        let log = [story.message("bob", "b1", 1)];
        story.changes_the_blacklist("alice", "removeFromBlacklist", &[]);
        let verdict = story.ends_with(&log);
        if sent_before {
            accepted(verdict);
        } else {
            refused(verdict, Point::Blocks, &["alice had bob on the blacklist", "'b1' of bob got through"]);
        }
    }
}

#[test]
fn nobody_is_refused_without_a_block() {
    for (is_blocked, is_removed) in [(false, false), (true, false), (true, true)] {
        let mut story = Story::new();
        if is_blocked {
            story.changes_the_blacklist("alice", "addToBlacklist", &["bob"]);
        }
        if is_removed {
            story.changes_the_blacklist("alice", "removeFromBlacklist", &[]);
        }
        let op = story.sends("bob", "b1");
        story.refuse(op, 20007);
        let verdict = story.ends_with(&[]);
        if is_blocked && !is_removed {
            accepted(verdict);
        } else {
            refused(verdict, Point::Blocks, &["bob sendMessage alice 'b1'", "is refused"]);
        }
    }
}

#[test]
fn a_blacklist_has_whom_it_has() {
    for (shown, words) in [(&[][..], "without bob"), (&["bob", "carol"][..], "with carol")] {
        let mut story = Story::new();
        story.changes_the_blacklist("alice", "addToBlacklist", &["bob"]);
        let op = story.asks("alice", "getBlacklist", json!({}));
        story.answer(op, json!({ "blacklist": shown }));
        refused(story.ends_with(&[]), Point::Blocks, &["op 3 ", words]);
    }
}

#[test]
fn a_block_that_had_no_answer_may_be_there_or_not() {
    for code in [0, 20007] {
        let mut story = Story::new();
        story.asks("alice", "addToBlacklist", json!({ "userIDList": ["bob"] }));
        let op = story.sends("bob", "b1");
        let log = [story.message("bob", "b1", 1)];
        if code == 0 {
            story.acknowledge(op, "bob", "b1", 1);
            accepted(story.ends_with(&log));
        } else {
            story.refuse(op, code);
            accepted(story.ends_with(&[]));
        }
    }
}

#[test]
fn a_push_says_what_is_in_the_log_to_those_whom_it_concerns() {
    type Change = fn(&mut Value);
    let changes: [(&str, Change, &str); 4] = [
        ("bob", |message| message["payload"]["text"] = json!("other"), "but op 1 has sent"),
        ("bob", |message| message["sequence"] = json!(2), "as 2, seen by a push to bob"),
        ("carol", |_| {}, "what does not concern carol"),
        ("bob", |message| message["time"] = json!(START + 9), "two messages 1"),
    ];
    for (user, change, words) in changes {
        let mut story = Story::new();
        let log = [story.message("alice", "a1", 1)];
        story.sent("alice", "a1", 1);
        let mut pushed = log[0].clone();
        change(&mut pushed);
        story.pushes(user, "onMessageReceived", json!([pushed]));
        let (points, said) = story.ends_with(&log);
        assert!(!points.is_empty() && said.contains(words), "{words}: {said}");
    }
}

#[test]
fn what_has_expired_may_be_missing_and_what_lives_may_not() {
    for (seconds, is_good) in [(590, false), (610, true)] {
        let mut story = Story::with_retention();
        story.sent("alice", "a1", 1);
        story.step_clock(seconds);
        let verdict = story.ends_with(&[]);
        if is_good {
            accepted(verdict);
        } else {
            assert_eq!(verdict.0, [Point::NoHole, Point::Reads], "{}", verdict.1);
        }
    }
}

#[test]
fn numbers_go_on_behind_a_block_when_all_has_expired_and_only_then() {
    for (seconds, number, point) in
        [(610, 33, None), (610, 1, Some(Point::OneNumber)), (300, 33, Some(Point::NoHole))]
    {
        let mut story = Story::with_retention();
        story.sent("alice", "a1", 1);
        let first = story.message("alice", "a1", 1);
        story.step_clock(seconds);
        story.sent("alice", "a2", number);
        let second = story.message("alice", "a2", number);
        let log = if seconds == 610 { vec![second] } else { vec![first, second] };
        let (points, words) = story.ends_with(&log);
        assert_eq!(points.first().copied(), point, "{seconds} {number}: {words}");
    }
}

#[test]
fn what_nobody_has_seen_may_have_expired_and_leaves_its_number() {
    for (is_sent, is_sent_again, is_good) in [(true, false, true), (true, true, true), (false, false, false)]
    {
        let mut story = Story::with_retention();
        story.sent("alice", "a1", 1);
        if is_sent {
            story.sends("bob", "b1");
        }
        story.step_clock(400);
        story.sent("alice", "a2", 3);
        let mut log = vec![story.message("alice", "a2", 3)];
        story.step_clock(300);
        if is_sent_again {
            log.push(story.message("bob", "b1", 4));
            story.sent("bob", "b1", 4);
        }
        let verdict = story.ends_with(&log);
        if is_good {
            accepted(verdict)
        } else {
            refused(verdict, Point::NoHole, &["has no message 2, but 3"])
        }
    }
}

#[test]
fn a_list_may_end_with_what_nobody_sees_before_it_expires() {
    for is_sent in [true, false] {
        let mut story = Story::with_retention();
        story.sent("alice", "a1", 1);
        if is_sent {
            story.sends("alice", "a2");
        }
        story.lists("bob", 0, 2, 1);
        story.step_clock(700);
        let verdict = story.ends_with(&[]);
        if is_sent {
            accepted(verdict)
        } else {
            refused(verdict, Point::Reads, &["ends with 2, which nobody has sent"])
        }
    }
}

#[test]
fn what_nobody_has_seen_and_what_expires_is_unread_or_not() {
    for (is_sent, seconds, unread, is_good) in [
        (true, 1, 1, true),
        (true, 1, 2, true),
        (true, 1, 3, false),
        (false, 1, 2, false),
        (true, 600, 0, true),
        (true, 620, 1, false),
    ] {
        let mut story = Story::with_retention();
        if is_sent {
            story.sends("alice", "a1");
        }
        story.sent("alice", "a2", 2);
        let op = story.asks("bob", "sendMessage", message("bob", "b1"));
        story.step_clock(seconds);
        story.acknowledge(op, "bob", "b1", 3);
        story.lists("bob", 0, 3, unread);
        let log = [story.message("bob", "b1", 3)];
        story.step_clock(300);
        let (points, words) = story.ends_with(&log);
        let is_found = points.contains(&Point::Positions);
        assert_eq!(is_found, !is_good, "{is_sent} {seconds} {unread}: {words}");
    }
}

#[test]
fn what_was_read_and_nobody_has_seen_may_have_expired() {
    for (is_seen, seconds, is_good) in [(true, 1, false), (true, 700, true), (false, 700, true)] {
        let mut story = Story::with_retention();
        if is_seen {
            story.sent("alice", "a1", 1);
        } else {
            story.sends("alice", "a1");
        }
        story.marks("bob", 1, 1, 0);
        story.wait(1_500);
        story.step_clock(seconds);
        story.sent("alice", "a2", if seconds > 600 { 33 } else { 2 });
        story.marks("bob", 1, 0, if seconds > 600 { 1 } else { 2 });
        let (points, words) = story.verdict();
        assert_eq!(!words.contains("had up to 1"), is_good, "{points:?} {words}");
    }
}

#[test]
fn what_has_expired_may_be_sent_anew() {
    for (seconds, is_good) in [(610, true), (300, false)] {
        let mut story = Story::with_retention();
        story.sent("alice", "a1", 1);
        let first = story.message("alice", "a1", 1);
        story.step_clock(seconds);
        let number = if is_good { 33 } else { 2 };
        story.sent("alice", "a1", number);
        let second = story.message("alice", "a1", number);
        if is_good {
            accepted(story.ends_with(&[second]));
        } else {
            refused(
                story.ends_with(&[first, second]),
                Point::OneNumber,
                &["'a1' of alice is in alice·bob twice"],
            );
        }
    }
}
