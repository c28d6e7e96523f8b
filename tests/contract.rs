//! Template, binaries, events and documents say the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use hongyan_functions::{
    config::{Config, Misconfigured, Settings},
    functions, record, routes,
    trigger::authorizer::Authorizer,
};
use hongyan_local::sdk_config;
use hongyan_shared::{Error, model::Seq, sig::Refusal};
use serde_json::Value;

use crate::harness::{World, socket::Socket};

pub fn template() -> Value {
    serde_saphyr::from_str(include_str!("../template.yaml")).unwrap()
}

fn resources(kind: &str) -> BTreeMap<String, Value> {
    let template = template();
    let of_kind =
        template["Resources"].as_object().unwrap().iter().filter(|(_, resource)| resource["Type"] == kind);
    of_kind.map(|(name, resource)| (name.clone(), resource.clone())).collect()
}

/// Route key to the logical ID of its function.
pub fn template_routes() -> BTreeMap<String, String> {
    let gateway = &template()["Resources"]["Gateway"]["Properties"]["Routes"];
    let function =
        |route: &Value| route["FunctionArn"].as_str().unwrap().strip_suffix(".Arn").unwrap().to_owned();
    gateway.as_object().unwrap().iter().map(|(key, route)| (key.clone(), function(route))).collect()
}

fn names_in(folder: &str) -> Vec<String> {
    let path = format!("{}/../{folder}", env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(path).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn files(folder: &str, ending: &str) -> BTreeSet<String> {
    names_in(folder).iter().filter_map(|name| name.strip_suffix(ending).map(str::to_owned)).collect()
}

fn is_there(path: &str) -> bool {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path).exists()
}

/// `sendMessage` and `SendMessage` become `send-message`.
pub fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for letter in name.trim_start_matches('$').chars() {
        if letter.is_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.extend(letter.to_lowercase());
    }
    kebab
}

#[test]
fn one_name_has_four_spellings_and_nothing_else() {
    let functions = resources("AWS::Serverless::Function");
    for (logical_id, function) in &functions {
        assert_eq!(function["Metadata"]["BuildProperties"]["Binary"], kebab(logical_id), "{logical_id}");
    }
    let binaries: BTreeSet<String> = functions.keys().map(|logical_id| kebab(logical_id)).collect();
    assert_eq!(binaries, files("functions/src/bin", ".rs"));

    let served: BTreeSet<String> = functions::NAMES.iter().map(|name| (*name).to_owned()).collect();
    let behind_routes: BTreeSet<String> =
        template_routes().values().map(|function| kebab(function)).collect();
    assert_eq!(served, behind_routes);
    let modules: BTreeSet<String> = served.iter().map(|name| name.replace('-', "_")).collect();
    let names = names_in("functions/src/routes/ws");
    let in_folder = names.iter().map(|name| name.trim_end_matches(".rs").to_owned());
    assert_eq!(modules, in_folder.filter(|name| name != "mod").collect());

    for (key, function) in template_routes() {
        // A route has a function of its name, or is one by that name in the file of its function.
        let (verb, group) = (kebab(&key).replace('-', "_"), kebab(&function).replace('-', "_"));
        if verb != group {
            let file = format!("{}/../functions/src/routes/ws/{group}.rs", env!("CARGO_MANIFEST_DIR"));
            let route = format!("async fn {verb}(world: &World, event: &Event)");
            assert!(std::fs::read_to_string(&file).unwrap().contains(&route), "{key}: {file} has no {verb}");
        }
        let has_tests = |name: &str| is_there(&format!("tests/routes/{name}.rs"));
        assert!(has_tests(&verb) || has_tests(&group), "{key} has no tests");
    }
}

#[test]
fn every_route_and_function_has_an_event() {
    let mut expected: BTreeSet<String> = template_routes().keys().map(|key| kebab(key)).collect();
    expected.insert("authorizer".to_owned());
    assert_eq!(files("events", ".json"), expected);
    for name in expected {
        let event = crate::harness::event(&name);
        let key = event["requestContext"]["routeKey"].as_str().unwrap();
        assert!(kebab(key) == name || name == "authorizer", "{name} {key}");
    }
}

#[test]
fn every_route_that_answers_has_a_route_response() {
    let gateway = template()["Resources"]["Gateway"]["Properties"]["Routes"].clone();
    let answering: BTreeSet<String> = gateway
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, route)| route["RouteResponseSelectionExpression"] == "$default")
        // The transform names a route's resource with a first capital and nothing else.
        .map(|(key, _)| {
            let key = key.trim_start_matches('$').to_lowercase();
            format!("Gateway{}{}Route", key[..1].to_uppercase(), &key[1..])
        })
        .collect();
    let responses: BTreeSet<String> = resources("AWS::ApiGatewayV2::RouteResponse")
        .values()
        .map(|response| response["Properties"]["RouteId"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(answering, responses);
    for (key, route) in gateway.as_object().unwrap() {
        let is_one_way = route.get("RouteResponseSelectionExpression").is_none();
        assert_eq!(
            is_one_way,
            ["$connect", "$disconnect"].contains(&key.as_str()) || routes::ws::is_one_way(key),
            "{key}"
        );
    }
}

#[test]
fn the_template_is_valid_in_every_partition() {
    let text = include_str!("../template.yaml");
    assert!(!text.contains("arn:aws:") && !text.contains("amazonaws.com"));
}

#[test]
fn no_function_may_do_anything_to_anything() {
    for (name, function) in resources("AWS::Serverless::Function") {
        for statement in function["Properties"]["Policies"][0]["Statement"].as_array().unwrap() {
            let text = statement["Action"].to_string();
            assert!(!text.contains('*'), "{name}: {text}");
            assert_ne!(statement["Resource"], "*", "{name}");
        }
    }
    let policies =
        |name: &str| resources("AWS::Serverless::Function")[name]["Properties"]["Policies"].to_string();
    for name in resources("AWS::Serverless::Function").keys() {
        assert_eq!(
            policies(name).contains("ssm:"),
            name == "Authorizer",
            "only the authorizer may read the key"
        );
    }
    let actions = |function: &str, table: &str| -> Vec<String> {
        let properties = resources("AWS::Serverless::Function")[function]["Properties"].clone();
        let statements = properties["Policies"][0]["Statement"].as_array().unwrap().clone();
        let about = statements.iter().filter(|statement| statement["Resource"].to_string().contains(table));
        about.map(|statement| statement["Action"].to_string()).collect()
    };
    assert_eq!(actions("Authorizer", "Connections."), [r#""dynamodb:GetItem""#]);
    assert_eq!(policies("Authorizer").matches("dynamodb:").count(), 1);
    assert_eq!(actions("ManageUser", "Conversations."), [r#""dynamodb:BatchGetItem""#]);
    assert_eq!(actions("ManageConversation", "Users."), [r#""dynamodb:Query""#]);
    for reader in ["GetMessageList", "GetConversationList"] {
        let statements =
            &resources("AWS::Serverless::Function")[reader]["Properties"]["Policies"][0]["Statement"];
        // Who is connected is another matter: who is too fast is noted there.
        let of_chats = statements
            .as_array()
            .unwrap()
            .iter()
            .filter(|statement| statement["Resource"] != "Connections.Arn");
        for statement in of_chats {
            for write in ["Put", "Update", "Delete"] {
                assert!(
                    !statement.to_string().contains(&format!("dynamodb:{write}")),
                    "{reader}: {statement}"
                );
            }
        }
    }
}

#[test]
fn the_dashboard_shows_every_metric_and_the_alarms_watch_no_other() {
    let metrics: BTreeSet<&str> = record::counters().chain(["Latency"]).collect();
    let boards = resources("AWS::CloudWatch::Dashboard");
    let board = boards["WatchBoard"]["Properties"]["DashboardBody"].as_str().unwrap();
    serde_json::from_str::<Value>(board).expect("the body is JSON");
    for metric in &metrics {
        assert!(
            board.contains(&format!("\"{metric}\"")) || board.contains(&format!("\\\"{metric}\\\"")),
            "{metric}"
        );
    }
    for (name, alarm) in resources("AWS::CloudWatch::Alarm") {
        let properties = &alarm["Properties"];
        if properties["Namespace"].as_str().unwrap().starts_with("Hongyan/") {
            assert!(metrics.contains(properties["MetricName"].as_str().unwrap()), "{name}");
        }
    }
}

#[test]
fn the_tables_that_a_new_stack_adopts_are_those_of_the_template() {
    let page = include_str!("../docs/operate.md");
    let yaml = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let adopted: Value = serde_saphyr::from_str(yaml).unwrap();
    for (name, table) in adopted["Resources"].as_object().unwrap() {
        let (mut adopted, mut ours) =
            (table["Properties"].clone(), resources("AWS::DynamoDB::Table")[name]["Properties"].clone());
        assert_eq!(adopted["TableName"], format!("hongyan-{name}"));
        assert_eq!(ours["TableName"], format!("${{AWS::StackName}}-{name}"));
        assert_eq!(
            (&adopted["DeletionProtectionEnabled"], &ours["DeletionProtectionEnabled"]),
            (&Value::Bool(true), &"DeletionProtection".into())
        );
        // A ceiling is a parameter, and not for the tables to remember.
        ours.as_object_mut().unwrap().remove("OnDemandThroughput").unwrap();
        for differs in ["TableName", "DeletionProtectionEnabled"] {
            adopted.as_object_mut().unwrap().remove(differs);
            ours.as_object_mut().unwrap().remove(differs);
        }
        assert_eq!(adopted, ours, "{name}");
    }
}

#[test]
fn what_nobody_decides_is_the_same_in_an_account_and_on_a_laptop() {
    let parameters = &template()["Parameters"];
    let settings = Settings::default();
    assert_eq!(parameters["RecallSeconds"]["Default"], settings.recall_seconds);
    for (name, limit) in [
        ("FramesPerSecond", settings.frames_per_second),
        ("NewConversationsPerHour", settings.new_conversations_per_hour),
    ] {
        assert_eq!(parameters[name]["Default"], limit.unwrap().get(), "{name}");
    }
    assert_eq!(
        Settings::retention_of(parameters["RetentionDays"]["Default"].as_u64().unwrap()),
        settings.retention
    );
    assert_eq!(parameters["MultiDevice"]["Default"].as_str().unwrap().parse(), Ok(settings.multi_device));
}

#[test]
fn each_function_reads_what_the_template_gives_it_and_nothing_else() {
    let template = template();
    let variables = |value: &Value| -> BTreeSet<String> {
        let given = value["Environment"]["Variables"].as_object();
        given.map(|given| given.keys().cloned().collect()).unwrap_or_default()
    };
    let given_to_all = variables(&template["Globals"]["Function"]);
    let read = |build: &dyn Fn(&Config) -> Result<(), Misconfigured>| -> BTreeSet<String> {
        let asked = Arc::new(Mutex::new(BTreeSet::new()));
        let names = Arc::clone(&asked);
        let environment = move |name: &str| {
            names.lock().unwrap().insert(name.to_owned());
            let value = match name {
                "CONNECTIONS_ENDPOINT" => "http://127.0.0.1",
                "MULTI_DEVICE" => "many",
                // A deployment has its key in the parameter store.
                "USERSIG_KEY" => return None,
                _ => "1",
            };
            Some(value.to_owned())
        };
        build(&Config::from_variables(Box::new(environment), sdk_config("http://127.0.0.1"))).unwrap();
        asked.lock().unwrap().clone()
    };
    for (name, resource) in template["Resources"].as_object().unwrap() {
        if resource["Type"] != "AWS::Serverless::Function" {
            continue;
        }
        let own = variables(&resource["Properties"]);
        let read = if name == "Authorizer" {
            read(&|config| Authorizer::from_config(config).map(|_| ()))
        } else {
            read(&|config| functions::build(&kebab(name), config).unwrap().map(|_| ()))
        };
        let missing: Vec<_> = read.difference(&own).filter(|name| !given_to_all.contains(*name)).collect();
        assert!(missing.is_empty(), "{name} has no {missing:?}");
        let unread: Vec<_> = own.difference(&read).collect();
        assert!(unread.is_empty(), "{name} does not read {unread:?}");
    }
}

#[test]
fn the_client_has_a_type_for_every_action() {
    let types = include_str!("../client/src/wire.ts");
    let (_, actions) = types.split_once("export interface Actions {").unwrap();
    let actions = actions.lines().filter_map(|line| line.trim().split_once(": {"));
    let actions: BTreeSet<String> = actions.map(|(action, _)| action.to_owned()).collect();
    let routes = template_routes().into_keys().filter(|key| !key.starts_with('$')).collect();
    assert_eq!(actions, routes);
}

/// The fenced blocks of docs/protocol.md that say who sends or receives them.
fn conversation() -> Vec<(String, bool, Value)> {
    let text = include_str!("../docs/protocol.md");
    let mut lines = text.lines();
    let mut steps = Vec::new();
    while let Some(line) = lines.next() {
        let Some(what) = line.strip_prefix("```json ") else { continue };
        let (user, verb) = what.split_once(' ').unwrap();
        assert!(["sends", "receives"].contains(&verb), "{line}");
        let json: String = lines.by_ref().take_while(|line| *line != "```").collect();
        steps.push((user.to_owned(), verb == "sends", serde_json::from_str(&json).expect(&json)));
    }
    steps
}

#[tokio::test]
async fn the_examples_of_the_protocol_are_what_happens() {
    let world = World::new().await;
    let mut sockets: BTreeMap<String, Socket> = BTreeMap::new();
    let steps = conversation();
    assert!(steps.len() > 20);
    for (user, sends, frame) in steps {
        if !sockets.contains_key(&user) {
            sockets.insert(user.clone(), world.connect(&user).await);
        }
        let socket = sockets.get_mut(&user).unwrap();
        if sends {
            socket.say(frame.to_string()).await;
        } else {
            assert_eq!(socket.frame().await, frame);
        }
    }
}

#[test]
fn every_code_is_explained() {
    let text = include_str!("../docs/protocol.md");
    let refusals = [
        Refusal::Empty,
        Refusal::Malformed(""),
        Refusal::SdkAppIdMismatch,
        Refusal::IdentifierMismatch,
        Refusal::Expired { genuine: None },
        Refusal::KeyMismatch,
        Refusal::TooFar,
        Refusal::Revoked,
    ];
    let errors = [
        Error::UnknownSdkAppId,
        Error::InvalidUserId { field: "" },
        Error::NoIdentity,
        Error::Replaced,
        Error::MalformedRequest(String::new()),
        Error::UnknownAction,
        Error::BadRequest(String::new()),
        Error::NotSender,
        Error::RecallTooLate,
        Error::Blacklisted,
        Error::Blacklisting,
        Error::OperatorOnly { field: String::new() },
        Error::ClientIdTaken,
        Error::BlacklistSelf,
        Error::NoSuchConversation,
        Error::InvalidRecipient(""),
        Error::InvalidMessage(String::new()),
        Error::MessageTooLarge { size: 0 },
        Error::BaseUnknown { last: Seq(0) },
        Error::Busy,
        Error::Throttled,
        Error::Internal(String::new()),
    ];
    let codes: BTreeSet<i32> =
        errors.into_iter().chain(refusals.map(Error::UserSig)).map(|error| error.code()).collect();
    let explained: BTreeSet<i32> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next()?.parse().ok())
        .filter(|code| *code != 0)
        .collect();
    assert_eq!(codes, explained);
}

/// Sources and documents that people read: what git would list, without what is built and what is Chinese.
fn texts() -> Vec<std::path::PathBuf> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut folders: Vec<_> =
        ["functions", "shared", "local", "tests", "docs"].iter().map(|name| root.join(name)).collect();
    let mut texts: Vec<_> = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "template.yaml"]
        .iter()
        .map(|name| root.join(name))
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let is_text = [".rs", ".md", ".py", ".toml"].iter().any(|ending| name.ends_with(ending));
            if path.is_dir() {
                folders.push(path);
            } else if is_text && !name.ends_with("zh-CN.md") {
                texts.push(path);
            }
        }
    }
    texts
}

#[test]
fn a_user_is_they_in_every_text() {
    let others = ["he", "his", "him", "himself", "she", "hers", "herself", "whoever", "whomever"];
    let mut found = Vec::new();
    for path in texts() {
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let mut words = line.split(|letter: char| !letter.is_alphabetic()).map(str::to_lowercase);
            // This one has to name them.
            if !line.contains("let others = ") && words.any(|word| others.contains(&word.as_str())) {
                found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
