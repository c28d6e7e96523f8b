//! The budgets of `docs/tables.md`, line by line, from capacity units that the engine reports.

use std::time::Duration;

use hongyan_functions::config::Settings;
use serde_json::{Value, json};

use crate::harness::{
    RULES, TestApp, body, event,
    fault_proxy::{Call, round_trips},
    text_message,
};

/// What an operation has cost.
#[derive(Debug, PartialEq)]
struct Cost {
    write_units: f64,
    read_units: f64,
    websocket_messages: usize,
    round_trips: usize,
}

fn cost(calls: &[Call], frames_of_the_caller: usize) -> Cost {
    let pushes = calls.iter().filter(|call| call.operation == "POST").count();
    Cost {
        write_units: calls.iter().map(|call| call.write_units).sum(),
        read_units: calls.iter().map(|call| call.read_units).sum(),
        websocket_messages: pushes + frames_of_the_caller,
        round_trips: round_trips(calls),
    }
}

fn budget(write_units: f64, read_units: f64, websocket_messages: usize, round_trips: usize) -> Cost {
    Cost { write_units, read_units, websocket_messages, round_trips }
}

/// A conversation of alice and bob that is well under way.
async fn under_way() -> TestApp {
    let app = TestApp::new().await;
    for base in 0..20 {
        let (from, to) = if base % 2 == 0 { ("alice", "bob") } else { ("bob", "alice") };
        app.send(from, to, &format!("{from}-1795400001-{base}"), base).await;
    }
    for (me, peer) in [("alice", "bob"), ("bob", "alice")] {
        app.invoke("set-message-read", me, json!({ "conversationID": format!("C2C{peer}"), "sequence": 10 }))
            .await;
    }
    app.calls();
    app
}

async fn cost_of(app: &TestApp, function: &str, data: Value) -> Cost {
    let reply = app.invoke(function, "alice", data).await;
    assert_eq!(reply["code"], 0, "{reply}");
    cost(&app.calls(), 2)
}

#[tokio::test]
async fn connect_costs_one_write_and_a_read() {
    let app = TestApp::new().await;
    let knock = async || {
        let handshake = serde_json::from_value(event("authorizer")).unwrap();
        let verdict = app.authorizer(RULES).handle(handshake, "").await.unwrap();
        assert_eq!(verdict["policyDocument"]["Statement"][0]["Effect"], "Allow");
    };
    knock().await;
    assert_eq!(app.respond("connect", &event("connect")).await.status(), 200);
    assert_eq!(cost(&app.calls(), 0), budget(1.0, 1.0, 0, 3));

    // Nobody is told of a second device, so nobody is looked for.
    let mut second = event("connect");
    second["requestContext"]["authorizer"]["platform"] = json!("Web");
    second["requestContext"]["connectionId"] = json!("second=");
    knock().await;
    app.respond("connect", &second).await;
    assert_eq!(cost(&app.calls(), 0), budget(1.0, 0.5, 0, 2));
}

#[tokio::test]
async fn disconnect_costs_one_write_and_half_a_read() {
    let app = TestApp::new().await;
    app.respond("connect", &event("connect")).await;
    app.calls();
    app.respond("disconnect", &event("disconnect")).await;
    assert_eq!(cost(&app.calls(), 0), budget(1.0, 0.5, 0, 2));
}

#[tokio::test]
async fn a_user_who_is_watched_costs_two_reads_and_a_frame_more() {
    let app = TestApp::new().await;
    app.acquaint("alice", "bob").await;
    let mut bob = app.connect("bob").await;
    bob.ask("subscribeUserStatus", json!({ "userIDList": ["alice"] })).await;
    app.calls();
    for name in ["connect", "disconnect"] {
        app.respond(name, &event(name)).await;
        // Who watches, who of them is blocked, and whether it is still so.
        assert_eq!(cost(&app.calls(), 0), budget(1.0, 2.5, 1, 5), "{name}");
    }
}

#[tokio::test]
async fn login_costs_one_read_and_the_first_in_30_days_enters_the_account_and_copies_the_names() {
    let app = TestApp::new().await;
    app.respond("connect", &event("connect")).await;
    app.calls();
    app.respond("login", &event("login")).await;
    assert_eq!(cost(&app.calls(), 2), budget(2.0, 1.5, 2, 3));
    for _ in 0..2 {
        app.respond("login", &event("login")).await;
        assert_eq!(cost(&app.calls(), 2), budget(0.0, 1.0, 2, 1));
        app.respond("disconnect", &event("disconnect")).await;
        app.respond("connect", &event("connect")).await;
        app.calls();
    }
}

/// What a login costs that asks for the list so.
async fn login(app: &TestApp, data: Value) -> (Cost, Value) {
    app.respond("connect", &event("connect")).await;
    app.calls();
    let mut event = event("login");
    event["body"] = json!(json!({ "action": "login", "requestID": "1", "data": data }).to_string());
    let reply = body(app.respond("login", &event).await);
    assert_eq!(reply["code"], 0, "{reply}");
    (cost(&app.calls(), 2), reply["data"].clone())
}

#[tokio::test]
async fn a_login_with_the_list_costs_a_read_each_and_one_with_nothing_new_two_reads() {
    let app = TestApp::new().await;
    for index in 0..8 {
        app.send(&format!("user-{index}"), "alice", "1", 0).await;
    }
    // The names are copied once in 30 days.
    login(&app, json!({})).await;
    let k = json!({ "count": 8 });
    // Half a one more for each in which something was said within the hour.
    assert_eq!(login(&app, k.clone()).await.0, budget(0.0, 2.5 + 8.0 * 1.5, 2, 5));
    app.advance(Duration::from_secs(2 * 60 * 60));
    let (spent, reply) = login(&app, k).await;
    assert_eq!(spent, budget(0.0, 2.5 + 8.0, 2, 4));
    app.advance(Duration::from_secs(60));
    let since = json!({ "count": 20, "since": reply["serverTime"] });
    assert_eq!(login(&app, since.clone()).await.0, budget(0.0, 2.0, 2, 2));
    for index in 0..5 {
        app.send(&format!("user-{index}"), "alice", "2", 1).await;
    }
    assert_eq!(login(&app, since).await.0, budget(0.0, 2.0 + 5.0, 2, 4));
}

#[tokio::test]
async fn k_ranges_cost_half_a_read_each() {
    let app = TestApp::new().await;
    for (k, round_trips) in [(1_u32, 1), (9, 1), (50, 8)] {
        for index in 0..k {
            let user = format!("user-{k}-{index}");
            for base in 0..4 {
                app.send(&user, "alice", &base.to_string(), base).await;
            }
        }
        let range = |index| json!({ "conversationID": format!("C2Cuser-{k}-{index}"), "fromSequence": 1, "toSequence": 4 });
        let ranges: Vec<Value> = (0..k).map(range).collect();
        app.calls();
        let spent = cost_of(&app, "get-message-list", json!({ "ranges": ranges })).await;
        assert_eq!((spent.write_units, spent.read_units), (0.0, f64::from(k) / 2.0));
        assert!(spent.round_trips <= round_trips, "{k}: {}", spent.round_trips);
    }
}

#[tokio::test]
async fn a_send_to_a_peer_who_is_online_costs_one_write() {
    let app = under_way().await;
    let mut bob = app.connect("bob").await;
    assert_eq!(
        cost_of(&app, "send-message", text_message("bob", "alice-1795400001-20", 20)).await,
        budget(1.0, 3.0, 3, 4)
    );
    assert_eq!(bob.push().await["data"][0]["sequence"], 21);
}

#[tokio::test]
async fn a_send_to_a_peer_who_is_offline_costs_one_write() {
    let app = under_way().await;
    assert_eq!(
        cost_of(&app, "send-message", text_message("bob", "alice-1795400001-20", 20)).await,
        budget(1.0, 3.0, 2, 3)
    );
}

#[tokio::test]
async fn a_message_for_who_is_online_writes_nothing() {
    let app = under_way().await;
    app.ask("add-to-blacklist", "bob", json!({ "userIDList": ["carol"] })).await;
    let _bob = app.connect("bob").await;
    app.calls();
    let mut hint = text_message("bob", "typing", 20);
    hint["onlineUserOnly"] = json!(true);
    assert_eq!(cost_of(&app, "send-message", hint).await, budget(0.0, 1.5, 3, 2));
}

#[tokio::test]
async fn what_a_sender_asks_for_makes_no_message_dearer() {
    let app = TestApp::new().await;
    let _bob = app.connect("bob").await;
    for base in 0..30 {
        let mut data = text_message("bob", &format!("alice-1795400001-{base}"), base);
        for (name, value) in [
            ("priority", json!("Lowest")),
            ("needReadReceipt", json!(true)),
            ("isSupportExtension", json!(true)),
            (
                "messageControlInfo",
                json!({ "excludedFromUnreadCount": true, "excludedFromLastMessage": true }),
            ),
        ] {
            data[name] = value;
        }
        app.calls();
        let spent = cost_of(&app, "send-message", data).await;
        assert!(base == 0 || spent == budget(1.0, 3.0, 3, 4), "{base}: {spent:?}");
    }
    let page = json!({ "conversationID": "C2Cbob", "count": 15 });
    assert_eq!(cost_of(&app, "get-message-list", page).await, budget(0.0, 0.5, 2, 1));
    // Nothing to show, and one query has said so; another one that nothing was imported.
    assert_eq!(cost_of(&app, "get-conversation-list", json!({})).await, budget(0.0, 2.0, 2, 3));
    app.send("bob", "alice", "31", 30).await;
    let mut data = text_message("bob", "32", 31);
    data["messageControlInfo"] = json!({ "excludedFromLastMessage": true });
    app.ask("send-message", "alice", data).await;
    app.calls();
    assert_eq!(cost_of(&app, "get-conversation-list", json!({})).await, budget(0.0, 2.0, 2, 3));
}

#[tokio::test]
async fn the_first_message_of_a_conversation_costs_five_writes_more() {
    let app = TestApp::new().await;
    let spent = cost_of(&app, "send-message", text_message("bob", "first", 0)).await;
    // One counts it, and each user gets a row, with a place in the index.
    assert_eq!(spent, budget(6.0, 3.0, 2, 5));
}

#[tokio::test]
async fn the_first_message_of_a_session_costs_six_writes_more() {
    let app = under_way().await;
    app.advance(Duration::from_secs(60 * 60));
    // For each user the row, its old place in the index, and its new one.
    let first = text_message("bob", "first", 20);
    assert_eq!(cost_of(&app, "send-message", first).await, budget(7.0, 3.0, 2, 4));
    for minutes in [0, 20, 39] {
        app.advance(Duration::from_secs(minutes * 60));
        let next = text_message("bob", &minutes.to_string(), 21);
        assert_eq!(cost_of(&app, "send-message", next).await, budget(1.0, 3.0, 2, 3));
    }
}

#[tokio::test]
async fn with_retention_what_stands_beside_messages_is_written_once_in_half_of_it() {
    let retention = 100 * 86_400;
    let settings = Settings { retention: Some(retention), ..Settings::default() };
    let app = TestApp::with(settings).await;
    let first = cost_of(&app, "send-message", text_message("bob", "0", 0)).await;
    // One more than without: the floor.
    assert_eq!((first.write_units, first.round_trips), (7.0, 6));
    for day in 1..=20 {
        app.advance(Duration::from_secs(10 * 86_400));
        let spent = cost_of(&app, "send-message", text_message("bob", &day.to_string(), day)).await;
        let more = if day % 6 == 0 { (3.0, 1) } else { (0.0, 0) };
        // It is the first of a session.
        assert_eq!((spent.write_units, spent.round_trips), (7.0 + more.0, 4 + more.1), "{day}");
    }
}

#[tokio::test]
async fn a_retry_writes_nothing_and_needs_one_round_trip() {
    let app = under_way().await;
    let retry = text_message("bob", "alice-1795400001-18", 18);
    let spent = cost_of(&app, "send-message", retry).await;
    // The budget is two read units. Connections are looked up only for a message that is new.
    assert_eq!(spent, budget(0.0, 1.0, 2, 1));
}

#[tokio::test]
async fn a_page_of_15_costs_half_a_read_and_after_a_reconnect_a_whole_one() {
    let app = under_way().await;
    let page = json!({ "conversationID": "C2Cbob", "count": 15 });
    assert_eq!(cost_of(&app, "get-message-list", page).await, budget(0.0, 0.5, 2, 1));
    let range = json!({ "conversationID": "C2Cbob", "fromSequence": 6, "toSequence": 20 });
    assert_eq!(cost_of(&app, "get-message-list", range).await, budget(0.0, 1.0, 2, 1));
}

#[tokio::test]
async fn marking_as_read_costs_one_write() {
    let app = under_way().await;
    let mut bob = app.connect("bob").await;
    let mut event = event("set-message-read");
    event["body"] = json!(r#"{"action":"setMessageRead","data":{"conversationID":"C2Cbob","sequence":20}}"#);
    assert_eq!(body(app.respond("set-message-read", &event).await), Value::Null);
    assert_eq!(cost(&app.calls(), 1), budget(1.0, 1.5, 2, 2));
    assert_eq!(bob.push().await["event"], "onMessageReadByPeer");
}

#[tokio::test]
async fn marking_what_is_read_already_writes_nothing() {
    let app = under_way().await;
    app.invoke("set-message-read", "alice", json!({ "conversationID": "C2Cbob", "sequence": 10 })).await;
    // The reply goes through @connections: it is among the calls.
    assert_eq!(cost(&app.calls(), 1), budget(0.0, 1.5, 2, 2));
}

#[tokio::test]
async fn a_list_of_k_conversations_costs_a_read_each_and_half_a_one() {
    for k in [1_u32, 10, 50] {
        let app = TestApp::new().await;
        for index in 0..k {
            app.send(&format!("user-{index}"), "alice", "alice-1795400001-7", 0).await;
        }
        app.calls();
        let reply = app.invoke("get-conversation-list", "alice", json!({})).await;
        assert_eq!(reply["data"]["conversationList"].as_array().unwrap().len(), k as usize);
        let calls = app.calls();
        let spent = cost(&calls, 2);
        assert_eq!((spent.write_units, spent.read_units), (0.0, 0.5 + f64::from(k)));
        let at_once = most_in_flight(&calls);
        assert!(at_once <= 32, "{at_once} queries in flight");
        match k {
            1 => assert_eq!(spent.round_trips, 2),
            10 => assert_eq!(spent.round_trips, 3),
            _ => assert!(spent.round_trips <= 20, "{}", spent.round_trips),
        }
    }
}

#[tokio::test]
async fn what_a_user_hides_makes_no_reading_dearer() {
    let app = under_way().await;
    app.ask("delete-conversation", "alice", json!({ "conversationID": "C2Cbob" })).await;
    app.ask("add-to-blacklist", "bob", json!({ "userIDList": ["carol", "alice"] })).await;
    app.ask("remove-from-blacklist", "bob", json!({ "userIDList": ["alice"] })).await;
    app.ask("add-to-blacklist", "alice", json!({ "userIDList": ["bob"] })).await;
    app.ask("remove-from-blacklist", "alice", json!({ "userIDList": ["bob"] })).await;
    for base in 20..40 {
        app.send("alice", "bob", &format!("alice-1795400001-{base}"), base).await;
    }
    app.calls();
    let page = json!({ "conversationID": "C2Cbob", "count": 15 });
    assert_eq!(cost_of(&app, "get-message-list", page).await, budget(0.0, 0.5, 2, 1));
    let next = json!({ "conversationID": "C2Cbob", "nextReqMessageID": "26.20" });
    assert_eq!(cost_of(&app, "get-message-list", next).await, budget(0.0, 0.5, 2, 1));
    assert_eq!(cost_of(&app, "get-conversation-list", json!({})).await, budget(0.0, 1.5, 2, 2));
    assert_eq!(
        cost_of(&app, "send-message", text_message("bob", "alice-1795400001-40", 40)).await,
        budget(1.0, 3.0, 2, 3)
    );
    // Only a deleted preview needs a second look.
    app.ask("delete-message", "alice", json!({ "conversationID": "C2Cbob", "messages": [41] })).await;
    app.calls();
    assert_eq!(cost_of(&app, "get-conversation-list", json!({})).await, budget(0.0, 2.0, 2, 3));
}

#[tokio::test]
async fn a_send_that_is_blocked_writes_nothing_and_needs_one_round_trip() {
    let app = under_way().await;
    app.ask("add-to-blacklist", "bob", json!({ "userIDList": ["alice"] })).await;
    app.calls();
    let reply = app.invoke("send-message", "alice", text_message("bob", "new", 20)).await;
    assert_eq!(reply["code"], 20007);
    assert_eq!(cost(&app.calls(), 2), budget(0.0, 1.0, 2, 1));
}

#[tokio::test]
async fn a_recall_costs_one_write() {
    let app = under_way().await;
    let _bob = app.connect("bob").await;
    app.calls();
    let recall = json!({ "conversationID": "C2Cbob", "sequence": 19 });
    assert_eq!(cost_of(&app, "revoke-message", recall).await, budget(1.0, 1.0, 3, 2));
}

#[tokio::test]
async fn deleting_messages_costs_one_write_each() {
    let app = under_way().await;
    let one = json!({ "conversationID": "C2Cbob", "messages": [1] });
    assert_eq!(cost_of(&app, "delete-message", one).await, budget(1.0, 0.5, 2, 1));
    let sequences: Vec<u32> = (1..=20).collect();
    app.ask("delete-message", "alice", json!({ "conversationID": "C2Cbob", "messages": sequences })).await;
    let calls = app.calls();
    let spent = cost(&calls, 2);
    assert_eq!((spent.write_units, spent.read_units), (20.0, 0.5));
    // One more call looks up the user's other devices.
    assert!(most_in_flight(&calls) <= 16 + 1);
    // As many at once as could be of the largest size with what is left.
    assert_eq!(spent.round_trips, 6);
}

#[tokio::test]
async fn deleting_a_conversation_costs_four_writes_however_long_it_is() {
    let app = under_way().await;
    app.advance(Duration::from_secs(1));
    let unlist = json!({ "conversationID": "C2Cbob", "clearHistoryMessage": false });
    assert_eq!(cost_of(&app, "delete-conversation", unlist).await, budget(4.0, 1.5, 2, 3));
    app.advance(Duration::from_secs(1));
    let delete = json!({ "conversationID": "C2Cbob" });
    assert_eq!(cost_of(&app, "delete-conversation", delete).await, budget(4.0, 1.5, 2, 3));
    // The list lets go of it once, and then it costs nothing any more.
    app.advance(Duration::from_secs(60));
    assert_eq!(cost_of(&app, "get-conversation-list", json!({})).await, budget(2.0, 1.5, 2, 3));
    assert_eq!(cost_of(&app, "get-conversation-list", json!({})).await, budget(0.0, 0.5, 2, 1));
}

#[tokio::test]
async fn pinning_costs_three_writes() {
    let app = under_way().await;
    let pin = |is_pinned| json!({ "conversationID": "C2Cbob", "isPinned": is_pinned });
    // First it is looked at how many there are.
    assert_eq!(cost_of(&app, "pin-conversation", pin(true)).await, budget(3.0, 1.0, 2, 2));
    assert_eq!(cost_of(&app, "pin-conversation", pin(false)).await, budget(3.0, 0.5, 2, 1));
}

#[tokio::test]
async fn k_profiles_cost_half_a_read_each() {
    let app = TestApp::new().await;
    for k in [1_u32, 10, 100] {
        let users: Vec<String> = (0..k).map(|index| format!("user-{index}")).collect();
        app.ask("update-my-profile", &format!("user-{}", k - 1), json!({ "nick": "鸿雁" })).await;
        app.calls();
        let spent = cost_of(&app, "get-user-profile", json!({ "userIDList": users })).await;
        assert_eq!(spent, budget(0.0, f64::from(k) / 2.0, 2, if k <= 32 { 1 } else { 6 }));
    }
}

#[tokio::test]
async fn changing_a_profile_costs_one_write_and_custom_fields_nothing_more() {
    let app = TestApp::new().await;
    let gender = json!({ "gender": "Gender_Type_Female" });
    assert_eq!(cost_of(&app, "update-my-profile", gender).await, budget(1.0, 0.5, 2, 1));
    // What pushes carry is copied to where a send reads it.
    let nick = json!({ "nick": "鸿雁" });
    assert_eq!(cost_of(&app, "update-my-profile", nick).await, budget(2.0, 0.5, 2, 2));
    let custom = json!({ "profileCustomField": [{ "key": "Tag_Profile_Custom_a", "value": "x" }] });
    assert_eq!(cost_of(&app, "update-my-profile", custom.clone()).await, budget(1.0, 0.5, 2, 1));
    // Only where not all of them would have room the write asks which there are.
    let fields = |from: u32, to: u32| -> Vec<Value> {
        (from..to)
            .map(|number| json!({ "key": format!("Tag_Profile_Custom_{number}"), "value": "" }))
            .collect()
    };
    app.ask("update-my-profile", "alice", json!({ "profileCustomField": fields(0, 19) })).await;
    app.calls();
    let spent = cost_of(&app, "update-my-profile", custom).await;
    assert_eq!((spent.read_units, spent.round_trips), (0.5, 2));
}

#[tokio::test]
async fn blacklisting_costs_four_writes_each_and_two_for_the_version() {
    let app = under_way().await;
    for verb in ["add-to-blacklist", "remove-from-blacklist"] {
        let one = json!({ "userIDList": ["bob"] });
        assert_eq!(cost_of(&app, verb, one.clone()).await, budget(6.0, 1.5, 2, 2));
        // What is so already is not written.
        assert_eq!(cost_of(&app, verb, one).await, budget(0.0, 1.5, 2, 1));
        let users: Vec<String> = (0..15).map(|index| format!("user-{index}")).collect();
        let most = cost_of(&app, verb, json!({ "userIDList": users })).await;
        assert_eq!(most, budget(62.0, 1.5, 2, 2));
    }
    assert_eq!(cost_of(&app, "get-blacklist", json!({})).await, budget(0.0, 1.0, 2, 1));
}

#[tokio::test]
async fn the_status_of_k_users_costs_one_and_a_half_reads_each() {
    for k in [1_u32, 32, 40] {
        let app = TestApp::new().await;
        let users = acquaintances(&app, k).await;
        let spent = cost_of(&app, "get-user-status", json!({ "userIDList": users })).await;
        assert_eq!(spent, budget(0.0, f64::from(k) * 1.5, 2, 2));
    }
    // Of those whom it is not for nothing is looked up.
    let app = TestApp::new().await;
    let strangers = json!({ "userIDList": ["bob", "carol"] });
    assert_eq!(cost_of(&app, "get-user-status", strangers).await, budget(0.0, 2.0, 2, 1));
}

/// Users with whom alice has conversations.
async fn acquaintances(app: &TestApp, k: u32) -> Vec<String> {
    let users: Vec<String> = (0..k).map(|index| format!("user-{index}")).collect();
    for user in &users {
        app.acquaint("alice", user).await;
    }
    app.calls();
    users
}

#[tokio::test]
async fn watching_k_users_costs_a_write_and_two_reads_each_and_no_longer_watching_a_write() {
    for k in [1_u32, 16, 30] {
        let app = TestApp::new().await;
        let users = json!({ "userIDList": acquaintances(&app, k).await });
        app.ask("subscribe-user-status", "alice", users.clone()).await;
        let calls = app.calls();
        let spent = cost(&calls, 2);
        assert_eq!((spent.write_units, spent.read_units), (f64::from(k), f64::from(k) * 2.0));
        assert!(most_in_flight(&calls) <= 16);
        if k <= 16 {
            assert_eq!((spent.websocket_messages, spent.round_trips), (3, 4));
        }
        app.ask("unsubscribe-user-status", "alice", users).await;
        let spent = cost(&app.calls(), 2);
        assert_eq!((spent.write_units, spent.read_units), (f64::from(k), 0.0));
    }
}

#[tokio::test]
async fn a_form_costs_nothing_but_frames_and_a_large_one_a_write() {
    let app = TestApp::new().await;
    let picture = json!({ "kind": "image", "type": "jpg", "size": 1_000_000, "previews": [100_000, 20_000] });
    assert_eq!(cost_of(&app, "get-upload-form", picture).await, budget(0.0, 0.0, 2, 0));
    for bytes in [500 * 1_048_576 / 64, 100 * 1_048_576] {
        let video = json!({ "kind": "video", "type": "mp4", "size": bytes });
        assert_eq!(cost_of(&app, "get-upload-form", video).await, budget(1.0, 0.0, 2, 1));
    }
}

fn most_in_flight(calls: &[Call]) -> usize {
    let at = |moment: &Call| {
        calls.iter().filter(|call| call.started <= moment.started && moment.started < call.ended).count()
    };
    calls.iter().map(at).max().unwrap_or(0)
}

#[test]
fn ping_reaches_no_function() {
    let template = crate::harness::template::template();
    assert_eq!(template["Resources"]["PingIntegration"]["Properties"]["IntegrationType"], "MOCK");
    assert!(
        template["Resources"]["PingRoute"]["Properties"].get("RouteResponseSelectionExpression").is_none()
    );
}
