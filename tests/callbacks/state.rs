//! The business server is told of users who come and go.

use std::time::Duration;

use serde_json::{Value, json};

use super::start;
use crate::harness::{START_MS, TestApp, business_server::BusinessServer, event};

/// An event of alice's on a device of theirs.
fn on(name: &str, platform: &str, instance: &str, id: &str, connected_at: u64) -> Value {
    let mut event = event(name);
    let context = &mut event["requestContext"];
    context["authorizer"]["platform"] = json!(platform);
    context["authorizer"]["instance"] = json!(instance);
    context["connectionId"] = json!(id);
    context["connectedAt"] = json!(connected_at);
    event
}

/// What it has been told of: platform, action, reason, the platforms that were kicked, and seconds since the beginning.
async fn told(app: &TestApp, server: &BusinessServer) -> Vec<(String, String)> {
    app.twin.deliver_changes().await.unwrap();
    let calls = server.take();
    let tell = |called: &crate::harness::business_server::Called| {
        assert_eq!(called.command(), "State.StateChange");
        assert_eq!(called.body["Info"]["To_Account"], "alice");
        let platform = called.query.split("OptPlatform=").nth(1).unwrap().split('&').next().unwrap();
        let info = &called.body["Info"];
        let kicked = called.body.get("KickedDevice").map(Value::to_string).unwrap_or_default();
        let at = called.body["EventTime"].as_u64().unwrap() - START_MS;
        let [action, reason] = ["Action", "Reason"].map(|name| info[name].as_str().unwrap());
        (platform.to_owned(), format!("{action} {reason} {at} {kicked}").trim_end().to_owned())
    };
    calls.iter().map(tell).collect()
}

fn one(platform: &str, what: &str) -> Vec<(String, String)> {
    vec![(platform.to_owned(), what.to_owned())]
}

#[tokio::test]
async fn it_is_told_who_comes_who_goes_and_how() {
    let (app, server) = start().await;
    let at = START_MS;
    app.respond("connect", &on("connect", "iOS", "a", "1=", at)).await;
    assert_eq!(told(&app, &server).await, one("IOS", "Login Register 0"));
    // A login copies names, which is nobody's coming.
    app.respond("login", &on("login", "iOS", "a", "1=", at)).await;
    assert!(told(&app, &server).await.is_empty());

    // Another phone of the same kind: one login, and who is kicked out for it.
    app.respond("connect", &on("connect", "iOS", "b", "2=", at + 1)).await;
    assert_eq!(told(&app, &server).await, one("IOS", r#"Login Register 1 [{"Platform":"IOS"}]"#));
    // The end of the one that was kicked out is no news.
    app.respond("disconnect", &on("disconnect", "iOS", "a", "1=", at)).await;
    assert!(told(&app, &server).await.is_empty());
    // The same phone is back before its end was noticed, and kicks nobody out.
    app.respond("connect", &on("connect", "iOS", "b", "3=", at + 2)).await;
    assert_eq!(told(&app, &server).await, one("IOS", "Login Register 2"));

    app.respond("connect", &on("connect", "Web", "w", "4=", at + 3)).await;
    assert_eq!(told(&app, &server).await, one("Web", "Login Register 3"));
    app.respond("logout", &on("logout", "Web", "w", "4=", at + 3)).await;
    app.respond("disconnect", &on("disconnect", "Web", "w", "4=", at + 3)).await;
    assert_eq!(told(&app, &server).await, one("Web", "Logout Unregister 4"));
    // Having logged out once is nothing that sticks.
    app.respond("connect", &on("connect", "Web", "w", "5=", at + 4)).await;
    app.respond("disconnect", &on("disconnect", "Web", "w", "5=", at + 4)).await;
    let told_of = told(&app, &server).await;
    let web = |what: &str| ("Web".to_owned(), what.to_owned());
    assert_eq!(told_of, [web("Login Register 4"), web("Disconnect LinkClose 5")]);

    // Nobody has noticed the end of the phone's connection until the phone is back, hours later.
    app.advance(Duration::from_secs(3 * 60 * 60));
    let later = at + 3 * 60 * 60 * 1000;
    app.respond("connect", &on("connect", "iOS", "c", "6=", later)).await;
    let told_of: Vec<String> = told(&app, &server).await.into_iter().map(|(_, what)| what).collect();
    assert_eq!(told_of, ["Disconnect TimeOut 10800000", "Login Register 10800000"]);
}

#[tokio::test]
async fn a_logout_is_noted_for_it_and_for_nobody_else() {
    for has_server in [true, false] {
        let app = if has_server { start().await.0 } else { TestApp::new().await };
        app.respond("connect", &event("connect")).await;
        app.respond("logout", &event("logout")).await;
        let rows = app.dump("Connections").await;
        let noted = rows.iter().any(|row| row.get("lo").is_some());
        assert_eq!(noted, has_server, "{rows:?}");
    }
}
