use serde_json::Value;

pub fn template() -> Value {
    serde_saphyr::from_str(include_str!("../template.yaml")).unwrap()
}
