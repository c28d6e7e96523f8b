//! One user who uploads more than everybody else together.

use std::{num::NonZeroU32, time::Duration};

use hongyan_functions::{config::Settings, random::Random};
use serde_json::{Value, json};

use crate::harness::{
    TestApp,
    fault_proxy::Fault,
    random_numbers,
    sandbox::{Sandbox, Setup},
};

const MB: u64 = 1_048_576;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn with_limit(megabytes_per_day: u32) -> TestApp {
    let media_megabytes_per_day = NonZeroU32::new(megabytes_per_day);
    TestApp::with(Settings { frames_per_second: None, media_megabytes_per_day, ..Settings::default() }).await
}

/// Asks for a form for a file of so many bytes.
async fn ask(app: &TestApp, sandbox: &Sandbox, user: &str, bytes: u64) -> Value {
    let data = json!({ "kind": "file", "type": "zip", "size": bytes });
    app.invoke_in(sandbox, "get-upload-form", user, data).await
}

/// How many bytes are allowed of as many forms of this size.
async fn allowed(app: &TestApp, sandbox: &Sandbox, user: &str, bytes: u64, forms: u64) -> u64 {
    let mut sum = 0;
    for _ in 0..forms {
        match ask(app, sandbox, user, bytes).await["code"].as_i64() {
            Some(0) => sum += bytes,
            Some(60007) => {}
            code => panic!("{code:?}"),
        }
    }
    sum
}

/// A sandbox whose numbers nobody can foresee, and that are the same in every run.
fn sandbox(app: &TestApp) -> Sandbox {
    let random = std::sync::Mutex::new(random_numbers());
    let random = Random::new(move |below| (random.lock().unwrap())(below));
    Sandbox::new(Setup { random, ..app.setup() })
}

#[tokio::test]
async fn a_day_takes_its_volume_and_the_next_day_as_much_again() {
    let app = with_limit(500).await;
    assert_eq!(allowed(&app, &app.sandbox, "alice", 100 * MB, 8).await, 500 * MB);
    let refused = ask(&app, &app.sandbox, "alice", 100 * MB).await;
    // A fifth of a day, in which there is room for a fifth of the volume.
    assert_eq!(
        refused,
        json!({
            "action": "getUploadForm", "requestID": "1", "code": 60007,
            "message": "a user may upload 500 MB per day: ask for this form again in 17280 s",
            "data": { "retryAfterSeconds": 17_280 },
        })
    );
    assert_eq!(allowed(&app, &app.sandbox, "bob", 100 * MB, 1).await, 100 * MB, "somebody else");
    app.advance(Duration::from_secs(17_279));
    assert_eq!(allowed(&app, &app.sandbox, "alice", 100 * MB, 1).await, 0);
    app.advance(Duration::from_secs(1));
    assert_eq!(allowed(&app, &app.sandbox, "alice", 100 * MB, 3).await, 100 * MB);
    app.advance(DAY);
    assert_eq!(allowed(&app, &app.sandbox, "alice", 100 * MB, 8).await, 500 * MB);
    // The counter outlives what it says.
    let mut rows = app.dump("Connections").await;
    rows.retain(|row| row["u"]["S"] == "alice" && row["s"]["S"] == "L#M");
    let number = |name: &str| rows[0][name]["N"].as_str().unwrap().parse::<u64>().unwrap();
    assert!(number("x") * 1000 > number("t"), "{rows:?}");
}

#[tokio::test]
async fn previews_are_part_of_the_volume() {
    let app = with_limit(64).await;
    let data = json!({
        "kind": "image", "type": "png", "size": 12 * MB, "previews": [2 * MB, 2 * MB],
    });
    for expected in [0, 0, 0, 0, 60007] {
        assert_eq!(app.invoke("get-upload-form", "alice", data.clone()).await["code"], expected);
    }
}

#[tokio::test]
async fn another_sandbox_learns_of_it_and_refuses_without_a_call_from_then_on() {
    let app = with_limit(500).await;
    allowed(&app, &app.sandbox, "alice", 100 * MB, 5).await;
    let another = app.sandbox(app.sandbox.settings);
    app.calls();
    assert_eq!(allowed(&app, &another, "alice", 100 * MB, 1).await, 0);
    let calls = app.calls();
    assert!((1..=2).contains(&calls.len()), "{calls:?}");
    // Of any size, here and where it was counted.
    for sandbox in [&another, &app.sandbox] {
        for bytes in [100 * MB, 8 * MB, MB, 1] {
            assert_eq!(allowed(&app, sandbox, "alice", bytes, 20).await, 0, "{bytes}");
        }
    }
    assert!(app.calls().is_empty());
}

/// What is small is counted now and then, for all of its kind: about as much of it gets through as of what is large.
#[tokio::test]
async fn small_uploads_are_held_to_the_volume_as_well_however_many_sandboxes_there_are() {
    let app = with_limit(64).await;
    let sandboxes = [sandbox(&app), sandbox(&app), sandbox(&app)];
    let (mut all, mut calls) = (0, 0);
    for number in 0..2_400 {
        all += allowed(&app, &sandboxes[number % 3], "alice", 100_000, 1).await;
        calls += app.calls().len();
    }
    // 671 forms fit. A unit more or less is chance, and each sandbox hears of the others with its next sample.
    assert!((40 * MB..96 * MB).contains(&all), "{} MB", all / MB);
    assert!((40..=110).contains(&calls), "{calls}");
    for sandbox in &sandboxes {
        assert_eq!(allowed(&app, sandbox, "alice", 1, 100).await, 0, "there is no end to nothing");
    }
}

#[tokio::test]
async fn an_upload_counts_as_64_kb_however_small_it_is() {
    let app = with_limit(1).await;
    assert_eq!(allowed(&app, &app.sandbox, "alice", 1, 20).await, 16);
    let data = json!({ "kind": "image", "type": "png", "size": 1, "previews": [1, 1] });
    for expected in [0, 0, 0, 0, 0, 60007] {
        assert_eq!(app.invoke("get-upload-form", "bob", data.clone()).await["code"], expected);
    }
}

#[tokio::test]
async fn a_quiet_user_costs_nothing() {
    let app = with_limit(500).await;
    assert_eq!(allowed(&app, &app.sandbox, "alice", 8 * MB - 1_000_000, 50).await, 50 * (8 * MB - 1_000_000));
    assert!(app.calls().is_empty());
    // From a 64th of the day on each is counted.
    allowed(&app, &app.sandbox, "alice", 500 * MB / 64, 3).await;
    assert!(app.calls().len() >= 3);
}

#[tokio::test]
async fn a_count_that_fails_refuses_nobody_and_a_limit_of_0_is_none() {
    let app = with_limit(100).await;
    app.dynamodb.break_calls(|_, _| Fault::Refuse(400, "AccessDeniedException"));
    assert_eq!(allowed(&app, &app.sandbox, "alice", 100 * MB, 3).await, 300 * MB);
    let app = with_limit(0).await;
    assert_eq!(allowed(&app, &app.sandbox, "alice", 100 * MB, 30).await, 3_000 * MB);
    assert!(app.calls().is_empty());
}

#[tokio::test]
async fn one_upload_is_taken_even_if_it_is_larger_than_a_day() {
    let app = with_limit(10).await;
    assert_eq!(allowed(&app, &app.sandbox, "alice", 100 * MB, 2).await, 100 * MB);
    let refused = ask(&app, &app.sandbox, "alice", 1).await;
    assert_eq!(refused["code"], 60007);
    app.advance(DAY);
    assert_eq!(allowed(&app, &app.sandbox, "alice", 100 * MB, 2).await, 100 * MB);
}
