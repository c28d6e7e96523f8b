//! Template, binaries, events and documents say the same.

use std::collections::{BTreeMap, BTreeSet};

use hongyan_functions::routes;
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
fn template_routes() -> BTreeMap<String, String> {
    let gateway = &template()["Resources"]["Gateway"]["Properties"]["Routes"];
    let function =
        |route: &Value| route["FunctionArn"].as_str().unwrap().strip_suffix(".Arn").unwrap().to_owned();
    gateway.as_object().unwrap().iter().map(|(key, route)| (key.clone(), function(route))).collect()
}

fn files(folder: &str, ending: &str) -> BTreeSet<String> {
    let path = format!("{}/../{folder}", env!("CARGO_MANIFEST_DIR"));
    let names =
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_suffix(ending).map(str::to_owned)).collect()
}

/// `sendMessage` and `SendMessage` become `send-message`.
fn kebab(name: &str) -> String {
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

    let served: BTreeSet<String> = routes::NAMES.iter().map(|name| (*name).to_owned()).collect();
    let behind_routes: BTreeSet<String> =
        template_routes().values().map(|function| kebab(function)).collect();
    assert_eq!(served, behind_routes);
    let modules: BTreeSet<String> = served.iter().map(|name| name.replace('-', "_")).collect();
    let mut in_folder = files("functions/src/routes", ".rs");
    in_folder.remove("mod");
    assert_eq!(modules, in_folder);

    for (key, function) in template_routes() {
        // Login shares the function of $connect; every other route has the function of its name.
        assert!(
            kebab(&key) == kebab(&function) || (key == "login" && function == "Connect"),
            "{key} {function}"
        );
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
            ["$connect", "$disconnect"].contains(&key.as_str()) || routes::is_one_way(key),
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
    assert!(!policies("Authorizer").contains("dynamodb:"));
    for reader in ["GetMessageList", "GetConversationList"] {
        for write in ["Put", "Update", "Delete"] {
            assert!(!policies(reader).contains(&format!("dynamodb:{write}")), "{reader}");
        }
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
    ];
    let errors = [
        Error::UnknownSdkAppId,
        Error::InvalidUserId { field: "" },
        Error::NoIdentity,
        Error::Replaced,
        Error::MalformedRequest(String::new()),
        Error::UnknownAction,
        Error::BadRequest(String::new()),
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
