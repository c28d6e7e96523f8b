//! What libraries write, whatever it looks like, is done, and what they read is in the answer.

use serde_json::{Value, json};

use crate::harness::{SDK_APP_ID, TestApp, user_sig};

/// What `libraries.http` says of one request.
struct Form<'a> {
    title: &'a str,
    path_and_query: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    /// What is where in the answer.
    reads: Vec<(&'a str, &'a str)>,
    body: &'a str,
}

impl<'a> Form<'a> {
    fn all(text: &'a str) -> Vec<Self> {
        let form = |block: &'a str| {
            let (head, body) = block.split_once("\n\n").unwrap();
            let mut lines = head.lines();
            let title = lines.next().unwrap();
            let path_and_query = lines.next().unwrap().strip_prefix("POST ").unwrap();
            let (reads, headers): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with("reads "));
            Self {
                title,
                path_and_query,
                headers: headers.iter().map(|line| line.split_once(": ").unwrap()).collect(),
                reads: reads.iter().map(|line| line["reads ".len()..].split_once(' ').unwrap()).collect(),
                body: body.trim_end(),
            }
        };
        text.split("\n### ").skip(1).map(form).collect()
    }
}

/// Whether that is in an answer where a library reads it.
fn is_there(answer: &Value, pointer: &str, expected: &str) -> bool {
    let Some(value) = answer.pointer(pointer) else { return false };
    match expected {
        "text" => value.as_str().is_some_and(|text| !text.is_empty()),
        "number" => value.is_u64(),
        "list" => value.is_array(),
        json => *value == serde_json::from_str::<Value>(json).unwrap(),
    }
}

#[tokio::test]
async fn whatever_a_library_writes_is_done_and_what_it_reads_is_there() {
    let app = TestApp::without_limits().await;
    let now = app.clock.now() / 1000;
    let (mut key, mut seq) = (String::new(), String::new());
    let mut wrong = Vec::new();
    let forms = Form::all(include_str!("libraries.http"));
    assert!(forms.len() > 70, "{}", forms.len());
    for form in &forms {
        let filled = |text: &str| {
            text.replace("$SIG", &user_sig("administrator", now))
                .replace("$APP", &SDK_APP_ID.to_string())
                .replace("$NOW", &now.to_string())
                .replace("$KEY", &key)
                .replace("$SEQ", &seq)
                .replace("$BOM", "\u{feff}")
        };
        let url = format!("{}{}", app.twin.rest_url, filled(form.path_and_query));
        let mut sending = reqwest::Client::new().post(url).body(filled(form.body));
        for (name, value) in &form.headers {
            sending = sending.header(*name, *value);
        }
        let answer = sending.send().await.unwrap();
        let status = answer.status().as_u16();
        let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        let base = (status, &answer["ActionStatus"], &answer["ErrorCode"], &answer["ErrorInfo"]);
        if base != (200, &json!("OK"), &json!(0), &json!("")) {
            wrong.push(format!("{}: {answer}", form.title));
        }
        for (pointer, expected) in &form.reads {
            if !is_there(&answer, pointer, expected) {
                wrong.push(format!("{}: no {expected} at {pointer}: {answer}", form.title));
            }
        }
        if let Some(sent) = answer["MsgKey"].as_str() {
            sent.clone_into(&mut key);
        }
        if let Some(sent) = answer["MsgSeq"].as_u64() {
            seq = sent.to_string();
        }
    }
    assert!(wrong.is_empty(), "{} of {} forms:\n{}", wrong.len(), forms.len(), wrong.join("\n"));
}
