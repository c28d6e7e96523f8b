use std::sync::Arc;

use futures_util::future::BoxFuture;
use hongyan_functions::{
    config::{Config, Misconfigured},
    functions::Functions,
};
use lambda_http::{Body, Request, Response};
use serde_json::Value;

/// What runs the functions, by their names: an event in, an answer out, and none when the function has died on
/// the way.
#[derive(Clone)]
pub struct Lambda {
    /// Those behind routes.
    pub routes: Invoke<Request, Response<Body>>,
    /// Those behind streams, told of batches of records.
    pub streams: Invoke<Value, Value>,
}

/// Runs a function.
pub type Invoke<Event, Answer> =
    Arc<dyn Fn(&'static str, Event) -> BoxFuture<'static, Option<Answer>> + Send + Sync>;

/// The functions in this process.
pub(crate) fn in_process(config: &Config) -> Result<Lambda, Misconfigured> {
    let functions = Arc::new(Functions::new(config)?);
    let on_streams = Arc::clone(&functions);
    Ok(Lambda {
        routes: Arc::new(move |name, event| {
            let functions = Arc::clone(&functions);
            Box::pin(async move { functions.respond(name, event).await })
        }),
        streams: Arc::new(move |name, event| {
            let functions = Arc::clone(&on_streams);
            Box::pin(async move { functions.consume(name, event).await })
        }),
    })
}
