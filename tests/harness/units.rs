//! What a call of a table has cost, by its request and its answer.

use serde_json::Value;

/// Whether an operation only looks.
pub fn is_read(operation: &str) -> bool {
    matches!(operation, "Query" | "GetItem" | "BatchGetItem" | "Scan")
}

/// The capacity units of a call that was asked to say them.
pub fn consumed(request: &Value, answer: &Value) -> f64 {
    let units_of = |consumed: &Value| consumed["CapacityUnits"].as_f64().unwrap_or_default();
    // A batch and a transaction say it for each table.
    let units = match &answer["ConsumedCapacity"] {
        Value::Array(tables) => tables.iter().map(units_of).sum(),
        consumed => units_of(consumed),
    };
    units + refused_units(request, answer)
}

/// What a write costs that the engine has refused, of which DynamoDB does not say it either: as much as the
/// larger of the two items, and a transaction twice as much as its writes.
fn refused_units(request: &Value, answer: &Value) -> f64 {
    let kind = answer["__type"].as_str().unwrap_or_default();
    let units = if kind.ends_with("ConditionalCheckFailedException") {
        let bytes = item_bytes(&answer["Item"]).max(item_bytes(&request["Item"]));
        bytes.div_ceil(1024).max(1)
    } else if kind.ends_with("TransactionCanceledException") {
        2 * request["TransactItems"].as_array().unwrap().len()
    } else {
        0
    };
    units as f64
}

fn item_bytes(item: &Value) -> usize {
    let attributes = item.as_object().into_iter().flatten();
    attributes.map(|(name, value)| name.len() + value_bytes(value)).sum()
}

fn value_bytes(value: &Value) -> usize {
    match value.as_object().and_then(|value| value.iter().next()) {
        Some((kind, Value::String(text))) if kind == "S" => text.len(),
        Some((kind, Value::String(text))) if kind == "N" => text.len() / 2 + 1,
        Some((kind, members)) if kind == "M" => 3 + item_bytes(members),
        Some((_, Value::Array(texts))) => texts.iter().map(|text| text.as_str().map_or(1, str::len)).sum(),
        _ => 1,
    }
}
