//! From a sandbox's start to its invocations. It knows Lambda and no protocol.

use std::{env, future::Future};

use aws_lambda_events::dynamodb::Event as Changes;
use futures_util::future::BoxFuture;
use hongyan_shared::Result;
use lambda_http::{
    lambda_runtime::{Diagnostic, LambdaEvent, run},
    service_fn,
    tracing::{Level, subscriber},
};
use tracing::error;

use crate::{
    config::{Config, Configured},
    failure::Failure,
    routes::ws::{Event, Reply},
    store::RowChange,
    trigger::{
        authorizer::Authorizer,
        rest,
        stream::{Consumer, Turns},
        websocket::Function,
    },
};

/// Serves the routes of a function until the sandbox ends: the whole of a `main`.
///
/// # Errors
/// When the environment is incomplete or Lambda's runtime API fails.
pub async fn serve<World, Route, Answer>(
    world: fn(&Config) -> Configured<World>,
    route: Route,
) -> std::result::Result<(), lambda_http::Error>
where
    World: Send + Sync + 'static,
    Route: Fn(&'static World, Event) -> Answer + Copy + Send + Sync + 'static,
    Answer: Future<Output = Result<Reply>> + Send + 'static,
{
    let function = start(|config| Function::new(config, world))?;
    lambda_http::run(service_fn(move |request| async move {
        Ok::<_, std::convert::Infallible>(function.respond(request, route).await)
    }))
    .await
}

/// Serves the stream of a table with an action, under a name for its lines.
///
/// # Errors
/// As [`serve`].
pub async fn serve_stream<World, Action, Done>(
    name: &'static str,
    turns: Turns,
    world: fn(&Config) -> Configured<World>,
    action: Action,
) -> std::result::Result<(), lambda_http::Error>
where
    World: Send + Sync + 'static,
    Action: Fn(&'static World, RowChange) -> Done + Copy + Send + Sync + 'static,
    Done: Future<Output = std::result::Result<(), Failure>> + Send + 'static,
{
    let consumer = start(|config| Consumer::new(config, name, turns, world))?;
    run(service_fn(move |event: LambdaEvent<Changes>| async move {
        let request_id = event.context.request_id;
        Ok::<_, std::convert::Infallible>(consumer.consume(event.payload, &request_id, action).await)
    }))
    .await
}

/// Serves the authorizer.
///
/// # Errors
/// As [`serve`].
pub async fn serve_authorizer() -> std::result::Result<(), lambda_http::Error> {
    let authorizer = start(Authorizer::from_config)?;
    run(service_fn(move |event: LambdaEvent<_>| async move {
        // Boxed, because the compiler follows no type that is as deep as this one and the runtime's around it.
        let verdict: BoxFuture<_> = Box::pin(authorizer.handle(event.payload, &event.context.request_id));
        verdict
            .await
            .map_err(|error| Diagnostic { error_type: "NoKeys".to_owned(), error_message: error.to_string() })
    }))
    .await
}

/// Serves the commands of business servers.
///
/// # Errors
/// As [`serve`].
pub async fn serve_rest() -> std::result::Result<(), lambda_http::Error> {
    let function = start(rest::Function::from_config)?;
    run(service_fn(move |event: LambdaEvent<_>| async move {
        // As above.
        let answer: BoxFuture<_> = Box::pin(function.respond(event.payload, &event.context.request_id));
        Ok::<_, std::convert::Infallible>(answer.await)
    }))
    .await
}

/// Builds what serves the invocations. It lives as long as the sandbox.
fn start<T>(build: impl FnOnce(&Config) -> Configured<T>) -> Configured<&'static T> {
    init_log();
    let built = Config::from_env().and_then(|config| build(&config));
    // Lambda says that a function has ended, and not why.
    let built = built.inspect_err(|why| error!(%why, "the function cannot start"))?;
    Ok(Box::leak(Box::new(built)))
}

/// Whatever there is to say besides the record of an invocation, as JSON objects that name the invocation.
/// Lambda's default subscriber does the same, and brings regular expressions besides, to filter by module.
fn init_log() {
    let level = env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok());
    subscriber::fmt()
        .json()
        .with_max_level(level.unwrap_or(Level::INFO))
        .with_target(false)
        .without_time()
        .init();
}
