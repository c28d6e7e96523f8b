//! The app under test: a twin with its own tables in memory on free ports, a clock that the test
//! holds, and the functions once more, seen through proxies.

pub mod business_server;
pub mod distance;
pub mod fault_proxy;
pub mod program;
pub mod replica;
pub mod sandbox;
pub mod socket;
pub mod steps;
pub mod template;
pub mod units;

use std::time::Duration;

use hongyan_functions::{
    config::{CallbackPlace, PUSH_TIMEOUT, Settings, Tables},
    record::Report,
    store::Connections,
    trigger::{
        authorizer::Authorizer,
        rest::{self, Administrators},
        signatures::{Rules, Signatures},
    },
};
use hongyan_local::{Config, Data, Running, clock::Clock, start};
use hongyan_shared::{
    model::{Pair, Stamp, UserId},
    sig::{Key, Keys, issue},
};
use lambda_http::{Body, Response};
use serde_json::{Value, json};

use fault_proxy::{Call, FaultProxy};
use replica::{Change, Lag, Replica};
use sandbox::{Sandbox, Setup, TIMEOUT};
use socket::Socket;

pub const SDK_APP_ID: u64 = 1_400_000_000;
pub const RULES: Rules = Rules { sdk_app_id: SDK_APP_ID, max_days: None };
pub const KEY: &str = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";

/// When every test begins: the second of the events in `events/`.
pub const START_MS: u64 = 1_795_400_001_000;

pub struct TestApp {
    pub clock: Clock,
    pub twin: Running,
    /// The functions, on the twin's tables and connections, through the proxies.
    pub sandbox: Sandbox,
    pub dynamodb: FaultProxy,
    pub management: FaultProxy,
    callback: Option<CallbackPlace>,
    push_timeout: Duration,
}

impl TestApp {
    pub async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    /// An app in which a user may send any number of frames at one moment, for tests that do.
    pub async fn without_limits() -> Self {
        let no_limits =
            Settings { frames_per_second: None, new_conversations_per_hour: None, ..Settings::default() };
        Self::with(no_limits).await
    }

    pub async fn with(settings: Settings) -> Self {
        Self::start(settings, None).await
    }

    /// An app with a business server.
    pub async fn with_business_server(place: CallbackPlace) -> Self {
        Self::start(Settings::default(), Some(place)).await
    }

    /// An app with a business server that is asked, and told nothing.
    pub async fn with_asked(place: CallbackPlace) -> Self {
        let mut app = Self::new().await;
        app.callback = Some(place);
        app.sandbox = Sandbox::new(app.setup());
        app
    }

    async fn start(settings: Settings, callback: Option<CallbackPlace>) -> Self {
        let clock = Clock::manual(START_MS);
        let twin = twin(&clock, settings, callback.clone()).await;
        let dynamodb = FaultProxy::before(&twin.dynamodb_url).await;
        let management = FaultProxy::before(&twin.management_url).await;
        let (tables, reader) = (twin.tables.clone(), clock.reader());
        let setup = Setup::new(tables, &dynamodb.url, &management.url, reader, settings);
        let media = Some(twin.media.clone());
        let sandbox = Sandbox::new(Setup { media, callback: callback.clone(), ..setup });
        Self { clock, twin, sandbox, dynamodb, management, callback, push_timeout: TIMEOUT }
    }

    /// What a sandbox is made of that is like the first one.
    pub fn setup(&self) -> Setup {
        let (tables, clock) = (self.twin.tables.clone(), self.clock.reader());
        let setup =
            Setup::new(tables, &self.dynamodb.url, &self.management.url, clock, self.sandbox.settings);
        let (media, callback) = (Some(self.twin.media.clone()), self.callback.clone());
        Setup { media, callback, push_timeout: self.push_timeout, ..setup }
    }

    /// Another sandbox of the same functions, which knows nothing of what the first one has seen.
    pub fn sandbox(&self, settings: Settings) -> Sandbox {
        Sandbox::new(Setup { settings, ..self.setup() })
    }

    /// From here on the records of invocations go there.
    pub fn report_to(&mut self, report: Report) {
        self.sandbox = Sandbox::new(Setup { report, ..self.setup() });
    }

    /// From here on a push may take as long as in an account, and no longer.
    pub fn be_impatient(&mut self) {
        self.push_timeout = PUSH_TIMEOUT;
        self.sandbox = Sandbox::new(self.setup());
    }

    /// The operator decides otherwise: from here on there are new sandboxes.
    pub fn deploy(&mut self, settings: Settings) {
        self.sandbox = self.sandbox(settings);
    }

    /// Connects a user to the twin, as a web client.
    pub async fn connect(&self, user: &str) -> Socket {
        Socket::connect(&self.url(user, "Web", None)).await.unwrap()
    }

    pub fn url(&self, user: &str, platform: &str, instance: Option<&str>) -> String {
        self.url_with(&user_sig(user, self.clock.now() / 1000), user, platform, instance)
    }

    /// As [`TestApp::url`], with a signature of the test's.
    pub fn url_with(&self, sig: &str, user: &str, platform: &str, instance: Option<&str>) -> String {
        let instance = instance.map(|instance| format!("&instance={instance}")).unwrap_or_default();
        format!(
            "{}?SDKAppID={SDK_APP_ID}&userID={user}&userSig={sig}&platform={platform}{instance}",
            self.twin.websocket_url
        )
    }

    /// Invokes a route with its event from `events/`, as the given user with the given data.
    pub async fn invoke(&self, name: &str, user: &str, data: Value) -> Value {
        self.invoke_in(&self.sandbox, name, user, data).await
    }

    /// The same in another sandbox.
    pub async fn invoke_in(&self, sandbox: &Sandbox, name: &str, user: &str, data: Value) -> Value {
        let mut event = event(name);
        set_user(&mut event, user);
        let action = event["requestContext"]["routeKey"].clone();
        event["body"] = json!(json!({ "action": action, "requestID": "1", "data": data }).to_string());
        body(sandbox.respond(name, request(&event)).await)
    }

    /// As [`TestApp::invoke`], for a request that must succeed. Returns the data of the reply.
    pub async fn ask(&self, name: &str, user: &str, data: Value) -> Value {
        let reply = self.invoke(name, user, data).await;
        assert_eq!(reply["code"], 0, "{name}: {reply}");
        reply["data"].clone()
    }

    /// All pages of a list, first to last: each is asked for by what the one before it has as `cursor`, until one is complete or
    /// has none.
    pub async fn pages(&self, name: &str, user: &str, mut data: Value, cursor: &str) -> Vec<Value> {
        let mut pages = Vec::new();
        loop {
            let page = self.ask(name, user, data.clone()).await;
            let next = page.get(cursor).filter(|_| page["isCompleted"] != true).cloned();
            pages.push(page);
            let Some(next) = next else { return pages };
            assert_ne!(data[cursor], next, "{name} goes on where it is");
            data[cursor] = next;
        }
    }

    /// The authorizer, as the twin has it, with its calls in the proxy.
    pub fn authorizer(&self, rules: Rules) -> Authorizer {
        let keys = Keys::one(Key::parse(KEY).unwrap());
        let connections = Connections::new(&self.setup().config()).unwrap();
        Authorizer::new(Signatures::new(rules, keys), connections, self.clock.reader())
    }

    /// The function for business servers, with its calls in the proxies.
    pub fn rest(&self) -> rest::Function {
        let signatures = Signatures::new(RULES, Keys::one(Key::parse(KEY).unwrap()));
        rest::Function::new(&self.setup().config(), signatures, Administrators::default()).unwrap()
    }

    /// Invokes a route with an event as it is.
    pub async fn respond(&self, name: &str, event: &Value) -> Response<Body> {
        self.respond_in(&self.sandbox, name, event).await
    }

    /// The same in another sandbox.
    pub async fn respond_in(&self, sandbox: &Sandbox, name: &str, event: &Value) -> Response<Body> {
        sandbox.respond(name, request(event)).await
    }

    /// As [`TestApp::invoke`], for a message that must arrive.
    pub async fn send(&self, from: &str, to: &str, client_id: &str, base: u64) -> u64 {
        let reply = self.invoke("send-message", from, text_message(to, client_id, base)).await;
        assert_eq!(reply["code"], 0, "{reply}");
        reply["data"]["message"]["sequence"].as_u64().unwrap()
    }

    /// Opens a conversation between two users, as the first message does.
    pub async fn acquaint(&self, a: &str, b: &str) {
        let user = |name: &str| UserId::parse("user", name).unwrap();
        let pair = Pair::of(&user(a), &user(b)).unwrap();
        self.sandbox.conversations.open(&pair, Stamp(self.clock.now()), None).await.unwrap();
    }

    /// The whole history of a conversation, oldest first, page by page.
    pub async fn history(&self, me: &str, peer: &str) -> Vec<Value> {
        self.messages(me, json!(format!("C2C{peer}"))).await
    }

    /// All that a user may see of a conversation, oldest first.
    pub async fn messages(&self, user: &str, conversation: Value) -> Vec<Value> {
        let newest = json!({ "conversationID": conversation, "nextReqMessageID": "" });
        let pages = self.pages("get-message-list", user, newest, "nextReqMessageID").await;
        pages.iter().rev().flat_map(|page| page["messageList"].as_array().unwrap().clone()).collect()
    }

    /// The pages of a user's list.
    pub async fn list(&self, user: &str) -> Vec<Value> {
        self.pages("get-conversation-list", user, json!({}), "nextReqConversationID").await
    }

    /// The conversation of `me` with `peer` as the list shows it.
    pub async fn conversation(&self, me: &str, peer: &str) -> Option<Value> {
        let reply = self.invoke("get-conversation-list", me, json!({})).await;
        let list = reply["data"]["conversationList"].as_array().unwrap_or_else(|| panic!("{reply}"));
        list.iter().find(|conversation| conversation["conversationID"] == format!("C2C{peer}")).cloned()
    }

    /// Every item of a table.
    pub async fn dump(&self, table: &str) -> Vec<Value> {
        let answer = self.call("Scan", json!({ "TableName": table })).await;
        answer["Items"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
    }

    /// Puts an item into a table, whatever the product would say to it.
    pub async fn put(&self, table: &str, item: Value) {
        let answer = self.call("PutItem", json!({ "TableName": table, "Item": item })).await;
        assert_eq!(answer, json!({}));
    }

    /// Takes an item out of a table.
    pub async fn delete(&self, table: &str, key: Value) {
        let answer = self.call("DeleteItem", json!({ "TableName": table, "Key": key })).await;
        assert_eq!(answer, json!({}));
    }

    /// From now on, [`fault_proxy::Fault::Stale`] answers from tables that are so far behind. They have everything so far.
    ///
    /// They hear of what the functions write, and of what the test does through this one, but not of
    /// what the twin's own sockets write.
    pub async fn lag(&self, lag: Lag) {
        let replica = twin(&self.clock, Settings::default(), None).await;
        let clock = self.clock.clone();
        self.dynamodb.follow(async |database| Replica::of(database, replica, clock, lag).await).await;
    }

    /// Sweeps what has expired, as DynamoDB does within some days. Returns how much that was.
    pub async fn sweep(&self) -> usize {
        self.dynamodb.change(Change::Sweep, async { self.twin.sweep_expired().unwrap() }).await
    }

    /// Makes any call to the database, past the proxy.
    pub async fn call(&self, operation: &str, request: Value) -> Value {
        let calling = replica::call(&self.twin.dynamodb_url, operation, &request);
        if !replica::is_write(operation) {
            return calling.await;
        }
        let change = Change::Write { operation: operation.to_owned(), request: request.clone() };
        self.dynamodb.change(change, calling).await
    }

    /// Every slot that is taken, as the table has it: whose, its name, and what it holds.
    pub async fn slots(&self) -> Vec<(String, String, Value)> {
        let mut slots = Vec::new();
        for item in self.dump("Connections").await {
            for (name, value) in item.as_object().unwrap() {
                if let Some(slot) = name.strip_prefix('@') {
                    slots.push((
                        item["u"]["S"].as_str().unwrap().to_owned(),
                        slot.to_owned(),
                        value["M"].clone(),
                    ));
                }
            }
        }
        slots
    }

    /// The calls since the last time, in the order in which they were begun, but for those that count frames.
    pub fn calls(&self) -> Vec<Call> {
        let mut calls = self.all_calls();
        calls.retain(|call| !call.is_sample);
        calls
    }

    /// The same with those.
    pub fn all_calls(&self) -> Vec<Call> {
        let mut calls = self.dynamodb.take();
        calls.extend(self.management.take());
        calls.sort_by_key(|call| call.started);
        calls
    }

    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

async fn twin(clock: &Clock, settings: Settings, callback: Option<CallbackPlace>) -> Running {
    start(Config {
        listen: std::net::Ipv4Addr::LOCALHOST.into(),
        port: 0,
        dynamodb_port: 0,
        data: Data::Memory,
        rules: RULES,
        keys: Keys::one(Key::parse(KEY).unwrap()),
        administrators: Administrators::default(),
        settings,
        callback,
        clock: clock.clone(),
    })
    .await
    .unwrap()
}

/// An event, as a function is told it.
pub fn request(event: &Value) -> lambda_http::Request {
    lambda_http::request::from_str(&event.to_string()).unwrap()
}

/// Something that answers whatever it is asked.
pub async fn answering(answer: impl Fn() -> (u16, String) + Clone + Send + Sync + 'static) -> String {
    let respond = move || {
        let (status, body) = answer();
        let response = axum::http::Response::builder().status(status);
        std::future::ready(response.body(axum::body::Body::from(body)).unwrap())
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(respond)).await });
    url
}

/// A table of connections in which nobody is.
pub async fn nobody_was_kicked() -> Connections {
    let url = answering(|| (200, "{}".to_owned())).await;
    let name = |name: &str| name.to_owned();
    let tables = Tables {
        messages: name("Messages"),
        conversations: name("Conversations"),
        connections: name("Connections"),
        users: name("Users"),
        groups: name("Groups"),
    };
    let setup = Setup::new(tables, &url, "", Clock::System.reader(), Settings::default());
    Connections::new(&setup.config()).unwrap()
}

pub fn user_sig(user: &str, now_s: u64) -> String {
    signed_for(user, now_s, 7 * 24 * 60 * 60)
}

/// A signature that is good for so many seconds.
pub fn signed_for(user: &str, now_s: u64, seconds: i64) -> String {
    issue(&Key::parse(KEY).unwrap(), SDK_APP_ID, user, now_s, seconds)
}

/// An event from `events/`.
pub fn event(name: &str) -> Value {
    let path = format!("{}/../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{path}"))).unwrap()
}

/// The data of the request in the event of this name.
pub fn request_of(name: &str) -> Value {
    let frame: Value = serde_json::from_str(event(name)["body"].as_str().unwrap()).unwrap();
    frame["data"].clone()
}

/// Makes the event another user's, over a connection of their own.
pub fn set_user(event: &mut Value, user: &str) {
    let context = &mut event["requestContext"];
    context["connectionId"] = json!(format!("{user}-connection="));
    context["authorizer"]["userID"] = json!(user);
    context["authorizer"]["principalId"] = json!(user);
}

pub fn body(response: Response<Body>) -> Value {
    match response.into_body() {
        Body::Text(text) => serde_json::from_str(&text).unwrap(),
        _ => Value::Null,
    }
}

/// About twenty Chinese characters, the message of the budgets.
pub fn text_message(to: &str, client_id: &str, base: u64) -> Value {
    json!({
        "to": to, "conversationType": "C2C", "clientID": client_id, "base": base,
        "type": "TIMTextElem", "payload": { "text": "今天下班以后我们一起去吃那家新开的面馆吧" },
    })
}

/// A message that is as large as one may be.
pub fn largest_message(to: &str, client_id: &str, base: u64) -> Value {
    let mut data = text_message(to, client_id, base);
    data["payload"]["text"] = json!("x".repeat(12 * 1024 - r#"{"text":""}"#.len()));
    data
}

/// Numbers that look random and are the same in every run, so that a failure can be seen again.
pub fn random_numbers() -> impl FnMut(u64) -> u64 {
    let mut state = 42_u64;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

pub fn sequences(messages: &[Value]) -> Vec<u64> {
    messages.iter().map(|message| message["sequence"].as_u64().unwrap()).collect()
}
