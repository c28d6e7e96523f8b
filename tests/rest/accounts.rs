use serde_json::json;

use super::{done, refused};
use crate::harness::TestApp;

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
