//! The twin against the rules of API Gateway.

use std::time::Duration;

use hongyan_local::{Config, Data, StartError, start};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{
        Message,
        client::IntoClientRequest,
        protocol::frame::{
            Frame,
            coding::{Data as OpData, OpCode},
        },
    },
};

use crate::harness::{RULES, SDK_APP_ID, START_MS, TestApp, event, socket::Socket, user_sig};

async fn handshake(app: &TestApp, query: &str) -> u16 {
    match Socket::connect(&format!("{}?{query}", app.twin.websocket_url)).await {
        Ok(_) => 101,
        Err(status) => status,
    }
}

/// Waits until the `$disconnect` of a connection has been through: its slot is free.
async fn forgotten(app: &TestApp) {
    let gone = async {
        while !app.slots().await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("a $disconnect");
}

#[tokio::test]
async fn a_handshake_is_refused_with_the_status_of_api_gateway() {
    let app = TestApp::new().await;
    let sig = user_sig("alice", app.clock.now() / 1000);
    let query = |app: u64, user: &str, sig: &str| format!("SDKAppID={app}&userID={user}&userSig={sig}");

    assert_eq!(handshake(&app, &query(SDK_APP_ID, "alice", &sig)).await, 101);
    let encoded = sig.replace('*', "%2A").replace('_', "%5F");
    assert_eq!(handshake(&app, &query(SDK_APP_ID, "alice", &encoded)).await, 101);
    assert_eq!(handshake(&app, "").await, 401, "the identity source is missing");
    assert_eq!(handshake(&app, &format!("SDKAppID={SDK_APP_ID}")).await, 401);
    assert_eq!(handshake(&app, &query(SDK_APP_ID, "alice", "")).await, 403, "nobody has signed");
    assert_eq!(handshake(&app, &query(SDK_APP_ID, "bob", &sig)).await, 403);
    assert_eq!(handshake(&app, &query(1, "alice", &sig)).await, 403);

    let elsewhere = app.url("alice", "Web", None).replace("/prod?", "/dev?");
    assert_eq!(Socket::connect(&elsewhere).await.err(), Some(403), "there is no such stage");
    let page = reqwest::get(app.twin.websocket_url.replace("ws://", "http://")).await.unwrap();
    assert_eq!(page.status(), 426);
}

#[tokio::test]
async fn the_signature_may_come_in_a_header() {
    let app = TestApp::new().await;
    let url = format!("{}?SDKAppID={SDK_APP_ID}&userID=alice", app.twin.websocket_url);
    let mut request = url.into_client_request().unwrap();
    let sig = user_sig("alice", app.clock.now() / 1000);
    request.headers_mut().insert("Authorization", sig.parse().unwrap());
    assert_eq!(connect_async(request).await.unwrap().1.status(), 101);
}

#[tokio::test]
async fn a_handshake_that_connect_refuses_is_refused() {
    let app = TestApp::new().await;
    // A later handshake of the same device has been faster.
    let mut later = event("connect");
    later["requestContext"]["connectedAt"] = json!(START_MS + 1);
    later["requestContext"]["authorizer"]["platform"] = json!("Web");
    assert_eq!(app.respond("connect", &later).await.status(), 200);
    assert_eq!(Socket::connect(&app.url("alice", "Web", None)).await.err(), Some(403));
}

#[tokio::test]
async fn a_frame_over_32_kb_and_a_message_over_128_kb_end_the_connection_with_1009() {
    let app = TestApp::new().await;
    let fits = json!({ "action": "x", "padding": "x".repeat(32 * 1024 - 40) }).to_string();
    let mut socket = app.connect("alice").await;
    socket.say(fits).await;
    assert_eq!(socket.frame().await["code"], 60009);
    socket.say("x".repeat(32 * 1024 + 1)).await;
    assert_eq!(u16::from(socket.closed().await.unwrap().code), 1009);

    let mut socket = app.connect("alice").await;
    for piece in 0..5 {
        let opcode = if piece == 0 { OpData::Text } else { OpData::Continue };
        let frame = Frame::message("x".repeat(30 * 1024).into_bytes(), OpCode::Data(opcode), piece == 4);
        socket.say(Message::Frame(frame)).await;
    }
    assert_eq!(u16::from(socket.closed().await.unwrap().code), 1009);
}

#[tokio::test]
async fn a_message_in_several_frames_is_one_message() {
    let app = TestApp::new().await;
    let mut socket = app.connect("alice").await;
    let text = json!({ "action": "login", "requestID": "1", "padding": "x".repeat(60 * 1024) }).to_string();
    let pieces: Vec<&[u8]> = text.as_bytes().chunks(30 * 1024).collect();
    for (index, piece) in pieces.iter().enumerate() {
        let opcode = if index == 0 { OpData::Text } else { OpData::Continue };
        let last = index + 1 == pieces.len();
        socket.say(Message::Frame(Frame::message(piece.to_vec(), OpCode::Data(opcode), last))).await;
    }
    assert_eq!(socket.frame().await["data"]["userID"], "alice");
}

#[tokio::test]
async fn silence_of_ten_minutes_ends_a_connection_and_a_ping_breaks_it() {
    let app = TestApp::new().await;
    let mut socket = app.connect("alice").await;
    app.advance(Duration::from_secs(9 * 60));
    socket.say(r#"{"action":"ping"}"#.to_owned()).await;
    // A ping has no answer; a reply to what follows it says that it is through.
    assert_eq!(socket.request("x", json!({})).await["code"], 60009);
    app.advance(Duration::from_secs(9 * 60));
    assert_eq!(socket.request("x", json!({})).await["code"], 60009);
    app.advance(Duration::from_secs(10 * 60));
    assert_eq!(u16::from(socket.closed().await.unwrap().code), 1001);
    forgotten(&app).await;
}

#[tokio::test]
async fn two_hours_end_every_connection() {
    let app = TestApp::new().await;
    let mut socket = app.connect("alice").await;
    for _ in 0..14 {
        app.advance(Duration::from_secs(8 * 60));
        assert_eq!(socket.request("x", json!({})).await["code"], 60009);
    }
    app.advance(Duration::from_secs(8 * 60));
    assert_eq!(u16::from(socket.closed().await.unwrap().code), 1001);
    forgotten(&app).await;
}

#[tokio::test]
async fn every_end_of_a_connection_is_a_disconnect() {
    let app = TestApp::new().await;
    app.connect("alice").await.close().await;
    forgotten(&app).await;
    app.connect("alice").await.vanish();
    forgotten(&app).await;
}

#[tokio::test]
async fn a_user_who_goes_away_during_the_handshake_has_come_and_gone() {
    let app = TestApp::new().await;
    app.acquaint("alice", "bob").await;
    let mut alice = app.connect("alice").await;
    alice.ask("subscribeUserStatus", json!({ "userIDList": ["bob"] })).await;
    alice.push().await;
    let url = app.url("bob", "Web", None);
    for _ in 0..20 {
        let request = url.as_str().into_client_request().unwrap();
        let host = request.uri().authority().unwrap().as_str();
        let mut text = format!("GET {} HTTP/1.1\r\n", request.uri().path_and_query().unwrap());
        for (name, value) in request.headers() {
            text += &format!("{name}: {}\r\n", value.to_str().unwrap());
        }
        let mut bob = tokio::net::TcpStream::connect(host).await.unwrap();
        bob.write_all(format!("{text}\r\n").as_bytes()).await.unwrap();
        // This is told in the middle of `$connect`.
        assert_eq!(alice.push().await["data"][0]["statusType"], 1);
        drop(bob);
        assert_eq!(alice.push().await["data"][0]["statusType"], 2);
    }
}

#[tokio::test]
async fn the_management_api_says_asks_and_closes() {
    let app = TestApp::new().await;
    let mut alice = app.connect("alice").await;
    let id = app.slots().await[0].2["c"]["S"].as_str().unwrap().to_owned();
    let url = format!("{}/@connections/{}", app.twin.management_url, id.replace('=', "%3D"));
    let client = reqwest::Client::new();

    assert_eq!(client.post(&url).body(r#"{"hello":1}"#).send().await.unwrap().status(), 200);
    assert_eq!(alice.frame().await, json!({ "hello": 1 }));
    let too_large = client.post(&url).body("x".repeat(128 * 1024 + 1)).send().await.unwrap();
    assert_eq!(too_large.status(), 413);

    let about: Value =
        serde_json::from_slice(&client.get(&url).send().await.unwrap().bytes().await.unwrap()).unwrap();
    assert_eq!(about["connectedAt"], "2026-11-23T02:13:21Z");
    assert_eq!(about["identity"]["sourceIp"], "127.0.0.1");

    assert_eq!(client.delete(&url).send().await.unwrap().status(), 204);
    assert_eq!(u16::from(alice.closed().await.unwrap().code), 1000);
    forgotten(&app).await;
    for gone in [client.post(&url), client.get(&url), client.delete(&url)] {
        let answer = gone.send().await.unwrap();
        assert_eq!(answer.status(), 410);
        assert_eq!(answer.headers()["x-amzn-errortype"], "GoneException");
    }
}

fn config(port: u16, data: Data) -> Config {
    Config {
        listen: std::net::Ipv4Addr::LOCALHOST.into(),
        port,
        dynamodb_port: 0,
        data,
        rules: RULES,
        administrators: hongyan_functions::trigger::rest::Administrators::default(),
        keys: hongyan_shared::sig::Keys::parse("key").unwrap(),
        settings: hongyan_functions::config::Settings::default(),
        callback: None,
        clock: hongyan_local::clock::Clock::System,
    }
}

#[tokio::test]
async fn what_keeps_a_twin_from_starting_is_said_with_the_next_step() {
    let running = start(config(0, Data::Memory)).await.unwrap();
    let port = running.websocket_url.split([':', '/']).nth(4).unwrap().parse().unwrap();
    let taken = start(config(port, Data::Memory)).await.err().unwrap();
    assert!(matches!(taken, StartError::PortTaken { .. }) && taken.to_string().contains("--port"), "{taken}");
    running.stop().await;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hongyan.db");
    std::fs::write(&file, "").unwrap();
    let no_folder = start(config(0, Data::Folder(file))).await.err().unwrap();
    assert!(
        matches!(no_folder, StartError::Folder { .. }) && no_folder.to_string().contains("--data"),
        "{no_folder}"
    );
}

#[tokio::test]
async fn a_folder_belongs_to_one_twin_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let data = || Data::Folder(folder.path().to_owned());
    let running = start(config(0, data())).await.unwrap();
    let taken = start(config(0, data())).await.err().unwrap();
    assert!(matches!(taken, StartError::FolderTaken { .. }), "{taken}");
    for part in [&format!("process {}", std::process::id()), "--data", "--in-memory"] {
        assert!(taken.to_string().contains(part), "{taken}");
    }
    running.stop().await;
    start(config(0, data())).await.unwrap().stop().await;
}

#[tokio::test]
async fn a_damaged_file_is_not_the_beginning_of_a_new_chat() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (|| Data::Folder(folder.path().to_owned()), folder.path().join("hongyan.db"));
    // What a first start leaves behind that was killed is one.
    std::fs::write(folder.path().join("hongyan.db.new"), "").unwrap();
    std::fs::write(folder.path().join("hongyan.db.new-wal"), "rubbish").unwrap();
    start(config(0, data())).await.unwrap().stop().await;

    let whole = std::fs::read(&file).unwrap();
    let page = &whole[..4096];
    let (half, most) = (&whole[..whole.len() / 8192 * 4096], &whole[..whole.len() - 4096]);
    for (what, damaged) in [
        ("nothing", &b""[..]),
        ("no database", b"this is no database, however long it may be"),
        ("a part of a page", &page[..1000]),
        ("a page", page),
        ("half of it", half),
        ("all but the last page", most),
    ] {
        std::fs::write(&file, damaged).unwrap();
        let refused = start(config(0, data())).await.err().unwrap_or_else(|| panic!("{what} is taken"));
        assert!(matches!(refused, StartError::DataFile { .. }), "{what}: {refused}");
        for part in ["hongyan.db", "move it away", "--in-memory"] {
            assert!(refused.to_string().contains(part), "{what}: {refused}");
        }
        assert_eq!(std::fs::read(&file).unwrap(), damaged, "{what}: it is left as it was found");
    }

    // Only what was to be written into it is left.
    std::fs::rename(&file, folder.path().join("hongyan.db-wal")).unwrap();
    let refused = start(config(0, data())).await.err().unwrap();
    assert!(matches!(refused, StartError::DataFile { .. }), "{refused}");
    std::fs::remove_file(folder.path().join("hongyan.db-wal")).unwrap();

    std::fs::write(&file, &whole).unwrap();
    start(config(0, data())).await.unwrap().stop().await;
}

/// What a browser says for the page that asks.
fn from_page(request: reqwest::RequestBuilder, origin: &str) -> reqwest::RequestBuilder {
    request.header("origin", origin)
}

#[tokio::test]
async fn a_page_from_elsewhere_reads_and_writes_nothing_and_gets_no_signature() {
    const ELSEWHERE: &str = "https://evil.example";
    let app = TestApp::new().await;
    let mut alice = app.connect("alice").await;
    let id = app.slots().await[0].2["c"]["S"].as_str().unwrap().to_owned();
    let client = reqwest::Client::new();
    let (page, tables) = (&app.twin.page_url, &app.twin.dynamodb_url);
    let connection = format!("{}/@connections/{}", app.twin.management_url, id.replace('=', "%3D"));
    let user = format!("{page}demo/user?userID=alice");
    let scan = || {
        let request = client.post(tables).header("x-amz-target", "DynamoDB_20120810.Scan");
        request.header("content-type", "application/x-amz-json-1.0").body(r#"{"TableName":"Users"}"#)
    };

    // As a page asks, and as one that has had a name of its own lead here.
    let asked = [
        from_page(client.get(page), ELSEWHERE),
        from_page(client.get(&user), ELSEWHERE),
        from_page(client.get(&user), "null"),
        client.get(&user).header("host", "evil.example:8420"),
        from_page(scan(), ELSEWHERE),
        from_page(scan(), "http://127.0.0.1:3000"),
        scan().header("host", "evil.example:8421"),
        from_page(client.request(reqwest::Method::OPTIONS, tables), ELSEWHERE)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "x-amz-target,authorization"),
        from_page(client.post(&connection).body("{}"), ELSEWHERE),
        from_page(client.delete(&connection), "http://127.0.0.1:3000"),
        client.delete(&connection).header("host", "evil.example:8420"),
    ];
    for request in asked {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 403, "{}", answer.url());
        assert!(
            !answer.headers().keys().any(|name| name.as_str().starts_with("access-control")),
            "{answer:?}"
        );
    }
    for (origin, status) in
        [(ELSEWHERE, 403), ("null", 403), ("http://localhost:3000", 101), ("https://servicewechat.com", 101)]
    {
        let mut request = app.url("bob", "Web", None).into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        let answered = match connect_async(request).await {
            Ok((_, response)) => response.status().as_u16(),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => response.status().as_u16(),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(answered, status, "{origin}");
    }

    // What is its own goes on: the page, programs, and alice, whose connection nobody has closed.
    assert_eq!(client.get(&user).send().await.unwrap().status(), 200);
    let own = from_page(client.get(&user), page.trim_end_matches('/')).send().await.unwrap();
    assert_eq!(own.status(), 200);
    assert!(!own.headers().keys().any(|name| name.as_str().starts_with("access-control")), "{own:?}");
    assert_eq!(scan().send().await.unwrap().status(), 200);
    assert!(alice.is_quiet().await);
}
