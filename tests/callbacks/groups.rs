//! What it is asked and told of groups.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use hongyan_functions::config::{CallbackFailure, CallbackPlace};
use serde_json::{Value, json};

use super::{send, start};
use crate::{
    groups::{GROUP, change, group_of, history, log, members, message, row, say, try_say},
    harness::{
        TestApp,
        business_server::{BusinessServer, Called, Reaction},
    },
    rest,
};

const REST: &str = "group_open_http_svc";

/// What it is asked, in order, and what it is told, since the last time.
async fn told(app: &TestApp, server: &BusinessServer) -> Vec<Value> {
    app.twin.deliver_changes().await.unwrap();
    let called = server.take().into_iter().map(|called: Called| called.body);
    called.filter(|body| !body["CallbackCommand"].as_str().unwrap().contains("Before")).collect()
}

fn names(called: &[Called]) -> Vec<&str> {
    let names = called.iter().map(|called| called.body["CallbackCommand"].as_str().unwrap());
    names.map(|name| name.strip_prefix("Group.Callback").unwrap()).collect()
}

/// A group of alice's that bob is in, and nobody was asked about.
async fn with_group(place: CallbackPlace) -> TestApp {
    let app = TestApp::with_asked(place).await;
    group_of(&app, "Public", &["bob"]).await;
    app
}

/// Four requests, each of which can be made again under another number: to make a group, to come into one, to bring somebody, to
/// speak.
async fn four(app: &TestApp, number: usize) -> [Value; 4] {
    let name = |what: &str| json!(format!("{what}-{number}"));
    let group = json!({ "groupID": name("g"), "type": "Public", "name": "g" });
    let create = app.invoke("create-group", "alice", group).await;
    let join = json!({ "groupID": GROUP, "clientID": name("j"), "base": 0 });
    let join = app.invoke("join-group", &format!("joiner-{number}"), join).await;
    let add = json!({ "groupID": GROUP, "clientID": name("a"), "base": 0, "userIDList": [name("friend")] });
    let add = app.invoke("add-group-member", "alice", add).await;
    let said = try_say(app, "alice", &format!("m-{number}"), 0).await;
    [create, join, add, said].map(|reply| json!([reply["code"], reply["message"]]))
}

/// Who does not answer about one message is not waited for with the next one, whichever kind of conversation that is in.
#[tokio::test]
async fn who_is_known_to_be_down_is_not_asked_about_groups_either() {
    let server = BusinessServer::start().await;
    let app = with_group(server.place()).await;
    server.take();
    server.always(Reaction::Raw(503, String::new()));
    for base in 0..5 {
        assert_eq!(send(&app, &base.to_string(), base, "x").await["code"], 0);
    }
    assert_eq!(server.take().len(), 5);
    say(&app, "alice", "1", 0).await;
    assert!(server.take().is_empty());
    app.advance(Duration::from_secs(10));
    say(&app, "alice", "2", 0).await;
    assert_eq!(server.take().len(), 1);
}

#[tokio::test]
async fn what_it_answers_is_what_becomes_of_groups_and_of_what_is_said_in_them() {
    let server = BusinessServer::start().await;
    let place = |failure| CallbackPlace { failure, ..server.place() };
    let sends = with_group(place(CallbackFailure::Send)).await;
    let refuses = with_group(place(CallbackFailure::Refuse)).await;
    let own = |code: i64| Reaction::Answer(json!({ "ErrorCode": code, "ErrorInfo": "not here" }));
    let mut number = 0;
    for (reaction, when_sends, when_refuses) in [
        (Reaction::ok(), 0, 0),
        (Reaction::code(1), 10016, 10016),
        (own(10_100), 10_100, 10_100),
        (own(130_000), 130_000, 130_000),
        (own(10_201), 0, 80003),
        (Reaction::Raw(500, r#"{"ErrorCode":1}"#.to_owned()), 0, 80003),
        (Reaction::Raw(200, "<html>".to_owned()), 0, 80003),
        (Reaction::Break, 0, 80003),
    ] {
        for (app, code) in [(&sends, when_sends), (&refuses, when_refuses)] {
            number += 1;
            server.always(reaction.clone());
            for (what, reply) in ["create", "join", "add", "say"].iter().zip(four(app, number).await) {
                assert_eq!(reply[0], code, "{reaction:?}: {what} {reply}");
                assert!(
                    code < 20_000 && code != 10_100 || code == 80003 || reply[1] == "not here",
                    "{reply}"
                );
            }
            // So that it is asked the next time.
            server.always(Reaction::ok());
            number += 1;
            assert!(four(app, number).await.iter().all(|reply| reply[0] == 0));
        }
    }
}

#[tokio::test]
async fn it_keeps_a_sender_waiting_for_two_seconds_and_no_longer() {
    let server = BusinessServer::start().await;
    let app = with_group(server.place()).await;
    server.always(Reaction::Silence);
    let started = std::time::Instant::now();
    assert_eq!(try_say(&app, "alice", "m", 0).await["code"], 0);
    let waited = started.elapsed();
    assert!((Duration::from_millis(2_000)..Duration::from_millis(4_500)).contains(&waited), "{waited:?}");
}

#[tokio::test]
async fn what_it_rewrites_is_what_the_group_gets_and_what_it_withholds_nobody() {
    let server = BusinessServer::start().await;
    let app = with_group(server.place()).await;
    let mut bob = app.connect("bob").await;
    let last = log(&app).await.len() as u64;
    let text = json!([{ "MsgType": "TIMTextElem", "MsgContent": { "Text": "***" } }]);
    server.always(Reaction::Answer(json!({ "ErrorCode": 0, "MsgBody": text })));
    let mut damn = message("m-1", last);
    damn["atUserList"] = json!(["bob"]);
    server.take();
    let sent = app.ask("send-message", "alice", damn.clone()).await["message"].clone();
    let of = |message: &Value| {
        ["payload", "isModified", "atUserList", "sequence"].map(|field| message[field].clone())
    };
    let expected = [json!({ "text": "***" }), json!(true), json!(["bob"]), json!(last + 1)];
    assert_eq!(of(&sent), expected);
    assert_eq!(of(&bob.frame().await["data"][0]), expected);
    assert_eq!(of(history(&app, "bob").await.last().unwrap()), expected);
    assert_eq!(app.ask("send-message", "alice", damn).await["message"], sent);
    assert_eq!(names(&server.take()), ["BeforeSendMsg"], "a retry is not asked about");

    server.always(Reaction::code(2));
    let withheld = app.ask("send-message", "alice", message("m-2", last)).await["message"].clone();
    assert_eq!(withheld["sequence"], 0);
    let mut hint = message("m-3", last);
    hint["onlineUserOnly"] = json!(true);
    app.ask("send-message", "alice", hint).await;
    assert_eq!(log(&app).await.len() as u64, last + 1);
    server.always(Reaction::ok());
    say(&app, "alice", "m-4", last).await;
    let next = bob.frame().await["data"][0].clone();
    assert_eq!((&next["clientID"], &next["sequence"]), (&json!("m-4"), &json!(last + 2)));

    let body = json!({
        "GroupId": GROUP, "Random": 1, "ForbidCallbackControl": ["ForbidBeforeSendMsgCallback"],
        "MsgBody": [{ "MsgType": "TIMTextElem", "MsgContent": { "Text": "x" } }],
    });
    server.take();
    server.always(Reaction::code(1));
    rest::done(&app, &format!("{REST}/send_group_msg"), body).await;
    assert!(server.take().is_empty());
}

#[tokio::test]
async fn those_whom_it_refuses_are_left_out_and_it_is_asked_once() {
    let server = BusinessServer::start().await;
    let app = with_group(server.place()).await;
    server.take();
    server.always(Reaction::Answer(json!({ "ErrorCode": 0, "RefusedMembers_Account": ["carol", "bob"] })));
    let added =
        change(&app, "add-group-member", "alice", "a", json!({ "userIDList": ["bob", "carol", "dave"] }))
            .await;
    assert_eq!(added["successUserIDList"], json!(["dave"]));
    assert_eq!(added["existedUserIDList"], json!(["bob"]), "who is in it was not asked about");
    assert_eq!(members(&app).await, ["alice", "bob", "dave"]);
    let called = server.take();
    let [asked] = &called[..] else { panic!("{called:?}") };
    assert_eq!(
        asked.body["DestinationMembers"],
        json!([{ "Member_Account": "carol" }, { "Member_Account": "dave" }])
    );
    // The same again is not asked about again.
    change(&app, "add-group-member", "alice", "a", json!({ "userIDList": ["bob", "carol", "dave"] })).await;
    assert!(server.take().is_empty());
    let nobody = json!({ "groupID": GROUP, "clientID": "b", "base": 0, "userIDList": ["carol"] });
    assert_eq!(app.invoke("add-group-member", "alice", nobody).await["code"], 10016);

    let body = json!({ "GroupId": GROUP, "MemberList": [{ "Member_Account": "carol" }, { "Member_Account": "erin" }] });
    let added = rest::done(&app, &format!("{REST}/add_group_member"), body).await;
    let results: Vec<&Value> =
        added["MemberList"].as_array().unwrap().iter().map(|each| &each["Result"]).collect();
    assert_eq!(results, [0, 1]);
}

#[tokio::test]
async fn it_is_not_asked_about_what_is_so_and_about_those_who_go() {
    let server = BusinessServer::start().await;
    let app = with_group(server.place()).await;
    assert_eq!(names(&server.take()), ["BeforeCreateGroup", "BeforeInviteJoinGroup"]);
    server.always(Reaction::code(1));
    let again = json!({ "groupID": GROUP, "type": "Public", "name": "g" });
    app.ask("create-group", "alice", again).await;
    change(&app, "join-group", "bob", "j", json!({})).await;
    change(
        &app,
        "update-group-profile",
        "alice",
        "u",
        json!({ "name": "h", "joinOption": "NeedPermission" }),
    )
    .await;
    change(&app, "quit-group", "bob", "q", json!({})).await;
    assert!(server.take().is_empty());
    // An application is asked about when it is made, and not when it is accepted.
    let join = json!({ "groupID": GROUP, "clientID": "j-1", "base": 0, "applyMessage": "hi" });
    assert_eq!(app.invoke("join-group", "carol", join.clone()).await["code"], 10016);
    server.always(Reaction::ok());
    assert_eq!(app.ask("join-group", "carol", join).await["status"], "WaitAdminApproval");
    assert_eq!(names(&server.take()), ["BeforeApplyJoinGroup", "BeforeApplyJoinGroup"]);
    server.always(Reaction::code(1));
    let agree = json!({ "userID": "carol", "authentication": "j-1", "handleAction": "Agree" });
    change(&app, "handle-group-application", "alice", "h", agree).await;
    assert_eq!(members(&app).await, ["alice", "carol"]);
    assert!(server.take().is_empty());
}

#[tokio::test]
async fn with_whom_a_group_is_made_it_is_asked_once_however_many_they_are() {
    let server = BusinessServer::start().await;
    let app = TestApp::with_asked(server.place()).await;
    let names: Vec<String> = (0..60).map(|number| format!("user-{number:03}")).collect();
    let others: Vec<Value> = names.iter().map(|user| json!({ "Member_Account": user })).collect();
    server.react(|called| {
        let is_invited = called.body["CallbackCommand"] == "Group.CallbackBeforeInviteJoinGroup";
        if is_invited { Reaction::code(1) } else { Reaction::ok() }
    });
    let body = json!({ "GroupId": GROUP, "Type": "Public", "Name": "g", "MemberList": others });
    rest::done(&app, &format!("{REST}/create_group"), body).await;
    assert_eq!(members(&app).await, names);
    let called = server.take();
    assert_eq!(self::names(&called), ["BeforeCreateGroup"]);
    assert_eq!(called[0].body["MemberList"].as_array().map(Vec::len), Some(60));
}

#[tokio::test]
async fn it_is_told_of_groups_in_order_whether_there_is_a_tip_or_not() {
    let (app, server) = start().await;
    group_of(&app, "Public", &[]).await;
    say(&app, "alice", "1-2-7", 0).await;
    change(&app, "add-group-member", "alice", "a", json!({ "userIDList": ["bob", "carol"] })).await;
    change(&app, "join-group", "dave", "j", json!({})).await;
    change(&app, "quit-group", "bob", "q", json!({})).await;
    change(&app, "delete-group-member", "alice", "k", json!({ "userIDList": ["carol"] })).await;
    let silent = json!({ "GroupId": GROUP, "Silence": 1, "MemberList": [{ "Member_Account": "erin" }] });
    rest::done(&app, &format!("{REST}/add_group_member"), silent).await;
    let fewer = json!({ "maxMemberNum": 4, "muteAllMembers": true });
    change(&app, "update-group-profile", "alice", "u", fewer).await;
    change(&app, "add-group-member", "alice", "b", json!({ "userIDList": ["bob"] })).await;
    let data = json!({ "conversationID": format!("GROUP{GROUP}"), "sequence": 1 });
    app.ask("revoke-message", "alice", data).await;
    // None of these is anything to it: who is admin, a name, a mention of all.
    change(&app, "set-group-member", "alice", "r", json!({ "userID": "bob", "role": "Admin" })).await;
    app.ask("dismiss-group", "alice", json!({ "groupID": GROUP })).await;
    let one = |name: &str| json!([{ "Member_Account": name }]);
    let of = |command: &str, more: Value| {
        let mut body = json!({ "CallbackCommand": format!("Group.Callback{command}"), "GroupId": GROUP, "Type": "Public" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let all = ["alice", "bob", "dave", "erin"].map(|name| json!({ "Member_Account": name }));
    let mut told = told(&app, &server).await;
    // Who was in it when it is told is in it: all is told at once here.
    assert_eq!(told[0]["CallbackCommand"], "Group.CallbackAfterCreateGroup");
    let said = told.remove(1);
    assert_eq!(
        (&said["CallbackCommand"], &said["MsgSeq"], &said["Random"]),
        (&json!("Group.CallbackAfterSendMsg"), &json!(1), &json!(7))
    );
    let full = json!({ "CallbackCommand": "Group.CallbackAfterGroupFull", "GroupId": GROUP });
    assert_eq!(
        told[1..],
        [
            of(
                "AfterNewMemberJoin",
                json!({
                    "JoinType": "Invited", "Operator_Account": "alice",
                    "NewMemberList": [{ "Member_Account": "bob" }, { "Member_Account": "carol" }],
                })
            ),
            of(
                "AfterNewMemberJoin",
                json!({ "JoinType": "Apply", "Operator_Account": "dave", "NewMemberList": one("dave") })
            ),
            of(
                "AfterMemberExit",
                json!({ "ExitType": "Quit", "Operator_Account": "bob", "ExitMemberList": one("bob") })
            ),
            of(
                "AfterMemberExit",
                json!({ "ExitType": "Kicked", "Operator_Account": "alice", "ExitMemberList": one("carol") })
            ),
            of(
                "AfterNewMemberJoin",
                json!({ "JoinType": "Invited", "Operator_Account": "administrator", "NewMemberList": one("erin") })
            ),
            of(
                "AfterGroupInfoChanged",
                json!({ "Operator_Account": "alice", "MaxMemberNum": 4, "ShutUpAllMember": "On" })
            ),
            of(
                "AfterNewMemberJoin",
                json!({ "JoinType": "Invited", "Operator_Account": "alice", "NewMemberList": one("bob") })
            ),
            full,
            of("AfterRecallMsg", json!({ "Operator_Account": "alice", "MsgSeqList": [{ "MsgSeq": 1 }] })),
            of(
                "AfterGroupDestroyed",
                json!({
                    "Owner_Account": "alice", "Name": "g",
                    "MemberList": all,
                })
            ),
        ]
    );
}

#[tokio::test]
async fn in_a_meeting_it_is_told_of_what_no_tip_tells() {
    let (app, server) = start().await;
    group_of(&app, "ChatRoom", &[]).await;
    for name in ["j-1", "j-2"] {
        change(&app, "join-group", "bob", name, json!({})).await;
        change(&app, "quit-group", "bob", &format!("q-{name}"), json!({})).await;
    }
    let told = told(&app, &server).await;
    let told: Vec<&str> = told.iter().map(|body| body["CallbackCommand"].as_str().unwrap()).collect();
    let (came, went) = ("Group.CallbackAfterNewMemberJoin", "Group.CallbackAfterMemberExit");
    assert_eq!(told, ["Group.CallbackAfterCreateGroup", came, went, came, went]);
    assert!(log(&app).await.is_empty());
}

#[tokio::test]
async fn what_it_does_not_hear_of_in_a_group_comes_again_and_in_order() {
    let (app, server) = start().await;
    let (mut failures, heard) = (3, Arc::new(Mutex::new(Vec::new())));
    let hears = Arc::clone(&heard);
    server.react(move |called| {
        let command = &called.body["CallbackCommand"];
        if !command.as_str().unwrap().contains("After") {
            return Reaction::ok();
        }
        // The second message is not heard of three times.
        if called.body["MsgSeq"] == 2 && failures > 0 {
            failures -= 1;
            return Reaction::Raw(503, String::new());
        }
        hears.lock().unwrap().push(called.body.get("MsgSeq").unwrap_or(command).clone());
        Reaction::ok()
    });
    group_of(&app, "Public", &[]).await;
    for number in 0..5_u64 {
        say(&app, "alice", &format!("1-2-{number}"), number).await;
    }
    change(&app, "add-group-member", "alice", "a", json!({ "userIDList": ["bob"] })).await;
    assert_eq!(told(&app, &server).await.len(), 7 + 3);
    let [first, last] =
        ["Group.CallbackAfterCreateGroup", "Group.CallbackAfterNewMemberJoin"].map(|name| json!(name));
    let numbers = (1..=5).map(|number| json!(number));
    let expected: Vec<Value> = [first].into_iter().chain(numbers).chain([last]).collect();
    assert_eq!(*heard.lock().unwrap(), expected);
}

#[tokio::test]
async fn without_one_nothing_is_kept_for_it() {
    let app = TestApp::new().await;
    group_of(&app, "Public", &["bob"]).await;
    change(&app, "join-group", "carol", "j", json!({})).await;
    let mut data = message("m", 0);
    data["offlinePushInfo"] = json!({ "Title": "x" });
    app.ask("send-message", "alice", data.clone()).await;
    assert!(row(&app).await.get("lc").is_none());
    let rows = app.dump("Messages").await;
    assert!(rows.iter().all(|row| row.get("pi").is_none() && row.get("pf").is_none()));
    let server = BusinessServer::start().await;
    let app = with_group(server.place()).await;
    app.ask("send-message", "alice", data).await;
    assert_eq!(row(&app).await["lc"]["M"]["u"], json!({ "L": [{ "S": "bob" }] }));
    let rows = app.dump("Messages").await;
    assert!(rows.iter().any(|row| row["pi"] == json!({ "S": r#"{"Title":"x"}"# })));
}
