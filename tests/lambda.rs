//! Each real binary under AWS's own Lambda Runtime Interface Emulator, told its event.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    cli::{Twin, program},
    harness::{KEY, event},
};

/// What each event must be answered with: the status, and the code in the body.
const EXPECTED: [(&str, &str, u64, Option<i64>); 11] = [
    ("connect", "connect", 200, None),
    ("connect", "login", 200, Some(0)),
    ("send-message", "send-message", 200, Some(0)),
    ("get-message-list", "get-message-list", 200, Some(0)),
    ("set-message-read", "set-message-read", 200, Some(0)),
    ("get-conversation-list", "get-conversation-list", 200, Some(0)),
    ("manage-conversation", "revoke-message", 200, Some(0)),
    ("manage-user", "add-to-blacklist", 200, Some(0)),
    ("default", "default", 200, Some(60009)),
    ("logout", "logout", 200, Some(0)),
    ("disconnect", "disconnect", 200, None),
];

/// A function in its sandbox.
struct Sandbox {
    emulator: Child,
    url: String,
    log: mpsc::Receiver<String>,
}

impl Sandbox {
    fn start(binary: &Path, environment: &[(&str, &str)]) -> Self {
        let emulator =
            std::env::var("AWS_LAMBDA_RIE").expect("AWS_LAMBDA_RIE names the emulator: run `make test`");
        let (own, runtime_api) = (free_address(), free_address());
        let mut process = Command::new(emulator)
            .args(["--log-level", "info", "--runtime-interface-emulator-address", &own])
            .args(["--runtime-api-address", &runtime_api])
            .arg(binary)
            .envs([("AWS_LAMBDA_FUNCTION_NAME", "x"), ("AWS_LAMBDA_FUNCTION_TIMEOUT", "10")])
            .envs([
                ("AWS_REGION", "local"),
                ("AWS_ACCESS_KEY_ID", "local"),
                ("AWS_SECRET_ACCESS_KEY", "local"),
            ])
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, log) = mpsc::channel();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        Self {
            emulator: process,
            url: format!("http://{own}/2015-03-31/functions/function/invocations"),
            log,
        }
    }

    async fn invoke(&self, event: &Value) -> Value {
        let client = reqwest::Client::new();
        for _ in 0..3_000 {
            if let Ok(answer) = client.post(&self.url).body(event.to_string()).send().await {
                return serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
            }
            // It says nowhere that it listens.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the emulator does not listen");
    }

    /// The time from the start of the process to its first request for an event.
    fn init_ms(&self) -> String {
        let wanted = |line: &String| line.contains("INIT REPORT");
        let line = std::iter::from_fn(|| self.log.recv_timeout(Duration::from_secs(1)).ok()).find(wanted);
        let line = line.unwrap_or_default();
        line.split("durationMs: ").nth(1).and_then(|rest| rest.split(')').next()).unwrap_or("?").to_owned()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.emulator.kill().unwrap();
        self.emulator.wait().unwrap();
    }
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// The debug binaries, unless `make bench-cold` names a folder with release ones.
fn binary(name: &str) -> std::path::PathBuf {
    match std::env::var("HONGYAN_BINARIES") {
        Ok(folder) => Path::new(&folder).join(name),
        Err(_) => program(name),
    }
}

fn report(name: &str, sandbox: &Sandbox) {
    let bytes = std::fs::metadata(binary(name)).unwrap().len();
    println!("| {name} | {:.2} | {} |", bytes as f64 / 1e6, sandbox.init_ms());
}

#[tokio::test]
#[ignore = "needs the built programs and AWS's emulator: make test"]
async fn each_binary_answers_its_event() {
    let twin = Twin::start(&["--in-memory"]);
    let endpoint = |name: &str| twin.ready[name].as_str().unwrap().to_owned();
    let (dynamodb, management) = (endpoint("dynamodbUrl"), endpoint("managementUrl"));
    let environment = [
        ("MESSAGES_TABLE", "Messages"),
        ("CONVERSATIONS_TABLE", "Conversations"),
        ("CONNECTIONS_TABLE", "Connections"),
        ("USERS_TABLE", "Users"),
        ("CONNECTIONS_ENDPOINT", management.as_str()),
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.as_str()),
        ("RETENTION_DAYS", "0"),
        ("MULTI_DEVICE", "one-per-platform"),
        ("RECALL_SECONDS", "120"),
        ("SDK_APP_ID", "1400000000"),
        ("USERSIG_KEY", KEY),
    ];
    println!("| function | MB | init ms |\n|---|---|---|");

    let authorizer = Sandbox::start(&binary("authorizer"), &environment);
    let verdict = authorizer.invoke(&event("authorizer")).await;
    assert_eq!(verdict["policyDocument"]["Statement"][0]["Effect"], "Allow", "{verdict}");
    report("authorizer", &authorizer);
    let mut unsigned = event("authorizer");
    unsigned["queryStringParameters"]["userSig"] = json!("");
    unsigned["multiValueQueryStringParameters"]["userSig"] = json!([""]);
    assert_eq!(
        authorizer.invoke(&unsigned).await["errorMessage"],
        "Unauthorized",
        "API Gateway makes a 401 of it"
    );

    for (name, event_name, status, code) in EXPECTED {
        let sandbox = Sandbox::start(&binary(name), &environment);
        let answer = sandbox.invoke(&event(event_name)).await;
        assert_eq!(answer["statusCode"], status, "{event_name}: {answer}");
        // A handshake is answered with nothing, which Lambda hands on as an empty text.
        let reply = answer["body"].as_str().filter(|body| !body.is_empty());
        let reply: Option<Value> = reply.map(|body| serde_json::from_str(body).unwrap());
        assert_eq!(reply.and_then(|reply| reply["code"].as_i64()), code, "{event_name}: {answer}");
        if event_name != "login" {
            report(name, &sandbox);
        }
    }
}
