//! G3: numbers have no hole, and none is used twice.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::json;

use super::{
    GROUP, change, group_of, log, message, public, say, state::state, try_change, try_say, with_retention,
};
use crate::harness::{TestApp, fault_proxy::Fault, random_numbers};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test]
async fn g3_forty_writers_at_once_get_forty_numbers_without_a_hole_and_so_do_tips_among_them() {
    let app = Arc::new(public(&["bob", "carol", "dave"]).await);
    // The limit of a group is by the clock, which stands still here.
    for round in 0..2_u64 {
        app.advance(Duration::from_secs(1));
        let sends = (0..40).map(|writer| {
            let app = Arc::clone(&app);
            async move {
                let user = if writer % 2 == 0 { "alice" } else { "bob" };
                let data = message(&format!("w-{round}-{writer}"), 0);
                let mut reply = app.invoke("send-message", user, data.clone()).await;
                while reply["code"] == 20004 || reply["code"] == 10023 {
                    app.advance(Duration::from_millis(300));
                    tokio::task::yield_now().await;
                    reply = app.invoke("send-message", user, data.clone()).await;
                }
                assert_eq!(reply["code"], 0, "{reply}");
                reply["data"]["message"]["sequence"].as_u64().unwrap()
            }
        });
        let changes = async {
            let of = |route: &'static str, user: &'static str, more| (route, user, more);
            for (number, (route, user, more)) in [
                of("delete-group-member", "alice", json!({ "userIDList": ["carol"] })),
                of("join-group", "carol", json!({})),
                of("set-group-member", "alice", json!({ "userID": "dave", "role": "Admin" })),
                of("set-group-member", "alice", json!({ "userID": "dave", "role": "Member" })),
                of("update-group-profile", "alice", json!({ "name": "n" })),
            ]
            .into_iter()
            .enumerate()
            {
                let name = format!("change-{round}-{number}");
                while try_change(&app, &app.sandbox, route, user, &name, more.clone()).await["code"] != 0 {}
            }
        };
        let (mut numbers, ()) = tokio::join!(join_all(sends), changes);
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 40);
    }
    app.advance(Duration::from_secs(3));
    say(&app, "bob", "keeps what is promised", 0).await;
    assert_eq!(log(&app).await.len(), 1 + 2 * (40 + 5) + 1);
    let tips = state(&app, GROUP).await.tips;
    assert_eq!(tips.len(), 1 + 2 * 5, "{tips:?}");
}

#[tokio::test]
async fn g3_no_number_is_used_twice_when_all_has_expired_and_been_swept() {
    let app = TestApp::with(with_retention()).await;
    group_of(&app, "Public", &["bob"]).await;
    for number in 0..5 {
        say(&app, "bob", &number.to_string(), 0).await;
    }
    let mut last = 6;
    for days in [2, 400] {
        app.advance(Duration::from_secs(days * 24 * 60 * 60));
        app.sweep().await;
        let reply = try_say(&app, "alice", &format!("after {days}"), 0).await;
        let number = reply["data"]["message"]["sequence"].as_u64().unwrap_or_else(|| panic!("{reply}"));
        assert!(number > last, "{number} is behind {last}");
        assert_eq!(
            super::listed(&app, "bob").await.unwrap()["unreadCount"],
            1,
            "what has expired is not unread"
        );
        last = number;
    }
}

#[tokio::test]
async fn g3_who_begin_at_once_where_all_has_expired_and_some_was_swept_use_no_number_again() {
    let mut random = random_numbers();
    for swept in [0, 3, 6] {
        let app = TestApp::with(with_retention()).await;
        group_of(&app, "Public", &["bob"]).await;
        for number in 0..5 {
            say(&app, "bob", &number.to_string(), 0).await;
        }
        let used = log(&app).await;
        app.advance(DAY + Duration::from_secs(16));
        for (seq, ..) in used.iter().take(swept) {
            app.delete("Messages", json!({ "p": { "S": GROUP }, "s": { "S": format!("M{seq:012}") } })).await;
        }
        // A stale look at what is there helps nobody to a number that was used.
        app.lag(crate::harness::replica::Lag::SECOND).await;
        app.dynamodb.break_calls(move |_, _| if random(2) == 0 { Fault::Stale } else { Fault::None });
        let names: Vec<String> = (0..6).map(|number| format!("anew-{number}")).collect();
        let replies =
            join_all(names.iter().map(|name| app.invoke("send-message", "bob", message(name, 0)))).await;
        app.dynamodb.mend();
        let mut numbers: Vec<u64> =
            replies.iter().filter_map(|reply| reply["data"]["message"]["sequence"].as_u64()).collect();
        numbers.sort_unstable();
        assert!(
            !numbers.is_empty() && numbers.iter().copied().eq(33..33 + numbers.len() as u64),
            "{swept}: {replies:?}"
        );
        random = random_numbers();
    }
}

#[tokio::test]
async fn g3_no_number_is_used_and_no_group_made_anew_after_one_was_dismissed() {
    let app = TestApp::with(with_retention()).await;
    group_of(&app, "Public", &["bob"]).await;
    say(&app, "bob", "1", 0).await;
    change(&app, "quit-group", "bob", "quit", json!({})).await;
    app.ask("dismiss-group", "alice", json!({ "groupID": GROUP })).await;
    let used = log(&app).await;
    for days in [0, 2, 400] {
        app.advance(days * DAY);
        app.sweep().await;
        assert_eq!(try_say(&app, "alice", &format!("after {days}"), 0).await["code"], 10010);
        for (route, more) in [
            ("join-group", json!({})),
            ("add-group-member", json!({ "userIDList": ["carol"] })),
            ("update-group-profile", json!({ "name": "n" })),
            ("change-group-owner", json!({ "newOwnerID": "bob" })),
        ] {
            let reply =
                try_change(&app, &app.sandbox, route, "alice", &format!("{route} {days}"), more).await;
            assert_eq!(reply["code"], 10010, "{route}");
        }
        for user in ["alice", "bob"] {
            let data = json!({ "groupID": GROUP, "type": "Public", "name": "g" });
            assert_eq!(app.invoke("create-group", user, data).await["code"], 10021, "{user}");
        }
        assert_eq!(log(&app).await, if days == 0 { used.clone() } else { Vec::new() });
    }
}
