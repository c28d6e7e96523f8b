//! Template, binaries, events and documents say the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use hongyan_functions::{
    config::{Config, Misconfigured, Settings},
    functions, record,
    trigger::{authorizer::Authorizer, rest},
};
use hongyan_local::sdk_config;
use hongyan_shared::protocol::Action;
use serde_json::Value;

use crate::harness::{
    TestApp,
    socket::Socket,
    template::{kebab, template, template_routes},
};

fn resources(kind: &str) -> BTreeMap<String, Value> {
    let template = template();
    let of_kind =
        template["Resources"].as_object().unwrap().iter().filter(|(_, resource)| resource["Type"] == kind);
    of_kind.map(|(name, resource)| (name.clone(), resource.clone())).collect()
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
    let sources = resources("AWS::Lambda::EventSourceMapping");
    let behind_streams: BTreeSet<String> = sources
        .values()
        .map(|source| {
            kebab(source["Properties"]["FunctionName"].as_str().unwrap().strip_suffix(".Arn").unwrap())
        })
        .collect();
    let on_streams: BTreeSet<String> = functions::ON_STREAMS.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(on_streams, behind_streams);
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
fn the_template_routes_every_action_to_its_function_and_nothing_else() {
    let mut routes: BTreeMap<String, String> =
        Action::ALL.iter().map(|action| (action.name().to_owned(), action.function().to_owned())).collect();
    for own in ["connect", "disconnect", "default"] {
        routes.insert(format!("${own}"), own.to_owned());
    }
    let of_template = template_routes().into_iter().map(|(key, function)| (key, kebab(&function)));
    assert_eq!(routes, of_template.collect());
}

#[test]
fn the_protocol_shows_of_every_action_what_is_sent_and_what_is_answered() {
    let frames = conversation().into_iter();
    let shown: BTreeSet<(String, bool)> =
        frames.filter_map(|(_, sends, frame)| Some((frame["action"].as_str()?.to_owned(), sends))).collect();
    let all =
        Action::ALL.iter().flat_map(|action| [true, false].map(|sends| (action.name().to_owned(), sends)));
    let missing: Vec<_> = all.filter(|example| !shown.contains(example)).collect();
    assert!(missing.is_empty(), "docs/protocol.md has no example (action, is sent): {missing:?}");
}

/// With `UPDATE`, an action that has no event yet gets the first example of it in docs/protocol.md. In events,
/// alice asks about bob.
fn write_missing_events() {
    for action in Action::ALL {
        let path = format!("events/{}.json", kebab(action.name()));
        if is_there(&path) {
            continue;
        }
        let example = conversation().into_iter().find(|(.., frame)| frame["action"] == action.name());
        let (user, _, mut frame) = example.unwrap_or_else(|| panic!("docs/protocol.md has no {action:?}"));
        frame["requestID"] = "1".into();
        let swapped = frame.to_string().replace("alice", "\0").replace("bob", "alice").replace('\0', "bob");
        let mut event = crate::harness::event("login");
        event["requestContext"]["routeKey"] = action.name().into();
        event["body"] = if user == "bob" { swapped.into() } else { frame.to_string().into() };
        let path = format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"));
        std::fs::write(path, serde_json::to_string_pretty(&event).unwrap() + "\n").unwrap();
    }
}

#[test]
fn every_route_and_function_has_an_event() {
    if std::env::var_os("UPDATE").is_some() {
        write_missing_events();
    }
    let mut expected: BTreeSet<String> = Action::ALL.iter().map(|action| kebab(action.name())).collect();
    expected.extend(["authorizer", "connect", "disconnect", "default"].map(str::to_owned));
    let others = functions::ON_STREAMS.iter().copied().chain(["rest"]).map(str::to_owned);
    assert_eq!(files("events", ".json"), expected.iter().cloned().chain(others).collect());
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
            ["$connect", "$disconnect"].contains(&key.as_str())
                || Action::parse(key).is_some_and(Action::is_one_way),
            "{key}"
        );
    }
}

#[test]
fn the_template_is_valid_in_every_partition() {
    // A service is called the same in all of them.
    let text = include_str!("../template.yaml").replace("{Service: cloudfront.amazonaws.com}", "");
    let text = text.replace("Principal: apigateway.amazonaws.com", "");
    assert!(!text.contains("arn:aws:") && !text.contains("amazonaws.com"));
}

#[test]
fn no_function_may_do_anything_to_anything() {
    for (name, function) in resources("AWS::Serverless::Function") {
        let statements = function["Properties"]["Policies"][0]["Statement"].as_array().unwrap();
        // What depends on a condition is the second of its three parts.
        for statement in statements.iter().map(|statement| statement.get(1).unwrap_or(statement)) {
            let text = statement["Action"].to_string();
            assert!(!text.contains('*'), "{name}: {text}");
            assert_ne!(statement["Resource"], "*", "{name}");
        }
    }
    let policies =
        |name: &str| resources("AWS::Serverless::Function")[name]["Properties"]["Policies"].to_string();
    for name in resources("AWS::Serverless::Function").keys() {
        assert_eq!(
            policies(name).contains("parameter${UserSigKeyParameter}"),
            ["Authorizer", "Rest"].contains(&name.as_str()),
            "only who verifies signatures may read the key"
        );
        let calls = policies(name).contains("parameter${CallbackTokenParameter}");
        assert_eq!(
            calls,
            ["SendMessage", "ManageGroup", "Rest", "Callback"].contains(&name.as_str()),
            "only who calls may read the token"
        );
        let reads = policies(name).matches("ssm:GetParameter").count();
        let verifies = policies(name).contains("parameter${UserSigKeyParameter}");
        assert_eq!(reads, usize::from(verifies) + usize::from(calls), "and nothing else");
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
        // Who is connected is another matter: who is too fast is noted there. So is a place in a list, which is given up
        // when there is nothing to show any more.
        let of_chats = statements
            .as_array()
            .unwrap()
            .iter()
            .filter(|statement| statement["Resource"] != "Connections.Arn")
            .filter(|statement| reader == "GetMessageList" || statement["Resource"] != "Conversations.Arn");
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

/// A record that nobody can make anything of ends in a queue that somebody is told of, and keeps none behind it from
/// being heard of.
#[test]
fn a_stream_goes_on_behind_what_always_fails() {
    let functions = resources("AWS::Serverless::Function");
    let sources = resources("AWS::Lambda::EventSourceMapping");
    assert!(!sources.is_empty());
    for (name, source) in sources {
        let source = &source["Properties"];
        assert_eq!(source["FunctionResponseTypes"], serde_json::json!(["ReportBatchItemFailures"]), "{name}");
        assert_eq!(source["BisectBatchOnFunctionError"], true, "{name}");
        // It ends by attempts, or by age, which leaves half of the day for which the stream keeps a record.
        let is_up_to =
            |limit: &str, most: u64| source[limit].as_u64().is_some_and(|limit| (1..=most).contains(&limit));
        assert!(
            is_up_to("MaximumRetryAttempts", 100) || is_up_to("MaximumRecordAgeInSeconds", 43_200),
            "{name}"
        );
        let queue = source["DestinationConfig"]["OnFailure"]["Destination"].as_str().unwrap();
        let queue = queue.strip_suffix(".Arn").unwrap();
        let is_about =
            |alarm: &Value| alarm["Properties"]["Dimensions"][0]["Value"] == format!("{queue}.QueueName");
        assert!(resources("AWS::CloudWatch::Alarm").values().any(is_about), "nobody is told of {queue}");
        let function = &functions[source["FunctionName"].as_str().unwrap().strip_suffix(".Arn").unwrap()];
        assert!(function["Properties"].get("Events").is_none(), "{name}: SAM would let it read every stream");
        let policies = function["Properties"]["Policies"].to_string();
        for right in [&source["EventSourceArn"], &format!("{queue}.Arn").into()] {
            assert!(policies.contains(&right.to_string()), "{name}: {right}");
        }
        // Ten attempts at a time of the SDK's longest have to fit the function's time, unless it looks at the time itself.
        let looks_at_the_time = source["FunctionName"] == "Callback.Arn";
        if looks_at_the_time {
            // The last record is begun after 40 seconds. It may be seventeen calls of two, and six for the queue.
            assert!(
                function["Properties"]["Timeout"].as_u64().is_some_and(|seconds| seconds > 40 + 17 * 2 + 6)
            );
        }
        let most = if looks_at_the_time { 100 } else { 10 };
        assert!(source["BatchSize"].as_u64().is_some_and(|records| records <= most), "{name}");
        assert!(
            source["ParallelizationFactor"].as_u64().is_none_or(|batches| batches == 1),
            "{name}: no order"
        );
    }
}

/// What is there for a business server alone is not there without one.
#[test]
fn without_a_business_server_there_is_no_stream_no_function_and_nothing_to_pay_for() {
    let template = template();
    let resources = template["Resources"].as_object().unwrap();
    let condition = |name: &str| resources[name]["Condition"].as_str();
    for name in ["Callback", "MessagesToTell", "ConnectionsToTell", "UndeliveredCallbacks"] {
        assert_eq!(condition(name), Some("HasCallback"), "{name}");
    }
    for name in ["FailedCallbacksAlarm", "UndeliveredCallbacksAlarm", "LateCallbacksAlarm"] {
        assert_eq!(condition(name), Some("HasCallbackAlarms"), "{name}");
    }
    for (table, condition) in [("Messages", "HasMessageStream"), ("Connections", "HasCallback")] {
        let stream = &resources[table]["Properties"]["StreamSpecification"];
        // Both images, for media as well: a stream that is there cannot show anything else.
        let both = serde_json::json!({ "StreamViewType": "NEW_AND_OLD_IMAGES" });
        assert_eq!((&stream[0], &stream[1]), (&condition.into(), &both));
    }
    assert_eq!(template["Parameters"]["CallbackUrl"]["Default"], "");
    assert_eq!(template["Parameters"]["CallbackTokenParameter"]["Default"], "");
}

#[test]
fn only_who_deletes_media_may_and_nothing_but_media() {
    for (name, function) in resources("AWS::Serverless::Function") {
        let policies = function["Properties"]["Policies"][0]["Statement"].as_array().unwrap();
        let deletes: Vec<&Value> =
            policies.iter().filter(|statement| statement.to_string().contains("s3:DeleteObject")).collect();
        let may = ["DeleteMedia", "Rest"].contains(&name.as_str());
        assert_eq!(!deletes.is_empty(), may, "{name}");
        for statement in deletes {
            let statement = statement.get(1).unwrap_or(statement);
            assert_eq!(statement["Resource"], "${MediaBucket.Arn}/m/*");
        }
    }
}

#[test]
fn the_dashboard_shows_every_metric_and_the_alarms_watch_no_other() {
    let metrics: BTreeSet<&str> = record::counters().chain(["Latency"]).collect();
    let boards = resources("AWS::CloudWatch::Dashboard");
    let board = boards["MetricsDashboard"]["Properties"]["DashboardBody"][0].as_str().unwrap();
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
    let adopted: Value = serde_saphyr::from_str(include_str!("../tables.yaml")).unwrap();
    let (adopted, tables) = (adopted["Resources"].as_object().unwrap(), resources("AWS::DynamoDB::Table"));
    assert_eq!(adopted.keys().collect::<BTreeSet<_>>(), tables.keys().collect::<BTreeSet<_>>());
    for (name, table) in adopted {
        // Without one, a table that was imported would go with its stack.
        assert_eq!(table["DeletionPolicy"], "Retain", "{name}");
        for page in [include_str!("../docs/operate.md"), include_str!("../docs/operate.zh-CN.md")] {
            assert!(page.contains(&format!("\"LogicalResourceId\":\"{name}\"")), "{name} is imported");
        }
        let (mut adopted, mut ours) = (table["Properties"].clone(), tables[name]["Properties"].clone());
        assert_eq!(
            (&adopted["DeletionProtectionEnabled"], &ours["DeletionProtectionEnabled"]),
            (&Value::Bool(true), &"DeletionProtection".into())
        );
        // A ceiling and a stream are parameters, and not for the tables to remember.
        ours.as_object_mut().unwrap().remove("OnDemandThroughput").unwrap();
        ours.as_object_mut().unwrap().remove("StreamSpecification");
        for properties in [&mut adopted, &mut ours] {
            properties.as_object_mut().unwrap().remove("DeletionProtectionEnabled");
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
        ("MediaMegabytesPerDay", settings.media_megabytes_per_day),
    ] {
        assert_eq!(parameters[name]["Default"], limit.unwrap().get(), "{name}");
    }
    assert_eq!(
        Settings::retention_of(parameters["RetentionDays"]["Default"].as_u64().unwrap()),
        settings.retention
    );
    let text = |name: &str| parameters[name]["Default"].as_str().unwrap();
    assert_eq!(text("MultiDevice").parse(), Ok(settings.multi_device));
    assert_eq!(text("UnknownUsers").parse(), Ok(settings.unknown_users));
    assert_eq!(text("DeletedUsersMessages").parse(), Ok(settings.deleted_users_messages));
    assert_eq!(text("Administrators"), rest::ADMINISTRATOR);
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
                "UNKNOWN_USERS" => "accept",
                "DELETED_USERS_MESSAGES" => "keep",
                "CALLBACK_URL" => "https://example.com",
                "CALLBACK_FAILURE" => "send",
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
        } else if name == "Rest" {
            read(&|config| rest::Function::from_config(config).map(|_| ()))
        } else if name == "DeleteMedia" {
            read(&|config| functions::delete_media(config).map(|_| ()))
        } else if name == "Callback" {
            read(&|config| functions::callback(config).map(|_| ()))
        } else {
            read(&|config| functions::build(&kebab(name), config).unwrap().map(|_| ()))
        };
        let missing: Vec<_> = read.difference(&own).filter(|name| !given_to_all.contains(*name)).collect();
        assert!(missing.is_empty(), "{name} has no {missing:?}");
        let unread: Vec<_> = own.difference(&read).collect();
        assert!(unread.is_empty(), "{name} does not read {unread:?}");
    }
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

/// Whether this is what an example shows, in which one `…` in a text is anything.
pub fn fits(example: &Value, answer: &Value) -> bool {
    match (example, answer) {
        (Value::Object(one), Value::Object(other)) => {
            one.keys().eq(other.keys()) && one.iter().all(|(name, value)| fits(value, &other[name]))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| fits(one, other))
        }
        (Value::String(one), Value::String(other)) => match one.split_once('…') {
            Some((start, end)) => other.starts_with(start) && other.ends_with(end),
            None => one == other,
        },
        _ => example == answer,
    }
}

#[tokio::test]
async fn the_examples_of_the_protocol_are_what_happens() {
    let app = TestApp::new().await;
    let mut sockets: BTreeMap<String, Socket> = BTreeMap::new();
    let steps = conversation();
    assert!(steps.len() > 20);
    for (user, sends, frame) in steps {
        if !sockets.contains_key(&user) {
            sockets.insert(user.clone(), app.connect(&user).await);
        }
        let socket = sockets.get_mut(&user).unwrap();
        if sends {
            socket.say(frame.to_string()).await;
        } else {
            let answer = socket.frame().await;
            assert!(fits(&frame, &answer), "{answer} is not {frame}");
        }
    }
}
