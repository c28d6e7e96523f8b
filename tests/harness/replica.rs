//! A copy of the tables that lags behind: what answers a read that need not be strongly consistent.

use std::{collections::VecDeque, time::Duration};

use hongyan_local::{Running, clock::Clock};
use serde_json::{Value, json};

/// How far a replica is behind.
#[derive(Debug, Clone, Copy)]
pub enum Lag {
    /// It has everything but the last writes, so many of them.
    Writes(usize),
    /// It has everything that is as old as this by the clock of the test.
    Time(Duration),
}

impl Lag {
    /// As much as a read may be behind that is not strongly consistent. While the clock stands still, such
    /// a read sees nothing that has been written since the replica was made.
    pub const SECOND: Self = Self::Time(Duration::from_secs(1));
}

/// What happens to the tables.
pub enum Change {
    Write { operation: String, request: Value },
    Sweep,
}

/// The same engine once more, which gets every change that took place in the same order, later.
pub struct Replica {
    twin: Running,
    clock: Clock,
    lag: Lag,
    /// What it has not got yet, oldest first, and when that happened.
    behind: VecDeque<(u64, Change)>,
}

impl Replica {
    /// Makes an empty twin the replica of a database. Everything that is there now it has.
    pub async fn of(database: &str, twin: Running, clock: Clock, lag: Lag) -> Self {
        for table in call(database, "ListTables", &json!({})).await["TableNames"].as_array().unwrap() {
            let mut next = Value::Null;
            loop {
                let mut scan = json!({ "TableName": table, "ConsistentRead": true });
                if !next.is_null() {
                    scan["ExclusiveStartKey"] = next;
                }
                let page = call(database, "Scan", &scan).await;
                for item in page["Items"].as_array().unwrap() {
                    let put = json!({ "TableName": table, "Item": item });
                    assert_eq!(call(&twin.dynamodb_url, "PutItem", &put).await, json!({}));
                }
                next = page["LastEvaluatedKey"].clone();
                if next.is_null() {
                    break;
                }
            }
        }
        Self { twin, clock, lag, behind: VecDeque::new() }
    }

    /// Notes what has happened to the tables.
    pub fn hear(&mut self, change: Change) {
        self.behind.push_back((self.clock.now(), change));
    }

    /// Where it answers, when it has got what it cannot lack any more.
    pub async fn url(&mut self) -> &str {
        while let Some((then, _)) = self.behind.front() {
            let is_due = match self.lag {
                Lag::Writes(count) => self.behind.len() > count,
                Lag::Time(time) => then + time.as_millis() as u64 <= self.clock.now(),
            };
            match self.behind.pop_front_if(|_| is_due) {
                Some((_, change)) => self.apply(change).await,
                None => break,
            }
        }
        &self.twin.dynamodb_url
    }

    async fn apply(&self, change: Change) {
        match change {
            Change::Write { operation, request } => {
                let answer = call(&self.twin.dynamodb_url, &operation, &request).await;
                assert_eq!(answer["__type"], Value::Null, "what took place does so again: {answer}");
            }
            Change::Sweep => {
                self.twin.sweep_expired().unwrap();
            }
        }
    }
}

/// Whether an operation changes a table.
pub fn is_write(operation: &str) -> bool {
    matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem" | "BatchWriteItem" | "TransactWriteItems")
}

/// Makes any call to a database.
pub async fn call(database: &str, operation: &str, request: &Value) -> Value {
    let answer = reqwest::Client::new()
        .post(database)
        .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
        .header("content-type", "application/x-amz-json-1.0")
        .header("authorization", "AWS4-HMAC-SHA256 Credential=local/20261123/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
        .header("x-amz-date", "20261123T000000Z")
        .body(request.to_string())
        .send()
        .await
        .unwrap();
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hongyan_local::sdk_config;
    use serde_json::{Value, json};

    use super::{Lag, call};
    use crate::harness::{START_MS, TestApp, fault_proxy::Fault};

    /// The names that a read finds, through the proxy.
    async fn names(app: &TestApp, operation: &str, request: Value) -> Vec<String> {
        let answer = call(&app.dynamodb.url, operation, &request).await;
        let mut items = answer["Items"].as_array().cloned().unwrap_or_default();
        items.extend(answer["Responses"]["Users"].as_array().into_iter().flatten().cloned());
        items.extend(answer.get("Item").cloned());
        let mut names: Vec<String> =
            items.iter().map(|item| item["s"]["S"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    fn key(name: &str) -> Value {
        json!({ "u": { "S": "alice" }, "s": { "S": name } })
    }

    /// Every read of what `alice` has, each with its answer when there are these.
    async fn assert_seen(app: &TestApp, seen: &[&str], is_consistent: bool) {
        let of_alice = json!({
            "TableName": "Users", "KeyConditionExpression": "u = :u",
            "ExpressionAttributeValues": { ":u": { "S": "alice" } },
        });
        let wanted: Vec<Value> = ["1", "2", "3", "4", "5"].map(key).into();
        let mut newest_first = of_alice.clone();
        newest_first["ScanIndexForward"] = json!(false);
        newest_first["Limit"] = json!(100);
        for (operation, mut request) in [
            ("Query", of_alice),
            ("Query", newest_first),
            ("Scan", json!({ "TableName": "Users" })),
            ("BatchGetItem", json!({ "RequestItems": { "Users": { "Keys": wanted } } })),
        ] {
            let asked = if operation == "BatchGetItem" {
                &mut request["RequestItems"]["Users"]
            } else {
                &mut request
            };
            asked["ConsistentRead"] = json!(is_consistent);
            assert_eq!(names(app, operation, request).await, seen, "{operation}");
        }
        for name in ["1", "2", "3", "4", "5"] {
            let get = json!({ "TableName": "Users", "Key": key(name), "ConsistentRead": is_consistent });
            assert_eq!(names(app, "GetItem", get).await.len(), usize::from(seen.contains(&name)), "{name}");
        }
    }

    async fn put(app: &TestApp, name: &str) {
        let client = aws_sdk_dynamodb::Client::new(&sdk_config(&app.dynamodb.url));
        let put = client.put_item().table_name("Users");
        let put = put.item("u", text("alice")).item("s", text(name));
        put.condition_expression("attribute_not_exists(u)").send().await.unwrap();
    }

    fn text(text: &str) -> aws_sdk_dynamodb::types::AttributeValue {
        aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned())
    }

    #[tokio::test]
    async fn a_stale_read_lacks_what_is_younger_than_a_second_whatever_it_asks_for() {
        let app = TestApp::new().await;
        put(&app, "1").await;
        app.lag(Lag::SECOND).await;
        app.dynamodb.break_calls(|_, _| Fault::Stale);
        put(&app, "2").await;
        // What is refused takes place on neither side.
        let refused = json!({ "TableName": "Users", "Item": key("1"), "ConditionExpression": "attribute_not_exists(u)" });
        assert!(call(&app.dynamodb.url, "PutItem", &refused).await["__type"].is_string());
        assert_seen(&app, &["1"], false).await;
        assert_seen(&app, &["1", "2"], true).await;

        // Past the proxy, in a transaction, and swept.
        app.advance(Duration::from_millis(600));
        app.put("Users", key("3")).await;
        let ended = json!({ "u": { "S": "alice" }, "s": { "S": "4" }, "x": { "N": (START_MS / 1000 - 9).to_string() } });
        let both = json!({ "TransactItems": [
            { "Put": { "TableName": "Users", "Item": ended } },
            { "Delete": { "TableName": "Users", "Key": key("1") } },
        ]});
        assert_eq!(call(&app.dynamodb.url, "TransactWriteItems", &both).await["__type"], Value::Null);
        assert_seen(&app, &["1"], false).await;
        app.advance(Duration::from_millis(400));
        assert_seen(&app, &["1", "2"], false).await;
        assert_eq!(app.sweep().await, 1);
        app.advance(Duration::from_millis(600));
        assert_seen(&app, &["2", "3", "4"], false).await;
        assert_seen(&app, &["2", "3"], true).await;
        app.advance(Duration::from_millis(400));
        assert_seen(&app, &["2", "3"], false).await;
    }

    #[tokio::test]
    async fn a_replica_is_so_many_writes_behind_as_the_test_says() {
        let app = TestApp::new().await;
        app.lag(Lag::Writes(2)).await;
        for name in ["1", "2", "3"] {
            put(&app, name).await;
        }
        app.dynamodb.break_calls(|_, _| Fault::Stale);
        assert_seen(&app, &["1"], false).await;
        app.dynamodb.mend();
        assert_seen(&app, &["1", "2", "3"], false).await;
    }
}
