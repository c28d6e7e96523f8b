use std::sync::Arc;

use futures_util::future::BoxFuture;
use hongyan_functions::{
    config::{Config, Misconfigured},
    functions::Functions,
};
use lambda_http::{Body, Request, Response};

/// What runs the functions, by their names: an event in, an answer out, and none when the function has died on
/// the way.
pub type Lambda =
    Arc<dyn Fn(&'static str, Request) -> BoxFuture<'static, Option<Response<Body>>> + Send + Sync>;

/// The functions in this process.
pub(crate) fn in_process(config: &Config) -> Result<Lambda, Misconfigured> {
    let functions = Arc::new(Functions::new(config)?);
    Ok(Arc::new(move |name, event| {
        let functions = Arc::clone(&functions);
        Box::pin(async move { functions.respond(name, event).await })
    }))
}
