//! What each command costs, usually and at the worst, as docs/tables.md has it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use hongyan_shared::rest::Command;
use serde_json::{Value, json};

use super::{ask, command, done, respond};
use crate::{
    harness::{
        TestApp,
        fault_proxy::{Fault, round_trips},
    },
    security::{
        worst_frames::{
            Units, fill, me, put_blacklist, put_connections, put_profile, put_watchers, units, user,
        },
        worst_groups::{self, put_group},
    },
};

/// How many calls may wait for one another: each takes ten milliseconds here, and a library waits for three seconds.
const MAX_ROUND_TRIPS: usize = 250;

/// Read units, write units and round trips of a command in a deployment where little has happened, and what it is asked.
async fn usual(app: &TestApp, path: &str, body: Value) -> (f64, f64, usize) {
    app.calls();
    done(app, path, body).await;
    let calls = app.calls();
    let (read, write) = units(&calls);
    (read, write, round_trips(&calls))
}

async fn all_usual() -> BTreeMap<String, (f64, f64, usize)> {
    let app = TestApp::new().await;
    let mut costs = BTreeMap::new();
    let ten: Vec<String> = (0..10).map(|number| format!("user{number}")).collect();
    let items: Vec<Value> = ten.iter().map(|name| json!({ "UserID": name })).collect();
    for (path, body) in [
        ("im_open_login_svc/account_import", json!({ "UserID": "alice" })),
        ("im_open_login_svc/multiaccount_import", json!({ "Accounts": ten })),
        ("im_open_login_svc/account_check", json!({ "CheckItem": items })),
        ("openim/query_online_status", json!({ "To_Account": ten })),
        (
            "profile/portrait_set",
            json!({ "From_Account": "alice", "ProfileItem": [{ "Tag": "Tag_Profile_IM_Level", "Value": 1 }] }),
        ),
        ("profile/portrait_get", json!({ "To_Account": ten })),
        ("sns/black_list_add", json!({ "From_Account": "alice", "To_Account": ten })),
        ("sns/black_list_get", json!({ "From_Account": "alice" })),
        (
            "sns/black_list_check",
            json!({ "From_Account": "alice", "To_Account": ten, "CheckType": "BlackCheckResult_Type_Both" }),
        ),
        ("sns/black_list_delete", json!({ "From_Account": "alice", "To_Account": ten })),
        ("openconfigsvr/setnospeaking", json!({ "Set_Account": "alice", "C2CmsgNospeakingTime": 60 })),
        ("openconfigsvr/getnospeaking", json!({ "Get_Account": "alice" })),
        ("im_open_login_svc/kick", json!({ "UserID": "alice" })),
    ] {
        costs.insert(path.to_owned(), usual(&app, path, body).await);
    }
    app.calls();
    ask(&app, "sns/friend_add", json!({})).await;
    let calls = app.calls();
    costs.insert("sns/friend_add".to_owned(), (units(&calls).0, units(&calls).1, round_trips(&calls)));
    for peer in &ten {
        app.send("alice", peer, "1", 0).await;
    }
    for (path, body) in [
        (
            "openim/sendmsg",
            message(json!({ "From_Account": "alice", "To_Account": "user0", "MsgRandom": 1 })),
        ),
        (
            "openim/batchsendmsg",
            message(json!({ "From_Account": "alice", "To_Account": ten, "MsgRandom": 2 })),
        ),
        (
            "openim/importmsg",
            message(json!({
                "SyncFromOldSystem": 2, "From_Account": "alice", "To_Account": "user0", "MsgSeq": 1, "MsgRandom": 3,
                "MsgTimeStamp": 1_700_000_000,
            })),
        ),
        (
            "openim/admin_getroammsg",
            json!({ "Operator_Account": "alice", "Peer_Account": "user0", "MaxCnt": 20, "MinTime": 0 }),
        ),
        ("openim/get_c2c_unread_msg_num", json!({ "To_Account": "alice", "Peer_Account": ten })),
        ("openim/admin_set_msg_read", json!({ "Report_Account": "user0", "Peer_Account": "alice" })),
        (
            "openim/admin_msgwithdraw",
            json!({
                "From_Account": "alice", "To_Account": "user0", "MsgKey": format!("2_1_{}", app.clock.now() / 1000),
            }),
        ),
        ("recentcontact/get_list", json!({ "From_Account": "alice" })),
        (
            "recentcontact/delete",
            json!({ "From_Account": "alice", "Type": 1, "To_Account": "user0", "ClearRamble": 1 }),
        ),
        ("im_open_login_svc/account_delete", json!({ "DeleteItem": [{ "UserID": "alice" }] })),
    ] {
        costs.insert(path.to_owned(), usual(&app, path, body).await);
    }
    costs.extend(usual_of_groups(&app, &ten).await);
    costs
}

fn message(more: Value) -> Value {
    let mut body = json!({ "MsgBody": [{ "MsgType": "TIMTextElem", "MsgContent": { "Text": "二十个字的消息二十个字的消息二十个字的消" } }] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// In a group of ten, and with ten who come or go.
async fn usual_of_groups(app: &TestApp, ten: &[String]) -> BTreeMap<String, (f64, f64, usize)> {
    let account = |name: &String| json!({ "Member_Account": name });
    let others: Vec<String> = (10..20).map(|number| format!("user{number}")).collect();
    let mut costs = BTreeMap::new();
    for (command, more) in [
        (
            "create_group",
            json!({
                "Type": "Public", "Name": "g", "Owner_Account": "user0",
                "MemberList": ten.iter().map(account).collect::<Vec<_>>(),
            }),
        ),
        ("get_group_info", json!({ "GroupIdList": ["g"] })),
        ("get_group_member_info", json!({})),
        ("get_role_in_group", json!({ "User_Account": ten })),
        ("get_joined_group_list", json!({ "Member_Account": "user0" })),
        ("get_appid_group_list", json!({})),
        ("modify_group_base_info", json!({ "Name": "h" })),
        (
            "add_group_member",
            json!({ "Silence": 1, "MemberList": others.iter().map(account).collect::<Vec<_>>() }),
        ),
        ("delete_group_member", json!({ "Silence": 1, "MemberToDel_Account": others })),
        ("modify_group_member_info", json!({ "Member_Account": "user1", "Role": "Admin" })),
        ("forbid_send_msg", json!({ "Members_Account": ["user2"], "ShutUpTime": 60 })),
        ("get_group_muted_account", json!({})),
        ("change_group_owner", json!({ "NewOwner_Account": "user1" })),
        ("send_group_msg", message(json!({ "Random": 1 }))),
        ("send_group_system_notification", json!({ "Content": "x" })),
        ("group_msg_get_simple", json!({ "ReqMsgNumber": 20 })),
        ("group_msg_recall", json!({ "MsgSeqList": [{ "MsgSeq": 5 }] })),
        ("get_online_member_num", json!({})),
        ("destroy_group", json!({})),
    ] {
        let path = format!("group_open_http_svc/{command}");
        let mut body = more;
        body["GroupId"] = json!("g");
        costs.insert(path.clone(), usual(app, &path, body).await);
    }
    app.calls();
    ask(app, "group_open_http_svc/import_group", json!({})).await;
    let calls = app.calls();
    let refused = (units(&calls).0, units(&calls).1, round_trips(&calls));
    costs.insert("group_open_http_svc/import_group".to_owned(), refused);
    costs
}

/// What is asked of a full group.
fn worst_of_group(command: &str) -> Value {
    let members: Vec<String> = (1..101).map(user).collect();
    let newcomers = |count: usize| -> Vec<Value> {
        (900..900 + count).map(|number| json!({ "Member_Account": user(number) })).collect()
    };
    let at: Vec<Value> = (1..16).map(|number| json!({ "GroupAt_Account": user(number) })).collect();
    let groups: Vec<String> =
        (0..49).map(|number| number.to_string()).chain([worst_groups::GROUP.to_owned()]).collect();
    let seqs: Vec<Value> = (1..21).map(|seq| json!({ "MsgSeq": seq })).collect();
    match command {
        "create_group" => {
            json!({ "GroupId": "new", "Type": "Public", "Name": "g", "Owner_Account": me(), "MemberList": newcomers(100) })
        }
        "get_group_info" => json!({ "GroupIdList": groups }),
        "get_role_in_group" => json!({ "User_Account": members }),
        "get_joined_group_list" => json!({ "Member_Account": me() }),
        "modify_group_base_info" => json!({ "Notification": "m".repeat(300) }),
        "add_group_member" => json!({ "MemberList": newcomers(10) }),
        "delete_group_member" => json!({ "MemberToDel_Account": members, "Silence": 1 }),
        "modify_group_member_info" => {
            json!({ "Member_Account": user(1), "Role": "Admin", "NameCard": "d".repeat(50), "ShutUpUntil": 60, "MsgFlag": "Discard" })
        }
        "forbid_send_msg" => json!({ "Members_Account": members, "ShutUpTime": 60 }),
        "change_group_owner" => json!({ "NewOwner_Account": user(1) }),
        "send_group_msg" => json!({
            "Random": 1, "From_Account": me(), "GroupAtInfo": at,
            "MsgBody": [{ "MsgType": "TIMTextElem", "MsgContent": { "Text": "x".repeat(11 * 1024) } }],
        }),
        "send_group_system_notification" => json!({ "Content": "x".repeat(12 * 1024) }),
        "group_msg_get_simple" => json!({ "ReqMsgNumber": 20 }),
        "group_msg_recall" => json!({ "MsgSeqList": seqs }),
        "get_group_member_info"
        | "get_group_muted_account"
        | "get_online_member_num"
        | "destroy_group"
        | "get_appid_group_list"
        | "import_group" => json!({}),
        _ => panic!("{command} has no worst case: make one, and a line in docs/tables.md"),
    }
}

/// The same for the first user, with all that a user can have, and so have all others who are named.
async fn worst(path: &str) -> Units {
    let mut app = TestApp::without_limits().await;
    // Three thousand devices that are gone are told for as long as in an account.
    app.be_impatient();
    let others: Vec<String> = (0..500).map(user).collect();
    let hundred = &others[..100];
    let me = me();
    done(&app, "im_open_login_svc/account_import", json!({ "UserID": me })).await;
    put_connections(&app, &me).await;
    put_profile(&app, &me).await;
    if ["account_import", "account_delete", "kick"].iter().any(|name| path.ends_with(name)) {
        put_watchers(&app, &me).await;
    }
    if path.contains("black_list") || path.ends_with("account_delete") {
        put_blacklist(&app).await;
    }
    let has_all = async |names: &[String]| {
        for name in names {
            put_connections(&app, name).await;
            put_profile(&app, name).await;
        }
    };
    let custom: Vec<Value> = (0..20)
        .map(|number| json!({ "Tag": format!("Tag_Profile_Custom_{number:0>8}"), "Value": "y".repeat(500) }))
        .collect();
    let body = match path {
        "im_open_login_svc/account_import" => {
            json!({ "UserID": me, "Nick": "n".repeat(500), "FaceUrl": format!("https://{}", "a".repeat(490)) })
        }
        "im_open_login_svc/multiaccount_import" => {
            has_all(&hundred[..30]).await;
            let account = |name: &String| json!({ "UserID": name, "Nick": "n".repeat(500) });
            json!({ "AccountList": hundred.iter().map(account).collect::<Vec<_>>() })
        }
        "im_open_login_svc/account_check" => {
            json!({ "CheckItem": hundred.iter().map(|name| json!({ "UserID": name })).collect::<Vec<_>>() })
        }
        "im_open_login_svc/account_delete" => {
            for peer in hundred {
                app.acquaint(&me, peer).await;
            }
            json!({ "DeleteItem": [{ "UserID": me }] })
        }
        "im_open_login_svc/kick" => json!({ "UserID": me }),
        "openim/query_online_status" => {
            has_all(hundred).await;
            json!({ "To_Account": others, "IsNeedDetail": 1 })
        }
        "profile/portrait_set" => json!({ "From_Account": me, "ProfileItem": custom }),
        "profile/portrait_get" => {
            done(&app, "im_open_login_svc/multiaccount_import", json!({ "Accounts": hundred })).await;
            has_all(hundred).await;
            json!({ "To_Account": hundred })
        }
        "sns/black_list_add" | "sns/black_list_delete" => json!({ "From_Account": me, "To_Account": others }),
        "sns/black_list_get" => json!({ "From_Account": me }),
        "sns/black_list_check" => {
            json!({ "From_Account": me, "To_Account": others, "CheckType": "BlackCheckResult_Type_Both" })
        }
        "sns/friend_add" => json!({}),
        "openconfigsvr/setnospeaking" => json!({ "Set_Account": me, "C2CmsgNospeakingTime": 60 }),
        "openconfigsvr/getnospeaking" => json!({ "Get_Account": me }),
        "recentcontact/get_list" => {
            for peer in &others[..30] {
                fill(&app, peer, 15).await;
                app.acquaint(&me, peer).await;
                put_profile(&app, peer).await;
            }
            json!({ "From_Account": me })
        }
        "recentcontact/delete" => {
            fill(&app, &others[0], 3).await;
            json!({ "From_Account": me, "Type": 1, "To_Account": others[0], "ClearRamble": 1 })
        }
        "openim/sendmsg"
        | "openim/batchsendmsg"
        | "openim/importmsg"
        | "openim/admin_getroammsg"
        | "openim/admin_set_msg_read"
        | "openim/admin_msgwithdraw"
        | "openim/get_c2c_unread_msg_num" => {
            for peer in &others[..10] {
                fill(&app, peer, 30).await;
                put_connections(&app, peer).await;
            }
            worst_between(&app, path, &me, &others)
        }
        path => {
            let command = path.strip_prefix("group_open_http_svc/").unwrap_or(path);
            let mut body = worst_of_group(command);
            put_group(&app, 0).await;
            if body.get("GroupId").is_none() {
                body["GroupId"] = json!(worst_groups::GROUP);
            }
            body
        }
    };
    if path == "sns/black_list_add" {
        // It is full, so there has to be room.
        done(&app, "sns/black_list_delete", json!({ "From_Account": me, "To_Account": others })).await;
    }
    app.calls();
    let clock = app.clock.clone();
    app.dynamodb.break_calls(move |_, _| {
        clock.advance(Duration::from_millis(10));
        Fault::None
    });
    // What takes longer than its time says so.
    respond(&app, command(&app, path, &body)).await;
    let calls = app.calls();
    let is_of_groups = path.starts_with("group_open_http_svc");
    // What goes in parts looks at the clock between them, and pushes to three thousand devices that are gone end when their time is
    // over. How many messages of a batch, or parts of a table, overlap is the machine's to say.
    if !is_of_groups && path != "openim/batchsendmsg" {
        let trips = round_trips(&calls);
        assert!(trips <= MAX_ROUND_TRIPS, "{path} takes {trips} round trips");
    }
    if is_of_groups { worst_groups::units(&calls) } else { units(&calls) }
}

/// What is asked of two users who have said much.
fn worst_between(app: &TestApp, path: &str, me: &str, others: &[String]) -> Value {
    let body = json!([{ "MsgType": "TIMTextElem", "MsgContent": { "Text": "x".repeat(12 * 1024 - 11) } }]);
    let other = &others[0];
    match path {
        "openim/sendmsg" => {
            json!({ "From_Account": me, "To_Account": other, "MsgRandom": 1, "MsgBody": body })
        }
        "openim/batchsendmsg" => {
            // Each has the allowance of a frame for itself.
            json!({ "From_Account": me, "To_Account": &others[..100], "MsgRandom": 1, "MsgBody": body })
        }
        "openim/importmsg" => json!({
            "SyncFromOldSystem": 2, "From_Account": me, "To_Account": other, "MsgSeq": 1, "MsgRandom": 1,
            "MsgTimeStamp": 1_700_000_000, "MsgBody": body,
        }),
        "openim/admin_getroammsg" => {
            json!({ "Operator_Account": me, "Peer_Account": other, "MaxCnt": 100, "MinTime": 0, "MaxTime": app.clock.now() / 1000 })
        }
        "openim/admin_set_msg_read" => {
            json!({ "Report_Account": me, "Peer_Account": other, "MsgReadTime": app.clock.now() / 1000 - 1 })
        }
        "openim/admin_msgwithdraw" => {
            json!({ "From_Account": me, "To_Account": other, "MsgKey": format!("3_1_{}", app.clock.now() / 1000) })
        }
        _ => json!({ "To_Account": me, "Peer_Account": &others[..10] }),
    }
}

/// The lines of the table: usual read and write units and round trips, and the worst read and write units.
fn documented() -> BTreeMap<String, [f64; 5]> {
    let text = include_str!("../../docs/tables.md");
    let section = text.split("## What a command of a business server costs").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let lines = section.lines().filter(|line| line.starts_with("| `"));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let path = cells[0].split('`').nth(1).unwrap().to_owned();
            (path, std::array::from_fn(|index| cells[1 + index].parse().unwrap()))
        })
        .collect()
}

#[test]
fn every_line_is_a_commands() {
    let all: BTreeSet<String> = Command::ALL.iter().map(|command| command.path().to_owned()).collect();
    let lines: BTreeSet<String> = documented().into_keys().collect();
    assert_eq!(lines, all);
}

#[tokio::test]
async fn a_command_costs_what_the_table_says() {
    let mut wrong = Vec::new();
    let documented = documented();
    let mut usual = all_usual().await;
    assert!(documented.keys().eq(usual.keys()), "every command has a usual cost: {usual:#?}");
    // What is done at once begins one after the other where the machine is busy. That makes more round trips of it, and never fewer.
    for _ in 0..2 {
        #[allow(clippy::cast_precision_loss)]
        let is_more =
            |(path, (.., trips)): (&String, &(f64, f64, usize))| *trips as f64 > documented[path][2];
        if usual.iter().any(is_more) {
            let again = all_usual().await;
            for (path, (.., trips)) in &mut usual {
                *trips = again[path].2.min(*trips);
            }
        }
    }
    for (path, (read, write, trips)) in usual {
        let [reads, writes, round_trips, ..] = documented[&path];
        // What is done at once may overlap by chance, or not.
        #[allow(clippy::cast_precision_loss)]
        let trips = trips as f64;
        let is_near = trips <= round_trips && round_trips <= trips + 2.0;
        if (read, write) != (reads, writes) || !is_near {
            wrong.push(format!("| `{path}` | {read} | {write} | {trips} |"));
        }
    }
    assert!(wrong.is_empty(), "these cost what the table does not say: {wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_costs_more_than_it_may_or_the_table_says_whatever_is_in_the_tables() {
    let mut wrong = Vec::new();
    for (path, [.., reads, writes]) in documented() {
        let (service, name) = path.split_once('/').unwrap();
        let is_about_many = Command::parse(service, name).unwrap().is_about_many();
        let (read, write) = worst(&path).await;
        // Half a unit is for whether the administrator was kicked.
        let limit = if is_about_many { 4_096.5 } else { 64.5 };
        assert!(read <= limit && write <= limit, "{path}: {read} read and {write} write units");
        // How far something comes that is given two seconds is nobody's to say.
        let is_bound = |documented: f64| documented == if is_about_many { 4_096.0 } else { 64.0 };
        let differs = |documented: f64, measured: f64| {
            measured > documented || 2.0 * measured < documented && !is_bound(documented)
        };
        if differs(reads, read) || differs(writes, write) {
            wrong.push(format!("{path}: {read} read and {write} write units"));
        }
    }
    assert!(wrong.is_empty(), "these cost what the table does not say: {wrong:#?}");
}
