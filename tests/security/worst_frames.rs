//! No frame costs more than 64 read and 64 write units, whatever the tables hold.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use hongyan_functions::config::Settings;
use serde_json::{Value, json};

use crate::harness::{
    START_MS, TestApp, body, event,
    fault_proxy::{Call, Fault},
    largest_message, set_user,
    template::template_routes,
};

/// What a frame has taken: read units and write units.
pub type Units = (f64, f64);

const LIMIT: f64 = 64.0;

/// A user ID of 32 characters.
pub fn user(number: usize) -> String {
    format!("{number:0>32}")
}

pub fn me() -> String {
    "a".repeat(32)
}

fn key(peer: &str) -> String {
    let (low, high) = if me().as_str() < peer { (me(), peer.to_owned()) } else { (peer.to_owned(), me()) };
    format!("{low}·{high}")
}

/// A message that has all that one can have, hidden from both, and as large as one may be.
fn largest_row(peer: &str, seq: u64, expires_at: Option<u64>) -> Value {
    let text = "x".repeat(12 * 1024 - r#"{"text":""}"#.len());
    let mut row = json!({
        "p": { "S": key(peer) }, "s": { "S": format!("M{seq:012}") }, "f": { "S": peer },
        "c": { "S": format!("{seq:0>64}") }, "t": { "N": (START_MS - 86_400_000).to_string() },
        "y": { "S": "TIMVideoFileElem" }, "d": { "S": json!({ "text": text }).to_string() },
        "a": { "N": seq.to_string() }, "z": { "N": seq.to_string() }, "o": { "S": "Lowest" },
        "q": { "BOOL": true }, "e": { "BOOL": true }, "ha": { "BOOL": true }, "hz": { "BOOL": true },
    });
    if let Some(second) = expires_at {
        row["x"] = json!({ "N": (second + 3_600).to_string() });
    }
    row
}

pub async fn fill(app: &TestApp, peer: &str, messages: u64) {
    for seq in 1..=messages {
        app.put("Messages", largest_row(peer, seq, None)).await;
    }
}

/// A user with 16 devices, none of which is there any more, and the longest names.
pub async fn put_connections(app: &TestApp, user: &str) {
    let mut item = json!({
        "u": { "S": user }, "s": { "S": "C" }, "n": { "S": "n".repeat(500) }, "a": { "S": "a".repeat(500) },
        "x": { "N": "9999999999" },
    });
    for slot in 0..16 {
        let instance = format!("{slot:0>32}");
        item[format!("@MiniProgram/{instance}")] = json!({ "M": {
            "c": { "S": format!("connection-{slot}=") }, "t": { "N": (START_MS - 60_000 + slot).to_string() },
            "g": { "N": (START_MS / 1000).to_string() }, "e": { "N": i64::MAX.to_string() },
            "y": { "S": "MiniProgram" }, "i": { "S": instance },
        }});
    }
    app.put("Connections", item).await;
}

pub async fn put_profile(app: &TestApp, user: &str) {
    let mut item = json!({ "u": { "S": user }, "s": { "S": "P" }, "t": { "N": "1" } });
    for name in ["nick", "avatar", "selfSignature"] {
        item[name] = json!({ "S": "x".repeat(500) });
    }
    let names: Vec<String> = (0..20).map(|number| format!("Tag_Profile_Custom_{number:0>8}")).collect();
    for name in &names {
        item[name] = json!({ "S": "x".repeat(500) });
    }
    item["c"] = json!({ "SS": names });
    app.put("Users", item).await;
}

pub async fn put_blacklist(app: &TestApp) {
    for number in 0..1_000 {
        app.put("Users", json!({ "u": { "S": me() }, "s": { "S": format!("B#{}", user(number)) } })).await;
    }
    app.put("Users", json!({ "u": { "S": me() }, "s": { "S": "B" }, "n": { "N": "5" } })).await;
}

/// Rows of watchers that have not been swept yet, and live ones behind them.
pub async fn put_watchers(app: &TestApp, user: &str) {
    for number in 0..2_500 {
        let x = if number < 1_500 { "1" } else { "9999999999" };
        let row = json!({
            "u": { "S": user }, "s": { "S": format!("W#{number:0>32}·{:0>44}", "") },
            "c": { "S": format!("watcher-{number}=") }, "x": { "N": x },
        });
        app.put("Connections", row).await;
    }
}

pub fn units(calls: &[Call]) -> Units {
    (calls.iter().map(|call| call.read_units).sum(), calls.iter().map(|call| call.write_units).sum())
}

/// What the frame has cost, whatever it was answered.
async fn frame(app: &TestApp, name: &str, data: Value) -> (Units, Value) {
    app.calls();
    let reply = app.invoke(name, &me(), data).await;
    (units(&app.calls()), reply)
}

/// The same for the routes of API Gateway, over the first of the user's devices.
async fn handshake(app: &TestApp, name: &str) -> Units {
    let mut event = event(name);
    set_user(&mut event, &me());
    event["requestContext"]["authorizer"]["instance"] = json!("i".repeat(32));
    app.calls();
    app.respond(name, &event).await;
    units(&app.calls())
}

/// Whenever the function wants a number, somebody with a message of the largest size is faster.
async fn while_others_are_faster<T>(
    app: &TestApp,
    peer: &str,
    behind: u64,
    at_once: u64,
    frame: impl Future<Output = T>,
) -> T {
    app.dynamodb.break_calls(|operation, request| {
        let is_append = operation == "PutItem" && request["TableName"] == "Messages";
        if is_append { Fault::Hold } else { Fault::None }
    });
    let others = async {
        let mut next = behind + 1;
        loop {
            app.dynamodb.held().await;
            for _ in 0..at_once {
                app.put("Messages", largest_row(peer, next, None)).await;
                next += 1;
            }
            app.dynamodb.release();
        }
    };
    let done = tokio::select! {
        done = frame => done,
        () = others => unreachable!(),
    };
    app.dynamodb.mend();
    done
}

pub async fn many_devices() -> TestApp {
    let settings = Settings { multi_device: "many".parse().unwrap(), ..Settings::default() };
    TestApp::with(settings).await
}

async fn send_message() -> Vec<Units> {
    let mut all = Vec::new();
    let peer = user(1);
    let app = many_devices().await;
    fill(&app, &peer, 60).await;
    put_connections(&app, &me()).await;
    put_connections(&app, &peer).await;

    // Nothing is said about what was seen, so it may be any of them.
    let (units, reply) = frame(&app, "send-message", largest_message(&peer, "new", 0)).await;
    assert_eq!((&reply["code"], &reply["data"]["lastSequence"]), (&json!(20004), &json!(60)));
    all.push(units);
    // As many as can just be looked through.
    let (units, reply) = frame(&app, "send-message", largest_message(&peer, "fits", 43)).await;
    assert_eq!(reply["code"], 0, "{reply}");
    all.push(units);

    let faster = while_others_are_faster(
        &app,
        &peer,
        61,
        1,
        frame(&app, "send-message", largest_message(&peer, "slow", 61)),
    );
    let (units, reply) = faster.await;
    assert_eq!(reply["code"], 20004);
    all.push(units);
    let crowd = while_others_are_faster(
        &app,
        &peer,
        61 + 4,
        15,
        frame(&app, "send-message", largest_message(&peer, "slower", 65)),
    );
    let (units, reply) = crowd.await;
    assert_eq!(reply["code"], 20004);
    all.push(units);
    all
}

async fn get_message_list() -> Vec<Units> {
    let mut all = Vec::new();
    let peer = user(1);
    let app = TestApp::new().await;
    fill(&app, &peer, 60).await;
    let conversation = format!("C2C{peer}");
    for data in [
        json!({ "conversationID": conversation }),
        json!({ "conversationID": conversation, "nextReqMessageID": "50" }),
        json!({ "conversationID": conversation, "fromSequence": 1 }),
    ] {
        all.push(frame(&app, "get-message-list", data).await.0);
    }
    let one = json!({ "conversationID": conversation, "fromSequence": 1, "count": 1 });
    let (units, _) = frame(&app, "get-message-list", one).await;
    assert_eq!(units, (4.0, 0.0), "one message is one message");
    // All but the last have expired and have not been swept.
    for seq in 1..60 {
        app.put("Messages", largest_row(&peer, seq, Some(START_MS / 1000 - 1))).await;
    }
    let range = json!({ "conversationID": conversation, "fromSequence": 1 });
    all.push(frame(&app, "get-message-list", range).await.0);
    all
}

/// Twelve conversations of the largest messages, all of them pinned, and as many more as are looked at in an index, of
/// which a minute ago all were deleted.
async fn put_list(app: &TestApp) {
    for number in 0..112 {
        let peer = user(number);
        let place = if number < 12 { START_MS + 10_000_000_000_000 } else { START_MS - 60_000 };
        app.put("Conversations", json!({
            "u": { "S": me() }, "v": { "S": peer }, "t": { "N": START_MS.to_string() }, "x": { "N": "9999999999" },
            "k": { "N": "10000000000000" }, "s": { "N": place.to_string() },
        })).await;
        put_profile(app, &peer).await;
        if number >= 12 {
            app.put("Messages", largest_row(&peer, 1, None)).await;
            let cleared = json!({
                "p": { "S": key(&peer) }, "s": { "S": format!("R#{}", me()) }, "cn": { "N": "1" }, "cq": { "N": "1" },
            });
            app.put("Messages", cleared).await;
            continue;
        }
        // The newest ones of some live, hidden from everybody, and all before them have expired unread.
        let live_from = 6;
        for seq in 1..=20 {
            let end = if seq < live_from { START_MS / 1000 - 1 } else { START_MS / 1000 + 60 };
            app.put("Messages", largest_row(&peer, seq, Some(end))).await;
        }
    }
}

async fn get_conversation_list() -> Vec<Units> {
    let mut all = Vec::new();
    let app = TestApp::new().await;
    put_list(&app).await;
    let (mut next, mut seen) = (String::new(), 0);
    loop {
        let (units, reply) =
            frame(&app, "get-conversation-list", json!({ "nextReqConversationID": next })).await;
        all.push(units);
        let list = reply["data"]["conversationList"].as_array().unwrap_or_else(|| panic!("{reply}"));
        assert!(!list.is_empty(), "it goes on");
        for conversation in list.iter().filter(|found| found["isPinned"] == true) {
            seen += 1;
            assert_eq!(conversation["unreadCount"], 15, "{conversation}");
        }
        if reply["data"]["isCompleted"] == true {
            break;
        }
        next = reply["data"]["nextReqConversationID"].as_str().unwrap().to_owned();
    }
    assert_eq!(seen, 12);
    let names: Vec<String> = (0..50).map(|number| format!("C2C{}", user(number))).collect();
    all.push(frame(&app, "get-conversation-list", json!({ "conversationIDList": names })).await.0);
    all
}

/// A login that asks for the list as well, whatever it has cost until then.
async fn login() -> Vec<Units> {
    let mut all = comings_and_goings("login").await;
    let names: Vec<String> = (0..50).map(|number| format!("C2C{}", user(number))).collect();
    for is_watched in [false, true] {
        let app = many_devices().await;
        put_list(&app).await;
        if is_watched {
            put_watchers(&app, &me()).await;
            put_blacklist(&app).await;
        } else {
            handshake(&app, "connect").await;
        }
        for data in
            [json!({ "count": 100 }), json!({ "count": 100, "since": 1, "conversationIDList": names })]
        {
            let mut event = event("login");
            set_user(&mut event, &me());
            event["requestContext"]["authorizer"]["instance"] = json!("i".repeat(32));
            event["body"] = json!(json!({ "action": "login", "requestID": "1", "data": data }).to_string());
            app.calls();
            let reply = body(app.respond("login", &event).await);
            assert_eq!(reply["code"], 0, "{reply}");
            all.push(units(&app.calls()));
        }
    }
    all
}

/// Ranges of a hundred conversations, of the largest messages.
async fn ranges() -> Vec<Units> {
    let app = TestApp::new().await;
    for number in 0..20 {
        fill(&app, &user(number), 20).await;
    }
    let range = |number| json!({ "conversationID": format!("C2C{}", user(number)), "fromSequence": 1, "toSequence": 90 });
    let ranges: Vec<Value> = (0..100).map(range).collect();
    let (units, reply) = frame(&app, "get-message-list", json!({ "ranges": ranges })).await;
    assert_eq!(reply["code"], 0, "{reply}");
    vec![units]
}

async fn set_message_read() -> Vec<Units> {
    let mut all = Vec::new();
    let app = many_devices().await;
    let peer = user(1);
    for seq in 1..=60 {
        let end = if seq < 50 { START_MS / 1000 - 1 } else { START_MS / 1000 + 60 };
        app.put("Messages", largest_row(&peer, seq, Some(end))).await;
    }
    put_connections(&app, &me()).await;
    put_connections(&app, &peer).await;
    for sequence in [2, 51, 9_999] {
        let data = json!({ "conversationID": format!("C2C{peer}"), "sequence": sequence });
        all.push(frame(&app, "set-message-read", data).await.0);
    }
    all
}

async fn of_one_message(name: &str, more: Value) -> Vec<Units> {
    let app = many_devices().await;
    let peer = user(1);
    fill(&app, &peer, 40).await;
    put_connections(&app, &me()).await;
    put_connections(&app, &peer).await;
    app.put(
        "Conversations",
        json!({ "u": { "S": me() }, "v": { "S": peer }, "t": { "N": "1" }, "s": { "N": "1" } }),
    )
    .await;
    let mut data = json!({ "conversationID": format!("C2C{peer}") });
    for (name, value) in more.as_object().unwrap() {
        data[name] = value.clone();
    }
    let (units, reply) = frame(&app, name, data).await;
    assert_eq!(reply["code"], 0, "{reply}");
    vec![units]
}

async fn revoke_message() -> Vec<Units> {
    let app = many_devices().await;
    let peer = user(1);
    put_connections(&app, &me()).await;
    put_connections(&app, &peer).await;
    let (_, sent) = frame(&app, "send-message", largest_message(&peer, "new", 0)).await;
    assert_eq!(sent["code"], 0, "{sent}");
    put_connections(&app, &me()).await;
    put_connections(&app, &peer).await;
    let data = json!({ "conversationID": format!("C2C{peer}"), "sequence": 1 });
    let (units, reply) = frame(&app, "revoke-message", data).await;
    assert_eq!(reply["code"], 0, "{reply}");
    vec![units]
}

async fn profiles() -> Vec<Units> {
    let app = TestApp::new().await;
    let users: Vec<String> = (0..100).map(user).collect();
    join_all(users.iter().map(|user| put_profile(&app, user))).await;
    let (units, reply) = frame(&app, "get-user-profile", json!({ "userIDList": users })).await;
    assert!(!reply["data"]["profileList"].as_array().unwrap().is_empty());
    vec![units]
}

async fn update_my_profile() -> Vec<Units> {
    let app = many_devices().await;
    put_profile(&app, &me()).await;
    put_connections(&app, &me()).await;
    let fields: Vec<Value> = (0..20)
        .map(|number| json!({ "key": format!("Tag_Profile_Custom_{number:0>8}"), "value": "y".repeat(500) }))
        .collect();
    let data = json!({
        "nick": "y".repeat(500), "avatar": format!("https://{}", "y".repeat(492)), "profileCustomField": fields,
    });
    let (units, reply) = frame(&app, "update-my-profile", data).await;
    assert_eq!(reply["code"], 0, "{reply}");
    vec![units]
}

async fn blacklist(name: &str) -> Vec<Units> {
    let app = many_devices().await;
    put_connections(&app, &me()).await;
    put_blacklist(&app).await;
    let users: Vec<String> = (0..15).map(user).collect();
    if name == "add-to-blacklist" {
        app.ask("remove-from-blacklist", &me(), json!({ "userIDList": users })).await;
    }
    let data = if name == "get-blacklist" { json!({}) } else { json!({ "userIDList": users }) };
    let (units, reply) = frame(&app, name, data.clone()).await;
    assert_eq!(reply["code"], 0, "{reply}");
    let mut all = vec![units];
    if name != "get-blacklist" {
        // Another write is always in between.
        app.dynamodb.break_calls(|operation, _| match operation {
            "TransactWriteItems" => Fault::Cancel("TransactionConflict"),
            _ => Fault::None,
        });
        all.push(frame(&app, name, data).await.0);
    }
    all
}

async fn statuses(name: &str, count: usize) -> Vec<Units> {
    let app = TestApp::new().await;
    let users: Vec<String> = (0..count).map(user).collect();
    for user in &users {
        app.acquaint(&me(), user).await;
        put_connections(&app, user).await;
    }
    let (units, reply) = frame(&app, name, json!({ "userIDList": users })).await;
    assert_eq!(reply["code"], 0, "{reply}");
    vec![units]
}

async fn comings_and_goings(name: &str) -> Vec<Units> {
    let mut all = Vec::new();
    for devices in [0, 16] {
        let app = many_devices().await;
        put_watchers(&app, &me()).await;
        put_blacklist(&app).await;
        if devices > 0 {
            put_connections(&app, &me()).await;
        } else if name == "disconnect" || name == "logout" {
            handshake(&app, "connect").await;
        }
        all.push(handshake(&app, name).await);
    }
    all
}

async fn worst(route: &str) -> Vec<Units> {
    match route {
        "$connect" => comings_and_goings("connect").await,
        "$disconnect" => comings_and_goings("disconnect").await,
        "login" => login().await,
        "logout" => comings_and_goings("logout").await,
        "$default" => vec![frame(&TestApp::new().await, "default", json!({})).await.0],
        "sendMessage" => send_message().await,
        "getMessageList" => [get_message_list().await, ranges().await].concat(),
        "getConversationList" => get_conversation_list().await,
        "setMessageRead" => set_message_read().await,
        "revokeMessage" => revoke_message().await,
        "deleteMessage" => {
            let sequences: Vec<u64> = (1..=30).collect();
            of_one_message("delete-message", json!({ "messages": sequences })).await
        }
        "deleteConversation" => of_one_message("delete-conversation", json!({ "sequence": 3 })).await,
        "pinConversation" => of_one_message("pin-conversation", json!({ "isPinned": true })).await,
        "getUploadForm" => {
            let (app, picture) =
                (TestApp::new().await, json!({ "kind": "image", "type": "png", "size": 20_971_520 }));
            // Another sandbox has counted, and this one has not heard of it.
            let another = app.sandbox(app.sandbox.settings);
            app.invoke_in(&another, "get-upload-form", &me(), picture.clone()).await;
            vec![frame(&app, "get-upload-form", picture).await.0]
        }
        "getUserProfile" => profiles().await,
        "updateMyProfile" => update_my_profile().await,
        "getBlacklist" => blacklist("get-blacklist").await,
        "addToBlacklist" => blacklist("add-to-blacklist").await,
        "removeFromBlacklist" => blacklist("remove-from-blacklist").await,
        "getUserStatus" => statuses("get-user-status", 40).await,
        "subscribeUserStatus" => statuses("subscribe-user-status", 30).await,
        "unsubscribeUserStatus" => statuses("unsubscribe-user-status", 30).await,
        _ => panic!("{route} has no worst frame: make one, and a line in docs/tables.md"),
    }
}

/// Whether docs/tables.md says below this heading what was measured, of these actions and of no others. How much it costs to forget
/// connections that are gone depends on which of them is forgotten first. So what the table says is never exceeded, and never twice
/// what it takes.
pub fn assert_documented(heading: &str, measured: &BTreeMap<String, Units>) {
    let text = include_str!("../../docs/tables.md");
    let section = text.split(&format!("## {heading}\n")).nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap();
    let lines = section.lines().filter(|line| line.starts_with("| `"));
    let documented: BTreeMap<String, Units> = lines
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            (cells[1].trim_matches('`').to_owned(), (cells[2].parse().unwrap(), cells[3].parse().unwrap()))
        })
        .collect();
    assert!(documented.keys().eq(measured.keys()), "the table has other actions: {measured:?}");
    let differs = |documented: f64, measured: f64| measured > documented || 2.0 * measured < documented;
    let others = measured.iter().filter(|(route, (read, write))| {
        let (reads, writes) = documented[*route];
        differs(reads, *read) || differs(writes, *write)
    });
    let others: Vec<_> = others.collect();
    assert!(others.is_empty(), "these cost what the table does not say: {others:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_frame_costs_more_than_64_read_and_64_write_units_and_the_table_says_what_it_costs() {
    let mut measured = BTreeMap::new();
    // What is done with groups has a table of its own.
    for (route, _) in template_routes().into_iter().filter(|(route, _)| !route.contains("Group")) {
        let frames = worst(&route).await;
        for (read, write) in &frames {
            assert!(*read <= LIMIT && *write <= LIMIT, "{route}: {read} read and {write} write units");
        }
        let most = |of: fn(&Units) -> f64| frames.iter().map(of).fold(0.0, f64::max);
        measured.insert(route, (most(|units| units.0), most(|units| units.1)));
    }
    assert_documented("The worst frame of each action", &measured);
}
