use std::{
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::ZlibEncoder};
use hongyan_functions::{
    secret::Secret,
    trigger::{
        authorizer::{Authorizer, NoKeys},
        signatures::Signatures,
    },
};
use hongyan_local::{clock::Clock, sdk_config};
use hongyan_shared::sig::{Key, Keys, MAX_CHARS, issue};
use serde_json::{Value, json};

use crate::harness::{KEY, RULES, SDK_APP_ID, START_MS, answering, event, nobody_was_kicked, user_sig};

const NOW: u64 = START_MS / 1000;

async fn decide(event: Value, now: u64, keys: &str) -> Result<Value, String> {
    let (keys, connections) = (Keys::parse(keys).unwrap(), nobody_was_kicked().await);
    let authorizer = Authorizer::new(
        Signatures::new(RULES, keys),
        connections,
        hongyan_functions::clock::Clock::new(move || now * 1000),
    );
    authorizer.handle(serde_json::from_value(event).unwrap(), "").await.map_err(|error| error.to_string())
}

fn with_query(name: &str, value: Value) -> Value {
    let mut event = event("authorizer");
    event["queryStringParameters"][name] = value;
    event
}

fn effect(verdict: &Value) -> &str {
    verdict["policyDocument"]["Statement"][0]["Effect"].as_str().unwrap()
}

#[tokio::test]
async fn a_good_signature_is_allowed_and_its_user_becomes_the_context() {
    let verdict = decide(event("authorizer"), NOW, KEY).await.unwrap();
    assert_eq!(effect(&verdict), "Allow");
    assert_eq!(verdict["principalId"], "alice");
    assert_eq!(
        verdict["context"],
        json!({
            "userID": "alice", "platform": "MiniProgram", "instance": "phone-1",
            "issuedAt": verdict["context"]["issuedAt"], "expiresAt": verdict["context"]["expiresAt"],
        })
    );
    let resource = &verdict["policyDocument"]["Statement"][0]["Resource"];
    assert_eq!(*resource, event("authorizer")["methodArn"]);
}

#[tokio::test]
async fn the_header_wins_over_the_query() {
    let mut event = with_query("userSig", json!("nonsense"));
    event["headers"]["Authorization"] = json!(user_sig("alice", NOW));
    assert_eq!(effect(&decide(event.clone(), NOW, KEY).await.unwrap()), "Allow");

    event["headers"]["Authorization"] = json!("nonsense");
    event["queryStringParameters"]["userSig"] = json!(user_sig("alice", NOW));
    assert_eq!(effect(&decide(event, NOW, KEY).await.unwrap()), "Deny");
}

#[tokio::test]
async fn no_signature_and_a_wrong_one_are_denied() {
    for (name, value) in [
        ("userSig", json!("")),
        ("userSig", json!("forged")),
        ("userSig", json!(user_sig("bob", NOW))),
        ("userID", json!("bob")),
        ("userID", json!("a\nb")),
        ("SDKAppID", json!("1400000001")),
        ("SDKAppID", json!("1400000000 ")),
        ("instance", json!("a#b")),
    ] {
        let verdict = decide(with_query(name, value.clone()), NOW, KEY).await.unwrap();
        assert_eq!(effect(&verdict), "Deny", "{name}={value}");
        assert_eq!(verdict["context"], json!({}), "a refused caller gets no context");
    }
    assert_eq!(effect(&decide(event("authorizer"), NOW, "another key").await.unwrap()), "Deny");
}

#[tokio::test]
async fn during_a_rotation_both_keys_open_the_door() {
    let keys = format!("the-new-key,{KEY}");
    assert_eq!(effect(&decide(event("authorizer"), NOW, &keys).await.unwrap()), "Allow");
}

#[tokio::test]
async fn a_genuine_signature_that_has_expired_opens_the_door_and_a_forged_one_does_not() {
    let sig = user_sig("alice", NOW);
    let later = NOW + 30 * 24 * 60 * 60;
    let verdict = decide(with_query("userSig", json!(sig)), later, KEY).await.unwrap();
    assert_eq!(effect(&verdict), "Allow");
    assert!(verdict["context"]["expiresAt"].as_str().unwrap().parse::<u64>().unwrap() < later);

    assert_eq!(
        effect(&decide(with_query("userSig", json!(sig)), later, "another key").await.unwrap()),
        "Deny"
    );
}

/// A parameter store with one parameter, or none. Counts how often it was asked.
async fn parameter_store(value: Arc<Mutex<Option<String>>>) -> (String, Arc<Mutex<usize>>) {
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let url = answering(move || {
        *count.lock().unwrap() += 1;
        match &*value.lock().unwrap() {
            Some(value) => {
                (200, json!({ "Parameter": { "Type": "SecureString", "Value": value } }).to_string())
            }
            None => (400, json!({ "__type": "ParameterNotFound", "message": "" }).to_string()),
        }
    });
    (url.await, asked)
}

/// What a deployment has: nobody has published it.
const OWN_KEY: &str = "a key of the operator's own";

/// The handshake of `events/`, signed with it.
fn signed() -> Value {
    with_query("userSig", json!(issue(&Key::parse(OWN_KEY).unwrap(), SDK_APP_ID, "alice", NOW, 60 * 60)))
}

async fn authorizer(parameter_store: &str, clock: &Clock) -> Authorizer {
    let parse = |text: &str| Keys::parse_secret(text).map_err(|error| error.to_string());
    let keys = Secret::in_parameter(&sdk_config(parameter_store), "/hongyan/key".to_owned(), parse);
    Authorizer::new(Signatures::new(RULES, keys), nobody_was_kicked().await, clock.reader())
}

#[tokio::test]
async fn the_key_comes_from_the_parameter_store_and_a_rotation_needs_five_minutes() {
    let value = Arc::new(Mutex::new(Some(OWN_KEY.to_owned())));
    let (url, asked) = parameter_store(Arc::clone(&value)).await;
    let clock = Clock::manual(START_MS);
    let authorizer = authorizer(&url, &clock).await;
    let decide = async || {
        let handshake = serde_json::from_value(signed()).unwrap();
        effect(&authorizer.handle(handshake, "").await.unwrap()).to_owned()
    };

    assert_eq!((decide().await, decide().await), ("Allow".to_owned(), "Allow".to_owned()));
    assert_eq!(*asked.lock().unwrap(), 1, "the key is not read for every handshake");

    // A new key, and the old one no longer beside it.
    *value.lock().unwrap() = Some("another key".to_owned());
    clock.advance(Duration::from_secs(299));
    assert_eq!(decide().await, "Allow");
    clock.advance(Duration::from_secs(1));
    assert_eq!(decide().await, "Deny");

    // The store is away: the last known key goes on.
    *value.lock().unwrap() = None;
    clock.advance(Duration::from_secs(300));
    assert_eq!(decide().await, "Deny");
}

#[tokio::test]
async fn a_parameter_store_that_hangs_keeps_nobody_waiting_who_knows_the_key() {
    let (hangs, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(0)));
    let (is_hanging, count) = (Arc::clone(&hangs), Arc::clone(&asked));
    let respond = move || {
        *count.lock().unwrap() += 1;
        let hangs = is_hanging.load(Ordering::Relaxed);
        async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            json!({ "Parameter": { "Type": "SecureString", "Value": OWN_KEY } }).to_string()
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(respond)).await });
    let clock = Clock::manual(START_MS);
    let authorizer = authorizer(&url, &clock).await;
    let decide = async || {
        let handshake = serde_json::from_value(signed()).unwrap();
        effect(&authorizer.handle(handshake, "").await.unwrap()).to_owned()
    };
    assert_eq!(decide().await, "Allow");
    hangs.store(true, Ordering::Relaxed);
    // A callback has two seconds in all, and its token is read in them.
    for _ in 0..2 {
        clock.advance(Duration::from_secs(300));
        let started = Instant::now();
        assert_eq!((decide().await, decide().await), ("Allow".to_owned(), "Allow".to_owned()));
        assert!(started.elapsed() < Duration::from_millis(1_400), "{:?}", started.elapsed());
    }
    assert_eq!(*asked.lock().unwrap(), 3, "and it is not asked again at once");
}

#[tokio::test]
async fn no_key_is_fetched_for_a_handshake_that_no_key_could_save() {
    let (url, asked) = parameter_store(Arc::new(Mutex::new(Some(OWN_KEY.to_owned())))).await;
    let clock = Clock::manual(START_MS);
    let decide = async |event: &Value| {
        // Each comes to a sandbox of its own, which has no key yet.
        let handshake = serde_json::from_value(event.clone()).unwrap();
        effect(&authorizer(&url, &clock).await.handle(handshake, "").await.unwrap()).to_owned()
    };
    let sign = |app: u64, user: &str| issue(&Key::parse("another").unwrap(), app, user, NOW, 60);
    let short_bomb = bomb(2_500_000);
    assert!(short_bomb.len() < MAX_CHARS, "the length alone does not refuse it");
    for (name, value) in [
        ("userID", json!("")),
        ("userID", json!("a".repeat(9_000))),
        ("SDKAppID", json!("9".repeat(9_000))),
        ("SDKAppID", json!("1")),
        ("instance", json!("x".repeat(9_000))),
        ("userSig", json!("")),
        ("userSig", json!("nonsense")),
        ("userSig", json!("eJ".repeat(MAX_CHARS))),
        ("userSig", json!("签名")),
        ("userSig", json!(short_bomb)),
        ("userSig", json!(packed(b"[]"))),
        ("userSig", json!(packed(&b"[".repeat(8_000)))),
        ("userSig", json!(packed(b"{}"))),
        ("userSig", json!(sign(SDK_APP_ID + 1, "alice"))),
        ("userSig", json!(sign(SDK_APP_ID, "bob"))),
        ("userSig", json!(packed(document("alice", "AAAA").as_bytes()))),
    ] {
        assert_eq!(decide(&with_query(name, value.clone())).await, "Deny", "{name}={value}");
    }
    assert_eq!(*asked.lock().unwrap(), 0);

    // It says what a good one says, so only the key can tell; and it is asked for once in five minutes.
    let authorizer = authorizer(&url, &clock).await;
    for _ in 0..100 {
        let forged = with_query("userSig", json!(sign(SDK_APP_ID, "alice")));
        let verdict = authorizer.handle(serde_json::from_value(forged).unwrap(), "").await.unwrap();
        assert_eq!(effect(&verdict), "Deny");
    }
    assert_eq!(*asked.lock().unwrap(), 1);
}

#[tokio::test]
async fn a_parameter_store_without_the_key_is_not_asked_for_every_handshake() {
    let value = Arc::new(Mutex::new(None));
    let (url, asked) = parameter_store(Arc::clone(&value)).await;
    let clock = Clock::manual(START_MS);
    let authorizer = authorizer(&url, &clock).await;
    let handle = async || authorizer.handle(serde_json::from_value(signed()).unwrap(), "").await;
    for _ in 0..100 {
        handle().await.unwrap_err();
    }
    assert_eq!(*asked.lock().unwrap(), 1);

    // The operator has stored it meanwhile.
    *value.lock().unwrap() = Some(OWN_KEY.to_owned());
    clock.advance(Duration::from_secs(5));
    assert_eq!(effect(&handle().await.unwrap()), "Allow");
}

#[tokio::test]
async fn a_deployment_does_not_take_the_published_key_nor_three_and_says_why() {
    for (stored, why) in [
        (KEY.to_owned(), "published sample"),
        (format!("{OWN_KEY},{KEY}"), "published sample"),
        (format!("{OWN_KEY},b,c"), "more than two"),
    ] {
        let (url, _) = parameter_store(Arc::new(Mutex::new(Some(stored)))).await;
        let mut authorizer = authorizer(&url, &Clock::manual(START_MS)).await;
        let said = Arc::new(Mutex::new(String::new()));
        authorizer.report = {
            let said = Arc::clone(&said);
            Arc::new(move |line| *said.lock().unwrap() = line.detail().unwrap_or_default())
        };
        for handshake in [event("authorizer"), signed()] {
            let refused = authorizer.handle(serde_json::from_value(handshake).unwrap(), "").await;
            assert!(matches!(refused, Err(NoKeys)), "{refused:?}");
        }
        let said = said.lock().unwrap();
        assert!(said.contains(why) && said.contains("/hongyan/key"), "{said}");
        assert!(!said.contains(KEY) && !said.contains(OWN_KEY), "{said}");
    }
}

/// What an official library would make of such a document.
fn packed(document: &[u8]) -> String {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(document).unwrap();
    STANDARD.encode(zlib.finish().unwrap()).replace('+', "*").replace('/', "-").replace('=', "_")
}

fn bomb(bytes: usize) -> String {
    packed(&vec![b' '; bytes])
}

/// All that a document has to say, and an HMAC.
fn document(user: &str, mac: &str) -> String {
    json!({
        "TLS.ver": "2.0", "TLS.identifier": user, "TLS.sdkappid": SDK_APP_ID, "TLS.time": NOW, "TLS.expire": 60,
        "TLS.sig": mac,
    })
    .to_string()
}

/// What the operator is told when the authorizer fails, of which API Gateway makes a 500.
async fn why_it_fails(parameter_store: &str) -> String {
    let mut authorizer = authorizer(parameter_store, &Clock::manual(START_MS)).await;
    let why = Arc::new(Mutex::new(None));
    let told = Arc::clone(&why);
    authorizer.report = Arc::new(move |line| *told.lock().unwrap() = line.detail());
    let NoKeys = authorizer.handle(serde_json::from_value(signed()).unwrap(), "").await.unwrap_err();
    why.lock().unwrap().clone().unwrap()
}

#[tokio::test]
async fn without_a_key_the_door_fails_and_says_so() {
    let (url, _) = parameter_store(Arc::default()).await;
    assert!(why_it_fails(&url).await.contains("ParameterNotFound"));
}

#[tokio::test]
async fn an_answer_with_the_key_that_cannot_be_read_does_not_get_into_the_log() {
    let url = answering(|| (200, format!(r#"{{"Parameter":{{"Value":"{KEY}""#))).await;
    let why = why_it_fails(&url).await;
    assert!(!why.is_empty() && !why.contains(KEY), "{why}");
}
