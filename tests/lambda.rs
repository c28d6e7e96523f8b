//! Each real binary under AWS's own Lambda Runtime Interface Emulator, told its event.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use flate2::{Compression, write::DeflateEncoder};

use serde_json::{Value, json};

use crate::harness::{
    KEY, event,
    program::{Twin, program},
};

/// What each event must be answered with: the status, and the code in the body.
const EXPECTED: [(&str, &str, u64, Option<i64>); 13] = [
    ("connect", "connect", 200, None),
    ("connect", "login", 200, Some(0)),
    ("send-message", "send-message", 200, Some(0)),
    ("get-message-list", "get-message-list", 200, Some(0)),
    ("set-message-read", "set-message-read", 200, Some(0)),
    ("get-conversation-list", "get-conversation-list", 200, Some(0)),
    ("get-upload-form", "get-upload-form", 200, Some(0)),
    ("manage-conversation", "revoke-message", 200, Some(0)),
    ("manage-user", "add-to-blacklist", 200, Some(0)),
    ("manage-group", "create-group", 200, Some(0)),
    ("default", "default", 200, Some(60009)),
    ("logout", "logout", 200, None),
    ("disconnect", "disconnect", 200, None),
];

/// A function in its sandbox.
struct Sandbox {
    emulator: Child,
    url: String,
    /// What the emulator says, and the function with it.
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
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, log) = mpsc::channel();
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(process.stdout.take().unwrap()), Box::new(process.stderr.take().unwrap())];
        for output in outputs {
            let sender = sender.clone();
            let lines = BufReader::new(output).lines();
            std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        }
        // It says nowhere that it listens.
        while TcpStream::connect(&own).is_err() {
            assert!(process.try_wait().unwrap().is_none(), "the emulator has ended");
            std::thread::sleep(Duration::from_millis(5));
        }
        Self {
            emulator: process,
            url: format!("http://{own}/2015-03-31/functions/function/invocations"),
            log,
        }
    }

    async fn invoke(&self, event: &Value) -> Value {
        let request = reqwest::Client::new().post(&self.url).body(event.to_string());
        let answer = request.send().await.unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    /// Everything that was said about the first invocation. It may come through behind the answer.
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::<String>::new();
        while !["INIT REPORT", "_aws"].iter().all(|part| lines.iter().any(|line| line.contains(part))) {
            lines.push(
                self.log.recv_timeout(Duration::from_secs(10)).expect("a report of its start, and its line"),
            );
        }
        lines.extend(self.log.try_iter());
        lines
    }

    /// The most memory that the function has had so far, in MB.
    fn peak_mb(&self) -> f64 {
        // The emulator starts it from any of its threads.
        let threads = fs::read_dir(format!("/proc/{}/task", self.emulator.id())).unwrap();
        let children =
            threads.map(|thread| fs::read_to_string(thread.unwrap().path().join("children")).unwrap());
        let children = children.collect::<String>();
        let function = children.split_whitespace().next().unwrap();
        let status = fs::read_to_string(format!("/proc/{function}/status")).unwrap();
        let kb = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        kb.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1e3
    }
}

/// The time from the start of the process to its first request for an event.
fn init_ms(log: &[String]) -> f64 {
    let line = log.iter().find(|line| line.contains("INIT REPORT")).expect("a report of the init phase");
    let ms = line.split("durationMs: ").nth(1).and_then(|rest| rest.split(')').next());
    ms.unwrap().parse().unwrap()
}

/// The lines that CloudWatch makes metrics of.
fn metrics(log: &[String]) -> Vec<Value> {
    let objects = log.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    objects.filter(|line| line.get("_aws").is_some()).collect()
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
fn binary(name: &str) -> PathBuf {
    release_binaries().map_or_else(|| program(name), |folder| folder.join(name))
}

fn release_binaries() -> Option<PathBuf> {
    std::env::var_os("HONGYAN_BINARIES").map(PathBuf::from)
}

/// A line of the table that `make bench-cold` prints.
async fn measure(name: &str, sandbox: &Sandbox, log: &[String], first: Duration, event: &Value) {
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    let mut warm = Vec::new();
    for number in 0..21 {
        // Each message is a new one.
        let again = event.to_string().replace("alice-1795400001-7", &format!("alice-{number}"));
        let started = Instant::now();
        sandbox.invoke(&serde_json::from_str(&again).unwrap()).await;
        warm.push(ms(started.elapsed()));
    }
    warm.sort_by(f64::total_cmp);
    let program = fs::read(binary(name)).unwrap();
    let mut zipped = DeflateEncoder::new(Vec::new(), Compression::best());
    zipped.write_all(&program).unwrap();
    let (mb, zipped) = (program.len() as f64 / 1e6, zipped.finish().unwrap().len() as f64 / 1e6);
    let (init, first) = (init_ms(log), ms(first) - init_ms(log));
    let (warm, peak) = (warm[warm.len() / 2], sandbox.peak_mb());
    println!("| {name} | {mb:.2} | {zipped:.2} | {init:.1} | {first:.1} | {warm:.1} | {peak:.1} |");
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
        ("GROUPS_TABLE", "Groups"),
        ("CONNECTIONS_ENDPOINT", management.as_str()),
        ("AWS_ENDPOINT_URL", dynamodb.as_str()),
        ("RETENTION_DAYS", "0"),
        ("MULTI_DEVICE", "one-per-platform"),
        ("RECALL_SECONDS", "120"),
        ("FRAMES_PER_SECOND", "20"),
        ("NEW_CONVERSATIONS_PER_HOUR", "100"),
        ("UNKNOWN_USERS", "accept"),
        ("DELETED_USERS_MESSAGES", "keep"),
        ("ADMINISTRATORS", "administrator"),
        ("METRICS_NAMESPACE", "Hongyan/test"),
        ("SDK_APP_ID", "1400000000"),
        ("MEDIA_MEGABYTES_PER_DAY", "500"),
        ("MEDIA_BUCKET", "media"),
        ("MEDIA_URL", "https://media.example.com/"),
        ("USERSIG_MAX_DAYS", "0"),
        ("USERSIG_KEY", KEY),
        // Where the published key is good.
        ("AWS_SAM_LOCAL", "true"),
    ];
    println!(
        "| function | MB | zipped MB | init ms | first ms | warm ms | memory MB |\n|---|---|---|---|---|---|---|"
    );

    let authorizer = Sandbox::start(&binary("authorizer"), &environment);
    let (verdict, first) = timed(authorizer.invoke(&event("authorizer"))).await;
    assert_eq!(verdict["policyDocument"]["Statement"][0]["Effect"], "Allow", "{verdict}");
    let log = authorizer.lines();
    if release_binaries().is_some() {
        measure("authorizer", &authorizer, &log, first, &event("authorizer")).await;
    }
    let delete_media = Sandbox::start(&binary("delete-media"), &environment);
    let (answer, first) = timed(delete_media.invoke(&event("delete-media"))).await;
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    let log = delete_media.lines();
    let [line] = &metrics(&log)[..] else { panic!("one record is one line: {log:#?}") };
    assert_eq!((&line["Route"], &line["code"]), (&json!("deleteMedia"), &json!(0)));
    if release_binaries().is_some() {
        measure("delete-media", &delete_media, &log, first, &event("delete-media")).await;
    }
    let rest = Sandbox::start(&binary("rest"), &environment);
    let (answer, first) = timed(rest.invoke(&event("rest"))).await;
    let reply: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!((&answer["statusCode"], &reply["ErrorCode"]), (&json!(200), &json!(0)), "{reply}");
    if release_binaries().is_some() {
        measure("rest", &rest, &rest.lines(), first, &event("rest")).await;
    }
    // Nobody is there, which is found out by the very stack that would reach somebody.
    let nobody = [
        ("CALLBACK_URL", "https://127.0.0.1:9"),
        ("CALLBACK_FAILURE", "send"),
        ("UNDELIVERED_QUEUE", "https://127.0.0.1:9/queue"),
    ];
    let callback = Sandbox::start(&binary("callback"), &[&environment[..], &nobody].concat());
    let (answer, first) = timed(callback.invoke(&event("callback"))).await;
    assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": "100000000000000000001" }] }));
    let log = callback.lines();
    // What an alarm counts over all routes has a line of its own.
    let [alarmed, line] = &metrics(&log)[..] else { panic!("one record is two lines: {log:#?}") };
    assert_eq!((&alarmed["FailedCallbacks"], alarmed.get("Route")), (&json!(1), None));
    assert_eq!((&line["Route"], &line["code"]), (&json!("callback"), &json!(80003)));
    assert!(line["detail"].as_str().unwrap().contains("C2C.CallbackAfterSendMsg"), "{line}");
    assert_eq!(line["FailedCallbacks"], 1);
    if release_binaries().is_some() {
        measure("callback", &callback, &log, first, &event("callback")).await;
    }
    for (name, event_name, status, code) in EXPECTED {
        let sandbox = Sandbox::start(&binary(name), &environment);
        let (answer, first) = timed(sandbox.invoke(&event(event_name))).await;
        assert_eq!(answer["statusCode"], status, "{event_name}: {answer}");
        // A handshake is answered with nothing, which Lambda hands on as an empty text.
        let reply = answer["body"].as_str().filter(|body| !body.is_empty());
        let reply: Option<Value> = reply.map(|body| serde_json::from_str(body).unwrap());
        assert_eq!(reply.and_then(|reply| reply["code"].as_i64()), code, "{event_name}: {answer}");

        let log = sandbox.lines();
        let [line] = &metrics(&log)[..] else { panic!("one invocation is one line: {log:#?}") };
        let key = event(event_name)["requestContext"]["routeKey"].clone();
        assert_eq!((&line["Route"], &line["code"]), (&key, &json!(code.unwrap_or_default())));
        assert_eq!(line["user"], "alice");
        assert!(line["requestId"].as_str().is_some_and(|id| !id.is_empty()), "{line}");
        assert!(line["ms"].is_u64() && line["Latency"].is_array(), "{line}");
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(
            (&directive["Namespace"], &directive["Dimensions"]),
            (&json!("Hongyan/test"), &json!([["Route"]]))
        );
        for metric in directive["Metrics"].as_array().unwrap() {
            assert!(!line[metric["Name"].as_str().unwrap()].is_null(), "{metric} has no value: {line}");
        }
        assert!(!log.iter().any(|line| line.contains(SAID)), "what was said is in the log");

        if event_name != "login" && release_binaries().is_some() {
            measure(name, &sandbox, &log, first, &event(event_name)).await;
        }
    }
}

#[tokio::test]
#[ignore = "needs the built programs and AWS's emulator: make test"]
async fn a_thousand_forged_handshakes_leave_a_count_and_nothing_else() {
    let twin = Twin::start(&["--in-memory"]);
    let environment = [
        ("METRICS_NAMESPACE", "Hongyan/test"),
        ("AWS_ENDPOINT_URL", twin.ready["dynamodbUrl"].as_str().unwrap()),
        ("CONNECTIONS_TABLE", "Connections"),
        ("SDK_APP_ID", "1400000000"),
        ("USERSIG_MAX_DAYS", "0"),
        ("USERSIG_KEY", KEY),
        ("AWS_SAM_LOCAL", "true"),
    ];
    let sandbox = Sandbox::start(&binary("authorizer"), &environment);
    let mut forged = event("authorizer");
    for number in 0..1_000 {
        forged["queryStringParameters"]["userID"] = json!(format!("mallory-{number}"));
        let verdict = sandbox.invoke(&forged).await;
        assert_eq!(verdict["policyDocument"]["Statement"][0]["Effect"], "Deny", "{verdict}");
    }
    // A user's line brings out what is counted, and has nothing of it.
    sandbox.invoke(&event("authorizer")).await;
    let mut log = Vec::new();
    while !log.iter().any(|line: &String| line.contains(r#""user":"alice""#)) {
        log.push(sandbox.log.recv_timeout(Duration::from_secs(10)).expect("the line of alice"));
    }
    let [strangers @ .., alice] = &metrics(&log)[..] else { panic!("{log:#?}") };
    assert!(alice["RefusedSignatures"].is_null(), "{alice}");
    let counted = |has_code: bool| {
        let lines = strangers.iter().filter(move |line| line.get("Code").is_some() == has_code);
        lines.map(|line| line["RefusedSignatures"].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!((counted(false), counted(true)), (1_000, 1_000));
    // Everything that the function has written, and not the emulator.
    let written = log.iter().filter(|line| line.starts_with('{')).collect::<Vec<_>>();
    assert!(!written.iter().any(|line| line.contains("mallory")), "{written:#?}");
    let bytes = written.iter().map(|line| line.len()).sum::<usize>() - alice.to_string().len();
    println!("{} lines of {bytes} bytes for 1 000 forged handshakes", written.len() - 1);
    assert!(bytes < 20 * 1_000, "less than 20 bytes each: {written:#?}");
}

/// With the variables that SAM's resolver makes of the template when nobody gives it the file of the twin.
#[test]
#[ignore = "needs the built programs: make test"]
fn a_function_that_sam_runs_on_a_laptop_does_not_use_an_account() {
    let names = EXPECTED.map(|(name, ..)| name);
    for name in ["authorizer", "delete-media", "get-message-list"].iter().chain(&names) {
        let started = Command::new(program(name))
            .envs([("AWS_SAM_LOCAL", "true"), ("AWS_ENDPOINT_URL", ""), ("USERSIG_KEY", "")])
            .envs([
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "an account's"),
                ("AWS_SECRET_ACCESS_KEY", "x"),
            ])
            .envs([("SDK_APP_ID", "1400000000"), ("USERSIG_MAX_DAYS", "0")])
            .envs([("USERSIG_KEY_PARAMETER", "/hongyan/usersig-key")])
            .output()
            .unwrap();
        let said = String::from_utf8(started.stdout).unwrap();
        assert!(!started.status.success() && said.contains("--env-vars"), "{name}: {said}");
    }
}

#[test]
#[ignore = "needs the built programs: make test"]
fn a_deployment_with_the_published_key_does_not_start() {
    let started = Command::new(program("authorizer"))
        .envs([("SDK_APP_ID", "1400000000"), ("USERSIG_MAX_DAYS", "0"), ("USERSIG_KEY", KEY)])
        .envs([("CONNECTIONS_TABLE", "Connections"), ("METRICS_NAMESPACE", "x")])
        .envs([("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x")])
        .output()
        .unwrap();
    let said = String::from_utf8(started.stdout).unwrap();
    assert!(!started.status.success() && said.contains("published sample"), "{said}");
    assert!(!said.contains(KEY));
}

/// What alice writes in the event.
const SAID: &str = "晚上一起吃饭吗";

async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let started = Instant::now();
    (work.await, started.elapsed())
}
