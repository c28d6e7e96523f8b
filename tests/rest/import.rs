//! `hongyan import`, as it is called, into a twin in a process of its own.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, Select},
};
use flate2::{Compression, write::GzEncoder};
use hongyan_local::sdk_config;
use serde_json::{Value, json};

use crate::harness::{
    KEY, SDK_APP_ID,
    program::{Twin, program},
    socket::Socket,
    text_message, user_sig,
};

/// The import of these files into that twin, as far as it is called the same each time.
fn import(twin: &Twin, folder: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(program("hongyan"));
    command.args([
        "import",
        "--json",
        "--key",
        KEY,
        "--url",
        twin.ready["restUrl"].as_str().unwrap(),
        "--journal",
    ]);
    command.arg(folder.join("journal.json")).arg(folder.join("files")).args(more);
    command
}

fn counts(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The answer of a twin to a command.
async fn ask(twin: &Twin, path: &str, body: Value) -> Value {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let (url, sig) = (twin.ready["restUrl"].as_str().unwrap(), user_sig("administrator", now_s));
    let url = format!("{url}/{path}?sdkappid={SDK_APP_ID}&identifier=administrator&usersig={sig}&random=1");
    let answer = reqwest::Client::new().post(url).body(body.to_string()).send().await.unwrap();
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
#[ignore = "needs the built programs: make test"]
async fn users_are_imported_with_their_profiles_and_once() {
    let twin = Twin::start(&["--in-memory", "--key", KEY]);
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("files")).unwrap();
    let write = |name: &str, text: Value| {
        fs::write(folder.path().join("files").join(name), text.to_string()).unwrap()
    };
    write(
        "accounts.json",
        json!({ "AccountList": [{ "UserID": "alice", "Nick": "爱丽丝" }, { "UserID": "名字" }] }),
    );
    // What portrait_get answers, here and at Tencent.
    let profile = json!([
        { "Tag": "Tag_Profile_IM_Nick", "Value": "鲍勃" }, { "Tag": "Tag_Profile_IM_Gender", "Value": "Gender_Type_Male" },
    ]);
    write(
        "profiles.json",
        json!({ "UserProfileItem": [{ "To_Account": "bob", "ResultCode": 0, "ProfileItem": profile }] }),
    );

    let expected = json!({ "messages": 0, "users": 2, "refused": 1, "recalled": 0, "group": 0, "outside": 0, "unknown": 0 });
    assert_eq!(counts(&import(&twin, folder.path(), &["--dry-run"]).output().unwrap())["users"], 3);
    let checked = json!({ "CheckItem": [{ "UserID": "alice" }, { "UserID": "bob" }] });
    let status = async || {
        let answer = ask(&twin, "im_open_login_svc/account_check", checked.clone()).await;
        [0, 1].map(|user| answer["ResultItem"][user]["AccountStatus"].clone())
    };
    assert_eq!(status().await, ["NotImported", "NotImported"], "a dry run does nothing");
    for _ in 0..2 {
        assert_eq!(counts(&import(&twin, folder.path(), &[]).output().unwrap()), expected);
    }
    assert_eq!(status().await, ["Imported", "Imported"]);
    let tags = ["Tag_Profile_IM_Nick", "Tag_Profile_IM_Gender"];
    let answer = ask(&twin, "profile/portrait_get", json!({ "To_Account": ["bob"], "TagList": tags })).await;
    assert_eq!(answer["UserProfileItem"][0]["ProfileItem"], profile);
    let journal: Value =
        serde_json::from_slice(&fs::read(folder.path().join("journal.json")).unwrap()).unwrap();
    assert_eq!(journal["refusals"][0]["record"], 1);
    assert_eq!(journal["refusals"][0]["code"], 70402);
}

/// How many messages two users have.
const EACH: u64 = 100;

/// Ten files of an hour with that many messages, each pair's in all of them.
fn write_hours(folder: &Path, messages: u64) {
    fs::create_dir(folder.join("files")).unwrap();
    for hour in 0..10 {
        let file = File::create(folder.join(format!("files/20261125{hour:02}.gz"))).unwrap();
        let mut file = GzEncoder::new(file, Compression::fast());
        file.write_all(br#"{"ChatType":"C2C","MsgList":["#).unwrap();
        for number in (hour..messages).step_by(10) {
            let (pair, seq) = (number / EACH, number % EACH);
            let (from, to) = if number % 2 == 0 { ("a", "b") } else { ("b", "a") };
            let message = json!({
                "From_Account": format!("{from}-{pair}"), "To_Account": format!("{to}-{pair}"),
                "MsgTimestamp": 1_790_000_000 + seq, "MsgSeq": seq, "MsgRandom": number,
                "MsgBody": [{ "MsgType": "TIMTextElem", "MsgContent": { "Text": format!("第 {seq} 句") } }],
            });
            let comma = if number == hour { "" } else { "," };
            write!(file, "{comma}\n{message}").unwrap();
        }
        file.write_all(b"\n]}").unwrap();
        file.finish().unwrap();
    }
}

fn imported(folder: &Path) -> u64 {
    let journal = fs::read(folder.join("journal.json")).unwrap_or_default();
    let journal: Value = serde_json::from_slice(&journal).unwrap_or_default();
    journal["counts"]["messages"].as_u64().unwrap_or_default()
}

/// How many rows of imported messages there are.
async fn rows(twin: &Twin) -> u64 {
    let client = Client::new(&sdk_config(twin.ready["dynamodbUrl"].as_str().unwrap()));
    let scan = client.scan().table_name("Messages").select(Select::Count);
    let scan = scan.filter_expression("begins_with(s, :h)");
    let scan = scan.expression_attribute_values(":h", AttributeValue::S("H".to_owned()));
    let (mut rows, mut from) = (0, None);
    loop {
        let page = scan.clone().set_exclusive_start_key(from).send().await.unwrap();
        rows += u64::try_from(page.count).unwrap();
        from = page.last_evaluated_key;
        if from.is_none() {
            return rows;
        }
    }
}

/// Two users of whom messages are imported chat until they are told to stop. Returns what each send took.
async fn chat(twin: &Twin, mut stop: tokio::sync::oneshot::Receiver<()>) -> Vec<Duration> {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let url = |user: &str| {
        let (url, sig) = (twin.ready["webSocketUrl"].as_str().unwrap(), user_sig(user, now_s));
        format!("{url}?SDKAppID={SDK_APP_ID}&userID={user}&userSig={sig}&platform=Web")
    };
    let (mut a, mut b) =
        (Socket::connect(&url("a-0")).await.unwrap(), Socket::connect(&url("b-0")).await.unwrap());
    let mut took = Vec::new();
    while stop.try_recv().is_err() {
        let (base, started) = (took.len() as u64, Instant::now());
        let reply = a.ask("sendMessage", text_message("b-0", &base.to_string(), base)).await;
        took.push(started.elapsed());
        assert_eq!(reply["message"]["sequence"], base + 1, "{reply}");
        assert_eq!(b.push().await["data"][0]["sequence"], base + 1);
        // As fast as somebody who types.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut page = json!({ "conversationID": "C2Ca-0", "nextReqMessageID": "", "count": 100 });
    let mut texts = Vec::new();
    loop {
        let data = b.ask("getMessageList", page.clone()).await;
        let list = data["messageList"].as_array().unwrap();
        texts
            .extend(list.iter().rev().map(|message| message["payload"]["text"].as_str().unwrap().to_owned()));
        if data["isCompleted"] == true {
            break;
        }
        page["nextReqMessageID"] = data["nextReqMessageID"].clone();
    }
    let old: Vec<_> = texts.split_off(took.len());
    assert!(old.iter().rev().cloned().eq((0..EACH).map(|seq| format!("第 {seq} 句"))), "{old:?}");
    took
}

/// As many messages as HONGYAN_IMPORT says: `make import`.
#[tokio::test]
#[ignore = "needs the built programs: make test"]
async fn messages_are_there_once_however_often_their_import_is_killed_while_users_chat() {
    let messages = std::env::var("HONGYAN_IMPORT").map_or(2_000, |count| count.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    write_hours(folder.path(), messages);
    let data = folder.path().join("data");
    // In the end the history of a long import is read as fast as it comes.
    let no_limit = ["--frames-per-second", "0"];
    let twin = Twin::start(&[&["--data", data.to_str().unwrap(), "--key", KEY][..], &no_limit].concat());
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let started = Instant::now();
    let importing = async {
        for part in 1..=2 {
            let mut import = import(&twin, folder.path(), &[]).stdout(Stdio::null()).spawn().unwrap();
            while imported(folder.path()) < messages / 3 * part && import.try_wait().unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            // SIGKILL.
            import.kill().unwrap();
            import.wait().unwrap();
        }
        let before = imported(folder.path());
        let mut last = import(&twin, folder.path(), &[]);
        let counted = tokio::task::spawn_blocking(move || counts(&last.output().unwrap())).await.unwrap();
        stop.send(()).unwrap();
        (before, counted, started.elapsed())
    };
    let ((before, counted, lasted), mut took) = tokio::join!(importing, chat(&twin, stopped));
    assert!(before > 0 && before < messages, "it was killed in the middle: {before}");
    assert_eq!(counted["messages"], messages, "{counted}");
    assert_eq!(rows(&twin).await, messages);
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    println!(
        "{messages} messages in {:.0} s, {:.0} per second; {} sends meanwhile, p50 {:.1} ms, p99 {:.1} ms",
        lasted.as_secs_f64(),
        messages as f64 / lasted.as_secs_f64(),
        took.len(),
        at(50),
        at(99),
    );
}

#[tokio::test]
#[ignore = "needs the built programs: make test"]
async fn who_may_not_import_is_told_what_to_do() {
    let twin = Twin::start(&["--in-memory", "--key", KEY]);
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("files")).unwrap();
    fs::write(folder.path().join("files/users"), r#"{"UserID":"alice"}"#).unwrap();
    let page = twin.ready["pageUrl"].as_str().unwrap();
    for (more, said) in [
        (&["--administrator", "alice"][..], "60010"),
        (&["--sdk-app-id", "1400000001"], "60006"),
        (&["--url", &format!("{page}prod")], "--url is the output RestUrl"),
    ] {
        let mut command = import(&twin, folder.path(), &[]);
        if let [option, ..] = more
            && *option == "--url"
        {
            command = Command::new(program("hongyan"));
            command.args(["import", "--key", KEY, "--journal"]);
            command.arg(folder.path().join("other.json")).arg(folder.path().join("files"));
        }
        let output = command.args(more).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && text.contains(said), "{said}: {text}");
        let _ = fs::remove_file(folder.path().join("journal.json"));
    }
}
