use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, State},
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
    routing::any,
};
use hongyan_functions::{
    actions::{
        kick::{end_all, kick},
        mute,
    },
    store::{Connection, Consistency},
};
use hongyan_shared::{
    model::{Mute, MuteChange, UserId},
    sig::{Key, issue},
};
use serde_json::{Value, json};
use tokio::{sync::Notify, task::JoinHandle};

use crate::harness::{
    RULES, SDK_APP_ID, START_MS, TestApp, body, event,
    fault_proxy::Fault,
    sandbox::{Sandbox, Setup},
    signed_for,
    socket::Socket,
    user_sig,
};

const NOW: u64 = START_MS / 1000;
const CENTURY: i64 = 100 * 365 * 24 * 60 * 60;

fn user(name: &str) -> UserId {
    UserId::parse("userID", name).unwrap()
}

/// The address of a user with a signature that is a minute old and good for a hundred years.
fn old_url(app: &TestApp, user: &str) -> String {
    app.url_with(&signed_for(user, NOW - 60, CENTURY), user, "Web", None)
}

async fn log_in(url: &str) -> Socket {
    let mut socket = Socket::connect(url).await.unwrap();
    socket.ask("login", json!({})).await;
    socket
}

#[tokio::test]
async fn who_is_kicked_is_told_so_and_gone_at_once() {
    let app = TestApp::new().await;
    let url = old_url(&app, "alice");
    // Those who have a conversation may watch each other.
    app.send("alice", "bob", "1", 0).await;
    let mut bob = app.connect("bob").await;
    let mut alice = log_in(&url).await;
    bob.ask("subscribeUserStatus", json!({ "userIDList": ["alice"] })).await;
    assert_eq!(bob.pushed().unwrap()["data"][0]["statusType"], 1);

    kick(&app.sandbox.notifier, &user("alice")).await.unwrap();
    assert_eq!(alice.push().await, json!({ "event": "kickedOut", "data": { "type": "REST_API_Kick" } }));
    assert_eq!(u16::from(alice.closed().await.unwrap().code), 1000);
    assert_eq!(bob.push().await["data"][0]["statusType"], 2);
    let status = bob.ask("getUserStatus", json!({ "userIDList": ["alice"] })).await;
    assert_eq!(status["successUserList"][0]["statusType"], 2);
}

#[tokio::test]
async fn who_watches_is_told_though_there_was_no_connection_left_to_end() {
    let app = TestApp::new().await;
    app.send("alice", "bob", "1", 0).await;
    // Nobody has noticed yet that it is gone: no `$disconnect` will say so.
    assert_eq!(app.respond("connect", &event("connect")).await.status(), 200);
    let mut bob = app.connect("bob").await;
    bob.ask("subscribeUserStatus", json!({ "userIDList": ["alice"] })).await;
    assert_eq!(bob.pushed().unwrap()["data"][0]["statusType"], 1);

    app.advance(Duration::from_secs(60));
    kick(&app.sandbox.notifier, &user("alice")).await.unwrap();
    assert_eq!(bob.push().await["data"][0]["statusType"], 2);
}

#[tokio::test]
async fn an_old_signature_is_answered_with_70052_on_every_route_and_a_new_one_is_good_in_the_same_second() {
    let app = TestApp::new().await;
    let url = old_url(&app, "alice");
    kick(&app.sandbox.notifier, &user("alice")).await.unwrap();
    for action in
        ["login", "sendMessage", "getMessageList", "setMessageRead", "getConversationList", "logout", "x"]
    {
        let mut socket = Socket::connect(&url).await.unwrap();
        let data = json!({
            "to": "bob", "conversationType": "C2C", "clientID": "1", "base": 0, "type": "TIMTextElem",
            "payload": { "text": "x" }, "conversationID": "C2Cbob",
        });
        let reply = socket.request(action, data).await;
        assert_eq!(reply["code"], 70052, "{action}: {reply}");
        assert_eq!(u16::from(socket.closed().await.unwrap().code), 1000);
    }
    assert!(app.slots().await.is_empty(), "who cannot stay takes no slot");
    assert!(app.dump("Messages").await.is_empty());

    app.connect("alice").await.ask("login", json!({})).await;
}

#[tokio::test]
async fn who_is_back_in_the_same_second_and_too_fast_then_is_told_to_wait_and_not_to_sign_again() {
    let app = TestApp::new().await;
    kick(&app.sandbox.notifier, &user("alice")).await.unwrap();
    app.sandbox.connections.suspend(&user("alice"), START_MS + 60_000, START_MS).await.unwrap();
    for (issued_at, status) in [(NOW, 429), (NOW - 1, 403)] {
        let mut handshake = event("connect");
        handshake["requestContext"]["authorizer"]["issuedAt"] = json!(issued_at.to_string());
        assert_eq!(app.respond("connect", &handshake).await.status(), status, "{issued_at}");
    }
}

#[tokio::test]
async fn nobody_is_looked_up_for_a_handshake_that_is_forged_or_over() {
    let app = TestApp::new().await;
    let another = Key::parse("another").unwrap();
    for (sig, effect, reads) in [
        (issue(&another, SDK_APP_ID, "alice", NOW, 60), "Deny", 0),
        ("nonsense".to_owned(), "Deny", 0),
        (signed_for("alice", NOW - 60, 1), "Allow", 0),
        (user_sig("alice", NOW), "Allow", 1),
    ] {
        let mut handshake = event("authorizer");
        handshake["queryStringParameters"]["userSig"] = json!(sig);
        let verdict =
            app.authorizer(RULES).handle(serde_json::from_value(handshake).unwrap(), "").await.unwrap();
        assert_eq!(verdict["policyDocument"]["Statement"][0]["Effect"], effect);
        assert_eq!(app.calls().len(), reads, "{sig}");
    }
}

#[tokio::test]
async fn pushes_end_whatever_becomes_of_the_close() {
    let app = TestApp::new().await;
    let url = old_url(&app, "alice");
    let mut alice = log_in(&url).await;
    // @connections is out of order for as long as anybody waits for it.
    let clock = app.clock.clone();
    app.management.break_calls(move |operation, _| {
        if operation == "DELETE" {
            clock.advance(Duration::from_secs(4));
        }
        Fault::Refuse(500, "InternalServerError")
    });
    let failed = kick(&app.sandbox.notifier, &user("alice")).await;
    assert!(failed.is_err(), "who kicks a user is told to do it again");
    app.management.mend();

    app.calls();
    app.send("bob", "alice", "1", 0).await;
    assert!(app.calls().iter().all(|call| call.operation != "POST"));
    // Nor do they get a place again over the connection that they still have.
    let reply = alice.request("login", json!({})).await;
    assert_eq!(reply["code"], 70052, "{reply}");
    assert_eq!(u16::from(alice.closed().await.unwrap().code), 1000);
    assert!(kick(&app.sandbox.notifier, &user("alice")).await.is_ok());
}

#[tokio::test]
async fn a_connection_without_a_slot_ends_with_what_it_does_next() {
    let app = TestApp::new().await;
    let url = old_url(&app, "alice");
    let crossed = Socket::connect(&url).await.unwrap();
    // The other handshake has taken the slot, and the connection was not open yet when it was to be ended.
    app.management.break_calls(|_, _| Fault::Refuse(410, "GoneException"));
    let mut other = event("connect");
    other["requestContext"]["connectedAt"] = json!(START_MS + 1);
    other["requestContext"]["authorizer"]["platform"] = json!("Web");
    other["requestContext"]["authorizer"]["issuedAt"] = json!((NOW - 60).to_string());
    assert_eq!(app.respond("connect", &other).await.status(), 200);
    app.management.mend();
    app.sandbox.connections.revoke(&user("alice"), NOW, START_MS).await.unwrap();

    let mut crossed = crossed;
    crossed.say(json!({ "action": "pinConversation", "requestID": "1", "data": { "conversationID": "C2Cbob", "isPinned": true } }).to_string()).await;
    crossed.rest().await;
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_not_waited_for_without_end() {
    let app = TestApp::new().await;
    // It has registered, and is never opened.
    assert_eq!(app.respond("connect", &event("connect")).await.status(), 200);
    app.advance(Duration::from_secs(1));
    let clock = app.clock.clone();
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    app.management.break_calls(move |operation, _| {
        if operation == "DELETE" {
            *count.lock().unwrap() += 1;
            clock.advance(Duration::from_secs(3));
        }
        Fault::Refuse(410, "GoneException")
    });
    kick(&app.sandbox.notifier, &user("alice")).await.unwrap();
    assert_eq!(*asked.lock().unwrap(), 4, "every three seconds, for twelve");
}

#[tokio::test]
async fn a_handshake_whose_authorizer_has_read_a_stale_row_is_refused_by_the_write() {
    let app = TestApp::new().await;
    // What the authorizer has let in a moment before.
    let before = event("connect");
    app.advance(Duration::from_secs(5));
    kick(&app.sandbox.notifier, &user("alice")).await.unwrap();
    assert_eq!(app.respond("connect", &before).await.status(), 403);
    assert!(app.slots().await.is_empty());
}

#[tokio::test]
async fn a_table_that_does_not_answer_turns_nobody_away_at_the_door_and_lets_nobody_in_behind_it() {
    let app = TestApp::new().await;
    let mut handshake = event("authorizer");
    handshake["queryStringParameters"]["userSig"] = json!(user_sig("alice", NOW));
    let verdict = async || {
        let verdict =
            app.authorizer(RULES).handle(serde_json::from_value(handshake.clone()).unwrap(), "").await;
        verdict.unwrap()
    };
    app.sandbox.connections.revoke(&user("alice"), NOW + 1_000, START_MS).await.unwrap();
    assert_eq!(verdict().await["context"]["revoked"], "true");

    app.dynamodb.break_calls(|operation, _| match operation {
        "GetItem" => Fault::Refuse(400, "ValidationException"),
        _ => Fault::None,
    });
    let verdict = verdict().await;
    assert_eq!(verdict["policyDocument"]["Statement"][0]["Effect"], "Allow");
    assert_eq!(verdict["context"]["revoked"], Value::Null);
    assert_eq!(app.respond("connect", &event("connect")).await.status(), 403);
}

#[tokio::test]
async fn that_somebody_was_kicked_is_never_forgotten_and_never_taken_back() {
    let app = TestApp::new().await;
    let url = old_url(&app, "alice");
    kick(&app.sandbox.notifier, &user("alice")).await.unwrap();
    // An earlier time does not make room for what a later one has ended.
    app.sandbox.connections.revoke(&user("alice"), 1, START_MS).await.unwrap();
    // They come back properly, change their name, and stay away for a year.
    let mut alice = app.connect("alice").await;
    alice.ask("login", json!({})).await;
    alice.ask("updateMyProfile", json!({ "nick": "爱丽丝" })).await;
    alice.close().await;
    app.advance(Duration::from_secs(365 * 24 * 60 * 60));
    app.sweep().await;

    let mut old = Socket::connect(&url).await.unwrap();
    assert_eq!(old.request("login", json!({})).await["code"], 70052);
}

/// The command of docs/operate.md, as it stands there.
#[tokio::test]
async fn the_write_that_an_operator_makes_puts_a_user_out() {
    for page in ["operate.md", "operate.zh-CN.md"] {
        let app = TestApp::new().await;
        let url = old_url(&app, "alice");
        let alice = log_in(&url).await;
        let path = format!("{}/../docs/{page}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let (_, command) = text.split_once("aws dynamodb update-item").unwrap();
        let (command, _) = command.split_once("```").unwrap();
        // A quote within quotes is not their end.
        let command = command.replace("\\\"", "″");
        let option = |name: &str| {
            let (_, value) = command.split_once(&format!("--{name} ")).unwrap();
            let quote = value.chars().next().unwrap();
            value[1..].split(quote).next().unwrap().replace('″', "\"")
        };
        let values = option("expression-attribute-values").replace("$(date +%s)", &NOW.to_string());
        let answer = app
            .call(
                "UpdateItem",
                json!({
                    "TableName": "Connections",
                    "Key": serde_json::from_str::<Value>(&option("key")).unwrap(),
                    "UpdateExpression": option("update-expression"),
                    "ConditionExpression": option("condition-expression"),
                    "ExpressionAttributeValues": serde_json::from_str::<Value>(&values).unwrap(),
                    "ReturnValues": "ALL_OLD",
                }),
            )
            .await;
        assert!(command.contains("--return-values ALL_OLD"));
        let id = answer["Attributes"]["@Web"]["M"]["c"]["S"].as_str().expect("the connection to delete");

        app.calls();
        app.send("bob", "alice", "1", 0).await;
        assert!(app.calls().iter().all(|call| call.operation != "POST"), "nothing is pushed any more");
        let deleted = reqwest::Client::new()
            .delete(format!("{}/@connections/{id}", app.twin.management_url))
            .send()
            .await
            .unwrap();
        assert_eq!(deleted.status(), 204);
        assert!(alice.rest().await.is_empty());
        let mut again = Socket::connect(&url).await.unwrap();
        assert_eq!(again.request("login", json!({})).await["code"], 70052);
    }
}

// --- Every interleaving --------------------------------------------------------------------------

/// What happens to a connection, in this order, and what who kicks the user does, in this one.
const HANDSHAKE: [Step; 4] = [Step::Authorize, Step::Register, Step::Open, Step::LogIn];
const KICK: [Step; 2] = [Step::Mark, Step::End];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    /// The authorizer reads. What it reads may be old, which is as if it had read before.
    Authorize,
    /// `$connect` writes.
    Register,
    /// API Gateway opens the connection, unless it was refused.
    Open,
    /// The client says `login`, which may register once more.
    LogIn,
    /// The mark is written.
    Mark,
    /// The connections that were found in that write are ended.
    End,
}

/// All orders in which these can happen that keep each of the two.
fn interleavings(one: &[Step], other: &[Step]) -> Vec<Vec<Step>> {
    let (Some((first, rest)), Some((second, others))) = (one.split_first(), other.split_first()) else {
        return vec![[one, other].concat()];
    };
    let before = |step: &Step, orders: Vec<Vec<Step>>| {
        orders.into_iter().map(move |order| [&[*step][..], &order].concat()).collect::<Vec<_>>()
    };
    [before(first, interleavings(rest, other)), before(second, interleavings(one, others))].concat()
}

/// API Gateway as far as it matters here: it has no connection whose handshake is under way.
#[derive(Default)]
struct Gateway {
    states: Mutex<BTreeMap<String, &'static str>>,
    refused: Notify,
}

const UNDER_WAY: &str = "under way";
const OPEN: &str = "open";
const ENDED: &str = "ended";

impl Gateway {
    fn set(&self, id: &str, state: &'static str) {
        self.states.lock().unwrap().insert(id.to_owned(), state);
    }

    fn is_open(&self, id: &str) -> bool {
        self.states.lock().unwrap().get(id) == Some(&OPEN)
    }

    async fn serve(self: &Arc<Self>) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/@connections/{id}", any(connections)).with_state(Arc::clone(self));
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }
}

async fn connections(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    method: Method,
) -> Response {
    if !gateway.is_open(&id) {
        if method == Method::DELETE {
            gateway.refused.notify_one();
        }
        return (StatusCode::GONE, [("x-amzn-errortype", "GoneException")], "{}").into_response();
    }
    if method == Method::DELETE {
        gateway.set(&id, ENDED);
    }
    StatusCode::OK.into_response()
}

/// One handshake and one kick.
struct Run {
    sandbox: Arc<Sandbox>,
    gateway: Arc<Gateway>,
    user: UserId,
    /// When it begins, in milliseconds.
    at: u64,
    /// Whether the user is muted instead.
    mutes: bool,
    context: Value,
    found: Vec<Connection>,
    ending: Option<JoinHandle<()>>,
}

impl Run {
    fn id(&self) -> String {
        format!("{}=", self.user)
    }

    fn event(&self, name: &str) -> Value {
        let mut event = event(name);
        event["requestContext"]["connectionId"] = json!(self.id());
        event["requestContext"]["authorizer"] = self.context.clone();
        event["requestContext"]["connectedAt"] = json!(self.at);
        event
    }

    /// For ever, to others.
    fn mute(&self) -> MuteChange {
        MuteChange { user: self.user.clone(), c2c: Some(Mute::FOREVER), group: None }
    }

    async fn respond(&self, name: &str) -> (u16, Value) {
        let request = lambda_http::request::from_str(&self.event(name).to_string()).unwrap();
        let response = self.sandbox.respond(name, request).await;
        (response.status().as_u16(), body(response))
    }

    async fn step(&mut self, app: &TestApp, step: Step) {
        match step {
            Step::Authorize => {
                self.gateway.set(&self.id(), UNDER_WAY);
                let sig = user_sig(self.user.as_str(), self.at / 1000 - 60);
                let mut handshake = event("authorizer");
                handshake["queryStringParameters"]["userID"] = json!(self.user);
                handshake["queryStringParameters"]["userSig"] = json!(sig);
                let verdict =
                    app.authorizer(RULES).handle(serde_json::from_value(handshake).unwrap(), "").await;
                self.context = verdict.unwrap()["context"].clone();
            }
            Step::Register => {
                if self.respond("connect").await.0 != 200 {
                    self.gateway.set(&self.id(), ENDED);
                }
            }
            Step::Open => {
                if self.gateway.states.lock().unwrap()[&self.id()] == UNDER_WAY {
                    self.gateway.set(&self.id(), OPEN);
                }
            }
            Step::LogIn => {
                if self.gateway.is_open(&self.id()) {
                    self.respond("login").await;
                }
            }
            Step::Mark => {
                let connections = &self.sandbox.connections;
                let marked = match self.mutes {
                    true => connections.mute(&self.mute(), self.at).await,
                    false => connections.revoke(&self.user, self.at / 1000, self.at).await,
                };
                self.found = marked.unwrap();
            }
            Step::End => {
                let (sandbox, user) = (Arc::clone(&self.sandbox), self.user.clone());
                let found = std::mem::take(&mut self.found);
                let mutes = self.mutes;
                let mut ending = tokio::spawn(async move {
                    match mutes {
                        true => mute::end_all(&sandbox.notifier, &found).await.unwrap(),
                        false => end_all(&sandbox.notifier, &user, &found).await.unwrap(),
                    }
                });
                // It is done, or it has seen that nothing is there yet.
                tokio::select! {
                    done = &mut ending => done.unwrap(),
                    () = self.gateway.refused.notified() => self.ending = Some(ending),
                }
            }
        }
    }
}

#[tokio::test]
async fn in_no_interleaving_of_handshake_login_and_kick_does_anybody_stay_connected() {
    in_every_interleaving(false).await;
}

#[tokio::test]
async fn in_no_interleaving_of_handshake_login_and_mute_does_anybody_stay_connected_as_before() {
    in_every_interleaving(true).await;
}

async fn in_every_interleaving(mutes: bool) {
    let app = TestApp::new().await;
    let gateway = Arc::new(Gateway::default());
    let url = gateway.serve().await;
    let sandbox =
        Arc::new(Sandbox::new(Setup { sdk: app.twin.sdk.0.clone(), management: url, ..app.setup() }));
    // A program of one's own need not log in.
    let orders = [interleavings(&HANDSHAKE, &KICK), interleavings(&HANDSHAKE[..3], &KICK)].concat();
    assert_eq!(orders.len(), 15 + 10);
    let mut spoke_in_vain = 0;
    for (index, order) in orders.into_iter().enumerate() {
        let mut run = Run {
            sandbox: Arc::clone(&sandbox),
            gateway: Arc::clone(&gateway),
            user: user(&format!("user{index}")),
            at: app.clock.now(),
            mutes,
            context: Value::Null,
            found: Vec::new(),
            ending: None,
        };
        for step in &order {
            run.step(&app, *step).await;
        }
        if let Some(ending) = run.ending.take() {
            if !run.gateway.is_open(&run.id()) {
                // Login has ended it already. That is not seen from a handshake that takes its time.
                app.advance(Duration::from_secs(12));
            }
            ending.await.unwrap();
        }
        if mutes {
            // Who is still there, or could open later, goes by the mute: nothing that they say gets through.
            if run.gateway.is_open(&run.id()) {
                assert_eq!(run.context["muted"], Mute::FOREVER.to_string(), "{order:?}");
                assert_eq!(run.respond("send-message").await.1["code"], 20012, "{order:?}");
                spoke_in_vain += 1;
            }
            continue;
        }
        // Who was let in to be told so may be there, and is shown out with the next thing that they say.
        if run.gateway.is_open(&run.id()) {
            assert_eq!(run.context["revoked"], "true", "{order:?}");
            run.respond("login").await;
        }
        assert!(!run.gateway.is_open(&run.id()), "{order:?}");
        let presence = sandbox.connections.of(&run.user, Consistency::Strong, run.at).await.unwrap();
        assert!(!presence.is_online(), "{order:?}");
    }
    assert_eq!(spoke_in_vain > 0, mutes);
}
