//! Histories of groups by hand: a good one, and for each thing that can be wrong one that is bad in that alone.

use serde_json::{Value, json};

use crate::checker::{
    Point,
    tests::{Story, accepted, refused},
};
use crate::history::{ALL_IS_WELL, What};

/// What the end of the group looks like, and the messages that each of its members finds.
struct End<'a> {
    members: &'a [(&'a str, &'a str, u64)],
    log: &'a [Value],
}

/// Alice has made a group of this type, with bob.
fn group(kind: &str) -> Story {
    group_in(Story::new(), kind)
}

fn group_in(mut story: Story, kind: &str) -> Story {
    let members = json!([{ "userID": "bob", "role": "Member" }]);
    let op = story.asks(
        "alice",
        "createGroup",
        json!({ "groupID": "g", "type": kind, "name": "n", "joinOption": "FreeAccess", "memberList": members }),
    );
    story.answer(op, json!({ "group": {} }));
    story
}

fn sent(id: &str) -> Value {
    json!({
        "to": "g", "conversationType": "GROUP", "clientID": id, "base": 0,
        "type": "TIMTextElem", "payload": { "text": id },
    })
}

fn shown(story: &Story, from: &str, number: u64, data: Value) -> Value {
    let mut message = data;
    message["from"] = json!(from);
    message["sequence"] = json!(number);
    message["time"] = json!(story.now_s());
    message
}

/// Sends a message, and has the acknowledgement.
fn says(story: &mut Story, from: &str, id: &str, number: u64) -> Value {
    let op = story.asks(from, "sendMessage", sent(id));
    let message = shown(story, from, number, sent(id));
    story.answer(op, json!({ "message": message }));
    message
}

/// Makes a change, which has this tip.
fn changes(story: &mut Story, user: &str, action: &str, number: u64, data: Value, tip: Value) -> Value {
    let message = tip_of(story, user, number, tip);
    let op = asks_for(story, user, action, number, data);
    let users = &message["payload"]["userIDList"];
    story.pushes("alice", "onMessageReceived", json!([message]));
    story.answer(op, json!({ "status": "JoinedSuccess", "userIDList": users, "successUserIDList": users }));
    message
}

fn asks_for(story: &mut Story, user: &str, action: &str, number: u64, mut data: Value) -> u64 {
    data["groupID"] = json!("g");
    data["clientID"] = json!(format!("c{number}"));
    story.asks(user, action, data)
}

fn tip_of(story: &Story, user: &str, number: u64, mut tip: Value) -> Value {
    tip["operatorID"] = json!(user);
    let message = json!({
        "to": "g", "conversationType": "GROUP", "clientID": format!("c{number}"),
        "type": "TIMGroupTipElem", "payload": tip,
    });
    shown(story, user, number, message)
}

fn joins(story: &mut Story, user: &str, number: u64) -> Value {
    changes(story, user, "joinGroup", number, json!({}), json!({ "operationType": 1, "userIDList": [user] }))
}

fn kicks(story: &mut Story, user: &str, whom: &str, number: u64) -> Value {
    let data = json!({ "userIDList": [whom] });
    changes(
        story,
        user,
        "deleteGroupMember",
        number,
        data,
        json!({ "operationType": 3, "userIDList": [whom] }),
    )
}

fn mutes(story: &mut Story, user: &str, whom: &str, number: u64) -> Value {
    let tip = json!({ "operationType": 7, "userIDList": [whom], "memberList": [{ "userID": whom, "muteTime": 60 }] });
    changes(story, user, "setGroupMember", number, json!({ "userID": whom, "muteTime": 60 }), tip)
}

fn reads(story: &mut Story, user: &str, log: &[Value]) {
    let op = story.asks(user, "getMessageList", json!({ "conversationID": "GROUPg", "fromSequence": 1 }));
    story.answer(op, json!({ "messageList": log, "nextSequence": 0, "isCompleted": true }));
}

/// How somebody's list shows it.
fn entry(role: &str, joined: u64, read: u64, last: u64, unread: u64) -> Value {
    json!({
        "conversationID": "GROUPg", "type": "GROUP", "joinedSequence": joined, "readSequence": read,
        "lastSequence": last, "unreadCount": unread,
        "groupProfile": {
            "groupID": "g", "type": "Public", "name": "n", "ownerID": "alice", "memberCount": 2, "maxMemberCount": 200,
            "selfInfo": { "role": role },
        },
    })
}

fn lists(story: &mut Story, user: &str, entries: &[Value]) {
    let op = story.asks(user, "getConversationList", json!({}));
    story.answer(op, json!({ "conversationList": entries, "isCompleted": true }));
}

impl End<'_> {
    /// Everybody reads everything, and the first one asks who they are.
    fn of(&self, mut story: Story) -> (Vec<Point>, String) {
        story.wait(2_000);
        story.note(What::End(Value::Null));
        let last = self.log.last().map_or(0, |message| message["sequence"].as_u64().unwrap());
        for (index, (user, role, joined)) in self.members.iter().enumerate() {
            let mut listed = entry(role, *joined, *joined, last, 0);
            listed["groupProfile"]["memberCount"] = json!(self.members.len());
            let others = self.log.iter().filter(|message| message["from"] != *user);
            let unread = others.filter(|message| message["sequence"].as_u64().unwrap() > *joined).count();
            listed["unreadCount"] = json!(unread);
            lists(&mut story, user, &[listed]);
            let log = self.log.iter().filter(|message| message["sequence"].as_u64().unwrap() > *joined);
            reads(&mut story, user, &log.cloned().collect::<Vec<_>>());
            if index == 0 {
                let op = story.asks(user, "getGroupMemberList", json!({ "groupID": "g", "count": 100 }));
                let members =
                    self.members.iter().map(|(user, role, _)| json!({ "userID": user, "role": role }));
                story.answer(op, json!({ "memberList": members.collect::<Vec<_>>(), "next": "" }));
            }
        }
        story.verdict()
    }
}

const BOTH: [(&str, &str, u64); 2] = [("alice", "Owner", 0), ("bob", "Member", 0)];
const ALICE: [(&str, &str, u64); 1] = [("alice", "Owner", 0)];

fn ends(story: Story, log: &[Value]) -> (Vec<Point>, String) {
    End { members: &BOTH, log }.of(story)
}

#[test]
fn a_good_history_of_a_group_is_accepted() {
    let mut story = group("Public");
    let mut log = vec![says(&mut story, "bob", "b1", 1)];
    log.push(joins(&mut story, "carol", 2));
    log.push(says(&mut story, "carol", "c", 3));
    reads(&mut story, "carol", &log[1..]);
    log.push(mutes(&mut story, "alice", "bob", 4));
    let op = story.asks("bob", "sendMessage", sent("b2"));
    story.refuse(op, 10017);
    log.push(kicks(&mut story, "alice", "bob", 5));
    for action in ["getMessageList", "setMessageRead"] {
        let op = story.asks("bob", action, json!({ "conversationID": "GROUPg" }));
        story.refuse(op, 10007);
    }
    story.wait(1_500);
    lists(&mut story, "bob", &[]);
    let mut listed = entry("Member", 1, 1, 5, 2);
    listed["groupProfile"]["memberCount"] = json!(2);
    lists(&mut story, "carol", &[listed]);
    let members = [("alice", "Owner", 0), ("carol", "Member", 1)];
    accepted(End { members: &members, log: &log }.of(story));
}

#[test]
fn the_numbers_of_a_group_have_no_hole_and_none_has_two() {
    let mut story = group("Public");
    let log = [says(&mut story, "bob", "b1", 1), says(&mut story, "bob", "b2", 3)];
    refused(ends(story, &log), Point::NoHole, &["g has no message 2, but 3 ('b2' of bob"]);

    let mut story = group("Public");
    let log = [says(&mut story, "bob", "b1", 1), says(&mut story, "bob", "b1", 2)];
    refused(ends(story, &log), Point::OneNumber, &["'b1' of bob is in g twice"]);

    let mut story = group("Public");
    let op = story.asks("alice", "sendMessage", sent("a1"));
    let log = [says(&mut story, "bob", "b1", 1)];
    let message = shown(&story, "alice", 1, sent("a1"));
    story.answer(op, json!({ "message": message }));
    refused(ends(story, &log), Point::OneNumber, &["g has two messages 1"]);
}

#[test]
fn what_is_sent_to_a_group_is_not_acknowledged_with_what_was_not() {
    for (kind, to, id) in [("GROUP", "g", "a1"), ("C2C", "bob", "a2")] {
        let mut story = group("Public");
        let log = [says(&mut story, "alice", "a1", 1)];
        let op = story.asks("alice", "sendMessage", sent("a2"));
        let mut other = shown(&story, "alice", 1, sent(id));
        other["conversationType"] = json!(kind);
        other["to"] = json!(to);
        other["time"] = log[0]["time"].clone();
        story.answer(op, json!({ "message": other }));
        let words = if kind == "GROUP" { "is acknowledged with another message" } else { "nobody has sent" };
        refused(ends(story, &log), Point::OneNumber, &["alice sendMessage g 'a2'", words]);
    }
}

#[test]
fn what_a_group_has_acknowledged_is_there_at_the_end() {
    let mut story = group("Public");
    let log = [says(&mut story, "bob", "b1", 1)];
    says(&mut story, "bob", "b2", 2);
    let (points, words) = ends(story, &log);
    assert!(
        points.contains(&Point::NoHole) && words.contains("at the end alice does not find message 2"),
        "{words}"
    );
}

#[test]
fn what_the_type_of_a_group_fixes_is_not_changed_and_has_no_tip() {
    for (kind, data, has_tip) in [
        ("Private", json!({ "inviteOption": "FreeAccess", "joinOption": "FreeAccess" }), false),
        ("Private", json!({ "inviteOption": "FreeAccess", "name": "n" }), true),
        ("ChatRoom", json!({ "joinOption": "FreeAccess" }), false),
        ("Public", json!({ "joinOption": "FreeAccess" }), true),
    ] {
        let mut story = group(kind);
        let op = asks_for(&mut story, "alice", "updateGroupProfile", 1, data);
        story.answer(op, json!({ "group": {} }));
        let (_, said) = ends(story, &[]);
        assert_eq!(said.contains("is done, and no tip says so"), has_tip, "{kind}: {said}");
    }
}

#[test]
fn a_change_has_one_tip_of_what_was_asked_for() {
    let mut story = group("Public");
    let op = asks_for(&mut story, "carol", "joinGroup", 1, json!({}));
    story.answer(op, json!({ "status": "JoinedSuccess" }));
    refused(ends(story, &[]), Point::Changes, &["carol joinGroup g 'c1'", "is done, and no tip says so"]);

    for (tip, words) in [
        (json!({ "operationType": 3, "userIDList": ["carol"] }), "of another kind"),
        (json!({ "operationType": 1, "userIDList": ["carol", "dave"] }), "of others"),
    ] {
        let mut story = group("Public");
        let log = [changes(&mut story, "carol", "joinGroup", 1, json!({}), tip)];
        let (points, said) = ends(story, &log);
        assert!(points.contains(&Point::Changes) && said.contains(words), "{said}");
    }
}

#[test]
fn a_tip_that_nobody_has_asked_for_is_not_there() {
    let mut story = group("Public");
    let log = [tip_of(&story, "bob", 1, json!({ "operationType": 2, "userIDList": ["bob"] }))];
    reads(&mut story, "alice", &log);
    let (points, words) = ends(story, &log);
    assert!(points.contains(&Point::Reads) && words.contains("nobody has asked for"), "{words}");
}

#[test]
fn a_repeated_change_answers_the_same() {
    let mut story = group("Public");
    let data = json!({ "userIDList": ["carol", "dave"] });
    let tip = json!({ "operationType": 1, "userIDList": ["carol", "dave"] });
    let log = [changes(&mut story, "alice", "addGroupMember", 1, data.clone(), tip)];
    let op = asks_for(&mut story, "alice", "addGroupMember", 1, data);
    story.answer(op, json!({ "successUserIDList": ["carol"] }));
    let members =
        [("alice", "Owner", 0), ("bob", "Member", 0), ("carol", "Member", 0), ("dave", "Member", 0)];
    refused(End { members: &members, log: &log }.of(story), Point::Changes, &["answers [\"carol\"]"]);
}

#[test]
fn a_change_that_is_asked_for_again_is_not_made_again() {
    // When it has its tip, there was something to do, whatever there is to do by then.
    let mut story = group("Public");
    let log = [joins(&mut story, "carol", 1)];
    let op = asks_for(&mut story, "carol", "joinGroup", 1, json!({}));
    story.answer(op, json!({ "status": "AlreadyInGroup" }));
    let members = [("alice", "Owner", 0), ("bob", "Member", 0), ("carol", "Member", 0)];
    refused(End { members: &members, log: &log }.of(story), Point::Changes, &["answers AlreadyInGroup"]);

    // When there was nothing to do, nobody knows of it, and then there may be.
    let mut story = group("Public");
    let op = asks_for(&mut story, "alice", "deleteGroupMember", 2, json!({ "userIDList": ["carol"] }));
    story.answer(op, json!({ "userIDList": [] }));
    let log = [joins(&mut story, "carol", 1), kicks(&mut story, "alice", "carol", 2)];
    reads(&mut story, "carol", &[]);
    refused(ends(story, &log), Point::Members, &["carol getMessageList", "who was not in it"]);

    for (called, is_good) in [("new", false), ("newer", true)] {
        let mut story = group("Public");
        let mut log = Vec::new();
        for (number, name) in [(1, "new"), (2, "newer")] {
            let tip = json!({ "operationType": 6, "newGroupProfile": { "groupName": name } });
            log.push(changes(
                &mut story,
                "alice",
                "updateGroupProfile",
                number,
                json!({ "name": name }),
                tip,
            ));
        }
        story.wait(1_500);
        let mut listed = entry("Member", 0, 0, 2, 2);
        listed["groupProfile"]["name"] = json!(called);
        lists(&mut story, "bob", &[listed]);
        let (points, words) = story.verdict();
        assert_eq!(points.contains(&Point::Changes), !is_good, "{words}");
        assert!(is_good || words.contains("is called 'new', which it was not"), "{words}");
    }
}

#[test]
fn a_change_that_has_no_tip_in_the_end_was_not_made() {
    for (is_completed, is_good) in [(false, true), (true, false)] {
        let mut story = group("Public");
        let op = asks_for(&mut story, "carol", "joinGroup", 9, json!({}));
        story.refuse(op, 20005);
        story.wait(5_000);
        if is_completed {
            story.note(What::Nemesis(ALL_IS_WELL.to_owned()));
        }
        let log = [says(&mut story, "alice", "last", 1)];
        reads(&mut story, "carol", &[]);
        let verdict = ends(story, &log);
        if is_good {
            accepted(verdict);
        } else {
            let words = ["carol getMessageList", "is answered to somebody who was not in it"];
            refused(verdict, Point::Members, &words);
        }
    }
}

#[test]
fn a_change_is_made_by_somebody_who_may() {
    let mut story = group("Public");
    let log = [joins(&mut story, "carol", 1), kicks(&mut story, "bob", "carol", 2)];
    refused(
        ends(story, &log),
        Point::Changes,
        &["bob deleteGroupMember", "is made by somebody who was [Some(Member)]"],
    );

    // Who may be an admin by then may.
    let mut story = group("Public");
    let mut log = vec![joins(&mut story, "carol", 1)];
    let op = asks_for(&mut story, "alice", "setGroupMember", 2, json!({ "userID": "bob", "role": "Admin" }));
    log.push(tip_of(&story, "alice", 2, json!({ "operationType": 4, "userIDList": ["bob"] })));
    log.push(kicks(&mut story, "bob", "carol", 3));
    story.answer(op, json!({}));
    let members = [("alice", "Owner", 0), ("bob", "Admin", 0)];
    accepted(End { members: &members, log: &log }.of(story));
}

#[test]
fn who_applies_is_let_in_by_somebody_else() {
    for (action, by, words) in [
        ("joinGroup", "carol", Some("is made by somebody who was")),
        ("handleGroupApplication", "bob", Some("is made by somebody who was")),
        ("handleGroupApplication", "alice", None),
    ] {
        let mut story = Story::new();
        let members = json!([{ "userID": "bob", "role": "Member" }]);
        let data = json!({ "groupID": "g", "type": "Public", "name": "n", "memberList": members });
        let op = story.asks("alice", "createGroup", data);
        story.answer(op, json!({}));
        let decision = json!({ "userID": "carol", "handleAction": "Agree" });
        let tip = json!({ "operationType": 1, "userIDList": ["carol"] });
        let log = [changes(&mut story, by, action, 1, decision, tip)];
        let members = [("alice", "Owner", 0), ("bob", "Member", 0), ("carol", "Member", 0)];
        let verdict = End { members: &members, log: &log }.of(story);
        match words {
            Some(words) => refused(verdict, Point::Changes, &[by, words]),
            None => accepted(verdict),
        }
    }
}

#[test]
fn who_was_put_out_finds_the_door_shut() {
    let mut story = group("Public");
    let log = [kicks(&mut story, "alice", "bob", 1)];
    reads(&mut story, "bob", &log);
    let end = End { members: &ALICE, log: &log };
    refused(
        end.of(story),
        Point::Members,
        &["bob getMessageList", "is answered to somebody who was not in it"],
    );

    let mut story = group("Public");
    let log = [kicks(&mut story, "alice", "bob", 1), says(&mut story, "bob", "b1", 2)];
    let (points, words) = End { members: &ALICE, log: &log }.of(story);
    assert!(
        points == [Point::Members] && words.contains("('b1') of bob") && words.contains("not in it"),
        "{words}"
    );

    // Of what was asked for before, nobody knows.
    let mut story = group("Public");
    let op = story.asks("bob", "sendMessage", sent("b1"));
    let log = [kicks(&mut story, "alice", "bob", 1), shown(&story, "bob", 2, sent("b1"))];
    story.answer(op, json!({ "message": log[1] }));
    accepted(End { members: &ALICE, log: &log }.of(story));
}

#[test]
fn what_was_dismissed_is_shut_to_all() {
    for is_before in [true, false] {
        let mut story = group("Public");
        let sends = |story: &mut Story| {
            let op = story.asks("bob", "sendMessage", sent("b1"));
            (op, shown(story, "bob", 1, sent("b1")))
        };
        let before = is_before.then(|| sends(&mut story));
        let op = story.asks("alice", "dismissGroup", json!({ "groupID": "g" }));
        story.answer(op, json!({}));
        let (op, message) = before.unwrap_or_else(|| sends(&mut story));
        story.answer(op, json!({ "message": message }));
        let verdict = End { members: &[], log: &[] }.of(story);
        if is_before {
            accepted(verdict);
        } else {
            let words =
                ["bob sendMessage g 'b1'", "is answered of what was dismissed", "when it was dismissed"];
            refused(verdict, Point::Members, &words);
        }
    }
    // However often its maker was not sure whether it was there.
    let mut story = group("Public");
    for _ in 0..2 {
        let data = json!({ "groupID": "g", "type": "Public", "name": "n" });
        story.asks("alice", "createGroup", data);
    }
    let op = story.asks("alice", "dismissGroup", json!({ "groupID": "g" }));
    story.answer(op, json!({}));
    says(&mut story, "alice", "a1", 1);
    let verdict = End { members: &[], log: &[] }.of(story);
    refused(verdict, Point::Members, &["alice sendMessage g 'a1'", "is answered of what was dismissed"]);

    // After a list has come upon it, its members have nothing of it any more.
    for is_dismissed in [true, false] {
        let mut story = group("Public");
        if is_dismissed {
            let op = story.asks("alice", "dismissGroup", json!({ "groupID": "g" }));
            story.answer(op, json!({}));
        }
        let op =
            story.asks("bob", "getMessageList", json!({ "conversationID": "GROUPg", "fromSequence": 1 }));
        story.refuse(op, 10007);
        let (points, said) =
            if is_dismissed { End { members: &[], log: &[] }.of(story) } else { ends(story, &[]) };
        assert_eq!(points.contains(&Point::Members), !is_dismissed, "{said}");
    }

    // A list has let go of it when it comes upon it.
    let mut story = group("Public");
    let op = story.asks("alice", "dismissGroup", json!({ "groupID": "g" }));
    story.answer(op, json!({}));
    reads(&mut story, "bob", &[]);
    story.wait(1_500);
    lists(&mut story, "bob", &[entry("Member", 0, 0, 0, 0)]);
    let verdict = End { members: &[], log: &[] }.of(story);
    refused(verdict, Point::Members, &["g is there, and was dismissed"]);
}

#[test]
fn a_member_is_not_refused() {
    for (code, words) in
        [(10007, "is refused to somebody who was in it"), (10010, "does not find what was there")]
    {
        let mut story = group("Public");
        story.wait(1_500);
        let op = story.asks("bob", "sendMessage", sent("b1"));
        story.refuse(op, code);
        refused(ends(story, &[]), Point::Members, &["bob sendMessage g 'b1'", words]);
    }
}

#[test]
fn nothing_is_shown_of_before_somebody_came() {
    for (kind, is_good) in [("Public", false), ("ChatRoom", true)] {
        let mut story = group(kind);
        let mut log = vec![says(&mut story, "bob", "b1", 1)];
        if kind == "Public" {
            log.push(joins(&mut story, "carol", 2));
        } else {
            let op = asks_for(&mut story, "carol", "joinGroup", 2, json!({}));
            story.answer(op, json!({ "status": "JoinedSuccess" }));
        }
        reads(&mut story, "carol", &log);
        let (points, words) = story.verdict();
        assert_eq!(!points.contains(&Point::Members), is_good, "{words}");
        assert!(is_good || words.contains("shows 1, of before carol came"), "{words}");
    }
}

#[test]
fn who_is_muted_says_nothing_and_others_are_not_refused() {
    let mut story = group("Public");
    let log = [mutes(&mut story, "alice", "bob", 1), says(&mut story, "bob", "b1", 2)];
    refused(ends(story, &log), Point::Muted, &["('b1') of bob", "who was muted all the time"]);

    let mut story = group("Public");
    let log = [mutes(&mut story, "alice", "bob", 1)];
    story.wait(70_000);
    let (before, log) = (log, says(&mut story, "bob", "b1", 2));
    accepted(ends(story, &[before[0].clone(), log]));

    let mut story = group("Public");
    let tip = json!({ "operationType": 6, "newGroupProfile": { "muteAllMembers": true } });
    let data = json!({ "muteAllMembers": true });
    let log = [
        changes(&mut story, "alice", "updateGroupProfile", 1, data, tip),
        says(&mut story, "alice", "a1", 2),
        says(&mut story, "bob", "b1", 3),
    ];
    refused(ends(story, &log), Point::Muted, &["('b1') of bob", "when all were muted"]);

    let mut story = group("Public");
    let op = story.asks("bob", "sendMessage", sent("b1"));
    story.refuse(op, 10017);
    refused(ends(story, &[]), Point::Muted, &["bob sendMessage g 'b1'", "somebody who was not muted"]);
}

#[test]
fn unread_is_what_others_have_said() {
    for (unread, is_good) in [(0, false), (1, true), (2, false)] {
        let mut story = group("Public");
        let log = [says(&mut story, "alice", "a1", 1), says(&mut story, "bob", "b1", 2)];
        lists(&mut story, "bob", &[entry("Member", 0, 0, 2, unread)]);
        let verdict = ends(story, &log);
        if is_good {
            accepted(verdict);
        } else {
            refused(verdict, Point::Positions, &["bob has read g up to 0 of 2, which leaves 1 to 1 unread"]);
        }
    }
    // Until they are told, a message of theirs may count.
    let mut story = group("Public");
    let op = story.asks("bob", "sendMessage", sent("b1"));
    lists(&mut story, "bob", &[entry("Member", 0, 0, 1, 1)]);
    let message = shown(&story, "bob", 1, sent("b1"));
    story.answer(op, json!({ "message": message }));
    accepted(ends(story, &[message]));

    let mut story = group("ChatRoom");
    lists(&mut story, "bob", &[entry("Member", 0, 0, 0, 1)]);
    refused(ends(story, &[]), Point::Positions, &["1 unread in the meeting g"]);
}

#[test]
fn a_read_position_in_a_group_goes_as_far_as_was_asked_for_and_not_back() {
    for (first, then, words) in [(2, 2, "beyond 1"), (1, 0, "up to 0, but had up to 1")] {
        let mut story = group("Public");
        let log = [says(&mut story, "alice", "a1", 1), says(&mut story, "alice", "a2", 2)];
        let op = story.asks("bob", "setMessageRead", json!({ "conversationID": "GROUPg", "sequence": 1 }));
        story.answer(op, json!({ "readSequence": first, "unreadCount": 2 - first }));
        story.wait(1_500);
        lists(&mut story, "bob", &[entry("Member", 0, then, 2, 2 - then)]);
        let (points, said) = ends(story, &log);
        assert!(points == [Point::Positions] && said.contains(words), "{said}");
    }
}

#[test]
fn whom_a_message_names_finds_it_in_their_list() {
    for (shown_at, words) in [
        (Some(json!([{ "from": "alice", "messageSequence": 1, "atTypeArray": [1] }])), None),
        (None, Some("names bob, and the list does not say so")),
        (Some(json!([{ "from": "alice", "messageSequence": 1, "atTypeArray": [3] }])), Some("does not say")),
    ] {
        let mut story = group("Public");
        let mut names = sent("a1");
        names["atUserList"] = json!(["bob"]);
        let op = story.asks("alice", "sendMessage", names.clone());
        let message = shown(&story, "alice", 1, names);
        story.answer(op, json!({ "message": message }));
        let mut listed = entry("Member", 0, 0, 1, 1);
        listed["groupAtInfoList"] = shown_at.unwrap_or_default();
        lists(&mut story, "bob", &[listed]);
        let (points, said) = story.verdict();
        match words {
            Some(words) => assert!(points.contains(&Point::Mentions) && said.contains(words), "{said}"),
            None => assert!(!points.contains(&Point::Mentions), "{said}"),
        }
    }
}

#[test]
fn whom_a_message_names_that_was_sent_anew_did_not_find_it_before() {
    let mut story = group_in(Story::with_retention(), "Public");
    let mut names = sent("a1");
    names["atUserList"] = json!(["bob"]);
    for (number, last) in [(1, 1), (33, 33)] {
        let op = story.asks("alice", "sendMessage", names.clone());
        let message = shown(&story, "alice", number, names.clone());
        story.answer(op, json!({ "message": message }));
        let mut listed = entry("Member", 0, 0, last, 1);
        listed["groupAtInfoList"] =
            json!([{ "from": "alice", "messageSequence": number, "atTypeArray": [1] }]);
        lists(&mut story, "bob", &[listed]);
        story.step_clock(610);
    }
    let (points, said) = story.verdict();
    assert!(!points.contains(&Point::Mentions), "{said}");
}

/// Each of these is sent, in this order, and names all; bob's list shows what it may.
#[test]
fn what_names_all_is_in_the_list_of_everybody_else() {
    let entry_of =
        |from: &str, number: u64| json!([{ "from": from, "messageSequence": number, "atTypeArray": [2] }]);
    for (senders, shown_at, is_well) in [
        (&["alice"][..], Some(entry_of("alice", 1)), true),
        (&["alice"], None, false),
        (&["bob"], None, true),
        // The last one takes the place of those before it, also for its sender.
        (&["alice", "bob"], None, true),
        (&["bob", "alice"], None, false),
        (&["bob", "alice"], Some(entry_of("alice", 2)), true),
    ] {
        let mut story = group("Public");
        for (index, sender) in senders.iter().enumerate() {
            let mut names = sent(&format!("{sender}-{index}"));
            names["atUserList"] = json!(["__kImSDK_MesssageAtALL__"]);
            let op = story.asks(sender, "sendMessage", names.clone());
            let message = shown(&story, sender, index as u64 + 1, names);
            story.answer(op, json!({ "message": message }));
        }
        story.wait(1_500);
        let last = senders.len() as u64;
        let others = senders.iter().filter(|sender| **sender != "bob").count() as u64;
        let mut listed = entry("Member", 0, 0, last, others);
        listed["groupAtInfoList"] = shown_at.unwrap_or_default();
        lists(&mut story, "bob", &[listed]);
        let (points, said) = story.verdict();
        assert_eq!(!points.contains(&Point::Mentions), is_well, "{senders:?}: {said}");
    }
}

#[test]
fn a_list_has_the_groups_that_somebody_is_in() {
    let mut story = group("Public");
    story.wait(1_500);
    lists(&mut story, "bob", &[]);
    refused(ends(story, &[]), Point::Members, &["bob getConversationList", "lacks g, in which bob was"]);

    // Whether they are in groups at all is not known to a list at once.
    let mut story = group("Public");
    story.wait(500);
    lists(&mut story, "bob", &[]);
    let (points, said) = ends(story, &[]);
    assert!(points.is_empty(), "{said}");

    let mut story = group("Public");
    lists(&mut story, "mallory", &[entry("Member", 0, 0, 0, 0)]);
    refused(ends(story, &[]), Point::Members, &["g is there, and mallory was not in it"]);

    let mut story = group("Public");
    lists(&mut story, "bob", &[entry("Admin", 0, 0, 0, 0)]);
    refused(ends(story, &[]), Point::Members, &["says that bob is Admin, who was not"]);
}

#[test]
fn at_the_end_a_group_has_one_owner_and_as_many_members_as_it_says() {
    for (members, words) in [
        ([("alice", "Owner", 0), ("bob", "Owner", 0)], "alice's by its profile"),
        ([("alice", "Member", 0), ("bob", "Member", 0)], "alice's by its profile"),
    ] {
        let (points, said) = End { members: &members, log: &[] }.of(group("Public"));
        assert!(points == [Point::Members] && said.contains(words), "{said}");
    }
    let (points, said) = End { members: &ALICE, log: &[] }.of(group("Public"));
    assert!(points == [Point::Members] && said.contains("lacks bob, who was in it"), "{said}");
}

#[test]
fn a_push_goes_to_members() {
    let mut story = group("Public");
    let log = [says(&mut story, "alice", "a1", 1)];
    story.pushes("bob", "onMessageReceived", json!(log));
    story.pushes("mallory", "onMessageReceived", json!(log));
    refused(ends(story, &log), Point::Pushes, &["a push to mallory", "who is not in it"]);
}

#[test]
fn what_was_recalled_is_not_shown_and_what_was_not_is() {
    let mut story = group("Public");
    let log = [says(&mut story, "bob", "b1", 1)];
    let mut recalled = log[0].clone();
    recalled["isRevoked"] = json!(true);
    recalled["payload"] = json!({ "text": "" });
    let op = story.asks("alice", "revokeMessage", json!({ "conversationID": "GROUPg", "sequence": 1 }));
    story.answer(op, json!({ "message": recalled }));
    reads(&mut story, "bob", &log);
    refused(ends(story, std::slice::from_ref(&recalled)), Point::Reads, &["shows what op", "has recalled"]);

    let mut story = group("Public");
    says(&mut story, "bob", "b1", 1);
    let (points, words) = ends(story, &[recalled.clone()]);
    assert!(points.contains(&Point::Reads) && words.contains("what nobody has recalled"), "{words}");

    let mut story = group("Public");
    says(&mut story, "alice", "b1", 1);
    recalled["from"] = json!("alice");
    let op = story.asks("bob", "revokeMessage", json!({ "conversationID": "GROUPg", "sequence": 1 }));
    story.answer(op, json!({ "message": recalled }));
    refused(ends(story, &[recalled]), Point::Changes, &["bob revokeMessage", "not theirs to recall"]);
}
