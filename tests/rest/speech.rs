use std::time::Duration;

use serde_json::{Value, json};

use super::{done, refused};
use crate::{
    groups::{group_of, message},
    harness::{TestApp, text_message},
};

const SET: &str = "openconfigsvr/setnospeaking";
const GET: &str = "openconfigsvr/getnospeaking";

async fn send(app: &TestApp, client_id: &str) -> Value {
    let mut socket = app.connect("alice").await;
    socket.ask("login", json!({})).await;
    socket.request("sendMessage", text_message("bob", client_id, 0)).await["code"].clone()
}

#[tokio::test]
async fn who_is_muted_reads_and_is_not_heard_until_the_time_is_over() {
    let app = TestApp::new().await;
    let mut before = app.connect("alice").await;
    before.ask("login", json!({})).await;
    assert_eq!(before.request("sendMessage", text_message("bob", "1", 0)).await["code"], 0);

    done(&app, SET, json!({ "Set_Account": "alice", "C2CmsgNospeakingTime": 60 })).await;
    // The connection goes by what was before: it has ended, without a word that would make a client log out.
    assert!(before.closed().await.is_some());
    assert_eq!(send(&app, "2").await, 20012);
    let answer = app.invoke("send-message", "bob", text_message("alice", "x", 1)).await;
    assert_eq!(answer["code"], 0, "the other one may");
    let mut socket = app.connect("alice").await;
    socket.ask("login", json!({})).await;
    socket.ask("getMessageList", json!({ "conversationID": "C2Cbob" })).await;
    // A message that has arrived is answered as it was.
    let again = socket.request("sendMessage", text_message("bob", "1", 0)).await;
    assert_eq!((&again["code"], &again["data"]["message"]["sequence"]), (&json!(0), &json!(1)));
    let mut hint = text_message("bob", "3", 0);
    hint["onlineUserOnly"] = json!(true);
    assert_eq!(socket.request("sendMessage", hint).await["code"], 20012);

    let left = done(&app, GET, json!({ "Get_Account": "alice" })).await;
    assert_eq!((&left["C2CmsgNospeakingTime"], &left["GroupmsgNospeakingTime"]), (&json!(60), &json!(0)));
    app.advance(Duration::from_secs(60));
    assert_eq!(socket.request("sendMessage", text_message("bob", "4", 2)).await["code"], 0);
    assert_eq!(done(&app, GET, json!({ "Get_Account": "alice" })).await["C2CmsgNospeakingTime"], 0);
}

#[tokio::test]
async fn who_is_muted_in_groups_is_heard_by_users_and_in_no_group() {
    let app = TestApp::new().await;
    group_of(&app, "Public", &["bob"]).await;
    done(&app, "im_open_login_svc/account_import", json!({ "UserID": "alice" })).await;
    done(&app, SET, json!({ "Set_Account": "alice", "GroupmsgNospeakingTime": 60 })).await;
    let mut socket = app.connect("alice").await;
    socket.ask("login", json!({})).await;
    // The group is alice's own, and that is no matter.
    assert_eq!(socket.request("sendMessage", message("g-1", 0)).await["code"], 10017);
    assert_eq!(socket.request("sendMessage", text_message("bob", "1", 0)).await["code"], 0);
    app.advance(Duration::from_secs(60));
    assert_eq!(socket.request("sendMessage", message("g-2", 0)).await["code"], 0);
}

#[tokio::test]
async fn a_mute_for_ever_outlives_everything_and_is_lifted_with_0() {
    let app = TestApp::new().await;
    assert_eq!(send(&app, "1").await, 0);
    let forever =
        json!({ "Set_Account": "alice", "C2CmsgNospeakingTime": "4294967295", "GroupmsgNospeakingTime": 5 });
    done(&app, SET, forever).await;
    app.advance(Duration::from_secs(365 * 24 * 60 * 60));
    app.sweep().await;
    assert_eq!(done(&app, GET, json!({ "Get_Account": "alice" })).await["C2CmsgNospeakingTime"], u32::MAX);
    assert_eq!(send(&app, "2").await, 20012);
    done(&app, SET, json!({ "Set_Account": "alice", "C2CmsgNospeakingTime": 0 })).await;
    assert_eq!(send(&app, "3").await, 0);
}

#[tokio::test]
async fn a_handshake_that_does_not_know_of_the_mute_is_refused() {
    let app = TestApp::new().await;
    assert_eq!(send(&app, "1").await, 0);
    done(&app, SET, json!({ "Set_Account": "alice", "GroupmsgNospeakingTime": 3_600 })).await;
    let mut handshake = crate::harness::event("connect");
    assert_eq!(app.respond("connect", &handshake).await.status(), 403);
    let until = (app.clock.now() / 1000 + 3_600).to_string();
    handshake["requestContext"]["authorizer"]["mutedInGroups"] = json!(until);
    assert_eq!(app.respond("connect", &handshake).await.status(), 200);
    // Nor one that knows of a mute which was lifted. By now it is seen that API Gateway has no such connection.
    app.advance(Duration::from_secs(30));
    done(&app, SET, json!({ "Set_Account": "alice", "GroupmsgNospeakingTime": 0 })).await;
    assert_eq!(app.respond("connect", &handshake).await.status(), 403);
}

#[tokio::test]
async fn nobody_and_nothing_are_refused() {
    let app = TestApp::new().await;
    assert_eq!(
        refused(&app, SET, json!({ "Set_Account": "nobody", "C2CmsgNospeakingTime": 1 })).await,
        70107
    );
    assert_eq!(refused(&app, GET, json!({ "Get_Account": "nobody" })).await, 70107);
    assert!(app.dump("Connections").await.is_empty());
    for body in [
        json!({ "Set_Account": "alice" }),
        json!({ "C2CmsgNospeakingTime": 1 }),
        json!({ "Set_Account": "alice", "C2CmsgNospeakingTime": -1 }),
        json!({ "Set_Account": "alice", "C2CmsgNospeakingTime": 4_294_967_296_u64 }),
    ] {
        assert_eq!(refused(&app, SET, body.clone()).await, 70402, "{body}");
    }
}
