//! G10: members are counted with their rows, and there are never more than there may be.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{GROUP, log, members, try_change};
use crate::harness::TestApp;

/// Asks until it is not refused because of others.
async fn until_done(app: &TestApp, route: &str, user: &str, name: &str, more: Value) -> Value {
    loop {
        let reply = try_change(app, &app.sandbox, route, user, name, more.clone()).await;
        if ![10006, 20004, 60007].contains(&reply["code"].as_i64().unwrap()) {
            return reply;
        }
    }
}

#[tokio::test]
async fn g10_members_are_counted_with_their_rows_and_never_more_than_there_may_be_with_many_joins_at_once() {
    for kind in ["Public", "ChatRoom"] {
        let app = Arc::new(TestApp::without_limits().await);
        let data = json!({ "groupID": GROUP, "type": kind, "name": "g", "joinOption": "FreeAccess", "maxMemberNum": 9 });
        app.ask("create-group", "alice", data).await;
        let joins = (0..20).map(|number| {
            let app = Arc::clone(&app);
            async move {
                let user = format!("user-{number}");
                until_done(&app, "join-group", &user, &user, json!({})).await["code"].as_i64().unwrap()
            }
        });
        let codes = join_all(joins).await;
        assert_eq!(codes.iter().filter(|code| **code == 0).count(), 8, "{kind}: {codes:?}");
        assert!(codes.iter().all(|code| [0, 10014].contains(code)));
        assert_eq!(members(&app).await.len(), 9);
        let tips = log(&app).await.len();
        assert_eq!(tips, if kind == "Public" { 8 } else { 0 });
        let users = members(&app).await;
        let go = users.iter().filter(|user| *user != "alice").enumerate().map(async |(number, user)| {
            if number % 2 == 0 {
                until_done(&app, "quit-group", user, &format!("{user} goes"), json!({})).await
            } else {
                let more = json!({ "userIDList": [user] });
                until_done(&app, "delete-group-member", "alice", &format!("{user} is put out"), more).await
            }
        });
        for reply in join_all(go).await {
            assert_eq!(reply["code"], 0, "{kind}: {reply}");
        }
        assert_eq!(members(&app).await, ["alice"]);
    }
}
