use std::{collections::BTreeSet, time::Duration};

use hongyan_functions::config::{Settings, UnknownUsers};
use serde_json::{Value, json};

use super::{done, refused};
use crate::{
    groups::{self, GROUP, group_of, say},
    harness::{TestApp, text_message},
};

const LIST: &str = "recentcontact/get_list";
const DELETE: &str = "recentcontact/delete";

async fn list(app: &TestApp, user: &str) -> Vec<Value> {
    done(app, LIST, json!({ "From_Account": user })).await["SessionItem"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_list_has_what_is_pinned_first_and_then_the_newest() {
    let app = TestApp::new().await;
    for (index, peer) in ["bob", "carol", "dave"].iter().enumerate() {
        app.advance(Duration::from_secs(1));
        app.send("alice", peer, &index.to_string(), 0).await;
    }
    app.ask("pin-conversation", "alice", json!({ "conversationID": "C2Cbob", "isPinned": true })).await;
    let now = app.clock.now() / 1000;
    let item = |peer: &str, time: u64, top: u8| json!({ "Type": 1, "To_Account": peer, "MsgTime": time, "TopFlag": top });
    assert_eq!(
        list(&app, "alice").await,
        [item("bob", now - 2, 1), item("dave", now, 0), item("carol", now - 1, 0)]
    );
    assert_eq!(list(&app, "bob").await, [item("alice", now - 2, 0)]);
    assert!(list(&app, "nobody").await.is_empty());
}

/// Several conversations in each second, and more than two pages of them.
#[tokio::test]
async fn the_pages_of_a_long_list_have_everything_once_and_in_order() {
    let app = TestApp::without_limits().await;
    for number in 0..230 {
        if number % 7 == 0 {
            app.advance(Duration::from_secs(1));
        }
        app.send("alice", &format!("user{number:03}"), "1", 0).await;
    }
    let (mut seen, mut body) =
        (Vec::new(), json!({ "From_Account": "alice", "TimeStamp": 0, "StartIndex": 0 }));
    for page in 0.. {
        assert!(page < 3, "{body}");
        let answer = done(&app, LIST, body.clone()).await;
        seen.extend(answer["SessionItem"].as_array().unwrap().clone());
        if answer["CompleteFlag"] == 1 {
            break;
        }
        for name in ["TimeStamp", "StartIndex", "TopTimeStamp", "TopStartIndex"] {
            body[name] = answer[name].clone();
        }
    }
    let peers: BTreeSet<String> = seen.iter().map(|item| item["To_Account"].to_string()).collect();
    assert_eq!((seen.len(), peers.len()), (230, 230));
    let times: Vec<u64> = seen.iter().map(|item| item["MsgTime"].as_u64().unwrap()).collect();
    assert!(times.is_sorted_by(|one, next| one >= next));
}

#[tokio::test]
async fn a_conversation_goes_from_the_list_with_or_without_its_history() {
    let app = TestApp::new().await;
    for (clears, left) in [(0, 1), (1, 0)] {
        app.send("alice", "bob", &format!("c{clears}"), 0).await;
        done(
            &app,
            DELETE,
            json!({ "From_Account": "alice", "Type": 1, "To_Account": "bob", "ClearRamble": clears }),
        )
        .await;
        assert!(list(&app, "alice").await.is_empty());
        assert_eq!(app.history("alice", "bob").await.len(), left);
    }
    assert_eq!(app.history("bob", "alice").await.len(), 2, "the other one keeps it");
    // Which there is none of.
    done(&app, DELETE, json!({ "From_Account": "alice", "type": 1, "To_Account": "nobody" })).await;
    for body in [
        json!({ "From_Account": "alice", "Type": 2 }),
        json!({ "From_Account": "alice", "Type": 2, "ToGroupid": "群" }),
        json!({ "From_Account": "alice", "Type": 3, "To_Account": "bob" }),
        json!({ "From_Account": "alice", "Type": 1 }),
        json!({ "From_Account": "alice", "Type": 1, "To_Account": "alice" }),
        json!({ "From_Account": "alice", "To_Account": "bob" }),
    ] {
        assert_eq!(refused(&app, DELETE, body.clone()).await, 50002, "{body}");
    }
    assert_eq!(refused(&app, LIST, json!({})).await, 50002);
}

#[tokio::test]
async fn a_list_has_the_users_groups_where_there_is_something_to_see() {
    let app = TestApp::without_limits().await;
    group_of(&app, "Public", &["bob"]).await;
    // Nothing has been said in this one, so there is no conversation yet.
    let silent = json!({ "groupID": "silent", "type": "Public", "name": "g" });
    app.ask("create-group", "alice", silent).await;
    app.advance(Duration::from_secs(1));
    app.send("alice", "carol", "1", 0).await;
    app.advance(Duration::from_secs(1));
    say(&app, "bob", "hello", 0).await;
    let now = app.clock.now() / 1000;
    let group = |top: u8| json!({ "Type": 2, "GroupId": GROUP, "MsgTime": now, "TopFlag": top });
    let carol = json!({ "Type": 1, "To_Account": "carol", "MsgTime": now - 1, "TopFlag": 0 });
    assert_eq!(list(&app, "alice").await, [group(0), carol.clone()]);
    assert_eq!(list(&app, "bob").await, [group(0)]);
    app.advance(Duration::from_secs(1));
    app.send("alice", "carol", "2", 1).await;
    let newer = json!({ "Type": 1, "To_Account": "carol", "MsgTime": now + 1, "TopFlag": 0 });
    assert_eq!(list(&app, "alice").await, [newer.clone(), group(0)]);
    app.ask(
        "pin-conversation",
        "alice",
        json!({ "conversationID": groups::conversation(), "isPinned": true }),
    )
    .await;
    assert_eq!(list(&app, "alice").await, [group(1), newer]);
}

/// More than are looked up at once, and a page of conversations behind them.
#[tokio::test]
async fn all_groups_come_with_the_beginning_of_a_list_and_never_again() {
    let app = TestApp::without_limits().await;
    let group = |number: usize| format!("group{number:03}");
    for number in 0..105 {
        let body =
            json!({ "GroupId": group(number), "Type": "Public", "Name": "g", "Owner_Account": "alice" });
        done(&app, "group_open_http_svc/create_group", body).await;
        let content = json!([{ "MsgType": "TIMTextElem", "MsgContent": { "Text": "x" } }]);
        let said = json!({ "GroupId": group(number), "Random": 1, "MsgBody": content });
        done(&app, "group_open_http_svc/send_group_msg", said).await;
    }
    for number in 0..101 {
        app.advance(Duration::from_secs(1));
        app.send("alice", &format!("user{number:03}"), "1", 0).await;
    }
    let first = done(&app, LIST, json!({ "From_Account": "alice" })).await;
    let items = first["SessionItem"].as_array().unwrap();
    let groups: BTreeSet<_> = items.iter().filter_map(|item| item["GroupId"].as_str()).collect();
    assert_eq!(groups, (0..105).map(group).collect::<Vec<_>>().iter().map(String::as_str).collect());
    assert_eq!(items.iter().filter(|item| item["Type"] == 1).count(), 100);
    assert_eq!(first["CompleteFlag"], 0);
    let next = json!({ "From_Account": "alice", "TimeStamp": first["TimeStamp"], "StartIndex": first["StartIndex"] });
    let next = done(&app, LIST, next).await;
    assert_eq!(
        (&next["CompleteFlag"], &next["SessionItem"][0]["To_Account"]),
        (&json!(1), &json!("user000"))
    );
    assert_eq!(next["SessionItem"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_group_goes_from_the_list_with_or_without_its_history() {
    let app = TestApp::without_limits().await;
    group_of(&app, "Public", &["bob"]).await;
    let delete = |user: &str, group: &str, clears: u8| json!({ "From_Account": user, "Type": 2, "ToGroupid": group, "ClearRamble": clears });
    for (clears, left) in [(0, 2), (1, 0)] {
        say(&app, "bob", &format!("m{clears}"), 0).await;
        assert_eq!(list(&app, "alice").await.len(), 1, "its next message brings it back");
        for _ in 0..2 {
            done(&app, DELETE, delete("alice", GROUP, clears)).await;
            assert!(list(&app, "alice").await.is_empty());
        }
        assert_eq!(groups::history(&app, "alice").await.len(), left);
    }
    assert_eq!(list(&app, "bob").await.len(), 1, "others keep it");
    assert_eq!(refused(&app, DELETE, delete("carol", GROUP, 1)).await, 10007);
    assert_eq!(refused(&app, DELETE, delete("alice", "nothing", 1)).await, 10010);
}

#[tokio::test]
async fn who_has_no_account_can_be_written_to_if_the_operator_lets_them() {
    let app = TestApp::with(Settings { unknown_users: UnknownUsers::Refuse, ..Settings::default() }).await;
    assert_eq!(app.invoke("send-message", "alice", text_message("bob", "1", 0)).await["code"], 20003);
    assert!(app.dump("Conversations").await.is_empty() && app.dump("Messages").await.is_empty());
    done(&app, "im_open_login_svc/account_import", json!({ "UserID": "bob" })).await;
    app.send("alice", "bob", "1", 0).await;
    // Who has been written to may answer, account or not: the conversation is there.
    app.send("bob", "alice", "2", 1).await;
    app.calls();
    app.send("alice", "bob", "3", 2).await;
    let looked_up = app.calls().into_iter().filter(|call| call.operation == "GetItem").count();
    assert_eq!(looked_up, 2, "who is connected, and nothing else: a later message pays nothing for it");
}
