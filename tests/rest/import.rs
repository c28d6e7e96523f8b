//! `hongyan import`, as it is called, into a twin in a process of its own.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::harness::{
    KEY, SDK_APP_ID,
    program::{Twin, program},
    user_sig,
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

    let expected =
        json!({ "messages": 0, "users": 2, "refused": 1, "recalled": 0, "group": 0, "unknown": 0 });
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
