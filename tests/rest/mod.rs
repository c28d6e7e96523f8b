//! The commands of business servers, a file for each service, against the real engine.

mod accounts;
mod blacklists;
mod broken;
mod contacts;
mod costs;
mod documents;
mod groups;
mod import;
mod libraries;
mod messages;
mod profiles;
mod requests;
mod speech;
mod status;

use serde_json::{Value, json};

use crate::harness::{SDK_APP_ID, TestApp, event, user_sig};

/// The event of a command, signed by an administrator.
pub fn command(app: &TestApp, path: &str, body: &Value) -> Value {
    signed(path, "administrator", &user_sig("administrator", app.clock.now() / 1000), body)
}

/// The same, by an account with that signature.
fn signed(path: &str, identifier: &str, sig: &str, body: &Value) -> Value {
    let mut event = event("rest");
    event["rawPath"] = json!(format!("/v4/{path}"));
    event["rawQueryString"] = json!(format!(
        "sdkappid={SDK_APP_ID}&identifier={identifier}&usersig={sig}&random=1&contenttype=json"
    ));
    event["body"] = json!(body.to_string());
    event
}

/// The status and the body of the answer.
pub async fn respond(app: &TestApp, event: Value) -> (u64, Value) {
    let answer = app.rest().respond(serde_json::from_value(event).unwrap(), "1").await;
    assert_eq!(answer["headers"]["content-type"], "application/json");
    (answer["statusCode"].as_u64().unwrap(), serde_json::from_str(answer["body"].as_str().unwrap()).unwrap())
}

/// The answer to a command, whatever it is.
pub async fn ask(app: &TestApp, path: &str, body: Value) -> Value {
    let (status, answer) = respond(app, command(app, path, &body)).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// The answer to a command that must be done.
pub async fn done(app: &TestApp, path: &str, body: Value) -> Value {
    let answer = ask(app, path, body).await;
    assert_eq!(
        (&answer["ActionStatus"], &answer["ErrorCode"]),
        (&json!("OK"), &json!(0)),
        "{path}: {answer}"
    );
    assert_eq!(answer["ErrorInfo"], "");
    answer
}

/// The code of one that must be refused.
pub async fn refused(app: &TestApp, path: &str, body: Value) -> i64 {
    let answer = ask(app, path, body).await;
    assert_eq!(answer["ActionStatus"], "FAIL", "{path}: {answer}");
    assert!(answer["ErrorInfo"].as_str().is_some_and(|text| text.len() > 10), "{answer}");
    answer["ErrorCode"].as_i64().unwrap()
}
