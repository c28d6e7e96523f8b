//! The program `hongyan`, as it is called.

use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::harness::{KEY, socket::Socket, text_message};

/// A program of this workspace, which `make test` has built.
pub fn program(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests.ancestors().nth(2).unwrap().join(name);
    assert!(path.exists(), "{} is not there: run the tests with `make test`", path.display());
    path
}

fn hongyan(arguments: &[&str]) -> Output {
    Command::new(program("hongyan")).args(arguments).output().unwrap()
}

/// A twin in a process of its own, and what it said when it was ready.
pub struct Twin {
    process: Child,
    output: BufReader<ChildStdout>,
    pub ready: Value,
}

impl Twin {
    pub fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(program("hongyan"))
            .args(["local", "--port", "0", "--json"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let mut twin = Self { process, output, ready: Value::Null };
        twin.ready = twin.line();
        twin
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"))
    }

    /// Moves the clock of a twin that has a manual one, and returns how late it is then.
    fn advance(&mut self, ms: u64) -> u64 {
        writeln!(self.process.stdin.as_mut().unwrap(), "{ms}").unwrap();
        self.line()["now"].as_u64().unwrap()
    }

    fn resident_kb(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let kb = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        kb.trim().trim_end_matches(" kB").parse().unwrap()
    }

    pub fn url_of(&self, user: usize) -> &str {
        self.ready["users"][user]["url"].as_str().unwrap()
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
#[ignore = "needs the built programs: make test"]
fn a_signature_that_is_issued_verifies_and_says_so_in_one_line() {
    let issued = hongyan(&["sig", "issue", "--user-id", "alice", "--expire", "60"]);
    let sig = String::from_utf8(issued.stdout).unwrap().trim().to_owned();
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

#[test]
#[ignore = "needs the built programs: make test"]
fn during_a_rotation_the_new_key_signs() {
    let issued = hongyan(&["sig", "issue", "--user-id", "alice", "--key", "new,old"]);
    let sig = String::from_utf8(issued.stdout).unwrap().trim().to_owned();
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
    let output = hongyan(&["local", "--key", " "]);
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("openssl rand -hex 32"));
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

#[tokio::test]
#[ignore = "needs the built programs: make test"]
async fn a_connection_that_is_silent_takes_less_than_32_kb() {
    const CONNECTIONS: usize = 400;
    let twin = Twin::start(&["--in-memory", "--multi-device", "many"]);
    let mut sockets = Vec::new();
    let connect = async |number| {
        let mut socket = Socket::connect(&format!("{}&instance={number}", twin.url_of(0))).await.unwrap();
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
    assert!(kb < 32.0, "{kb:.1} KB");
}
