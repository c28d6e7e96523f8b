use serde_json::json;

use super::{done, refused};
use crate::harness::{TestApp, socket::Socket};

const QUERY: &str = "openim/query_online_status";

#[tokio::test]
async fn who_is_online_is_told_with_their_devices_under_both_names() {
    let app = TestApp::new().await;
    done(&app, "im_open_login_svc/account_import", json!({ "UserID": "bob" })).await;
    let _web = app.connect("alice").await;
    let _phone = Socket::connect(&app.url("alice", "MiniProgram", None)).await.unwrap();
    for path in [QUERY, "openim/querystate"] {
        let answer = done(&app, path, json!({ "To_Account": ["bob", "alice", "nobody", "é"] })).await;
        // Readers of the older one look for `State`.
        let of = |user: &str, status: &str| json!({ "To_Account": user, "Status": status, "State": status });
        assert_eq!(answer["QueryResult"], json!([of("bob", "Offline"), of("alice", "Online")]));
        let unknown = json!([{ "To_Account": "nobody", "ErrorCode": 70107 }, { "To_Account": "é", "ErrorCode": 70107 }]);
        assert_eq!(answer["ErrorList"], unknown);
    }
    let answer = done(&app, QUERY, json!({ "IsNeedDetail": true, "To_Account": ["alice"] })).await;
    let mut devices = answer["QueryResult"][0]["Detail"].as_array().unwrap().clone();
    devices.sort_by_key(|device| device["Platform"].to_string());
    let device = |platform: &str| json!({ "Platform": platform, "Status": "Online" });
    assert_eq!(devices, [device("MiniProgram"), device("Web")]);
    assert_eq!(answer.get("ErrorList"), None);
}

#[tokio::test]
async fn five_hundred_are_looked_up_at_once_and_no_more() {
    let app = TestApp::new().await;
    done(&app, "im_open_login_svc/account_import", json!({ "UserID": "499" })).await;
    let names: Vec<String> = (0..500).map(|number| number.to_string()).collect();
    let answer = done(&app, QUERY, json!({ "To_Account": names })).await;
    assert_eq!(
        answer["QueryResult"],
        json!([{ "To_Account": "499", "Status": "Offline", "State": "Offline" }])
    );
    assert_eq!(answer["ErrorList"].as_array().unwrap().len(), 499);
    let names: Vec<String> = (0..501).map(|number| number.to_string()).collect();
    assert_eq!(refused(&app, QUERY, json!({ "To_Account": names })).await, 90001);
    assert_eq!(refused(&app, QUERY, json!({})).await, 90001);
}
