use hongyan_functions::config::{DeletedUsersMessages, Settings};
use serde_json::{Value, json};

use super::{command, done, refused, respond};
use crate::harness::{TestApp, fault_proxy::Fault, signed_for, socket::Socket};

const IMPORT: &str = "im_open_login_svc/account_import";
const IMPORT_MANY: &str = "im_open_login_svc/multiaccount_import";
const CHECK: &str = "im_open_login_svc/account_check";

/// Which of these there are.
async fn there(app: &TestApp, users: &[&str]) -> Vec<bool> {
    let items: Vec<_> = users.iter().map(|user| json!({ "UserID": user })).collect();
    let answer = done(app, CHECK, json!({ "CheckItem": items })).await;
    let items = answer["ResultItem"].as_array().unwrap();
    assert!(items.iter().zip(users).all(|(item, user)| item["UserID"] == *user && item["ResultCode"] == 0));
    items.iter().map(|item| item["AccountStatus"] == "Imported").collect()
}

#[tokio::test]
async fn who_is_imported_is_there_with_name_and_picture() {
    let app = TestApp::new().await;
    assert_eq!(there(&app, &["alice", "bob"]).await, [false, false]);
    let alice = json!({ "UserID": "alice", "Nick": "爱丽丝", "FaceUrl": "https://x/a.png" });
    done(&app, IMPORT, alice).await;
    assert_eq!(there(&app, &["alice", "bob", "alice", "é", ""]).await, [true, false, true, false, false]);
    let profiles = app.ask("get-user-profile", "bob", json!({ "userIDList": ["alice"] })).await;
    assert_eq!(profiles["profileList"][0]["nick"], "爱丽丝");

    // Once more, with nothing said of them: that takes nothing away.
    done(&app, IMPORT, json!({ "UserID": "alice", "Nick": "" })).await;
    let profiles = app.ask("get-user-profile", "bob", json!({ "userIDList": ["alice"] })).await;
    assert_eq!(profiles["profileList"][0]["avatar"], "https://x/a.png");
    // And with another name.
    done(&app, IMPORT, json!({ "UserID": "alice", "Nick": "Alice" })).await;
    let profiles = app.ask("get-user-profile", "bob", json!({ "userIDList": ["alice"] })).await;
    assert_eq!(profiles["profileList"][0]["nick"], "Alice");
}

#[tokio::test]
async fn many_are_imported_at_once_and_those_that_cannot_be_are_named() {
    let app = TestApp::new().await;
    let names: Vec<String> = (0..99).map(|number| format!("user-{number}")).chain(["é".to_owned()]).collect();
    let answer = done(&app, IMPORT_MANY, json!({ "Accounts": names })).await;
    assert_eq!(answer["FailAccounts"], json!(["é"]));
    let list = json!([{ "UserID": "carol", "Nick": "Carol" }, { "UserID": "dave", "FaceUrl": "ftp://x" }]);
    let answer = done(&app, IMPORT_MANY, json!({ "AccountList": list })).await;
    assert_eq!(answer["FailAccounts"], json!(["dave"]));
    assert_eq!(there(&app, &["user-0", "user-98", "carol", "dave"]).await, [true, true, true, false]);
}

#[tokio::test]
async fn what_names_nobody_or_too_many_is_refused() {
    let app = TestApp::new().await;
    let many = vec![json!({ "UserID": "alice" }); 101];
    for (path, body) in [
        (IMPORT, json!({})),
        (IMPORT, json!({ "UserID": "é" })),
        (IMPORT, json!({ "UserID": 5 })),
        (IMPORT, json!({ "UserID": "alice", "FaceUrl": "javascript:alert(1)" })),
        (IMPORT_MANY, json!({})),
        (IMPORT_MANY, json!({ "Accounts": vec!["alice"; 101] })),
        (CHECK, json!({ "CheckItem": [] })),
        (CHECK, json!({ "CheckItem": many })),
    ] {
        assert_eq!(refused(&app, path, body.clone()).await, 70402, "{path} {body}");
    }
    assert_eq!(there(&app, &["alice"]).await, [false]);
}

const KICK: &str = "im_open_login_svc/kick";

#[tokio::test]
async fn who_is_kicked_is_told_so_and_needs_a_new_signature() {
    let app = TestApp::new().await;
    let now = app.clock.now() / 1000;
    let old = app.url_with(&signed_for("alice", now - 60, 3_600), "alice", "Web", None);
    let mut alice = Socket::connect(&old).await.unwrap();
    alice.ask("login", json!({})).await;
    done(&app, KICK, json!({ "Identifier": "alice" })).await;
    assert_eq!(alice.push().await, json!({ "event": "kickedOut", "data": { "type": "REST_API_Kick" } }));
    assert!(alice.closed().await.is_some());
    let mut again = Socket::connect(&old).await.unwrap();
    assert_eq!(again.request("login", json!({})).await["code"], 70052);
    // A new one is good in the same second.
    app.connect("alice").await.ask("login", json!({})).await;
}

/// Another program than the client says no `login`.
#[tokio::test]
async fn who_has_connected_can_be_kicked_with_or_without_an_account_and_nobody_else() {
    let app = TestApp::new().await;
    let alice = app.connect("alice").await;
    assert_eq!(there(&app, &["alice"]).await, [false]);
    app.advance(std::time::Duration::from_secs(1));
    done(&app, KICK, json!({ "UserID": "alice" })).await;
    assert!(alice.closed().await.is_some());
    assert_eq!(refused(&app, KICK, json!({ "UserID": "nobody" })).await, 70107);
    assert_eq!(refused(&app, KICK, json!({})).await, 70402);
    done(&app, IMPORT, json!({ "UserID": "bob" })).await;
    done(&app, KICK, json!({ "UserID": "bob" })).await;
}

/// A connection that is not open yet is waited for, but no longer than a library waits.
#[tokio::test]
async fn a_handshake_that_is_under_way_is_to_be_kicked_again() {
    let app = TestApp::new().await;
    // Registered, and API Gateway does not have it.
    assert_eq!(app.respond("connect", &crate::harness::event("connect")).await.status(), 200);
    app.advance(std::time::Duration::from_secs(1));
    let started = std::time::Instant::now();
    let (status, answer) = respond(&app, command(&app, KICK, &json!({ "UserID": "alice" }))).await;
    assert_eq!((status, &answer["ErrorCode"]), (429, &Value::from(70169)));
    assert!(started.elapsed().as_millis() < 2_900);
    // By then it would have opened.
    app.advance(std::time::Duration::from_secs(30));
    done(&app, KICK, json!({ "UserID": "alice" })).await;
}

#[tokio::test]
async fn the_first_login_makes_an_account() {
    let app = TestApp::new().await;
    app.connect("alice").await.ask("login", json!({})).await;
    assert_eq!(there(&app, &["alice", "bob"]).await, [true, false]);
}

const DELETE: &str = "im_open_login_svc/account_delete";

/// What the tables still have about a user, but for the messages, and for what is counted for two hours.
async fn traces(app: &TestApp, user: &str) -> Vec<String> {
    let mut traces = Vec::new();
    for table in ["Users", "Conversations", "Connections"] {
        let items = app.dump(table).await;
        let own =
            items.iter().filter(|item| item["u"]["S"] == user && !item["s"]["S"].to_string().contains("L#"));
        traces.extend(own.map(|item| format!("{table} {} {}", item["s"]["S"], item["v"]["S"])));
    }
    traces
}

#[tokio::test]
async fn what_was_a_deleted_users_alone_is_gone_and_what_others_have_stays() {
    let app = TestApp::new().await;
    let alice = json!({ "UserID": "alice", "Nick": "Alice", "FaceUrl": "https://x/a.png" });
    done(&app, IMPORT, alice).await;
    let now = app.clock.now() / 1000;
    let old = app.url_with(&signed_for("alice", now - 60, 3_600), "alice", "Web", None);
    let mut phone = Socket::connect(&old).await.unwrap();
    phone.ask("login", json!({})).await;
    for peer in ["bob", "carol"] {
        app.send("alice", peer, "1", 0).await;
        app.send(peer, "alice", "2", 1).await;
    }
    app.ask("add-to-blacklist", "alice", json!({ "userIDList": ["dave", "erin"] })).await;
    done(&app, "openconfigsvr/setnospeaking", json!({ "Set_Account": "alice", "C2CmsgNospeakingTime": 60 }))
        .await;
    let [of_alice, of_bob] = ["alice", "bob"].map(|user| crate::media::Form::new(user, 0, 10));
    of_alice.upload(&app, b"x").await;
    of_bob.upload(&app, b"x").await;

    let answer =
        done(&app, DELETE, json!({ "DeleteItem": [{ "UserID": "alice" }, { "UserID": "nobody" }] })).await;
    let codes: Vec<&Value> =
        answer["ResultItem"].as_array().unwrap().iter().map(|item| &item["ResultCode"]).collect();
    assert_eq!(codes, [&json!(0), &json!(70107)], "{answer}");

    assert!(phone.closed().await.is_some());
    assert_eq!(Socket::connect(&old).await.unwrap().request("login", json!({})).await["code"], 70052);
    // Only since when no signature counts, and the version of a list that is empty.
    assert_eq!(traces(&app, "alice").await, [r#"Users "B" null"#, r#"Connections "C" null"#]);
    assert!(
        !crate::media::is_there(&app, &of_alice.key).await && crate::media::is_there(&app, &of_bob.key).await
    );
    assert_eq!(app.history("bob", "alice").await.len(), 2);
    assert_eq!(app.conversation("bob", "alice").await.unwrap()["lastMessage"]["from"], "bob");
    assert_eq!(there(&app, &["alice"]).await, [false]);

    // Somebody is called so again: nothing of it is theirs.
    done(&app, IMPORT, json!({ "UserID": "alice" })).await;
    assert!(app.history("alice", "bob").await.is_empty());
    assert_eq!(app.ask("get-blacklist", "alice", json!({})).await["blacklist"], json!([]));
    assert_eq!(
        app.invoke("send-message", "dave", crate::harness::text_message("alice", "3", 0)).await["code"],
        0
    );
    app.send("bob", "alice", "4", 2).await;
    assert_eq!(app.history("alice", "bob").await.len(), 1);
}

#[tokio::test]
async fn what_a_deleted_user_has_written_is_blanked_if_the_operator_wants_it() {
    let settings = Settings { deleted_users_messages: DeletedUsersMessages::Blank, ..Settings::default() };
    let app = TestApp::with(settings).await;
    for number in 0..40 {
        app.send(
            if number % 2 == 0 { "alice" } else { "bob" },
            if number % 2 == 0 { "bob" } else { "alice" },
            &number.to_string(),
            number,
        )
        .await;
    }
    // What they said elsewhere, before, is no exception.
    for second in 1..=40 {
        let (from, to) = if second % 2 == 0 { ("alice", "bob") } else { ("bob", "alice") };
        let content = json!([{ "MsgType": "TIMTextElem", "MsgContent": { "Text": "去吃面" } }]);
        let old = json!({
            "SyncFromOldSystem": 2, "From_Account": from, "To_Account": to, "MsgSeq": 1, "MsgRandom": second,
            "MsgTimeStamp": 1_700_000_000 + second, "MsgBody": content,
        });
        done(&app, "openim/importmsg", old).await;
    }
    done(&app, IMPORT, json!({ "UserID": "alice" })).await;
    done(&app, DELETE, json!({ "DeleteItem": [{ "UserID": "alice" }] })).await;
    let history = app.history("bob", "alice").await;
    assert_eq!(history.len(), 80);
    for message in history {
        let is_alices = message["from"] == "alice";
        assert_eq!(
            (message["isRevoked"] == true, message["payload"]["text"] == ""),
            (is_alices, is_alices),
            "{message}"
        );
    }
    let rows = app.dump("Messages").await;
    let said =
        rows.iter().filter(|row| row["f"]["S"] == "alice" && row["d"]["S"].as_str().unwrap().contains('面'));
    assert_eq!(said.count(), 0, "it is not in the table either");
}

#[tokio::test]
async fn a_deleted_user_quits_their_groups_and_those_that_were_theirs_get_another_owner() {
    for written in [DeletedUsersMessages::Keep, DeletedUsersMessages::Blank] {
        let settings =
            Settings { deleted_users_messages: written, frames_per_second: None, ..Settings::default() };
        let app = TestApp::with(settings).await;
        done(&app, IMPORT, json!({ "UserID": "alice" })).await;
        for (id, kind, owner, others) in [
            ("handed-over", "Public", "alice", &["bob", "carol", "dave"][..]),
            ("alone", "Public", "alice", &[]),
            ("private", "Private", "alice", &["bob"]),
            ("meeting", "ChatRoom", "bob", &["alice"]),
            ("another's", "Public", "bob", &["alice"]),
            ("dismissed", "Public", "bob", &["alice"]),
        ] {
            let members: Vec<Value> = others.iter().map(|user| json!({ "userID": user })).collect();
            let group = json!({ "groupID": id, "type": kind, "name": "g", "memberList": members });
            app.ask("create-group", owner, group).await;
            let mut said = crate::harness::text_message(id, "1", 0);
            said["conversationType"] = json!("GROUP");
            app.ask("send-message", "alice", said).await;
        }
        let admin = json!({ "groupID": "handed-over", "userID": "dave", "role": "Admin", "clientID": "r", "base": 1 });
        app.ask("set-group-member", "alice", admin).await;
        app.ask("dismiss-group", "bob", json!({ "groupID": "dismissed" })).await;

        let answer = done(&app, DELETE, json!({ "DeleteItem": [{ "UserID": "alice" }] })).await;
        assert_eq!(answer["ResultItem"][0]["ResultCode"], 0, "{answer}");
        assert_eq!(traces(&app, "alice").await, [r#"Connections "C" null"#]);
        let groups = json!({ "groupIDList": ["handed-over", "alone", "private", "meeting", "another's"] });
        let groups = app.ask("get-group-profile", "bob", groups).await;
        let shown: Vec<_> = groups["groupList"]
            .as_array()
            .unwrap()
            .iter()
            .map(|group| (&group["groupID"], &group["ownerID"], &group["memberCount"]))
            .collect();
        let expected = [
            (json!("handed-over"), json!("dave"), json!(3)),
            (json!("private"), Value::Null, json!(1)),
            (json!("meeting"), json!("bob"), json!(1)),
            (json!("another's"), json!("bob"), json!(1)),
        ];
        assert_eq!(shown, expected.each_ref().map(|(id, owner, count)| (id, owner, count)));
        let history = app.ask("get-message-list", "bob", json!({ "conversationID": "GROUPanother's" })).await;
        let history = history["messageList"].as_array().unwrap();
        assert_eq!(history[0]["isRevoked"] == true, written == DeletedUsersMessages::Blank);
        assert_eq!(history[1]["payload"]["operationType"], 2, "they have quit");
    }
}

/// A user with more than one command can do away with. Each call of a table takes a hundredth of a second.
#[tokio::test]
async fn a_deletion_that_takes_long_goes_on_when_it_is_asked_for_again() {
    let app = TestApp::without_limits().await;
    done(&app, IMPORT, json!({ "UserID": "alice" })).await;
    for number in 0..120 {
        app.acquaint("alice", &format!("user{number:03}")).await;
    }
    let clock = app.clock.clone();
    app.dynamodb.break_calls(move |_, _| {
        clock.advance(std::time::Duration::from_millis(10));
        Fault::None
    });
    let body = json!({ "DeleteItem": [{ "UserID": "alice" }] });
    let mut left = vec![traces(&app, "alice").await.len()];
    while done(&app, DELETE, body.clone()).await["ResultItem"][0]["ResultCode"] == 70169 {
        let now_left = traces(&app, "alice").await.len();
        assert!(now_left < *left.last().unwrap(), "{left:?}: it has gone on to {now_left}");
        assert_eq!(there(&app, &["alice"]).await, [true]);
        left.push(now_left);
    }
    assert!(left.len() > 1, "one command was enough");
    assert_eq!(traces(&app, "alice").await, [r#"Connections "C" null"#], "since when no signature counts");
}

#[tokio::test]
async fn who_is_not_imported_in_time_is_named() {
    let app = TestApp::new().await;
    let clock = app.clock.clone();
    app.dynamodb.break_calls(move |_, _| {
        clock.advance(std::time::Duration::from_millis(100));
        Fault::None
    });
    let names: Vec<String> = (0..100).map(|number| format!("user{number}")).collect();
    let answer = done(&app, IMPORT_MANY, json!({ "Accounts": names })).await;
    let late = answer["FailAccounts"].as_array().unwrap().len();
    assert!((50..90).contains(&late), "{late}");
}
