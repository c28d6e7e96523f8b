//! The product, as the machine drives it: the real handlers on the embedded engine, in two sandboxes, with
//! devices that the test holds.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::{Duration, Instant},
};

use hongyan_functions::{
    actions::import_message::{World, import_message},
    clock::Clock,
    config::Settings,
};
use hongyan_shared::{
    model::{Elem, Imported, Pair, UserId},
    protocol::to_raw,
};
use lambda_http::{Body, Response};
use serde_json::{Value, json};

use super::{
    action::{Fate, Kind, User},
    devices::Devices,
    reference::{Answer, Call, Connection, Event, Model},
    transitions::STEP_MS,
};
use crate::harness::{
    TestApp, body, event,
    fault_proxy::Fault,
    sandbox::{Sandbox, Setup},
};

/// A function that takes longer may have given a push up, as it should.
const PATIENCE: Duration = Duration::from_secs(1);

pub struct Product {
    app: TestApp,
    devices: Devices,
    sandbox: Sandbox,
    /// The one whose clock may be ahead.
    elsewhere: Sandbox,
    /// The one that the test looks through, past the proxy.
    looks: Sandbox,
    import: World,
    was_too_slow: Cell<bool>,
    /// What a device of each user has that asks for changes only.
    lists: RefCell<BTreeMap<User, List>>,
}

/// What a device knows of its user's list.
#[derive(Clone, Default)]
pub struct List {
    /// Of when that is, in seconds.
    pub since: u64,
    pub conversations: BTreeMap<String, Value>,
}

impl Product {
    /// As the model begins.
    pub async fn new(model: &Model) -> Self {
        let settings = Settings {
            retention: model.retention,
            frames_per_second: None,
            new_conversations_per_hour: None,
            ..Settings::default()
        };
        let app = TestApp::with(settings).await;
        let devices = Devices::default();
        let management = devices.serve().await;
        let setup = || Setup { management: management.clone(), ..app.setup() };
        let (clock, ahead) = (app.clock.clone(), model.ahead * 1000);
        let elsewhere = Sandbox::new(Setup { clock: Clock::new(move || clock.now() + ahead), ..setup() });
        let import = World::new(&setup().config()).unwrap();
        let sandbox = Sandbox::new(setup());
        let looks = Sandbox::new(Setup { sdk: app.twin.sdk.0.clone(), ..setup() });
        let product = Self {
            app,
            devices,
            sandbox,
            elsewhere,
            looks,
            import,
            was_too_slow: Cell::new(false),
            lists: RefCell::default(),
        };
        for connection in &model.connections {
            product.connect(connection).await;
        }
        product
    }

    /// Makes happen what has happened to the model. Returns the answers, and what came in on each connection.
    pub async fn apply(&self, event: &Event) -> (Vec<Answer>, Vec<(String, Value)>) {
        let mut answers = Vec::new();
        self.app.advance(Duration::from_millis(STEP_MS));
        match event {
            Event::Calls(calls) => {
                for call in calls {
                    answers.push(self.call(call).await);
                }
            }
            Event::Connects(connection) => self.connect(connection).await,
            Event::Disconnects(connection) => {
                self.devices.close(&connection.id);
                let event = self.event("disconnect", connection);
                assert_eq!(self.respond(&self.sandbox, "disconnect", &event).await.status(), 200);
            }
            Event::IsCut(connection) => self.devices.close(&connection.id),
            Event::Later(seconds, ended) => {
                self.app.advance(Duration::from_secs(*seconds));
                ended.iter().for_each(|connection| self.devices.close(&connection.id));
            }
            Event::Imports(from, to, (second, seq), text) => {
                let user = |user: &User| UserId::parse("user", user.name()).unwrap();
                let pair = Pair::of(&user(from), &user(to)).unwrap();
                let elem = Elem::parse("TIMTextElem", &to_raw(&json!({ "text": text })), None).unwrap();
                let place = Imported { second: *second, seq: *seq, random: 7 };
                import_message(&self.import, &pair, place, elem).await.unwrap();
            }
            Event::Sweeps => {
                self.app.twin.sweep_expired().unwrap();
            }
        }
        (answers, self.devices.take())
    }

    /// Whether this machine was so busy that pushes may have been given up.
    pub fn was_too_slow(&self) -> bool {
        self.was_too_slow.get()
    }

    /// One function runs.
    async fn respond(&self, sandbox: &Sandbox, name: &str, event: &Value) -> Response<Body> {
        let started = Instant::now();
        let response = self.app.respond_in(sandbox, name, event).await;
        self.was_too_slow.set(self.was_too_slow.get() || started.elapsed() >= PATIENCE);
        response
    }

    /// The connections that API Gateway has.
    pub fn connected(&self) -> Vec<String> {
        self.devices.connected()
    }

    /// Asks something that changes nothing, as a user's phone.
    pub async fn ask(&self, name: &str, user: &'static str, data: Value) -> Value {
        let mut event = event(name);
        event["requestContext"]["authorizer"]["userID"] = json!(user);
        event["body"] = self.frame(&event, data);
        let reply = body(self.app.respond_in(&self.looks, name, &event).await);
        assert_eq!(reply["code"], 0, "{name}: {reply}");
        reply["data"].clone()
    }

    /// Logs in again on a connection that is there, and takes over what that says of the list. The device names
    /// these conversations.
    pub async fn log_in(&self, connection: &Connection, named: Vec<String>) -> List {
        let user = connection.device.user;
        let known = self.lists.borrow().get(&user).cloned();
        let mut data = json!({ "count": 20 });
        if let Some(known) = &known {
            data["since"] = json!(known.since);
            data["conversationIDList"] = json!(named);
        }
        let mut event = self.event("login", connection);
        event["body"] = self.frame(&event, data);
        let reply = body(self.app.respond_in(&self.looks, "login", &event).await);
        assert_eq!(reply["code"], 0, "{reply}");
        let page = &reply["data"]["conversationPage"];
        assert_eq!(page["isCompleted"], true, "{reply}");
        let mut list =
            List { since: reply["data"]["serverTime"].as_u64().unwrap(), ..known.unwrap_or_default() };
        // What was named and is not there has gone.
        for gone in named {
            list.conversations.remove(&gone);
        }
        for conversation in page["conversationList"].as_array().unwrap() {
            let id = conversation["conversationID"].as_str().unwrap().to_owned();
            list.conversations.insert(id, conversation.clone());
        }
        self.lists.borrow_mut().insert(user, list.clone());
        list
    }

    /// What the device had the last time.
    pub fn list(&self, user: User) -> List {
        self.lists.borrow().get(&user).cloned().unwrap_or_default()
    }

    async fn connect(&self, connection: &Connection) {
        self.devices.open(&connection.id);
        let event = self.event("connect", connection);
        assert_eq!(self.respond(&self.sandbox, "connect", &event).await.status(), 200);
    }

    async fn call(&self, call: &Call) -> Answer {
        let sandbox = if call.how.elsewhere { &self.elsewhere } else { &self.sandbox };
        let mut event = self.event(call.event, &call.by);
        event["body"] = self.frame(&event, call.data.clone());
        self.devices.lose_pushes(call.how.pushes_lost);
        let (mut fault, proxy) = (fault(call.fate), &self.app.dynamodb);
        proxy.break_calls(move |operation, _| {
            if operation == "PutItem" { std::mem::replace(&mut fault, Fault::None) } else { Fault::None }
        });
        let answer = tokio::select! {
            reply = self.respond(sandbox, call.event, &event) => match body(reply) {
                // It went the way of the pushes.
                Value::Null => answer(&self.devices.take_reply(&call.by.id)),
                reply => answer(&reply),
            },
            () = proxy.lost() => Answer::Nothing,
        };
        proxy.mend();
        self.devices.lose_pushes(false);
        answer
    }

    fn event(&self, name: &str, connection: &Connection) -> Value {
        let mut event = event(name);
        let context = &mut event["requestContext"];
        context["connectionId"] = json!(connection.id);
        context["connectedAt"] = json!(connection.connected_at);
        let authorizer = &mut context["authorizer"];
        authorizer["userID"] = json!(connection.device.user.name());
        authorizer["principalId"] = authorizer["userID"].clone();
        if connection.device.kind == Kind::Browser {
            authorizer["platform"] = json!("Web");
            authorizer.as_object_mut().unwrap().remove("instance");
        }
        event
    }

    fn frame(&self, event: &Value, data: Value) -> Value {
        let action = &event["requestContext"]["routeKey"];
        json!(json!({ "action": action, "requestID": "1", "data": data }).to_string())
    }
}

fn fault(fate: Fate) -> Fault {
    match fate {
        Fate::Lives => Fault::None,
        Fate::WritesTwice => Fault::ResetAfter,
        Fate::DiesBefore => Fault::LoseCall,
        Fate::DiesAfter => Fault::LoseAnswer,
    }
}

fn answer(reply: &Value) -> Answer {
    let mut data = reply["data"].clone();
    // Texts say the same as codes, to people.
    let hidden = data.get_mut("failureUserList").and_then(Value::as_array_mut);
    for refused in hidden.into_iter().flatten() {
        refused.as_object_mut().unwrap().remove("message");
    }
    match reply["code"].as_i64() {
        Some(0) => Answer::Data(data),
        Some(code) => Answer::Refused(code, data),
        None => Answer::Nothing,
    }
}
