//! template.yaml, and how its names are spelled elsewhere.

use std::collections::BTreeMap;

use serde_json::Value;

pub fn template() -> Value {
    serde_saphyr::from_str(include_str!("../../template.yaml")).unwrap()
}

/// Route key to the logical ID of its function.
pub fn template_routes() -> BTreeMap<String, String> {
    let gateway = &template()["Resources"]["Gateway"]["Properties"]["Routes"];
    let function =
        |route: &Value| route["FunctionArn"].as_str().unwrap().strip_suffix(".Arn").unwrap().to_owned();
    gateway.as_object().unwrap().iter().map(|(key, route)| (key.clone(), function(route))).collect()
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
