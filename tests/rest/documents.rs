//! docs/rest.md against what happens.

use std::collections::BTreeSet;

use hongyan_shared::rest::Command;
use serde_json::Value;

use super::ask;
use crate::{contract::fits, harness::TestApp};

/// The examples in their order: path, body, answer.
pub fn examples() -> Vec<(String, Value, Value)> {
    let text = include_str!("../../docs/rest.md");
    let mut blocks = text.split("\n```json ").skip(1).map(|block| {
        let (title, rest) = block.split_once('\n').unwrap();
        let json = rest.split("\n```").next().unwrap();
        (title.to_owned(), serde_json::from_str(json).unwrap_or_else(|error| panic!("{title}: {error}")))
    });
    let mut examples = Vec::new();
    while let Some((path, body)) = blocks.next() {
        let (title, answer) = blocks.next().unwrap();
        assert_eq!(title, "answer", "{path} has none");
        examples.push((path, body, answer));
    }
    examples
}

#[tokio::test]
async fn the_examples_are_what_happens() {
    let app = TestApp::new().await;
    for (path, body, answer) in examples() {
        let happened = ask(&app, &path, body).await;
        assert!(fits(&answer, &happened), "{path}: {happened} is not {answer}");
    }
}

#[test]
fn every_command_has_an_example_and_no_other() {
    let shown: BTreeSet<String> = examples().into_iter().map(|(path, ..)| path).collect();
    let all: BTreeSet<String> = Command::ALL.iter().map(|command| command.path().to_owned()).collect();
    assert_eq!(shown, all);
}
