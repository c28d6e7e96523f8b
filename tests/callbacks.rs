//! A business server that is asked and told, and is slow, dead, wrong, refusing or rewriting.

mod after;
mod before;
mod given_up;
mod groups;
mod state;

use serde_json::{Value, json};

use crate::harness::{TestApp, business_server::BusinessServer, text_message};

/// An app, and a business server that lets everything pass.
async fn start() -> (TestApp, BusinessServer) {
    let server = BusinessServer::start().await;
    (TestApp::with_business_server(server.place()).await, server)
}

/// What alice is answered when they send this to bob.
async fn send(app: &TestApp, client_id: &str, base: u64, text: &str) -> Value {
    let mut data = text_message("bob", client_id, base);
    data["payload"] = json!({ "text": text });
    app.invoke("send-message", "alice", data).await
}
