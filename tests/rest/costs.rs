//! What each command costs, usually and at the worst, as docs/tables.md has it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use hongyan_shared::rest::Command;
use serde_json::{Value, json};

use super::{ask, done};
use crate::{
    harness::{
        TestApp,
        fault_proxy::{Fault, round_trips},
    },
    security::worst_frames::{
        Units, fill, me, put_blacklist, put_connections, put_profile, put_watchers, units, user,
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
        ("recentcontact/get_list", json!({ "From_Account": "alice" })),
        (
            "recentcontact/delete",
            json!({ "From_Account": "alice", "Type": 1, "To_Account": "user0", "ClearRamble": 1 }),
        ),
        ("im_open_login_svc/account_delete", json!({ "DeleteItem": [{ "UserID": "alice" }] })),
    ] {
        costs.insert(path.to_owned(), usual(&app, path, body).await);
    }
    costs
}

/// The same for the first user, with all that a user can have, and so have all others who are named.
async fn worst(path: &str) -> Units {
    let app = TestApp::without_limits().await;
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
        _ => panic!("{path} has no worst case: make one, and a line in docs/tables.md"),
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
    ask(&app, path, body).await;
    let calls = app.calls();
    let trips = round_trips(&calls);
    assert!(trips <= MAX_ROUND_TRIPS, "{path} takes {trips} round trips");
    units(&calls)
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
    assert!(lines.is_subset(&all), "{lines:?}");
}

#[tokio::test]
async fn a_command_costs_what_the_table_says() {
    let documented = documented();
    for (path, (read, write, trips)) in all_usual().await {
        let [reads, writes, round_trips, ..] = documented[&path];
        assert_eq!((read, write), (reads, writes), "{path}");
        // What is done at once may overlap by chance, or not.
        #[allow(clippy::cast_precision_loss)]
        let trips = trips as f64;
        assert!(trips <= round_trips && round_trips <= trips + 2.0, "{path}: {trips} round trips");
    }
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
        let is_bound = |documented: f64| is_about_many && documented == 4_096.0;
        let differs = |documented: f64, measured: f64| {
            measured > documented || 2.0 * measured < documented && !is_bound(documented)
        };
        if differs(reads, read) || differs(writes, write) {
            wrong.push(format!("{path}: {read} read and {write} write units"));
        }
    }
    assert!(wrong.is_empty(), "these cost what the table does not say: {wrong:#?}");
}
