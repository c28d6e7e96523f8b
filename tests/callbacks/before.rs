//! Before a message is sent, the business server is asked.

use std::time::{Duration, Instant};

use hongyan_functions::config::{CallbackFailure, CallbackPlace};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::send;
use crate::harness::{
    START_MS, TestApp,
    business_server::{BusinessServer, Reaction, place},
    text_message,
};

/// An app, and a business server that lets everything pass.
async fn start() -> (TestApp, BusinessServer) {
    let server = BusinessServer::start().await;
    (TestApp::with_asked(server.place()).await, server)
}

/// What bob has of the conversation: its messages, and how many are unread.
async fn of_bob(app: &TestApp) -> (Vec<Value>, Value) {
    let unread =
        app.conversation("bob", "alice").await.map_or(json!(0), |shown| shown["unreadCount"].clone());
    (app.history("bob", "alice").await, unread)
}

#[tokio::test]
async fn it_is_asked_once_about_each_message_and_told_who_asks() {
    let (app, server) = start().await;
    let mut data = text_message("bob", "1-2-77", 0);
    data["cloudCustomData"] = json!("custom");
    app.ask("send-message", "alice", data.clone()).await;
    let [asked] = &server.take()[..] else { panic!() };
    // The SHA-256 of xxxxyyyy1795400001.
    let sign = "6f4e3cade08e0db663484a3f03c21673d68fc1760c80fb0e354fba780ae3531e";
    assert_eq!(
        asked.query,
        format!(
            "SdkAppid=1400000000&CallbackCommand=C2C.CallbackBeforeSendMsg&contenttype=json&ClientIP=\
             &OptPlatform=MiniProgram&Sign={sign}&RequestTime=1795400001"
        )
    );
    assert_eq!(
        asked.body,
        json!({
            "CallbackCommand": "C2C.CallbackBeforeSendMsg", "From_Account": "alice", "To_Account": "bob",
            "MsgSeq": 1, "MsgRandom": 77, "MsgTime": START_MS / 1000, "MsgKey": "1_77_1795400001",
            "OnlineOnlyFlag": 0, "CloudCustomData": "custom",
            "MsgBody": [{ "MsgType": "TIMTextElem", "MsgContent": { "Text": data["payload"]["text"] } }],
        })
    );

    // A duplicate was asked about when it was none.
    app.ask("send-message", "alice", data).await;
    // Who blocks is none of its business.
    app.ask("add-to-blacklist", "bob", json!({ "userIDList": ["alice"] })).await;
    assert_eq!(send(&app, "2", 1, "x").await["code"], 20007);
    assert!(server.take().is_empty());
}

#[tokio::test]
async fn what_it_refuses_is_not_written_and_its_own_codes_are_handed_on() {
    let (app, server) = start().await;
    server.always(Reaction::code(1));
    let reply = send(&app, "1", 0, "x").await;
    assert_eq!((&reply["code"], &reply["data"]), (&json!(20006), &json!({})));
    for code in [120_001, 130_000] {
        server.always(Reaction::Answer(json!({ "ErrorCode": code.to_string(), "ErrorInfo": "no swearing" })));
        let reply = send(&app, "1", 0, "x").await;
        assert_eq!((&reply["code"], &reply["message"]), (&json!(code), &json!("no swearing")));
    }
    assert!(app.dump("Messages").await.is_empty() && app.dump("Conversations").await.is_empty());
    // It may change its mind about the same message.
    server.always(Reaction::ok());
    assert_eq!(send(&app, "1", 0, "x").await["data"]["message"]["sequence"], 1);
}

#[tokio::test]
async fn what_it_rewrites_is_acknowledged_pushed_and_kept_and_a_retry_finds_it() {
    let (app, server) = start().await;
    let mut bob = app.connect("bob").await;
    server.take();
    server.always(Reaction::Answer(json!({
        "ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0, "CloudCustomData": "checked",
        "MsgBody": [{ "MsgType": "TIMCustomElem", "MsgContent": { "Data": "***", "Desc": "", "Ext": "", "Sound": "" } }],
    })));
    let acknowledged = send(&app, "1", 0, "damn").await["data"]["message"].clone();
    let said = |message: &Value| {
        let fields = ["type", "cloudCustomData", "isModified", "sequence", "clientID"];
        (message["payload"]["data"].clone(), fields.map(|field| message[field].clone()))
    };
    let expected =
        (json!("***"), [json!("TIMCustomElem"), json!("checked"), json!(true), json!(1), json!("1")]);
    assert_eq!(said(&acknowledged), expected);
    assert_eq!(said(&bob.frame().await["data"][0]), expected);
    for (me, peer) in [("alice", "bob"), ("bob", "alice")] {
        let history = app.history(me, peer).await;
        assert_eq!((history.len(), said(&history[0])), (1, expected.clone()));
    }
    assert_eq!(server.take().len(), 1);
    // The same message is the same message, whatever has become of it, and another one of its name is none.
    assert_eq!(send(&app, "1", 0, "damn").await["data"]["message"], acknowledged);
    assert!(server.take().is_empty());

    // What it answers without a change is none.
    server.react(|called| {
        let body = called.body["MsgBody"].clone();
        Reaction::Answer(json!({ "ErrorCode": 0, "MsgBody": body, "CloudCustomData": "" }))
    });
    let untouched = send(&app, "2", 1, "x").await["data"]["message"].clone();
    assert_eq!((&untouched["payload"], untouched.get("isModified")), (&json!({ "text": "x" }), None));
}

#[tokio::test]
async fn what_it_cannot_be_rewritten_to_is_not_sent_as_it_was() {
    let (app, server) = start().await;
    let text = |text: Value| json!({ "MsgType": "TIMTextElem", "MsgContent": { "Text": text } });
    for body in [
        json!([text(json!(""))]),
        json!([text(json!("x".repeat(12_289)))]),
        json!([text(json!("a\0b"))]),
        json!([text(json!("a")), text(json!("b"))]),
        json!([{ "MsgType": "TIMGroupTipElem", "MsgContent": {} }]),
    ] {
        server.always(Reaction::Answer(json!({ "ErrorCode": 0, "MsgBody": body })));
        assert_eq!(send(&app, "1", 0, "x").await["code"], 80003, "{body}");
    }
    assert!(app.dump("Messages").await.is_empty());
}

#[tokio::test]
async fn what_it_withholds_is_sent_to_its_sender_and_is_nowhere_for_the_other_user() {
    let (app, server) = start().await;
    assert_eq!(app.send("alice", "bob", "1", 0).await, 1);
    let mut bob = app.connect("bob").await;
    let mut other = app.connect("alice").await;
    server.always(Reaction::code(2));
    let acknowledged = send(&app, "2", 1, "psst").await["data"]["message"].clone();
    assert_eq!(acknowledged["sequence"], 2);
    let [given, plain] = [&acknowledged, &app.history("alice", "bob").await[0]]
        .map(|message| message.as_object().unwrap().keys().cloned().collect::<Vec<_>>());
    assert_eq!(given, plain, "it looks like any other one");
    assert_eq!(other.frame().await["data"][0]["payload"]["text"], "psst");
    assert_eq!(app.history("alice", "bob").await.len(), 2);
    let (history, unread) = of_bob(&app).await;
    assert_eq!((history.len(), unread), (1, json!(1)));
    let shown = app.conversation("bob", "alice").await.unwrap();
    assert_eq!(shown["lastMessage"]["sequence"], 1);

    // Its recall is no news to bob either.
    let data = json!({ "conversationID": "C2Cbob", "sequence": 2 });
    app.ask("revoke-message", "alice", data).await;
    assert_eq!(other.frame().await["event"], "onMessageRevoked");
    server.always(Reaction::ok());
    assert_eq!(send(&app, "3", 2, "hello").await["data"]["message"]["sequence"], 3);
    let next = bob.frame().await;
    assert_eq!((&next["event"], &next["data"][0]["sequence"]), (&json!("onMessageReceived"), &json!(3)));
    let (history, unread) = of_bob(&app).await;
    assert_eq!((history.len(), unread), (2, json!(2)));
    // So it is for messages that are for those who are online.
    server.always(Reaction::code(2));
    let mut data = text_message("bob", "4", 3);
    data["onlineUserOnly"] = json!(true);
    app.ask("send-message", "alice", data).await;
    server.always(Reaction::ok());
    send(&app, "5", 3, "x").await;
    assert_eq!(bob.frame().await["data"][0]["sequence"], 4);
}

#[tokio::test]
async fn what_is_for_those_who_are_online_is_asked_about_as_well() {
    let (app, server) = start().await;
    let mut data = text_message("bob", "1", 0);
    data["onlineUserOnly"] = json!(true);
    server.always(Reaction::code(1));
    assert_eq!(app.invoke("send-message", "alice", data.clone()).await["code"], 20006);
    server.always(Reaction::Answer(json!({ "ErrorCode": 0, "CloudCustomData": "checked" })));
    let message = app.ask("send-message", "alice", data).await["message"].clone();
    assert_eq!((&message["cloudCustomData"], &message["isModified"]), (&json!("checked"), &json!(true)));
    let flags: Vec<Value> =
        server.take().iter().map(|called| called.body["OnlineOnlyFlag"].clone()).collect();
    assert_eq!(flags, [json!(1), json!(1)]);
}

/// An app that sends, or refuses, what the business server cannot be asked about.
async fn with_failure(server: &BusinessServer, failure: CallbackFailure) -> TestApp {
    TestApp::with_asked(CallbackPlace { failure, ..server.place() }).await
}

#[tokio::test]
async fn what_it_cannot_be_asked_about_is_sent_or_refused_as_the_operator_has_decided() {
    let server = BusinessServer::start().await;
    let elsewhere = BusinessServer::start().await;
    let (sends, refuses) = tokio::join!(
        with_failure(&server, CallbackFailure::Send),
        with_failure(&server, CallbackFailure::Refuse)
    );
    let redirect = elsewhere.url.clone();
    let long = json!({ "ErrorCode": 1, "ErrorInfo": "x".repeat(64 * 1024) });
    let mut base = 0;
    for wrong in [
        Reaction::Raw(500, r#"{"ErrorCode":1}"#.to_owned()),
        Reaction::Raw(404, String::new()),
        Reaction::Raw(200, String::new()),
        Reaction::Raw(200, "<html>".to_owned()),
        Reaction::Raw(200, "\u{feff}{}".to_owned()),
        Reaction::Answer(json!({ "ErrorCode": 5 })),
        Reaction::Answer(json!({ "ErrorCode": 120_000 })),
        Reaction::Answer(json!({ "ErrorCode": 130_001 })),
        Reaction::Answer(json!([])),
        Reaction::Answer(long),
        Reaction::Redirect(redirect),
        Reaction::Break,
    ] {
        server.always(wrong.clone());
        let client_id = format!("{base}");
        assert_eq!(send(&refuses, &client_id, 0, "x").await["code"], 80003, "{wrong:?}");
        let sent = send(&sends, &client_id, base, "x").await;
        base += 1;
        assert_eq!(sent["data"]["message"]["sequence"], base, "{wrong:?}: {sent}");
        // So that the next one is not skipped.
        server.always(Reaction::ok());
        base += 1;
        assert_eq!(
            send(&sends, &format!("ok-{base}"), base - 1, "x").await["data"]["message"]["sequence"],
            base
        );
    }
    assert!(elsewhere.take().is_empty(), "nobody is sent elsewhere");
    assert!(refuses.dump("Messages").await.is_empty());
}

#[tokio::test]
async fn a_silent_one_keeps_a_user_waiting_for_two_seconds_and_no_longer() {
    let (app, server) = start().await;
    server.always(Reaction::Silence);
    let started = Instant::now();
    assert_eq!(send(&app, "1", 0, "x").await["code"], 0);
    let waited = started.elapsed();
    assert!((Duration::from_millis(2_000)..Duration::from_millis(3_500)).contains(&waited), "{waited:?}");
}

/// For ten minutes nobody is there, and somebody sends a message each second.
#[tokio::test]
async fn when_it_is_down_for_ten_minutes_a_few_are_asked_about_and_all_are_sent() {
    let (app, server) = start().await;
    server.always(Reaction::Raw(503, String::new()));
    for second in 0..600_u64 {
        assert_eq!(
            send(&app, &second.to_string(), second, "x").await["data"]["message"]["sequence"],
            second + 1
        );
        app.advance(Duration::from_secs(1));
    }
    // Five, until it is known to be down; then one every ten seconds.
    let asked = server.take().len();
    assert_eq!(asked, 5 + 59);
    server.always(Reaction::code(1));
    app.advance(Duration::from_secs(10));
    assert_eq!(send(&app, "back", 600, "x").await["code"], 20006, "and then it is asked again");
    assert_eq!(send(&app, "back", 600, "x").await["code"], 20006);
}

/// A proxy before it answers with a page of its own, or it answers what means nothing.
#[tokio::test]
async fn one_whose_answers_mean_nothing_is_left_alone_as_a_dead_one_is() {
    for nonsense in [Reaction::Raw(200, "<html>".to_owned()), Reaction::code(5)] {
        let (app, server) = start().await;
        server.always(nonsense.clone());
        for base in 0..20 {
            assert_eq!(
                send(&app, &base.to_string(), base, "x").await["data"]["message"]["sequence"],
                base + 1
            );
        }
        assert_eq!(server.take().len(), 5, "{nonsense:?}");
    }
}

#[tokio::test]
async fn where_nothing_is_to_be_sent_unasked_it_is_asked_every_time_and_a_dead_port_is_told_at_once() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/im", listener.local_addr().unwrap());
    drop(listener);
    let dead = CallbackPlace { failure: CallbackFailure::Refuse, ..place(&url) };
    let app = TestApp::with_asked(dead).await;
    for attempt in 0..8 {
        let started = Instant::now();
        assert_eq!(send(&app, "1", 0, "x").await["code"], 80003);
        assert!(started.elapsed() < Duration::from_millis(1_000), "{attempt}");
    }
    assert!(app.dump("Messages").await.is_empty());
}

/// The other end closes a connection that was kept, when the next request is on its way.
#[tokio::test]
async fn a_kept_connection_that_has_gone_is_no_failure() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = place(&format!("http://{}/im", listener.local_addr().unwrap()));
    let app = TestApp::with_asked(CallbackPlace { failure: CallbackFailure::Refuse, ..place }).await;
    let serving = tokio::spawn(async move {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"ErrorCode\":0}";
        let mut request = [0; 4096];
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            assert!(connection.read(&mut request).await.unwrap() > 0);
            connection.write_all(answer.as_bytes()).await.unwrap();
            assert!(connection.read(&mut request).await.unwrap() > 0, "it is used again");
        }
    });
    for base in 0..2 {
        assert_eq!(send(&app, &base.to_string(), base, "x").await["data"]["message"]["sequence"], base + 1);
    }
    serving.abort();
}

#[tokio::test]
async fn without_a_business_server_nothing_is_written_for_it() {
    let app = TestApp::new().await;
    let mut data = text_message("bob", "1", 0);
    data["offlinePushInfo"] = json!({ "Title": "x" });
    app.ask("send-message", "alice", data.clone()).await;
    let rows = app.dump("Messages").await;
    for attribute in ["j", "nc", "pf", "pi"] {
        assert!(rows.iter().all(|row| row.get(attribute).is_none()), "{attribute}");
    }
    let (app, _server) = start().await;
    app.ask("send-message", "alice", data).await;
    let rows = app.dump("Messages").await;
    assert_eq!(rows[0]["pf"], json!({ "S": "MiniProgram" }));
    assert_eq!(rows[0]["pi"], json!({ "S": r#"{"Title":"x"}"# }));
}
