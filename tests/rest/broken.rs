//! Each command of docs/rest.md, ended behind each of its calls and sent again: what a library does that got no answer.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::join_all;
use serde_json::Value;

use super::{command, documents::examples, respond};
use crate::{
    contract::fits,
    harness::{TestApp, fault_proxy::Fault},
};

/// Few of the examples have more calls, and none behind them does anything of another kind.
const CALLS: usize = 12;

/// From here on so many calls are made, and none behind them. Returns how many there were, those that were not made as well.
fn end_behind(app: &TestApp, made: usize) -> Arc<AtomicUsize> {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    app.dynamodb.break_calls(move |_, _| match counted.fetch_add(1, Ordering::Relaxed) {
        call if call < made => Fault::None,
        // The SDK does not ask again.
        _ => Fault::Refuse(400, "ResourceNotFoundException"),
    });
    calls
}

/// Whether an answer says the same, whatever numbers messages have got and who had come by then.
fn says(example: &Value, answer: &Value) -> bool {
    match (example, answer) {
        (Value::Object(one), Value::Object(other)) => {
            one.keys().eq(other.keys())
                && one.iter().all(|(name, value)| match name.as_str() {
                    "ErrorCode" | "ResultCode" => value == &other[name],
                    _ => says(value, &other[name]),
                })
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| says(one, other))
        }
        (Value::Number(_), Value::Number(_)) => true,
        _ => fits(example, answer),
    }
}

/// Whether an answer names somebody with whom something is still to be done.
fn is_unfinished(answer: &Value) -> bool {
    let text = answer.to_string();
    ["70500", "91000", "FailAccounts"].iter().any(|sign| text.contains(sign))
}

/// All examples in their order, each of them ended behind so many calls before it is done. Returns how many had more, and what is wrong.
async fn all_ended_behind(made: usize) -> (usize, Vec<String>) {
    let app = TestApp::new().await;
    let (mut ended, mut wrong) = (0, Vec::new());
    for (path, body, answer) in examples() {
        let calls = end_behind(&app, made);
        let (status, first) = respond(&app, command(&app, &path, &body)).await;
        app.dynamodb.mend();
        ended += usize::from(calls.load(Ordering::Relaxed) > made);
        // It is done, but for something that nobody waits for.
        if status == 200 && says(&answer, &first) {
            continue;
        }
        if status == 200 && !is_unfinished(&first) {
            wrong.push(format!("{path}, ended behind {made} calls, does not say so: {first}"));
        }
        let (_, again) = respond(&app, command(&app, &path, &body)).await;
        if !says(&answer, &again) {
            wrong.push(format!("{path}, ended behind {made} calls and sent again: {again} is not {answer}"));
        }
    }
    (ended, wrong)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_ends_behind_any_call_may_be_sent_again() {
    let runs = join_all((0..CALLS).map(|made| tokio::spawn(all_ended_behind(made)))).await;
    let (ended, wrong): (Vec<usize>, Vec<_>) = runs.into_iter().map(Result::unwrap).unzip();
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ended[0] > 40 && ended[CALLS - 1] > 0, "{ended:?}");
}
