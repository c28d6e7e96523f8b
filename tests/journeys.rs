//! Two users over real sockets.

use hongyan_functions::config::Settings;
use hongyan_local::{Config, Data, Running, clock::Clock, start};
use hongyan_shared::sig::Keys;
use serde_json::{Value, json};

use crate::harness::{KEY, RULES, SDK_APP_ID, TestApp, sequences, socket::Socket, text_message};

/// Signatures as the official npm, PyPI and Java libraries made them, and when they did.
fn official_signatures() -> Vec<(String, String, u64)> {
    let vectors: Value =
        serde_json::from_str(include_str!("../shared/testdata/usersig-vectors.json")).unwrap();
    let libraries = [
        "npm tls-sig-api-v2",
        "PyPI tls-sig-api-v2",
        "tencentyun/tls-sig-api-v2-java",
        "emulated tls-sig-api-v2-cs",
    ];
    let signature = |library: &str, user: &str| {
        let vector = vectors["positive"]
            .as_array()
            .unwrap()
            .iter()
            .find(|vector| {
                vector["source"].as_str().unwrap().starts_with(library) && vector["userid"] == user
            })
            .unwrap();
        assert_eq!((&vector["sdkappid"], &vector["key"]), (&json!(SDK_APP_ID), &json!(KEY)));
        (
            user.to_owned(),
            vector["usersig"].as_str().unwrap().to_owned(),
            vector["verify_at"].as_u64().unwrap(),
        )
    };
    libraries.iter().flat_map(|library| [signature(library, "userid"), signature(library, "user1")]).collect()
}

async fn twin(data: Data, clock: Clock) -> Running {
    let keys = Keys::parse(KEY).unwrap();
    start(Config {
        listen: std::net::Ipv4Addr::LOCALHOST.into(),
        port: 0,
        dynamodb_port: 0,
        data,
        rules: RULES,
        administrators: hongyan_functions::trigger::rest::Administrators::default(),
        keys,
        settings: Settings::default(),
        callback: None,
        clock,
    })
    .await
    .unwrap()
}

async fn log_in(twin: &Running, user: &str, sig: &str) -> Socket {
    let url = format!(
        "{}?SDKAppID={SDK_APP_ID}&userID={user}&userSig={sig}&platform=MiniProgram",
        twin.websocket_url
    );
    let mut socket = Socket::connect(&url).await.unwrap();
    assert_eq!(socket.ask("login", json!({})).await["userID"], user);
    socket
}

#[tokio::test]
async fn two_users_whose_servers_sign_with_the_official_libraries_talk() {
    for pair in official_signatures().chunks(2) {
        let [(alice, alice_sig, at), (bob, bob_sig, _)] = pair else { panic!() };
        let twin = twin(Data::Memory, Clock::manual(at * 1000 + 5_000)).await;
        let mut first = log_in(&twin, alice, alice_sig).await;

        // The other one is offline: their messages wait for them.
        for base in 0..3 {
            first.ask("sendMessage", text_message(bob, &format!("a{base}"), base)).await;
        }
        let mut second = log_in(&twin, bob, bob_sig).await;
        let list = second.ask("getConversationList", json!({})).await;
        let conversation = &list["conversationList"][0];
        assert_eq!(
            (&conversation["conversationID"], &conversation["unreadCount"]),
            (&json!(format!("C2C{alice}")), &json!(3))
        );
        let history = second.ask("getMessageList", json!({ "conversationID": format!("C2C{alice}") })).await;
        assert_eq!(sequences(history["messageList"].as_array().unwrap()), [1, 2, 3]);

        // They read, and the sender sees it.
        let read = json!({ "conversationID": format!("C2C{alice}"), "sequence": 3 });
        assert_eq!(second.ask("setMessageRead", read).await["unreadCount"], 0);
        let push = first.push().await;
        assert_eq!(push["event"], "onMessageReadByPeer");
        assert_eq!(push["data"]["sequence"], 3);

        // Both are online.
        let sent = second.ask("sendMessage", text_message(alice, "b0", 3)).await;
        assert_eq!(sent["message"]["sequence"], 4);
        assert_eq!(first.push().await["data"], json!([sent["message"]]));

        // The reader goes; what comes next is counted, and what they have read is not.
        second.close().await;
        first.ask("sendMessage", text_message(bob, "a3", 4)).await;
        let mut second = log_in(&twin, bob, bob_sig).await;
        let list = second.ask("getConversationList", json!({})).await;
        assert_eq!(list["conversationList"][0]["unreadCount"], 1);
        assert_eq!(list["conversationList"][0]["lastMessage"]["sequence"], 5);
        twin.stop().await;
    }
}

#[tokio::test]
async fn a_restart_keeps_the_history() {
    let folder = tempfile::tempdir().unwrap();
    let (user, sig, at) = official_signatures().remove(0);
    let mut told = Value::Null;
    for start in 0..2 {
        let twin = twin(Data::Folder(folder.path().to_owned()), Clock::manual(at * 1000)).await;
        let mut socket = log_in(&twin, &user, &sig).await;
        if start == 0 {
            told = socket.ask("sendMessage", text_message("bob", "kept", 0)).await["message"].clone();
        } else {
            let history = socket.ask("getMessageList", json!({ "conversationID": "C2Cbob" })).await;
            assert_eq!(history["messageList"], json!([told]));
            // A retry from before the restart is still the same message.
            let again = socket.ask("sendMessage", text_message("bob", "kept", 0)).await;
            assert_eq!(again["message"], told);
        }
        twin.stop().await;
    }
}

#[tokio::test]
async fn a_client_that_sends_many_at_once_gets_an_answer_to_each() {
    let app = TestApp::new().await;
    let mut alice = app.connect("alice").await;
    for number in 0..20 {
        let data = text_message("bob", &number.to_string(), 0);
        alice
            .say(
                json!({ "action": "sendMessage", "requestID": number.to_string(), "data": data }).to_string(),
            )
            .await;
    }
    let mut numbers = Vec::new();
    for _ in 0..20 {
        let reply = alice.frame().await;
        assert_eq!(reply["code"], 0, "{reply}");
        numbers.push(reply["data"]["message"]["sequence"].as_u64().unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_status_of_a_peer_is_right_at_once_whatever_becomes_of_the_connections() {
    let app = TestApp::new().await;
    app.acquaint("alice", "bob").await;
    let mut alice = app.connect("alice").await;
    let bob = json!({ "userIDList": ["bob"] });
    alice.ask("subscribeUserStatus", bob.clone()).await;
    let mut phone = Socket::connect(&app.url("bob", "MiniProgram", Some("phone"))).await.unwrap();
    phone.ask("login", json!({})).await;
    for round in 0..4 {
        // The phone changes networks: its next connection is there before the last one ends.
        let next = Socket::connect(&app.url("bob", "MiniProgram", Some("phone"))).await.unwrap();
        std::mem::replace(&mut phone, next).closed().await;
        let mut browser = app.connect("bob").await;
        if round % 2 == 0 {
            browser.ask("logout", json!({})).await;
            browser.closed().await;
        } else {
            browser.close().await;
        }
    }
    phone.vanish();

    let mut statuses = Vec::new();
    while statuses.last() != Some(&json!(2)) || statuses.len() < 3 {
        let push = alice.push().await;
        assert_eq!(push["event"], "onUserStatusUpdated");
        assert_eq!(push["data"][0]["userID"], "bob");
        statuses.push(push["data"][0]["statusType"].clone());
    }
    // Away when alice began to watch, then there all the time, then gone.
    assert_eq!(statuses, [2, 1, 2]);

    // Alice has been away as well, watches again, and is told what was missed.
    alice.close().await;
    let _bob = app.connect("bob").await;
    let mut alice = app.connect("alice").await;
    alice.ask("subscribeUserStatus", bob).await;
    assert_eq!(alice.push().await["data"][0]["statusType"], 1);
    assert!(alice.is_quiet().await);
}
