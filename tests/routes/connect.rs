use std::time::Duration;

use hongyan_functions::config::Settings;
use hongyan_shared::model::MultiDevice;
use serde_json::{Value, json};

use crate::harness::{START_MS, TestApp, body, event, set_user, socket::Socket};

#[tokio::test]
async fn a_connection_takes_its_slot() {
    let app = TestApp::new().await;
    assert_eq!(app.respond("connect", &event("connect")).await.status(), 200);

    let connected_at = event("connect")["requestContext"]["connectedAt"].as_u64().unwrap();
    assert_eq!(
        app.dump("Connections").await,
        [json!({
            "u": { "S": "alice" }, "s": { "S": "C" },
            "@MiniProgram": { "M": {
                "c": { "S": "L0SM9cOFvHcCIhw=" }, "t": { "N": connected_at.to_string() },
                "y": { "S": "MiniProgram" }, "i": { "S": "phone-1" },
                "g": { "N": "1795400000" }, "e": { "N": "3372200000" },
            } },
            "x": { "N": (connected_at / 1000 + 30 * 24 * 3600).to_string() },
        })]
    );
}

#[tokio::test]
async fn without_an_identity_there_is_no_connection() {
    let app = TestApp::new().await;
    let mut event = event("connect");
    event["requestContext"].as_object_mut().unwrap().remove("authorizer");
    assert_eq!(app.respond("connect", &event).await.status(), 401);
    assert!(app.dump("Connections").await.is_empty());
}

#[tokio::test]
async fn a_handshake_that_a_later_one_has_overtaken_does_not_kick_it_out() {
    let app = TestApp::new().await;
    let mut late = event("connect");
    late["requestContext"]["connectionId"] = json!("late=");
    late["requestContext"]["connectedAt"] = json!(START_MS + 1);
    assert_eq!(app.respond("connect", &late).await.status(), 200);

    assert_eq!(app.respond("connect", &event("connect")).await.status(), 403);
    assert_eq!(app.slots().await[0].2["c"], json!({ "S": "late=" }));
}

#[tokio::test]
async fn a_frame_without_an_identity_is_answered() {
    let app = TestApp::new().await;
    let mut event = event("login");
    event["requestContext"].as_object_mut().unwrap().remove("authorizer");
    assert_eq!(body(app.respond("login", &event).await)["code"], 60004);
}

#[tokio::test]
async fn login_says_what_a_client_needs_to_start() {
    let app = TestApp::new().await;
    app.respond("connect", &event("connect")).await;
    let reply = body(app.respond("login", &event("login")).await);
    assert_eq!(reply["code"], 0);
    assert_eq!(
        reply["data"],
        json!({
            "userID": "alice", "platform": "MiniProgram", "serverTime": START_MS / 1000,
            "userSigExpireTime": 3_372_200_000_u64, "connectedTime": 1_795_400_000, "connectionSeconds": 7200,
            "heartbeatSeconds": 240, "pageSize": 15, "maxMessageBytes": 12288, "recallSeconds": 120,
            "version": env!("CARGO_PKG_VERSION"),
        })
    );
}

#[tokio::test]
async fn login_mends_a_row_that_was_lost() {
    let app = TestApp::new().await;
    app.respond("login", &event("login")).await;
    assert_eq!(app.slots().await.len(), 1);
}

async fn kicked(policy: MultiDevice, first: (&str, &str), second: (&str, &str)) -> Option<Value> {
    let app = TestApp::with(Settings { multi_device: policy, ..Settings::default() }).await;
    let url = |(platform, instance)| app.url("alice", platform, Some(instance));
    let mut old = Socket::connect(&url(first)).await.unwrap();
    old.ask("login", json!({})).await;
    let mut new = Socket::connect(&url(second)).await.unwrap();
    new.ask("login", json!({})).await;
    let survivors = app.slots().await.len();

    // Who was kicked finds a push, then the end; who was not can still talk.
    if survivors == 2 {
        old.ask("login", json!({})).await;
        return None;
    }
    assert_eq!(survivors, 1);
    if first.1 == second.1 {
        assert_eq!(
            u16::from(old.closed().await.unwrap().code),
            1000,
            "a client that comes back is told nothing"
        );
        return Some(Value::Null);
    }
    let push = old.push().await;
    assert_eq!(push["event"], "kickedOut");
    assert_eq!(u16::from(old.closed().await.unwrap().code), 1000);
    Some(push["data"]["type"].clone())
}

#[tokio::test]
async fn the_policy_decides_who_is_kicked_out() {
    use MultiDevice::{Many, One, OnePerPlatform};
    let (phone, tablet, web) = (("iOS", "a"), ("iOS", "b"), ("Web", "c"));

    assert_eq!(kicked(One, phone, web).await, Some(json!("multipleDevice")));
    assert_eq!(kicked(One, phone, tablet).await, Some(json!("multipleAccount")));
    assert_eq!(kicked(OnePerPlatform, phone, web).await, None);
    assert_eq!(kicked(OnePerPlatform, phone, tablet).await, Some(json!("multipleAccount")));
    assert_eq!(kicked(Many, phone, tablet).await, None);
    assert_eq!(kicked(Many, phone, phone).await, Some(Value::Null));
}

#[tokio::test]
async fn a_connection_whose_slot_was_taken_while_it_opened_is_told_at_login() {
    let app = TestApp::new().await;
    let mut early = app.connect("alice").await;
    // The other handshake wrote its row while the first one was still open, and the kick found
    // nobody there yet.
    let mut late = event("connect");
    set_user(&mut late, "alice");
    late["requestContext"]["connectedAt"] = json!(START_MS + 1);
    late["requestContext"]["authorizer"]["platform"] = json!("Web");
    app.management.break_calls(|_, _| crate::harness::fault_proxy::Fault::Refuse(410, "GoneException"));
    assert_eq!(app.respond("connect", &late).await.status(), 200);

    let reply = early.request("login", json!({})).await;
    assert_eq!(reply["code"], 3003);
    assert_eq!(u16::from(early.closed().await.unwrap().code), 1000);
}

#[tokio::test]
async fn an_expired_signature_gets_in_is_told_so_on_every_route_and_is_shown_out() {
    let app = TestApp::new().await;
    let url = app.url("alice", "Web", None);
    app.connect("bob").await.ask("login", json!({})).await;
    let before = app.slots().await;
    app.advance(Duration::from_secs(8 * 24 * 60 * 60));

    for action in
        ["login", "sendMessage", "getMessageList", "setMessageRead", "getConversationList", "logout", "x"]
    {
        let mut socket = Socket::connect(&url).await.unwrap();
        let data = json!({
            "to": "bob", "conversationType": "C2C", "clientID": "1", "type": "TIMTextElem",
            "payload": { "text": "x" }, "conversationID": "C2Cbob",
        });
        let reply = socket.request(action, data).await;
        assert_eq!(reply["code"], 70001, "{action}: {reply}");
        assert_eq!(u16::from(socket.closed().await.unwrap().code), 1000);
    }
    let slots = app.slots().await;
    assert!(slots.iter().all(|slot| before.contains(slot)), "who cannot stay takes no slot");
    assert!(app.dump("Messages").await.is_empty());
}

/// Connects a device of alice's, as the event has it.
async fn connect(app: &TestApp, platform: &str, instance: Option<&str>, id: &str, at: u64) -> u16 {
    let mut event = event("connect");
    let context = &mut event["requestContext"];
    context["connectionId"] = json!(id);
    context["connectedAt"] = json!(at);
    context["authorizer"]["platform"] = json!(platform);
    match instance {
        Some(instance) => context["authorizer"]["instance"] = json!(instance),
        None => drop(context["authorizer"].as_object_mut().unwrap().remove("instance")),
    }
    app.respond("connect", &event).await.status().as_u16()
}

async fn connection_ids(app: &TestApp) -> Vec<String> {
    let slots = app.slots().await.into_iter();
    let mut ids: Vec<String> = slots.map(|(.., slot)| slot["c"]["S"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn platforms_that_are_not_known_share_one_slot() {
    let app = TestApp::without_limits().await;
    for index in 0..300 {
        let (platform, id) = (format!("Platform{index}"), format!("{index}="));
        assert_eq!(connect(&app, &platform, None, &id, START_MS + index).await, 200);
    }
    assert_eq!(connection_ids(&app).await, ["299="]);
}

#[tokio::test]
async fn a_user_has_sixteen_connections_and_the_oldest_makes_room() {
    let app = TestApp::with(Settings { multi_device: MultiDevice::Many, ..Settings::default() }).await;
    let mut oldest = Socket::connect(&app.url("alice", "Web", None)).await.unwrap();
    oldest.ask("login", json!({})).await;
    for index in 1..16 {
        connect(&app, "iOS", None, &format!("{index:02}="), START_MS + index).await;
    }
    assert_eq!(app.slots().await.len(), 16);
    assert!(oldest.is_quiet().await);

    connect(&app, "iOS", None, "16=", START_MS + 16).await;
    assert_eq!(oldest.push().await["event"], "kickedOut");
    assert_eq!(u16::from(oldest.closed().await.unwrap().code), 1000);
    let newest: Vec<String> = (1..=16).map(|index| format!("{index:02}=")).collect();
    assert_eq!(connection_ids(&app).await, newest);

    // Those that nobody has taken away make room first, and nobody is kicked out for it.
    app.advance(Duration::from_secs(3 * 3600));
    app.calls();
    connect(&app, "iOS", None, "17=", app.clock.now()).await;
    assert_eq!(connection_ids(&app).await.len(), 16);
    assert!(app.calls().iter().all(|call| call.operation != "DELETE" && call.operation != "POST"));
}

#[tokio::test]
async fn a_connection_is_pushed_to_until_api_gateway_has_cut_it_for_certain() {
    const TWO_HOURS: u64 = 2 * 60 * 60;

    for (seconds, pushes) in [(TWO_HOURS + 299, 1), (TWO_HOURS + 300, 0)] {
        let app = TestApp::new().await;
        assert_eq!(connect(&app, "iOS", None, "1=", START_MS).await, 200);
        app.advance(Duration::from_secs(seconds));
        app.calls();
        app.send("bob", "alice", "1", 0).await;
        let posts = app.calls().into_iter().filter(|call| call.operation == "POST");
        assert_eq!(posts.count(), pushes, "{seconds} s later");
    }
}

#[tokio::test]
async fn an_item_that_is_as_large_as_it_gets_is_read_with_half_a_unit() {
    let app = TestApp::with(Settings { multi_device: MultiDevice::Many, ..Settings::default() }).await;
    for index in 0..16 {
        let instance = format!("{index:0>32}");
        connect(&app, "MiniProgram", Some(&instance), "L0SM9cOFvHcCIhw=", START_MS + index).await;
    }
    let long = "x".repeat(500);
    let avatar = format!("https://{}", "x".repeat(492));
    app.ask("update-my-profile", "alice", json!({ "nick": long, "avatar": avatar })).await;
    app.calls();
    app.ask("get-user-status", "alice", json!({ "userIDList": ["alice"] })).await;
    assert_eq!(app.calls().iter().map(|call| call.read_units).sum::<f64>(), 0.5);
    assert_eq!(app.slots().await.len(), 16);
}
