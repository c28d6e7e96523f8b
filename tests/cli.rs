//! The program `hongyan`, as it is called.

use std::{
    io::{BufRead, Read},
    process::{Command, Output, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::harness::{
    KEY, SDK_APP_ID,
    program::{Twin, program},
    socket::Socket,
    text_message, user_sig,
};

fn hongyan(arguments: &[&str]) -> Output {
    Command::new(program("hongyan")).args(arguments).output().unwrap()
}

fn issue(more: &[&str]) -> String {
    let output = hongyan(&[&["sig", "issue", "--user-id", "alice"], more].concat());
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
#[ignore = "needs the built programs: make test"]
fn a_signature_that_is_issued_verifies_and_says_so_in_one_line() {
    let sig = issue(&["--key", KEY, "--expire", "60"]);
    let verify = |user: &str, more: &[&str]| {
        let app = ["sig", "verify", "--sdk-app-id", "1400000000", "--key", KEY, "--user-id", user];
        let output = hongyan(&[&app, more, &[&sig]].concat());
        let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
        (verdict["code"].as_i64().unwrap(), output.status.success())
    };
    assert_eq!(verify("alice", &[]), (0, true));
    assert_eq!(verify("bob", &[]), (70013, false));
    assert_eq!(verify("alice", &["--at", "4000000000"]), (70001, false));
}

#[tokio::test]
#[ignore = "needs the built programs: make test"]
async fn each_folder_has_a_key_of_its_own_and_signs_with_it() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let data = folders.each_ref().map(|folder| ["--data", folder.path().to_str().unwrap()]);
    // Before the first start, and behind it.
    let before = issue(&data[0]);
    let twin = Twin::start(&data[0]);
    let url = |sig: &str| {
        let socket = twin.ready["webSocketUrl"].as_str().unwrap();
        format!("{socket}?SDKAppID=1400000000&userID=alice&userSig={sig}&platform=Web")
    };
    for (sig, is_good) in
        [(before, true), (issue(&data[0]), true), (issue(&data[1]), false), (issue(&["--key", KEY]), false)]
    {
        assert_eq!(Socket::connect(&url(&sig)).await.err(), (!is_good).then_some(403));
    }
    let key = std::fs::read_to_string(folders[0].path().join("key")).unwrap();
    assert_eq!(twin.ready["key"], key.trim());
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(folders[0].path().join("key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else on this machine reads it");

    let (memory, another) = (Twin::start(&["--in-memory"]), Twin::start(&["--in-memory"]));
    assert_ne!(memory.ready["key"], another.ready["key"]);
    assert_ne!(memory.ready["key"], KEY);
}

#[test]
#[ignore = "needs the built programs: make test"]
fn who_lets_others_in_gives_a_key_of_their_own_and_is_told_why() {
    let folder = tempfile::tempdir().unwrap();
    for more in [
        &["--data", folder.path().to_str().unwrap()][..],
        &["--in-memory"],
        &["--in-memory", "--key", KEY],
        &["--in-memory", "--key", &format!("new,{KEY}")],
    ] {
        let output = hongyan(&[&["--listen", "0.0.0.0", "--port", "0"], more].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{more:?}");
        assert!(said.contains("--key") && said.contains("signs for every name"), "{said}");
    }
}

#[tokio::test]
#[ignore = "needs the built programs: make test"]
async fn a_phone_in_the_same_network_talks_to_the_twin_and_not_to_its_tables() {
    let twin = Twin::start(&["--in-memory", "--listen", "0.0.0.0", "--key", "a key of my own"]);
    let mut alice = Socket::connect(twin.url_of(0)).await.unwrap();
    // The other address of this machine, if it has one, is how a phone comes.
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    let Ok(address) = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr()) else { return };
    let at = |name: &str| twin.ready[name].as_str().unwrap().replace("127.0.0.1", &address.ip().to_string());
    let user = reqwest::get(format!("{}demo/user?userID=bob", at("pageUrl"))).await.unwrap();
    let user: Value = serde_json::from_slice(&user.bytes().await.unwrap()).unwrap();
    assert_eq!(user["proxyServer"], at("webSocketUrl"), "what a phone is told leads it here again");
    let (proxy, sig) = (user["proxyServer"].as_str().unwrap(), user["userSig"].as_str().unwrap());
    let url = format!("{proxy}?SDKAppID=1400000000&userID=bob&userSig={sig}&platform=Android");
    let mut bob = Socket::connect(&url).await.unwrap();
    alice.ask("sendMessage", text_message("bob", "1", 0)).await;
    assert_eq!(bob.push().await["data"][0]["from"], "alice");

    assert!(reqwest::Client::new().post(at("dynamodbUrl")).send().await.is_err(), "the tables are not there");
    let pushes = reqwest::Client::new().post(format!("{}/@connections/x", at("managementUrl")));
    assert_eq!(pushes.body("{}").send().await.unwrap().status(), 403);
}

#[tokio::test]
#[ignore = "needs the built programs: make test"]
async fn each_frame_and_request_is_a_line_without_what_somebody_wrote() {
    const SECRET: &str = "8d2f3a-secret";
    for (options, environment) in [(&["-v"][..], ("RUST_LOG", "")), (&[], ("RUST_LOG", "info"))] {
        let mut twin = Twin::spawn(&[&["--in-memory"], options].concat(), environment, Stdio::piped());
        let mut alice = Socket::connect(twin.url_of(0)).await.unwrap();
        alice.ask("login", json!({})).await;
        alice.say(r#"{"action":"ping"}"#.to_owned()).await;
        let mut message = text_message("bob", "1", 0);
        message["payload"]["text"] = json!(SECRET);
        alice.ask("sendMessage", message).await;
        assert_eq!(alice.request("sendMessage", json!({ "to": SECRET })).await["code"], 70402);
        let page = twin.ready["pageUrl"].as_str().unwrap();
        reqwest::get(format!("{page}demo/user?userID=bob")).await.unwrap();
        assert!(reqwest::get(format!("{page}prod")).await.is_ok());
        alice.close().await;

        let lines = twin.stop_and_read();
        let line = |parts: &[&str]| {
            assert!(
                lines.lines().any(|line| parts.iter().all(|part| line.contains(part))),
                "{parts:?} in {lines}"
            );
        };
        let user = r#"user="alice""#;
        line(&[r#"route="authorizer""#, user, "code=0", "ms="]);
        for route in ["$connect", "login", "ping", "sendMessage", "$disconnect"] {
            line(&[&format!("route=\"{route}\""), user, "code=0", "ms="]);
        }
        line(&[r#"route="sendMessage""#, user, "code=70402", "ms="]);
        line(&["GET", "/demo/user", "status=200", "ms="]);
        for secret in [SECRET, twin.ready["key"].as_str().unwrap(), "userSig"] {
            assert!(!lines.contains(secret), "{secret} in {lines}");
        }
        for user in twin.ready["users"].as_array().unwrap() {
            assert!(!lines.contains(user["userSig"].as_str().unwrap()));
        }
    }
}

#[test]
#[ignore = "needs the built programs: make test"]
fn a_filter_that_is_none_is_said_and_not_left_out_in_silence() {
    let output = Command::new(program("hongyan")).env("RUST_LOG", "a=b=c").output().unwrap();
    assert!(!output.status.success() && String::from_utf8(output.stderr).unwrap().contains("RUST_LOG"));
}

/// What a document shows between these lines.
fn blocks<'a>(document: &'a str, language: &str) -> Vec<&'a str> {
    let begin = format!("```{language}\n");
    document.split(&begin).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

const READMES: [&str; 2] = [include_str!("../README.md"), include_str!("../README.zh-CN.md")];

#[tokio::test]
#[ignore = "needs the built programs: make test"]
async fn what_the_readme_says_happens_when_it_is_pasted() {
    for readme in READMES {
        let folder = tempfile::tempdir().unwrap();
        let mut twin =
            Twin::launch(Command::new(program("hongyan")).args(["--port", "0"]).current_dir(folder.path()));
        let lines = twin.output.by_ref().lines().map(Result::unwrap);
        let said: Vec<String> = lines.take_while(|line| !line.contains("Ctrl-C")).collect();
        assert!(said[0].starts_with("Open http://127.0.0.1:"), "the page comes first: {said:#?}");
        let url = |user: usize| {
            let printed = said.iter().filter_map(|line| line.trim().strip_prefix("npx wscat -c '"));
            printed.map(|line| line.trim_end_matches('\'').to_owned()).nth(user).unwrap()
        };

        // The page's user and the one in the terminal are two devices.
        let page = said[0].split(' ').nth(1).unwrap();
        let user = reqwest::get(format!("{page}demo/user?userID=alice")).await.unwrap();
        let user: Value = serde_json::from_slice(&user.bytes().await.unwrap()).unwrap();
        let (proxy, sig) = (user["proxyServer"].as_str().unwrap(), user["userSig"].as_str().unwrap());
        let mut in_page = Socket::connect(&format!(
            "{proxy}?SDKAppID=1400000000&userID=alice&userSig={sig}&platform=Web&instance=page"
        ))
        .await
        .unwrap();

        let mut alice = Socket::connect(&url(0)).await.unwrap();
        let mut bob = Socket::connect(&url(1)).await.unwrap();
        let frames = blocks(readme, "json");
        let [message, read, list, history] = frames[..] else { panic!("{frames:#?}") };
        alice.say(message.trim().to_owned()).await;
        assert_eq!(alice.frame().await["data"]["message"]["sequence"], 1);
        assert_eq!(bob.push().await["event"], "onMessageReceived");
        bob.say(read.trim().to_owned()).await;
        assert_eq!(bob.frame().await["code"], 0);
        assert_eq!(alice.push().await["event"], "onMessageReadByPeer");
        bob.say(list.trim().to_owned()).await;
        assert_eq!(bob.frame().await["data"]["conversationList"][0]["conversationID"], "C2Calice");
        bob.say(history.trim().to_owned()).await;
        assert_eq!(bob.frame().await["data"]["messageList"].as_array().unwrap().len(), 1);
        assert_eq!(in_page.push().await["event"], "onMessageReceived", "it was not kicked out");

        // By hand, in the same folder.
        let commands = blocks(readme, "sh");
        let commands = commands.iter().find(|block| block.contains("sig verify")).unwrap();
        let hongyan = program("hongyan").display().to_string();
        let output = Command::new("sh")
            .args(["-euc", &commands.replace("cargo run --quiet --", &hongyan)])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let verdict = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && verdict.contains(r#""code":0"#), "{verdict}");
    }
}

#[test]
#[ignore = "needs the built programs: make test"]
fn during_a_rotation_the_new_key_signs() {
    let sig = issue(&["--key", "new,old"]);
    let verified =
        |key| hongyan(&["sig", "verify", "--user-id", "alice", "--key", key, &sig]).status.success();
    assert!(verified("new") && verified("newer,new") && !verified("old"));
}

#[test]
#[ignore = "needs the built programs: make test"]
fn an_option_before_a_command_is_not_dropped_in_silence() {
    let output = hongyan(&["--in-memory", "sig", "issue", "--user-id", "alice"]);
    assert!(!output.status.success());
}

#[test]
#[ignore = "needs the built programs: make test"]
fn a_bad_key_is_said_with_the_next_step() {
    for (key, next) in
        [(" ", "openssl rand -hex 32"), ("new,", "openssl rand -hex 32"), ("a,b,c", "`new,old`")]
    {
        for command in [&["local"][..], &["sig", "issue", "--user-id", "alice"]] {
            let output = hongyan(&[command, &["--key", key]].concat());
            assert!(!output.status.success(), "{key}");
            assert!(String::from_utf8(output.stderr).unwrap().contains(next), "{key}");
        }
    }
}

#[tokio::test]
#[ignore = "needs the built programs: make test"]
async fn a_twin_says_where_it_is_and_its_two_users_can_talk_across_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = ["--data", folder.path().to_str().unwrap()];
    {
        let twin = Twin::start(&data);
        let mut alice = Socket::connect(twin.url_of(0)).await.unwrap();
        let mut bob = Socket::connect(twin.url_of(1)).await.unwrap();
        bob.ask("login", json!({})).await;
        alice.ask("sendMessage", text_message("bob", "1", 0)).await;
        assert_eq!(bob.push().await["data"][0]["from"], "alice");
    }
    let twin = Twin::start(&data);
    let mut bob = Socket::connect(twin.url_of(1)).await.unwrap();
    let history = bob.ask("getMessageList", json!({ "conversationID": "C2Calice" })).await;
    assert_eq!(history["messageList"].as_array().unwrap().len(), 1);
}

#[tokio::test]
#[ignore = "needs the built programs: make test"]
async fn a_clock_that_is_moved_by_hand_stands_still_otherwise() {
    let mut twin = Twin::start(&["--in-memory", "--manual-clock", "--recall-seconds", "5"]);
    let mut alice = Socket::connect(twin.url_of(0)).await.unwrap();
    assert_eq!(alice.ask("login", json!({})).await["recallSeconds"], 5);
    alice.ask("sendMessage", text_message("bob", "1", 0)).await;
    let recall = json!({ "conversationID": "C2Cbob", "sequence": 1 });
    let now = twin.advance(0);
    assert_eq!(twin.advance(5_001), now + 5_001);
    assert_eq!(alice.request("revokeMessage", recall).await["code"], 20016);
    twin.advance(10 * 60 * 1000);
    assert_eq!(alice.closed().await.unwrap().code, 1001.into(), "it was idle for too long");
}

#[test]
#[ignore = "needs the built programs: make test"]
fn the_program_has_the_version_of_the_workspace() {
    let output = hongyan(&["--version"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("hongyan {}\n", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
#[ignore = "needs the built programs: make test"]
async fn a_connection_that_is_silent_takes_less_than_20_kb() {
    const CONNECTIONS: usize = 400;
    let twin = Twin::start(&["--in-memory", "--key", KEY]);
    let url = twin.ready["webSocketUrl"].as_str().unwrap();
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut sockets = Vec::new();
    // A user each, because one user may not have so many.
    let connect = async |number: usize| {
        let user = format!("user{number}");
        let sig = user_sig(&user, now_s);
        let url = format!("{url}?SDKAppID={SDK_APP_ID}&userID={user}&userSig={sig}&platform=Web");
        let mut socket = Socket::connect(&url).await.unwrap();
        socket.ask("login", json!({})).await;
        socket
    };
    // What the first ones need is not theirs alone.
    for number in 0..50 {
        sockets.push(connect(number).await);
    }
    let before = twin.resident_kb();
    for number in 0..CONNECTIONS {
        sockets.push(connect(50 + number).await);
    }
    let kb = (twin.resident_kb() - before) as f64 / CONNECTIONS as f64;
    println!("{kb:.1} KB per connection");
    assert!(kb < 20.0, "{kb:.1} KB");
}

/// The lines for a shell in docs/rest.md, with another port and folder.
#[test]
#[ignore = "needs the built programs: make test"]
fn what_the_page_of_the_api_for_business_servers_shows_works_as_pasted() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let twin = Twin::start(&["--data", folder]);
    let api = twin.ready["restUrl"].as_str().unwrap().strip_suffix("/v4").unwrap();
    let program = program("hongyan");
    let mut blocks = include_str!("../docs/rest.md").split("```sh\n").skip(1).peekable();
    assert!(blocks.peek().is_some());
    for block in blocks {
        let pasted = block.split("```").next().unwrap();
        let line = pasted.replace("http://127.0.0.1:8420", api).replace(
            "cargo run --quiet -- sig issue",
            &format!("{} sig issue --data {folder}", program.display()),
        );
        assert_ne!(line, pasted);
        let output = Command::new("sh").args(["-c", &line]).output().unwrap();
        let answer: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{line}: {output:?}"));
        assert_eq!(answer["ActionStatus"], "OK", "{line}: {answer}");
    }
}
