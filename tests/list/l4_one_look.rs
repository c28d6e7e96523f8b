//! L4: one look is enough. Who connects while a message is being written gets it by the list or by a push.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::Request};
use hongyan_functions::clock::Clock;
use serde_json::{Value, json};

use crate::harness::{
    TestApp, body, event,
    fault_proxy::Fault,
    random_numbers,
    replica::Lag,
    sandbox::{Sandbox, Setup},
    set_user, text_message,
};

/// Which connections have been pushed to.
type Pushed = Arc<Mutex<Vec<String>>>;

/// Takes every push.
async fn management(pushed: Pushed) -> String {
    let answer = move |request: Request| {
        pushed.lock().unwrap().push(request.uri().path().to_owned());
        std::future::ready("")
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    url
}

/// An event of a connection of alice's.
fn of_alice(app: &TestApp, name: &str, id: &str, data: &Value) -> lambda_http::Request {
    let mut event = event(name);
    set_user(&mut event, "alice");
    event["requestContext"]["connectionId"] = json!(id);
    event["requestContext"]["connectedAt"] = json!(app.clock.now());
    event["body"] = json!(json!({ "action": "login", "requestID": "1", "data": data }).to_string());
    lambda_http::request::from_str(&event.to_string()).unwrap()
}

/// Where the function that sends stands still while alice connects.
#[derive(Clone, Copy, PartialEq)]
enum StandsStill {
    /// Before the message is written.
    BeforeTheWrite,
    /// When it is there, and before it is looked up who is connected.
    BeforeTheLook,
}

#[tokio::test]
async fn l4_of_a_thousand_who_connect_while_a_message_is_written_each_gets_it_once_for_all() {
    let app = TestApp::without_limits().await;
    let pushed = Pushed::default();
    let management = management(Arc::clone(&pushed)).await;
    // Functions have clocks of their own.
    let ahead = |ms: u64| {
        let clock = app.clock.clone();
        Sandbox::new(Setup {
            management: management.clone(),
            clock: Clock::new(move || clock.now() + ms),
            ..app.setup()
        })
    };
    let sandboxes = [ahead(0), ahead(5_000)];
    app.lag(Lag::SECOND).await;
    let mut random = random_numbers();
    let mut since = json!(null);
    let (mut by_list, mut by_push, mut base) = (0, 0, 0);
    for round in 0..1_000 {
        let id = format!("connection-{round}=");
        let (sends, connects) = (&sandboxes[random(2) as usize], &sandboxes[random(2) as usize]);
        let stands_still =
            if random(2) == 0 { StandsStill::BeforeTheWrite } else { StandsStill::BeforeTheLook };
        // How much of connecting is over when it goes on.
        let over = random(3);
        let is_late = random(2) == 0;
        let mut is_first = true;
        app.dynamodb.break_calls(move |operation, request| {
            let stands_there = match stands_still {
                StandsStill::BeforeTheWrite => operation == "PutItem",
                StandsStill::BeforeTheLook => operation == "GetItem" && request["Key"]["u"]["S"] == "alice",
            };
            if stands_there && std::mem::take(&mut is_first) { Fault::Hold } else { Fault::Stale }
        });
        let data = match round % 3 {
            0 => json!({ "count": 5 }),
            _ => json!({ "count": 5, "since": since }),
        };
        let connect = async || {
            let response = connects.respond("connect", of_alice(&app, "connect", &id, &data)).await;
            assert_eq!(response.status(), 200);
        };
        let login = async || {
            let reply = body(connects.respond("login", of_alice(&app, "login", &id, &data)).await);
            assert_eq!(reply["code"], 0, "{reply}");
            reply["data"].clone()
        };
        let connecting = async {
            app.dynamodb.held().await;
            // The write takes a second and a half, before they connect or behind it. The look takes no time, so what is
            // written is not a second old.
            let takes = if stands_still == StandsStill::BeforeTheWrite { 1_500 } else { 0 };
            if is_late {
                app.advance(Duration::from_millis(takes));
            }
            if over > 0 {
                connect().await;
            }
            let mut reply = if over > 1 { Some(login().await) } else { None };
            if !is_late {
                app.advance(Duration::from_millis(takes));
            }
            app.dynamodb.release();
            if over == 0 {
                connect().await;
            }
            if over < 2 {
                reply = Some(login().await);
            }
            reply.unwrap()
        };
        let mut send = event("send-message");
        set_user(&mut send, "bob");
        let message = text_message("alice", &round.to_string(), base);
        send["body"] =
            json!(json!({ "action": "sendMessage", "requestID": "1", "data": message }).to_string());
        let send = lambda_http::request::from_str(&send.to_string()).unwrap();
        let (sent, reply) = tokio::join!(sends.respond("send-message", send), connecting);
        let sent = body(sent);
        assert_eq!(sent["code"], 0, "{sent}");
        base = sent["data"]["message"]["sequence"].as_u64().unwrap();

        since = reply["serverTime"].clone();
        let list = reply["conversationPage"]["conversationList"].as_array().unwrap();
        let is_listed = list.iter().any(|found| found["lastSequence"] == base);
        let is_pushed =
            pushed.lock().unwrap().drain(..).any(|path| path.contains(&format!("connection-{round}")));
        assert!(is_listed || is_pushed, "round {round}: message {base} is missed");
        by_list += u32::from(is_listed);
        by_push += u32::from(is_pushed);
        // Sometimes a session ends, or the conversation is out of the list, or there is quiet.
        match random(12) {
            0 => app.advance(Duration::from_secs(4_000)),
            1 => {
                app.dynamodb.mend();
                app.ask("delete-conversation", "alice", json!({ "conversationID": "C2Cbob" })).await;
            }
            2 => app.advance(Duration::from_secs(61)),
            _ => app.advance(Duration::from_millis(random(900))),
        }
    }
    assert!(by_list > 200 && by_push > 200, "{by_list} {by_push}");
}
